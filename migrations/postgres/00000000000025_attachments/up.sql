-- Files of any length, in parts that are blobs; and what people give as proof: facts that nobody changes.
-- What a thing is (a convention, and others to come) is said by its room: no foreign key, as in the journal.

CREATE TABLE stored_files (
    sha256 TEXT COLLATE "C" PRIMARY KEY CHECK (length(sha256) = 64),
    media_type TEXT COLLATE "C" NOT NULL,
    length BIGINT NOT NULL CHECK (length BETWEEN 1 AND 524288000),
    created_at TIMESTAMP NOT NULL
);

-- At most 1 MiB each, in their order from 0.
CREATE TABLE stored_file_parts (
    sha256 TEXT COLLATE "C" NOT NULL REFERENCES stored_files (sha256),
    position BIGINT NOT NULL CHECK (position >= 0),
    part_sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
    PRIMARY KEY (sha256, position)
);
CREATE INDEX stored_file_parts_part ON stored_file_parts (part_sha256);

CREATE TABLE attachments (
    id TEXT COLLATE "C" PRIMARY KEY,
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    -- What it shows, in the words of the room.
    purpose TEXT COLLATE "C" NOT NULL CHECK (length(purpose) BETWEEN 1 AND 40),
    -- As recognised by content.
    media_type TEXT COLLATE "C" NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    sha256 TEXT COLLATE "C" NOT NULL REFERENCES stored_files (sha256),
    length BIGINT NOT NULL CHECK (length > 0),
    -- What the person calls it.
    file_name TEXT COLLATE "C" CHECK (length(file_name) BETWEEN 1 AND 200),
    -- Of what was given: the file, or the photos in their order.
    given_sha256 TEXT COLLATE "C" NOT NULL CHECK (length(given_sha256) = 64),
    scan TEXT COLLATE "C" NOT NULL CHECK (scan IN ('none', 'clean')),
    attached_by TEXT COLLATE "C" REFERENCES users (id),
    attached_by_label TEXT COLLATE "C" NOT NULL,
    attached_at TIMESTAMP NOT NULL
);
CREATE INDEX attachments_subject ON attachments (subject_kind, subject_id, id);
CREATE INDEX attachments_file ON attachments (sha256);
CREATE INDEX attachments_attacher ON attachments (attached_by);

-- The photos that were made one PDF, as they were given.
CREATE TABLE attachment_sources (
    attachment_id TEXT COLLATE "C" NOT NULL REFERENCES attachments (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    media_type TEXT COLLATE "C" NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png')),
    sha256 TEXT COLLATE "C" NOT NULL REFERENCES stored_files (sha256),
    length BIGINT NOT NULL CHECK (length > 0),
    file_name TEXT COLLATE "C" CHECK (length(file_name) BETWEEN 1 AND 200),
    PRIMARY KEY (attachment_id, position)
);
CREATE INDEX attachment_sources_file ON attachment_sources (sha256);

CREATE TABLE attachment_detachments (
    attachment_id TEXT COLLATE "C" PRIMARY KEY REFERENCES attachments (id),
    reason TEXT COLLATE "C" NOT NULL,
    detached_by TEXT COLLATE "C" REFERENCES users (id),
    detached_by_label TEXT COLLATE "C" NOT NULL,
    detached_at TIMESTAMP NOT NULL
);
CREATE INDEX attachment_detachments_detacher ON attachment_detachments (detached_by);

CREATE TRIGGER stored_files_frozen BEFORE UPDATE OR DELETE ON stored_files FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stored_files_frozen_all BEFORE TRUNCATE ON stored_files FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stored_file_parts_frozen BEFORE UPDATE OR DELETE ON stored_file_parts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stored_file_parts_frozen_all BEFORE TRUNCATE ON stored_file_parts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachments_frozen BEFORE UPDATE OR DELETE ON attachments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachments_frozen_all BEFORE TRUNCATE ON attachments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachment_sources_frozen BEFORE UPDATE OR DELETE ON attachment_sources FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachment_sources_frozen_all BEFORE TRUNCATE ON attachment_sources FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachment_detachments_frozen BEFORE UPDATE OR DELETE ON attachment_detachments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachment_detachments_frozen_all BEFORE TRUNCATE ON attachment_detachments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
