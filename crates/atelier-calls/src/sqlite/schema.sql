-- Counters of calls, per hour and line.
CREATE TABLE call_hours (
    hour   INTEGER NOT NULL,   -- when it began; ms
    line   TEXT NOT NULL,      -- see Line; JSON
    counts TEXT NOT NULL,      -- see Counts; numbers with spaces between them
    PRIMARY KEY (hour, line)
) STRICT, WITHOUT ROWID;

-- The last calls.
CREATE TABLE calls (
    number INTEGER PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;

-- The last batch of each process.
CREATE TABLE call_writers (
    writer TEXT PRIMARY KEY,
    batch  INTEGER NOT NULL,
    at     INTEGER NOT NULL    -- ms
) STRICT, WITHOUT ROWID;
CREATE INDEX call_writers_at ON call_writers (at);
