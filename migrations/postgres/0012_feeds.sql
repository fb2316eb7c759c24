-- Links by which a calendar program reads duties. area and role: of a duty's feed; without them it is the member's own.
CREATE TABLE calendar_feed (
    association_id TEXT NOT NULL REFERENCES association,
    feed_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    area TEXT,
    role TEXT,
    token_hash BYTEA NOT NULL UNIQUE,
    made_at_ms BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    revoked_at_ms BIGINT,
    revoked_by TEXT,
    PRIMARY KEY (association_id, feed_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
);
CREATE INDEX calendar_feed_by_member ON calendar_feed (association_id, member_id);
