-- Sheets read in: what waits to be confirmed, what was done, and for a while what was there before.

-- state: waiting, done, undone, dropped. content and undo are sealed.
CREATE TABLE sheet_run (
    association_id TEXT NOT NULL REFERENCES association,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    content BLOB,
    counts TEXT NOT NULL,
    done_at_ms INTEGER,
    undo BLOB,
    undo_until_ms INTEGER,
    undone_at_ms INTEGER,
    PRIMARY KEY (association_id, run_id)
) STRICT;
