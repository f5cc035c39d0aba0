-- Rows are large. In a table without row ids each comparison of keys would read what lies
-- before the key's end, and most of it from other pages.
DROP TRIGGER cache_more;
DROP TRIGGER cache_fewer;
ALTER TABLE cache RENAME TO cache_before;
CREATE TABLE cache (
    key        TEXT PRIMARY KEY,
    job        TEXT NOT NULL,             -- the value
    stored_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL DEFAULT 0 -- when it was last of use, to know which goes first
) STRICT;
INSERT INTO cache (key, job, stored_at, expires_at, used_at)
    SELECT key, job, stored_at, expires_at, used_at FROM cache_before;
DROP TABLE cache_before;
CREATE INDEX cache_used ON cache (used_at);
CREATE INDEX cache_expires ON cache (expires_at);
CREATE TRIGGER cache_more AFTER INSERT ON cache BEGIN
    UPDATE counts SET rows = rows + 1 WHERE name = 'cache';
END;
CREATE TRIGGER cache_fewer AFTER DELETE ON cache BEGIN
    UPDATE counts SET rows = rows - 1 WHERE name = 'cache';
END;
