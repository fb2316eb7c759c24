//! The rota kept: published, changed, and asked who is on, through the use cases, on both databases.

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
    assert_eq!(on(&office, RotaRole::Primary, night, None).await, [taker.clone()]);
    assert_eq!(on(&office, RotaRole::Primary, night, Some(published_at)).await, [primary.clone()]);
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
    assert_eq!(on(&office, RotaRole::Primary, night, None).await, [primary.clone()]);

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
