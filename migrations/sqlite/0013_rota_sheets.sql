-- Rotas and wish sheets read in: what waits to be confirmed, what was done, and for a while what was there before.

-- kind: duties, wishes. state: waiting, done, undone, dropped. content and undo are sealed; target: the draft or the
-- round into which it goes.
CREATE TABLE rota_sheet (
    association_id TEXT NOT NULL REFERENCES association,
    sheet_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
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
    PRIMARY KEY (association_id, sheet_id)
) STRICT;
