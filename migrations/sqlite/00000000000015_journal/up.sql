-- The journal names one thing in one way: a subject with an id that never changes, the key printed at the moment, and
-- what it belongs to. Who is named stands apart, under a salted commitment that the digest of the entry is taken over.
-- No foreign key from a subject: an entry outlives what it tells of.

CREATE TABLE audit_entries (
    id TEXT PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    actor_id TEXT REFERENCES users (id),
    request_id TEXT,
    action TEXT NOT NULL,
    -- Shape of the data; 0: written before events had types.
    version BIGINT NOT NULL CHECK (version >= 0),
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_key TEXT NOT NULL,
    campaign_id TEXT,
    payer_id TEXT,
    convention_id TEXT,
    data TEXT NOT NULL,
    -- Who is named in the entry, removable with its salt.
    persons TEXT,
    salt TEXT CHECK (length(salt) = 64),
    commitment TEXT CHECK (length(commitment) = 64),
    digest TEXT CHECK (length(digest) = 64),
    CHECK (version = 0 OR (commitment IS NOT NULL AND digest IS NOT NULL)),
    CHECK (version = 0 OR (salt IS NULL) = (persons IS NULL))
);

INSERT INTO audit_entries (id, at, actor_id, request_id, action, version, subject_kind, subject_id, subject_key, data, persons)
SELECT e.id, e.at, e.actor_id, e.request_id, e.action, 0, e.subject_kind,
    CASE e.subject_kind
        WHEN 'user' THEN COALESCE((SELECT u.id FROM users u WHERE u.email = e.subject_key), e.subject_key)
        WHEN 'collectivite' THEN COALESCE((SELECT s.collectivite_id FROM collectivite_sirets s WHERE s.siret = e.subject_key), e.subject_key)
        WHEN 'campaign' THEN COALESCE((SELECT c.id FROM campaigns c WHERE c.school_year = e.subject_key), e.subject_key)
        WHEN 'convention' THEN COALESCE((SELECT c.id FROM conventions c WHERE c.number = e.subject_key), e.subject_key)
        WHEN 'perception_title' THEN COALESCE((SELECT a.title_id FROM title_approvals a WHERE a.reference = e.subject_key), e.subject_key)
        WHEN 'small_claim_act' THEN COALESCE((SELECT a.id FROM small_claim_acts a WHERE a.number = e.subject_key), e.subject_key)
        WHEN 'accounting_batch' THEN COALESCE((SELECT b.id FROM accounting_batches b WHERE b.number = e.subject_key), e.subject_key)
        ELSE e.subject_key
    END,
    e.subject_key, e.data, json_object('actor', e.actor_label, 'fields', json_object())
FROM audit_events e;

-- An account's address is no key to print.
UPDATE audit_entries SET subject_key = subject_id WHERE subject_kind = 'user';

-- A small claim left without a title was told under its convention, its revocation under the decision.
UPDATE audit_entries AS e SET subject_kind = 'small_claim_decision', convention_id = e.subject_id, subject_id = (
    SELECT d.id FROM small_claim_decisions d JOIN small_claim_acts a ON a.id = d.act_id
    WHERE d.convention_id = e.subject_id AND a.number = json_extract(e.data, '$.act')
) WHERE e.action = 'title.not_issued' AND EXISTS (
    SELECT 1 FROM small_claim_decisions d JOIN small_claim_acts a ON a.id = d.act_id
    WHERE d.convention_id = e.subject_id AND a.number = json_extract(e.data, '$.act')
);

UPDATE audit_entries SET convention_id = CASE subject_kind
        WHEN 'convention' THEN subject_id
        WHEN 'perception_title' THEN (SELECT t.convention_id FROM perception_titles t WHERE t.id = subject_id)
        WHEN 'small_claim_decision' THEN (SELECT d.convention_id FROM small_claim_decisions d WHERE d.id = subject_id)
    END
    WHERE subject_kind IN ('convention', 'perception_title', 'small_claim_decision');
UPDATE audit_entries SET
    campaign_id = (SELECT c.campaign_id FROM conventions c WHERE c.id = convention_id),
    payer_id = (SELECT c.collectivite_id FROM conventions c WHERE c.id = convention_id)
    WHERE convention_id IS NOT NULL;
UPDATE audit_entries SET convention_id = NULL WHERE subject_kind = 'convention';
UPDATE audit_entries SET campaign_id = (SELECT a.campaign_id FROM small_claim_acts a WHERE a.id = subject_id)
    WHERE subject_kind = 'small_claim_act';
UPDATE audit_entries SET campaign_id = (SELECT b.campaign_id FROM accounting_batches b WHERE b.id = subject_id)
    WHERE subject_kind = 'accounting_batch';

DROP TABLE audit_events;
ALTER TABLE audit_entries RENAME TO audit_events;
CREATE INDEX audit_events_actor ON audit_events (actor_id);
CREATE INDEX audit_events_subject ON audit_events (subject_id);
CREATE INDEX audit_events_key ON audit_events (subject_key);
CREATE INDEX audit_events_campaign ON audit_events (campaign_id) WHERE campaign_id IS NOT NULL;
CREATE INDEX audit_events_payer ON audit_events (payer_id) WHERE payer_id IS NOT NULL;
CREATE INDEX audit_events_convention ON audit_events (convention_id) WHERE convention_id IS NOT NULL;

CREATE TRIGGER audit_events_frozen_update BEFORE UPDATE ON audit_events BEGIN
    SELECT RAISE(ABORT, 'frozen: audit_events refuses UPDATE');
END;
CREATE TRIGGER audit_events_frozen_delete BEFORE DELETE ON audit_events BEGIN
    SELECT RAISE(ABORT, 'frozen: audit_events refuses DELETE');
END;
CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events WHEN
    EXISTS (SELECT 1 FROM audit_events t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM audit_events t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: audit_events refuses REPLACE');
END;
