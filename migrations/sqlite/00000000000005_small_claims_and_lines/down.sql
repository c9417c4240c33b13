DROP TABLE line_decisions;
DROP INDEX small_claim_decisions_act;
ALTER TABLE small_claim_decisions DROP COLUMN updated_at;
ALTER TABLE small_claim_decisions DROP COLUMN revoked_origin;
ALTER TABLE small_claim_decisions DROP COLUMN revoked_reason;
ALTER TABLE small_claim_decisions DROP COLUMN revoked_by_label;
ALTER TABLE small_claim_decisions DROP COLUMN origin;
ALTER TABLE small_claim_decisions DROP COLUMN act_id;
DROP TABLE small_claim_papers;
DROP TABLE small_claim_acts;

-- A line that was no product of a price gets the price 0 there.
CREATE TABLE title_lines_old (
    title_id TEXT NOT NULL REFERENCES perception_titles (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    uai TEXT NOT NULL REFERENCES schools (uai),
    label TEXT NOT NULL,
    commune_name TEXT NOT NULL,
    departement TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    unit_amount_cents BIGINT NOT NULL CHECK (unit_amount_cents >= 0),
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    PRIMARY KEY (title_id, position)
);
INSERT INTO title_lines_old
    SELECT title_id, position, uai, label, commune_name, departement, quantity, coalesce(unit_amount_cents, 0), amount_cents
    FROM title_lines;
DROP TABLE title_lines;
ALTER TABLE title_lines_old RENAME TO title_lines;
CREATE INDEX title_lines_uai ON title_lines (uai);
CREATE TRIGGER title_lines_frozen_update BEFORE UPDATE ON title_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses UPDATE');
END;
CREATE TRIGGER title_lines_frozen_delete BEFORE DELETE ON title_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses DELETE');
END;

CREATE TABLE participation_lines_old (
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
    unit_amount_cents BIGINT NOT NULL CHECK (unit_amount_cents >= 0),
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    PRIMARY KEY (participation_id, position)
);
INSERT INTO participation_lines_old
    SELECT participation_id, position, uai, name, label, kind, insee_code, commune_name, departement, quantity,
           coalesce(unit_amount_cents, 0), amount_cents
    FROM participation_lines;
DROP TABLE participation_lines;
ALTER TABLE participation_lines_old RENAME TO participation_lines;
CREATE INDEX participation_lines_uai ON participation_lines (uai);
CREATE TRIGGER participation_lines_frozen_update BEFORE UPDATE ON participation_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: participation_lines refuses UPDATE');
END;
CREATE TRIGGER participation_lines_frozen_delete BEFORE DELETE ON participation_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: participation_lines refuses DELETE');
END;
