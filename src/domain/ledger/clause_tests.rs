//! Each clause that ordinances have is built here from a real one of the table in the domain's records, with
//! invented names, and held to the yen.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{at, code, consult};
use super::*;
use crate::domain::calendar::{Calendar, CivilDate, NightHours};
use crate::domain::rota::{
    Area, Assignment, Holder, Publication, Records, RotaRole, RotaRole::Deputy, RotaRole::Primary, SlotKey,
    Timeline,
};
use crate::ids::{
    AssociationId, InstitutionId, LedgerLineId, MemberId, PublicationId, RequestId, SeededChance,
};
use crate::money::Yen;
use crate::time::{Millis, Window};

const EAST: chrono_tz::Tz = chrono_tz::Japan;

fn calendar() -> Calendar {
    Calendar::national("test-1", NightHours::new(1_080, 480).unwrap())
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn tariffs(text: &str) -> Tariffs {
    Tariffs::parse("t.toml", text, "v1").unwrap_or_else(|e| panic!("{e}"))
}

fn refused(text: &str) -> String {
    Tariffs::parse("t.toml", text, "v1").unwrap_err().to_string()
}

/// A tariff for duty with more lines.
fn duty(code: &str, more: &str) -> String {
    format!(
        "[[tariff]]\ncode = \"{code}\"\nname = \"待機\"\nprogram = \"p\"\nside = \"standby\"\nevent = \"standby\"\n\
         effective = {{ from = \"2026-04-01\", before = \"2027-04-01\" }}\n{more}\n"
    )
}

fn program(more: &str) -> String {
    format!(
        "[[program]]\ncode = \"p\"\nname = \"在宅当番補助\"\nfunder = \"若葉市\"\n\
         effective = {{ from = \"2026-04-01\", before = \"2027-04-01\" }}\n{more}\n"
    )
}

/// A tariff for consults, of the side that took them.
fn took(code: &str, program: &str, more: &str) -> String {
    format!(
        "[[tariff]]\ncode = \"{code}\"\nname = \"相談\"\nprogram = \"{program}\"\nside = \"acceptor\"\n\
         event = \"consult\"\neffective = {{ from = \"2026-04-01\", before = \"2027-04-01\" }}\n{more}\n"
    )
}

struct Everybody;

impl People for Everybody {
    fn institution_kind(&self, _: &InstitutionId) -> Code {
        code("clinic")
    }
    fn membership(&self, _: &MemberId, _: Millis) -> Membership {
        Membership::Active
    }
    fn institution_membership(&self, _: &InstitutionId, _: Millis) -> Membership {
        Membership::Active
    }
}

fn institution(n: &str) -> InstitutionId {
    InstitutionId::named(&[n])
}

/// A rota of these stretches: the slot's day and kind, who (of which institution), from, to.
fn rota(held: &[(&str, &str, RotaRole, &str, &str)]) -> Timeline {
    let chance = SeededChance::new(1);
    let area: Area = "all".parse().unwrap();
    let assignments = held
        .iter()
        .map(|(slot, who, role, from, to)| Assignment {
            area: area.clone(),
            slot: slot.parse::<SlotKey>().unwrap(),
            role: *role,
            window: Window { from: at(from), to: at(to) },
            holder: Holder { person: MemberId::named(&[who]), institution: institution(who) },
        })
        .collect();
    let publication = Publication {
        id: PublicationId::new(Millis(0), &chance),
        area,
        period: Window { from: at("2026-01-01T00:00:00+09:00"), to: at("2028-01-01T00:00:00+09:00") },
        recorded_at: Millis(0),
        assignments,
    };
    Timeline::new(&Records { publications: vec![publication], ..Records::default() }, None)
}

fn duty_facts(timeline: &Timeline, tariffs: &Tariffs, within: Window) -> Vec<Fact> {
    let association = AssociationId::named(&["a"]);
    let mut windows = BTreeMap::new();
    for (area, role) in timeline.lines() {
        for part in timeline.parts(area, role) {
            for held in &part.held {
                if let Some(slot) = held.why.slot() {
                    windows
                        .entry((area.clone(), slot.clone(), role))
                        .and_modify(|w: &mut Window| {
                            w.from = w.from.min(part.window.from);
                            w.to = w.to.max(part.window.to);
                        })
                        .or_insert(part.window);
                }
            }
        }
    }
    let calendar = calendar();
    let stretches =
        stretches(&association, timeline, within, &windows, &Everybody, (&calendar, tariffs, EAST));
    let turns = turns(&association, timeline, within, &Everybody, &calendar, EAST);
    stretches
        .into_iter()
        .map(|s| Fact::Standby(Box::new(s)))
        .chain(turns.into_iter().map(Fact::Turn))
        .collect()
}

fn wide(of: Month) -> Window {
    let day = |d: CivilDate| crate::domain::calendar::start_of_day(d, EAST);
    Window { from: day(of.first().plus_days(-2)), to: day(of.end().plus_days(2)) }
}

fn duty_run(timeline: &Timeline, tariffs: &Tariffs, of: &str) -> Vec<Line> {
    let of = month(of);
    let facts = duty_facts(timeline, tariffs, wide(of));
    run_month(of, &facts, &Taken::default(), tariffs, Waiting::Hold).lines
}

fn yen(lines: &[Line]) -> Vec<i64> {
    lines.iter().map(|l| l.amount.0).collect()
}

fn reasons(lines: &[Line]) -> Vec<Option<&'static str>> {
    lines.iter().map(|l| l.eligibility.reason().map(ReasonCode::code)).collect()
}

