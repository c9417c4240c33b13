-- One table for every paper: what it is made of, frozen by the act that causes it, and what became of it. A room gives the
-- input and the template; the first bytes made are kept and served ever after.
CREATE TABLE papers (
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    content TEXT NOT NULL,
    -- Null for those frozen before.
    content_sha256 TEXT CHECK (length(content_sha256) = 64),
    template_sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    -- Whether the input goes with the paper, as a file attached to it.
    attached BOOLEAN NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'failed', 'falsified')),
    sha256 TEXT REFERENCES blobs (sha256),
    -- Why it could not be made.
    cause TEXT,
    -- Compiler and fonts; « before » those made before it was noted, which cannot be made again to be compared.
    made_by TEXT,
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
CREATE TRIGGER papers_kept_update BEFORE UPDATE ON papers WHEN
    NEW.subject_kind IS NOT OLD.subject_kind OR NEW.subject_id IS NOT OLD.subject_id OR NEW.kind IS NOT OLD.kind
    OR NEW.version IS NOT OLD.version OR NEW.content IS NOT OLD.content OR NEW.content_sha256 IS NOT OLD.content_sha256 OR NEW.template_sha256 IS NOT OLD.template_sha256
    OR NEW.attached IS NOT OLD.attached
    OR (OLD.sha256 IS NOT NULL AND (NEW.sha256 IS NOT OLD.sha256 OR NEW.made_by IS NOT OLD.made_by))
    OR (OLD.checked_at IS NOT NULL AND NEW.checked_at IS NOT OLD.checked_at)
    OR (OLD.sha256 IS NULL AND NEW.made_by = 'before')
    OR (OLD.status || '>' || NEW.status) NOT IN ('pending>ready', 'pending>failed', 'failed>ready', 'failed>failed', 'ready>ready', 'ready>falsified')
BEGIN
    SELECT RAISE(ABORT, 'frozen: papers refuses UPDATE of what was frozen or made');
END;
CREATE TRIGGER papers_kept_delete BEFORE DELETE ON papers BEGIN
    SELECT RAISE(ABORT, 'frozen: papers refuses DELETE');
END;
CREATE TRIGGER papers_blank BEFORE INSERT ON papers WHEN
    NEW.status <> 'pending' OR NEW.sha256 IS NOT NULL OR NEW.checked_at IS NOT NULL OR NEW.content_sha256 IS NULL
BEGIN
    SELECT RAISE(ABORT, 'frozen: papers refuses INSERT of what is made already');
END;
CREATE TRIGGER papers_no_replace BEFORE INSERT ON papers WHEN
    EXISTS (SELECT 1 FROM papers t WHERE t.subject_id = NEW.subject_id AND t.kind = NEW.kind AND t.version = NEW.version)
    OR EXISTS (SELECT 1 FROM papers t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: papers refuses REPLACE');
END;
CREATE TRIGGER papers_no_replace_update BEFORE UPDATE ON papers WHEN
    NEW.rowid IS NOT OLD.rowid
BEGIN
    SELECT RAISE(ABORT, 'frozen: papers refuses REPLACE');
END;

DROP TRIGGER convention_papers_no_replace;
DROP TRIGGER convention_papers_frozen_delete;
DROP TRIGGER convention_papers_frozen_update;
DROP TABLE convention_papers;

-- SQLite drops no column that a constraint of the whole table names: the constraint goes first, as its manual has it
-- (« Making Other Kinds Of Table Schema Changes »), since a table that others refer to cannot be made again here.
DROP TRIGGER conventions_kept_update;
DROP INDEX conventions_document;
PRAGMA writable_schema = ON;
UPDATE sqlite_master SET sql = replace(sql, ',
    CHECK (document_status <> ''ready'' OR document_sha256 IS NOT NULL)', '') WHERE type = 'table' AND name = 'conventions';
PRAGMA writable_schema = RESET;
ALTER TABLE conventions DROP COLUMN document_status;
ALTER TABLE conventions DROP COLUMN document_sha256;
-- Moves: state, signatures, acknowledgements, exit, version.
CREATE TRIGGER conventions_kept_update BEFORE UPDATE ON conventions WHEN
    NEW.id IS NOT OLD.id OR NEW.campaign_id IS NOT OLD.campaign_id OR NEW.collectivite_id IS NOT OLD.collectivite_id
    OR NEW.sequence IS NOT OLD.sequence OR NEW.sequence_reason IS NOT OLD.sequence_reason
    OR NEW.number IS NOT OLD.number OR NEW.number_rank IS NOT OLD.number_rank
    OR NEW.party IS NOT OLD.party OR NEW.party_siret IS NOT OLD.party_siret
    OR NEW.school_count IS NOT OLD.school_count OR NEW.total_cents IS NOT OLD.total_cents
    OR NEW.ends_on IS NOT OLD.ends_on OR NEW.issued_by IS NOT OLD.issued_by OR NEW.issued_at IS NOT OLD.issued_at
BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses UPDATE of what was issued');
END;

UPDATE jobs SET kind = 'papers.render', payload = '{"kind":"convention","subject":"' || substr(payload, 19, 36) || '","version":1}',
    dedup_key = 'papers.render:convention:' || substr(payload, 19, 36) || ':1'
    WHERE kind = 'conventions.render' AND state IN ('queued', 'running');
