-- The association's own calendar, and how long what is kept.

-- kind: national (a day of the Cabinet Office's list), extra, removed.
CREATE TABLE calendar_day (
    association_id TEXT NOT NULL REFERENCES association,
    date TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (association_id, date, kind)
);

CREATE TABLE calendar_rules (
    association_id TEXT PRIMARY KEY REFERENCES association,
    body TEXT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

CREATE TABLE retention_setting (
    association_id TEXT PRIMARY KEY REFERENCES association,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL
);

-- Without a request: the whole association.
CREATE TABLE retention_hold (
    association_id TEXT NOT NULL REFERENCES association,
    hold_id TEXT NOT NULL,
    request_id TEXT,
    reason BYTEA NOT NULL,
    since_ms BIGINT NOT NULL,
    placed_by TEXT NOT NULL,
    lifted_at_ms BIGINT,
    lifted_by TEXT,
    PRIMARY KEY (association_id, hold_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);
CREATE INDEX retention_hold_standing ON retention_hold (association_id, request_id) WHERE lifted_at_ms IS NULL;

-- A key that was destroyed keeps its row, so that a page can say since when its texts are gone.
ALTER TABLE month_key ADD COLUMN destroyed_at_ms BIGINT;

-- What was destroyed with a key, in counts; in which month's report it stands.
CREATE TABLE retention_destroyed (
    association_id TEXT NOT NULL REFERENCES association,
    month TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    reported_in TEXT,
    PRIMARY KEY (association_id, month)
);

CREATE TABLE retention_report (
    association_id TEXT NOT NULL REFERENCES association,
    month TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, month)
);