/// 桜川市の条文: 1日45,000円、年末年始は60,000円。
#[test]
fn a_day_of_duty_is_dearer_at_the_year_end() {
    let by_factor = tariffs(&duty(
        "DAY",
        "unit = \"day\"\nyen = 45_000\nmultiplier = [{ if = \"calendar.year_end\", by = \"4/3\" }]",
    ));
    let by_band = tariffs(&format!(
        "{}{}",
        duty(
            "DAY",
            "unit = \"day\"\nyen = 45_000\nbands = [\"day\", \"night\", \"deep_night\", \"holiday\"]"
        ),
        duty("YEAR-END", "unit = \"day\"\nyen = 60_000\nbands = [\"year_end\"]")
    ));
    let timeline = rota(&[
        ("2026-12-27/day", "a", Primary, "2026-12-27T09:00:00+09:00", "2026-12-27T17:00:00+09:00"),
        ("2026-12-29/day", "a", Primary, "2026-12-29T09:00:00+09:00", "2026-12-29T17:00:00+09:00"),
        ("2026-12-31/day", "b", Primary, "2026-12-31T09:00:00+09:00", "2026-12-31T17:00:00+09:00"),
    ]);
    for rules in [by_factor, by_band] {
        assert_eq!(yen(&duty_run(&timeline, &rules, "2026-12")), [45_000, 60_000, 60_000]);
    }
}

/// 墨田区の条文: 休日が3日以上続くときは日額を5割増しにする。
#[test]
fn three_holidays_in_a_row_rise_by_a_half_and_two_do_not() {
    let rules = tariffs(&duty(
        "DAY",
        "unit = \"day\"\nyen = 33_333\nmultiplier = [{ if = \"calendar.run_of_holidays >= 3\", by = \"1.5\" }]",
    ));
    // 3 to 6 May 2026 are four holidays; 19 July stands alone with the 20th.
    let timeline = rota(&[
        ("2026-05-02/day", "a", Primary, "2026-05-02T09:00:00+09:00", "2026-05-02T17:00:00+09:00"),
        ("2026-05-03/day", "a", Primary, "2026-05-03T09:00:00+09:00", "2026-05-03T17:00:00+09:00"),
        ("2026-05-06/day", "a", Primary, "2026-05-06T09:00:00+09:00", "2026-05-06T17:00:00+09:00"),
        ("2026-07-19/day", "a", Primary, "2026-07-19T09:00:00+09:00", "2026-07-19T17:00:00+09:00"),
    ]);
    let lines = duty_run(&timeline, &rules, "2026-05");
    // 49,999.5 is rounded once, down.
    assert_eq!(yen(&lines), [33_333, 49_999, 49_999]);
    assert_eq!((lines[1].quantity.to_string(), lines[1].counted.to_string()), ("1".into(), "3/2".into()));
    assert_eq!(yen(&duty_run(&timeline, &rules, "2026-07")), [33_333]);
}

/// 高浜市の条文: 1日43,680円、5月2日から6日と年末年始は午前のみ。
#[test]
fn days_of_mornings_only_count_for_a_half() {
    let rules = tariffs(&duty(
        "DAY",
        "unit = \"day\"\nyen = 43_680\nmultiplier = [{ if = \"calendar.days 05-02..05-06\", by = \"1/2\" }, \
         { if = \"calendar.days 12-29..01-03\", by = \"0.5\" }]",
    ));
    let timeline = rota(&[
        ("2026-05-01/day", "a", Primary, "2026-05-01T09:00:00+09:00", "2026-05-01T17:00:00+09:00"),
        ("2026-05-02/day", "a", Primary, "2026-05-02T09:00:00+09:00", "2026-05-02T12:00:00+09:00"),
        ("2026-05-06/day", "a", Primary, "2026-05-06T09:00:00+09:00", "2026-05-06T12:00:00+09:00"),
        ("2026-05-07/day", "a", Primary, "2026-05-07T09:00:00+09:00", "2026-05-07T17:00:00+09:00"),
    ]);
    assert_eq!(yen(&duty_run(&timeline, &rules, "2026-05")), [43_680, 21_840, 21_840, 43_680]);
}

/// 江東区（年末年始の診療所）の条文: 4時間以上を確保した日だけを1日と数える。
#[test]
fn a_day_counts_from_four_hours_on_and_only_once_for_an_institution() {
    let rules = tariffs(&duty("DAY", "unit = \"day\"\nyen = 10_000\nminimum_hours = 4"));
    let timeline = rota(&[
        ("2026-12-29/a", "a", Primary, "2026-12-29T09:00:00+09:00", "2026-12-29T12:59:59+09:00"),
        ("2026-12-30/a", "a", Primary, "2026-12-30T09:00:00+09:00", "2026-12-30T11:00:00+09:00"),
        ("2026-12-30/b", "a", Primary, "2026-12-30T14:00:00+09:00", "2026-12-30T16:00:00+09:00"),
        ("2026-12-30/a", "b", Deputy, "2026-12-30T09:00:00+09:00", "2026-12-30T13:00:00+09:00"),
    ]);
    let lines = duty_run(&timeline, &rules, "2026-12");
    let told: Vec<_> =
        lines.iter().map(|l| (l.amount.0, l.eligibility.reason().map(ReasonCode::code))).collect();
    // Two times two hours make the day of institution a; its second stretch is the same day.
    let mut sorted = told.clone();
    sorted.sort_unstable();
    assert_eq!(told[0], (0, Some("below_minimum")));
    assert_eq!(sorted, [(0, Some("below_minimum")), (0, Some("duplicate")), (10_000, None), (10_000, None)]);
}

