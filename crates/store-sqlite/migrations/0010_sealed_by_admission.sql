-- Which entries were sealed, in the order of their admission, so that what is sealed together lies
-- together: the admission, and of those of one microsecond the first eight bytes of a SHA-256 of
-- generation, attempt and kind. Of those from before, only the day is known: its last microsecond
-- stands for the admission.
CREATE TABLE sealed_by_admission (
    admitted_at INTEGER NOT NULL,
    id          BLOB NOT NULL CHECK (length(id) = 8),
    PRIMARY KEY (admitted_at, id)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO sealed_by_admission
SELECT (day + 1) * 86400000000 - 1, substr(id, 1, 8) FROM sealed_entries;

DROP TABLE sealed_entries;
ALTER TABLE sealed_by_admission RENAME TO sealed_entries;
