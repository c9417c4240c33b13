ALTER TABLE convention_seals ALTER COLUMN sha256 DROP NOT NULL;
INSERT INTO convention_seals (participation_id)
    SELECT participation_id FROM convention_unsealed WHERE participation_id NOT IN (SELECT participation_id FROM convention_seals);
DROP TABLE convention_unsealed;
DROP TRIGGER line_decisions_frozen_all ON line_decisions;
DROP TRIGGER line_decisions_frozen ON line_decisions;
DROP TRIGGER line_decisions_born ON line_decisions;
DROP FUNCTION line_decisions_born;
DELETE FROM line_decisions d
    WHERE version < (SELECT max(l.version) FROM line_decisions l WHERE l.convention_id = d.convention_id AND l.uai = d.uai);
ALTER TABLE line_decisions DROP CONSTRAINT line_decisions_pkey;
ALTER TABLE line_decisions ADD PRIMARY KEY (convention_id, uai);
ALTER TABLE enrolment_withdrawals RENAME TO enrolment_withdrawals_new;
ALTER TABLE enrolment_withdrawals_new RENAME CONSTRAINT enrolment_withdrawals_pkey TO enrolment_withdrawals_new_pkey;
ALTER TABLE enrolment_withdrawals_new RENAME CONSTRAINT enrolment_withdrawals_uai_fkey TO enrolment_withdrawals_new_uai_fkey;
DROP INDEX enrolment_withdrawals_uai;
CREATE TABLE enrolment_withdrawals (
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaigns (id),
    uai TEXT COLLATE "C" NOT NULL REFERENCES schools (uai),
    withdrawn_by_label TEXT COLLATE "C" NOT NULL,
    withdrawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai)
);
INSERT INTO enrolment_withdrawals
    SELECT campaign_id, uai, withdrawn_by_label, withdrawn_at FROM enrolment_withdrawals_new w
    WHERE campaign_id IN (SELECT id FROM campaigns) AND NOT EXISTS (SELECT 1 FROM enrolment_reinstatements r
        WHERE r.campaign_id = w.campaign_id AND r.uai = w.uai AND r.rank = w.rank);
DROP TABLE enrolment_reinstatements;
DROP TABLE enrolment_withdrawals_new;
CREATE INDEX enrolment_withdrawals_uai ON enrolment_withdrawals (uai);
