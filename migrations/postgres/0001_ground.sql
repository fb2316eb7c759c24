-- The ground: people, access, secrets, requests, durable work, audit and the ledger's seed.
-- association_id leads every key. Exceptions, each with its reason: lookups by the hash of a secret (the
-- secret says which association), and the runner's index (it serves every association).

CREATE TABLE installation (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE association (
    association_id TEXT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    office_phone TEXT NOT NULL,
    lang TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE case_counter (
    association_id TEXT NOT NULL REFERENCES association,
    fiscal_year BIGINT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (association_id, fiscal_year)
);

CREATE TABLE month_key (
    association_id TEXT NOT NULL REFERENCES association,
    month TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    PRIMARY KEY (association_id, month)
);

CREATE TABLE institution (
    association_id TEXT NOT NULL REFERENCES association,
    institution_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    area TEXT NOT NULL,
    city_code TEXT NOT NULL,
    phone BYTEA,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (association_id, institution_id)
);

CREATE TABLE member (
    association_id TEXT NOT NULL REFERENCES association,
    member_id TEXT NOT NULL,
    institution_id TEXT,
    name TEXT NOT NULL,
    kana TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    phone BYTEA,
    roles TEXT NOT NULL,
    lang TEXT NOT NULL,
    active_from_ms BIGINT NOT NULL,
    left_at_ms BIGINT,
    pin_hash TEXT,
    pin_version BIGINT NOT NULL,
    pin_failures BIGINT NOT NULL,
    mail_failing_since_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (association_id, member_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
);
-- Several people of one clinic may share a mailbox, so it is not unique.
CREATE INDEX member_by_email ON member (association_id, email_key, member_id);

CREATE TABLE member_specialty (
    association_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    specialty TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, member_id, specialty),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);
CREATE INDEX member_by_specialty ON member_specialty (association_id, specialty, member_id);

CREATE TABLE device (
    association_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT,
    PRIMARY KEY (association_id, device_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);

CREATE TABLE session (
    association_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    PRIMARY KEY (association_id, session_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);

CREATE TABLE api_key (
    association_id TEXT NOT NULL REFERENCES association,
    api_key_id TEXT NOT NULL,
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT,
    PRIMARY KEY (association_id, api_key_id)
);

CREATE TABLE request (
    association_id TEXT NOT NULL REFERENCES association,
    request_id TEXT NOT NULL,
    case_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    asker_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    entered_by TEXT,
    channel TEXT NOT NULL,
    parent_id TEXT,
    state TEXT NOT NULL,
    revision BIGINT NOT NULL,
    due_at_ms BIGINT,
    answer_by_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    machine TEXT NOT NULL,
    facts TEXT NOT NULL,
    blind BYTEA NOT NULL,
    detail BYTEA NOT NULL,
    PRIMARY KEY (association_id, request_id),
    UNIQUE (association_id, case_no),
    FOREIGN KEY (association_id, asker_id) REFERENCES member,
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
);
CREATE INDEX request_by_asker ON request (association_id, asker_id, created_at_ms);
-- The open ones are few among all that ever were; the board reads them at every look.
CREATE INDEX request_open ON request (association_id, answer_by_ms, request_id)
    WHERE state NOT IN ('closed', 'refused', 'withdrawn', 'expired');
CREATE INDEX request_ended ON request (association_id, updated_at_ms DESC, request_id)
    WHERE state IN ('closed', 'refused', 'withdrawn', 'expired');

CREATE TABLE offer (
    association_id TEXT NOT NULL,
    offer_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    opened_at_ms BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, offer_id),
    UNIQUE (association_id, request_id, member_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request,
    FOREIGN KEY (association_id, member_id) REFERENCES member
);
CREATE INDEX offer_by_member ON offer (association_id, member_id, asked_at_ms);

CREATE TABLE attempt (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    detail TEXT,
    PRIMARY KEY (association_id, request_id, member_id, number, channel),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);

-- claim_slot counts the places of the quota: the second wall behind the machine's own check.
CREATE TABLE acceptance (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    member_id TEXT NOT NULL,
    claim_slot BIGINT,
    at_ms BIGINT NOT NULL,
    released_at_ms BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id, seq),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);
CREATE UNIQUE INDEX acceptance_place ON acceptance (association_id, request_id, claim_slot)
    WHERE claim_slot IS NOT NULL AND released_at_ms IS NULL;
CREATE INDEX acceptance_by_member ON acceptance (association_id, member_id, at_ms);

CREATE TABLE access_grant (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT,
    ended_at_ms BIGINT,
    PRIMARY KEY (association_id, request_id, member_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);
CREATE INDEX access_grant_by_member ON access_grant (association_id, member_id);

CREATE TABLE link (
    association_id TEXT NOT NULL,
    link_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    request_id TEXT,
    token_hash BYTEA NOT NULL UNIQUE,
    code_hash BYTEA NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    consumed_at_ms BIGINT,
    voided_at_ms BIGINT,
    wrong_pins BIGINT NOT NULL,
    PRIMARY KEY (association_id, link_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);
CREATE INDEX link_by_request ON link (association_id, request_id, member_id);

CREATE TABLE report (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    member_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    text BYTEA NOT NULL,
    PRIMARY KEY (association_id, request_id, seq),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);

CREATE TABLE survey (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (association_id, request_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);

CREATE TABLE completed_event (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);

CREATE TABLE ledger_line (
    association_id TEXT NOT NULL,
    line_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    run TEXT NOT NULL,
    side TEXT NOT NULL,
    party TEXT NOT NULL,
    tariff TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    amount_yen BIGINT NOT NULL,
    reason TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (association_id, line_id),
    UNIQUE (association_id, request_id, side, party, tariff, run),
    FOREIGN KEY (association_id, request_id) REFERENCES completed_event
);
CREATE INDEX ledger_line_by_time ON ledger_line (association_id, at_ms);

CREATE TABLE audit_head (
    association_id TEXT PRIMARY KEY REFERENCES association,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

CREATE TABLE audit_event (
    association_id TEXT NOT NULL REFERENCES association,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    on_behalf_of TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (association_id, seq)
);
CREATE INDEX audit_by_subject ON audit_event (association_id, subject, seq);

CREATE TABLE idempotency (
    association_id TEXT NOT NULL REFERENCES association,
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (association_id, actor, key)
);

-- The outbox and the due times. state: due, leased, done, moot, dead.
CREATE TABLE job (
    association_id TEXT NOT NULL REFERENCES association,
    job_id TEXT NOT NULL,
    lane BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    owner TEXT,
    lease_until_ms BIGINT,
    fence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    last_error TEXT,
    PRIMARY KEY (association_id, job_id),
    UNIQUE (association_id, key)
);
CREATE INDEX job_due ON job (lane, due_at_ms, job_id) WHERE state IN ('due', 'leased');
CREATE INDEX job_ended ON job (ended_at_ms) WHERE state IN ('done', 'moot');

CREATE TABLE alarm (
    association_id TEXT NOT NULL REFERENCES association,
    alarm_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    raised_at_ms BIGINT NOT NULL,
    acknowledged_at_ms BIGINT,
    acknowledged_by TEXT,
    PRIMARY KEY (association_id, alarm_id)
);
CREATE UNIQUE INDEX alarm_open ON alarm (association_id, kind, subject) WHERE acknowledged_at_ms IS NULL;
