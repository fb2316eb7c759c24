-- Night cover: the duty slots of a clinic's absence, each a request of its own below the one that was asked, and what
-- an association sets for it.

CREATE TABLE cover_slot (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    parent_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    asker_id TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL,
    by_rota BIGINT NOT NULL CHECK (by_rota IN (0, 1)),
    PRIMARY KEY (association_id, request_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request,
    FOREIGN KEY (association_id, parent_id) REFERENCES request,
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
);
CREATE INDEX cover_slot_by_parent ON cover_slot (association_id, parent_id, from_ms);
CREATE INDEX cover_slot_by_end ON cover_slot (association_id, to_ms);
CREATE INDEX cover_slot_by_clinic ON cover_slot (association_id, institution_id, to_ms);

CREATE TABLE cover_settings (
    association_id TEXT PRIMARY KEY REFERENCES association,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL
);
