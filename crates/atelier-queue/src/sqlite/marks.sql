-- How owners mark their jobs.
ALTER TABLE entries ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN folder TEXT;  -- NULL: in none
CREATE INDEX entries_folder ON entries (owner, folder) WHERE folder IS NOT NULL;