/// 阿賀野市の条文: 休日は日曜日だけで、1月1日にあたるときを除く。1日32,800円、税込み。
#[test]
fn a_city_whose_holidays_are_sundays_only_pays_no_other_day() {
    let rules = tariffs(&format!(
        "[[calendar]]\nname = \"sundays\"\nholidays = \"sundays_only\"\nremoved = [\"01-01\"]\nyear_end = []\n{}{}",
        program("tax_included = true"),
        duty("DAY", "calendar = \"sundays\"\nbands = [\"holiday\"]\nunit = \"day\"\nyen = 32_800")
    ));
    assert_eq!(rules.programs().values().next().unwrap().tax_included, Some(true));
    let slot =
        |day: &str| (format!("{day}/d"), format!("{day}T09:00:00+09:00"), format!("{day}T17:00:00+09:00"));
    // A Sunday; a national holiday on a Wednesday; a sandwiched day; a Sunday in the year-end.
    let days = ["2026-09-20", "2026-09-22", "2026-09-23"].map(slot);
    let held: Vec<_> =
        days.iter().map(|(s, f, t)| (s.as_str(), "a", Primary, f.as_str(), t.as_str())).collect();
    let lines = duty_run(&rota(&held), &rules, "2026-09");
    assert_eq!(
        (yen(&lines), reasons(&lines)),
        (vec![32_800, 0, 0], vec![None, Some("wrong_band"), Some("wrong_band")])
    );
    assert_eq!(lines[0].calendar_version, "test-1/sundays");
    // 1 January 2034 is a Sunday.
    let calendar = rules.calendars().values().next().unwrap();
    let first = CivilDate::new(2034, 1, 1).unwrap();
    assert_eq!(
        (calendar.run_of_holidays(first, |_| true), calendar.run_of_holidays(first.plus_days(7), |_| true)),
        (0, 1)
    );
}

/// 真庭市の条文: 47,000円×日数と実支出額の低い方、請求の千円未満切捨て。
#[test]
fn the_claim_is_the_lesser_of_days_and_books_cut_below_a_thousand_once() {
    let rules = tariffs(&format!(
        "{}{}",
        program("claim_cycle = \"year\"\nclaim_unit_yen = 1000\nclaim_lesser_of_actual = true"),
        duty("DAY", "unit = \"day\"\nyen = 47_000")
    ));
    let slots: Vec<(String, String, String)> = (1..=9)
        .map(|d| {
            let day = format!("2026-06-{d:02}");
            (format!("{day}/d"), format!("{day}T09:00:00+09:00"), format!("{day}T17:00:00+09:00"))
        })
        .collect();
    let held: Vec<_> =
        slots.iter().map(|(s, f, t)| (s.as_str(), "a", Primary, f.as_str(), t.as_str())).collect();
    let lines = duty_run(&rota(&held), &rules, "2026-06");
    let standard = Yen(yen(&lines).iter().sum());
    assert_eq!(standard, Yen(423_000));
    let rule = rules.claim_rule(&code("p"));
    let actual = Books { actual: Yen(401_999), ..Books::default() };
    assert_eq!(claim(&rule, standard, Some(actual)).unwrap().amount, Yen(401_000));
    assert_eq!(claim(&rule, standard, None), None);
}

/// 高島市（歯科）の条文: 基準額と実支出額の低い方、さらに総事業費から寄附金その他の収入を引いた額との低い方、千円未満切捨て。
#[test]
fn the_claim_is_also_not_more_than_the_cost_without_other_income() {
    let rules = tariffs(&format!(
        "{}{}",
        program(
            "claim_cycle = \"year\"\nclaim_by = \"institution\"\nclaim_unit_yen = 1000\n\
             claim_lesser_of_actual = true\nclaim_less_other_income = true"
        ),
        duty("DAY", "unit = \"day\"\nyen = 30_000")
    ));
    let rule = rules.claim_rule(&code("p"));
    assert_eq!(rule.by, ClaimBy::Institution);
    let made = |standard: i64, actual: i64, total_cost: i64, other_income: i64| {
        let books =
            Books { actual: Yen(actual), total_cost: Yen(total_cost), other_income: Yen(other_income) };
        let claim = claim(&rule, Yen(standard), Some(books)).unwrap();
        (claim.before_cut.0, claim.amount.0)
    };
    // The standard is the least; what was paid is; what is left of the cost after a gift is.
    assert_eq!(made(300_000, 350_000, 400_000, 0), (300_000, 300_000));
    assert_eq!(made(300_000, 288_888, 400_000, 0), (288_888, 288_000));
    assert_eq!(made(300_000, 288_888, 400_000, 150_500), (249_500, 249_000));
    assert_eq!(made(300_000, 288_888, 400_000, 500_000), (0, 0));
}

/// 江東区の条文: 四半期ごとに、7月15日、10月15日、1月15日、4月15日までに出す。
#[test]
fn a_quarterly_claim_is_due_on_the_fifteenth_of_the_month_after_it() {
    let rules = tariffs(&format!(
        "{}{}",
        program("claim_cycle = \"quarter\"\nclaim_due_days = 15"),
        duty("BED", "unit = \"day\"\nyen = 8_600")
    ));
    let rule = rules.claim_rule(&code("p"));
    let due = |of: &str| {
        let (first, last) = rule.cycle.of(month(of));
        (first.to_string(), rule.due(last).unwrap().to_string())
    };
    assert_eq!(due("2026-05"), ("2026-04".into(), "2026-07-15".into()));
    assert_eq!(due("2026-09"), ("2026-07".into(), "2026-10-15".into()));
    assert_eq!(due("2026-10"), ("2026-10".into(), "2027-01-15".into()));
    assert_eq!(due("2027-03"), ("2027-01".into(), "2027-04-15".into()));
}

