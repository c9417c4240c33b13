DROP INDEX idempotency_keys_created;
DROP INDEX schools_name;
DROP INDEX enrolments_updated;
ALTER TABLE enrolments DROP COLUMN updated_at;
ALTER TABLE enrolments DROP COLUMN version;
