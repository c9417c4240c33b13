-- The no of a person, with who, when and why: a collectivité's refusal, the return of a prepared title, a school taken
-- out of a campaign. What ends a no is written beside it; neither is ever changed.

CREATE TABLE convention_refusals (
    id TEXT COLLATE "C" PRIMARY KEY,
    convention_id TEXT COLLATE "C" NOT NULL REFERENCES conventions (id),
    declined_on DATE NOT NULL,
    -- Who said no for the collectivité.
    declined_by TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    recorded_by TEXT COLLATE "C" REFERENCES users (id),
    recorded_by_label TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);
CREATE INDEX convention_refusals_convention ON convention_refusals (convention_id);
CREATE INDEX convention_refusals_recorder ON convention_refusals (recorded_by);

CREATE TABLE convention_reopenings (
    refusal_id TEXT COLLATE "C" PRIMARY KEY REFERENCES convention_refusals (id),
    reason TEXT COLLATE "C" NOT NULL,
    reopened_by TEXT COLLATE "C" REFERENCES users (id),
    reopened_by_label TEXT COLLATE "C" NOT NULL,
    reopened_at TIMESTAMP NOT NULL
);
CREATE INDEX convention_reopenings_reopener ON convention_reopenings (reopened_by);

-- A returned title stays prepared until it is handed in again, prepared anew or approved all the same.
CREATE TABLE title_returns (
    id TEXT COLLATE "C" PRIMARY KEY,
    title_id TEXT COLLATE "C" NOT NULL REFERENCES perception_titles (id),
    reason TEXT COLLATE "C" NOT NULL,
    returned_by TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    returned_by_label TEXT COLLATE "C" NOT NULL,
    returned_at TIMESTAMP NOT NULL
);
CREATE INDEX title_returns_title ON title_returns (title_id);
CREATE INDEX title_returns_returner ON title_returns (returned_by);

CREATE TABLE title_resubmissions (
    return_id TEXT COLLATE "C" PRIMARY KEY REFERENCES title_returns (id),
    reason TEXT COLLATE "C" NOT NULL,
    resubmitted_by TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    resubmitted_by_label TEXT COLLATE "C" NOT NULL,
    resubmitted_at TIMESTAMP NOT NULL
);
CREATE INDEX title_resubmissions_resubmitter ON title_resubmissions (resubmitted_by);

-- Schools a person took out of a campaign, until a person names them again.
CREATE TABLE enrolment_withdrawals (
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaigns (id),
    uai TEXT COLLATE "C" NOT NULL REFERENCES schools (uai),
    withdrawn_by_label TEXT COLLATE "C" NOT NULL,
    withdrawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai)
);
CREATE INDEX enrolment_withdrawals_uai ON enrolment_withdrawals (uai);

CREATE TRIGGER convention_refusals_frozen BEFORE UPDATE OR DELETE ON convention_refusals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER convention_refusals_frozen_all BEFORE TRUNCATE ON convention_refusals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER convention_reopenings_frozen BEFORE UPDATE OR DELETE ON convention_reopenings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER convention_reopenings_frozen_all BEFORE TRUNCATE ON convention_reopenings FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER title_returns_frozen BEFORE UPDATE OR DELETE ON title_returns FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER title_returns_frozen_all BEFORE TRUNCATE ON title_returns FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER title_resubmissions_frozen BEFORE UPDATE OR DELETE ON title_resubmissions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER title_resubmissions_frozen_all BEFORE TRUNCATE ON title_resubmissions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
