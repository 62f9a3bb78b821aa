-- Users who were added (those in the configuration are not here), and who is a member of which
-- workspace. Of the default workspace everyone is, without a row.
CREATE TABLE users (
    id         TEXT PRIMARY KEY,
    email      TEXT NOT NULL,
    first_name TEXT,
    last_name  TEXT,
    role       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    workspace  BLOB NOT NULL CHECK (length(workspace) = 16),
    user       TEXT NOT NULL,
    id         BLOB NOT NULL CHECK (length(id) = 16),
    role       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, user)
) STRICT, WITHOUT ROWID;
