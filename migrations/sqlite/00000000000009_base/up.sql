-- Which base this is: said once, never changed, kept by its copies. The configuration may say which one it expects.
CREATE TABLE base_identity (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    -- There is one row.
    rank BIGINT NOT NULL UNIQUE CHECK (rank = 1),
    created_at TIMESTAMP NOT NULL
);
INSERT INTO base_identity (id, rank, created_at)
VALUES (
    lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    ),
    1,
    strftime('%Y-%m-%d %H:%M:%S', 'now')
);

CREATE TRIGGER base_identity_frozen_update BEFORE UPDATE ON base_identity BEGIN
    SELECT RAISE(ABORT, 'frozen: base_identity refuses UPDATE');
END;
CREATE TRIGGER base_identity_frozen_delete BEFORE DELETE ON base_identity BEGIN
    SELECT RAISE(ABORT, 'frozen: base_identity refuses DELETE');
END;

-- What readiness writes, to know that writing still works.
CREATE TABLE write_probe (
    rank BIGINT PRIMARY KEY CHECK (rank = 1),
    written_at TIMESTAMP NOT NULL
);
INSERT INTO write_probe (rank, written_at) VALUES (1, '1970-01-01 00:00:00');
