UPDATE jobs SET kind = 'titles.render', payload = '{"title_id":"' || substr(payload, 29, 36) || '"}',
    dedup_key = 'titles.render:' || substr(payload, 29, 36)
    WHERE kind = 'papers.render' AND payload LIKE '{"kind":"demand",%' AND state IN ('queued', 'running');
UPDATE jobs SET kind = 'titles.render_decision', payload = '{"act_id":"' || substr(payload, 31, 36) || '"}',
    dedup_key = 'titles.render_decision:' || substr(payload, 31, 36)
    WHERE kind = 'papers.render' AND payload LIKE '{"kind":"decision",%' AND state IN ('queued', 'running');
DROP TRIGGER perception_titles_kept ON perception_titles;
ALTER TABLE perception_titles DROP COLUMN withdrawn_at;
ALTER TABLE perception_titles ADD COLUMN document_status TEXT COLLATE "C" NOT NULL DEFAULT 'none' CHECK (document_status IN ('none', 'pending', 'ready', 'failed'));
ALTER TABLE perception_titles ADD COLUMN document_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256);
UPDATE perception_titles SET
    document_status = coalesce((SELECT CASE p.status WHEN 'falsified' THEN 'failed' ELSE p.status END FROM papers p
        WHERE p.subject_id = perception_titles.id AND p.kind = 'demand' AND p.version = 1), 'none'),
    document_sha256 = (SELECT CASE p.status WHEN 'ready' THEN p.sha256 END FROM papers p
        WHERE p.subject_id = perception_titles.id AND p.kind = 'demand' AND p.version = 1);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE perception_titles ALTER COLUMN document_status DROP DEFAULT;
CREATE INDEX perception_titles_document ON perception_titles (document_sha256);
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
DROP TRIGGER title_approvals_frozen ON title_approvals;
ALTER TABLE title_approvals ADD COLUMN content TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE title_approvals ADD COLUMN template_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256);
UPDATE title_approvals SET
    content = (SELECT p.content FROM papers p WHERE p.subject_id = title_approvals.title_id AND p.kind = 'demand' AND p.version = 1),
    template_sha256 = (SELECT p.template_sha256 FROM papers p WHERE p.subject_id = title_approvals.title_id AND p.kind = 'demand' AND p.version = 1);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE title_approvals ALTER COLUMN content DROP DEFAULT;
ALTER TABLE title_approvals ALTER COLUMN template_sha256 SET NOT NULL;
CREATE INDEX title_approvals_template ON title_approvals (template_sha256);
CREATE TRIGGER title_approvals_frozen BEFORE UPDATE OR DELETE ON title_approvals FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP TRIGGER small_claim_acts_frozen ON small_claim_acts;
ALTER TABLE small_claim_acts ADD COLUMN content TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE small_claim_acts ADD COLUMN template_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256);
UPDATE small_claim_acts SET
    content = (SELECT p.content FROM papers p WHERE p.subject_id = small_claim_acts.id AND p.kind = 'decision' AND p.version = 1),
    template_sha256 = (SELECT p.template_sha256 FROM papers p WHERE p.subject_id = small_claim_acts.id AND p.kind = 'decision' AND p.version = 1);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE small_claim_acts ALTER COLUMN content DROP DEFAULT;
ALTER TABLE small_claim_acts ALTER COLUMN template_sha256 SET NOT NULL;
CREATE INDEX small_claim_acts_template ON small_claim_acts (template_sha256);
CREATE TRIGGER small_claim_acts_frozen BEFORE UPDATE OR DELETE ON small_claim_acts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE small_claim_papers (
    act_id TEXT COLLATE "C" PRIMARY KEY REFERENCES small_claim_acts (id),
    sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
    made_at TIMESTAMP NOT NULL
);
CREATE INDEX small_claim_papers_blob ON small_claim_papers (sha256);
INSERT INTO small_claim_papers (act_id, sha256, made_at)
    SELECT subject_id, sha256, changed_at FROM papers WHERE kind = 'decision' AND version = 1 AND status = 'ready';
CREATE TRIGGER small_claim_papers_frozen BEFORE UPDATE OR DELETE ON small_claim_papers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER small_claim_papers_frozen_all BEFORE TRUNCATE ON small_claim_papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER papers_stay ON papers;
DELETE FROM papers WHERE kind IN ('demand', 'decision');
SET CONSTRAINTS ALL IMMEDIATE;
CREATE TRIGGER papers_stay BEFORE DELETE ON papers FOR EACH ROW EXECUTE FUNCTION refuse_change();
