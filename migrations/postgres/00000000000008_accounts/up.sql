-- A session is a thing of its own: what its tokens are worth is decided here, at each use.
CREATE TABLE sessions (
    -- The family of its refresh tokens, and `sid` of its access tokens.
    id TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    opened_at TIMESTAMP NOT NULL,
    -- However often it is renewed.
    ends_at TIMESTAMP NOT NULL CHECK (ends_at > opened_at),
    revoked_at TIMESTAMP,
    -- From where it was opened, and by which request.
    address TEXT COLLATE "C",
    request_id TEXT COLLATE "C"
);
CREATE INDEX sessions_user ON sessions (user_id);

-- The sessions of before live as long as their last token.
INSERT INTO sessions (id, user_id, opened_at, ends_at, revoked_at)
    SELECT family, MIN(user_id), MIN(created_at), MAX(expires_at),
        CASE WHEN COUNT(*) = COUNT(revoked_at) THEN MAX(revoked_at) END
    FROM refresh_tokens GROUP BY family HAVING MAX(expires_at) > MIN(created_at);
