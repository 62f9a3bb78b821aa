-- Workspaces, with their budgets and what was spent in each. Lists are JSON arrays; a budget that
-- never starts afresh has the reset ''.
CREATE TABLE workspaces (
    id                              BLOB PRIMARY KEY CHECK (length(id) = 16),
    slug                            TEXT NOT NULL,
    name                            TEXT NOT NULL,
    description                     TEXT,
    default_text_model              TEXT,
    default_image_model             TEXT,
    default_provider_sort           TEXT,
    io_logging                      INTEGER NOT NULL,
    broadcast                       INTEGER NOT NULL,
    data_discount_logging           INTEGER NOT NULL,
    io_logging_sampling_millionths  INTEGER NOT NULL,
    io_logging_api_key_ids          TEXT,
    disabled_server_tools           TEXT,
    include_byok_in_budgets         INTEGER NOT NULL,
    created_at                      INTEGER NOT NULL,
    updated_at                      INTEGER,
    created_by                      TEXT,
    version                         INTEGER NOT NULL,
    deleted_at                      INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX workspaces_named ON workspaces (slug) WHERE deleted_at IS NULL;

CREATE TABLE budgets (
    workspace   BLOB NOT NULL CHECK (length(workspace) = 16),
    reset       TEXT NOT NULL,
    id          BLOB NOT NULL CHECK (length(id) = 16),
    limit_nanos INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (workspace, reset)
) STRICT, WITHOUT ROWID;

-- The sum of all entries that were admitted in a workspace.
CREATE TABLE workspace_totals (
    workspace BLOB PRIMARY KEY,
    credits   INTEGER NOT NULL,
    byok      INTEGER NOT NULL,
    requests  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Row by row, and a sum past the largest integer stays at it: sum() would fail, and the file could
-- not be opened any more.
INSERT INTO workspace_totals
SELECT workspace, credits, byok, requests FROM daily WHERE true
ON CONFLICT DO UPDATE SET
    credits = CASE typeof(credits + excluded.credits)
        WHEN 'integer' THEN credits + excluded.credits
        ELSE iif(credits > 0, 9223372036854775807, -9223372036854775808) END,
    byok = CASE typeof(byok + excluded.byok)
        WHEN 'integer' THEN byok + excluded.byok
        ELSE iif(byok > 0, 9223372036854775807, -9223372036854775808) END,
    requests = requests + excluded.requests;
