-- What owners find among their jobs.
CREATE TABLE entries (
    n     INTEGER PRIMARY KEY,  -- of its words
    job   TEXT NOT NULL UNIQUE REFERENCES jobs (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    kind  TEXT NOT NULL
) STRICT;
CREATE INDEX entries_owner ON entries (owner, job);

-- The words as the queue makes them: the tokenizer only has to part them at the blanks. The owner is a word in hexadecimal.
CREATE VIRTUAL TABLE entry_words USING fts5 (
    owner, words,
    content = '', contentless_delete = 1, detail = 'column', tokenize = 'ascii', prefix = '1 2 3'
);
CREATE TRIGGER entries_gone AFTER DELETE ON entries BEGIN
    DELETE FROM entry_words WHERE rowid = old.n;
END;

-- Jobs from before have no entries yet.
INSERT INTO marks (name, at) SELECT 'entries', 0 WHERE EXISTS (SELECT 1 FROM jobs);
