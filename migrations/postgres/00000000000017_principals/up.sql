-- Who acts is a principal: an account, the holder of an invitation link, the program. A key of idempotency belongs to a
-- principal. Entries of the journal say which kind acted; those written before have no kind and keep their digest.

ALTER TABLE idempotency_keys RENAME TO idempotency_former;
ALTER INDEX idempotency_keys_pkey RENAME TO idempotency_former_pkey;
CREATE TABLE idempotency_keys (
    scope TEXT COLLATE "C" NOT NULL CHECK (length(scope) > 0),
    route TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    body_sha256 TEXT COLLATE "C" NOT NULL CHECK (length(body_sha256) = 64),
    status BIGINT,
    headers TEXT COLLATE "C",
    body TEXT COLLATE "C",
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (scope, route, key)
);
INSERT INTO idempotency_keys (scope, route, key, body_sha256, status, headers, body, created_at)
SELECT 'staff:' || user_id, route, key, body_sha256, status, headers, body, created_at FROM idempotency_former;
DROP TABLE idempotency_former;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- No foreign key to an invitation or a payer: an entry outlives what it tells of.
ALTER TABLE audit_events ADD COLUMN actor_kind TEXT COLLATE "C" CHECK (actor_kind IN ('staff', 'commune', 'program'));
ALTER TABLE audit_events ADD COLUMN actor_invitation_id TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN actor_payer_id TEXT COLLATE "C" CHECK (
    (COALESCE(actor_kind, '') = 'commune') = (actor_invitation_id IS NOT NULL)
    AND (actor_invitation_id IS NULL) = (actor_payer_id IS NULL)
    AND (actor_kind IS NULL OR (actor_kind = 'staff') = (actor_id IS NOT NULL))
);
