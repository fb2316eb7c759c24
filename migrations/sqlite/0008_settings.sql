-- The office's texts and settings, the set-up before there is an office, and the rules of the association.

ALTER TABLE association ADD COLUMN office TEXT NOT NULL DEFAULT '{}';
ALTER TABLE association ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

CREATE TABLE setting (
    association_id TEXT NOT NULL REFERENCES association,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, name)
) STRICT;

-- There is no association yet: these belong to the installation.
CREATE TABLE setup_link (
    token_hash BLOB PRIMARY KEY,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER
) STRICT;

CREATE TABLE rules_text (
    association_id TEXT NOT NULL REFERENCES association,
    version INTEGER NOT NULL,
    body_ja TEXT NOT NULL,
    body_en TEXT NOT NULL,
    published_at_ms INTEGER NOT NULL,
    published_by TEXT NOT NULL,
    PRIMARY KEY (association_id, version)
) STRICT;

CREATE TABLE rules_seen (
    association_id TEXT NOT NULL REFERENCES association,
    member_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, member_id, version),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;