/// 国分寺市の条文: 夕方の枠は17時から18時まで。
#[test]
fn an_evening_slot_of_one_hour_pays_that_hour_of_a_longer_duty() {
    let rules = tariffs(&format!(
        "[[calendar]]\nname = \"kokubunji\"\nnight = [\"17:00\", \"18:00\"]\nnight_on = \"every_day\"\n\
         order = [\"night\"]\n{}{}",
        program(""),
        duty("EVENING", "calendar = \"kokubunji\"\nbands = [\"night\"]\nunit = \"hour\"\nyen = 4_000")
    ));
    let held = [("2026-07-12/hd", "a", Primary, "2026-07-12T09:00:00+09:00", "2026-07-12T22:00:00+09:00")];
    let lines = duty_run(&rota(&held), &rules, "2026-07");
    assert_eq!(yen(&lines), [4_000]);
    assert_eq!(lines[0].quantity.to_string(), "1");
}

/// 江東区（後方支援病床）の条文: 1床1日8,600円、四半期ごとの請求、同じ事由でほかの公的補助を受けたときは対象外。
#[test]
fn whoever_takes_another_public_subsidy_for_the_same_thing_is_not_paid() {
    let text = format!(
        "{}{}",
        took("BED", "bed", "unit = \"day\"\nyen = 8_600\nexclusive_with = [\"city\"]"),
        took("CITY", "city", "unit = \"event\"\nyen = 1_000\nwhen = [\"requester.confirmed\"]")
    );
    let rules = tariffs(&text);
    let event = consult("2026-07-15T10:00:00+09:00");
    let run = |event: &CompletedEvent| {
        let facts = [Fact::Event(Box::new(event.clone()))];
        let run = run_month(month("2026-07"), &facts, &Taken::default(), &rules, Waiting::Hold);
        let paid =
            |l: &Line| (l.tariff.as_ref().map(ToString::to_string), l.amount.0, l.eligibility.reason());
        run.lines.iter().filter(|l| l.side == Side::Acceptor).map(paid).collect::<Vec<_>>()
    };
    let bed = Some("BED".to_owned());
    let city = Some("CITY".to_owned());
    assert_eq!(run(&event), [(bed.clone(), 0, Some(ReasonCode::OtherSubsidy)), (city.clone(), 1_000, None)]);
    // Who comes first pays nothing: the other is paid.
    let mut disputed = event.clone();
    disputed.requester.confirmation = Confirmation::Disputed { at: event.accepted_at };
    assert_eq!(run(&disputed)[0], (bed.clone(), 8_600, None));
    // The first has reached its cap and pays nothing: the other is paid.
    let capped = tariffs(&text.replace("yen = 1_000", "yen = 1_000\ncap = { per_month = 1 }"));
    let earlier = other(&consult("2026-07-14T10:00:00+09:00"), "earlier");
    let both =
        run_month(month("2026-07"), &events(&[&event, &earlier]), &Taken::default(), &capped, Waiting::Hold);
    let amounts: Vec<_> =
        both.lines.iter().filter(|l| l.side == Side::Acceptor).map(|l| l.amount.0).collect();
    assert_eq!(amounts, [0, 1_000, 8_600, 0]);
    // Declared elsewhere: neither.
    let mut elsewhere = event.clone();
    elsewhere.other_subsidy = true;
    assert!(run(&elsewhere).iter().all(|(_, yen, why)| (*yen, *why) == (0, Some(ReasonCode::OtherSubsidy))));
    // The same case, claimed from the other programme in a month that is closed.
    let only_bed = tariffs(&took("BED", "bed", "unit = \"day\"\nyen = 8_600"));
    assert_eq!(only_bed.claim_rule(&code("bed")).cycle, Cycle::Month);
    let mut taken = Taken::default();
    let facts = [Fact::Event(Box::new(event.clone()))];
    for line in run_month(month("2026-07"), &facts, &taken, &rules, Waiting::Hold).lines {
        taken.take(&Brief::of(&line));
    }
    let mut follow_up = consult("2026-08-03T10:00:00+09:00");
    follow_up.event = EventRef::Request(RequestId::named(&["second"]));
    let facts = [Fact::Event(Box::new(follow_up))];
    let later = run_month(month("2026-08"), &facts, &taken, &rules, Waiting::Hold).lines;
    let bed = later.iter().find(|l| l.tariff == Some(code("BED"))).unwrap();
    assert_eq!(bed.eligibility.reason(), Some(ReasonCode::OtherSubsidy));
    // Two that step back for each other would pay nobody.
    let both = text.replace("when = [\"requester.confirmed\"]", "exclusive_with = [\"bed\"]");
    assert!(refused(&both).contains("neither would be paid"), "{}", refused(&both));
}

fn other(event: &CompletedEvent, n: &str) -> CompletedEvent {
    let mut other = event.clone();
    other.event = EventRef::Request(RequestId::named(&[n]));
    let number: u32 = n.bytes().map(u32::from).sum();
    other.case_no = format!("R8-{number:04}").parse().unwrap();
    other
}

fn events(of: &[&CompletedEvent]) -> Vec<Fact> {
    of.iter().map(|e| Fact::Event(Box::new((*e).clone()))).collect()
}

