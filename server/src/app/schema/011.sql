-- Changes that a job's followers were not told of, since they read them from the
-- job itself; of a follower, those from before it joined.
ALTER TABLE jobs ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
