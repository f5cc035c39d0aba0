-- Vectors of answered prompts; the number of the latest change to a job is its row's.
CREATE TABLE meanings (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    job        TEXT NOT NULL UNIQUE,
    record     TEXT,               -- JSON; NULL: removed
    expires_at INTEGER NOT NULL    -- ms
) STRICT;
CREATE INDEX meanings_expires ON meanings (expires_at);

-- When entries were last of use, to know which go first.
ALTER TABLE cache ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
UPDATE cache SET used_at = stored_at;
CREATE INDEX cache_used ON cache (used_at);
CREATE INDEX cache_expires ON cache (expires_at);

-- What the caches saved, per hour.
CREATE TABLE savings (
    hour   INTEGER NOT NULL,   -- when it began; ms
    name   TEXT NOT NULL,      -- miss, exact, semantic, joined, or usd in millionths
    amount INTEGER NOT NULL,
    PRIMARY KEY (hour, name)
) STRICT, WITHOUT ROWID;
