DROP TRIGGER audit_events_frozen_update;
CREATE TRIGGER audit_events_frozen_update BEFORE UPDATE ON audit_events BEGIN
    SELECT RAISE(ABORT, 'frozen: audit_events refuses UPDATE');
END;
DROP TABLE elimination_rows;
DROP TABLE eliminations;
