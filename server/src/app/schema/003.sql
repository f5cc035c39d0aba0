-- Counters of every algorithm, and what has been settled. The counters that
-- were kept before are begun anew.
DROP TABLE limits;
CREATE TABLE limits (
    key        TEXT PRIMARY KEY,   -- policy, shape and subject
    at         INTEGER NOT NULL,   -- see the counters of limit/rule.rs
    used       INTEGER NOT NULL,
    before     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL    -- when it says nothing any more; ms
) STRICT, WITHOUT ROWID;

CREATE TABLE settlements (
    id         TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
