-- The rota: what was published and what changed it since, its patterns and settings, drafts, wishes.
-- What decides who is on is only ever added to; a taking back sets its own columns once.

-- Grows with each write of the rota; its row makes writers of one association wait for each other.
CREATE TABLE rota_state (
    association_id TEXT PRIMARY KEY REFERENCES association,
    revision INTEGER NOT NULL,
    changed_at_ms INTEGER NOT NULL
) STRICT;

-- recorded_at_ms: since when it is known; an import of history may say so. made_at_ms: when the row was made.
CREATE TABLE rota_publication (
    association_id TEXT NOT NULL REFERENCES association,
    publication_id TEXT NOT NULL,
    area TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    source TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (association_id, publication_id)
) STRICT;
CREATE INDEX rota_publication_by_end ON rota_publication (association_id, to_ms);

CREATE TABLE rota_assignment (
    association_id TEXT NOT NULL,
    publication_id TEXT NOT NULL,
    slot_day TEXT NOT NULL,
    slot_kind TEXT NOT NULL,
    role TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    member_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    PRIMARY KEY (association_id, publication_id, slot_day, slot_kind, role, from_ms, member_id),
    FOREIGN KEY (association_id, publication_id) REFERENCES rota_publication,
    FOREIGN KEY (association_id, member_id) REFERENCES member,
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
) STRICT;
CREATE INDEX rota_assignment_by_end ON rota_assignment (association_id, to_ms);

CREATE TABLE rota_override (
    association_id TEXT NOT NULL REFERENCES association,
    override_id TEXT NOT NULL,
    area TEXT NOT NULL,
    role TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    member_id TEXT,
    institution_id TEXT,
    recorded_at_ms INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    withdrawn_at_ms INTEGER,
    withdrawn_by TEXT,
    PRIMARY KEY (association_id, override_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member,
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
) STRICT;
CREATE INDEX rota_override_by_end ON rota_override (association_id, to_ms);

-- Taken swaps. from_ms and to_ms are those of all legs together.
CREATE TABLE rota_swap (
    association_id TEXT NOT NULL REFERENCES association,
    swap_id TEXT NOT NULL,
    request_id TEXT,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    taken_at_ms INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    undone_at_ms INTEGER,
    undone_by TEXT,
    PRIMARY KEY (association_id, swap_id)
) STRICT;
CREATE INDEX rota_swap_by_end ON rota_swap (association_id, to_ms);

CREATE TABLE rota_swap_leg (
    association_id TEXT NOT NULL,
    swap_id TEXT NOT NULL,
    leg INTEGER NOT NULL,
    area TEXT NOT NULL,
    role TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    giver_id TEXT NOT NULL,
    taker_id TEXT NOT NULL,
    taker_institution_id TEXT NOT NULL,
    PRIMARY KEY (association_id, swap_id, leg),
    FOREIGN KEY (association_id, swap_id) REFERENCES rota_swap,
    FOREIGN KEY (association_id, giver_id) REFERENCES member,
    FOREIGN KEY (association_id, taker_id) REFERENCES member,
    FOREIGN KEY (association_id, taker_institution_id) REFERENCES institution
) STRICT;

-- who_kind: person, institution.
CREATE TABLE rota_leaving (
    association_id TEXT NOT NULL REFERENCES association,
    who_kind TEXT NOT NULL,
    who_id TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    back_from_ms INTEGER,
    back_recorded_at_ms INTEGER,
    PRIMARY KEY (association_id, who_kind, who_id, from_ms, recorded_at_ms)
) STRICT;

-- Slot patterns and required hours, each version as its text.
CREATE TABLE rota_slot_book (
    association_id TEXT NOT NULL REFERENCES association,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    PRIMARY KEY (association_id, version)
) STRICT;

-- Areas, rules, what is set for people, targets of 24-hour turns, reminders: each version whole.
CREATE TABLE rota_setting (
    association_id TEXT NOT NULL REFERENCES association,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    PRIMARY KEY (association_id, version)
) STRICT;

-- What somebody wants to be reminded of, where it differs from the association's way.
CREATE TABLE rota_reminder (
    association_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    body TEXT NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, member_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;

-- A rota being made. position: the step up to which the log is applied; what lies beyond was undone.
CREATE TABLE rota_draft (
    association_id TEXT NOT NULL REFERENCES association,
    draft_id TEXT NOT NULL,
    area TEXT NOT NULL,
    name TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    draw_id TEXT,
    made_at_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    publication_id TEXT,
    dropped_at_ms INTEGER,
    PRIMARY KEY (association_id, draft_id),
    FOREIGN KEY (association_id, publication_id) REFERENCES rota_publication
) STRICT;

CREATE TABLE rota_draft_duty (
    association_id TEXT NOT NULL,
    draft_id TEXT NOT NULL,
    slot_day TEXT NOT NULL,
    slot_kind TEXT NOT NULL,
    role TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    member_id TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    PRIMARY KEY (association_id, draft_id, slot_day, slot_kind, role, from_ms, member_id),
    FOREIGN KEY (association_id, draft_id) REFERENCES rota_draft,
    FOREIGN KEY (association_id, member_id) REFERENCES member,
    FOREIGN KEY (association_id, institution_id) REFERENCES institution
) STRICT;

CREATE TABLE rota_draft_step (
    association_id TEXT NOT NULL,
    draft_id TEXT NOT NULL,
    step INTEGER NOT NULL,
    what TEXT NOT NULL,
    removed TEXT NOT NULL,
    added TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (association_id, draft_id, step),
    FOREIGN KEY (association_id, draft_id) REFERENCES rota_draft
) STRICT;

-- Lots drawn for the year-end, with what it takes to draw them again.
CREATE TABLE rota_draw (
    association_id TEXT NOT NULL REFERENCES association,
    draw_id TEXT NOT NULL,
    fiscal_year INTEGER NOT NULL,
    body TEXT NOT NULL,
    drawn_at_ms INTEGER NOT NULL,
    drawn_by TEXT NOT NULL,
    PRIMARY KEY (association_id, draw_id)
) STRICT;

-- What each person did above their target in a closed fiscal year, in hundredths of a point.
CREATE TABLE rota_carry (
    association_id TEXT NOT NULL,
    fiscal_year INTEGER NOT NULL,
    member_id TEXT NOT NULL,
    points INTEGER NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, fiscal_year, member_id),
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;

-- A collection of wishes for a period.
CREATE TABLE wish_round (
    association_id TEXT NOT NULL REFERENCES association,
    round_id TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    closed_at_ms INTEGER,
    PRIMARY KEY (association_id, round_id)
) STRICT;

-- A person's wishes of a round, each version whole; the newest counts.
CREATE TABLE wish_sheet (
    association_id TEXT NOT NULL,
    round_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    source TEXT NOT NULL,
    recorded_at_ms INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (association_id, round_id, member_id, version),
    FOREIGN KEY (association_id, round_id) REFERENCES wish_round,
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;

-- Mails of a round: what: open, remind:N.
CREATE TABLE wish_ask (
    association_id TEXT NOT NULL,
    round_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    what TEXT NOT NULL,
    link_id TEXT NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    PRIMARY KEY (association_id, round_id, member_id, what),
    FOREIGN KEY (association_id, round_id) REFERENCES wish_round,
    FOREIGN KEY (association_id, member_id) REFERENCES member
) STRICT;
