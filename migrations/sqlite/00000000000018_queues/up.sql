-- Queues with workers of their own, and the version of what a job is written as: 0 before there were versions.
ALTER TABLE jobs ADD COLUMN queue TEXT NOT NULL DEFAULT 'default' CHECK (length(queue) BETWEEN 1 AND 40);
ALTER TABLE jobs ADD COLUMN version BIGINT NOT NULL DEFAULT 0 CHECK (version >= 0);
UPDATE jobs SET queue = 'papers' WHERE kind IN ('conventions.render', 'titles.render', 'titles.render_decision');
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (queue, state, run_at, id);
CREATE INDEX jobs_leases ON jobs (queue, state, lease_until, id);

-- Daily work runs once per business day, whatever the number of instances.
CREATE TABLE daily_runs (
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    day DATE NOT NULL,
    ran_at TIMESTAMP NOT NULL,
    PRIMARY KEY (name, day)
);
