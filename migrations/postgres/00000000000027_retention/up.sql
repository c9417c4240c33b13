-- What was eliminated past its time, by a list somebody signed. A list names rows by opaque keys, never by what they held.
-- The journal lets go of persons and salt of the entries on such a list, both together, and of nothing else.

CREATE TABLE eliminations (
    id TEXT COLLATE "C" PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    -- Entry of the register.
    entry TEXT COLLATE "C" NOT NULL,
    -- The duration that was in force.
    term TEXT COLLATE "C" NOT NULL,
    signed_by TEXT COLLATE "C" NOT NULL CHECK (length(signed_by) > 0),
    capacity TEXT COLLATE "C" NOT NULL CHECK (length(capacity) > 0),
    reason TEXT COLLATE "C" NOT NULL CHECK (length(reason) > 0),
    row_count BIGINT NOT NULL CHECK (row_count > 0),
    oldest_on DATE NOT NULL,
    rows_sha256 TEXT COLLATE "C" CHECK (length(rows_sha256) = 64)
);
CREATE TABLE elimination_rows (
    elimination_id TEXT COLLATE "C" NOT NULL REFERENCES eliminations (id),
    table_name TEXT COLLATE "C" NOT NULL,
    row_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (elimination_id, table_name, row_key)
);
CREATE INDEX elimination_rows_row ON elimination_rows (row_key, table_name);

CREATE TRIGGER eliminations_frozen BEFORE UPDATE OR DELETE ON eliminations FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER eliminations_frozen_all BEFORE TRUNCATE ON eliminations FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER elimination_rows_frozen BEFORE UPDATE OR DELETE ON elimination_rows FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER elimination_rows_frozen_all BEFORE TRUNCATE ON elimination_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_change_but_elimination() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.persons IS NOT NULL AND NEW.persons IS NULL AND NEW.salt IS NULL
        AND to_jsonb(NEW) - 'persons' - 'salt' = to_jsonb(OLD) - 'persons' - 'salt'
        AND EXISTS (SELECT 1 FROM elimination_rows e WHERE e.row_key = OLD.id AND e.table_name = TG_TABLE_NAME)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'frozen: % refuses %', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END;
$$;
DROP TRIGGER audit_events_frozen ON audit_events;
CREATE TRIGGER audit_events_frozen BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change_but_elimination();
