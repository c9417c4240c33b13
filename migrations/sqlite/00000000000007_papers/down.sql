-- SQLite adds no column without a default, and none that refers to a row by one: they come back a little wider.
ALTER TABLE perception_titles ADD COLUMN created_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00';
UPDATE perception_titles SET created_at = prepared_at;
ALTER TABLE conventions ADD COLUMN created_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00';
UPDATE conventions SET created_at = issued_at;
ALTER TABLE conventions ADD COLUMN paper_template_sha256 TEXT REFERENCES blobs (sha256);
ALTER TABLE conventions ADD COLUMN paper_input TEXT NOT NULL DEFAULT '';
UPDATE conventions SET
    paper_input = (SELECT p.input FROM convention_papers p WHERE p.convention_id = conventions.id),
    paper_template_sha256 = (SELECT p.template_sha256 FROM convention_papers p WHERE p.convention_id = conventions.id);
CREATE INDEX conventions_template ON conventions (paper_template_sha256);
DROP TRIGGER convention_papers_frozen_delete;
DROP TRIGGER convention_papers_frozen_update;
DROP TABLE convention_papers;
