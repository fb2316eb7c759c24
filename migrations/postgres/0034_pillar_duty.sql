-- The own rota of a pillar: who of an institution standing by is rung when. Instants in UTC milliseconds.
CREATE TABLE pillar_duty (
    association_id TEXT NOT NULL,
    duty_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL CHECK (to_ms > from_ms),
    at_ms BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    withdrawn_at_ms BIGINT,
    PRIMARY KEY (association_id, duty_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution,
    FOREIGN KEY (association_id, member_id) REFERENCES member
);
CREATE INDEX pillar_duty_by_time ON pillar_duty (association_id, institution_id, to_ms) WHERE withdrawn_at_ms IS NULL;
