-- What was issued or approved is not changed in the rows that move either: only what legitimately moves is let through.

-- One digest over everything a convention was issued on: its row, its paper, one version of its participation and the
-- lines of it. Null for those issued before.
CREATE TABLE convention_seals (
    participation_id TEXT PRIMARY KEY REFERENCES participations (id),
    sha256 TEXT CHECK (length(sha256) = 64)
);
INSERT INTO convention_seals (participation_id) SELECT id FROM participations;
CREATE TRIGGER convention_seals_frozen_update BEFORE UPDATE ON convention_seals BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_seals refuses UPDATE');
END;
CREATE TRIGGER convention_seals_frozen_delete BEFORE DELETE ON convention_seals BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_seals refuses DELETE');
END;

-- Moves: state, signatures, acknowledgements, exit, version; a document comes once.
CREATE TRIGGER conventions_kept_update BEFORE UPDATE ON conventions WHEN
    NEW.id IS NOT OLD.id OR NEW.campaign_id IS NOT OLD.campaign_id OR NEW.collectivite_id IS NOT OLD.collectivite_id
    OR NEW.sequence IS NOT OLD.sequence OR NEW.sequence_reason IS NOT OLD.sequence_reason
    OR NEW.number IS NOT OLD.number OR NEW.number_rank IS NOT OLD.number_rank
    OR NEW.party IS NOT OLD.party OR NEW.party_siret IS NOT OLD.party_siret
    OR NEW.school_count IS NOT OLD.school_count OR NEW.total_cents IS NOT OLD.total_cents
    OR NEW.ends_on IS NOT OLD.ends_on OR NEW.issued_by IS NOT OLD.issued_by OR NEW.issued_at IS NOT OLD.issued_at
    OR (OLD.document_sha256 IS NOT NULL AND NEW.document_sha256 IS NOT OLD.document_sha256)
    OR (OLD.document_status = 'ready' AND NEW.document_status <> 'ready')
BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses UPDATE of what was issued');
END;
CREATE TRIGGER conventions_kept_delete BEFORE DELETE ON conventions BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses DELETE');
END;

-- Moves: state, version; reference, batch, reason of withdrawal and document come once. Chorus is still to speak.
CREATE TRIGGER perception_titles_kept_update BEFORE UPDATE ON perception_titles WHEN
    NEW.id IS NOT OLD.id OR NEW.campaign_id IS NOT OLD.campaign_id OR NEW.convention_id IS NOT OLD.convention_id
    OR NEW.convention_rank IS NOT OLD.convention_rank OR NEW.participation_id IS NOT OLD.participation_id
    OR NEW.debtor_id IS NOT OLD.debtor_id OR NEW.debtor_siret IS NOT OLD.debtor_siret
    OR NEW.debtor_departement IS NOT OLD.debtor_departement OR NEW.debtor IS NOT OLD.debtor
    OR NEW.kind IS NOT OLD.kind OR NEW.corrects_id IS NOT OLD.corrects_id
    OR NEW.amount_cents IS NOT OLD.amount_cents OR NEW.ground IS NOT OLD.ground
    OR NEW.small_claim IS NOT OLD.small_claim OR NEW.flagged IS NOT OLD.flagged
    OR NEW.threshold_cents IS NOT OLD.threshold_cents OR NEW.findings IS NOT OLD.findings
    OR NEW.prepared_by IS NOT OLD.prepared_by OR NEW.prepared_by_label IS NOT OLD.prepared_by_label
    OR NEW.prepared_at IS NOT OLD.prepared_at
    OR (OLD.reference IS NOT NULL AND NEW.reference IS NOT OLD.reference)
    OR (OLD.exercice IS NOT NULL AND NEW.exercice IS NOT OLD.exercice)
    OR (OLD.batch_id IS NOT NULL AND NEW.batch_id IS NOT OLD.batch_id)
    OR (OLD.batch_number IS NOT NULL AND NEW.batch_number IS NOT OLD.batch_number)
    OR (OLD.withdrawn_reason IS NOT NULL AND NEW.withdrawn_reason IS NOT OLD.withdrawn_reason)
    OR (OLD.document_sha256 IS NOT NULL AND NEW.document_sha256 IS NOT OLD.document_sha256)
    OR (OLD.document_status = 'ready' AND NEW.document_status <> 'ready')
    OR (OLD.state <> 'prepared' AND NEW.state = 'prepared')
    OR (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn')
    OR (OLD.batch_id IS NOT NULL AND NEW.state IN ('approved', 'withdrawn'))
BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses UPDATE of what was prepared or approved');
END;
CREATE TRIGGER perception_titles_kept_delete BEFORE DELETE ON perception_titles BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses DELETE');
END;

-- A decision is revoked once, and nothing else of it moves.
CREATE TRIGGER small_claim_decisions_kept_update BEFORE UPDATE ON small_claim_decisions WHEN
    NEW.id IS NOT OLD.id OR NEW.convention_id IS NOT OLD.convention_id
    OR NEW.participation_id IS NOT OLD.participation_id OR NEW.amount_cents IS NOT OLD.amount_cents
    OR NEW.threshold_cents IS NOT OLD.threshold_cents OR NEW.reason IS NOT OLD.reason
    OR NEW.decided_by IS NOT OLD.decided_by OR NEW.decided_by_label IS NOT OLD.decided_by_label
    OR NEW.decided_at IS NOT OLD.decided_at OR NEW.act_id IS NOT OLD.act_id OR NEW.origin IS NOT OLD.origin
    OR OLD.revoked_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_decisions refuses UPDATE of what was decided');
END;
CREATE TRIGGER small_claim_decisions_kept_delete BEFORE DELETE ON small_claim_decisions BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_decisions refuses DELETE');
END;

CREATE TRIGGER accounting_batch_progress_kept_update BEFORE UPDATE ON accounting_batch_progress WHEN
    NEW.batch_id IS NOT OLD.batch_id
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_progress refuses UPDATE of its batch');
END;
CREATE TRIGGER accounting_batch_progress_kept_delete BEFORE DELETE ON accounting_batch_progress BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_progress refuses DELETE');
END;

-- A number given is never given again.
CREATE TRIGGER counters_kept_update BEFORE UPDATE ON counters WHEN
    NEW.name IS NOT OLD.name OR NEW.value IS NULL OR NEW.value < OLD.value
BEGIN
    SELECT RAISE(ABORT, 'frozen: counters refuses UPDATE to a lower value');
END;
CREATE TRIGGER counters_kept_delete BEFORE DELETE ON counters BEGIN
    SELECT RAISE(ABORT, 'frozen: counters refuses DELETE');
END;

-- Nothing is added to what is whole: lines of a convention issued, of a title approved, titles of a batch sealed.
CREATE TRIGGER participation_lines_whole BEFORE INSERT ON participation_lines WHEN
    EXISTS (SELECT 1 FROM convention_seals s WHERE s.participation_id = NEW.participation_id)
BEGIN
    SELECT RAISE(ABORT, 'frozen: participation_lines refuses INSERT after the issue');
END;
CREATE TRIGGER title_lines_whole BEFORE INSERT ON title_lines WHEN
    EXISTS (SELECT 1 FROM perception_titles t WHERE t.id = NEW.title_id AND t.state <> 'prepared')
BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses INSERT after the approval');
END;
CREATE TRIGGER accounting_batch_titles_whole BEFORE INSERT ON accounting_batch_titles WHEN
    NEW.position > (SELECT b.title_count FROM accounting_batches b WHERE b.id = NEW.batch_id)
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_titles refuses INSERT after the sealing');
END;
