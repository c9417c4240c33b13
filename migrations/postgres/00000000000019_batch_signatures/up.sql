-- Who signed the paper of a batch. A signature recorded anew is another row, with the reason; the last one counts.
CREATE TABLE accounting_batch_signatures (
    batch_id TEXT NOT NULL REFERENCES accounting_batches (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    signed_on DATE NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    evidence TEXT,
    -- Why it is recorded anew.
    reason TEXT,
    recorded_by TEXT REFERENCES users (id),
    recorded_by_label TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (batch_id, position),
    CHECK ((position = 1) = (reason IS NULL))
);
CREATE INDEX accounting_batch_signatures_recorder ON accounting_batch_signatures (recorded_by);

CREATE TRIGGER accounting_batch_signatures_frozen BEFORE UPDATE OR DELETE ON accounting_batch_signatures FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounting_batch_signatures_frozen_all BEFORE TRUNCATE ON accounting_batch_signatures FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A batch moves along its lifecycle, and is signed by somebody.
CREATE FUNCTION refuse_batch_out_of_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) <> 'sealed>signed')
        OR (NEW.state = 'signed' AND NOT EXISTS (SELECT 1 FROM accounting_batch_signatures s WHERE s.batch_id = NEW.batch_id)) THEN
        RAISE EXCEPTION 'frozen: accounting_batch_progress refuses UPDATE to a state out of turn';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounting_batch_progress_steps BEFORE UPDATE ON accounting_batch_progress FOR EACH ROW EXECUTE FUNCTION refuse_batch_out_of_turn();
