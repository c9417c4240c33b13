-- What was issued or approved is not changed in the rows that move either: only what legitimately moves is let through.

-- One digest over everything a convention was issued on: its row, its paper, one version of its participation and the
-- lines of it. Null for those issued before.
CREATE TABLE convention_seals (
    participation_id TEXT COLLATE "C" PRIMARY KEY REFERENCES participations (id),
    sha256 TEXT COLLATE "C" CHECK (length(sha256) = 64)
);
INSERT INTO convention_seals (participation_id) SELECT id FROM participations;
CREATE TRIGGER convention_seals_frozen BEFORE UPDATE OR DELETE ON convention_seals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER convention_seals_frozen_all BEFORE TRUNCATE ON convention_seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Moves: state, signatures, acknowledgements, exit, version; a document comes once.
CREATE TRIGGER conventions_kept BEFORE UPDATE ON conventions FOR EACH ROW WHEN (
    ROW(NEW.id, NEW.campaign_id, NEW.collectivite_id, NEW.sequence, NEW.sequence_reason, NEW.number, NEW.number_rank,
        NEW.party, NEW.party_siret, NEW.school_count, NEW.total_cents, NEW.ends_on, NEW.issued_by, NEW.issued_at)
    IS DISTINCT FROM
    ROW(OLD.id, OLD.campaign_id, OLD.collectivite_id, OLD.sequence, OLD.sequence_reason, OLD.number, OLD.number_rank,
        OLD.party, OLD.party_siret, OLD.school_count, OLD.total_cents, OLD.ends_on, OLD.issued_by, OLD.issued_at)
    OR (OLD.document_sha256 IS NOT NULL AND NEW.document_sha256 IS DISTINCT FROM OLD.document_sha256)
    OR (OLD.document_status = 'ready' AND NEW.document_status <> 'ready')
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER conventions_stay BEFORE DELETE ON conventions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER conventions_stay_all BEFORE TRUNCATE ON conventions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Moves: state, version; reference, batch, reason of withdrawal and document come once. Chorus is still to speak.
CREATE TRIGGER perception_titles_kept BEFORE UPDATE ON perception_titles FOR EACH ROW WHEN (
    ROW(NEW.id, NEW.campaign_id, NEW.convention_id, NEW.convention_rank, NEW.participation_id, NEW.debtor_id,
        NEW.debtor_siret, NEW.debtor_departement, NEW.debtor, NEW.kind, NEW.corrects_id, NEW.amount_cents, NEW.ground,
        NEW.small_claim, NEW.flagged, NEW.threshold_cents, NEW.findings, NEW.prepared_by, NEW.prepared_by_label,
        NEW.prepared_at)
    IS DISTINCT FROM
    ROW(OLD.id, OLD.campaign_id, OLD.convention_id, OLD.convention_rank, OLD.participation_id, OLD.debtor_id,
        OLD.debtor_siret, OLD.debtor_departement, OLD.debtor, OLD.kind, OLD.corrects_id, OLD.amount_cents, OLD.ground,
        OLD.small_claim, OLD.flagged, OLD.threshold_cents, OLD.findings, OLD.prepared_by, OLD.prepared_by_label,
        OLD.prepared_at)
    OR (OLD.reference IS NOT NULL AND NEW.reference IS DISTINCT FROM OLD.reference)
    OR (OLD.exercice IS NOT NULL AND NEW.exercice IS DISTINCT FROM OLD.exercice)
    OR (OLD.batch_id IS NOT NULL AND NEW.batch_id IS DISTINCT FROM OLD.batch_id)
    OR (OLD.batch_number IS NOT NULL AND NEW.batch_number IS DISTINCT FROM OLD.batch_number)
    OR (OLD.withdrawn_reason IS NOT NULL AND NEW.withdrawn_reason IS DISTINCT FROM OLD.withdrawn_reason)
    OR (OLD.document_sha256 IS NOT NULL AND NEW.document_sha256 IS DISTINCT FROM OLD.document_sha256)
    OR (OLD.document_status = 'ready' AND NEW.document_status <> 'ready')
    OR (OLD.state <> 'prepared' AND NEW.state = 'prepared')
    OR (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn')
    OR (OLD.batch_id IS NOT NULL AND NEW.state IN ('approved', 'withdrawn'))
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER perception_titles_stay BEFORE DELETE ON perception_titles FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER perception_titles_stay_all BEFORE TRUNCATE ON perception_titles FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A decision is revoked once, and nothing else of it moves.
CREATE TRIGGER small_claim_decisions_kept BEFORE UPDATE ON small_claim_decisions FOR EACH ROW WHEN (
    ROW(NEW.id, NEW.convention_id, NEW.participation_id, NEW.amount_cents, NEW.threshold_cents, NEW.reason,
        NEW.decided_by, NEW.decided_by_label, NEW.decided_at, NEW.act_id, NEW.origin)
    IS DISTINCT FROM
    ROW(OLD.id, OLD.convention_id, OLD.participation_id, OLD.amount_cents, OLD.threshold_cents, OLD.reason,
        OLD.decided_by, OLD.decided_by_label, OLD.decided_at, OLD.act_id, OLD.origin)
    OR OLD.revoked_at IS NOT NULL
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER small_claim_decisions_stay BEFORE DELETE ON small_claim_decisions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER small_claim_decisions_stay_all BEFORE TRUNCATE ON small_claim_decisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER accounting_batch_progress_kept BEFORE UPDATE ON accounting_batch_progress FOR EACH ROW
    WHEN (NEW.batch_id IS DISTINCT FROM OLD.batch_id) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounting_batch_progress_stay BEFORE DELETE ON accounting_batch_progress FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounting_batch_progress_stay_all BEFORE TRUNCATE ON accounting_batch_progress FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A number given is never given again.
CREATE TRIGGER counters_kept BEFORE UPDATE ON counters FOR EACH ROW
    WHEN (NEW.name <> OLD.name OR NEW.value < OLD.value) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER counters_stay BEFORE DELETE ON counters FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER counters_stay_all BEFORE TRUNCATE ON counters FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Nothing is added to what is whole: lines of a convention issued, of a title approved, titles of a batch sealed.
CREATE FUNCTION refuse_addition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE whole BOOLEAN;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'participation_lines' THEN
            whole := EXISTS (SELECT 1 FROM convention_seals s WHERE s.participation_id = NEW.participation_id);
        WHEN 'title_lines' THEN
            whole := EXISTS (SELECT 1 FROM perception_titles t WHERE t.id = NEW.title_id AND t.state <> 'prepared');
        WHEN 'accounting_batch_titles' THEN
            whole := NEW.position > (SELECT b.title_count FROM accounting_batches b WHERE b.id = NEW.batch_id);
    END CASE;
    IF whole THEN
        RAISE EXCEPTION 'frozen: % refuses %', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER participation_lines_whole BEFORE INSERT ON participation_lines FOR EACH ROW EXECUTE FUNCTION refuse_addition();
CREATE TRIGGER title_lines_whole BEFORE INSERT ON title_lines FOR EACH ROW EXECUTE FUNCTION refuse_addition();
CREATE TRIGGER accounting_batch_titles_whole BEFORE INSERT ON accounting_batch_titles FOR EACH ROW EXECUTE FUNCTION refuse_addition();
