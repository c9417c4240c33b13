DROP TABLE attachment_detachments;
DROP TABLE attachment_sources;
DROP TABLE attachments;
DROP TABLE stored_file_parts;
DROP TABLE stored_files;
