-- How many rows a table has, where asking the table would read all of it.
CREATE TABLE counts (
    name TEXT PRIMARY KEY,
    rows INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counts (name, rows) SELECT 'cache', count(*) FROM cache;
CREATE TRIGGER cache_more AFTER INSERT ON cache BEGIN
    UPDATE counts SET rows = rows + 1 WHERE name = 'cache';
END;
CREATE TRIGGER cache_fewer AFTER DELETE ON cache BEGIN
    UPDATE counts SET rows = rows - 1 WHERE name = 'cache';
END;

CREATE INDEX settlements_expires ON settlements (expires_at);
