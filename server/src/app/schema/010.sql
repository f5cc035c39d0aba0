-- Blobs that no job refers to any more, until they are discarded.
CREATE TABLE discards (
    key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- How far a look through the finished jobs has come; ms.
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
