-- Facts that a person stated are kept as they were stated: a school taken out of a campaign, the word on a line whose
-- school has closed. What ends or follows them is written beside. And a convention has its seal, always.

-- The withdrawals of a school in a campaign are numbered; what brought it back is a fact of its own. They outlive a
-- campaign that was deleted before anything was issued: no reference to it.
ALTER TABLE enrolment_withdrawals RENAME TO enrolment_withdrawals_old;
ALTER TABLE enrolment_withdrawals_old RENAME CONSTRAINT enrolment_withdrawals_pkey TO enrolment_withdrawals_old_pkey;
ALTER TABLE enrolment_withdrawals_old RENAME CONSTRAINT enrolment_withdrawals_uai_fkey TO enrolment_withdrawals_old_uai_fkey;
DROP INDEX enrolment_withdrawals_uai;
CREATE TABLE enrolment_withdrawals (
    campaign_id TEXT COLLATE "C" NOT NULL,
    uai TEXT COLLATE "C" NOT NULL REFERENCES schools (uai),
    rank BIGINT NOT NULL CHECK (rank >= 1),
    withdrawn_by_label TEXT COLLATE "C" NOT NULL,
    withdrawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai, rank)
);
INSERT INTO enrolment_withdrawals SELECT campaign_id, uai, 1, withdrawn_by_label, withdrawn_at FROM enrolment_withdrawals_old;
DROP TABLE enrolment_withdrawals_old;
CREATE INDEX enrolment_withdrawals_uai ON enrolment_withdrawals (uai);
CREATE TABLE enrolment_reinstatements (
    campaign_id TEXT COLLATE "C" NOT NULL,
    uai TEXT COLLATE "C" NOT NULL,
    rank BIGINT NOT NULL,
    reinstated_by_label TEXT COLLATE "C" NOT NULL,
    reinstated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai, rank),
    FOREIGN KEY (campaign_id, uai, rank) REFERENCES enrolment_withdrawals (campaign_id, uai, rank)
);
CREATE TRIGGER enrolment_withdrawals_frozen BEFORE UPDATE OR DELETE ON enrolment_withdrawals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER enrolment_withdrawals_frozen_all BEFORE TRUNCATE ON enrolment_withdrawals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER enrolment_reinstatements_frozen BEFORE UPDATE OR DELETE ON enrolment_reinstatements FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER enrolment_reinstatements_frozen_all BEFORE TRUNCATE ON enrolment_reinstatements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Every word on a line is kept; the last one counts.
ALTER TABLE line_decisions DROP CONSTRAINT line_decisions_pkey;
ALTER TABLE line_decisions ADD PRIMARY KEY (convention_id, uai, version);
-- A word is said of a school that has closed, or of a line that has had a word already.
CREATE FUNCTION line_decisions_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM schools s WHERE s.uai = NEW.uai AND s.closed_on IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM line_decisions d WHERE d.convention_id = NEW.convention_id AND d.uai = NEW.uai) THEN
        RAISE EXCEPTION 'frozen: line_decisions refuses INSERT about a school that stands' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER line_decisions_born BEFORE INSERT ON line_decisions FOR EACH ROW EXECUTE FUNCTION line_decisions_born();
CREATE TRIGGER line_decisions_frozen BEFORE UPDATE OR DELETE ON line_decisions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER line_decisions_frozen_all BEFORE TRUNCATE ON line_decisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was issued before seals were kept is sealed by the program right after this migration, as it is then. Nothing is
-- ever added to the list of those that wait.
CREATE TABLE convention_unsealed (participation_id TEXT COLLATE "C" PRIMARY KEY REFERENCES participations (id));
INSERT INTO convention_unsealed SELECT participation_id FROM convention_seals WHERE sha256 IS NULL;
CREATE TRIGGER convention_unsealed_closed BEFORE INSERT OR UPDATE ON convention_unsealed FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE convention_seals DISABLE TRIGGER convention_seals_frozen;
DELETE FROM convention_seals WHERE sha256 IS NULL;
ALTER TABLE convention_seals ENABLE TRIGGER convention_seals_frozen;
ALTER TABLE convention_seals ALTER COLUMN sha256 SET NOT NULL;
