-- Retention puts one of these in the place of the entries it sums up; no creator is ''.
CREATE TABLE sealed (
    day                INTEGER NOT NULL,
    key                BLOB NOT NULL CHECK (length(key) = 32),
    workspace          BLOB NOT NULL CHECK (length(workspace) = 16),
    creator            TEXT NOT NULL,
    model              TEXT NOT NULL,
    provider           TEXT NOT NULL,
    upstream_model     TEXT NOT NULL,
    entries            INTEGER NOT NULL,
    requests           INTEGER NOT NULL,
    credits            INTEGER NOT NULL,
    byok               INTEGER NOT NULL,
    prompt_tokens      INTEGER NOT NULL,
    completion_tokens  INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    last_used_at       INTEGER,
    PRIMARY KEY (day, key, workspace, creator, model, provider, upstream_model)
) STRICT, WITHOUT ROWID;

-- Which entries they were, by the day they were admitted on and half a SHA-256 of their generation,
-- attempt and kind: one that is settled again, however late, counts once.
CREATE TABLE sealed_entries (
    day INTEGER NOT NULL,
    id  BLOB NOT NULL CHECK (length(id) = 16),
    PRIMARY KEY (day, id)
) STRICT, WITHOUT ROWID;
