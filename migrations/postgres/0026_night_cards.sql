-- Night cards (夜間カード), each version under a key of its own; who proved to be who before cards could be opened;
-- and every opening. night_card.body and card_pass.reason: sealed, empty once destroyed.

CREATE TABLE night_card (
    association_id TEXT NOT NULL,
    card_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    written_at_ms BIGINT NOT NULL,
    written_by TEXT NOT NULL,
    body BYTEA NOT NULL,
    replaced_at_ms BIGINT,
    destroy_at_ms BIGINT,
    destroyed_at_ms BIGINT,
    reminded_at_ms BIGINT,
    PRIMARY KEY (association_id, card_id),
    FOREIGN KEY (association_id, household_id) REFERENCES household
);
CREATE UNIQUE INDEX night_card_now ON night_card (association_id, household_id) WHERE replaced_at_ms IS NULL;
CREATE INDEX night_card_due ON night_card (association_id, destroy_at_ms) WHERE destroyed_at_ms IS NULL;

CREATE TABLE card_pass (
    association_id TEXT NOT NULL,
    pass_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    via TEXT NOT NULL,
    source_id TEXT,
    reason BYTEA,
    at_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    destroy_at_ms BIGINT,
    PRIMARY KEY (association_id, pass_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member,
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
);
CREATE INDEX card_pass_glass ON card_pass (association_id, at_ms) WHERE via = 'glass';
CREATE INDEX card_pass_due ON card_pass (association_id, destroy_at_ms) WHERE destroy_at_ms IS NOT NULL;
CREATE INDEX card_pass_by_clinic ON card_pass (association_id, institution_id, at_ms);

CREATE TABLE card_opening (
    association_id TEXT NOT NULL,
    opening_id TEXT NOT NULL,
    pass_id TEXT NOT NULL,
    card_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (association_id, opening_id),
    FOREIGN KEY (association_id, pass_id) REFERENCES card_pass,
    FOREIGN KEY (association_id, card_id) REFERENCES night_card
);
CREATE INDEX card_opening_by_household ON card_opening (association_id, household_id, at_ms);
