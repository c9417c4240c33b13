UPDATE jobs SET kind = 'conventions.render', payload = '{"convention_id":"' || substr(payload, 33, 36) || '"}',
    dedup_key = 'conventions.render:' || substr(payload, 33, 36)
    WHERE kind = 'papers.render' AND state IN ('queued', 'running');
CREATE TABLE convention_papers (
    convention_id TEXT COLLATE "C" PRIMARY KEY REFERENCES conventions (id),
    input TEXT COLLATE "C" NOT NULL,
    template_sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256)
);
CREATE INDEX convention_papers_template ON convention_papers (template_sha256);
INSERT INTO convention_papers (convention_id, input, template_sha256)
    SELECT subject_id, content, template_sha256 FROM papers WHERE kind = 'convention' AND version = 1;
CREATE TRIGGER convention_papers_frozen BEFORE UPDATE OR DELETE ON convention_papers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER convention_papers_frozen_all BEFORE TRUNCATE ON convention_papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER conventions_kept ON conventions;
ALTER TABLE conventions ADD COLUMN document_status TEXT COLLATE "C" NOT NULL DEFAULT 'pending' CHECK (document_status IN ('pending', 'ready', 'failed'));
ALTER TABLE conventions ALTER COLUMN document_status DROP DEFAULT;
ALTER TABLE conventions ADD COLUMN document_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256);
UPDATE conventions SET
    document_status = coalesce((SELECT CASE p.status WHEN 'falsified' THEN 'failed' ELSE p.status END FROM papers p
        WHERE p.subject_id = conventions.id AND p.kind = 'convention' AND p.version = 1), 'pending'),
    document_sha256 = (SELECT CASE p.status WHEN 'ready' THEN p.sha256 END FROM papers p
        WHERE p.subject_id = conventions.id AND p.kind = 'convention' AND p.version = 1);
-- PostgreSQL alters no table that still has a deferred check of a key to do.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE conventions ADD CHECK (document_status <> 'ready' OR document_sha256 IS NOT NULL);
CREATE INDEX conventions_document ON conventions (document_sha256);
CREATE TRIGGER conventions_kept BEFORE UPDATE ON conventions FOR EACH ROW WHEN (
    ROW(NEW.id, NEW.campaign_id, NEW.collectivite_id, NEW.sequence, NEW.sequence_reason, NEW.number, NEW.number_rank,
        NEW.party, NEW.party_siret, NEW.school_count, NEW.total_cents, NEW.ends_on, NEW.issued_by, NEW.issued_at)
    IS DISTINCT FROM
    ROW(OLD.id, OLD.campaign_id, OLD.collectivite_id, OLD.sequence, OLD.sequence_reason, OLD.number, OLD.number_rank,
        OLD.party, OLD.party_siret, OLD.school_count, OLD.total_cents, OLD.ends_on, OLD.issued_by, OLD.issued_at)
    OR (OLD.document_sha256 IS NOT NULL AND NEW.document_sha256 IS DISTINCT FROM OLD.document_sha256)
    OR (OLD.document_status = 'ready' AND NEW.document_status <> 'ready')
) EXECUTE FUNCTION refuse_change();
DROP TABLE papers;
