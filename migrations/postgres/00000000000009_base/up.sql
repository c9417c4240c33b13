-- Which base this is: said once, never changed, kept by its copies. The configuration may say which one it expects.
CREATE TABLE base_identity (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (length(id) = 36),
    -- There is one row.
    rank BIGINT NOT NULL UNIQUE CHECK (rank = 1),
    created_at TIMESTAMP NOT NULL
);
INSERT INTO base_identity (id, rank, created_at)
VALUES (gen_random_uuid()::text, 1, date_trunc('second', now() AT TIME ZONE 'UTC'));

CREATE TRIGGER base_identity_frozen BEFORE UPDATE OR DELETE ON base_identity FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER base_identity_frozen_all BEFORE TRUNCATE ON base_identity FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What readiness writes, to know that writing still works.
CREATE TABLE write_probe (
    rank BIGINT PRIMARY KEY CHECK (rank = 1),
    written_at TIMESTAMP NOT NULL
);
INSERT INTO write_probe (rank, written_at) VALUES (1, '1970-01-01 00:00:00');
