DROP TABLE daily_runs;
DROP INDEX jobs_leases;
DROP INDEX jobs_due;
ALTER TABLE jobs DROP COLUMN version;
ALTER TABLE jobs DROP COLUMN queue;
CREATE INDEX jobs_due ON jobs (state, run_at);
