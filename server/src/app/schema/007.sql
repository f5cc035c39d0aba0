-- Jobs that nobody but their owner sees, though jobs of their kind are seen by others.
CREATE TABLE withheld (
    job TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
