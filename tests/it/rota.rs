//! The rota kept: published, changed, and asked who is on, through the use cases, on both databases.

pub mod agree;
mod api;

use touban::app::Who;
use touban::app::rota::changes::{NewOverride, OverrideMade, SwapRefused, Withdrawn};
use touban::app::rota::drafts::{Drafted, SeatChange};
use touban::app::rota::publish::{Breaches, Published};
use touban::domain::people::Role;
use touban::domain::rota::{Area, Gap, Holder, Leg, PlainFill, RotaRole, SlotKey, Standing};
use touban::ids::{MemberId, RotaDraftId};
use touban::time::{Millis, Window};

use crate::support::{TestOffice, on_both};

on_both! {
    a_published_rota_answers_and_every_change_of_it_counts_at_once,
    of_two_coordinators_at_one_draft_the_second_is_told,
    a_publication_tells_each_person_their_own_and_a_reminder_comes_once,
    wishes_are_asked_for_written_and_kept_to,
    the_year_end_is_drawn_by_a_seed_that_anybody_can_use_again,
    a_rota_written_to_a_file_and_read_in_again_answers_the_same,
    a_file_read_into_an_empty_database_gives_the_same_answers,
    slot_patterns_and_settings_are_taken_whole_or_not_at_all,
}

pub fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

pub fn area() -> Area {
    "all".parse().unwrap()
}

pub fn office(office: &TestOffice) -> Who {
    Who::member(&office.association, &office.coordinator)
}

/// Six physicians of six clinics more.
pub async fn physicians(office: &TestOffice) -> Vec<MemberId> {
    let mut people = vec![office.asker.clone()];
    for n in 1..=6 {
        people.push(office.physician(&format!("当番 医師{n}")).await);
    }
    people
}

/// A draft of December 2026, filled.
pub async fn december(office: &TestOffice) -> (RotaDraftId, i64) {
    let who = self::office(office);
    let days = ("2026-12-01".parse().unwrap(), "2026-12-31".parse().unwrap());
    let draft = office.app.rota_draft_new(&who, &area(), "12月", days, None).await.unwrap();
    let filled = office.app.rota_draft_fill(&who, &draft, 0, &PlainFill, None).await.unwrap();
    assert!(filled.empty.is_empty(), "{:?}", filled.empty.first());
    (draft, filled.revision)
}

async fn on(office: &TestOffice, role: RotaRole, at: Millis, as_of: Option<Millis>) -> Vec<Holder> {
    office.app.rota_who(&office.association, &area(), role, at, as_of).await.unwrap().people()
}

