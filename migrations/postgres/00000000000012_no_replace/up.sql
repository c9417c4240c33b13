-- PostgreSQL has no REPLACE: ON CONFLICT DO UPDATE is an UPDATE to its triggers, and COPY adds only.
SELECT 1;
