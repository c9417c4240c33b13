-- The no of a person, with who, when and why: a collectivité's refusal, the return of a prepared title, a school taken
-- out of a campaign. What ends a no is written beside it; neither is ever changed.

CREATE TABLE convention_refusals (
    id TEXT PRIMARY KEY,
    convention_id TEXT NOT NULL REFERENCES conventions (id),
    declined_on DATE NOT NULL,
    -- Who said no for the collectivité.
    declined_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    recorded_by TEXT REFERENCES users (id),
    recorded_by_label TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);
CREATE INDEX convention_refusals_convention ON convention_refusals (convention_id);
CREATE INDEX convention_refusals_recorder ON convention_refusals (recorded_by);

CREATE TABLE convention_reopenings (
    refusal_id TEXT PRIMARY KEY REFERENCES convention_refusals (id),
    reason TEXT NOT NULL,
    reopened_by TEXT REFERENCES users (id),
    reopened_by_label TEXT NOT NULL,
    reopened_at TIMESTAMP NOT NULL
);
CREATE INDEX convention_reopenings_reopener ON convention_reopenings (reopened_by);

-- A returned title stays prepared until it is handed in again, prepared anew or approved all the same.
CREATE TABLE title_returns (
    id TEXT PRIMARY KEY,
    title_id TEXT NOT NULL REFERENCES perception_titles (id),
    reason TEXT NOT NULL,
    returned_by TEXT NOT NULL REFERENCES users (id),
    returned_by_label TEXT NOT NULL,
    returned_at TIMESTAMP NOT NULL
);
CREATE INDEX title_returns_title ON title_returns (title_id);
CREATE INDEX title_returns_returner ON title_returns (returned_by);

CREATE TABLE title_resubmissions (
    return_id TEXT PRIMARY KEY REFERENCES title_returns (id),
    reason TEXT NOT NULL,
    resubmitted_by TEXT NOT NULL REFERENCES users (id),
    resubmitted_by_label TEXT NOT NULL,
    resubmitted_at TIMESTAMP NOT NULL
);
CREATE INDEX title_resubmissions_resubmitter ON title_resubmissions (resubmitted_by);

-- Schools a person took out of a campaign, until a person names them again.
CREATE TABLE enrolment_withdrawals (
    campaign_id TEXT NOT NULL REFERENCES campaigns (id),
    uai TEXT NOT NULL REFERENCES schools (uai),
    withdrawn_by_label TEXT NOT NULL,
    withdrawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (campaign_id, uai)
);
CREATE INDEX enrolment_withdrawals_uai ON enrolment_withdrawals (uai);

CREATE TRIGGER convention_refusals_frozen_update BEFORE UPDATE ON convention_refusals BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_refusals refuses UPDATE');
END;
CREATE TRIGGER convention_refusals_frozen_delete BEFORE DELETE ON convention_refusals BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_refusals refuses DELETE');
END;
CREATE TRIGGER convention_reopenings_frozen_update BEFORE UPDATE ON convention_reopenings BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_reopenings refuses UPDATE');
END;
CREATE TRIGGER convention_reopenings_frozen_delete BEFORE DELETE ON convention_reopenings BEGIN
    SELECT RAISE(ABORT, 'frozen: convention_reopenings refuses DELETE');
END;
CREATE TRIGGER title_returns_frozen_update BEFORE UPDATE ON title_returns BEGIN
    SELECT RAISE(ABORT, 'frozen: title_returns refuses UPDATE');
END;
CREATE TRIGGER title_returns_frozen_delete BEFORE DELETE ON title_returns BEGIN
    SELECT RAISE(ABORT, 'frozen: title_returns refuses DELETE');
END;
CREATE TRIGGER title_resubmissions_frozen_update BEFORE UPDATE ON title_resubmissions BEGIN
    SELECT RAISE(ABORT, 'frozen: title_resubmissions refuses UPDATE');
END;
CREATE TRIGGER title_resubmissions_frozen_delete BEFORE DELETE ON title_resubmissions BEGIN
    SELECT RAISE(ABORT, 'frozen: title_resubmissions refuses DELETE');
END;