async fn a_published_rota_answers_and_every_change_of_it_counts_at_once(office: TestOffice) {
    let who = self::office(&office);
    physicians(&office).await;
    let (draft, revision) = december(&office).await;
    let night = at("2026-12-10T23:00:00+09:00");
    assert!(on(&office, RotaRole::Primary, night, None).await.is_empty());
    let published =
        office.app.rota_publish(&who, &draft, revision, (Breaches::Forbid, ""), None).await.unwrap();
    let Published::Done { changes, .. } = published else { panic!("{published:?}") };
    assert!(!changes.is_empty());
    let again = office.app.rota_publish(&who, &draft, revision + 1, (Breaches::Forbid, ""), None).await;
    assert_eq!(again.unwrap(), Published::NotOpen);
    let published_at = office.app.now();
    let primary = on(&office, RotaRole::Primary, night, None).await.pop().unwrap();
    let deputy = on(&office, RotaRole::Deputy, night, None).await.pop().unwrap();
    assert_ne!(primary.institution, deputy.institution);

    // The whole month is held, the first instant by the first of December and the last hole behind it.
    let month = Window { from: at("2026-12-01T00:00:00+09:00"), to: at("2027-01-01T00:00:00+09:00") };
    let holes = office.app.rota_holes(&office.association, month).await.unwrap();
    let before_the_first = at("2026-12-01T08:00:00+09:00");
    assert!(holes.iter().all(|hole| hole.window.to == before_the_first), "{holes:?}");

    // Somebody else takes the primary's night.
    office.clock.advance_s(60);
    let people = office.app.rota_world(&office.association).await.unwrap().people();
    let other = people.iter().find(|p| p.id != primary.person && p.id != deputy.person).unwrap();
    let taker = Holder { person: other.id.clone(), institution: other.institution.clone() };
    let part =
        office.app.rota_who(&office.association, &area(), RotaRole::Primary, night, None).await.unwrap();
    let leg = Leg {
        area: area(),
        role: RotaRole::Primary,
        window: part.window,
        giver: primary.person.clone(),
        taker: taker.clone(),
    };
    let (swap, taken) = office.app.rota_swap_told(&who, vec![leg.clone()], None).await.unwrap();
    taken.unwrap();
    assert_eq!(on(&office, RotaRole::Primary, night, None).await, std::slice::from_ref(&taker));
    assert_eq!(
        on(&office, RotaRole::Primary, night, Some(published_at)).await,
        std::slice::from_ref(&primary)
    );
    let (_, twice) = office.app.rota_swap_told(&who, vec![leg], None).await.unwrap();
    assert!(matches!(twice, Err(SwapRefused::NotTakeable(_))));

    // The office puts nobody there; then takes that back, then undoes the swap.
    let nobody = NewOverride {
        area: area(),
        role: RotaRole::Primary,
        window: Window { from: night, to: night.plus_s(3_600) },
        person: None,
        institution: None,
        reason: String::new(),
        recorded_at: None,
    };
    let made = office.app.rota_override_add(&who, nobody, None).await.unwrap();
    let OverrideMade::Done { id, .. } = made else { panic!("{made:?}") };
    let gap =
        office.app.rota_who(&office.association, &area(), RotaRole::Primary, night, None).await.unwrap();
    assert_eq!((gap.standing(), gap.gap), (Standing::Gap, Some(Gap::Emptied { by: id.clone() })));
    office.clock.advance_s(60);
    assert_eq!(office.app.rota_override_withdraw(&who, &id, None).await.unwrap(), Withdrawn::Done);
    assert_eq!(office.app.rota_override_withdraw(&who, &id, None).await.unwrap(), Withdrawn::Already);
    assert_eq!(on(&office, RotaRole::Primary, night, None).await, [taker]);
    office.app.rota_swap_undo(&who, &swap, None).await.unwrap().unwrap();
    assert_eq!(on(&office, RotaRole::Primary, night, None).await, std::slice::from_ref(&primary));

    // Whoever leaves holds nothing from then on; nobody moves up.
    let member = office.app.member(&office.association, &primary.person).await.unwrap();
    office.app.member_leave(&who, &member.id, None).await.unwrap();
    let left =
        office.app.rota_who(&office.association, &area(), RotaRole::Primary, night, None).await.unwrap();
    assert_eq!(left.gap, Some(Gap::Left { people: vec![primary.person.clone()] }));
    assert_eq!(on(&office, RotaRole::Primary, night, Some(published_at)).await, [primary]);
}

