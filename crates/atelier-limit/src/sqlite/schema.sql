-- Counters of every algorithm.
CREATE TABLE IF NOT EXISTS limits (
    key        TEXT PRIMARY KEY,   -- policy, shape and subject
    at         INTEGER NOT NULL,   -- see Counter
    used       INTEGER NOT NULL,
    before     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL    -- when it says nothing any more; ms
) STRICT, WITHOUT ROWID;

-- What has been settled.
CREATE TABLE IF NOT EXISTS settlements (
    id         TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS settlements_expires ON settlements (expires_at);

-- What the limits decided, per policy and hour.
CREATE TABLE IF NOT EXISTS figures (
    policy   TEXT NOT NULL,
    hour     INTEGER NOT NULL,   -- when it began; ms
    allowed  INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    PRIMARY KEY (hour, policy)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS rejections (
    policy TEXT NOT NULL,
    hour   INTEGER NOT NULL,
    who    TEXT NOT NULL,
    times  INTEGER NOT NULL,
    PRIMARY KEY (hour, policy, who)
) STRICT, WITHOUT ROWID;
