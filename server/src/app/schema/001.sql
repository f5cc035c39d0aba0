-- One row per job: queue entry, what the client polls, and gallery row.
CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,          -- UUIDv7: sorts by time of creation
    owner       TEXT NOT NULL,
    status      TEXT NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    token       INTEGER NOT NULL DEFAULT 0, -- fencing token: one more with every claim of a call
    attempt     INTEGER NOT NULL DEFAULT 0,
    deliveries  INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,          -- not before (queued), or end of the lease (running, delivering); ms
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    flight      TEXT,                      -- digest of the request that others may join
    leader      TEXT,                      -- the job whose call this one shares
    withdrawn   INTEGER NOT NULL DEFAULT 0, -- 1: cancelled, 2: deleted by its owner, but carried on for its followers
    cache       TEXT NOT NULL,
    progress    REAL,
    request     TEXT NOT NULL,             -- JSON
    charge      TEXT NOT NULL,             -- JSON, opaque to the queue
    failures    TEXT NOT NULL DEFAULT '[]', -- JSON, one entry per failed attempt
    outcome     TEXT                       -- JSON
) STRICT;
CREATE INDEX jobs_active ON jobs (id, due_at) WHERE leader IS NULL AND status IN ('queued', 'running', 'delivering');
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_flight ON jobs (flight, id) WHERE flight IS NOT NULL AND leader IS NULL;
CREATE INDEX jobs_leader ON jobs (leader) WHERE leader IS NOT NULL;

-- Which job refers to which blob, so that a shared picture outlives one of its jobs.
CREATE TABLE files (
    key TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (key, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_job ON files (job);

CREATE TABLE cache (
    key        TEXT PRIMARY KEY,
    job        TEXT NOT NULL,
    stored_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE limits (
    policy     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used       INTEGER NOT NULL,
    PRIMARY KEY (policy, subject)
) STRICT, WITHOUT ROWID;
