-- The ledger's months: what was recorded for it by hand, closes, sealed lines, orders for entries.
ALTER TABLE completed_event ADD COLUMN counts_at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE completed_event SET counts_at_ms = CAST(json_extract(body, '$.moment.at') AS INTEGER);
CREATE INDEX completed_event_by_count ON completed_event (association_id, counts_at_ms, request_id);

CREATE TABLE tariff_set (
    association_id TEXT NOT NULL REFERENCES association,
    number INTEGER NOT NULL,
    version TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    note TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, number)
) STRICT;

CREATE TABLE ledger_evidence (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id, number),
    FOREIGN KEY (association_id, request_id) REFERENCES completed_event
) STRICT;

CREATE TABLE ledger_close (
    association_id TEXT NOT NULL REFERENCES association,
    month TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('made', 'closed')),
    revision INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    tariff_number INTEGER NOT NULL,
    tariffs_version TEXT NOT NULL,
    lines INTEGER NOT NULL,
    held INTEGER NOT NULL,
    total_yen INTEGER NOT NULL,
    run_hash TEXT NOT NULL,
    ends_year INTEGER NOT NULL,
    closed_at_ms INTEGER,
    closed_by TEXT,
    first_seq INTEGER,
    head_seq INTEGER,
    head_hash BLOB,
    PRIMARY KEY (association_id, month)
) STRICT;

CREATE TABLE ledger_sealed (
    association_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    line_id TEXT NOT NULL,
    month TEXT NOT NULL,
    event TEXT NOT NULL,
    case_no TEXT,
    side TEXT NOT NULL,
    party TEXT NOT NULL,
    program TEXT,
    tariff TEXT,
    civil_date TEXT NOT NULL,
    unit TEXT NOT NULL,
    reason TEXT,
    entry TEXT NOT NULL,
    of_line TEXT,
    amount_yen INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (association_id, seq),
    UNIQUE (association_id, line_id),
    FOREIGN KEY (association_id, month) REFERENCES ledger_close
) STRICT;
CREATE INDEX ledger_sealed_by_month ON ledger_sealed (association_id, month, party, seq);
CREATE INDEX ledger_sealed_by_event ON ledger_sealed (association_id, event);
CREATE INDEX ledger_sealed_by_day ON ledger_sealed (association_id, civil_date);
CREATE UNIQUE INDEX ledger_sealed_reversed ON ledger_sealed (association_id, of_line) WHERE entry = 'reversal';

CREATE TABLE ledger_held (
    association_id TEXT NOT NULL,
    month TEXT NOT NULL,
    request_id TEXT NOT NULL,
    PRIMARY KEY (association_id, month, request_id),
    FOREIGN KEY (association_id, month) REFERENCES ledger_close,
    FOREIGN KEY (association_id, request_id) REFERENCES completed_event
) STRICT;

CREATE TABLE ledger_correction (
    association_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    instead_yen INTEGER NOT NULL,
    note TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    sealed_in TEXT,
    PRIMARY KEY (association_id, line_id),
    FOREIGN KEY (association_id, line_id) REFERENCES ledger_sealed (association_id, line_id)
) STRICT;

CREATE TABLE ledger_rerun (
    association_id TEXT NOT NULL,
    month TEXT NOT NULL,
    tariff_number INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    sealed_in TEXT,
    PRIMARY KEY (association_id, month, tariff_number),
    FOREIGN KEY (association_id, month) REFERENCES ledger_close,
    FOREIGN KEY (association_id, tariff_number) REFERENCES tariff_set
) STRICT;

CREATE TABLE ledger_proration (
    association_id TEXT NOT NULL REFERENCES association,
    program TEXT NOT NULL,
    fiscal_year INTEGER NOT NULL,
    budget_yen INTEGER NOT NULL,
    note TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    sealed_in TEXT,
    PRIMARY KEY (association_id, program, fiscal_year)
) STRICT;

CREATE TABLE ledger_books (
    association_id TEXT NOT NULL REFERENCES association,
    program TEXT NOT NULL,
    first_month TEXT NOT NULL,
    party TEXT NOT NULL,
    actual_yen INTEGER NOT NULL,
    total_cost_yen INTEGER NOT NULL,
    other_income_yen INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (association_id, program, first_month, party)
) STRICT;