#[test]
fn caps_hold_per_case_per_institution_and_per_month_in_the_order_of_the_events() {
    let first = consult("2026-07-01T10:00:00+09:00");
    let at_day = |n: &str, day: &str| {
        let mut event = other(&consult(&format!("2026-07-{day}T10:00:00+09:00")), n);
        event.acceptor.institution = first.acceptor.institution.clone();
        event
    };
    let (second, third) = (at_day("b", "02"), at_day("c", "03"));
    let paid = |cap: &str, of: &[&CompletedEvent], taken: &Taken| {
        let rules = tariffs(&took("T", "p", &format!("unit = \"event\"\nyen = 1_000\ncap = {{ {cap} }}")));
        let run = run_month(month("2026-07"), &events(of), taken, &rules, Waiting::Hold);
        run.lines.into_iter().filter(|l| l.side == Side::Acceptor).collect::<Vec<_>>()
    };
    let none = Taken::default();
    // The order of reading means nothing.
    let lines = paid("per_institution_month = 2", &[&third, &second, &first], &none);
    assert_eq!((yen(&lines), reasons(&lines)[2]), (vec![1_000, 1_000, 0], Some("over_cap")));
    let mut elsewhere = third.clone();
    elsewhere.acceptor.institution = institution("elsewhere");
    assert_eq!(yen(&paid("per_institution_month = 2", &[&elsewhere, &second, &first], &none)), [1_000; 3]);
    assert_eq!(yen(&paid("per_month = 2", &[&elsewhere, &second, &first], &none)), [1_000, 1_000, 0]);
    let mut same_case = second.clone();
    same_case.case_no = first.case_no;
    assert_eq!(yen(&paid("per_case = 1", &[&same_case, &third, &first], &none)), [1_000, 0, 1_000]);
    // A cap in yen cuts the line that reaches it.
    let cut = paid("per_institution_month_yen = 2500", &[&third, &second, &first], &none);
    assert_eq!((yen(&cut), cut[2].capped), (vec![1_000, 1_000, 500], Yen(500)));
    assert!(balance(&cut).is_ok());
    // What the closed month holds counts first, also for what comes late.
    let mut taken = Taken::default();
    for line in paid("per_institution_month = 2", &[&third, &second], &none) {
        taken.take(&Brief::of(&line));
    }
    let late = paid("per_institution_month = 2", &[&third, &second, &first], &taken);
    assert_eq!((late.len(), reasons(&late)), (1, vec![Some("over_cap")]));
}

#[test]
fn a_budget_for_the_first_who_come_ends_with_the_first_that_does_not_fit() {
    let rules = tariffs(&format!(
        "{}{}{}",
        program("budget_yen = 6_000\nbudget = \"first_come\""),
        took("NIGHT", "p", "bands = [\"night\", \"deep_night\"]\nunit = \"event\"\nyen = 3_000"),
        took("DAY", "p", "bands = [\"day\", \"holiday\", \"year_end\"]\nunit = \"event\"\nyen = 2_000")
    ));
    let a = consult("2026-07-01T22:00:00+09:00");
    let b = other(&consult("2026-07-02T10:00:00+09:00"), "b");
    let c = other(&consult("2026-07-03T22:00:00+09:00"), "c");
    let d = other(&consult("2026-07-06T10:00:00+09:00"), "d");
    let mut taken = Taken::default();
    let run = |of: &[&CompletedEvent], taken: &Taken| {
        let run = run_month(month("2026-07"), &events(of), taken, &rules, Waiting::Hold);
        run.lines.into_iter().filter(|l| l.side == Side::Acceptor).collect::<Vec<_>>()
    };
    let lines = run(&[&a, &b, &c], &taken);
    assert_eq!((yen(&lines), reasons(&lines)[2]), (vec![3_000, 2_000, 0], Some("budget_spent")));
    for line in &lines {
        taken.take(&Brief::of(line));
    }
    // 1,000 yen are left, and a smaller one does not pass the one that did not fit.
    assert_eq!(taken.spent(&code("p"), 2026), Yen(5_000));
    assert_eq!(reasons(&run(&[&d], &taken)), [Some("budget_spent")]);
}

#[test]
fn a_prorated_budget_is_paid_in_full_until_the_year_closes_and_then_shared_to_the_yen() {
    let rules = tariffs(&format!(
        "{}{}",
        program("budget_yen = 5_000\nbudget = \"prorated\""),
        took("T", "p", "unit = \"event\"\nyen = 3_000")
    ));
    let a = consult("2026-07-01T10:00:00+09:00");
    let mut b = other(&consult("2026-07-02T10:00:00+09:00"), "b");
    b.acceptor.institution = institution("b");
    let run = run_month(month("2026-07"), &events(&[&a, &b]), &Taken::default(), &rules, Waiting::Hold);
    let paid: Vec<Line> = run.lines.into_iter().filter(|l| l.amount.0 > 0).collect();
    assert_eq!(yen(&paid), [3_000, 3_000]);
    let sums: BTreeMap<InstitutionId, (Yen, Line)> =
        paid.iter().map(|l| (l.institution.clone(), (l.amount, l.clone()))).collect();
    let entries = proration(&code("p"), Yen(5_000), &sums, (2026, month("2027-03")));
    assert_eq!(yen(&entries), [-500, -500]);
    assert!(entries.iter().all(|l| l.entry == Entry::Proration { fiscal_year: 2026 } && l.run == "2027-03"));
}

#[test]
fn only_patients_of_the_city_are_paid_and_an_unknown_city_waits() {
    let rules = tariffs(&took("T", "p", "unit = \"event\"\nyen = 1_000\ncities = [\"13999\"]"));
    let mut event = consult("2026-07-01T10:00:00+09:00");
    let told = |event: &CompletedEvent| lines(event, &rules, "r")[1].eligibility;
    assert_eq!(told(&event), Eligibility::Eligible);
    event.patient_city = Some(code("13998"));
    assert_eq!(told(&event), Eligibility::Ineligible { reason: ReasonCode::OutsideArea });
    event.patient_city = None;
    assert_eq!(told(&event), Eligibility::PendingEvidence { reason: ReasonCode::OutsideArea });
}

