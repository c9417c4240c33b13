-- Lines that are no product of a count and a price, decisions not to issue with their document, and what a person
-- decided of a line whose school has closed.

-- The price is null when the amount is a share of the total, or waived.
ALTER TABLE participation_lines ALTER COLUMN unit_amount_cents DROP NOT NULL;
ALTER TABLE participation_lines ADD COLUMN waiver TEXT COLLATE "C";
ALTER TABLE participation_lines ADD CHECK (waiver IS NULL OR amount_cents = 0);
ALTER TABLE title_lines ALTER COLUMN unit_amount_cents DROP NOT NULL;
ALTER TABLE title_lines ADD COLUMN waiver TEXT COLLATE "C";
ALTER TABLE title_lines ADD CHECK (waiver IS NULL OR amount_cents = 0);

-- One act names the claims that are left untitled (décret 2012-1246, art. 114) and has one document.
CREATE TABLE small_claim_acts (
    id TEXT COLLATE "C" PRIMARY KEY,
    number TEXT COLLATE "C" NOT NULL UNIQUE,
    exercice BIGINT NOT NULL,
    number_rank BIGINT NOT NULL CHECK (number_rank >= 1),
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaigns (id),
    threshold_cents BIGINT NOT NULL CHECK (threshold_cents > 0),
    claim_count BIGINT NOT NULL CHECK (claim_count >= 1),
    total_cents BIGINT NOT NULL CHECK (total_cents >= 1),
    reason TEXT COLLATE "C" NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    decided_by_label TEXT COLLATE "C" NOT NULL,
    decided_on DATE NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    content_sha256 TEXT COLLATE "C" NOT NULL CHECK (length(content_sha256) = 64),
    template_sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
    UNIQUE (exercice, number_rank)
);
CREATE INDEX small_claim_acts_campaign ON small_claim_acts (campaign_id);
CREATE INDEX small_claim_acts_decider ON small_claim_acts (decided_by);
CREATE INDEX small_claim_acts_template ON small_claim_acts (template_sha256);
CREATE TRIGGER small_claim_acts_frozen BEFORE UPDATE OR DELETE ON small_claim_acts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER small_claim_acts_frozen_all BEFORE TRUNCATE ON small_claim_acts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The paper of an act, once made.
CREATE TABLE small_claim_papers (
    act_id TEXT COLLATE "C" PRIMARY KEY REFERENCES small_claim_acts (id),
    sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
    made_at TIMESTAMP NOT NULL
);
CREATE INDEX small_claim_papers_blob ON small_claim_papers (sha256);
CREATE TRIGGER small_claim_papers_frozen BEFORE UPDATE OR DELETE ON small_claim_papers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER small_claim_papers_frozen_all BEFORE TRUNCATE ON small_claim_papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A decision follows from the campaign's policy, or is a person's own: the latter outlives a change of policy.
ALTER TABLE small_claim_decisions ADD COLUMN act_id TEXT COLLATE "C" REFERENCES small_claim_acts (id);
ALTER TABLE small_claim_decisions ADD COLUMN origin TEXT COLLATE "C" NOT NULL DEFAULT 'policy' CHECK (origin IN ('policy', 'person'));
ALTER TABLE small_claim_decisions ADD COLUMN revoked_by_label TEXT COLLATE "C";
ALTER TABLE small_claim_decisions ADD COLUMN revoked_reason TEXT COLLATE "C";
ALTER TABLE small_claim_decisions ADD COLUMN revoked_origin TEXT COLLATE "C" CHECK (revoked_origin IN ('policy', 'person'));
ALTER TABLE small_claim_decisions ADD COLUMN updated_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00';
UPDATE small_claim_decisions SET updated_at = coalesce(revoked_at, decided_at);
CREATE INDEX small_claim_decisions_act ON small_claim_decisions (act_id);

-- What a person decided of a line whose school no longer stands: the last word per convention and school.
CREATE TABLE line_decisions (
    convention_id TEXT COLLATE "C" NOT NULL REFERENCES conventions (id),
    uai TEXT COLLATE "C" NOT NULL REFERENCES schools (uai),
    choice TEXT COLLATE "C" NOT NULL CHECK (choice IN ('keep', 'reduce', 'amendment')),
    reason TEXT COLLATE "C" NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    decided_by_label TEXT COLLATE "C" NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (convention_id, uai)
);
CREATE INDEX line_decisions_uai ON line_decisions (uai);
CREATE INDEX line_decisions_decider ON line_decisions (decided_by);
