-- An enrolment can be changed: it has a version, and shows among what changed since an instant.
ALTER TABLE enrolments ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version >= 1);
ALTER TABLE enrolments ADD COLUMN updated_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00';
UPDATE enrolments SET updated_at = created_at;
CREATE INDEX enrolments_updated ON enrolments (campaign_id, updated_at);

CREATE INDEX schools_name ON schools (name_fold, uai);

-- Kept answers are purged by age, never by reading them all.
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
