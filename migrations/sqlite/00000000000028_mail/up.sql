-- The lives of a base: a restored copy begins another, in which no mail leaves and no link opens until somebody looked.
CREATE TABLE base_lives (
    id TEXT PRIMARY KEY,
    rank BIGINT NOT NULL UNIQUE CHECK (rank >= 1),
    began_at TIMESTAMP NOT NULL,
    released_at TIMESTAMP,
    released_by TEXT,
    CHECK ((released_at IS NULL) = (released_by IS NULL))
);
INSERT INTO base_lives (id, rank, began_at, released_at, released_by)
SELECT id, 1, created_at, created_at, 'migration' FROM base_identity;

-- Who claims mails holds this row: paces are kept by all programs together.
CREATE TABLE mail_gate (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- The server was not reached: nothing is claimed before.
    closed_until TIMESTAMP,
    failures BIGINT NOT NULL CHECK (failures >= 0),
    cause TEXT
);
INSERT INTO mail_gate (id, closed_until, failures, cause) VALUES (1, NULL, 0, NULL);

CREATE TABLE emails (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    payload TEXT NOT NULL,
    address TEXT NOT NULL CHECK (length(address) BETWEEN 3 AND 254),
    domain TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'deferred', 'refused', 'uncertain', 'cancelled')),
    cause TEXT,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    refusals BIGINT NOT NULL CHECK (refusals >= 0),
    due_at TIMESTAMP NOT NULL,
    lease_until TIMESTAMP,
    queued_at TIMESTAMP NOT NULL,
    queued_by TEXT NOT NULL,
    ended_at TIMESTAMP,
    resent_of TEXT REFERENCES emails (id),
    dedup_key TEXT UNIQUE,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('sent', 'refused', 'uncertain', 'cancelled')) = (ended_at IS NOT NULL))
);
CREATE INDEX emails_due ON emails (due_at, id) WHERE state IN ('queued', 'deferred');
CREATE INDEX emails_leased ON emails (lease_until, id) WHERE state = 'sending';
CREATE INDEX emails_queued ON emails (queued_at, id);
CREATE INDEX emails_updated ON emails (updated_at, id);
CREATE INDEX emails_address ON emails (address);
CREATE INDEX emails_resent_of ON emails (resent_of);

-- Whose dossiers a mail is about; several when one mailbox serves several collectivités.
CREATE TABLE email_dossiers (
    email_id TEXT NOT NULL REFERENCES emails (id) ON DELETE CASCADE,
    payer_id TEXT NOT NULL REFERENCES collectivites (id),
    campaign_id TEXT NOT NULL REFERENCES campaigns (id),
    PRIMARY KEY (email_id, payer_id, campaign_id)
);
CREATE INDEX email_dossiers_payer ON email_dossiers (payer_id, campaign_id);
CREATE INDEX email_dossiers_campaign ON email_dossiers (campaign_id);

-- Each try, and what it said, its secrets struck out.
CREATE TABLE email_attempts (
    email_id TEXT NOT NULL REFERENCES emails (id) ON DELETE CASCADE,
    number BIGINT NOT NULL CHECK (number >= 1),
    message_id TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    html TEXT NOT NULL,
    files TEXT NOT NULL,
    begun_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    outcome TEXT CHECK (outcome IN ('accepted', 'refused', 'deferred', 'uncertain', 'unreachable')),
    stage TEXT CHECK (stage IN ('connect', 'tls', 'login', 'sender', 'recipient', 'data', 'end')),
    answer TEXT,
    PRIMARY KEY (email_id, number),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX email_attempts_begun ON email_attempts (begun_at);

-- Addresses that are written to no more.
CREATE TABLE mail_blocks (
    address TEXT PRIMARY KEY CHECK (length(address) BETWEEN 3 AND 254),
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    blocked_at TIMESTAMP NOT NULL,
    blocked_by TEXT NOT NULL
);

-- Texts of mails edited since the program was installed; the highest version is in force.
CREATE TABLE mail_templates (
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    version BIGINT NOT NULL CHECK (version >= 1),
    source TEXT NOT NULL CHECK (length(source) > 0),
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    author TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (kind, version)
);
CREATE TRIGGER mail_templates_frozen_update BEFORE UPDATE ON mail_templates BEGIN
    SELECT RAISE(ABORT, 'frozen: mail_templates refuses UPDATE');
END;
CREATE TRIGGER mail_templates_frozen_delete BEFORE DELETE ON mail_templates BEGIN
    SELECT RAISE(ABORT, 'frozen: mail_templates refuses DELETE');
END;
CREATE TRIGGER mail_templates_no_replace BEFORE INSERT ON mail_templates WHEN
    EXISTS (SELECT 1 FROM mail_templates t WHERE t.kind = NEW.kind AND t.version = NEW.version)
    OR EXISTS (SELECT 1 FROM mail_templates t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: mail_templates refuses REPLACE');
END;
