-- How far the job has come through its gates: JSON; NULL if it has none. A job that waits in a line has a `due_at`
-- of -1, or of the instant when the gate opens if it is the first.
ALTER TABLE jobs ADD COLUMN gates TEXT;
-- Whether its owner's jobs are listed by state.
ALTER TABLE jobs ADD COLUMN tracked INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_unfinished ON jobs (owner, id)
    WHERE tracked = 1 AND withdrawn = 0 AND status IN ('queued', 'running', 'delivering');
CREATE INDEX jobs_failed ON jobs (owner, id) WHERE tracked = 1 AND status = 'failed';

-- What jobs pass before they enter the order of their lane.
CREATE TABLE gates (
    name            TEXT PRIMARY KEY,
    parallel        INTEGER,          -- maximum number of slots held; NULL: no limit
    rate            INTEGER,          -- maximum number of calls started in a period; NULL: no limit
    period          INTEGER NOT NULL, -- of the rate; ms
    pinned_parallel INTEGER NOT NULL,
    pinned_rate     INTEGER NOT NULL,
    paused          INTEGER NOT NULL,
    kept            INTEGER NOT NULL,
    removed         INTEGER NOT NULL, -- whether it is there only for the jobs that still name it
    named           INTEGER NOT NULL, -- unfinished jobs that name it, and barriers
    active          INTEGER NOT NULL, -- slots held
    pending         INTEGER NOT NULL, -- calls that count towards the rate and have not started
    waiting         INTEGER NOT NULL, -- jobs in its line
    last            INTEGER NOT NULL, -- the last place given in its line
    window_start    INTEGER,          -- when the latest period began; ms
    started         INTEGER NOT NULL, -- calls started in it
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    used_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The jobs that wait for a gate, in order.
CREATE TABLE lines (
    gate  TEXT NOT NULL,
    place INTEGER NOT NULL,
    job   TEXT NOT NULL,
    PRIMARY KEY (gate, place, job)
) STRICT, WITHOUT ROWID;

-- Slots of jobs that have ended, until their entries in the outbox are acknowledged.
CREATE TABLE barriers (
    key  TEXT NOT NULL,
    gate TEXT NOT NULL,
    PRIMARY KEY (key, gate)
) STRICT, WITHOUT ROWID;
