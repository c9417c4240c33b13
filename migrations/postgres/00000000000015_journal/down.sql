CREATE TABLE audit_entries (
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
INSERT INTO audit_entries (id, at, actor_id, actor_label, request_id, action, subject_kind, subject_key, data)
SELECT e.id, e.at, e.actor_id, COALESCE(e.persons::json->>'actor', ''), e.request_id, e.action, e.subject_kind, e.subject_key, e.data
FROM audit_events e;
DROP TABLE audit_events;
ALTER TABLE audit_entries RENAME TO audit_events;
ALTER INDEX audit_entries_pkey RENAME TO audit_events_pkey;
CREATE INDEX audit_events_actor ON audit_events (actor_id);
CREATE INDEX audit_events_subject ON audit_events (subject_kind, subject_key);
CREATE TRIGGER audit_events_frozen BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_frozen_all BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
