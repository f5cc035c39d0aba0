-- API keys and the deny list. Records are JSON.
CREATE TABLE IF NOT EXISTS keys (
    digest TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS denials (
    subject TEXT PRIMARY KEY,
    record  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Jobs that nobody but their owner sees, though jobs of their kind are seen by others.
CREATE TABLE IF NOT EXISTS withheld (
    job TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
