ALTER TABLE audit_events DROP COLUMN actor_payer_id;
ALTER TABLE audit_events DROP COLUMN actor_invitation_id;
ALTER TABLE audit_events DROP COLUMN actor_kind;

ALTER TABLE idempotency_keys RENAME TO idempotency_former;
ALTER INDEX idempotency_keys_pkey RENAME TO idempotency_former_pkey;
CREATE TABLE idempotency_keys (
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    route TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    body_sha256 TEXT COLLATE "C" NOT NULL CHECK (length(body_sha256) = 64),
    status BIGINT,
    headers TEXT COLLATE "C",
    body TEXT COLLATE "C",
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, route, key)
);
INSERT INTO idempotency_keys (user_id, route, key, body_sha256, status, headers, body, created_at)
SELECT substr(scope, 7), route, key, body_sha256, status, headers, body, created_at FROM idempotency_former WHERE scope LIKE 'staff:%';
DROP TABLE idempotency_former;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
