-- The book. Money is whole nano-dollars, times are microseconds since 1970, hashes are SHA-256 as
-- 32 bytes, and nothing is a float.

-- Whatever authenticates something, or ever did, and what it stands for: never reused.
CREATE TABLE hashes (
    hash  BLOB PRIMARY KEY CHECK (length(hash) = 32),
    owner BLOB NOT NULL CHECK (length(owner) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    hash                  BLOB PRIMARY KEY CHECK (length(hash) = 32),
    second_hash           BLOB CHECK (length(second_hash) = 32),
    label                 TEXT NOT NULL,
    name                  TEXT NOT NULL,
    disabled              INTEGER NOT NULL,
    limit_nanos           INTEGER,
    limit_reset           TEXT,
    include_byok_in_limit INTEGER NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER,
    expires_at            INTEGER,
    creator               TEXT,
    workspace             BLOB NOT NULL CHECK (length(workspace) = 16),
    external_user         TEXT,
    version               INTEGER NOT NULL,
    deleted_at            INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_listed ON keys (workspace, created_at DESC, hash) WHERE deleted_at IS NULL;

CREATE TABLE management_keys (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    label      TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- One row an attempt (kind 0) and one a correction of it (kind 1 and up). The rising id keeps new
-- rows side by side, so that a batch dirties few pages.
CREATE TABLE entries (
    id                 INTEGER PRIMARY KEY,
    generation         TEXT NOT NULL,
    attempt            INTEGER NOT NULL,
    kind               INTEGER NOT NULL,
    key                BLOB NOT NULL CHECK (length(key) = 32),
    workspace          BLOB NOT NULL CHECK (length(workspace) = 16),
    creator            TEXT,
    model              TEXT NOT NULL,
    provider           TEXT NOT NULL,
    upstream_model     TEXT NOT NULL,
    admitted_at        INTEGER NOT NULL,
    credits            INTEGER NOT NULL,
    byok               INTEGER NOT NULL,
    held_credits       INTEGER NOT NULL,
    held_byok          INTEGER NOT NULL,
    source             TEXT NOT NULL,
    prompt_tokens      INTEGER NOT NULL,
    completion_tokens  INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    upstream_id        TEXT,
    streamed           INTEGER NOT NULL,
    cancelled          INTEGER NOT NULL,
    finish_reason      TEXT,
    latency_ms         INTEGER NOT NULL,
    generation_ms      INTEGER NOT NULL,
    attempts           TEXT NOT NULL,
    referer            TEXT,
    user_agent         TEXT,
    session            TEXT,
    UNIQUE (generation, attempt, kind)
) STRICT;

CREATE INDEX entries_admitted ON entries (admitted_at);
CREATE INDEX entries_uncertain ON entries (admitted_at)
    WHERE kind = 0 AND source IN ('interrupted', 'held');

-- The sum of the entries of one UTC day (counted from 1970-01-01), as admitted. No creator is ''.
CREATE TABLE daily (
    day               INTEGER NOT NULL,
    key               BLOB NOT NULL,
    workspace         BLOB NOT NULL,
    creator           TEXT NOT NULL,
    model             TEXT NOT NULL,
    provider          TEXT NOT NULL,
    credits           INTEGER NOT NULL,
    byok              INTEGER NOT NULL,
    requests          INTEGER NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    reasoning_tokens  INTEGER NOT NULL,
    cached_tokens     INTEGER NOT NULL,
    PRIMARY KEY (day, key, workspace, creator, model, provider)
) STRICT, WITHOUT ROWID;

-- The sum of all entries of a key.
CREATE TABLE totals (
    key          BLOB PRIMARY KEY,
    credits      INTEGER NOT NULL,
    byok         INTEGER NOT NULL,
    requests     INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    id         BLOB PRIMARY KEY CHECK (length(id) = 32),
    body       BLOB NOT NULL CHECK (length(body) = 32),
    answer     BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE endpoint_marks (
    model                  TEXT NOT NULL,
    provider               TEXT NOT NULL,
    upstream_model         TEXT NOT NULL,
    prompt_overhead_tokens INTEGER NOT NULL,
    held_at_maximum        INTEGER NOT NULL,
    barred                 INTEGER NOT NULL,
    PRIMARY KEY (model, provider, upstream_model)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    before  TEXT,
    after   TEXT
) STRICT;
