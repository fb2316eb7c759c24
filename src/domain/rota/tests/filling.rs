//! Filling empty slots, and drawing lots.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::checking::{Office, any_office, broken};
use super::*;

const PRIMARY: RotaRole = RotaRole::Primary;
const DEPUTY: RotaRole = RotaRole::Deputy;

fn fill(office: &Office, standing: &[Assignment], before: &BTreeMap<MemberId, Points>) -> Filled {
    let problem = Problem { setting: office.setting(), standing, points_before: before, lottery: None };
    PlainFill.fill(&problem)
}

fn seats(office: &Office) -> usize {
    office.slots.iter().map(|slot| slot.roles.len()).sum()
}

#[test]
fn a_month_is_filled_and_shared_evenly() {
    let mut office = Office::new("2026-07-01", "2026-07-31");
    office.rules.rest_nights = 2;
    let filled = fill(&office, &[], &BTreeMap::new());
    assert_eq!((filled.assignments.len(), filled.empty.len()), (seats(&office), 0));
    let spread = Spread::of(filled.points.values().copied()).unwrap();
    // No more apart than the heaviest slot counts.
    assert!(spread.range() <= Points(200), "{spread:?}");
    let sum: i64 = office.slots.iter().flat_map(|s| s.points.values()).map(|p| p.0).sum();
    assert_eq!(filled.points.values().map(|p| p.0).sum::<i64>(), sum);
}

#[test]
fn whoever_did_much_before_comes_later() {
    let office = Office::new("2026-07-01", "2026-07-03");
    let before = (0..9).map(|n| (person(n), Points(500))).collect();
    let filled = fill(&office, &[], &before);
    let active = filled.assignments.iter().filter(|a| a.role != RotaRole::Backing);
    let clinics: BTreeSet<&InstitutionId> = active.clone().map(|a| &a.holder.institution).collect();
    assert!(clinics.contains(&clinic(9)));
    let fresh = active.filter(|a| a.holder.institution == clinic(9)).count();
    // One of the two active seats each night: primary and deputy come from different clinics.
    assert_eq!(fresh, 3);
}

#[test]
fn what_stands_is_not_moved_and_counts() {
    let mut office = Office::new("2026-07-01", "2026-07-02");
    office.rules.rest_nights = 1;
    let standing = [office.on("2026-07-01/wn", PRIMARY, 4)];
    let filled = fill(&office, &standing, &BTreeMap::new());
    assert!(!filled.assignments.iter().any(|a| (&a.slot, a.role) == (&standing[0].slot, PRIMARY)));
    let second =
        filled.assignments.iter().filter(|a| a.slot == key("2026-07-02/wn") && a.role != RotaRole::Backing);
    assert!(second.into_iter().all(|a| a.holder.person != person(4)));
    assert_eq!(filled.points[&person(4)], Points(100));
}

#[test]
fn a_seat_that_stays_empty_says_what_stands_against_everybody() {
    let mut office = Office::new("2026-07-01", "2026-07-01");
    office.people.truncate(4);
    office.people[3].profile.exempt = true;
    let filled = fill(&office, &[], &BTreeMap::new());
    // Persons 0 to 2 are of one clinic.
    assert_eq!(filled.assignments.len(), 2);
    let [empty] = filled.empty.as_slice() else { panic!("{:?}", filled.empty) };
    assert_eq!((empty.role, empty.why.len()), (DEPUTY, 4));
    let why: BTreeMap<MemberId, BTreeSet<Rule>> = empty.why.iter().cloned().collect();
    assert_eq!(why[&person(3)], [Rule::Exempt].into());
    assert!(why.values().all(|rules| !rules.is_empty()));
}

#[test]
fn a_choice_is_taken_back_where_the_next_seat_would_have_nobody() {
    let mut office = Office::new("2026-07-05", "2026-07-05");
    office.people.retain(|p| p.id == person(0) || p.id == person(3));
    // By points 0 would be primary; only 0 may be deputy.
    office.people[1].never_kinds = BTreeSet::new();
    office.rules.qualifications = BTreeMap::from([(DEPUTY, [code("young")].into())]);
    office.people[0].qualifications.insert(code("young"));
    let before = BTreeMap::from([(person(3), Points(900))]);
    let filled = fill(&office, &[], &before);
    assert_eq!(filled.empty, []);
    assert!(filled.assignments.iter().all(|a| (a.role == DEPUTY) == (a.holder.person == person(0))));
}

