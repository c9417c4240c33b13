DROP TABLE clock_watch;
ALTER TABLE counters DROP COLUMN last_at;