#[test]
fn a_programme_that_ends_in_the_middle_of_a_month_pays_its_last_day_and_its_successor_the_next() {
    let rules = tariffs(&format!(
        "{}{}{}{}",
        program("successor = \"q\"").replace("before = \"2027-04-01\"", "before = \"2026-07-16\""),
        program("").replace("\"p\"", "\"q\"").replace("from = \"2026-04-01\"", "from = \"2026-07-16\""),
        took("P", "p", "unit = \"event\"\nyen = 1_000"),
        took("Q", "q", "unit = \"event\"\nyen = 1_200")
    ));
    let paid = |at: &str| {
        let lines = lines(&consult(at), &rules, "r");
        let of = |l: &&Line| l.side == Side::Acceptor;
        lines.iter().filter(of).map(|l| (l.amount.0, l.eligibility.reason())).collect::<Vec<_>>()
    };
    assert_eq!(paid("2026-07-15T23:59:59+09:00"), [(1_000, None), (0, Some(ReasonCode::OutOfDates))]);
    assert_eq!(paid("2026-07-16T00:00:00+09:00"), [(0, Some(ReasonCode::OutOfDates)), (1_200, None)]);
    let early = program("successor = \"p\"");
    assert!(refused(&early).contains("before this programme is over"), "{}", refused(&early));
    assert!(refused(&program("successor = \"z\"")).contains("no [[program]] of this file has the code z"));
    let strange = format!("{}{}", program(""), took("T", "z", "unit = \"event\"\nyen = 1"));
    assert!(
        refused(&strange).contains("line 7, tariff T, key `program`: no [[program]] of this file"),
        "{}",
        refused(&strange)
    );
}

#[test]
fn nought_yen_is_counted_whatever_caps_and_budgets_say() {
    let rules = tariffs(&format!(
        "{}{}",
        program("budget_yen = 0\nbudget = \"first_come\""),
        took("COUNT", "p", "unit = \"event\"\nyen = 0")
    ));
    let run = run_month(
        month("2026-07"),
        &events(&[&consult("2026-07-01T10:00:00+09:00")]),
        &Taken::default(),
        &rules,
        Waiting::Hold,
    );
    let line = run.lines.iter().find(|l| l.side == Side::Acceptor).unwrap();
    assert_eq!((line.amount, line.eligibility), (Yen(0), Eligibility::Eligible));
}

#[test]
fn hours_and_blocks_of_minutes_are_paid_by_what_was_worked() {
    let paid = |unit: &str, minutes: Option<u32>| {
        let rules = tariffs(&took("T", "p", unit));
        let mut event = consult("2026-07-01T10:00:00+09:00");
        (event.acceptor.minutes, event.minutes) = (minutes, None);
        let line = lines(&event, &rules, "r").remove(1);
        (line.amount.0, line.quantity.to_string(), line.eligibility.reason())
    };
    assert_eq!(paid("unit = \"hour\"\nyen = 1_000", Some(50)), (833, "5/6".into(), None));
    assert_eq!(paid("unit = \"hour\"\npartial = \"up\"\nyen = 1_000", Some(61)), (2_000, "2".into(), None));
    let half = "unit = \"minute_block\"\nblock_minutes = 30\nyen = 700";
    assert_eq!(paid(half, Some(59)), (700, "1".into(), None));
    assert_eq!(paid(&format!("{half}\npartial = \"up\""), Some(31)), (1_400, "2".into(), None));
    // Nobody has said how long it took.
    assert_eq!(paid(half, None).2, Some(ReasonCode::NoReport));
    assert_eq!(paid("unit = \"hour\"\nrounding = \"half_up\"\nyen = 1_001", Some(30)).0, 501);
}

#[test]
fn what_a_pillar_takes_has_a_tariff_of_its_own_and_so_has_one_of_them() {
    let event = consult("2026-07-01T10:00:00+09:00");
    let own = event.acceptor.institution.api();
    let tariff =
        |code: &str, more: &str, yen: u32| took(code, "p", &format!("{more}\nunit = \"event\"\nyen = {yen}"));
    let rules = tariffs(&format!(
        "{}{}",
        tariff("MEMBERS", "accepted_as = [\"primary\", \"deputy\", \"volunteer\"]", 1_000),
        tariff("PILLAR", "accepted_as = [\"pillar\"]", 8_000)
    ));
    let paid = |rules: &Tariffs, event: &CompletedEvent| lines(event, rules, "r").last().unwrap().amount.0;
    assert_eq!(paid(&rules, &event), 1_000);
    let mut pillar = event.clone();
    pillar.acceptor.on_rota_as = OnRotaAs::Pillar;
    assert_eq!(paid(&rules, &pillar), 8_000);
    // By contract: another figure for this one, and the others as before.
    let rules = tariffs(&tariff("CONTRACT", &format!("institutions = [\"{own}\"]"), 9_500));
    assert_eq!(paid(&rules, &pillar), 9_500);
    pillar.acceptor.institution = event.requester.institution.clone();
    assert_eq!(paid(&rules, &pillar), 0);
}

