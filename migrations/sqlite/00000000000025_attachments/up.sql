-- Files of any length, in parts that are blobs; and what people give as proof: facts that nobody changes.
-- What a thing is (a convention, and others to come) is said by its room: no foreign key, as in the journal.

CREATE TABLE stored_files (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    media_type TEXT NOT NULL,
    length BIGINT NOT NULL CHECK (length BETWEEN 1 AND 524288000),
    created_at TIMESTAMP NOT NULL
);

-- At most 1 MiB each, in their order from 0.
CREATE TABLE stored_file_parts (
    sha256 TEXT NOT NULL REFERENCES stored_files (sha256),
    position BIGINT NOT NULL CHECK (position >= 0),
    part_sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    PRIMARY KEY (sha256, position)
);
CREATE INDEX stored_file_parts_part ON stored_file_parts (part_sha256);

CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    -- What it shows, in the words of the room.
    purpose TEXT NOT NULL CHECK (length(purpose) BETWEEN 1 AND 40),
    -- As recognised by content.
    media_type TEXT NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    sha256 TEXT NOT NULL REFERENCES stored_files (sha256),
    length BIGINT NOT NULL CHECK (length > 0),
    -- What the person calls it.
    file_name TEXT CHECK (length(file_name) BETWEEN 1 AND 200),
    -- Of what was given: the file, or the photos in their order.
    given_sha256 TEXT NOT NULL CHECK (length(given_sha256) = 64),
    scan TEXT NOT NULL CHECK (scan IN ('none', 'clean')),
    attached_by TEXT REFERENCES users (id),
    attached_by_label TEXT NOT NULL,
    attached_at TIMESTAMP NOT NULL
);
CREATE INDEX attachments_subject ON attachments (subject_kind, subject_id, id);
CREATE INDEX attachments_file ON attachments (sha256);
CREATE INDEX attachments_attacher ON attachments (attached_by);

-- The photos that were made one PDF, as they were given.
CREATE TABLE attachment_sources (
    attachment_id TEXT NOT NULL REFERENCES attachments (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    media_type TEXT NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png')),
    sha256 TEXT NOT NULL REFERENCES stored_files (sha256),
    length BIGINT NOT NULL CHECK (length > 0),
    file_name TEXT CHECK (length(file_name) BETWEEN 1 AND 200),
    PRIMARY KEY (attachment_id, position)
);
CREATE INDEX attachment_sources_file ON attachment_sources (sha256);

CREATE TABLE attachment_detachments (
    attachment_id TEXT PRIMARY KEY REFERENCES attachments (id),
    reason TEXT NOT NULL,
    detached_by TEXT REFERENCES users (id),
    detached_by_label TEXT NOT NULL,
    detached_at TIMESTAMP NOT NULL
);
CREATE INDEX attachment_detachments_detacher ON attachment_detachments (detached_by);

CREATE TRIGGER stored_files_frozen_update BEFORE UPDATE ON stored_files BEGIN
    SELECT RAISE(ABORT, 'frozen: stored_files refuses UPDATE');
END;
CREATE TRIGGER stored_files_frozen_delete BEFORE DELETE ON stored_files BEGIN
    SELECT RAISE(ABORT, 'frozen: stored_files refuses DELETE');
END;
CREATE TRIGGER stored_files_no_replace BEFORE INSERT ON stored_files WHEN
    EXISTS (SELECT 1 FROM stored_files t WHERE t.sha256 = NEW.sha256)
    OR EXISTS (SELECT 1 FROM stored_files t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: stored_files refuses REPLACE');
END;
CREATE TRIGGER stored_file_parts_frozen_update BEFORE UPDATE ON stored_file_parts BEGIN
    SELECT RAISE(ABORT, 'frozen: stored_file_parts refuses UPDATE');
END;
CREATE TRIGGER stored_file_parts_frozen_delete BEFORE DELETE ON stored_file_parts BEGIN
    SELECT RAISE(ABORT, 'frozen: stored_file_parts refuses DELETE');
END;
CREATE TRIGGER stored_file_parts_no_replace BEFORE INSERT ON stored_file_parts WHEN
    EXISTS (SELECT 1 FROM stored_file_parts t WHERE t.sha256 = NEW.sha256 AND t.position = NEW.position)
    OR EXISTS (SELECT 1 FROM stored_file_parts t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: stored_file_parts refuses REPLACE');
END;
CREATE TRIGGER attachments_frozen_update BEFORE UPDATE ON attachments BEGIN
    SELECT RAISE(ABORT, 'frozen: attachments refuses UPDATE');
END;
CREATE TRIGGER attachments_frozen_delete BEFORE DELETE ON attachments BEGIN
    SELECT RAISE(ABORT, 'frozen: attachments refuses DELETE');
END;
CREATE TRIGGER attachments_no_replace BEFORE INSERT ON attachments WHEN
    EXISTS (SELECT 1 FROM attachments t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM attachments t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: attachments refuses REPLACE');
END;
CREATE TRIGGER attachment_sources_frozen_update BEFORE UPDATE ON attachment_sources BEGIN
    SELECT RAISE(ABORT, 'frozen: attachment_sources refuses UPDATE');
END;
CREATE TRIGGER attachment_sources_frozen_delete BEFORE DELETE ON attachment_sources BEGIN
    SELECT RAISE(ABORT, 'frozen: attachment_sources refuses DELETE');
END;
CREATE TRIGGER attachment_sources_no_replace BEFORE INSERT ON attachment_sources WHEN
    EXISTS (SELECT 1 FROM attachment_sources t WHERE t.attachment_id = NEW.attachment_id AND t.position = NEW.position)
    OR EXISTS (SELECT 1 FROM attachment_sources t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: attachment_sources refuses REPLACE');
END;
CREATE TRIGGER attachment_detachments_frozen_update BEFORE UPDATE ON attachment_detachments BEGIN
    SELECT RAISE(ABORT, 'frozen: attachment_detachments refuses UPDATE');
END;
CREATE TRIGGER attachment_detachments_frozen_delete BEFORE DELETE ON attachment_detachments BEGIN
    SELECT RAISE(ABORT, 'frozen: attachment_detachments refuses DELETE');
END;
CREATE TRIGGER attachment_detachments_no_replace BEFORE INSERT ON attachment_detachments WHEN
    EXISTS (SELECT 1 FROM attachment_detachments t WHERE t.attachment_id = NEW.attachment_id)
    OR EXISTS (SELECT 1 FROM attachment_detachments t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: attachment_detachments refuses REPLACE');
END;
