-- Accounts, journal, stored bytes, queue, counters: what every capability stands on.

CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('lecteur', 'gestionnaire', 'ordonnateur', 'comptable', 'admin')),
    first_name TEXT COLLATE "C" NOT NULL,
    last_name TEXT COLLATE "C" NOT NULL,
    capacity TEXT COLLATE "C",
    delegation_reference TEXT COLLATE "C",
    delegation_published_on DATE,
    delegation_ends_on DATE,
    password_hash TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    failed_logins BIGINT NOT NULL CHECK (failed_logins >= 0),
    -- First of the failed log-ins counted; they are forgotten after a while.
    failing_since TIMESTAMP,
    locked_until TIMESTAMP,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- Only the digest of a refresh token is kept; a token used twice reveals a theft and ends its family.
CREATE TABLE refresh_tokens (
    token_sha256 TEXT COLLATE "C" PRIMARY KEY CHECK (length(token_sha256) = 64),
    family TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    revoked_at TIMESTAMP
);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE audit_events (
    id TEXT COLLATE "C" PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    actor_id TEXT COLLATE "C" REFERENCES users (id),
    actor_label TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_key TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_events_actor ON audit_events (actor_id);
CREATE INDEX audit_events_subject ON audit_events (subject_kind, subject_key);

-- Documents, attachments and export files, by their digest; 20 MiB each at most.
CREATE TABLE blobs (
    sha256 TEXT COLLATE "C" PRIMARY KEY CHECK (length(sha256) = 64),
    media_type TEXT COLLATE "C" NOT NULL,
    length BIGINT NOT NULL CHECK (length BETWEEN 0 AND 20971520),
    bytes BYTEA NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE jobs (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    dedup_key TEXT COLLATE "C" UNIQUE,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    run_at TIMESTAMP NOT NULL,
    lease_until TIMESTAMP,
    last_error TEXT COLLATE "C",
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);
CREATE INDEX jobs_due ON jobs (state, run_at);

-- An answer kept with the rows it speaks of, so that a retried POST gets it again instead of acting twice.
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

-- Gap-free numbering: a counter moves in the transaction that uses its value.
CREATE TABLE counters (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL CHECK (value >= 0)
);

-- Frozen facts: what was approved, sealed or journalled is never changed, not even by hand.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'frozen: % refuses %', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END;
$$;

CREATE TRIGGER audit_events_frozen BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_frozen_all BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER blobs_frozen BEFORE UPDATE OR DELETE ON blobs FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER blobs_frozen_all BEFORE TRUNCATE ON blobs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
