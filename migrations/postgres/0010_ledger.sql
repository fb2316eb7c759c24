-- The ledger's months: what was recorded for it by hand, closes, sealed lines, orders for entries.
ALTER TABLE completed_event ADD COLUMN counts_at_ms BIGINT NOT NULL DEFAULT 0;
UPDATE completed_event SET counts_at_ms = CAST(body::json -> 'moment' ->> 'at' AS BIGINT);
CREATE INDEX completed_event_by_count ON completed_event (association_id, counts_at_ms, request_id);

CREATE TABLE tariff_set (
    association_id TEXT NOT NULL REFERENCES association,
    number BIGINT NOT NULL,
    version TEXT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    note TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, number)
);

CREATE TABLE ledger_evidence (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id, number),
    FOREIGN KEY (association_id, request_id) REFERENCES completed_event
);

CREATE TABLE ledger_close (
    association_id TEXT NOT NULL REFERENCES association,
    month TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('made', 'closed')),
    revision BIGINT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    tariff_number BIGINT NOT NULL,
    tariffs_version TEXT NOT NULL,
    lines BIGINT NOT NULL,
    held BIGINT NOT NULL,
    total_yen BIGINT NOT NULL,
    run_hash TEXT NOT NULL,
    ends_year BIGINT NOT NULL,
    closed_at_ms BIGINT,
    closed_by TEXT,
    first_seq BIGINT,
    head_seq BIGINT,
    head_hash BYTEA,
    PRIMARY KEY (association_id, month)
);

CREATE TABLE ledger_sealed (
    association_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
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
    amount_yen BIGINT NOT NULL,
    body TEXT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (association_id, seq),
    UNIQUE (association_id, line_id),
    FOREIGN KEY (association_id, month) REFERENCES ledger_close
);
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
);

CREATE TABLE ledger_correction (
    association_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    instead_yen BIGINT NOT NULL,
    note TEXT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    sealed_in TEXT,
    PRIMARY KEY (association_id, line_id),
    FOREIGN KEY (association_id, line_id) REFERENCES ledger_sealed (association_id, line_id)
);

CREATE TABLE ledger_rerun (
    association_id TEXT NOT NULL,
    month TEXT NOT NULL,
    tariff_number BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    sealed_in TEXT,
    PRIMARY KEY (association_id, month, tariff_number),
    FOREIGN KEY (association_id, month) REFERENCES ledger_close,
    FOREIGN KEY (association_id, tariff_number) REFERENCES tariff_set
);

CREATE TABLE ledger_proration (
    association_id TEXT NOT NULL REFERENCES association,
    program TEXT NOT NULL,
    fiscal_year BIGINT NOT NULL,
    budget_yen BIGINT NOT NULL,
    note TEXT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    sealed_in TEXT,
    PRIMARY KEY (association_id, program, fiscal_year)
);

CREATE TABLE ledger_books (
    association_id TEXT NOT NULL REFERENCES association,
    program TEXT NOT NULL,
    first_month TEXT NOT NULL,
    party TEXT NOT NULL,
    actual_yen BIGINT NOT NULL,
    total_cost_yen BIGINT NOT NULL,
    other_income_yen BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (association_id, program, first_month, party)
);