#[test]
fn the_hours_of_a_night_are_paid_by_their_bands_and_by_the_minute() {
    let rules = tariffs(&format!(
        "{}{}",
        duty("NIGHT", "bands = [\"night\"]\nunit = \"hour\"\nyen = 600"),
        duty("DEEP", "bands = [\"deep_night\"]\nunit = \"hour\"\nyen = 900")
    ));
    // A Tuesday, 18:30 until 08:00: 3.5 hours of evening, 8 of deep night, 2 of morning.
    let timeline =
        rota(&[("2026-07-07/wn", "a", Primary, "2026-07-07T18:30:00+09:00", "2026-07-08T08:00:00+09:00")]);
    let lines = duty_run(&timeline, &rules, "2026-07");
    let told: Vec<_> = lines
        .iter()
        .map(|l| (l.tariff.clone().unwrap().to_string(), l.quantity.to_string(), l.amount.0))
        .collect();
    assert_eq!(told, [("DEEP".into(), "8".into(), 7_200), ("NIGHT".into(), "11/2".into(), 3_300)]);
    assert_ne!(lines[0].id, lines[1].id);
    assert_eq!(lines[0].evidence.len(), 1);
}

#[test]
fn a_slot_held_by_two_after_each_other_is_shared_by_its_hours() {
    let rules = tariffs(&format!(
        "{}{}",
        duty("SLOT", "duty_roles = [\"primary\"]\nunit = \"slot\"\nyen = 9_000"),
        duty("DEPUTY", "duty_roles = [\"deputy\"]\nunit = \"slot\"\nyen = 3_000")
    ));
    let night = ("2026-07-07T18:00:00+09:00", "2026-07-08T00:00:00+09:00", "2026-07-08T06:00:00+09:00");
    let timeline = rota(&[
        ("2026-07-07/wn", "a", Primary, night.0, night.1),
        ("2026-07-07/wn", "b", Primary, night.1, night.2),
        ("2026-07-07/wn", "c", Deputy, night.0, night.2),
    ]);
    let lines = duty_run(&timeline, &rules, "2026-07");
    let mut told: Vec<_> = lines.iter().map(|l| (l.amount.0, l.quantity.to_string())).collect();
    told.sort_unstable();
    assert_eq!(told, [(3_000, "1".into()), (4_500, "1/2".into()), (4_500, "1/2".into())]);
    // Both halves belong to the day on which the slot starts.
    assert!(lines.iter().all(|l| l.civil_date.to_string() == "2026-07-07"));
}

#[test]
fn a_continuous_turn_of_24_hours_is_paid_and_23_hours_are_not() {
    let rules = tariffs(&duty("TURN", "unit = \"24h_turn\"\nyen = 20_000"));
    let day = |to: &str| {
        let timeline = rota(&[
            ("2026-07-07/wd", "a", Primary, "2026-07-07T08:00:00+09:00", "2026-07-07T18:00:00+09:00"),
            ("2026-07-07/wn", "a", Primary, "2026-07-07T18:00:00+09:00", to),
        ]);
        yen(&duty_run(&timeline, &rules, "2026-07"))
    };
    assert_eq!(day("2026-07-08T08:00:00+09:00"), [20_000]);
    assert_eq!(day("2026-07-08T07:00:00+09:00"), [0; 0]);
}

/// 3月31日の夜: 当番は枠の始まる日に、または日ごとに; 依頼はその分に属する。
#[test]
fn the_night_of_31_march_belongs_to_its_start_or_is_split_as_the_programme_says() {
    let rules = |day: &str| {
        tariffs(&format!(
            "{}{}",
            program(&format!("standby_day = \"{day}\"")).replace("2027-04-01", "2028-04-01"),
            duty("H", "unit = \"hour\"\nyen = 1_000").replace("2027-04-01", "2028-04-01")
        ))
    };
    let timeline =
        rota(&[("2027-03-31/wn", "a", Primary, "2027-03-31T18:00:00+09:00", "2027-04-01T08:00:00+09:00")]);
    let start = rules("slot_start");
    assert_eq!(yen(&duty_run(&timeline, &start, "2027-03")), [14_000]);
    assert_eq!(yen(&duty_run(&timeline, &start, "2027-04")), [0; 0]);
    let split = rules("split");
    let (march, april) = (duty_run(&timeline, &split, "2027-03"), duty_run(&timeline, &split, "2027-04"));
    assert_eq!((yen(&march), yen(&april)), (vec![6_000], vec![8_000]));
    assert_eq!(april[0].civil_date.to_string(), "2027-04-01");
    // Where the programme ends with the year, its last hours are paid and the others are not.
    let ending = tariffs(&format!(
        "{}{}",
        program("standby_day = \"split\""),
        duty("H", "unit = \"hour\"\nyen = 1_000")
    ));
    assert_eq!(yen(&duty_run(&timeline, &ending, "2027-03")), [6_000]);
    assert_eq!(reasons(&duty_run(&timeline, &ending, "2027-04")), [Some("out_of_dates")]);
}

#[test]
fn what_waits_is_held_and_comes_late_or_ends_with_the_year() {
    let rules = tariffs(&took("T", "p", "unit = \"event\"\nyen = 1_000\nwhen = [\"report.present\"]"));
    let mut event = consult("2026-07-15T10:00:00+09:00");
    event.report_at = None;
    let july = run_month(month("2026-07"), &events(&[&event]), &Taken::default(), &rules, Waiting::Hold);
    assert_eq!((july.lines.len(), july.held.len()), (1, 1));
    let mut taken = Taken::default();
    july.lines.iter().for_each(|l| taken.take(&Brief::of(l)));
    event.report_at = event.ended_at;
    let august = run_month(month("2026-08"), &events(&[&event]), &taken, &rules, Waiting::Hold);
    let [late] = august.lines.as_slice() else { panic!("{august:#?}") };
    // Its true date, in the run of the later month.
    assert_eq!(
        (late.amount, late.civil_date.to_string(), late.run.as_str()),
        (Yen(1_000), "2026-07-15".into(), "2026-08")
    );
    event.report_at = None;
    let last = run_month(month("2027-03"), &events(&[&event]), &taken, &rules, Waiting::End);
    assert_eq!((reasons(&last.lines), last.held.len()), (vec![Some("no_report")], 0));
}

