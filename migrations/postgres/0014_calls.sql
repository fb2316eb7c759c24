-- Urgent calls and bridged talks. Numbers and messages are sealed; what a list shows stands in plain codes.

CREATE TABLE call (
    association_id TEXT NOT NULL REFERENCES association,
    call_id TEXT NOT NULL,
    case_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    revision BIGINT NOT NULL,
    clinic_id TEXT,
    institution_id TEXT,
    asker_id TEXT,
    taker_id TEXT,
    consult_id TEXT,
    opened_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    outcome TEXT,
    due_at_ms BIGINT,
    orders BIGINT NOT NULL,
    line_mark BYTEA,
    body BYTEA NOT NULL,
    hunt TEXT NOT NULL,
    message BYTEA,
    PRIMARY KEY (association_id, call_id),
    UNIQUE (association_id, case_no)
);
CREATE INDEX call_open ON call (association_id, opened_at_ms) WHERE ended_at_ms IS NULL;
-- The bridge's worker serves every association.
CREATE INDEX call_due ON call (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX call_by_line ON call (association_id, line_mark, opened_at_ms);
CREATE INDEX call_by_time ON call (association_id, opened_at_ms);
CREATE INDEX call_by_taker ON call (association_id, taker_id, opened_at_ms);

-- The bridge names legs and knows no associations: a leg is found by its name alone, and belongs to one call.
CREATE TABLE call_leg (
    association_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    leg_id TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    member_id TEXT,
    state TEXT NOT NULL,
    cause TEXT,
    began_at_ms BIGINT NOT NULL,
    answered_at_ms BIGINT,
    ended_at_ms BIGINT,
    PRIMARY KEY (association_id, call_id, leg_id),
    FOREIGN KEY (association_id, call_id) REFERENCES call
);

-- Orders to the bridge, one call's in the order in which they were decided. Sealed: a dial holds a number.
CREATE TABLE call_order (
    association_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    state TEXT NOT NULL,
    body BYTEA NOT NULL,
    tries BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    last_error TEXT,
    PRIMARY KEY (association_id, call_id, seq),
    FOREIGN KEY (association_id, call_id) REFERENCES call
);
CREATE INDEX call_order_due ON call_order (created_at_ms, call_id, seq) WHERE state = 'due';

CREATE TABLE call_report (
    association_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    member_id TEXT NOT NULL,
    entered_by TEXT,
    at_ms BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (association_id, call_id, seq),
    FOREIGN KEY (association_id, call_id) REFERENCES call
);

-- The association's numbers, codes and switches; sealed as a whole.
CREATE TABLE call_settings (
    association_id TEXT PRIMARY KEY REFERENCES association,
    revision BIGINT NOT NULL,
    body BYTEA NOT NULL
);