async fn of_two_coordinators_at_one_draft_the_second_is_told(office: TestOffice) {
    let who = self::office(&office);
    physicians(&office).await;
    let (draft, revision) = december(&office).await;
    let slot: SlotKey = "2026-12-10/wn".parse().unwrap();
    let nobody = SeatChange { slot: slot.clone(), role: RotaRole::Primary, person: None, window: None };
    let edit = async |revision| {
        office.app.rota_draft_edit(&who, &draft, revision, std::slice::from_ref(&nobody), None).await
    };
    assert_eq!(edit(revision).await.unwrap(), Drafted::Done { revision: revision + 1 });
    assert!(edit(revision).await.unwrap_err().is_stale());
    let view = office.app.rota_draft(&office.association, &draft).await.unwrap();
    assert_eq!(view.empty, [(slot.clone(), RotaRole::Primary)]);
    // Undone, and done again.
    let undone = office.app.rota_draft_undo(&who, &draft, revision + 1, None).await.unwrap();
    assert_eq!(undone, Drafted::Done { revision: revision + 2 });
    let view = office.app.rota_draft(&office.association, &draft).await.unwrap();
    assert!(view.empty.is_empty());
    office.app.rota_draft_redo(&who, &draft, revision + 2, None).await.unwrap();
    let view = office.app.rota_draft(&office.association, &draft).await.unwrap();
    assert_eq!(view.empty, [(slot, RotaRole::Primary)]);
    let nothing = office.app.rota_draft_redo(&who, &draft, revision + 3, None).await.unwrap();
    assert_eq!(nothing, Drafted::Nothing);
    assert_eq!(view.world.people().iter().filter(|p| !p.profile.exempt).count(), 7);
    assert!(view.world.members.values().any(|m| m.roles.contains(&Role::Clerk)));
}

/// The subjects and the recipients of the mails that wait, each with its text.
async fn mails(office: &TestOffice) -> Vec<(String, String, String)> {
    use touban::app::outbox::{Sent, Task};
    use touban::store::jobs::Lane;
    let mut mails = Vec::new();
    while let Some(job) = office.app.work_take((Lane::Mail, Lane::Mail), "test").await.unwrap() {
        if let Task::Mail(mail) = office.app.work_prepare(&job, "test").await.unwrap() {
            mails.push((mail.to.clone(), mail.subject.clone(), mail.text.clone()));
            assert!(office.app.work_finish(&job, "test", Sent::Delivered, None).await.unwrap());
        }
    }
    mails
}

async fn a_publication_tells_each_person_their_own_and_a_reminder_comes_once(office: TestOffice) {
    use touban::app::rota::duties_of;
    use touban::app::rota::notices::Told;
    let who = self::office(&office);
    let people = physicians(&office).await;
    let (draft, revision) = december(&office).await;
    office.app.rota_publish(&who, &draft, revision, (Breaches::Forbid, ""), None).await.unwrap();
    let told = mails(&office).await;
    let laid = office.app.rota_laid(&office.association, office.app.now()).await.unwrap();
    let month = Window { from: at("2026-12-01T00:00:00+09:00"), to: at("2027-01-01T00:00:00+09:00") };
    for person in &people {
        let duties = duties_of(&laid.timeline, person, month);
        let member = office.app.member(&office.association, person).await.unwrap();
        let mine: Vec<_> = told.iter().filter(|(to, ..)| Some(to) == member.email.as_ref()).collect();
        assert_eq!(mine.len(), usize::from(!duties.is_empty()), "{}", member.name);
        for (_, subject, text) in mine {
            assert!(subject.contains("当番表を公開しました"), "{subject}");
            let told = text.lines().filter(|line| line.starts_with("受け持ち")).count();
            assert!(told >= 1 && told <= duties.len(), "{text}");
            // Nobody reads who else is on.
            for other in people.iter().filter(|other| *other != person) {
                let other = office.app.member(&office.association, other).await.unwrap();
                assert!(!text.contains(&other.name), "{text}");
            }
        }
    }
    // The evening before the first duty of the tenth: one mail to each of the two, and never again.
    let eve = at("2026-12-09T18:00:30+09:00");
    office.clock.set(eve);
    let mut told = Told::default();
    let begins = at("2026-12-10T08:00:00+09:00");
    office.app.rota_notices_due(&office.association, &mut told).await.unwrap();
    assert_eq!(office.app.rota_notices_due(&office.association, &mut told).await.unwrap(), 0);
    // Another process, or this one after a start, does not tell it twice either.
    office.app.rota_notices_due(&office.association, &mut Told::default()).await.unwrap();
    let reminded = mails(&office).await;
    for role in [RotaRole::Primary, RotaRole::Deputy] {
        let holder = on(&office, role, begins, None).await.pop().unwrap();
        let member = office.app.member(&office.association, &holder.person).await.unwrap();
        let mine = reminded.iter().filter(|(to, subject, text)| {
            Some(to) == member.email.as_ref()
                && subject.contains("当番のお知らせ")
                && text.contains("10日（木）8時")
        });
        assert_eq!(mine.count(), 1, "{reminded:?}");
    }
    // Whoever does not want to be reminded is not.
    let next = at("2026-12-10T18:00:00+09:00");
    let holder = on(&office, RotaRole::Primary, next, None).await.pop().unwrap();
    let never = touban::domain::rota::Reminders { day_before_min: None, before_start_min: None };
    office.app.rota_reminders_set(&who, &holder.person, Some(never), None).await.unwrap();
    office.clock.set(next);
    office.app.rota_notices_due(&office.association, &mut told).await.unwrap();
    let member = office.app.member(&office.association, &holder.person).await.unwrap();
    assert!(!mails(&office).await.iter().any(|(to, ..)| Some(to) == member.email.as_ref()));
}

