-- Tonight's check: which request asked whom on which day, and the holes that were found.

CREATE TABLE tonight_check (
    association_id TEXT NOT NULL,
    day TEXT NOT NULL,
    member_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    PRIMARY KEY (association_id, day, member_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member,
    FOREIGN KEY (association_id, request_id) REFERENCES request
) STRICT;

CREATE TABLE tonight_round (
    association_id TEXT NOT NULL REFERENCES association,
    day TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    holes INTEGER NOT NULL,
    PRIMARY KEY (association_id, day)
) STRICT;
