-- Rows with words that are not known, to be set aside: seldom any.
CREATE INDEX jobs_unknown ON jobs (id)
    WHERE status NOT IN ('queued', 'running', 'delivering', 'succeeded', 'failed', 'cancelled')
        OR cache NOT IN ('miss', 'exact', 'semantic', 'joined');
