-- Lanes, fair order, hooks and previews.
ALTER TABLE jobs ADD COLUMN lane TEXT NOT NULL DEFAULT '';         -- the provider
ALTER TABLE jobs ADD COLUMN band INTEGER NOT NULL DEFAULT 1;       -- 0 is served first
ALTER TABLE jobs ADD COLUMN vt INTEGER NOT NULL DEFAULT 0;         -- virtual start time
ALTER TABLE jobs ADD COLUMN cost INTEGER NOT NULL DEFAULT 1;       -- virtual time it takes
ALTER TABLE jobs ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;   -- whether a job has joined it
ALTER TABLE jobs ADD COLUMN hooks TEXT NOT NULL DEFAULT '{}';      -- JSON, opaque to the queue
ALTER TABLE jobs ADD COLUMN preview TEXT;
UPDATE jobs SET lane = json_extract(request, '$.provider');
UPDATE jobs SET followed = 1 WHERE id IN (SELECT leader FROM jobs);
-- From here on, due_at is 0 for what waits for nothing but its turn, and for what has ended.
UPDATE jobs SET due_at = 0 WHERE leader IS NOT NULL OR status NOT IN ('running', 'delivering');

DROP INDEX jobs_active;
-- The last three make it a covering one, for counting.
CREATE INDEX jobs_ready ON jobs (lane, band, vt, id, status, due_at, leader) WHERE status = 'queued' AND due_at = 0 AND leader IS NULL;
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE due_at > 0;
CREATE INDEX jobs_running ON jobs (lane) WHERE status = 'running' AND leader IS NULL;
CREATE INDEX jobs_dead ON jobs (id) WHERE status = 'failed';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE lanes (
    name       TEXT PRIMARY KEY,
    vt         INTEGER NOT NULL DEFAULT 0, -- largest virtual start among the jobs begun
    next_at    INTEGER NOT NULL DEFAULT 0, -- no call begins earlier, by the rate; ms
    held_until INTEGER NOT NULL DEFAULT 0, -- no call begins earlier, by the provider's wish; ms
    floor      INTEGER                     -- parallelism at held_until
) STRICT, WITHOUT ROWID;

-- Where each owner's next job would start in virtual time, if that is ahead of the lane.
CREATE TABLE owners (
    lane   TEXT NOT NULL,
    owner  TEXT NOT NULL,
    finish INTEGER NOT NULL,
    PRIMARY KEY (lane, owner)
) STRICT, WITHOUT ROWID;
