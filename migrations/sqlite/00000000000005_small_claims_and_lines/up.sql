-- Lines that are no product of a count and a price, decisions not to issue with their document, and what a person
-- decided of a line whose school has closed.

-- SQLite cannot drop NOT NULL: the tables are made again. Dropping one fires no trigger.
CREATE TABLE participation_lines_new (
    participation_id TEXT NOT NULL REFERENCES participations (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    uai TEXT NOT NULL REFERENCES schools (uai),
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('maternelle', 'elementaire', 'primaire')),
    insee_code TEXT NOT NULL CHECK (length(insee_code) = 5),
    commune_name TEXT NOT NULL,
    departement TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    -- Null when the amount is a share of the total, or waived.
    unit_amount_cents BIGINT CHECK (unit_amount_cents >= 0),
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    -- Why nothing is due for this school.
    waiver TEXT,
    PRIMARY KEY (participation_id, position),
    CHECK (waiver IS NULL OR amount_cents = 0)
);
INSERT INTO participation_lines_new
    SELECT participation_id, position, uai, name, label, kind, insee_code, commune_name, departement, quantity,
           unit_amount_cents, amount_cents, NULL
    FROM participation_lines;
DROP TABLE participation_lines;
ALTER TABLE participation_lines_new RENAME TO participation_lines;
CREATE INDEX participation_lines_uai ON participation_lines (uai);
CREATE TRIGGER participation_lines_frozen_update BEFORE UPDATE ON participation_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: participation_lines refuses UPDATE');
END;
CREATE TRIGGER participation_lines_frozen_delete BEFORE DELETE ON participation_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: participation_lines refuses DELETE');
END;

CREATE TABLE title_lines_new (
    title_id TEXT NOT NULL REFERENCES perception_titles (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    uai TEXT NOT NULL REFERENCES schools (uai),
    label TEXT NOT NULL,
    commune_name TEXT NOT NULL,
    departement TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    unit_amount_cents BIGINT CHECK (unit_amount_cents >= 0),
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    waiver TEXT,
    PRIMARY KEY (title_id, position),
    CHECK (waiver IS NULL OR amount_cents = 0)
);
INSERT INTO title_lines_new
    SELECT title_id, position, uai, label, commune_name, departement, quantity, unit_amount_cents, amount_cents, NULL
    FROM title_lines;
DROP TABLE title_lines;
ALTER TABLE title_lines_new RENAME TO title_lines;
CREATE INDEX title_lines_uai ON title_lines (uai);
CREATE TRIGGER title_lines_frozen_update BEFORE UPDATE ON title_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses UPDATE');
END;
CREATE TRIGGER title_lines_frozen_delete BEFORE DELETE ON title_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses DELETE');
END;

-- One act names the claims that are left untitled (décret 2012-1246, art. 114) and has one document.
CREATE TABLE small_claim_acts (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    exercice BIGINT NOT NULL,
    number_rank BIGINT NOT NULL CHECK (number_rank >= 1),
    campaign_id TEXT NOT NULL REFERENCES campaigns (id),
    threshold_cents BIGINT NOT NULL CHECK (threshold_cents > 0),
    claim_count BIGINT NOT NULL CHECK (claim_count >= 1),
    total_cents BIGINT NOT NULL CHECK (total_cents >= 1),
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES users (id),
    decided_by_label TEXT NOT NULL,
    decided_on DATE NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    content TEXT NOT NULL,
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) = 64),
    template_sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    UNIQUE (exercice, number_rank)
);
CREATE INDEX small_claim_acts_campaign ON small_claim_acts (campaign_id);
CREATE INDEX small_claim_acts_decider ON small_claim_acts (decided_by);
CREATE INDEX small_claim_acts_template ON small_claim_acts (template_sha256);
CREATE TRIGGER small_claim_acts_frozen_update BEFORE UPDATE ON small_claim_acts BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_acts refuses UPDATE');
END;
CREATE TRIGGER small_claim_acts_frozen_delete BEFORE DELETE ON small_claim_acts BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_acts refuses DELETE');
END;

-- The paper of an act, once made.
CREATE TABLE small_claim_papers (
    act_id TEXT PRIMARY KEY REFERENCES small_claim_acts (id),
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    made_at TIMESTAMP NOT NULL
);
CREATE INDEX small_claim_papers_blob ON small_claim_papers (sha256);
CREATE TRIGGER small_claim_papers_frozen_update BEFORE UPDATE ON small_claim_papers BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_papers refuses UPDATE');
END;
CREATE TRIGGER small_claim_papers_frozen_delete BEFORE DELETE ON small_claim_papers BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_papers refuses DELETE');
END;

-- A decision follows from the campaign's policy, or is a person's own: the latter outlives a change of policy.
ALTER TABLE small_claim_decisions ADD COLUMN act_id TEXT REFERENCES small_claim_acts (id);
ALTER TABLE small_claim_decisions ADD COLUMN origin TEXT NOT NULL DEFAULT 'policy' CHECK (origin IN ('policy', 'person'));
ALTER TABLE small_claim_decisions ADD COLUMN revoked_by_label TEXT;
ALTER TABLE small_claim_decisions ADD COLUMN revoked_reason TEXT;
ALTER TABLE small_claim_decisions ADD COLUMN revoked_origin TEXT CHECK (revoked_origin IN ('policy', 'person'));
ALTER TABLE small_claim_decisions ADD COLUMN updated_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00';
UPDATE small_claim_decisions SET updated_at = coalesce(revoked_at, decided_at);
CREATE INDEX small_claim_decisions_act ON small_claim_decisions (act_id);

-- What a person decided of a line whose school no longer stands: the last word per convention and school.
CREATE TABLE line_decisions (
    convention_id TEXT NOT NULL REFERENCES conventions (id),
    uai TEXT NOT NULL REFERENCES schools (uai),
    choice TEXT NOT NULL CHECK (choice IN ('keep', 'reduce', 'amendment')),
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES users (id),
    decided_by_label TEXT NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (convention_id, uai)
);
CREATE INDEX line_decisions_uai ON line_decisions (uai);
CREATE INDEX line_decisions_decider ON line_decisions (decided_by);
