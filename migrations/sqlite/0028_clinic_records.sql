-- What clinics show of a year as home-care support clinics, beside what the service itself saw; and the conferences
-- that groups hold. No patients here: days and numbers.

CREATE TABLE clinic_record (
    association_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    day TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    withdrawn_at_ms INTEGER,
    PRIMARY KEY (association_id, record_id),
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
) STRICT;
CREATE INDEX clinic_record_by_day ON clinic_record (association_id, institution_id, day) WHERE withdrawn_at_ms IS NULL;

-- attendees: institutions, a JSON list. care_group_id NULL: a conference of the whole association.
CREATE TABLE conference (
    association_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    care_group_id TEXT,
    day TEXT NOT NULL,
    online INTEGER NOT NULL CHECK (online IN (0, 1)),
    attendees TEXT NOT NULL,
    people INTEGER NOT NULL,
    patients INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    withdrawn_at_ms INTEGER,
    PRIMARY KEY (association_id, record_id)
) STRICT;
CREATE INDEX conference_by_day ON conference (association_id, day) WHERE withdrawn_at_ms IS NULL;