async fn wishes_are_asked_for_written_and_kept_to(office: TestOffice) {
    use touban::app::rota::notices::Told;
    use touban::app::rota::wishes::SheetWritten;
    use touban::domain::rota::{WishSheet, WishSource, Wished, WishedDays};
    let who = self::office(&office);
    let people = physicians(&office).await;
    let days = ("2026-12-01".parse().unwrap(), "2026-12-31".parse().unwrap());
    let deadline = at("2026-11-27T17:00:00+09:00");
    let round = office.app.wish_round_open(&who, days, deadline, None).await.unwrap();
    office.app.rota_notices_due(&office.association, &mut Told::default()).await.unwrap();
    assert_eq!(mails(&office).await.len(), people.len());
    let cannot = |first: &str, last: &str| WishedDays {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
        wished: Wished::Unavailable,
    };
    let sheet = WishSheet { days: vec![cannot("2026-12-05", "2026-12-20")], ..WishSheet::default() };
    let write = async |member: &MemberId, sheet: &WishSheet, source| {
        office.app.wish_sheet_write(&who, &round, (member, sheet.clone()), source, None).await
    };
    let first = &people[1];
    let done = write(first, &sheet, WishSource::Person).await.unwrap();
    assert_eq!(done, SheetWritten::Done { version: 1 });
    let outside = WishSheet { days: vec![cannot("2027-01-05", "2027-01-06")], ..WishSheet::default() };
    assert_eq!(
        write(first, &outside, WishSource::Person).await.unwrap(),
        SheetWritten::Wrong(vec!["days".into()])
    );
    // Two days before the deadline those who are silent are reminded.
    office.clock.set(at("2026-11-25T09:00:00+09:00"));
    office.app.rota_notices_due(&office.association, &mut Told::default()).await.unwrap();
    assert_eq!(mails(&office).await.len(), people.len() - 1);
    let view = office.app.wish_round(&office.association, &round).await.unwrap();
    assert_eq!(view.silent().count(), people.len() - 1);
    // After it the office still enters a fax, the person does not.
    office.clock.set(deadline);
    assert_eq!(write(&people[2], &sheet, WishSource::Person).await.unwrap(), SheetWritten::Closed);
    assert_eq!(write(&people[2], &sheet, WishSource::Fax).await.unwrap(), SheetWritten::Done { version: 1 });
    // The filled rota keeps to what they cannot.
    let (draft, _) = december(&office).await;
    let view = office.app.rota_draft(&office.association, &draft).await.unwrap();
    let (from, to) = ("2026-12-05".parse().unwrap(), "2026-12-20".parse().unwrap());
    for duty in view.duties.iter().filter(|d| (from..=to).contains(&d.slot.day)) {
        assert!(!people[1..=2].contains(&duty.holder.person), "{duty:?}");
    }
    assert!(view.violations.iter().all(|v| !v.rule.is_hard()), "{:?}", view.violations.first());
}

