-- What a convention's document is made of has a table of its own, frozen at issue. A creation instant that always
-- equalled the issue (convention) or the preparation (title) goes: one fact, one column.
CREATE TABLE convention_papers (
    convention_id TEXT COLLATE "C" PRIMARY KEY REFERENCES conventions (id),
    input TEXT COLLATE "C" NOT NULL,
    template_sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256)
);
CREATE INDEX convention_papers_template ON convention_papers (template_sha256);
INSERT INTO convention_papers (convention_id, input, template_sha256)
    SELECT id, paper_input, paper_template_sha256 FROM conventions;
CREATE TRIGGER convention_papers_frozen BEFORE UPDATE OR DELETE ON convention_papers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER convention_papers_frozen_all BEFORE TRUNCATE ON convention_papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DROP INDEX conventions_template;
ALTER TABLE conventions DROP COLUMN paper_input;
ALTER TABLE conventions DROP COLUMN paper_template_sha256;
ALTER TABLE conventions DROP COLUMN created_at;
ALTER TABLE perception_titles DROP COLUMN created_at;
