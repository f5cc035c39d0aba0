-- One row per job.
CREATE TABLE IF NOT EXISTS jobs (
    id          TEXT PRIMARY KEY,           -- sorts by time of creation
    owner       TEXT NOT NULL,
    status      TEXT NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    token       INTEGER NOT NULL DEFAULT 0, -- fencing token of the latest claim
    attempt     INTEGER NOT NULL DEFAULT 0,
    deliveries  INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,           -- not before (queued), or end of the lease (running, delivering); ms.
                                            -- 0: waits for nothing but its turn, or has ended
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    flight      TEXT,                       -- digest of the request that others may join
    leader      TEXT,                       -- the job whose call this one shares
    withdrawn   INTEGER NOT NULL DEFAULT 0, -- 1: cancelled, 2: deleted by its owner, but carried on for its followers
    cache       TEXT NOT NULL,
    progress    REAL,
    request     TEXT NOT NULL,              -- JSON
    charge      TEXT NOT NULL,              -- JSON, opaque to the queue
    failures    TEXT NOT NULL DEFAULT '[]', -- JSON, one entry per failed attempt
    outcome     TEXT,                       -- JSON
    lane        TEXT NOT NULL DEFAULT '',   -- the provider
    band        INTEGER NOT NULL DEFAULT 1, -- 0 is served first
    vt          INTEGER NOT NULL DEFAULT 0, -- virtual start time
    cost        INTEGER NOT NULL DEFAULT 1, -- virtual time it takes
    followed    INTEGER NOT NULL DEFAULT 0, -- whether a job has joined it
    hooks       TEXT NOT NULL DEFAULT '{}', -- JSON, opaque to the queue
    preview     TEXT,
    reports     INTEGER NOT NULL DEFAULT 0  -- changes that followers were not told of, since they read them from the
                                            -- job itself; of a follower, those from before it joined
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_owner ON jobs (owner, id);
CREATE INDEX IF NOT EXISTS jobs_flight ON jobs (flight, id) WHERE flight IS NOT NULL AND leader IS NULL;
CREATE INDEX IF NOT EXISTS jobs_leader ON jobs (leader) WHERE leader IS NOT NULL;
-- The last three columns make it a covering one, for counting.
CREATE INDEX IF NOT EXISTS jobs_ready ON jobs (lane, band, vt, id, status, due_at, leader)
    WHERE status = 'queued' AND due_at = 0 AND leader IS NULL;
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due_at, id) WHERE due_at > 0;
CREATE INDEX IF NOT EXISTS jobs_running ON jobs (lane) WHERE status = 'running' AND leader IS NULL;
CREATE INDEX IF NOT EXISTS jobs_dead ON jobs (id) WHERE status = 'failed';
CREATE INDEX IF NOT EXISTS jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
-- Rows with words that are not known, to be set aside: seldom any.
CREATE INDEX IF NOT EXISTS jobs_unknown ON jobs (id)
    WHERE status NOT IN ('queued', 'running', 'delivering', 'succeeded', 'failed', 'cancelled')
        OR cache NOT IN ('miss', 'exact', 'semantic', 'joined');

CREATE TABLE IF NOT EXISTS lanes (
    name       TEXT PRIMARY KEY,
    vt         INTEGER NOT NULL DEFAULT 0, -- largest virtual start among the jobs begun
    next_at    INTEGER NOT NULL DEFAULT 0, -- no call begins earlier, by the rate; ms
    held_until INTEGER NOT NULL DEFAULT 0, -- no call begins earlier, by the provider's wish; ms
    floor      INTEGER                     -- parallelism at held_until
) STRICT, WITHOUT ROWID;

-- Where each owner's next job would start in virtual time, if that is ahead of the lane.
CREATE TABLE IF NOT EXISTS owners (
    lane   TEXT NOT NULL,
    owner  TEXT NOT NULL,
    finish INTEGER NOT NULL,
    PRIMARY KEY (lane, owner)
) STRICT, WITHOUT ROWID;

-- Jobs that have ended, as they were then, until they are settled and told of.
CREATE TABLE IF NOT EXISTS outbox (
    key         TEXT PRIMARY KEY,
    pays        INTEGER NOT NULL,  -- whether it owes what the call cost
    interrupted INTEGER NOT NULL,  -- whether the call was stopped during an attempt
    attempts    TEXT NOT NULL,     -- JSON: the call's failed attempts, if it pays
    id          TEXT NOT NULL,     -- from here on as in jobs
    owner       TEXT NOT NULL,
    status      TEXT NOT NULL,
    version     INTEGER NOT NULL,
    token       INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    withdrawn   INTEGER NOT NULL,
    cache       TEXT NOT NULL,
    request     TEXT NOT NULL,
    charge      TEXT NOT NULL,
    hooks       TEXT NOT NULL,
    outcome     TEXT
) STRICT, WITHOUT ROWID;

-- Which job refers to which blob, so that a shared picture outlives one of its jobs.
CREATE TABLE IF NOT EXISTS files (
    key TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (key, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_job ON files (job);

-- Blobs that no job refers to any more, until they are discarded.
CREATE TABLE IF NOT EXISTS discards (
    key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- How far a look through the finished jobs has come; ms.
CREATE TABLE IF NOT EXISTS marks (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
