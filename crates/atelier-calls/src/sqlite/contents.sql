-- What was said in the last calls, if the operator has it kept.
CREATE TABLE call_contents (
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    at       INTEGER NOT NULL,   -- ms
    contents TEXT NOT NULL       -- JSON
) STRICT;
CREATE INDEX call_contents_at ON call_contents (at);
