-- Entries are large. In a table without row ids each comparison of keys would read what lies
-- before the key's end, and most of it from other pages.
ALTER TABLE outbox RENAME TO outbox_before;
CREATE TABLE outbox (
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
) STRICT;
INSERT INTO outbox SELECT * FROM outbox_before;
DROP TABLE outbox_before;