#[test]
fn a_rule_changed_for_the_past_gives_difference_entries_once() {
    let old = tariffs(&took("T", "p", "unit = \"event\"\nyen = 1_000"));
    let new = tariffs(&took("T2", "p", "unit = \"event\"\nyen = 1_300"));
    let event = consult("2026-07-15T10:00:00+09:00");
    let run = |rules: &Tariffs| {
        run_month(month("2026-07"), &events(&[&event]), &Taken::default(), rules, Waiting::Hold).lines
    };
    let mut closed = run(&old);
    let more = differences(&closed, &run(&new), month("2026-09"));
    let [line] = more.as_slice() else { panic!("{more:#?}") };
    let original = closed.iter().find(|l| l.amount.0 > 0).unwrap().id.clone();
    assert_eq!(
        (line.amount, line.tariff.clone(), line.entry.of()),
        (Yen(300), Some(code("T2")), Some(&original))
    );
    assert_eq!(line.civil_date.to_string(), "2026-07-15");
    closed.extend(more);
    assert!(differences(&closed, &run(&new), month("2026-10")).is_empty());
    // Back again: less.
    assert_eq!(yen(&differences(&closed, &run(&old), month("2026-10"))), [-300]);
    assert_eq!(yen(&differences(&closed, &run(&Tariffs::none("v0")), month("2026-10"))), [-1_300]);
}

#[test]
fn a_correction_goes_towards_nought_once_and_never_corrects_a_reversal() {
    let rules = tariffs(&took("T", "p", "unit = \"event\"\nyen = 1_000"));
    let line = lines(&consult("2026-07-15T10:00:00+09:00"), &rules, "2026-07").remove(1);
    for (yen, verdict) in [
        (0, Ok(())),
        (999, Ok(())),
        (1_000, Err(NotCorrectable::Larger)),
        (1_001, Err(NotCorrectable::Larger)),
        (-1, Err(NotCorrectable::Larger)),
    ] {
        assert_eq!(may_correct(&line, false, Yen(yen)), verdict, "{yen}");
    }
    assert_eq!(may_correct(&line, true, Yen(0)), Err(NotCorrectable::Reversed));
    let entries = correction(&line, Yen(400), month("2026-09"));
    assert_eq!(yen(&entries), [-1_000, 400]);
    assert_eq!(may_correct(&entries[0], false, Yen(0)), Err(NotCorrectable::IsReversal));
    // What stands instead may be taken back in its turn.
    assert_eq!(may_correct(&entries[1], false, Yen(0)), Ok(()));
    assert_eq!(correction(&line, Yen(0), month("2026-09")).len(), 1);
}

#[test]
fn a_month_that_does_not_balance_is_not_closed() {
    let rules = tariffs(&took("T", "p", "unit = \"event\"\nyen = 1_000"));
    let good = lines(&consult("2026-07-15T10:00:00+09:00"), &rules, "2026-07");
    let sums = balance(&good).unwrap();
    assert_eq!((sums.lines, sums.paid_lines, sums.total), (2, 1, Yen(1_000)));
    let mut wrong = good.clone();
    wrong[1].amount = Yen(1_001);
    assert!(matches!(balance(&wrong), Err(OutOfBalance::Amount { .. })));
    let mut paid_for_nothing = good.clone();
    paid_for_nothing[0].amount = Yen(1);
    assert!(matches!(balance(&paid_for_nothing), Err(OutOfBalance::Amount { .. })));
    let twice = [good.clone(), good].concat();
    assert!(matches!(balance(&twice), Err(OutOfBalance::Twice { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_run_twice_gives_the_same_bytes_in_whatever_order_the_facts_come(
        days in prop::collection::vec(1u32..28, 1..12), turn in 0usize..12, cap in 1u32..6, budget in 0i64..9_000,
    ) {
        let rules = tariffs(&format!(
            "{}{}",
            program(&format!("budget_yen = {budget}\nbudget = \"first_come\"")),
            took("T", "p", &format!("unit = \"event\"\nyen = 1_000\ncap = {{ per_institution_month = {cap} }}"))
        ));
        let mut facts: Vec<Fact> = days
            .iter()
            .enumerate()
            .map(|(n, day)| Fact::Event(Box::new(other(&consult(&format!("2026-07-{day:02}T10:00:00+09:00")), &n.to_string()))))
            .collect();
        let run = |facts: &[Fact]| {
            let run = run_month(month("2026-07"), facts, &Taken::default(), &rules, Waiting::Hold);
            serde_json::to_string(&run.lines).unwrap()
        };
        let first = run(&facts);
        prop_assert_eq!(&first, &run(&facts));
        let turn = turn % facts.len();
        facts.rotate_left(turn);
        prop_assert_eq!(&first, &run(&facts));
        let lines: Vec<Line> = serde_json::from_str(&first).unwrap();
        let ids: std::collections::BTreeSet<&LedgerLineId> = lines.iter().map(|l| &l.id).collect();
        prop_assert_eq!(ids.len(), lines.len());
        prop_assert!(balance(&lines).unwrap().total.0 <= budget);
    }
}
