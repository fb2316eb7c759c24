-- Who has seen that a recovery was asked for, and telephone numbers that wait for a call back.

CREATE TABLE recovery_seen (
    association_id TEXT NOT NULL,
    recovery_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, recovery_id, member_id),
    FOREIGN KEY (association_id, recovery_id) REFERENCES recovery,
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;

-- phone: the new number, NULL where the old one is to go. mail: the address known when it was asked.
CREATE TABLE phone_change (
    association_id TEXT NOT NULL,
    phone_change_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    phone BLOB,
    mail TEXT,
    asked_by TEXT NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    called TEXT,
    called_number BLOB,
    ended TEXT,
    ended_by TEXT,
    ended_at_ms INTEGER,
    PRIMARY KEY (association_id, phone_change_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;
-- One that waits at a time.
CREATE UNIQUE INDEX phone_change_open ON phone_change (association_id, member_id) WHERE ended_at_ms IS NULL;
