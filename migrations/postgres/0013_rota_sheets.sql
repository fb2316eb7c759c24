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
    made_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    content BYTEA,
    counts TEXT NOT NULL,
    done_at_ms BIGINT,
    undo BYTEA,
    undo_until_ms BIGINT,
    undone_at_ms BIGINT,
    PRIMARY KEY (association_id, sheet_id)
);
