-- Who signs and pays, which schools exist, and who pays for each at which date.

CREATE TABLE collectivites (
    id TEXT PRIMARY KEY,
    siret TEXT NOT NULL UNIQUE CHECK (length(siret) = 14),
    siren TEXT NOT NULL CHECK (length(siren) = 9),
    kind TEXT NOT NULL CHECK (kind IN ('commune', 'epci', 'syndicat', 'autre')),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    name_fold TEXT NOT NULL,
    insee_code TEXT CHECK (length(insee_code) = 5),
    departement TEXT CHECK (length(departement) BETWEEN 2 AND 3),
    address_line1 TEXT,
    address_line2 TEXT,
    postal_code TEXT CHECK (length(postal_code) = 5),
    city TEXT,
    civility TEXT CHECK (civility IN ('madame', 'monsieur')),
    first_name TEXT,
    last_name TEXT,
    representative_title TEXT,
    contact_email TEXT,
    contact_phone TEXT,
    chorus_service_code TEXT,
    chorus_commitment_number TEXT,
    chorus_third_party_number TEXT,
    population BIGINT CHECK (population >= 0),
    person_fields TEXT NOT NULL,
    closed_on DATE,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX collectivites_name ON collectivites (name_fold, siret);
CREATE INDEX collectivites_departement ON collectivites (departement, siret);
CREATE INDEX collectivites_updated ON collectivites (updated_at);

-- Every SIRET a collectivité has had: a former one still finds it.
CREATE TABLE collectivite_sirets (
    siret TEXT PRIMARY KEY CHECK (length(siret) = 14),
    collectivite_id TEXT NOT NULL REFERENCES collectivites (id),
    valid_from DATE,
    valid_until DATE,
    CHECK (valid_from IS NULL OR valid_until IS NULL OR valid_from < valid_until)
);
CREATE INDEX collectivite_sirets_collectivite ON collectivite_sirets (collectivite_id);

-- INSEE codes, current and former, of communes: how a school's commune is resolved.
CREATE TABLE collectivite_communes (
    insee_code TEXT PRIMARY KEY CHECK (length(insee_code) = 5),
    collectivite_id TEXT NOT NULL REFERENCES collectivites (id),
    is_current BOOLEAN NOT NULL
);
CREATE INDEX collectivite_communes_collectivite ON collectivite_communes (collectivite_id);

CREATE TABLE successions (
    predecessor_id TEXT PRIMARY KEY REFERENCES collectivites (id),
    successor_id TEXT NOT NULL REFERENCES collectivites (id),
    kind TEXT NOT NULL CHECK (kind IN ('commune_nouvelle', 'transfer', 'dissolution')),
    effective_on DATE NOT NULL,
    act_reference TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    CHECK (predecessor_id <> successor_id)
);
CREATE INDEX successions_successor ON successions (successor_id);

CREATE TABLE schools (
    uai TEXT PRIMARY KEY CHECK (length(uai) = 8),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    name_fold TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('maternelle', 'elementaire', 'primaire')),
    sector TEXT NOT NULL CHECK (sector IN ('public', 'private')),
    insee_code TEXT NOT NULL CHECK (length(insee_code) = 5),
    commune_name TEXT NOT NULL,
    commune_fold TEXT NOT NULL,
    departement TEXT NOT NULL CHECK (length(departement) BETWEEN 2 AND 3),
    official_siret TEXT,
    official_siren TEXT,
    pupils BIGINT CHECK (pupils >= 0),
    classes BIGINT CHECK (classes >= 0),
    opened_on DATE,
    closed_on DATE,
    first_school_year TEXT CHECK (length(first_school_year) = 9),
    person_fields TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX schools_departement ON schools (departement, sector, uai);
CREATE INDEX schools_insee ON schools (insee_code);
CREATE INDEX schools_updated ON schools (updated_at);

-- Periods [valid_from, valid_until) during which a collectivité pays for a school; they never overlap.
-- 1900-01-01 stands for « since the beginning ».
CREATE TABLE school_payers (
    uai TEXT NOT NULL REFERENCES schools (uai),
    valid_from DATE NOT NULL,
    valid_until DATE,
    collectivite_id TEXT NOT NULL REFERENCES collectivites (id),
    set_by TEXT NOT NULL CHECK (set_by IN ('person', 'import')),
    PRIMARY KEY (uai, valid_from),
    CHECK (valid_until IS NULL OR valid_from < valid_until)
);
CREATE INDEX school_payers_collectivite ON school_payers (collectivite_id);
CREATE UNIQUE INDEX school_payers_open ON school_payers (uai) WHERE valid_until IS NULL;
