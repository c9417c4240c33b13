-- The papers of titles and of acts on small claims join those of conventions: one place for what each is made of.
DROP TRIGGER papers_blank;
INSERT INTO papers (subject_kind, subject_id, kind, version, content, content_sha256, template_sha256, attached, status, sha256, cause, made_by, changed_at)
    SELECT 'perception_title', a.title_id, 'demand', 1, a.content, a.content_sha256, a.template_sha256, FALSE,
        CASE t.document_status WHEN 'none' THEN 'pending' ELSE t.document_status END, t.document_sha256,
        CASE WHEN t.document_status = 'failed' THEN 'non notée' END,
        CASE WHEN t.document_sha256 IS NOT NULL THEN 'before' END, t.updated_at
    FROM title_approvals a JOIN perception_titles t ON t.id = a.title_id;
INSERT INTO papers (subject_kind, subject_id, kind, version, content, content_sha256, template_sha256, attached, status, sha256, cause, made_by, changed_at)
    SELECT 'small_claim_act', a.id, 'decision', 1, a.content, a.content_sha256, a.template_sha256, FALSE,
        CASE WHEN p.sha256 IS NULL THEN 'pending' ELSE 'ready' END, p.sha256, NULL,
        CASE WHEN p.sha256 IS NOT NULL THEN 'before' END, coalesce(p.made_at, a.decided_at)
    FROM small_claim_acts a LEFT JOIN small_claim_papers p ON p.act_id = a.id;
CREATE TRIGGER papers_blank BEFORE INSERT ON papers WHEN
    NEW.status <> 'pending' OR NEW.sha256 IS NOT NULL OR NEW.checked_at IS NOT NULL OR NEW.content_sha256 IS NULL
BEGIN
    SELECT RAISE(ABORT, 'frozen: papers refuses INSERT of what is made already');
END;

DROP TRIGGER small_claim_papers_no_replace;
DROP TRIGGER small_claim_papers_frozen_delete;
DROP TRIGGER small_claim_papers_frozen_update;
DROP TABLE small_claim_papers;
DROP INDEX small_claim_acts_template;
ALTER TABLE small_claim_acts DROP COLUMN content;
ALTER TABLE small_claim_acts DROP COLUMN template_sha256;
DROP INDEX title_approvals_template;
ALTER TABLE title_approvals DROP COLUMN content;
ALTER TABLE title_approvals DROP COLUMN template_sha256;

-- The day a title was withdrawn: its paper says so.
DROP TRIGGER perception_titles_kept_update;
DROP INDEX perception_titles_document;
ALTER TABLE perception_titles DROP COLUMN document_status;
ALTER TABLE perception_titles DROP COLUMN document_sha256;
ALTER TABLE perception_titles ADD COLUMN withdrawn_at TIMESTAMP;
UPDATE perception_titles SET withdrawn_at = coalesce(
    (SELECT max(e.at) FROM audit_events e WHERE e.subject_id = perception_titles.id AND e.action = 'title.withdrawn'), updated_at)
    WHERE state = 'withdrawn';
-- Moves: state, version; reference, batch, reason and instant of withdrawal come once. Chorus is still to speak.
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
    OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS NOT OLD.withdrawn_at)
    OR (OLD.state <> 'prepared' AND NEW.state = 'prepared')
    OR (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn')
    OR (OLD.batch_id IS NOT NULL AND NEW.state IN ('approved', 'withdrawn'))
BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses UPDATE of what was prepared or approved');
END;

UPDATE jobs SET kind = 'papers.render', payload = '{"kind":"demand","subject":"' || substr(payload, 14, 36) || '","version":1}',
    dedup_key = 'papers.render:demand:' || substr(payload, 14, 36) || ':1'
    WHERE kind = 'titles.render' AND state IN ('queued', 'running');
UPDATE jobs SET kind = 'papers.render', payload = '{"kind":"decision","subject":"' || substr(payload, 12, 36) || '","version":1}',
    dedup_key = 'papers.render:decision:' || substr(payload, 12, 36) || ':1'
    WHERE kind = 'titles.render_decision' AND state IN ('queued', 'running');