async fn the_year_end_is_drawn_by_a_seed_that_anybody_can_use_again(office: TestOffice) {
    let who = self::office(&office);
    physicians(&office).await;
    let (draft, revision) = december(&office).await;
    let (first, done) = office.app.rota_draft_draw(&who, &draft, revision, Some(4_711), None).await.unwrap();
    assert_eq!(done, Drafted::Done { revision: revision + 1 });
    let (again, _) = office.app.rota_draft_draw(&who, &draft, revision + 1, Some(4_711), None).await.unwrap();
    assert_eq!(first.draw, again.draw);
    assert_eq!(first.draw.order.len(), 7);
    let draws = office.app.rota_draws(&office.association).await.unwrap();
    assert_eq!(draws.len(), 2);
    assert!(draws.iter().all(|row| row.draw == first.draw));
}

async fn a_rota_written_to_a_file_and_read_in_again_answers_the_same(office: TestOffice) {
    use touban::app::rota::file::{FileRead, RotaFile};
    let who = self::office(&office);
    physicians(&office).await;
    let (draft, revision) = december(&office).await;
    office.app.rota_publish(&who, &draft, revision, (Breaches::Forbid, ""), None).await.unwrap();
    let file = office.app.rota_file(&office.association, None).await.unwrap();
    let text = serde_json::to_string(&file).unwrap();
    let read: RotaFile = serde_json::from_str(&text).unwrap();
    assert_eq!(read, file);
    // All of it is there already.
    let same = office.app.rota_file_read(&who, read.clone(), None).await.unwrap();
    let nothing = FileRead::Done {
        publications: 0,
        overrides: 0,
        swaps: 0,
        leavings: 0,
        slot_books: 0,
        settings: false,
    };
    assert_eq!(same, nothing);
    // A stranger, and what is not known yet, are refused whole.
    let mut strange = read.clone();
    strange.records.publications[0].id = touban::ids::PublicationId::named(&["other"]);
    strange.records.publications[0].assignments[0].holder.person = MemberId::named(&["nobody"]);
    let refused = office.app.rota_file_read(&who, strange, None).await.unwrap();
    assert!(matches!(refused, FileRead::Unknown(unknown) if unknown.len() == 1));
    let mut early = read;
    early.records.publications[0].recorded_at = office.app.now().plus_s(1);
    assert!(office.app.rota_file_read(&who, early, None).await.is_err());
    assert_eq!(office.app.rota_file(&office.association, None).await.unwrap().records, file.records);
}

