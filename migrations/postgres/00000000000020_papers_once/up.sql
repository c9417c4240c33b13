-- One table for every paper: what it is made of, frozen by the act that causes it, and what became of it. A room gives the
-- input and the template; the first bytes made are kept and served ever after.
CREATE TABLE papers (
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    content TEXT COLLATE "C" NOT NULL,
    -- Null for those frozen before.
    content_sha256 TEXT COLLATE "C" CHECK (length(content_sha256) = 64),
    template_sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
    -- Whether the input goes with the paper, as a file attached to it.
    attached BOOLEAN NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'ready', 'failed', 'falsified')),
    sha256 TEXT COLLATE "C" REFERENCES blobs (sha256),
    -- Why it could not be made.
    cause TEXT COLLATE "C",
    -- Compiler and fonts; « before » those made before it was noted, which cannot be made again to be compared.
    made_by TEXT COLLATE "C",
    -- When what is kept was found to be what its input makes.
    checked_at TIMESTAMP,
    changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (subject_id, kind, version),
    CHECK ((status IN ('ready', 'falsified')) = (sha256 IS NOT NULL)),
    CHECK ((sha256 IS NULL) = (made_by IS NULL)),
    CHECK (status <> 'failed' OR cause IS NOT NULL)
);
CREATE INDEX papers_template ON papers (template_sha256);
CREATE INDEX papers_blob ON papers (sha256);
INSERT INTO papers (subject_kind, subject_id, kind, version, content, content_sha256, template_sha256, attached, status, sha256, cause, made_by, changed_at)
    SELECT 'convention', c.id, 'convention', 1, p.input, NULL, p.template_sha256, FALSE, c.document_status, c.document_sha256,
        CASE WHEN c.document_status = 'failed' THEN 'non notée' END,
        CASE WHEN c.document_sha256 IS NOT NULL THEN 'before' END, c.updated_at
    FROM convention_papers p JOIN conventions c ON c.id = p.convention_id;

-- What a paper is made of never moves; the bytes come once, and a paper comes into the world without any.
CREATE TRIGGER papers_kept BEFORE UPDATE ON papers FOR EACH ROW WHEN (
    ROW(NEW.subject_kind, NEW.subject_id, NEW.kind, NEW.version, NEW.content, NEW.content_sha256, NEW.template_sha256, NEW.attached)
    IS DISTINCT FROM
    ROW(OLD.subject_kind, OLD.subject_id, OLD.kind, OLD.version, OLD.content, OLD.content_sha256, OLD.template_sha256, OLD.attached)
    OR (OLD.sha256 IS NOT NULL AND (NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.made_by IS DISTINCT FROM OLD.made_by))
    OR (OLD.checked_at IS NOT NULL AND NEW.checked_at IS DISTINCT FROM OLD.checked_at)
    OR (OLD.sha256 IS NULL AND NEW.made_by = 'before')
    OR (OLD.status || '>' || NEW.status) NOT IN ('pending>ready', 'pending>failed', 'failed>ready', 'failed>failed', 'ready>ready', 'ready>falsified')
) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER papers_stay BEFORE DELETE ON papers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER papers_stay_all BEFORE TRUNCATE ON papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER papers_blank BEFORE INSERT ON papers FOR EACH ROW WHEN (
    NEW.status <> 'pending' OR NEW.sha256 IS NOT NULL OR NEW.checked_at IS NOT NULL OR NEW.content_sha256 IS NULL
) EXECUTE FUNCTION refuse_change();

DROP TABLE convention_papers;

DROP TRIGGER conventions_kept ON conventions;
-- PostgreSQL alters no table that still has a deferred check of a key to do.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE conventions DROP COLUMN document_status;
ALTER TABLE conventions DROP COLUMN document_sha256;
-- Moves: state, signatures, acknowledgements, exit, version.
CREATE TRIGGER conventions_kept BEFORE UPDATE ON conventions FOR EACH ROW WHEN (
    ROW(NEW.id, NEW.campaign_id, NEW.collectivite_id, NEW.sequence, NEW.sequence_reason, NEW.number, NEW.number_rank,
        NEW.party, NEW.party_siret, NEW.school_count, NEW.total_cents, NEW.ends_on, NEW.issued_by, NEW.issued_at)
    IS DISTINCT FROM
    ROW(OLD.id, OLD.campaign_id, OLD.collectivite_id, OLD.sequence, OLD.sequence_reason, OLD.number, OLD.number_rank,
        OLD.party, OLD.party_siret, OLD.school_count, OLD.total_cents, OLD.ends_on, OLD.issued_by, OLD.issued_at)
) EXECUTE FUNCTION refuse_change();

UPDATE jobs SET kind = 'papers.render', payload = '{"kind":"convention","subject":"' || substr(payload, 19, 36) || '","version":1}',
    dedup_key = 'papers.render:convention:' || substr(payload, 19, 36) || ':1'
    WHERE kind = 'conventions.render' AND state IN ('queued', 'running');
