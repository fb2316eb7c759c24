//! The rules, one by one, and against a plain second reading of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::patterns::book;
use super::*;
use crate::domain::people::entry::DutyProfile;

const PRIMARY: RotaRole = RotaRole::Primary;
const DEPUTY: RotaRole = RotaRole::Deputy;
const BACKING: RotaRole = RotaRole::Backing;

/// Everything a check needs, to be changed by a test.
#[derive(Debug)]
pub struct Office {
    pub rules: Rules,
    pub people: Vec<DutyPerson>,
    pub wishes: Vec<Wish>,
    pub groups: Vec<CareGroup>,
    pub slots: Vec<Slot>,
    pub calendar: Calendar,
}

impl Office {
    /// July to September 2026 and twelve people of four clinics.
    pub fn new(first: &str, last: &str) -> Self {
        Self {
            rules: Rules::default(),
            people: (0..12)
                .map(|n| DutyPerson {
                    qualifications: [code("ped")].into(),
                    ..DutyPerson::new(person(n), clinic(n))
                })
                .collect(),
            wishes: Vec::new(),
            groups: Vec::new(),
            slots: book().slots(&aoba(), day(first), day(last), &calendar(), TOKYO),
            calendar: calendar(),
        }
    }

    pub fn setting(&self) -> Setting<'_> {
        Setting {
            rules: &self.rules,
            people: &self.people,
            wishes: &self.wishes,
            groups: &self.groups,
            slots: &self.slots,
            calendar: &self.calendar,
            zone: TOKYO,
        }
    }

    pub fn on(&self, slot: &str, role: RotaRole, n: usize) -> Assignment {
        let slot = self.slots.iter().find(|s| s.key == key(slot)).unwrap();
        duty(&slot.key.to_string(), role, slot.window, n)
    }

    fn check(&self, duties: &[Assignment]) -> Vec<Violation> {
        check(self.setting(), duties, day("2026-07-01"), day("2027-03-31"))
    }

    fn rules_broken(&self, duties: &[Assignment]) -> Vec<Rule> {
        self.check(duties).into_iter().map(|v| v.rule).collect()
    }
}

fn july() -> Office {
    Office::new("2026-07-01", "2026-07-31")
}

