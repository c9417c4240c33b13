-- Failed attempts slow down those that follow, by account and source instead of by account alone: a stranger who guesses
-- keeps nobody out. A password is its owner's: set by a one-time code, and everybody sees when.

ALTER TABLE users DROP COLUMN failed_logins;
ALTER TABLE users DROP COLUMN failing_since;
ALTER TABLE users DROP COLUMN locked_until;
-- None: the account waits for its first password, or for a new one after a reset. Nobody logs in before.
ALTER TABLE users ADD COLUMN password_set_at TIMESTAMP;
ALTER TABLE users ADD COLUMN last_login_at TIMESTAMP;
-- Who issued the last one-time code.
ALTER TABLE users ADD COLUMN invited_by TEXT COLLATE "C";
UPDATE users SET password_set_at = created_at,
    last_login_at = (SELECT MAX(opened_at) FROM sessions WHERE sessions.user_id = users.id);

-- One counter per thing that is tried: an account from a source, a source, an account. Forgotten by itself.
CREATE TABLE brakes (
    key TEXT COLLATE "C" PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 120),
    failures BIGINT NOT NULL CHECK (failures >= 1),
    -- Nothing is tried before.
    free_at TIMESTAMP NOT NULL,
    forget_at TIMESTAMP NOT NULL
);
CREATE INDEX brakes_forget ON brakes (forget_at);

-- Where a person logged in from lately: those sources are never slowed down by what strangers try elsewhere.
CREATE TABLE known_sources (
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    source TEXT COLLATE "C" NOT NULL,
    last_success_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, source)
);

-- The one code an account may set its password by: only its digest, once, for a while. A new one replaces it.
CREATE TABLE password_codes (
    user_id TEXT COLLATE "C" PRIMARY KEY REFERENCES users (id),
    code_sha256 TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(code_sha256) = 64),
    issued_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL CHECK (expires_at > issued_at),
    -- None: the command line.
    issued_by TEXT COLLATE "C" REFERENCES users (id),
    issued_by_label TEXT COLLATE "C" NOT NULL
);
CREATE INDEX password_codes_issuer ON password_codes (issued_by);

-- What the caller's program says it is, cut.
ALTER TABLE sessions ADD COLUMN user_agent TEXT COLLATE "C" CHECK (length(user_agent) <= 200);
