UPDATE jobs SET kind = 'titles.render', payload = '{"title_id":"' || substr(payload, 29, 36) || '"}',
    dedup_key = 'titles.render:' || substr(payload, 29, 36)
    WHERE kind = 'papers.render' AND payload LIKE '{"kind":"demand",%' AND state IN ('queued', 'running');
UPDATE jobs SET kind = 'titles.render_decision', payload = '{"act_id":"' || substr(payload, 31, 36) || '"}',
    dedup_key = 'titles.render_decision:' || substr(payload, 31, 36)
    WHERE kind = 'papers.render' AND payload LIKE '{"kind":"decision",%' AND state IN ('queued', 'running');
DROP TRIGGER perception_titles_kept_update;
ALTER TABLE perception_titles DROP COLUMN withdrawn_at;
ALTER TABLE perception_titles ADD COLUMN document_status TEXT NOT NULL DEFAULT 'none' CHECK (document_status IN ('none', 'pending', 'ready', 'failed'));
ALTER TABLE perception_titles ADD COLUMN document_sha256 TEXT REFERENCES blobs (sha256);
UPDATE perception_titles SET
    document_status = coalesce((SELECT CASE p.status WHEN 'falsified' THEN 'failed' ELSE p.status END FROM papers p
        WHERE p.subject_id = perception_titles.id AND p.kind = 'demand' AND p.version = 1), 'none'),
    document_sha256 = (SELECT CASE p.status WHEN 'ready' THEN p.sha256 END FROM papers p
        WHERE p.subject_id = perception_titles.id AND p.kind = 'demand' AND p.version = 1);
CREATE INDEX perception_titles_document ON perception_titles (document_sha256);
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
DROP TRIGGER title_approvals_frozen_update;
ALTER TABLE title_approvals ADD COLUMN content TEXT NOT NULL DEFAULT '';
ALTER TABLE title_approvals ADD COLUMN template_sha256 TEXT REFERENCES blobs (sha256);
UPDATE title_approvals SET
    content = (SELECT p.content FROM papers p WHERE p.subject_id = title_approvals.title_id AND p.kind = 'demand' AND p.version = 1),
    template_sha256 = (SELECT p.template_sha256 FROM papers p WHERE p.subject_id = title_approvals.title_id AND p.kind = 'demand' AND p.version = 1);
CREATE INDEX title_approvals_template ON title_approvals (template_sha256);
CREATE TRIGGER title_approvals_frozen_update BEFORE UPDATE ON title_approvals BEGIN
    SELECT RAISE(ABORT, 'frozen: title_approvals refuses UPDATE');
END;
DROP TRIGGER small_claim_acts_frozen_update;
ALTER TABLE small_claim_acts ADD COLUMN content TEXT NOT NULL DEFAULT '';
ALTER TABLE small_claim_acts ADD COLUMN template_sha256 TEXT REFERENCES blobs (sha256);
UPDATE small_claim_acts SET
    content = (SELECT p.content FROM papers p WHERE p.subject_id = small_claim_acts.id AND p.kind = 'decision' AND p.version = 1),
    template_sha256 = (SELECT p.template_sha256 FROM papers p WHERE p.subject_id = small_claim_acts.id AND p.kind = 'decision' AND p.version = 1);
CREATE INDEX small_claim_acts_template ON small_claim_acts (template_sha256);
CREATE TRIGGER small_claim_acts_frozen_update BEFORE UPDATE ON small_claim_acts BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_acts refuses UPDATE');
END;
CREATE TABLE small_claim_papers (
    act_id TEXT PRIMARY KEY REFERENCES small_claim_acts (id),
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    made_at TIMESTAMP NOT NULL
);
CREATE INDEX small_claim_papers_blob ON small_claim_papers (sha256);
INSERT INTO small_claim_papers (act_id, sha256, made_at)
    SELECT subject_id, sha256, changed_at FROM papers WHERE kind = 'decision' AND version = 1 AND status = 'ready';
CREATE TRIGGER small_claim_papers_frozen_update BEFORE UPDATE ON small_claim_papers BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_papers refuses UPDATE');
END;
CREATE TRIGGER small_claim_papers_frozen_delete BEFORE DELETE ON small_claim_papers BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_papers refuses DELETE');
END;
CREATE TRIGGER small_claim_papers_no_replace BEFORE INSERT ON small_claim_papers WHEN
    EXISTS (SELECT 1 FROM small_claim_papers t WHERE t.act_id = NEW.act_id)
    OR EXISTS (SELECT 1 FROM small_claim_papers t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_papers refuses REPLACE');
END;
DROP TRIGGER papers_kept_delete;
DELETE FROM papers WHERE kind IN ('demand', 'decision');
CREATE TRIGGER papers_kept_delete BEFORE DELETE ON papers BEGIN
    SELECT RAISE(ABORT, 'frozen: papers refuses DELETE');
END;