#[test]
fn a_rota_that_keeps_every_rule_is_not_blamed() {
    let office = july();
    let duties = [office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-01/wn", DEPUTY, 3)];
    assert_eq!(office.check(&duties), []);
}

#[test]
fn a_violation_says_who_when_and_which_rule() {
    let office = july();
    let duties = [office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-01/wn", DEPUTY, 1)];
    let told = office.check(&duties);
    let [one] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(one.rule, Rule::SameInstitution { institution: clinic(0) });
    assert_eq!((one.window, one.slot.as_ref()), (Some(duties[0].window), Some(&duties[0].slot)));
    assert_eq!(BTreeSet::from_iter(&one.people), BTreeSet::from([&person(0), &person(1)]));
    assert!(one.rule.is_hard());
}

#[test]
fn nobody_holds_two_roles_or_two_duties_at_once() {
    let office = july();
    let told = office
        .rules_broken(&[office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-01/wn", BACKING, 0)]);
    assert_eq!(told, [Rule::TwoRoles]);
    let mut west = office.on("2026-07-01/wn", BACKING, 0);
    west.area = area("west");
    let told = office.rules_broken(&[office.on("2026-07-01/wn", BACKING, 0), west]);
    assert_eq!(told, [Rule::TwoDutiesAtOnce]);
    let mut other = office.on("2026-07-01/wn", BACKING, 1);
    other.slot = key("2026-07-01/x");
    let told = office.rules_broken(&[office.on("2026-07-01/wn", BACKING, 0), other]);
    assert_eq!(told, [Rule::RoleHeldTwice]);
}

#[test]
fn rest_is_counted_in_hours_and_in_nights() {
    let mut office = july();
    office.rules.rest_h = 24;
    let duties = [office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-02/wn", DEPUTY, 0)];
    let told = office.check(&duties);
    assert_eq!(told[0].rule, Rule::RestHours { hours: 10, needed: 24 });
    assert_eq!(told[0].other, Some(key("2026-07-01/wn")));
    assert_eq!(told.len(), 1);
    let later = [office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-03/wn", DEPUTY, 0)];
    assert_eq!(office.check(&later), []);
    office.rules = Rules { rest_nights: 3, ..Rules::default() };
    let nights =
        |from: &str, to: &str| office.rules_broken(&[office.on(from, PRIMARY, 0), office.on(to, DEPUTY, 0)]);
    assert_eq!(nights("2026-07-01/wn", "2026-07-05/hn"), []);
    assert_eq!(nights("2026-07-01/wn", "2026-07-04/sn"), [Rule::RestNights { nights: 2, needed: 3 }]);
    // Standing behind both is no turn.
    assert_eq!(
        office
            .rules_broken(&[office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-02/wn", BACKING, 0)]),
        []
    );
}

#[test]
fn rest_counts_towards_the_weeks_before_and_after_the_days_asked_for() {
    let mut office = july();
    office.rules.rest_nights = 3;
    let duties = [office.on("2026-07-06/wn", PRIMARY, 0), office.on("2026-07-08/wn", PRIMARY, 0)];
    let told = |first: &str, last: &str| check(office.setting(), &duties, day(first), day(last)).len();
    assert_eq!((told("2026-07-06", "2026-07-06"), told("2026-07-08", "2026-07-31")), (1, 1));
    assert_eq!(told("2026-07-09", "2026-07-31"), 0);
}

#[test]
fn a_run_of_days_off_is_one_block() {
    let mut office = Office::new("2026-09-15", "2026-09-30");
    office.rules.rest_h = 24;
    let run = Run { first: day("2026-09-19"), last: day("2026-09-23") };
    let five: Vec<Assignment> =
        ["19/sp", "19/sn", "20/hd", "20/hn", "21/hd", "21/hn", "22/hd", "22/hn", "23/hd", "23/hn"]
            .iter()
            .map(|slot| office.on(&format!("2026-09-{slot}"), PRIMARY, 0))
            .collect();
    assert_eq!(office.rules_broken(&five).len(), 9);
    office.rules.block = Some(BlockRule { min_days: 3, same_people: true });
    assert_eq!(office.rules_broken(&five), []);
    // Rest begins where the block ends.
    let mut more = five.clone();
    more.push(office.on("2026-09-24/wn", PRIMARY, 0));
    assert_eq!(office.rules_broken(&more), [Rule::RestHours { hours: 10, needed: 24 }]);
    // Another person on one of its nights splits it.
    let mut split = five;
    split[5].holder = holder(3);
    assert!(office.rules_broken(&split).contains(&Rule::BlockSplit { block: run }));
    // A mere weekend is too short for this rule.
    let weekend = [office.on("2026-09-26/sp", PRIMARY, 0), office.on("2026-09-26/sn", PRIMARY, 0)];
    assert_eq!(office.rules_broken(&weekend).len(), 1);
}

#[test]
fn caps_are_told_at_every_duty_above_them() {
    let mut office = july();
    office.rules.max_per_month = Some(2);
    let four =
        ["06", "13", "20", "27"].map(|d| format!("2026-07-{d}/{}", if d == "20" { "hn" } else { "wn" }));
    let four: Vec<Assignment> = four.iter().map(|slot| office.on(slot, PRIMARY, 0)).collect();
    let month = Month { year: 2026, month: 7 };
    assert_eq!(
        office.rules_broken(&four),
        [Rule::MonthCap { month, most: 2 }, Rule::MonthCap { month, most: 2 }]
    );
    office.people[0].profile.max_per_month = Some(1);
    assert_eq!(office.rules_broken(&four).len(), 3);
    office.rules = Rules { max_per_week: Some(1), ..Rules::default() };
    office.people[0].profile.max_per_month = None;
    let monday = day("2026-07-06");
    let week = [office.on("2026-07-06/wn", PRIMARY, 0), office.on("2026-07-12/hn", PRIMARY, 0)];
    assert_eq!(office.rules_broken(&week), [Rule::WeekCap { monday, most: 1 }]);
    office.rules =
        Rules { institution_per_week: Some(1), institution_per_month: Some(2), ..Rules::default() };
    let clinics = [
        office.on("2026-07-06/wn", PRIMARY, 0),
        office.on("2026-07-08/wn", PRIMARY, 1),
        office.on("2026-07-30/wn", DEPUTY, 2),
    ];
    let (week, all) = (
        Rule::InstitutionWeek { institution: clinic(0), monday, most: 1 },
        Rule::InstitutionMonth { institution: clinic(0), month, most: 2 },
    );
    assert_eq!(office.rules_broken(&clinics), [week, all]);
    office.rules = Rules::default();
    let kinds = BTreeSet::from([code("hd"), code("hn")]);
    office.people[0].kind_caps = vec![KindCap { kinds: kinds.clone(), most: 1 }];
    let sundays = [
        office.on("2026-07-05/hd", PRIMARY, 0),
        office.on("2026-07-12/hn", PRIMARY, 0),
        office.on("2026-07-15/wn", PRIMARY, 0),
    ];
    assert_eq!(office.rules_broken(&sundays), [Rule::KindCap { kinds, most: 1 }]);
}

#[test]
fn a_duty_in_parts_counts_once() {
    let mut office = july();
    office.rules =
        Rules { max_per_month: Some(1), institution_per_month: Some(1), rest_h: 24, ..Rules::default() };
    let whole = office.on("2026-07-06/wn", PRIMARY, 0);
    let middle = whole.window.from.plus_s(3_600);
    let mut parts = [whole.clone(), whole];
    parts[0].window.to = middle;
    parts[1].window.from = middle;
    assert_eq!(office.check(&parts), []);
}

#[test]
fn what_somebody_can_carry_is_asked_first() {
    let mut office = july();
    let night = |role| [office.on("2026-07-01/wn", role, 0)];
    let (primary, backing) = (night(PRIMARY), night(BACKING));
    let day_duty = [office.on("2026-07-05/hd", PRIMARY, 0)];
    let mut with = |change: &dyn Fn(&mut DutyPerson), duties: &[Assignment]| {
        let before = office.people[0].clone();
        change(&mut office.people[0]);
        let told = office.rules_broken(duties);
        office.people[0] = before;
        told
    };
    let profile = |profile: DutyProfile| move |p: &mut DutyPerson| p.profile = profile.clone();
    let phone = profile(DutyProfile { phone_only: true, ..DutyProfile::default() });
    assert_eq!(with(&phone, &primary), [Rule::PhoneOnly]);
    assert_eq!(with(&phone, &backing), []);
    let early = profile(DutyProfile { no_deep_night: true, ..DutyProfile::default() });
    assert_eq!(with(&early, &primary), [Rule::NoDeepNight]);
    assert_eq!(with(&early, &day_duty), []);
    let exempt = profile(DutyProfile { exempt: true, ..DutyProfile::default() });
    assert_eq!(with(&exempt, &backing), [Rule::Exempt]);
    assert_eq!(with(&|p| p.never_kinds = [code("wn")].into(), &primary), [Rule::NeverKind]);
    assert_eq!(with(&|p| p.id = person(90), &primary), [Rule::Unknown]);
}

#[test]
fn deep_night_begins_at_ten_and_ends_at_six() {
    let mut office = july();
    office.people[0].profile.no_deep_night = true;
    let told = |from: &str, to: &str| {
        let part = duty("2026-07-01/x", PRIMARY, span(from, to), 0);
        office.rules_broken(&[part]).len()
    };
    assert_eq!(told("2026-07-01T18:00:00+09:00", "2026-07-01T22:00:00+09:00"), 0);
    assert_eq!(told("2026-07-01T18:00:00+09:00", "2026-07-01T22:00:01+09:00"), 1);
    assert_eq!(told("2026-07-02T06:00:00+09:00", "2026-07-02T08:00:00+09:00"), 0);
    assert_eq!(told("2026-07-02T05:59:59+09:00", "2026-07-02T08:00:00+09:00"), 1);
}

#[test]
fn qualifications_belong_to_a_role_or_to_the_slot() {
    let mut office = july();
    office.rules.qualifications = BTreeMap::from([(PRIMARY, [code("senior")].into())]);
    let told =
        office.rules_broken(&[office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-01/wn", DEPUTY, 3)]);
    assert_eq!(told, [Rule::Qualification { needs: code("senior") }]);
    office.rules = Rules::default();
    office.people[0].qualifications.clear();
    office.people[3].qualifications.clear();
    let needs = Rule::NobodyQualified { needs: code("ped") };
    let pair = |one, two| [office.on("2026-07-05/hn", PRIMARY, one), office.on("2026-07-05/hn", DEPUTY, two)];
    assert_eq!(office.rules_broken(&pair(0, 3)), [needs]);
    assert_eq!(office.rules_broken(&pair(0, 6)), []);
    assert_eq!(office.rules_broken(&pair(0, 3)[..1]), []);
}

#[test]
fn wishes_are_weighed_and_what_cannot_be_is_not() {
    let mut office = july();
    let wish = |n, first: &str, last: &str, wished| Wish {
        person: person(n),
        first: day(first),
        last: day(last),
        wished,
    };
    office.wishes = vec![
        wish(0, "2026-07-01", "2026-07-03", Wished::Unavailable),
        wish(3, "2026-07-01", "2026-07-01", Wished::Off { weight: 5 }),
        wish(6, "2026-07-02", "2026-07-04", Wished::On { weight: 3 }),
    ];
    let backing = office.on("2026-07-03/wn", BACKING, 0);
    let deputy = office.on("2026-07-01/wn", DEPUTY, 3);
    let told = office.check(&[backing.clone(), deputy.clone()]);
    let rules: Vec<Rule> = told.iter().map(|v| v.rule.clone()).collect();
    assert_eq!(rules, [Rule::WishedOff { weight: 5 }, Rule::Unavailable, Rule::WishedOn { weight: 3 }]);
    assert_eq!(
        rules.iter().map(|r| (r.is_hard(), r.weight())).collect::<Vec<_>>(),
        [(false, 5), (true, 0), (false, 3)]
    );
    assert_eq!((told[2].window, &told[2].people), (None, &vec![person(6)]));
    // The night before the first unavailable day may run into it.
    office.wishes[0].first = day("2026-07-04");
    assert_eq!(
        office.rules_broken(&[backing, deputy, office.on("2026-07-04/sn", PRIMARY, 6)]),
        [Rule::WishedOff { weight: 5 }]
    );
}

#[test]
fn pairs_and_groups_are_kept_apart_and_together() {
    let mut office = july();
    let pair = [office.on("2026-07-01/wn", PRIMARY, 0), office.on("2026-07-01/wn", DEPUTY, 3)];
    office.rules.apart = vec![Apart { a: person(3), b: person(0), weight: Some(4) }];
    assert_eq!(office.rules_broken(&pair), [Rule::Together { weight: Some(4) }]);
    office.rules.apart[0].weight = None;
    assert!(office.check(&pair)[0].rule.is_hard());
    office.rules.apart.clear();
    office.groups = vec![CareGroup::new(aoba(), [clinic(0), clinic(6)].into()).unwrap()];
    assert_eq!(office.rules_broken(&pair), [Rule::NotOfTheGroup { institution: clinic(3) }]);
}

#[test]
fn rules_are_data_and_unknown_words_are_refused() {
    let text = "rest_h = 24\nmax_per_month = 8\nphone_only_roles = [\"backing\"]\n[block]\nmin_days = 2\nsame_people = false\n";
    let rules: Rules = toml::from_str(text).unwrap();
    assert_eq!((rules.rest_h, rules.max_per_month, rules.block.map(|b| b.min_days)), (24, Some(8), Some(2)));
    assert!(toml::from_str::<Rules>("rest_hours = 24\n").is_err());
    let back: Rules = serde_json::from_str(&serde_json::to_string(&rules).unwrap()).unwrap();
    assert_eq!(back, rules);
}

/// The rules that must hold, read a second time: plain loops over everything. Whether any is broken.
pub fn broken(office: &Office, duties: &[Assignment]) -> bool {
    let rules = &office.rules;
    let of = |d: &Assignment| office.people.iter().find(|p| p.id == d.holder.person);
    let active = |d: &Assignment| rules.active.contains(&d.role);
    let meet =
        |a: &Assignment, b: &Assignment| a.window.from.max(b.window.from) < a.window.to.min(b.window.to);
    let slot = |a: &Assignment, b: &Assignment| a.area == b.area && a.slot == b.slot;
    let block = |a: &Assignment, b: &Assignment| {
        rules.block.is_some_and(|rule| {
            let run = run_of(a.slot.day, &office.calendar);
            run.is_some_and(|r| r.len_days() >= i64::from(rule.min_days) && r.contains(b.slot.day))
        })
    };
    for (i, a) in duties.iter().enumerate() {
        let Some(person) = of(a) else { return true };
        let unavailable = office.wishes.iter().any(|w| {
            w.person == person.id
                && w.wished == Wished::Unavailable
                && w.first <= a.slot.day
                && a.slot.day <= w.last
        });
        let unqualified =
            rules.qualifications.get(&a.role).is_some_and(|q| !q.is_subset(&person.qualifications));
        let phone = person.profile.phone_only && !rules.phone_only_roles.contains(&a.role);
        let never = active(a) && person.never_kinds.contains(&a.slot.kind);
        if unavailable || unqualified || phone || never || person.profile.exempt {
            return true;
        }
        for b in duties.iter().take(i) {
            let same_person = a.holder.person == b.holder.person;
            if meet(a, b) && (same_person || (a.area == b.area && a.role == b.role)) {
                return true;
            }
            let both = active(a) && active(b);
            if both && slot(a, b) && a.holder.institution == b.holder.institution {
                return true;
            }
            if both && same_person && !slot(a, b) && !block(a, b) {
                let gap = a.window.from.0.max(b.window.from.0) - a.window.to.0.min(b.window.to.0);
                let nights = a.slot.day.days_since(b.slot.day).abs() - 1;
                if gap < i64::from(rules.rest_h) * 3_600_000
                    || (rules.rest_nights != 0 && nights < i64::from(rules.rest_nights))
                {
                    return true;
                }
            }
            let split = rules.block.is_some_and(|rule| rule.same_people);
            if split && a.role == b.role && a.area == b.area && !same_person && block(a, b) {
                return true;
            }
        }
        let most = person.profile.max_per_month.into_iter().chain(rules.max_per_month).min();
        let month = |d: &&Assignment| active(d) && Month::of(d.slot.day) == Month::of(a.slot.day);
        let mine = duties.iter().filter(|d| d.holder.person == person.id).filter(month).count();
        let ours =
            duties.iter().filter(|d| d.holder.institution == a.holder.institution).filter(month).count();
        if most.is_some_and(|most| mine > most as usize)
            || rules.institution_per_month.is_some_and(|most| ours > most as usize)
        {
            return true;
        }
    }
    office.slots.iter().any(|s| {
        let there: Vec<&Assignment> =
            duties.iter().filter(|d| d.slot == s.key && d.area == s.area && active(d)).collect();
        let complete =
            s.roles.iter().filter(|r| rules.active.contains(r)).all(|r| there.iter().any(|d| d.role == *r));
        complete
            && s.need_any
                .iter()
                .any(|q| !there.iter().any(|d| of(d).is_some_and(|p| p.qualifications.contains(q))))
    })
}

pub fn any_office() -> impl Strategy<Value = Office> {
    let rules = (
        0..60u32,
        0..4u32,
        proptest::option::of(2..9u32),
        proptest::option::of(4..20u32),
        any::<bool>(),
        0..4u32,
        any::<bool>(),
    );
    let person_facts = (any::<u8>(), proptest::option::weighted(0.2, 0..4u32));
    let people = proptest::collection::vec(person_facts, 12);
    let wishes = proptest::collection::vec((0..12usize, 0..31i64, 0..4i64, 0..3u8), 0..10);
    (rules, people, wishes).prop_map(|(rules, people, wishes)| {
        let mut office = Office::new("2026-09-01", "2026-09-30");
        let (rest_h, rest_nights, max_per_month, institution_per_month, senior, min_days, same_people) =
            rules;
        office.rules =
            Rules { rest_h, rest_nights, max_per_month, institution_per_month, ..Rules::default() };
        office.rules.block = (min_days > 0).then_some(BlockRule { min_days, same_people });
        if senior {
            office.rules.qualifications = BTreeMap::from([(PRIMARY, [code("senior")].into())]);
        }
        for (p, (bits, cap)) in office.people.iter_mut().zip(people) {
            let one_in = |n: u8, of: u8| bits.rotate_left(u32::from(n)) % of == 0;
            p.qualifications =
                if one_in(0, 2) { [code("senior"), code("ped")].into() } else { [code("senior")].into() };
            if one_in(1, 5) {
                p.qualifications.remove(&code("senior"));
            }
            p.profile.phone_only = one_in(2, 8);
            p.profile.exempt = one_in(3, 9);
            p.profile.max_per_month = cap;
            p.never_kinds = if one_in(4, 7) { [code("hn")].into() } else { BTreeSet::new() };
            p.share_percent = if one_in(5, 3) { 50 } else { 100 };
        }
        office.wishes = wishes
            .into_iter()
            .map(|(n, first, length, what)| {
                let first = day("2026-09-01").plus_days(first);
                let wished = match what {
                    0 => Wished::Unavailable,
                    1 => Wished::Off { weight: 5 },
                    _ => Wished::On { weight: 3 },
                };
                Wish { person: person(n), first, last: first.plus_days(length), wished }
            })
            .collect();
        office
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_check_finds_a_breach_where_a_plain_reading_does(
        office in any_office(),
        rows in proptest::collection::vec((0..40usize, 0..3usize, 0..13usize), 0..12),
    ) {
        let mut duties: Vec<Assignment> = Vec::new();
        for (n, role, who) in rows {
            let slot = &office.slots[n % office.slots.len()];
            let duty = duty(&slot.key.to_string(), RotaRole::ALL[role], slot.window, who);
            if !duties.contains(&duty) {
                duties.push(duty);
            }
        }
        let told = check(office.setting(), &duties, day("2026-09-01"), day("2026-09-30"));
        prop_assert_eq!(told.iter().any(|v| v.rule.is_hard()), broken(&office, &duties), "{:?}", told);
        let reversed: Vec<Assignment> = duties.iter().rev().cloned().collect();
        prop_assert_eq!(check(office.setting(), &reversed, day("2026-09-01"), day("2026-09-30")), told);
    }
}
