-- What a closed month prints besides its lines: names as of the closing; the association's own judgement of a fiscal
-- year; tariffs that wait as a draft for the next one.
CREATE TABLE ledger_name (
    association_id TEXT NOT NULL,
    month TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('institution', 'member')),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    more TEXT NOT NULL,
    PRIMARY KEY (association_id, month, kind, id),
    FOREIGN KEY (association_id, month) REFERENCES ledger_close
);

CREATE TABLE ledger_grade (
    association_id TEXT NOT NULL REFERENCES association,
    fiscal_year BIGINT NOT NULL,
    item TEXT NOT NULL,
    grade TEXT NOT NULL CHECK (grade IN ('A', 'B', 'C', 'D')),
    comment TEXT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (association_id, fiscal_year, item)
);

CREATE TABLE tariff_draft (
    association_id TEXT NOT NULL REFERENCES association,
    fiscal_year BIGINT NOT NULL,
    after_number BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, fiscal_year)
);