async fn a_file_read_into_an_empty_database_gives_the_same_answers(office: TestOffice) {
    use touban::app::rota::file::{FileRead, RotaFile};
    let who = self::office(&office);
    let people = physicians(&office).await;
    // Patterns of its own: the nights only, so that other hours are no holes.
    let nights = include_str!("../../config/slots.toml")
        .replace("from = \"00:00\"\nto = \"24:00\"", "from = \"18:00\"\nto = \"24:00\"");
    office.app.rota_slot_book_put(&who, ("slots.toml", &nights), None, None).await.unwrap();
    let (_, mut settings) = office.app.rota_settings(&office.association).await.unwrap();
    settings.areas[0].name = "市の全域".to_owned();
    settings.rules.apart =
        vec![touban::domain::rota::Apart { a: people[0].clone(), b: people[1].clone(), weight: Some(3) }];
    settings.people.entry(people[2].clone()).or_default().share_percent = 50;
    office.app.rota_settings_put(&who, 0, settings, None).await.unwrap();
    let (draft, revision) = december(&office).await;
    office.app.rota_publish(&who, &draft, revision, (Breaches::Forbid, ""), None).await.unwrap();
    let known = office.app.now();
    office.clock.advance_s(3_600);
    let nobody = NewOverride {
        area: area(),
        role: RotaRole::Primary,
        window: Window { from: at("2026-12-10T20:00:00+09:00"), to: at("2026-12-10T22:00:00+09:00") },
        person: None,
        institution: None,
        reason: String::new(),
        recorded_at: None,
    };
    office.app.rota_override_add(&who, nobody, None).await.unwrap();
    let file = office.app.rota_file(&office.association, None).await.unwrap();
    let file: RotaFile = serde_json::from_str(&serde_json::to_string(&file).unwrap()).unwrap();

    // Another database, into which the same people were entered: other ids, the same names.
    let other = TestOffice::sqlite().await;
    other.clock.set(office.app.now());
    let theirs = physicians(&other).await;
    assert!(theirs.iter().all(|id| !people.contains(id)));
    let read = other.app.rota_file_read(&self::office(&other), file.clone(), None).await.unwrap();
    let FileRead::Done { publications: 1, overrides: 1, slot_books: 1, settings: true, .. } = read else {
        panic!("{read:?}")
    };
    let month = Window { from: at("2026-12-01T00:00:00+09:00"), to: at("2027-01-01T00:00:00+09:00") };
    let holes = async |of: &TestOffice| {
        let holes = of.app.rota_holes(&of.association, month).await.unwrap();
        holes.into_iter().map(|hole| (hole.role, hole.window)).collect::<Vec<_>>()
    };
    assert_eq!(holes(&office).await, holes(&other).await);
    assert!(!holes(&other).await.is_empty());
    let said = async |of: &TestOffice, role, as_of| {
        let segments = of.app.rota_expand(&of.association, &area(), role, month, as_of).await.unwrap();
        let world = of.app.rota_world(&of.association).await.unwrap();
        let names =
            |people: &[Holder]| people.iter().map(|h| world.name(&h.person).to_owned()).collect::<Vec<_>>();
        segments.iter().map(|s| (s.window, names(&s.people))).collect::<Vec<_>>()
    };
    for role in [RotaRole::Primary, RotaRole::Deputy] {
        for as_of in [None, Some(known), Some(known.plus_s(-1))] {
            assert_eq!(
                said(&office, role, as_of).await,
                said(&other, role, as_of).await,
                "{role:?} {as_of:?}"
            );
        }
    }
    let (_, settings) = other.app.rota_settings(&other.association).await.unwrap();
    assert_eq!(settings.areas[0].name, "市の全域");
    assert_eq!((&settings.rules.apart[0].a, settings.people[&theirs[2]].share_percent), (&theirs[0], 50));
    // Read in once more, nothing is new.
    let again = other.app.rota_file_read(&self::office(&other), file, None).await.unwrap();
    assert!(matches!(
        again,
        FileRead::Done { publications: 0, overrides: 0, slot_books: 0, settings: false, .. }
    ));
}

async fn slot_patterns_and_settings_are_taken_whole_or_not_at_all(office: TestOffice) {
    let who = self::office(&office);
    let wrong = office.app.rota_slot_book_put(&who, ("slots.toml", "[[slot]]\nkind = 1"), None, None).await;
    assert!(wrong.is_err());
    assert!(office.app.rota_slot_books(&office.association).await.unwrap().is_empty());
    let shipped = include_str!("../../config/slots.toml");
    let version = office.app.rota_slot_book_put(&who, ("slots.toml", shipped), None, None).await.unwrap();
    assert_eq!(version, 1);
    let (version, mut settings) = office.app.rota_settings(&office.association).await.unwrap();
    assert_eq!(version, 0);
    settings.rules.rest_nights = 3;
    assert_eq!(office.app.rota_settings_put(&who, 0, settings.clone(), None).await.unwrap(), 1);
    // Another who began from the same version is told.
    assert!(office.app.rota_settings_put(&who, 0, settings.clone(), None).await.unwrap_err().is_stale());
    settings.areas.clear();
    assert!(office.app.rota_settings_put(&who, 1, settings, None).await.is_err());
    assert_eq!(office.app.rota_settings(&office.association).await.unwrap().1.rules.rest_nights, 3);
}
