-- A campaign, the schools that take part, the conventions issued and what each makes due.

CREATE TABLE campaigns (
    id TEXT COLLATE "C" PRIMARY KEY,
    school_year TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(school_year) = 9),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('preparing', 'open', 'closed')),
    tariff TEXT COLLATE "C" NOT NULL,
    convention_date DATE NOT NULL,
    ends_on DATE NOT NULL,
    response_deadline DATE,
    small_claims_policy TEXT COLLATE "C" NOT NULL CHECK (small_claims_policy IN ('issue', 'do_not_issue', 'flag')),
    small_claims_threshold_cents BIGINT CHECK (small_claims_threshold_cents >= 0),
    countersign_policy TEXT COLLATE "C" NOT NULL CHECK (countersign_policy IN ('record', 'require')),
    texts TEXT COLLATE "C",
    opened_at TIMESTAMP,
    closed_at TIMESTAMP,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK (state = 'preparing' OR texts IS NOT NULL),
    CHECK (convention_date <= ends_on)
);

CREATE TABLE conventions (
    id TEXT COLLATE "C" PRIMARY KEY,
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaigns (id),
    collectivite_id TEXT COLLATE "C" NOT NULL REFERENCES collectivites (id),
    sequence BIGINT NOT NULL CHECK (sequence >= 1),
    sequence_reason TEXT COLLATE "C",
    number TEXT COLLATE "C" NOT NULL UNIQUE,
    number_rank BIGINT NOT NULL CHECK (number_rank >= 1),
    state TEXT COLLATE "C" NOT NULL
        CHECK (state IN ('proposed', 'issued', 'signed', 'active', 'expired', 'terminated', 'declined', 'cancelled')),
    party TEXT COLLATE "C" NOT NULL,
    party_siret TEXT COLLATE "C" NOT NULL CHECK (length(party_siret) = 14),
    party_fold TEXT COLLATE "C" NOT NULL,
    party_departement TEXT COLLATE "C",
    school_count BIGINT NOT NULL CHECK (school_count >= 1),
    total_cents BIGINT NOT NULL CHECK (total_cents >= 0),
    ends_on DATE NOT NULL,
    issued_by TEXT COLLATE "C" NOT NULL,
    issued_at TIMESTAMP NOT NULL,
    signed_on DATE,
    signed_name TEXT COLLATE "C",
    signed_title TEXT COLLATE "C",
    signed_evidence TEXT COLLATE "C",
    countersigned_on DATE,
    countersigned_name TEXT COLLATE "C",
    countersigned_title TEXT COLLATE "C",
    took_effect_on DATE,
    acknowledged TEXT COLLATE "C" NOT NULL,
    exited_on DATE,
    exit_reason TEXT COLLATE "C",
    paper_input TEXT COLLATE "C" NOT NULL,
    paper_template_sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
    document_status TEXT COLLATE "C" NOT NULL CHECK (document_status IN ('pending', 'ready', 'failed')),
    document_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    UNIQUE (campaign_id, collectivite_id, sequence),
    UNIQUE (campaign_id, number_rank),
    CHECK (sequence = 1 OR sequence_reason IS NOT NULL),
    CHECK (state NOT IN ('signed', 'active', 'expired', 'terminated') OR signed_on IS NOT NULL),
    CHECK (state NOT IN ('active', 'expired', 'terminated') OR (countersigned_on IS NOT NULL AND took_effect_on IS NOT NULL)),
    CHECK (document_status <> 'ready' OR document_sha256 IS NOT NULL)
);
CREATE INDEX conventions_collectivite ON conventions (collectivite_id);
CREATE INDEX conventions_state ON conventions (campaign_id, state);
CREATE INDEX conventions_template ON conventions (paper_template_sha256);
CREATE INDEX conventions_document ON conventions (document_sha256);
CREATE INDEX conventions_updated ON conventions (updated_at);
-- One living convention per payer and campaign, whatever two agents do at once.
CREATE UNIQUE INDEX conventions_live ON conventions (campaign_id, collectivite_id)
    WHERE state NOT IN ('declined', 'cancelled');

CREATE TABLE enrolments (
    id TEXT COLLATE "C" PRIMARY KEY,
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaigns (id),
    uai TEXT COLLATE "C" NOT NULL REFERENCES schools (uai),
    origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('reconduction', 'mairie', 'ecole', 'editeur', 'filtre')),
    requester TEXT COLLATE "C",
    requested_on DATE,
    -- The living convention that covers it; null while none does.
    convention_id TEXT COLLATE "C" REFERENCES conventions (id),
    created_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (campaign_id, uai)
);
CREATE INDEX enrolments_uai ON enrolments (uai);
CREATE INDEX enrolments_convention ON enrolments (convention_id);

CREATE TABLE participations (
    id TEXT COLLATE "C" PRIMARY KEY,
    convention_id TEXT COLLATE "C" NOT NULL REFERENCES conventions (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    total_cents BIGINT NOT NULL CHECK (total_cents >= 0),
    tariff TEXT COLLATE "C" NOT NULL,
    steps TEXT COLLATE "C" NOT NULL,
    computed_at TIMESTAMP NOT NULL,
    UNIQUE (convention_id, version)
);

CREATE TABLE participation_lines (
    participation_id TEXT COLLATE "C" NOT NULL REFERENCES participations (id),
    position BIGINT NOT NULL CHECK (position >= 1),
    uai TEXT COLLATE "C" NOT NULL REFERENCES schools (uai),
    name TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('maternelle', 'elementaire', 'primaire')),
    insee_code TEXT COLLATE "C" NOT NULL CHECK (length(insee_code) = 5),
    commune_name TEXT COLLATE "C" NOT NULL,
    departement TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    unit_amount_cents BIGINT NOT NULL CHECK (unit_amount_cents >= 0),
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    PRIMARY KEY (participation_id, position)
);
CREATE INDEX participation_lines_uai ON participation_lines (uai);

CREATE TRIGGER participations_frozen BEFORE UPDATE OR DELETE ON participations FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER participations_frozen_all BEFORE TRUNCATE ON participations FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER participation_lines_frozen BEFORE UPDATE OR DELETE ON participation_lines FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER participation_lines_frozen_all BEFORE TRUNCATE ON participation_lines FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
