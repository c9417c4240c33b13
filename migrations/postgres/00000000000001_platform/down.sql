DROP TABLE counters;
DROP TABLE idempotency_keys;
DROP TABLE jobs;
DROP TABLE blobs;
DROP TABLE audit_events;
DROP TABLE refresh_tokens;
DROP TABLE users;
DROP FUNCTION refuse_change();
