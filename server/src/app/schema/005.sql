-- What the limits decided, per policy and hour.
CREATE TABLE figures (
    policy   TEXT NOT NULL,
    hour     INTEGER NOT NULL,   -- when it began; ms
    allowed  INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    PRIMARY KEY (hour, policy)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejections (
    policy TEXT NOT NULL,
    hour   INTEGER NOT NULL,
    who    TEXT NOT NULL,
    times  INTEGER NOT NULL,
    PRIMARY KEY (hour, policy, who)
) STRICT, WITHOUT ROWID;
