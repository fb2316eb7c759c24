-- Households of a clinic's home patients, what each was told of which pillar, and when the clinic said that its list is
-- whole. patient: sealed.

CREATE TABLE household (
    association_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    patient BYTEA NOT NULL,
    added_at_ms BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    ended_at_ms BIGINT,
    PRIMARY KEY (association_id, household_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
);
CREATE INDEX household_by_clinic ON household (association_id, institution_id) WHERE ended_at_ms IS NULL;

CREATE TABLE household_told (
    association_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    pillar TEXT NOT NULL,
    day TEXT NOT NULL,
    refused BIGINT NOT NULL CHECK (refused IN (0, 1)),
    at_ms BIGINT NOT NULL,
    told_by TEXT NOT NULL,
    PRIMARY KEY (association_id, household_id, pillar),
    FOREIGN KEY (association_id, household_id) REFERENCES household
);

CREATE TABLE household_list (
    association_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    whole_since TEXT,
    at_ms BIGINT NOT NULL,
    said_by TEXT NOT NULL,
    PRIMARY KEY (association_id, institution_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
);
