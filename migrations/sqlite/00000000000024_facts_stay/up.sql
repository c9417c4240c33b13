-- Facts that a person stated are kept as they were stated: a school taken out of a campaign, the word on a line whose
-- school has closed. What ends or follows them is written beside. And a convention has its seal, always.

-- The withdrawals of a school in a campaign are numbered; what brought it back is a fact of its own. They outlive a
-- campaign that was deleted before anything was issued: no reference to it.
CREATE TABLE enrolment_withdrawals_new (
    campaign_id TEXT NOT NULL,
    uai TEXT NOT NULL REFERENCES schools (uai),
    rank BIGINT NOT NULL CHECK (rank >= 1),
    withdrawn_by_label TEXT NOT NULL,
    withdrawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai, rank)
);
INSERT INTO enrolment_withdrawals_new SELECT campaign_id, uai, 1, withdrawn_by_label, withdrawn_at FROM enrolment_withdrawals;
DROP TABLE enrolment_withdrawals;
ALTER TABLE enrolment_withdrawals_new RENAME TO enrolment_withdrawals;
CREATE INDEX enrolment_withdrawals_uai ON enrolment_withdrawals (uai);
CREATE TABLE enrolment_reinstatements (
    campaign_id TEXT NOT NULL,
    uai TEXT NOT NULL,
    rank BIGINT NOT NULL,
    reinstated_by_label TEXT NOT NULL,
    reinstated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai, rank),
    FOREIGN KEY (campaign_id, uai, rank) REFERENCES enrolment_withdrawals (campaign_id, uai, rank)
);
CREATE TRIGGER enrolment_withdrawals_frozen_update BEFORE UPDATE ON enrolment_withdrawals BEGIN
    SELECT RAISE(ABORT, 'frozen: enrolment_withdrawals refuses UPDATE');
END;
CREATE TRIGGER enrolment_withdrawals_frozen_delete BEFORE DELETE ON enrolment_withdrawals BEGIN
    SELECT RAISE(ABORT, 'frozen: enrolment_withdrawals refuses DELETE');
END;
CREATE TRIGGER enrolment_withdrawals_no_replace BEFORE INSERT ON enrolment_withdrawals WHEN
    EXISTS (SELECT 1 FROM enrolment_withdrawals t WHERE t.campaign_id = NEW.campaign_id AND t.uai = NEW.uai AND t.rank = NEW.rank)
    OR EXISTS (SELECT 1 FROM enrolment_withdrawals t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: enrolment_withdrawals refuses REPLACE');
END;
CREATE TRIGGER enrolment_reinstatements_frozen_update BEFORE UPDATE ON enrolment_reinstatements BEGIN
    SELECT RAISE(ABORT, 'frozen: enrolment_reinstatements refuses UPDATE');
END;
CREATE TRIGGER enrolment_reinstatements_frozen_delete BEFORE DELETE ON enrolment_reinstatements BEGIN
    SELECT RAISE(ABORT, 'frozen: enrolment_reinstatements refuses DELETE');
END;
CREATE TRIGGER enrolment_reinstatements_no_replace BEFORE INSERT ON enrolment_reinstatements WHEN
    EXISTS (SELECT 1 FROM enrolment_reinstatements t WHERE t.campaign_id = NEW.campaign_id AND t.uai = NEW.uai AND t.rank = NEW.rank)
    OR EXISTS (SELECT 1 FROM enrolment_reinstatements t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: enrolment_reinstatements refuses REPLACE');
END;

-- Every word on a line is kept; the last one counts.
CREATE TABLE line_decisions_new (
    convention_id TEXT NOT NULL REFERENCES conventions (id),
    uai TEXT NOT NULL REFERENCES schools (uai),
    choice TEXT NOT NULL CHECK (choice IN ('keep', 'reduce', 'amendment')),
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES users (id),
    decided_by_label TEXT NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (convention_id, uai, version)
);
INSERT INTO line_decisions_new
    SELECT convention_id, uai, choice, reason, decided_by, decided_by_label, decided_at, version FROM line_decisions;
DROP TABLE line_decisions;
ALTER TABLE line_decisions_new RENAME TO line_decisions;
CREATE INDEX line_decisions_uai ON line_decisions (uai);
CREATE INDEX line_decisions_decider ON line_decisions (decided_by);
-- A word is said of a school that has closed, or of a line that has had a word already.
CREATE TRIGGER line_decisions_born BEFORE INSERT ON line_decisions WHEN
    NOT EXISTS (SELECT 1 FROM schools s WHERE s.uai = NEW.uai AND s.closed_on IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM line_decisions d WHERE d.convention_id = NEW.convention_id AND d.uai = NEW.uai)
BEGIN
    SELECT RAISE(ABORT, 'frozen: line_decisions refuses INSERT about a school that stands');
END;
CREATE TRIGGER line_decisions_frozen_update BEFORE UPDATE ON line_decisions BEGIN
    SELECT RAISE(ABORT, 'frozen: line_decisions refuses UPDATE');
END;
CREATE TRIGGER line_decisions_frozen_delete BEFORE DELETE ON line_decisions BEGIN
    SELECT RAISE(ABORT, 'frozen: line_decisions refuses DELETE');
END;
CREATE TRIGGER line_decisions_no_replace BEFORE INSERT ON line_decisions WHEN
    EXISTS (SELECT 1 FROM line_decisions t WHERE t.convention_id = NEW.convention_id AND t.uai = NEW.uai AND t.version = NEW.version)
    OR EXISTS (SELECT 1 FROM line_decisions t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: line_decisions refuses REPLACE');
END;

-- What was issued before seals were kept is sealed by the program right after this migration, as it is then. Nothing is
-- ever added to the list of those that wait.
CREATE TABLE convention_unsealed (participation_id TEXT PRIMARY KEY REFERENCES participations (id));
INSERT INTO convention_unsealed SELECT participation_id FROM convention_seals WHERE sha256 IS NULL;
CREATE TRIGGER convention_unsealed_closed BEFORE INSERT ON convention_unsealed BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_unsealed refuses INSERT');
END;
CREATE TRIGGER convention_unsealed_closed_update BEFORE UPDATE ON convention_unsealed BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_unsealed refuses UPDATE');
END;
DROP TRIGGER participation_lines_whole;
CREATE TABLE convention_seals_new (
    participation_id TEXT PRIMARY KEY REFERENCES participations (id),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64)
);
INSERT INTO convention_seals_new SELECT participation_id, sha256 FROM convention_seals WHERE sha256 IS NOT NULL;
DROP TABLE convention_seals;
ALTER TABLE convention_seals_new RENAME TO convention_seals;
CREATE TRIGGER convention_seals_frozen_update BEFORE UPDATE ON convention_seals BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_seals refuses UPDATE');
END;
CREATE TRIGGER convention_seals_frozen_delete BEFORE DELETE ON convention_seals BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_seals refuses DELETE');
END;
CREATE TRIGGER convention_seals_no_replace BEFORE INSERT ON convention_seals WHEN
    EXISTS (SELECT 1 FROM convention_seals t WHERE t.participation_id = NEW.participation_id)
    OR EXISTS (SELECT 1 FROM convention_seals t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_seals refuses REPLACE');
END;
CREATE TRIGGER participation_lines_whole BEFORE INSERT ON participation_lines WHEN
    EXISTS (SELECT 1 FROM convention_seals s WHERE s.participation_id = NEW.participation_id)
BEGIN
    SELECT RAISE(ABORT, 'frozen: participation_lines refuses INSERT after the issue');
END;
