-- Signing in of the office: passkeys, passwords with one-time codes, recovery, sessions that count as strong.

-- When the person last proved with a passkey, or a password and a one-time code; NULL: by PIN.
ALTER TABLE session ADD COLUMN strong_at_ms BIGINT;
-- Until when this session may set up the first means of signing in.
ALTER TABLE session ADD COLUMN setup_until_ms BIGINT;
ALTER TABLE session ADD COLUMN means TEXT NOT NULL DEFAULT 'pin';

CREATE TABLE passkey (
    association_id TEXT NOT NULL,
    passkey_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    label TEXT NOT NULL,
    credential_hash BYTEA NOT NULL UNIQUE,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT,
    revoked_at_ms BIGINT,
    PRIMARY KEY (association_id, passkey_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);
CREATE INDEX passkey_by_member ON passkey (association_id, member_id);

-- One row may hold a confirmed password with its one-time codes, a secret that waits for its first code, or both.
CREATE TABLE sign_in_password (
    association_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    hash TEXT,
    totp BYTEA,
    totp_step BIGINT NOT NULL,
    pending BYTEA,
    pending_at_ms BIGINT,
    changed_at_ms BIGINT,
    PRIMARY KEY (association_id, member_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);

CREATE TABLE recovery_code (
    association_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    used_at_ms BIGINT,
    PRIMARY KEY (association_id, member_id, number),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);

-- Asked before anybody is known, so it belongs to no association; lives five minutes and is used once.
CREATE TABLE passkey_challenge (
    secret_hash BYTEA PRIMARY KEY,
    state TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);

-- Counted for every address that is typed, whether somebody has it or not: also the waiting must not tell.
CREATE TABLE sign_in_try (
    account BYTEA PRIMARY KEY,
    failures BIGINT NOT NULL,
    known_failures BIGINT NOT NULL,
    wait_until_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);

CREATE TABLE recovery (
    association_id TEXT NOT NULL,
    recovery_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    vouched_by TEXT,
    vouched_at_ms BIGINT,
    due_at_ms BIGINT,
    stopped_at_ms BIGINT,
    link_id TEXT,
    PRIMARY KEY (association_id, recovery_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);
CREATE INDEX recovery_by_member ON recovery (association_id, member_id);
CREATE INDEX recovery_by_link ON recovery (association_id, link_id);
-- One that waits at a time.
CREATE UNIQUE INDEX recovery_open ON recovery (association_id, member_id)
    WHERE stopped_at_ms IS NULL AND link_id IS NULL;

-- The links by which a recovery can be stopped.
CREATE TABLE recovery_notice (
    association_id TEXT NOT NULL,
    link_id TEXT NOT NULL,
    recovery_id TEXT NOT NULL,
    PRIMARY KEY (association_id, link_id),
    FOREIGN KEY (association_id, recovery_id) REFERENCES recovery
);
