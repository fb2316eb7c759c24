-- 主治医・副主治医: of one household, or (household_id empty) of all patients of a clinic.

CREATE TABLE attending_pair (
    association_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    household_id TEXT NOT NULL,
    attending_id TEXT,
    deputy_id TEXT,
    at_ms INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    PRIMARY KEY (association_id, institution_id, household_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution,
    FOREIGN KEY (association_id, attending_id) REFERENCES member,
    FOREIGN KEY (association_id, deputy_id) REFERENCES member
) STRICT;
