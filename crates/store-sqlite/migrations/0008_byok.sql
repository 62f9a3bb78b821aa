-- Credentials of providers that were brought; the secret only encrypted, and null once it was deleted. Lists are JSON
-- arrays, null where there is no restriction.
CREATE TABLE credentials (
    id                     BLOB PRIMARY KEY CHECK (length(id) = 16),
    provider               TEXT NOT NULL,
    workspace              BLOB CHECK (length(workspace) = 16),
    name                   TEXT,
    label                  TEXT NOT NULL,
    encrypted              BLOB,
    disabled               INTEGER NOT NULL,
    is_fallback            INTEGER NOT NULL,
    is_required            INTEGER NOT NULL,
    is_byok_only           INTEGER NOT NULL,
    sort_order             INTEGER NOT NULL,
    allowed_models         TEXT,
    allowed_api_key_hashes TEXT,
    allowed_user_ids       TEXT,
    declared_region        TEXT,
    declared_zdr           INTEGER,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER,
    version                INTEGER NOT NULL,
    deleted_at             INTEGER,
    CHECK ((encrypted IS NULL) = (deleted_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
