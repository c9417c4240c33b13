DROP TRIGGER participation_lines_whole;
CREATE TABLE convention_seals_old (
    participation_id TEXT PRIMARY KEY REFERENCES participations (id),
    sha256 TEXT CHECK (length(sha256) = 64)
);
INSERT INTO convention_seals_old SELECT participation_id, sha256 FROM convention_seals;
INSERT INTO convention_seals_old (participation_id)
    SELECT participation_id FROM convention_unsealed WHERE participation_id NOT IN (SELECT participation_id FROM convention_seals);
DROP TABLE convention_unsealed;
DROP TABLE convention_seals;
ALTER TABLE convention_seals_old RENAME TO convention_seals;
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

CREATE TABLE line_decisions_old (
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
INSERT INTO line_decisions_old
    SELECT convention_id, uai, choice, reason, decided_by, decided_by_label, decided_at, version FROM line_decisions d
    WHERE version = (SELECT max(l.version) FROM line_decisions l WHERE l.convention_id = d.convention_id AND l.uai = d.uai);
DROP TABLE line_decisions;
ALTER TABLE line_decisions_old RENAME TO line_decisions;
CREATE INDEX line_decisions_uai ON line_decisions (uai);
CREATE INDEX line_decisions_decider ON line_decisions (decided_by);

CREATE TABLE enrolment_withdrawals_old (
    campaign_id TEXT NOT NULL REFERENCES campaigns (id),
    uai TEXT NOT NULL REFERENCES schools (uai),
    withdrawn_by_label TEXT NOT NULL,
    withdrawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai)
);
INSERT INTO enrolment_withdrawals_old
    SELECT campaign_id, uai, withdrawn_by_label, withdrawn_at FROM enrolment_withdrawals w
    WHERE campaign_id IN (SELECT id FROM campaigns) AND NOT EXISTS (SELECT 1 FROM enrolment_reinstatements r
        WHERE r.campaign_id = w.campaign_id AND r.uai = w.uai AND r.rank = w.rank);
DROP TABLE enrolment_reinstatements;
DROP TABLE enrolment_withdrawals;
ALTER TABLE enrolment_withdrawals_old RENAME TO enrolment_withdrawals;
CREATE INDEX enrolment_withdrawals_uai ON enrolment_withdrawals (uai);
