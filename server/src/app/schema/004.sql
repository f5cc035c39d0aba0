-- API keys and the deny list. Records are JSON.
CREATE TABLE keys (
    digest TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE denials (
    subject TEXT PRIMARY KEY,
    record  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
