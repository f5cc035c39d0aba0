-- Where responses are that upstreams keep.
CREATE TABLE pins (
    id         TEXT PRIMARY KEY,
    pin        TEXT NOT NULL,      -- JSON
    expires_at INTEGER NOT NULL    -- ms
) STRICT, WITHOUT ROWID;
CREATE INDEX pins_expires ON pins (expires_at);
