ALTER TABLE perception_titles ADD COLUMN created_at TIMESTAMP;
UPDATE perception_titles SET created_at = prepared_at;
ALTER TABLE perception_titles ALTER COLUMN created_at SET NOT NULL;
ALTER TABLE conventions ADD COLUMN created_at TIMESTAMP;
UPDATE conventions SET created_at = issued_at;
ALTER TABLE conventions ALTER COLUMN created_at SET NOT NULL;
ALTER TABLE conventions ADD COLUMN paper_template_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256);
ALTER TABLE conventions ADD COLUMN paper_input TEXT COLLATE "C";
UPDATE conventions c SET paper_input = p.input, paper_template_sha256 = p.template_sha256
    FROM convention_papers p WHERE p.convention_id = c.id;
-- PostgreSQL alters no table that still has a deferred check of a key to do.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE conventions ALTER COLUMN paper_template_sha256 SET NOT NULL;
ALTER TABLE conventions ALTER COLUMN paper_input SET NOT NULL;
CREATE INDEX conventions_template ON conventions (paper_template_sha256);
DROP TABLE convention_papers;
