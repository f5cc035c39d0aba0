PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE cache (
    key        TEXT PRIMARY KEY,
    job        TEXT NOT NULL,
    stored_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
, used_at INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
INSERT INTO "cache" VALUES('f5fd00ce16cbc990fe8b3667c88b9f4a7d4a7a101085f563eebe09a6aa5bafdd','01a2193a773a7490a3be34b4b5fc3656',1795719591742,1798311591742,1795719591742);
INSERT INTO "cache" VALUES('fa850f2b488abc58d89d197725e1b03546361130fe85947919f2bd47e6b77f3a','01a2193a73ea74f186bfac04811422a0',1795719591512,1798311591512,1795719591512);
CREATE TABLE counts (
    name TEXT PRIMARY KEY,
    rows INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "counts" VALUES('cache',2);
CREATE TABLE denials (
    subject TEXT PRIMARY KEY,
    record  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "denials" VALUES('ip 203.0.113.99','{"subject":"ip 203.0.113.99","until":null}');
CREATE TABLE discards (
    key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TABLE figures (
    policy   TEXT NOT NULL,
    hour     INTEGER NOT NULL,   -- when it began; ms
    allowed  INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    PRIMARY KEY (hour, policy)
) STRICT, WITHOUT ROWID;
INSERT INTO "figures" VALUES('daily-budget',1795716000000,4,0);
CREATE TABLE files (
    key TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (key, job)
) STRICT, WITHOUT ROWID;
INSERT INTO "files" VALUES('be184fd5d79e4226a9b1c761f54b3f42.png','01a2193a73ea74f186bfac04811422a0');
INSERT INTO "files" VALUES('be184fd5d79e4226a9b1c761f54b3f42.png','01a2193a772d7020922d3f814c812bfc');
INSERT INTO "files" VALUES('0134f21d95014af5acfca54672aa7877p.jpg','01a2193a773a7490a3be34b4b5fc3656');
INSERT INTO "files" VALUES('42492f75517e4d9bb53a198379c118f7p.jpg','01a2193a773a7490a3be34b4b5fc3656');
CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,          -- UUIDv7: sorts by time of creation
    owner       TEXT NOT NULL,
    status      TEXT NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    token       INTEGER NOT NULL DEFAULT 0, -- fencing token: one more with every claim of a call
    attempt     INTEGER NOT NULL DEFAULT 0,
    deliveries  INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,          -- not before (queued), or end of the lease (running, delivering); ms
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    flight      TEXT,                      -- digest of the request that others may join
    leader      TEXT,                      -- the job whose call this one shares
    withdrawn   INTEGER NOT NULL DEFAULT 0, -- 1: cancelled, 2: deleted by its owner, but carried on for its followers
    cache       TEXT NOT NULL,
    progress    REAL,
    request     TEXT NOT NULL,             -- JSON
    charge      TEXT NOT NULL,             -- JSON, opaque to the queue
    failures    TEXT NOT NULL DEFAULT '[]', -- JSON, one entry per failed attempt
    outcome     TEXT                       -- JSON
, lane TEXT NOT NULL DEFAULT '', band INTEGER NOT NULL DEFAULT 1, vt INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 1, followed INTEGER NOT NULL DEFAULT 0, hooks TEXT NOT NULL DEFAULT '{}', preview TEXT, reports INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "jobs" VALUES('01a2193a73ea74f186bfac04811422a0','key_755124729c','succeeded',6,1795719590934,1,0,0,1795719590890,1795719590934,1795719591512,'fa850f2b488abc58d89d197725e1b03546361130fe85947919f2bd47e6b77f3a',NULL,0,'miss',NULL,'{"provider":"local","model":"sketch-1","variation":0,"task":{"kind":"image","prompt":"a lighthouse at night","size":"auto","quality":"auto","n":1,"style":null,"background":"auto"}}','[{"cost":0,"key":"refusals:rb10/3600000:key_755124729c","mark":1795719590890,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"},{"cost":0,"key":"refusals:rb10/3600000:127.0.0.1","mark":1795719590890,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"}]','[]','{"succeeded":{"pictures":[{"key":"be184fd5d79e4226a9b1c761f54b3f42.png","width":1024,"height":1024,"media_type":"image/png","bytes":1338390,"thumbhash":"0uYFDwIEepV7l2iCl4h4Z5eahwT3WXMP"}],"cost_usd":null}}','local',1,0,1,0,'{"callback_url":null,"failure_callback_url":null}',NULL,0);
INSERT INTO "jobs" VALUES('01a2193a772d7020922d3f814c812bfc','key_755124729c','succeeded',1,0,0,0,0,1795719591725,NULL,1795719591725,NULL,NULL,0,'exact',NULL,'{"provider":"local","model":"sketch-1","variation":0,"task":{"kind":"image","prompt":"a lighthouse at night","size":"auto","quality":"auto","n":1,"style":null,"background":"auto"},"found":{"job":"01a2193a73ea74f186bfac04811422a0","painted_at":"2026-11-26T18:59:51.512Z"}}','[{"cost":0,"key":"refusals:rb10/3600000:key_755124729c","mark":1795719591725,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"},{"cost":0,"key":"refusals:rb10/3600000:127.0.0.1","mark":1795719591725,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"}]','[]','{"succeeded":{"pictures":[{"key":"be184fd5d79e4226a9b1c761f54b3f42.png","width":1024,"height":1024,"media_type":"image/png","bytes":1338390,"thumbhash":"0uYFDwIEepV7l2iCl4h4Z5eahwT3WXMP"}],"cost_usd":null}}','local',1,0,1,0,'{"callback_url":null,"failure_callback_url":null}',NULL,0);
INSERT INTO "jobs" VALUES('01a2193a773a7490a3be34b4b5fc3656','key_755124729c','succeeded',4,1795719591739,1,0,0,1795719591738,1795719591739,1795719591742,'f5fd00ce16cbc990fe8b3667c88b9f4a7d4a7a101085f563eebe09a6aa5bafdd',NULL,0,'miss',NULL,'{"provider":"local","model":"restorer-1","variation":0,"task":{"kind":"restoration","original":{"key":"0134f21d95014af5acfca54672aa7877p.jpg","width":64,"height":48,"media_type":"image/jpeg","bytes":1583,"thumbhash":"2xgKNZqAh3eAeIh4eHd4iHCAB/h4"},"digest":"4575fee9cdde099312bf5afc0fbcf05c37d3ca1efca57c20f743f7ef7f84c5be","enlarge":1,"strength":100,"monochrome":false,"name":"photo"}}','[{"cost":0,"key":"refusals:rb10/3600000:key_755124729c","mark":1795719591738,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"},{"cost":0,"key":"refusals:rb10/3600000:127.0.0.1","mark":1795719591738,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"}]','[]','{"succeeded":{"pictures":[{"key":"42492f75517e4d9bb53a198379c118f7p.jpg","width":64,"height":48,"media_type":"image/jpeg","bytes":1581,"thumbhash":"2xgKNZqAh3eAeIh4eHd4eHCAB/h4"}],"cost_usd":null}}','local',1,1,1,0,'{"callback_url":null,"failure_callback_url":null}',NULL,0);
INSERT INTO "jobs" VALUES('01a2193a833074569a026b8d7d2e1541','key_755124729c','queued',5,1795719595098,2,0,1795719597070,1795719594800,1795719594877,NULL,'3a1a5ee3994f385e381eb09cb1ef776e2d855b5f97327ea75c07555d1c25ef8c',NULL,0,'miss',NULL,'{"provider":"replicate","model":"black-forest-labs/flux-schnell","variation":0,"task":{"kind":"image","prompt":"a ship that waits","size":"auto","quality":"auto","n":1,"style":null,"background":"auto"}}','[{"cost":3000,"key":"daily-budget:uf86400000:","mark":1795651200000,"rule":{"fixed_window":{"length":86400000,"quota":10000000}},"unit":"usd"},{"cost":0,"key":"refusals:rb10/3600000:key_755124729c","mark":1795719594800,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"},{"cost":0,"key":"refusals:rb10/3600000:127.0.0.1","mark":1795719594800,"rule":{"token_bucket":{"period":360000,"refill":1,"size":10}},"unit":"requests"}]','[{"attempt":1,"token":1795719594877,"at":"2026-11-26T18:59:54.878905Z","failure":{"code":"provider_unreachable","message":"The image service could not be reached.","retryable":true},"request_id":null},{"attempt":2,"token":1795719595098,"at":"2026-11-26T18:59:55.100187Z","failure":{"code":"provider_unreachable","message":"The image service could not be reached.","retryable":true},"request_id":null}]',NULL,'replicate',1,0,1,0,'{"callback_url":null,"failure_callback_url":null}',NULL,0);
CREATE TABLE keys (
    digest TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "keys" VALUES('2c45c737f8024d28fc48622c9f7d87b25efdd5c0583f8ae6a129752621ac729a','{"id":"key_755124729c","name":"fixture","created_at":"2026-11-26T18:59:50.8518Z","revoked_at":null,"own":null}');
CREATE TABLE lanes (
    name       TEXT PRIMARY KEY,
    vt         INTEGER NOT NULL DEFAULT 0, -- largest virtual start among the jobs begun
    next_at    INTEGER NOT NULL DEFAULT 0, -- no call begins earlier, by the rate; ms
    held_until INTEGER NOT NULL DEFAULT 0, -- no call begins earlier, by the provider's wish; ms
    floor      INTEGER                     -- parallelism at held_until
) STRICT, WITHOUT ROWID;
INSERT INTO "lanes" VALUES('local',1,1795719591739,0,NULL);
CREATE TABLE limits (
    key        TEXT PRIMARY KEY,   -- policy, shape and subject
    at         INTEGER NOT NULL,   -- see the counters of limit/rule.rs
    used       INTEGER NOT NULL,
    before     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL    -- when it says nothing any more; ms
) STRICT, WITHOUT ROWID;
INSERT INTO "limits" VALUES('daily-budget:uf86400000:',1795651200000,3000,0,1795737600000);
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "marks" VALUES('photos',1795633194786);
CREATE TABLE meanings (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    job        TEXT NOT NULL UNIQUE,
    record     TEXT,               -- JSON; NULL: removed
    expires_at INTEGER NOT NULL    -- ms
) STRICT;
INSERT INTO "meanings" VALUES(1,'01a2193a73ea74f186bfac04811422a0','{"scope":547962461481386926,"scale":0.0011608592,"vector":"PwZSO/7uvYkZET3vGeEUKZoBO0EcBbr0RP7xSeXPIuK1CzjsyBcF1RHcGceOAAYw0bvIFwf3zDETC2jXXSUTITj7H/cfuN8BF/kvANrmNOITH9US3eX6P7sjDenB3RIZ2rtnNvz7pN9L+9r+7A8T6PMG6OXWG/bz/gIUti/aE/cGT/PfUQn09wQzJuI1/gPnf+TwKNey0QCR6yIt5xgSL1gyIg/XvBHfNtv7RCMlAxJF7+QJr/TzxBnwF8EF5+LFPLop++De+yMEGxtpN+ofLgc3UNwbAe8YqfzrQAUert4JGQHxtjHIyiAv5eVPN+qBMu318hf52Nk3QSr/1z7m92fM2f1I9xndAOb3JL8O2xXjJfUOJgHe9jPrMd0rCssFKPIz/Bz7CfPNFMjcYgTr6OixFzPtwCCexTru0Mi3LP7bKOOgHQw99BzyGL0QLyLS09Ls4vb8K9nbTBdiERffzDcU7vXW6PUcHQ6y3u3mRj8S6asVNeQgGu2+5SUlG8Yk","expires_at":1798311591,"used_at":1795719591}',1798311591512);
CREATE TABLE outbox (
    key         TEXT PRIMARY KEY,
    pays        INTEGER NOT NULL,  -- whether it owes what the call cost
    interrupted INTEGER NOT NULL,  -- whether the call was stopped during an attempt
    attempts    TEXT NOT NULL,     -- JSON: the call's failed attempts, if it pays
    id          TEXT NOT NULL,     -- from here on as in jobs
    owner       TEXT NOT NULL,
    status      TEXT NOT NULL,
    version     INTEGER NOT NULL,
    token       INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    withdrawn   INTEGER NOT NULL,
    cache       TEXT NOT NULL,
    request     TEXT NOT NULL,
    charge      TEXT NOT NULL,
    hooks       TEXT NOT NULL,
    outcome     TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE owners (
    lane   TEXT NOT NULL,
    owner  TEXT NOT NULL,
    finish INTEGER NOT NULL,
    PRIMARY KEY (lane, owner)
) STRICT, WITHOUT ROWID;
INSERT INTO "owners" VALUES('local','key_755124729c',2);
INSERT INTO "owners" VALUES('replicate','key_755124729c',1);
CREATE TABLE rejections (
    policy TEXT NOT NULL,
    hour   INTEGER NOT NULL,
    who    TEXT NOT NULL,
    times  INTEGER NOT NULL,
    PRIMARY KEY (hour, policy, who)
) STRICT, WITHOUT ROWID;
CREATE TABLE savings (
    hour   INTEGER NOT NULL,   -- when it began; ms
    name   TEXT NOT NULL,      -- miss, exact, semantic, joined, or usd in millionths
    amount INTEGER NOT NULL,
    PRIMARY KEY (hour, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "savings" VALUES(1795716000000,'exact',1);
INSERT INTO "savings" VALUES(1795716000000,'miss',3);
CREATE TABLE settlements (
    id         TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE withheld (
    job TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_flight ON jobs (flight, id) WHERE flight IS NOT NULL AND leader IS NULL;
CREATE INDEX jobs_leader ON jobs (leader) WHERE leader IS NOT NULL;
CREATE INDEX files_job ON files (job);
CREATE INDEX jobs_ready ON jobs (lane, band, vt, id, status, due_at, leader) WHERE status = 'queued' AND due_at = 0 AND leader IS NULL;
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE due_at > 0;
CREATE INDEX jobs_running ON jobs (lane) WHERE status = 'running' AND leader IS NULL;
CREATE INDEX jobs_dead ON jobs (id) WHERE status = 'failed';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX meanings_expires ON meanings (expires_at);
CREATE INDEX cache_used ON cache (used_at);
CREATE INDEX cache_expires ON cache (expires_at);
CREATE TRIGGER cache_more AFTER INSERT ON cache BEGIN
    UPDATE counts SET rows = rows + 1 WHERE name = 'cache';
END;
CREATE TRIGGER cache_fewer AFTER DELETE ON cache BEGIN
    UPDATE counts SET rows = rows - 1 WHERE name = 'cache';
END;
CREATE INDEX settlements_expires ON settlements (expires_at);
CREATE INDEX jobs_unknown ON jobs (id)
    WHERE status NOT IN ('queued', 'running', 'delivering', 'succeeded', 'failed', 'cancelled')
        OR cache NOT IN ('miss', 'exact', 'semantic', 'joined');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('meanings',1);
PRAGMA user_version = 12;
COMMIT;
