-- A series remembers the instant of its last number: none is given before it.
ALTER TABLE counters ADD COLUMN last_at TIMESTAMP;
UPDATE counters SET last_at = (SELECT max(a.approved_at) FROM title_approvals a WHERE 'title:' || a.exercice = counters.name)
    WHERE name LIKE 'title:%';
UPDATE counters SET last_at = (SELECT max(b.sealed_at) FROM accounting_batches b WHERE 'batch:' || b.exercice = counters.name)
    WHERE name LIKE 'batch:%';
UPDATE counters SET last_at = (SELECT max(d.decided_at) FROM small_claim_acts d WHERE 'decision:' || d.exercice = counters.name)
    WHERE name LIKE 'decision:%';
UPDATE counters SET last_at = (SELECT max(c.issued_at) FROM conventions c JOIN campaigns k ON k.id = c.campaign_id
    WHERE 'convention:' || k.school_year = counters.name) WHERE name LIKE 'convention:%';

-- What was last seen of the clock, since when it is doubted, and the last step back: from where to where.
CREATE TABLE clock_watch (
    rank BIGINT PRIMARY KEY CHECK (rank = 1),
    seen_at TIMESTAMP,
    doubted_at TIMESTAMP,
    back_from TIMESTAMP,
    back_to TIMESTAMP,
    CHECK ((back_from IS NULL) = (back_to IS NULL))
);
INSERT INTO clock_watch (rank) VALUES (1);
