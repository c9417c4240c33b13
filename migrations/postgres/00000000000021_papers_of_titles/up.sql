-- The papers of titles and of acts on small claims join those of conventions: one place for what each is made of.
DROP TRIGGER papers_blank ON papers;
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
CREATE TRIGGER papers_blank BEFORE INSERT ON papers FOR EACH ROW WHEN (
    NEW.status <> 'pending' OR NEW.sha256 IS NOT NULL OR NEW.checked_at IS NOT NULL OR NEW.content_sha256 IS NULL
) EXECUTE FUNCTION refuse_change();

DROP TABLE small_claim_papers;
-- PostgreSQL alters no table that still has a deferred check of a key to do.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE small_claim_acts DROP COLUMN content;
ALTER TABLE small_claim_acts DROP COLUMN template_sha256;
ALTER TABLE title_approvals DROP COLUMN content;
ALTER TABLE title_approvals DROP COLUMN template_sha256;

-- The day a title was withdrawn: its paper says so.
DROP TRIGGER perception_titles_kept ON perception_titles;
ALTER TABLE perception_titles DROP COLUMN document_status;
ALTER TABLE perception_titles DROP COLUMN document_sha256;
ALTER TABLE perception_titles ADD COLUMN withdrawn_at TIMESTAMP;
UPDATE perception_titles SET withdrawn_at = coalesce(
    (SELECT max(e.at) FROM audit_events e WHERE e.subject_id = perception_titles.id AND e.action = 'title.withdrawn'), updated_at)
    WHERE state = 'withdrawn';
-- Moves: state, version; reference, batch, reason and instant of withdrawal come once. Chorus is still to speak.
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
    OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at)
    OR (OLD.state <> 'prepared' AND NEW.state = 'prepared')
    OR (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn')
    OR (OLD.batch_id IS NOT NULL AND NEW.state IN ('approved', 'withdrawn'))
) EXECUTE FUNCTION refuse_change();

UPDATE jobs SET kind = 'papers.render', payload = '{"kind":"demand","subject":"' || substr(payload, 14, 36) || '","version":1}',
    dedup_key = 'papers.render:demand:' || substr(payload, 14, 36) || ':1'
    WHERE kind = 'titles.render' AND state IN ('queued', 'running');
UPDATE jobs SET kind = 'papers.render', payload = '{"kind":"decision","subject":"' || substr(payload, 12, 36) || '","version":1}',
    dedup_key = 'papers.render:decision:' || substr(payload, 12, 36) || ':1'
    WHERE kind = 'titles.render_decision' AND state IN ('queued', 'running');
