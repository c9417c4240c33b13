-- INSERT OR REPLACE, REPLACE and UPDATE OR REPLACE remove the row that is in their way without a word to its DELETE
-- trigger, unless `recursive_triggers` is on in the connection that does it: other programs leave it off. So whoever would
-- come to a key that is taken is stopped before. A key is also the row's number, which SQLite lets anybody choose.
-- The message is read by the program (see `on_unique`).
CREATE TRIGGER accounting_batch_files_no_replace BEFORE INSERT ON accounting_batch_files WHEN
    EXISTS (SELECT 1 FROM accounting_batch_files t WHERE t.batch_id = NEW.batch_id AND t.format = NEW.format)
    OR EXISTS (SELECT 1 FROM accounting_batch_files t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_files refuses REPLACE');
END;
CREATE TRIGGER accounting_batch_titles_no_replace BEFORE INSERT ON accounting_batch_titles WHEN
    EXISTS (SELECT 1 FROM accounting_batch_titles t WHERE t.batch_id = NEW.batch_id AND t.position = NEW.position)
    OR EXISTS (SELECT 1 FROM accounting_batch_titles t WHERE t.title_id = NEW.title_id)
    OR EXISTS (SELECT 1 FROM accounting_batch_titles t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_titles refuses REPLACE');
END;
CREATE TRIGGER accounting_batches_no_replace BEFORE INSERT ON accounting_batches WHEN
    EXISTS (SELECT 1 FROM accounting_batches t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM accounting_batches t WHERE t.exercice = NEW.exercice AND t.number_rank = NEW.number_rank)
    OR EXISTS (SELECT 1 FROM accounting_batches t WHERE t.number = NEW.number)
    OR EXISTS (SELECT 1 FROM accounting_batches t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batches refuses REPLACE');
END;
CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events WHEN
    EXISTS (SELECT 1 FROM audit_events t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM audit_events t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: audit_events refuses REPLACE');
END;
CREATE TRIGGER base_identity_no_replace BEFORE INSERT ON base_identity WHEN
    EXISTS (SELECT 1 FROM base_identity t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM base_identity t WHERE t.rank = NEW.rank)
    OR EXISTS (SELECT 1 FROM base_identity t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: base_identity refuses REPLACE');
END;
CREATE TRIGGER blobs_no_replace BEFORE INSERT ON blobs WHEN
    EXISTS (SELECT 1 FROM blobs t WHERE t.sha256 = NEW.sha256)
    OR EXISTS (SELECT 1 FROM blobs t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: blobs refuses REPLACE');
END;
CREATE TRIGGER convention_papers_no_replace BEFORE INSERT ON convention_papers WHEN
    EXISTS (SELECT 1 FROM convention_papers t WHERE t.convention_id = NEW.convention_id)
    OR EXISTS (SELECT 1 FROM convention_papers t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_papers refuses REPLACE');
END;
CREATE TRIGGER convention_refusals_no_replace BEFORE INSERT ON convention_refusals WHEN
    EXISTS (SELECT 1 FROM convention_refusals t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM convention_refusals t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_refusals refuses REPLACE');
END;
CREATE TRIGGER convention_reopenings_no_replace BEFORE INSERT ON convention_reopenings WHEN
    EXISTS (SELECT 1 FROM convention_reopenings t WHERE t.refusal_id = NEW.refusal_id)
    OR EXISTS (SELECT 1 FROM convention_reopenings t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_reopenings refuses REPLACE');
END;
CREATE TRIGGER convention_seals_no_replace BEFORE INSERT ON convention_seals WHEN
    EXISTS (SELECT 1 FROM convention_seals t WHERE t.participation_id = NEW.participation_id)
    OR EXISTS (SELECT 1 FROM convention_seals t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_seals refuses REPLACE');
END;
CREATE TRIGGER participation_lines_no_replace BEFORE INSERT ON participation_lines WHEN
    EXISTS (SELECT 1 FROM participation_lines t WHERE t.participation_id = NEW.participation_id AND t.position = NEW.position)
    OR EXISTS (SELECT 1 FROM participation_lines t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: participation_lines refuses REPLACE');
END;
CREATE TRIGGER participations_no_replace BEFORE INSERT ON participations WHEN
    EXISTS (SELECT 1 FROM participations t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM participations t WHERE t.convention_id = NEW.convention_id AND t.version = NEW.version)
    OR EXISTS (SELECT 1 FROM participations t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: participations refuses REPLACE');
END;
CREATE TRIGGER small_claim_acts_no_replace BEFORE INSERT ON small_claim_acts WHEN
    EXISTS (SELECT 1 FROM small_claim_acts t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM small_claim_acts t WHERE t.exercice = NEW.exercice AND t.number_rank = NEW.number_rank)
    OR EXISTS (SELECT 1 FROM small_claim_acts t WHERE t.number = NEW.number)
    OR EXISTS (SELECT 1 FROM small_claim_acts t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_acts refuses REPLACE');
END;
CREATE TRIGGER small_claim_papers_no_replace BEFORE INSERT ON small_claim_papers WHEN
    EXISTS (SELECT 1 FROM small_claim_papers t WHERE t.act_id = NEW.act_id)
    OR EXISTS (SELECT 1 FROM small_claim_papers t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_papers refuses REPLACE');
END;
CREATE TRIGGER title_approvals_no_replace BEFORE INSERT ON title_approvals WHEN
    EXISTS (SELECT 1 FROM title_approvals t WHERE t.title_id = NEW.title_id)
    OR EXISTS (SELECT 1 FROM title_approvals t WHERE t.exercice = NEW.exercice AND t.number_rank = NEW.number_rank)
    OR EXISTS (SELECT 1 FROM title_approvals t WHERE t.reference = NEW.reference)
    OR EXISTS (SELECT 1 FROM title_approvals t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: title_approvals refuses REPLACE');
END;
CREATE TRIGGER title_lines_no_replace BEFORE INSERT ON title_lines WHEN
    EXISTS (SELECT 1 FROM title_lines t WHERE t.title_id = NEW.title_id AND t.position = NEW.position)
    OR EXISTS (SELECT 1 FROM title_lines t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses REPLACE');
END;
CREATE TRIGGER title_resubmissions_no_replace BEFORE INSERT ON title_resubmissions WHEN
    EXISTS (SELECT 1 FROM title_resubmissions t WHERE t.return_id = NEW.return_id)
    OR EXISTS (SELECT 1 FROM title_resubmissions t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: title_resubmissions refuses REPLACE');
END;
CREATE TRIGGER title_returns_no_replace BEFORE INSERT ON title_returns WHEN
    EXISTS (SELECT 1 FROM title_returns t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM title_returns t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: title_returns refuses REPLACE');
END;
CREATE TRIGGER accounting_batch_progress_no_replace BEFORE INSERT ON accounting_batch_progress WHEN
    EXISTS (SELECT 1 FROM accounting_batch_progress t WHERE t.batch_id = NEW.batch_id)
    OR EXISTS (SELECT 1 FROM accounting_batch_progress t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_progress refuses REPLACE');
END;
CREATE TRIGGER conventions_no_replace BEFORE INSERT ON conventions WHEN
    EXISTS (SELECT 1 FROM conventions t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM conventions t WHERE t.campaign_id = NEW.campaign_id AND t.collectivite_id = NEW.collectivite_id AND t.state NOT IN ('declined', 'cancelled') AND NEW.state NOT IN ('declined', 'cancelled'))
    OR EXISTS (SELECT 1 FROM conventions t WHERE t.campaign_id = NEW.campaign_id AND t.collectivite_id = NEW.collectivite_id AND t.sequence = NEW.sequence)
    OR EXISTS (SELECT 1 FROM conventions t WHERE t.campaign_id = NEW.campaign_id AND t.number_rank = NEW.number_rank)
    OR EXISTS (SELECT 1 FROM conventions t WHERE t.number = NEW.number)
    OR EXISTS (SELECT 1 FROM conventions t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses REPLACE');
END;
CREATE TRIGGER counters_no_replace BEFORE INSERT ON counters WHEN
    EXISTS (SELECT 1 FROM counters t WHERE t.name = NEW.name)
    OR EXISTS (SELECT 1 FROM counters t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: counters refuses REPLACE');
END;
CREATE TRIGGER perception_titles_no_replace BEFORE INSERT ON perception_titles WHEN
    EXISTS (SELECT 1 FROM perception_titles t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM perception_titles t WHERE t.chorus_number = NEW.chorus_number)
    OR EXISTS (SELECT 1 FROM perception_titles t WHERE t.participation_id = NEW.participation_id AND t.kind = 'initial' AND t.state NOT IN ('withdrawn', 'rejected') AND NEW.kind = 'initial' AND NEW.state NOT IN ('withdrawn', 'rejected'))
    OR EXISTS (SELECT 1 FROM perception_titles t WHERE t.reference = NEW.reference)
    OR EXISTS (SELECT 1 FROM perception_titles t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses REPLACE');
END;
CREATE TRIGGER small_claim_decisions_no_replace BEFORE INSERT ON small_claim_decisions WHEN
    EXISTS (SELECT 1 FROM small_claim_decisions t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM small_claim_decisions t WHERE t.participation_id = NEW.participation_id AND t.revoked_at IS NULL AND NEW.revoked_at IS NULL)
    OR EXISTS (SELECT 1 FROM small_claim_decisions t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_decisions refuses REPLACE');
END;
-- The keys that do not move are refused already; these are those that come, and the row's own number.
CREATE TRIGGER accounting_batch_progress_no_replace_update BEFORE UPDATE ON accounting_batch_progress WHEN
    NEW.rowid IS NOT OLD.rowid
BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_progress refuses REPLACE');
END;
CREATE TRIGGER conventions_no_replace_update BEFORE UPDATE ON conventions WHEN
    NEW.rowid IS NOT OLD.rowid
    OR (OLD.state IN ('declined', 'cancelled') AND NEW.state NOT IN ('declined', 'cancelled') AND EXISTS (SELECT 1 FROM conventions t
        WHERE t.campaign_id = NEW.campaign_id AND t.collectivite_id = NEW.collectivite_id
        AND t.state NOT IN ('declined', 'cancelled') AND t.rowid <> OLD.rowid))
BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses REPLACE');
END;
CREATE TRIGGER counters_no_replace_update BEFORE UPDATE ON counters WHEN
    NEW.rowid IS NOT OLD.rowid
BEGIN
    SELECT RAISE(ABORT, 'frozen: counters refuses REPLACE');
END;
CREATE TRIGGER perception_titles_no_replace_update BEFORE UPDATE ON perception_titles WHEN
    NEW.rowid IS NOT OLD.rowid
    OR (NEW.reference IS NOT OLD.reference AND EXISTS (SELECT 1 FROM perception_titles t WHERE t.reference = NEW.reference AND t.rowid <> OLD.rowid))
    OR (NEW.chorus_number IS NOT OLD.chorus_number AND EXISTS (SELECT 1 FROM perception_titles t WHERE t.chorus_number = NEW.chorus_number AND t.rowid <> OLD.rowid))
    OR (OLD.state IN ('withdrawn', 'rejected') AND NEW.state NOT IN ('withdrawn', 'rejected') AND EXISTS (SELECT 1 FROM perception_titles t
        WHERE t.participation_id = NEW.participation_id AND t.kind = 'initial' AND NEW.kind = 'initial'
        AND t.state NOT IN ('withdrawn', 'rejected') AND t.rowid <> OLD.rowid))
BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses REPLACE');
END;
CREATE TRIGGER small_claim_decisions_no_replace_update BEFORE UPDATE ON small_claim_decisions WHEN
    NEW.rowid IS NOT OLD.rowid
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_decisions refuses REPLACE');
END;
