DROP TRIGGER audit_events_frozen ON audit_events;
CREATE TRIGGER audit_events_frozen BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_change_but_elimination();
DROP TABLE elimination_rows;
DROP TABLE eliminations;
