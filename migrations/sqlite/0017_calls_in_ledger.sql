-- A call is an event of the ledger too: one that came from a call names it and has no row among the requests.
-- The tables that point to the events are made anew with them: SQLite cannot take a foreign key away.
CREATE TABLE completed_event_next (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    -- The call of an urgent call; request_id is then what its plan hunted by.
    call_id TEXT,
    at_ms INTEGER NOT NULL,
    counts_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id),
    UNIQUE (association_id, call_id),
    FOREIGN KEY (association_id, call_id) REFERENCES call
) STRICT;
INSERT INTO completed_event_next (association_id, request_id, at_ms, counts_at_ms, body)
    SELECT association_id, request_id, at_ms, counts_at_ms, body FROM completed_event;

CREATE TABLE ledger_line_next (
    association_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    run TEXT NOT NULL,
    side TEXT NOT NULL,
    party TEXT NOT NULL,
    tariff TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    amount_yen INTEGER NOT NULL,
    reason TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, line_id),
    UNIQUE (association_id, request_id, side, party, tariff, run),
    FOREIGN KEY (association_id, request_id) REFERENCES completed_event_next
) STRICT;
INSERT INTO ledger_line_next
    SELECT association_id, line_id, request_id, run, side, party, tariff, at_ms, amount_yen, reason, body
    FROM ledger_line;
DROP TABLE ledger_line;
ALTER TABLE ledger_line_next RENAME TO ledger_line;
CREATE INDEX ledger_line_by_time ON ledger_line (association_id, at_ms);

CREATE TABLE ledger_evidence_next (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id, number),
    FOREIGN KEY (association_id, request_id) REFERENCES completed_event_next
) STRICT;
INSERT INTO ledger_evidence_next
    SELECT association_id, request_id, number, recorded_at_ms, recorded_by, body FROM ledger_evidence;
DROP TABLE ledger_evidence;
ALTER TABLE ledger_evidence_next RENAME TO ledger_evidence;

CREATE TABLE ledger_held_next (
    association_id TEXT NOT NULL,
    month TEXT NOT NULL,
    request_id TEXT NOT NULL,
    PRIMARY KEY (association_id, month, request_id),
    FOREIGN KEY (association_id, month) REFERENCES ledger_close,
    FOREIGN KEY (association_id, request_id) REFERENCES completed_event_next
) STRICT;
INSERT INTO ledger_held_next SELECT association_id, month, request_id FROM ledger_held;
DROP TABLE ledger_held;
ALTER TABLE ledger_held_next RENAME TO ledger_held;

DROP TABLE completed_event;
-- The references above follow the new name.
ALTER TABLE completed_event_next RENAME TO completed_event;
CREATE INDEX completed_event_by_count ON completed_event (association_id, counts_at_ms, request_id);

ALTER TABLE call_report ADD COLUMN minutes INTEGER;