#[test]
fn five_days_off_go_to_one_pair_where_the_rules_say_so() {
    let mut office = Office::new("2026-09-14", "2026-09-27");
    office.rules.rest_h = 24;
    office.rules.block = Some(BlockRule { min_days: 3, same_people: true });
    let filled = fill(&office, &[], &BTreeMap::new());
    assert_eq!(filled.empty, []);
    let run = run_of(day("2026-09-20"), &office.calendar).unwrap();
    for role in [PRIMARY, DEPUTY] {
        let people: BTreeSet<&MemberId> = filled
            .assignments
            .iter()
            .filter(|a| a.role == role && run.contains(a.slot.day))
            .map(|a| &a.holder.person)
            .collect();
        assert_eq!(people.len(), 1, "{role:?}");
    }
    assert!(!broken(&office, &filled.assignments));
}

#[test]
fn a_linked_group_takes_turns_by_institution() {
    let mut office = Office::new("2026-07-06", "2026-07-17");
    // Clinic 0 has three people, clinic 3 and clinic 6 one each.
    office.people.retain(|p| [person(0), person(1), person(2), person(3), person(6)].contains(&p.id));
    office.groups = vec![CareGroup::new(aoba(), [clinic(0), clinic(3), clinic(6)].into()).unwrap()];
    office.rules.active = [PRIMARY].into();
    office.slots.retain(|s| s.key.kind == code("wn"));
    office.slots.iter_mut().for_each(|s| s.roles = [PRIMARY].into());
    let filled = fill(&office, &[], &BTreeMap::new());
    let of = |n: usize| filled.assignments.iter().filter(|a| a.holder.institution == clinic(n)).count();
    assert_eq!((of(0) + of(3) + of(6), filled.empty.len()), (10, 0));
    assert!(of(0).abs_diff(of(3)) <= 1 && of(3).abs_diff(of(6)) <= 1, "{} {} {}", of(0), of(3), of(6));
}

#[test]
fn the_year_end_goes_by_lot_and_last_years_people_come_last() {
    let mut office = Office::new("2026-12-29", "2027-01-03");
    office.rules.different_institutions = false;
    let everybody = || office.people.iter().map(|p| p.id.clone());
    let last_year: BTreeSet<MemberId> = (0..3).map(person).collect();
    let drawn = draw(everybody(), &last_year, 2026);
    assert_eq!(drawn, draw(everybody().rev().chain(everybody()), &last_year, 2026));
    assert_ne!(drawn.order, draw(everybody(), &last_year, 2027).order);
    assert_eq!(drawn.order.iter().cloned().collect::<BTreeSet<_>>(), everybody().collect());
    assert!(drawn.order[9..].iter().all(|p| last_year.contains(p)));
    let before = BTreeMap::new();
    let problem =
        Problem { setting: office.setting(), standing: &[], points_before: &before, lottery: Some(&drawn) };
    let filled = PlainFill.fill(&problem);
    assert_eq!(filled.empty, []);
    // Six days with two seats each: everybody's lot comes up once, the first lot first.
    let first = filled.assignments.iter().find(|a| a.role == PRIMARY).unwrap();
    assert_eq!(first.holder.person, drawn.order[0]);
    let turns = |n: usize| filled.assignments.iter().filter(|a| a.holder.person == person(n)).count();
    assert!((0..12).all(|n| turns(n) == 1));
}

#[test]
fn every_place_of_the_lot_is_as_likely() {
    let people: Vec<MemberId> = (0..5).map(person).collect();
    let mut first: BTreeMap<MemberId, u32> = BTreeMap::new();
    for seed in 0..5_000 {
        *first.entry(draw(people.clone(), &BTreeSet::new(), seed).order[0].clone()).or_default() += 1;
    }
    assert!(first.values().all(|n| (850..1_150).contains(n)), "{first:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_filled_keeps_every_rule_and_is_the_same_each_time(office in any_office()) {
        let filled = fill(&office, &[], &BTreeMap::new());
        prop_assert!(!broken(&office, &filled.assignments));
        let told = check(office.setting(), &filled.assignments, day("2026-09-01"), day("2026-09-30"));
        prop_assert!(!told.iter().any(|v| v.rule.is_hard()), "{:?}", told);
        prop_assert_eq!(filled.assignments.len() + filled.empty.len(), seats(&office));
        prop_assert!(filled.empty.iter().all(|e| e.why.len() == office.people.len()), "{:?}", filled.empty);
        let mut shuffled = office;
        shuffled.people.reverse();
        shuffled.slots.reverse();
        shuffled.wishes.reverse();
        let again = fill(&shuffled, &[], &BTreeMap::new());
        prop_assert_eq!(again.assignments, filled.assignments);
        prop_assert_eq!(again.points, filled.points);
    }
}
