CREATE TABLE audit_entries (
    id TEXT PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    actor_id TEXT REFERENCES users (id),
    actor_label TEXT NOT NULL,
    request_id TEXT,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_key TEXT NOT NULL,
    data TEXT NOT NULL
);
INSERT INTO audit_entries (id, at, actor_id, actor_label, request_id, action, subject_kind, subject_key, data)
SELECT e.id, e.at, e.actor_id, COALESCE(json_extract(e.persons, '$.actor'), ''), e.request_id, e.action, e.subject_kind, e.subject_key, e.data
FROM audit_events e;
DROP TABLE audit_events;
ALTER TABLE audit_entries RENAME TO audit_events;
CREATE INDEX audit_events_actor ON audit_events (actor_id);
CREATE INDEX audit_events_subject ON audit_events (subject_kind, subject_key);
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
