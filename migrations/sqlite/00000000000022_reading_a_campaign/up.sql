-- A page of a campaign's conventions is walked in its order, wherever it starts.
CREATE INDEX conventions_number ON conventions (campaign_id, number);
-- The sums of a campaign by department are added up from this index alone.
CREATE INDEX conventions_sums ON conventions (campaign_id, party_departement, state, school_count, total_cents);
