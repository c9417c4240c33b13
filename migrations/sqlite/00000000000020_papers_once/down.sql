UPDATE jobs SET kind = 'conventions.render', payload = '{"convention_id":"' || substr(payload, 33, 36) || '"}',
    dedup_key = 'conventions.render:' || substr(payload, 33, 36)
    WHERE kind = 'papers.render' AND state IN ('queued', 'running');
CREATE TABLE convention_papers (
    convention_id TEXT PRIMARY KEY REFERENCES conventions (id),
    input TEXT NOT NULL,
    template_sha256 TEXT NOT NULL REFERENCES blobs (sha256)
);
CREATE INDEX convention_papers_template ON convention_papers (template_sha256);
INSERT INTO convention_papers (convention_id, input, template_sha256)
    SELECT subject_id, content, template_sha256 FROM papers WHERE kind = 'convention' AND version = 1;
CREATE TRIGGER convention_papers_frozen_update BEFORE UPDATE ON convention_papers BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_papers refuses UPDATE');
END;
CREATE TRIGGER convention_papers_frozen_delete BEFORE DELETE ON convention_papers BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_papers refuses DELETE');
END;
CREATE TRIGGER convention_papers_no_replace BEFORE INSERT ON convention_papers WHEN
    EXISTS (SELECT 1 FROM convention_papers t WHERE t.convention_id = NEW.convention_id)
    OR EXISTS (SELECT 1 FROM convention_papers t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_papers refuses REPLACE');
END;
DROP TRIGGER conventions_kept_update;
ALTER TABLE conventions ADD COLUMN document_status TEXT NOT NULL DEFAULT 'pending' CHECK (document_status IN ('pending', 'ready', 'failed'));
ALTER TABLE conventions ADD COLUMN document_sha256 TEXT REFERENCES blobs (sha256);
PRAGMA writable_schema = ON;
UPDATE sqlite_master SET sql = substr(sql, 1, length(sql) - 1) || ',
    CHECK (document_status <> ''ready'' OR document_sha256 IS NOT NULL)
)' WHERE type = 'table' AND name = 'conventions';
PRAGMA writable_schema = RESET;
UPDATE conventions SET
    document_status = coalesce((SELECT CASE p.status WHEN 'falsified' THEN 'failed' ELSE p.status END FROM papers p
        WHERE p.subject_id = conventions.id AND p.kind = 'convention' AND p.version = 1), 'pending'),
    document_sha256 = (SELECT CASE p.status WHEN 'ready' THEN p.sha256 END FROM papers p
        WHERE p.subject_id = conventions.id AND p.kind = 'convention' AND p.version = 1);
CREATE INDEX conventions_document ON conventions (document_sha256);
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
DROP TRIGGER papers_no_replace_update;
DROP TRIGGER papers_no_replace;
DROP TRIGGER papers_blank;
DROP TRIGGER papers_kept_delete;
DROP TRIGGER papers_kept_update;
DROP TABLE papers;
