-- Links by which a payer reaches its dossier of one campaign. Only the digest of a secret is here, and of a session's.
CREATE TABLE invitations (
    id TEXT COLLATE "C" PRIMARY KEY,
    payer_id TEXT COLLATE "C" NOT NULL REFERENCES collectivites (id),
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaigns (id),
    secret_sha256 TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(secret_sha256) = 64),
    -- A link of an earlier life of the base opens nothing (see base_lives).
    life_id TEXT COLLATE "C" NOT NULL REFERENCES base_lives (id),
    origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('mail', 'shown')),
    email_id TEXT COLLATE "C" REFERENCES emails (id),
    attempt BIGINT CHECK (attempt >= 1),
    created_at TIMESTAMP NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP,
    revoked_by TEXT COLLATE "C",
    revoked_reason TEXT COLLATE "C",
    uses BIGINT NOT NULL CHECK (uses >= 0),
    last_used_at TIMESTAMP,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((origin = 'mail') = (email_id IS NOT NULL AND attempt IS NOT NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX invitations_payer ON invitations (payer_id, campaign_id, created_at);
CREATE INDEX invitations_campaign ON invitations (campaign_id, created_at);
CREATE INDEX invitations_email ON invitations (email_id, attempt);
CREATE INDEX invitations_life ON invitations (life_id);

-- Each use, by whoever or whatever it was: opening a link proves nothing and uses nothing up.
CREATE TABLE invitation_uses (
    id TEXT COLLATE "C" PRIMARY KEY,
    invitation_id TEXT COLLATE "C" NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    at TIMESTAMP NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('opened', 'entered')),
    address TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C"
);
CREATE INDEX invitation_uses_invitation ON invitation_uses (invitation_id, at);
CREATE INDEX invitation_uses_at ON invitation_uses (at);

CREATE TABLE invitation_sessions (
    id TEXT COLLATE "C" PRIMARY KEY,
    invitation_id TEXT COLLATE "C" NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    secret_sha256 TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(secret_sha256) = 64),
    began_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);
CREATE INDEX invitation_sessions_invitation ON invitation_sessions (invitation_id);
CREATE INDEX invitation_sessions_expires ON invitation_sessions (expires_at);

-- Requests for a lost link, counted: by caller, by dossier, by address written to.
CREATE TABLE lost_links (
    id TEXT COLLATE "C" PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    scope TEXT COLLATE "C" NOT NULL CHECK (scope IN ('caller', 'dossier', 'address')),
    key TEXT COLLATE "C" NOT NULL
);
CREATE INDEX lost_links_key ON lost_links (scope, key, at);
CREATE INDEX lost_links_at ON lost_links (at);
