-- Enrolment: names of devices, devices that an institution's people share, sheets with a PIN, and whether
-- people can be reached.

ALTER TABLE device ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN used_at_ms INTEGER;
CREATE INDEX device_by_member ON device (association_id, member_id, created_at_ms);

-- The device a session was opened on, personal or shared: it ends with the device.
ALTER TABLE session ADD COLUMN device_id TEXT;
CREATE INDEX session_by_member ON session (association_id, member_id, device_id);

CREATE TABLE shared_device (
    association_id TEXT NOT NULL,
    shared_device_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    link_id TEXT NOT NULL,
    secret_hash BLOB UNIQUE,
    label TEXT NOT NULL,
    name TEXT NOT NULL,
    invited_at_ms INTEGER NOT NULL,
    invited_until_ms INTEGER NOT NULL,
    enrolled_at_ms INTEGER,
    enrolled_by TEXT,
    used_at_ms INTEGER,
    expires_at_ms INTEGER,
    revoked_at_ms INTEGER,
    slow_until_ms INTEGER,
    PRIMARY KEY (association_id, shared_device_id),
    UNIQUE (association_id, link_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
) STRICT;
CREATE INDEX shared_device_by_institution ON shared_device (association_id, institution_id, invited_at_ms);

-- Wrong PINs in a row, per person on a shared device: they slow the device and lock nobody.
CREATE TABLE shared_device_try (
    association_id TEXT NOT NULL,
    shared_device_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    wrong_pins INTEGER NOT NULL,
    PRIMARY KEY (association_id, shared_device_id, member_id),
    FOREIGN KEY (association_id, shared_device_id) REFERENCES shared_device
) STRICT;

CREATE TABLE enrolment_sheet (
    association_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    PRIMARY KEY (association_id, member_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;

CREATE TABLE reach_test (
    association_id TEXT NOT NULL,
    reach_test_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    way TEXT NOT NULL,
    link_id TEXT,
    asked_at_ms INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    confirmed_at_ms INTEGER,
    voided_at_ms INTEGER,
    PRIMARY KEY (association_id, reach_test_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;
CREATE INDEX reach_test_by_member ON reach_test (association_id, member_id, asked_at_ms);
CREATE UNIQUE INDEX reach_test_by_link ON reach_test (association_id, link_id) WHERE link_id IS NOT NULL;
