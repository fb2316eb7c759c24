-- The directory's own tables: care groups, contact windows, and who was asked to look at an entry.

-- 在宅支援連携体制: which institutions belong together, from which day to which.
CREATE TABLE care_group (
    association_id TEXT NOT NULL REFERENCES association,
    care_group_id TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, care_group_id)
) STRICT;

CREATE TABLE care_group_institution (
    association_id TEXT NOT NULL,
    care_group_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    from_day TEXT NOT NULL,
    until_day TEXT,
    PRIMARY KEY (association_id, care_group_id, institution_id, from_day),
    FOREIGN KEY (association_id, care_group_id) REFERENCES care_group,
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
) STRICT;

-- ケアマネタイム: a doctor's windows of a fiscal year are one list.
CREATE TABLE contact_windows (
    association_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    fiscal_year INTEGER NOT NULL,
    windows TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (association_id, member_id, fiscal_year),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;
CREATE INDEX contact_windows_by_year ON contact_windows (association_id, fiscal_year);

-- Who looks after an institution's entry.
CREATE TABLE entry_owner (
    association_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    PRIMARY KEY (association_id, institution_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution,
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;

-- Rounds of asking: each is begun once, and asks each person once.
CREATE TABLE entry_round (
    association_id TEXT NOT NULL REFERENCES association,
    round TEXT NOT NULL,
    begun_at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, round)
) STRICT;

CREATE TABLE entry_ask (
    association_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    round TEXT NOT NULL,
    link_id TEXT NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, member_id, round),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;
