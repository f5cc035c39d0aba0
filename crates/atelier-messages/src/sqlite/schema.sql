-- URL groups.
CREATE TABLE url_groups (
    owner  TEXT NOT NULL,
    name   TEXT NOT NULL,
    record TEXT NOT NULL,      -- see Group; JSON
    PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;

-- Schedules. AUTOINCREMENT never gives out a number again.
CREATE TABLE schedules (
    revision   INTEGER PRIMARY KEY AUTOINCREMENT,
    owner      TEXT NOT NULL,
    id         TEXT NOT NULL,
    created_at INTEGER NOT NULL,   -- ms
    paused     INTEGER NOT NULL,
    due_at     INTEGER,            -- ms
    fired      TEXT NOT NULL,      -- see Fired; JSON, the newest first
    UNIQUE (owner, id)
) STRICT;
CREATE INDEX schedules_due ON schedules (due_at) WHERE paused = 0;

-- By themselves, as they may be large: what changes is not written with them.
CREATE TABLE schedule_contents (
    revision INTEGER PRIMARY KEY REFERENCES schedules (revision) ON DELETE CASCADE,
    content  TEXT NOT NULL         -- see Content; JSON
) STRICT;

-- How often the signing keys of an owner were rotated.
CREATE TABLE signing_generations (
    owner      TEXT PRIMARY KEY,
    generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which message was published for a key.
CREATE TABLE duplicates (
    digest     TEXT PRIMARY KEY,   -- of owner and key
    message    TEXT NOT NULL,
    expires_at INTEGER NOT NULL    -- ms
) STRICT, WITHOUT ROWID;
CREATE INDEX duplicates_expires_at ON duplicates (expires_at);

-- Events.
CREATE TABLE message_events (
    owner  TEXT NOT NULL,
    id     TEXT NOT NULL,          -- see EventId
    record TEXT NOT NULL,          -- see Event; JSON
    PRIMARY KEY (owner, id)
) STRICT;

-- How many events there are of each owner that has any.
CREATE TABLE message_event_counts (
    owner TEXT PRIMARY KEY,
    kept  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
