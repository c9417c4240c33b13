-- Perception titles, their approval, and the sealed batches handed to the accountant.

CREATE TABLE accounting_batches (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    number_rank BIGINT NOT NULL CHECK (number_rank >= 1),
    campaign_id TEXT NOT NULL REFERENCES campaigns (id),
    exercice BIGINT NOT NULL,
    nature TEXT NOT NULL CHECK (nature IN ('issue', 'reduction', 'cancellation')),
    comptable TEXT NOT NULL,
    title_count BIGINT NOT NULL CHECK (title_count >= 1),
    total_cents BIGINT NOT NULL CHECK (total_cents >= 1),
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) = 64),
    sealed_by TEXT NOT NULL REFERENCES users (id),
    sealed_by_label TEXT NOT NULL,
    sealed_at TIMESTAMP NOT NULL,
    UNIQUE (exercice, number_rank)
);
CREATE INDEX accounting_batches_campaign ON accounting_batches (campaign_id);
CREATE INDEX accounting_batches_sealer ON accounting_batches (sealed_by);

-- What moves around a sealed batch.
CREATE TABLE accounting_batch_progress (
    batch_id TEXT PRIMARY KEY REFERENCES accounting_batches (id),
    state TEXT NOT NULL CHECK (state IN ('sealed', 'signed', 'sent', 'acknowledged')),
    version BIGINT NOT NULL CHECK (version >= 1),
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE accounting_batch_files (
    batch_id TEXT NOT NULL REFERENCES accounting_batches (id),
    format TEXT NOT NULL CHECK (format IN ('csv', 'json', 'xlsx', 'pdf', 'zip')),
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    length BIGINT NOT NULL CHECK (length >= 0),
    PRIMARY KEY (batch_id, format)
);
CREATE INDEX accounting_batch_files_blob ON accounting_batch_files (sha256);

CREATE TABLE perception_titles (
    id TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL REFERENCES campaigns (id),
    convention_id TEXT NOT NULL REFERENCES conventions (id),
    convention_rank BIGINT NOT NULL,
    participation_id TEXT NOT NULL REFERENCES participations (id),
    debtor_id TEXT NOT NULL REFERENCES collectivites (id),
    debtor_siret TEXT NOT NULL CHECK (length(debtor_siret) = 14),
    debtor_departement TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('initial', 'complement', 'reduction', 'cancellation')),
    corrects_id TEXT REFERENCES perception_titles (id),
    state TEXT NOT NULL
        CHECK (state IN ('prepared', 'approved', 'transmitted', 'registered', 'paid', 'withdrawn', 'rejected')),
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    debtor TEXT NOT NULL,
    ground TEXT NOT NULL,
    small_claim BOOLEAN NOT NULL,
    flagged BOOLEAN NOT NULL,
    threshold_cents BIGINT NOT NULL CHECK (threshold_cents >= 0),
    findings TEXT NOT NULL,
    prepared_by TEXT NOT NULL REFERENCES users (id),
    prepared_by_label TEXT NOT NULL,
    prepared_at TIMESTAMP NOT NULL,
    reference TEXT UNIQUE,
    exercice BIGINT,
    batch_id TEXT REFERENCES accounting_batches (id),
    batch_number TEXT,
    withdrawn_reason TEXT,
    chorus_number TEXT UNIQUE,
    chorus_issued_on DATE,
    document_status TEXT NOT NULL CHECK (document_status IN ('none', 'pending', 'ready', 'failed')),
    document_sha256 TEXT REFERENCES blobs (sha256),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK (kind = 'initial' OR corrects_id IS NOT NULL),
    CHECK (state IN ('prepared', 'withdrawn') OR reference IS NOT NULL),
    CHECK (state NOT IN ('transmitted', 'registered', 'paid') OR batch_id IS NOT NULL),
    CHECK (state <> 'withdrawn' OR withdrawn_reason IS NOT NULL)
);
CREATE INDEX perception_titles_campaign ON perception_titles (campaign_id, state);
CREATE INDEX perception_titles_convention ON perception_titles (convention_id);
CREATE INDEX perception_titles_debtor ON perception_titles (debtor_id);
CREATE INDEX perception_titles_corrects ON perception_titles (corrects_id);
CREATE INDEX perception_titles_preparer ON perception_titles (prepared_by);
CREATE INDEX perception_titles_batch ON perception_titles (batch_id);
CREATE INDEX perception_titles_document ON perception_titles (document_sha256);
CREATE INDEX perception_titles_updated ON perception_titles (updated_at);
CREATE INDEX perception_titles_participation ON perception_titles (participation_id);
-- A participation is titled once, whatever two agents do at once.
CREATE UNIQUE INDEX perception_titles_live ON perception_titles (participation_id)
    WHERE kind = 'initial' AND state NOT IN ('withdrawn', 'rejected');

