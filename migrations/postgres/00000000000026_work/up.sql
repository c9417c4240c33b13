-- Work to do: something for a person, about a thing. No foreign key from a subject: a task outlives what it was about.
CREATE TABLE tasks (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    subject_key TEXT COLLATE "C" NOT NULL,
    campaign_id TEXT COLLATE "C",
    payer_id TEXT COLLATE "C",
    convention_id TEXT COLLATE "C",
    why TEXT COLLATE "C" NOT NULL CHECK (length(why) > 0),
    since TIMESTAMP NOT NULL,
    due_on DATE,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed')),
    assignee_id TEXT COLLATE "C" REFERENCES users (id),
    closed_at TIMESTAMP,
    -- Nobody: the program, because the reason passed.
    closed_by TEXT COLLATE "C" REFERENCES users (id),
    closing_word TEXT COLLATE "C",
    version BIGINT NOT NULL CHECK (version >= 1),
    updated_at TIMESTAMP NOT NULL,
    CHECK ((state = 'closed') = (closed_at IS NOT NULL AND closing_word IS NOT NULL)),
    CHECK (state = 'closed' OR closed_by IS NULL)
);
-- Of one kind about one thing, at most one is open.
CREATE UNIQUE INDEX tasks_open ON tasks (kind, subject_kind, subject_id) WHERE state = 'open';
CREATE INDEX tasks_assignee ON tasks (assignee_id);
CREATE INDEX tasks_closed_by ON tasks (closed_by);
CREATE INDEX tasks_since ON tasks (since, id);
CREATE INDEX tasks_updated ON tasks (updated_at, id);
CREATE INDEX tasks_subject ON tasks (subject_id);

-- Long work: acts in number that their author does not wait for, and one row per outcome.
CREATE TABLE acts (
    id TEXT COLLATE "C" PRIMARY KEY,
    operation TEXT COLLATE "C" NOT NULL CHECK (length(operation) BETWEEN 1 AND 60),
    author_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    request_id TEXT COLLATE "C",
    request TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'refused', 'failed', 'cancelled')),
    done BIGINT NOT NULL CHECK (done >= 0),
    total BIGINT CHECK (total >= done),
    problem TEXT COLLATE "C",
    result TEXT COLLATE "C",
    asked_at TIMESTAMP NOT NULL,
    begun_at TIMESTAMP,
    ended_at TIMESTAMP,
    CHECK ((state IN ('waiting', 'running')) = (ended_at IS NULL)),
    CHECK ((state = 'done') = (result IS NOT NULL)),
    CHECK ((state = 'done') = (total IS NOT NULL)),
    CHECK ((state = 'refused') = (problem IS NOT NULL))
);
CREATE INDEX acts_author ON acts (author_id);
CREATE INDEX acts_ended ON acts (ended_at);

CREATE TABLE act_items (
    act_id TEXT COLLATE "C" NOT NULL REFERENCES acts (id) ON DELETE CASCADE,
    rank BIGINT NOT NULL CHECK (rank >= 1),
    item TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (act_id, rank)
);
