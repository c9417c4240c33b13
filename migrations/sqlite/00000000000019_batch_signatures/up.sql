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

CREATE TRIGGER accounting_batch_signatures_frozen_update BEFORE UPDATE ON accounting_batch_signatures BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_signatures refuses UPDATE');
END;
CREATE TRIGGER accounting_batch_signatures_frozen_delete BEFORE DELETE ON accounting_batch_signatures BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_signatures refuses DELETE');
END;
CREATE TRIGGER accounting_batch_signatures_no_replace BEFORE INSERT ON accounting_batch_signatures WHEN
    EXISTS (SELECT 1 FROM accounting_batch_signatures t WHERE t.batch_id = NEW.batch_id AND t.position = NEW.position)
    OR EXISTS (SELECT 1 FROM accounting_batch_signatures t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_signatures refuses REPLACE');
END;

-- A batch moves along its lifecycle, and is signed by somebody.
CREATE TRIGGER accounting_batch_progress_steps BEFORE UPDATE ON accounting_batch_progress WHEN
    (NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) <> 'sealed>signed')
    OR (NEW.state = 'signed' AND NOT EXISTS (SELECT 1 FROM accounting_batch_signatures s WHERE s.batch_id = NEW.batch_id))
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_progress refuses UPDATE to a state out of turn');
END;