CREATE TABLE title_lines (
    title_id TEXT NOT NULL REFERENCES perception_titles (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    uai TEXT NOT NULL REFERENCES schools (uai),
    label TEXT NOT NULL,
    commune_name TEXT NOT NULL,
    departement TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    unit_amount_cents BIGINT NOT NULL CHECK (unit_amount_cents >= 0),
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    PRIMARY KEY (title_id, position)
);
CREATE INDEX title_lines_uai ON title_lines (uai);

-- The liquidation as approved: reference, approver, content and its digest. Never edited, never removed.
CREATE TABLE title_approvals (
    title_id TEXT PRIMARY KEY REFERENCES perception_titles (id),
    reference TEXT NOT NULL UNIQUE,
    exercice BIGINT NOT NULL,
    number_rank BIGINT NOT NULL CHECK (number_rank >= 1),
    approved_by TEXT NOT NULL REFERENCES users (id),
    approver TEXT NOT NULL,
    approved_on DATE NOT NULL,
    approved_at TIMESTAMP NOT NULL,
    content TEXT NOT NULL,
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) = 64),
    template_sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    UNIQUE (exercice, number_rank)
);
CREATE INDEX title_approvals_approver ON title_approvals (approved_by);
CREATE INDEX title_approvals_template ON title_approvals (template_sha256);

-- « Ne pas émettre » below the threshold (décret 2012-1246, art. 114): named, dated, reversible.
CREATE TABLE small_claim_decisions (
    id TEXT PRIMARY KEY,
    convention_id TEXT NOT NULL REFERENCES conventions (id),
    participation_id TEXT NOT NULL REFERENCES participations (id),
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    threshold_cents BIGINT NOT NULL CHECK (threshold_cents > amount_cents),
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL REFERENCES users (id),
    decided_by_label TEXT NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    revoked_by TEXT REFERENCES users (id),
    revoked_at TIMESTAMP,
    CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
);
CREATE INDEX small_claim_decisions_convention ON small_claim_decisions (convention_id);
CREATE INDEX small_claim_decisions_decider ON small_claim_decisions (decided_by);
CREATE INDEX small_claim_decisions_revoker ON small_claim_decisions (revoked_by);
CREATE INDEX small_claim_decisions_participation ON small_claim_decisions (participation_id);
CREATE UNIQUE INDEX small_claim_decisions_live ON small_claim_decisions (participation_id) WHERE revoked_at IS NULL;

CREATE TABLE accounting_batch_titles (
    batch_id TEXT NOT NULL REFERENCES accounting_batches (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    title_id TEXT NOT NULL UNIQUE REFERENCES perception_titles (id),
    PRIMARY KEY (batch_id, position)
);

CREATE TRIGGER accounting_batches_frozen_update BEFORE UPDATE ON accounting_batches BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batches refuses UPDATE');
END;
CREATE TRIGGER accounting_batches_frozen_delete BEFORE DELETE ON accounting_batches BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batches refuses DELETE');
END;
CREATE TRIGGER accounting_batch_files_frozen_update BEFORE UPDATE ON accounting_batch_files BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_files refuses UPDATE');
END;
CREATE TRIGGER accounting_batch_files_frozen_delete BEFORE DELETE ON accounting_batch_files BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_files refuses DELETE');
END;
CREATE TRIGGER accounting_batch_titles_frozen_update BEFORE UPDATE ON accounting_batch_titles BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_titles refuses UPDATE');
END;
CREATE TRIGGER accounting_batch_titles_frozen_delete BEFORE DELETE ON accounting_batch_titles BEGIN
    SELECT RAISE(ABORT, 'frozen: accounting_batch_titles refuses DELETE');
END;
CREATE TRIGGER title_lines_frozen_update BEFORE UPDATE ON title_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses UPDATE');
END;
CREATE TRIGGER title_lines_frozen_delete BEFORE DELETE ON title_lines BEGIN
    SELECT RAISE(ABORT, 'frozen: title_lines refuses DELETE');
END;
CREATE TRIGGER title_approvals_frozen_update BEFORE UPDATE ON title_approvals BEGIN
    SELECT RAISE(ABORT, 'frozen: title_approvals refuses UPDATE');
END;
CREATE TRIGGER title_approvals_frozen_delete BEFORE DELETE ON title_approvals BEGIN
    SELECT RAISE(ABORT, 'frozen: title_approvals refuses DELETE');
END;
