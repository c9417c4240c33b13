-- What was eliminated past its time, by a list somebody signed. A list names rows by opaque keys, never by what they held.
-- The journal lets go of persons and salt of the entries on such a list, both together, and of nothing else.

CREATE TABLE eliminations (
    id TEXT PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    -- Entry of the register.
    entry TEXT NOT NULL,
    -- The duration that was in force.
    term TEXT NOT NULL,
    signed_by TEXT NOT NULL CHECK (length(signed_by) > 0),
    capacity TEXT NOT NULL CHECK (length(capacity) > 0),
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    row_count BIGINT NOT NULL CHECK (row_count > 0),
    oldest_on DATE NOT NULL,
    rows_sha256 TEXT CHECK (length(rows_sha256) = 64)
);
CREATE TABLE elimination_rows (
    elimination_id TEXT NOT NULL REFERENCES eliminations (id),
    table_name TEXT NOT NULL,
    row_key TEXT NOT NULL,
    PRIMARY KEY (elimination_id, table_name, row_key)
);
CREATE INDEX elimination_rows_row ON elimination_rows (row_key, table_name);

CREATE TRIGGER eliminations_frozen_update BEFORE UPDATE ON eliminations BEGIN
    SELECT RAISE(ABORT, 'frozen: eliminations refuses UPDATE');
END;
CREATE TRIGGER eliminations_frozen_delete BEFORE DELETE ON eliminations BEGIN
    SELECT RAISE(ABORT, 'frozen: eliminations refuses DELETE');
END;
CREATE TRIGGER eliminations_no_replace BEFORE INSERT ON eliminations WHEN
    EXISTS (SELECT 1 FROM eliminations t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM eliminations t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: eliminations refuses REPLACE');
END;
CREATE TRIGGER elimination_rows_frozen_update BEFORE UPDATE ON elimination_rows BEGIN
    SELECT RAISE(ABORT, 'frozen: elimination_rows refuses UPDATE');
END;
CREATE TRIGGER elimination_rows_frozen_delete BEFORE DELETE ON elimination_rows BEGIN
    SELECT RAISE(ABORT, 'frozen: elimination_rows refuses DELETE');
END;
CREATE TRIGGER elimination_rows_no_replace BEFORE INSERT ON elimination_rows WHEN
    EXISTS (SELECT 1 FROM elimination_rows t WHERE t.elimination_id = NEW.elimination_id AND t.table_name = NEW.table_name AND t.row_key = NEW.row_key)
    OR EXISTS (SELECT 1 FROM elimination_rows t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: elimination_rows refuses REPLACE');
END;

DROP TRIGGER audit_events_frozen_update;
CREATE TRIGGER audit_events_frozen_update BEFORE UPDATE ON audit_events WHEN NOT (
    OLD.persons IS NOT NULL AND NEW.persons IS NULL AND NEW.salt IS NULL
    AND NEW.id IS OLD.id
    AND NEW.at IS OLD.at
    AND NEW.actor_id IS OLD.actor_id
    AND NEW.request_id IS OLD.request_id
    AND NEW.action IS OLD.action
    AND NEW.version IS OLD.version
    AND NEW.subject_kind IS OLD.subject_kind
    AND NEW.subject_id IS OLD.subject_id
    AND NEW.subject_key IS OLD.subject_key
    AND NEW.campaign_id IS OLD.campaign_id
    AND NEW.payer_id IS OLD.payer_id
    AND NEW.convention_id IS OLD.convention_id
    AND NEW.data IS OLD.data
    AND NEW.commitment IS OLD.commitment
    AND NEW.digest IS OLD.digest
    AND NEW.actor_kind IS OLD.actor_kind
    AND NEW.actor_invitation_id IS OLD.actor_invitation_id
    AND NEW.actor_payer_id IS OLD.actor_payer_id
    AND NEW.rowid IS OLD.rowid
    AND EXISTS (SELECT 1 FROM elimination_rows e WHERE e.row_key = OLD.id AND e.table_name = 'audit_events')
) BEGIN
    SELECT RAISE(ABORT, 'frozen: audit_events refuses UPDATE');
END;
