CREATE TABLE IF NOT EXISTS cache (
    key        TEXT PRIMARY KEY,
    job        TEXT NOT NULL,
    stored_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL DEFAULT 0 -- when it was last of use, to know which goes first
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cache_used ON cache (used_at);
CREATE INDEX IF NOT EXISTS cache_expires ON cache (expires_at);

-- How many rows a table has, where asking the table would read all of it.
CREATE TABLE IF NOT EXISTS counts (
    name TEXT PRIMARY KEY,
    rows INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO counts (name, rows) VALUES ('cache', 0);
CREATE TRIGGER IF NOT EXISTS cache_more AFTER INSERT ON cache BEGIN
    UPDATE counts SET rows = rows + 1 WHERE name = 'cache';
END;
CREATE TRIGGER IF NOT EXISTS cache_fewer AFTER DELETE ON cache BEGIN
    UPDATE counts SET rows = rows - 1 WHERE name = 'cache';
END;

-- What the caches saved, per hour.
CREATE TABLE IF NOT EXISTS savings (
    hour   INTEGER NOT NULL,   -- when it began; ms
    name   TEXT NOT NULL,      -- miss, exact, semantic, joined, or usd in millionths
    amount INTEGER NOT NULL,
    PRIMARY KEY (hour, name)
) STRICT, WITHOUT ROWID;

-- Vectors of answered prompts; the number of the latest change to a job is its row's.
CREATE TABLE IF NOT EXISTS meanings (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    job        TEXT NOT NULL UNIQUE,
    record     TEXT,               -- JSON; NULL: removed
    expires_at INTEGER NOT NULL    -- ms
) STRICT;
CREATE INDEX IF NOT EXISTS meanings_expires ON meanings (expires_at);
