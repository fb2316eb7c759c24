//! What the ledger promises both sides of an event.

use proptest::prelude::*;

use super::*;
use crate::domain::calendar::{Calendar, CivilDate, NightHours, TimeBand};
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId, SeededChance};
use crate::money::Yen;
use crate::time::Millis;

const SAMPLE: &str = include_str!("../../../config/tariffs.toml");
/// A zone nine hours ahead all year, under its other name.
const EAST: chrono_tz::Tz = chrono_tz::Japan;

pub(super) fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

pub(super) fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn moment(at: Millis) -> Moment {
    let calendar = Calendar::national("test-1", NightHours::new(1_080, 480).unwrap());
    Moment::of(at, EAST, &calendar)
}

fn sample() -> Tariffs {
    Tariffs::parse("config/tariffs.toml", SAMPLE, "sample-1").unwrap()
}

/// A consult of two clinics, taken, answered within the hour and confirmed: both sides are paid.
pub(super) fn consult(taken_at: &str) -> CompletedEvent {
    let (taken, chance) = (at(taken_at), SeededChance::new(3));
    let (answered, confirmed) = (taken.plus_s(3_000), taken.plus_s(80_000));
    CompletedEvent {
        facts_version: FACTS_VERSION,
        event: EventRef::Request(RequestId::new(taken, &chance)),
        case_no: "R8-0412".parse().unwrap(),
        kind: EventKind::Consult,
        association: AssociationId::new(taken, &chance),
        occasion: Occasion::Real,
        created_at: taken.plus_s(-1_200),
        accepted_at: taken,
        started_at: Some(taken),
        ended_at: Some(answered),
        report_at: Some(answered),
        closed_at: Some(confirmed),
        withdrawn_at: None,
        moment: moment(taken),
        patient_city: Some(code("13999")),
        patient_ref: None,
        urgency: Urgency::Soon,
        requested_by: Channel::Web,
        accepted_by: Channel::MailLink,
        attempts: vec![AttemptFact {
            person: Some(MemberId::new(taken, &chance)),
            institution: None,
            result: AttemptResult::Accepted,
            seconds: 1_200,
        }],
        gate: GateResult::NotNeeded,
        outcome: code("transport_avoided"),
        minutes: Some(50),
        distance_class: None,
        report_ref: Some(code("rep:1")),
        household_explained: false,
        night_card_used: false,
        specialty: Some(code("dermatology")),
        other_subsidy: false,
        transport_avoided: false,
        excluded: false,
        requester: RequesterFacts {
            institution: InstitutionId::new(taken, &chance),
            institution_kind: code("clinic"),
            member: Some(MemberId::new(taken, &chance)),
            membership: Membership::Active,
            role: AskerRole::Attending,
            entered_by: None,
            confirmation: Confirmation::Confirmed { at: confirmed },
        },
        acceptor: AcceptorFacts {
            institution: InstitutionId::new(taken, &chance),
            institution_kind: code("hospital"),
            person: Some(MemberId::new(taken, &chance)),
            membership: Membership::Active,
            on_rota_as: OnRotaAs::Volunteer,
            accepted_at: taken,
            arrived_at: None,
            completed_at: Some(answered),
            minutes: Some(10),
            minutes_confirmed: true,
        },
    }
}

/// Side, tariff, yen and reason of each line.
fn summary(
    event: &CompletedEvent,
    tariffs: &Tariffs,
) -> Vec<(&'static str, String, i64, Option<&'static str>)> {
    lines(event, tariffs, "run-1")
        .into_iter()
        .map(|line| {
            let tariff = line.tariff.map_or_else(String::new, |t| t.to_string());
            (line.side.code(), tariff, line.amount.0, line.eligibility.reason().map(ReasonCode::code))
        })
        .collect()
}

fn reasons(event: &CompletedEvent) -> Vec<Option<&'static str>> {
    summary(event, &sample()).into_iter().map(|(_, _, _, reason)| reason).collect()
}

#[test]
fn a_consult_taken_answered_and_confirmed_pays_both_sides() {
    let event = consult("2026-11-20T10:00:00+09:00");
    let lines = lines(&event, &sample(), "run-1");
    let [asked, took] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(
        (asked.side, asked.amount, &asked.institution),
        (Side::Requester, Yen(500), &event.requester.institution)
    );
    assert_eq!(
        (took.side, took.amount, &took.institution),
        (Side::Acceptor, Yen(2_000), &event.acceptor.institution)
    );
    assert_eq!((asked.case_no, took.quantity, took.unit), (Some(event.case_no), Fraction::ONE, Unit::Event));
    assert_eq!((took.band, took.calendar_version.as_str()), (TimeBand::Day, "test-1"));
    assert_eq!((took.tariffs_version.as_str(), took.run.as_str()), ("sample-1", "run-1"));
    assert!(lines.iter().all(|l| l.eligibility == Eligibility::Eligible));
    assert!(lines.iter().flat_map(|l| &l.conditions).all(|c| c.state == ConditionState::Met));
}

#[test]
fn a_consult_at_night_is_paid_by_the_night_tariff() {
    let night = summary(&consult("2026-11-20T22:00:00+09:00"), &sample());
    assert_eq!(night[1], ("acceptor", "CONSULT-ACC-OFF".to_owned(), 3_000, None));
    let holiday = summary(&consult("2026-09-22T12:00:00+09:00"), &sample());
    assert_eq!(holiday[1], ("acceptor", "CONSULT-ACC-OFF".to_owned(), 3_000, None));
}

#[test]
fn a_colleague_of_the_same_institution_is_not_paid_and_both_lines_say_why() {
    let mut event = consult("2026-11-20T10:00:00+09:00");
    event.acceptor.institution = event.requester.institution.clone();
    assert_eq!(reasons(&event), [Some("same_institution"); 2]);
    let lines = lines(&event, &sample(), "run-1");
    assert!(lines.iter().all(|l| l.amount == Yen(0) && l.rate > Yen(0)));
    assert_ne!(lines[0].id, lines[1].id);
}

#[test]
fn without_a_report_both_sides_wait_and_a_late_one_is_too_late_for_the_one_who_took_it() {
    let mut event = consult("2026-11-20T10:00:00+09:00");
    let end = event.ended_at.unwrap();
    event.report_at = None;
    let waiting = Eligibility::PendingEvidence { reason: ReasonCode::NoReport };
    assert!(lines(&event, &sample(), "r").iter().all(|l| l.eligibility == waiting && l.amount == Yen(0)));
    // 72 hours, the last moment included.
    event.report_at = Some(end.plus_s(72 * 3_600));
    assert_eq!(reasons(&event), [None, None]);
    event.report_at = Some(end.plus_s(72 * 3_600).plus_ms(1));
    assert_eq!(reasons(&event), [None, Some("no_report")]);
    assert_eq!(
        lines(&event, &sample(), "r")[1].eligibility,
        Eligibility::Ineligible { reason: ReasonCode::NoReport }
    );
}

#[test]
fn until_the_asker_confirms_the_lines_wait_and_a_dispute_ends_it() {
    let mut event = consult("2026-11-20T10:00:00+09:00");
    event.requester.confirmation = Confirmation::Waiting;
    let waiting = Eligibility::PendingEvidence { reason: ReasonCode::NotConfirmed };
    assert!(lines(&event, &sample(), "r").iter().all(|l| l.eligibility == waiting));
    event.requester.confirmation = Confirmation::Disputed { at: event.accepted_at };
    let over = Eligibility::Ineligible { reason: ReasonCode::NotConfirmed };
    assert!(lines(&event, &sample(), "r").iter().all(|l| l.eligibility == over));
}

#[test]
fn a_side_whose_membership_lapsed_is_not_paid_and_the_other_side_is() {
    let mut event = consult("2026-11-20T10:00:00+09:00");
    event.acceptor.membership = Membership::Lapsed;
    assert_eq!(reasons(&event), [None, Some("membership_lapsed")]);
    event.requester.membership = Membership::NotAMember;
    assert_eq!(reasons(&event), [Some("membership_lapsed"); 2]);
}

#[test]
fn tests_training_and_what_was_withdrawn_before_its_start_are_counted_and_not_paid() {
    let good = consult("2026-11-20T10:00:00+09:00");
    let test = CompletedEvent { occasion: Occasion::Test, ..good.clone() };
    assert_eq!(reasons(&test), [Some("test_call"); 2]);
    let training = CompletedEvent { occasion: Occasion::Training, ..good.clone() };
    assert_eq!(reasons(&training), [Some("training"); 2]);
    let withdrawn = CompletedEvent { started_at: None, withdrawn_at: good.started_at, ..good.clone() };
    assert_eq!(reasons(&withdrawn), [Some("withdrawn_before_start"); 2]);
    // Called off when the work had begun: it was work.
    let midway = CompletedEvent { withdrawn_at: good.started_at, ..good };
    assert_eq!(reasons(&midway), [None, None]);
}

#[test]
fn the_first_failure_gives_the_code_and_every_result_is_recorded() {
    let mut event = consult("2026-11-20T10:00:00+09:00");
    event.acceptor.institution = event.requester.institution.clone();
    event.report_at = None;
    event.requester.confirmation = Confirmation::Waiting;
    let line = &lines(&event, &sample(), "r")[1];
    assert_eq!(line.eligibility, Eligibility::Ineligible { reason: ReasonCode::SameInstitution });
    let results: Vec<(String, &str)> =
        line.conditions.iter().map(|c| (c.condition.to_string(), c.state.code())).collect();
    let expected = [
        ("event.not_a_test", "met"),
        ("event.not_training", "met"),
        ("event.not_withdrawn_before_start", "met"),
        ("event.not_excluded", "met"),
        ("tariff.in_dates", "met"),
        ("tariff.in_band", "met"),
        ("acceptor.member_active", "met"),
        ("requester.institution != acceptor.institution", "failed"),
        ("report.submitted_within_hours <= 72", "missing"),
        ("requester.confirmed", "missing"),
        ("other_subsidy.none", "met"),
    ];
    assert_eq!(results, expected.map(|(condition, state)| (condition.to_owned(), state)));
}

#[test]
fn on_the_night_of_31_march_each_event_belongs_to_its_own_minute() {
    let r9 = SAMPLE
        .replace("2025-04-01", "2027-04-01")
        .replace("CONSULT-", "R9-CONSULT-")
        .replace("COVER-", "R9-COVER-");
    let r8 = SAMPLE.replace("2028-04-01", "2027-04-01");
    let tariffs = Tariffs::parse("two years", &format!("{r8}\n{r9}"), "v").unwrap();
    let tariff = |at: &str| summary(&consult(at), &tariffs)[1].1.clone();
    assert_eq!(tariff("2027-03-31T23:59:59.999+09:00"), "CONSULT-ACC-OFF");
    assert_eq!(tariff("2027-04-01T00:00:00+09:00"), "R9-CONSULT-ACC-OFF");
    // In another zone's terms it is still 31 March: the association's day decides.
    assert_eq!(tariff("2027-03-31T15:00:00Z"), "R9-CONSULT-ACC-OFF");
    assert_eq!(summary(&consult("2027-03-31T23:59:59+09:00"), &tariffs).len(), 2);
    // Where the programme ends with the year, the last minute is paid and the next is not.
    let ending = Tariffs::parse("one year", &r8, "v").unwrap();
    let last = |at: &str| summary(&consult(at), &ending).into_iter().map(|line| line.3).collect::<Vec<_>>();
    assert_eq!(last("2027-03-31T23:59:59.999+09:00"), [None, None]);
    assert_eq!(last("2027-04-01T00:00:00+09:00"), [Some("out_of_dates"); 2]);
}

#[test]
fn outside_the_dates_one_line_per_side_and_programme_says_so_by_the_nearest_tariff() {
    let ended = SAMPLE.replace("2025-04-01", "2015-04-01").replace("2028-04-01", "2018-04-01");
    let ended = ended.replace("CONSULT-", "A-CONSULT-").replace("COVER-", "A-COVER-");
    let tariffs = |text: &str| Tariffs::parse("t", &format!("{text}\n{SAMPLE}"), "v").unwrap();
    let one = tariffs(&ended);
    let expected = |side: &'static str, code: &str| (side, code.to_owned(), 0, Some("out_of_dates"));
    let late = summary(&consult("2029-01-10T10:00:00+09:00"), &one);
    assert_eq!(late, [expected("requester", "CONSULT-REQ"), expected("acceptor", "CONSULT-ACC-DAY")]);
    let between = summary(&consult("2021-01-10T10:00:00+09:00"), &one);
    assert_eq!(between, [expected("requester", "A-CONSULT-REQ"), expected("acceptor", "A-CONSULT-ACC-DAY")]);
    // The last day before it begins again is nearer to what begins.
    assert_eq!(summary(&consult("2025-03-31T10:00:00+09:00"), &one)[0], expected("requester", "CONSULT-REQ"));
    let two = tariffs(&ended.replace("aoba-24h", "city-24h"));
    let told = summary(&consult("2026-11-20T10:00:00+09:00"), &two);
    assert_eq!(told[0], ("requester", "CONSULT-REQ".to_owned(), 500, None));
    assert_eq!(told[1], expected("requester", "A-CONSULT-REQ"));
    assert_eq!(told.len(), 4);
}

#[test]
fn a_band_that_no_tariff_names_gives_one_line_with_the_wrong_band() {
    let day_only = Tariffs::parse("t", &SAMPLE.replace("\"night\", \"deep_night\", ", ""), "v").unwrap();
    let told = summary(&consult("2026-11-20T22:00:00+09:00"), &day_only);
    assert_eq!(told[1], ("acceptor", "CONSULT-ACC-DAY".to_owned(), 0, Some("wrong_band")));
    assert_eq!(told.len(), 2);
}

#[test]
fn a_side_no_programme_knows_still_has_its_line() {
    let mut event = consult("2026-11-20T10:00:00+09:00");
    event.kind = EventKind::Transfer;
    let expected = ["requester", "acceptor"].map(|side| (side, String::new(), 0, Some("out_of_dates")));
    assert_eq!(summary(&event, &sample()), expected);
    assert_eq!(summary(&event, &Tariffs::none("v0")), expected);
}

#[test]
fn a_line_is_named_by_event_side_party_tariff_and_run() {
    let event = consult("2026-11-20T10:00:00+09:00");
    let ids = |event: &CompletedEvent, run: &str| -> Vec<_> {
        lines(event, &sample(), run).into_iter().map(|line| line.id).collect()
    };
    let first = ids(&event, "2026-11/1");
    assert_eq!(first, ids(&event, "2026-11/1"));
    assert_ne!(first, ids(&event, "2026-11/2"));
    // What is learned about an event changes its lines and never their names.
    let mut unreported = event.clone();
    unreported.report_at = None;
    assert_eq!(first, ids(&unreported, "2026-11/1"));
    let mut rerouted = event.clone();
    rerouted.acceptor.institution = InstitutionId::new(Millis(1), &SeededChance::new(9));
    let other = ids(&rerouted, "2026-11/1");
    assert!(first[0] == other[0] && first[1] != other[1]);
}

#[test]
fn an_older_program_reads_a_newer_record_and_names_do_not_fit_into_codes() {
    let event = consult("2026-11-20T10:00:00+09:00");
    let mut json = serde_json::to_value(&event).unwrap();
    json["facts_version"] = 2.into();
    json["added_later"] = "x".into();
    json["requester"]["added_later"] = 1.into();
    let read: CompletedEvent = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(read, CompletedEvent { facts_version: 2, ..event });
    json["outcome"] = "褥瘡は切開".into();
    assert!(serde_json::from_value::<CompletedEvent>(json).is_err());
    for wrong in ["", "two words", "青葉", &"x".repeat(65)] {
        assert!(wrong.parse::<Code>().is_err(), "{wrong}");
    }
}

#[test]
fn the_codes_of_reasons_and_conditions_are_stable_and_read_back() {
    let codes: Vec<&str> = ReasonCode::ALL.iter().map(|r| r.code()).collect();
    let expected = "out_of_dates membership_lapsed same_institution no_report not_confirmed duplicate over_cap \
                    budget_spent other_subsidy wrong_band outside_area withdrawn_before_start test_call training \
                    manual_by_officer below_minimum";
    assert_eq!(codes.join(" "), expected);
    for reason in ReasonCode::ALL {
        assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{}\"", reason.code()));
        assert_eq!(ReasonCode::from_code(reason.code()), Some(*reason));
    }
    let line = &lines(&consult("2026-11-20T10:00:00+09:00"), &sample(), "r")[1];
    let again: Line = serde_json::from_str(&serde_json::to_string(line).unwrap()).unwrap();
    assert_eq!(&again, line);
}

// ---- properties ----

fn arb_event() -> impl Strategy<Value = CompletedEvent> {
    let kinds = proptest::sample::select(EventKind::ALL);
    let standing = || proptest::sample::select(Membership::ALL);
    let occasions = proptest::sample::select(Occasion::ALL);
    let optional = || proptest::option::of(-100_000i64..400_000);
    // 2025 to 2029, to the minute.
    (
        (0i64..2_600_000),
        kinds,
        standing(),
        standing(),
        occasions,
        (optional(), optional(), optional()),
        0u8..3,
        any::<bool>(),
    )
        .prop_map(
            |(minute, kind, asker, taker, occasion, (report, withdrawn, started), confirmed, same)| {
                let mut event = consult("2025-01-01T00:00:00+09:00");
                let taken = at("2025-01-01T00:00:00+09:00").plus_s(minute * 60);
                event.kind = kind;
                event.occasion = occasion;
                event.accepted_at = taken;
                event.acceptor.accepted_at = taken;
                event.started_at = started.map(|s| taken.plus_s(s));
                event.ended_at = Some(taken.plus_s(3_000));
                event.report_at = report.map(|s| taken.plus_s(s));
                event.withdrawn_at = withdrawn.map(|s| taken.plus_s(s));
                event.moment = moment(counting_instant(event.created_at, Some(taken), event.started_at));
                event.requester.membership = asker;
                event.acceptor.membership = taker;
                event.requester.confirmation = match confirmed {
                    0 => Confirmation::Waiting,
                    1 => Confirmation::Confirmed { at: taken },
                    _ => Confirmation::Disputed { at: taken },
                };
                if same {
                    event.acceptor.institution = event.requester.institution.clone();
                }
                event
            },
        )
}

/// One tariff as the text of a file; the code is put in later.
fn arb_tariff() -> impl Strategy<Value = String> {
    let words = |all: &'static [&'static str]| proptest::sample::select(all);
    let bands = proptest::sample::subsequence(TimeBand::ALL.to_vec(), 1..=5);
    let conditions = proptest::sample::subsequence(
        vec![
            "requester.member_active",
            "acceptor.member_active",
            "requester.institution != acceptor.institution",
            "report.present",
            "report.submitted_within_hours <= 24",
            "requester.confirmed",
        ],
        0..=6,
    );
    let first = CivilDate::new(2025, 1, 1).unwrap();
    (
        words(&["p", "q"]),
        words(&["requester", "acceptor"]),
        words(&["consult", "cover"]),
        0i64..1_200,
        1i64..700,
        0i64..5_000,
        bands,
        conditions,
    )
        .prop_map(move |(program, side, event, start, days, yen, bands, when)| {
            let (from, before) = (first.plus_days(start), first.plus_days(start + days));
            let bands: Vec<&str> = bands.into_iter().map(TimeBand::code).collect();
            format!(
                "[[tariff]]\ncode = \"CODE\"\nname = \"名\"\nprogram = \"{program}\"\nside = \"{side}\"\n\
                 event = \"{event}\"\neffective = {{ from = \"{from}\", before = \"{before}\" }}\n\
                 bands = {bands:?}\nunit = \"event\"\nyen = {yen}\nwhen = {when:?}\n"
            )
        })
}

/// The texts of tariffs that a file may hold together.
fn arb_tariffs() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(arb_tariff(), 0..10).prop_map(|texts| {
        let coded = texts.iter().enumerate().map(|(i, text)| text.replace("CODE", &format!("T{i}")));
        coded.fold(Vec::new(), |mut kept: Vec<String>, text| {
            kept.push(text);
            if Tariffs::parse("t", &kept.concat(), "v").is_err() {
                kept.pop();
            }
            kept
        })
    })
}

fn parsed(texts: &[String]) -> Tariffs {
    Tariffs::parse("t", &texts.concat(), "v").unwrap()
}

proptest! {
    #[test]
    fn each_side_stands_there_once_per_programme_and_is_never_missing(event in arb_event(), texts in arb_tariffs()) {
        let tariffs = parsed(&texts);
        let lines = lines(&event, &tariffs, "run");
        for side in &[Side::Requester, Side::Acceptor] {
            let known: std::collections::BTreeSet<_> = tariffs.all().iter()
                .filter(|t| t.side == *side && t.event == event.kind).map(|t| Some(t.program.clone())).collect();
            let told: Vec<_> = lines.iter().filter(|l| l.side == *side).map(|l| l.program.clone()).collect();
            let expected = if known.is_empty() { vec![None] } else { known.into_iter().collect() };
            prop_assert_eq!(told, expected);
        }
        let ids: std::collections::BTreeSet<_> = lines.iter().map(|l| &l.id).collect();
        prop_assert_eq!(ids.len(), lines.len());
    }

    #[test]
    fn an_eligible_line_is_paid_its_tariff_and_every_other_is_nought(event in arb_event(), texts in arb_tariffs()) {
        let tariffs = parsed(&texts);
        for line in lines(&event, &tariffs, "run") {
            let tariff = tariffs.all().iter().find(|t| Some(&t.code) == line.tariff.as_ref());
            prop_assert!(line.amount >= Yen(0));
            let all_met = line.conditions.iter().all(|c| c.state == ConditionState::Met);
            prop_assert_eq!(line.eligibility == Eligibility::Eligible, all_met);
            if all_met {
                let tariff = tariff.unwrap();
                prop_assert!(tariff.in_dates(line.civil_date) && tariff.bands.contains(&line.band));
                prop_assert_eq!(line.amount, tariff.amount);
            } else {
                prop_assert_eq!(line.amount, Yen(0));
                let first = line.conditions.iter().find(|c| c.state != ConditionState::Met).unwrap();
                prop_assert_eq!(line.eligibility.reason(), Some(first.condition.reason()));
            }
            // A programme that has a tariff for the day and band never answers with another.
            let fits = tariffs.all().iter().any(|t| Some(&t.program) == line.program.as_ref() && t.side == line.side
                && t.event == line.kind && t.in_dates(line.civil_date) && t.bands.contains(&line.band));
            let reason = line.eligibility.reason();
            prop_assert!(!fits || !matches!(reason, Some(ReasonCode::OutOfDates | ReasonCode::WrongBand)));
        }
    }

    #[test]
    fn a_second_run_gives_the_same_bytes_whatever_the_order_in_the_file(
        event in arb_event(),
        (texts, shuffled) in arb_tariffs().prop_flat_map(|t| (Just(t.clone()), Just(t).prop_shuffle())),
    ) {
        let bytes = |texts: &[String]| serde_json::to_vec(&lines(&event, &parsed(texts), "run")).unwrap();
        let first = bytes(&texts);
        prop_assert_eq!(&first, &bytes(&texts));
        prop_assert_eq!(&first, &bytes(&shuffled));
        // Recorded and read back, the event still gives the same lines.
        let recorded: CompletedEvent = serde_json::from_slice(&serde_json::to_vec(&event).unwrap()).unwrap();
        prop_assert_eq!(first, serde_json::to_vec(&lines(&recorded, &parsed(&texts), "run")).unwrap());
    }
}

/// What three cities call holiday and evening, as their ordinances would be written down here.
const CITIES: &str = r#"
[[calendar]]
name = "agano"                      # 阿賀野市: Sundays only, and not on 1 January
holidays = "sundays_only"
removed = ["01-01"]
order = ["holiday"]

[[calendar]]
name = "arakawa"                    # 荒川区: evening duty 17 to 21 on holidays and Saturdays
night = ["17:00", "21:00"]
night_on = "holidays_and_saturdays"
order = ["night", "holiday"]

[[tariff]]
code = "AGANO-HOLIDAY"
name = "休日当番"
program = "agano"
side = "acceptor"
event = "consult"
effective = { from = "2022-04-01", before = "2028-04-01" }
calendar = "agano"
bands = ["holiday"]
unit = "event"
yen = 32_800

[[tariff]]
code = "ARAKAWA-EVENING"
name = "準夜当番"
program = "arakawa"
side = "acceptor"
event = "consult"
effective = { from = "2022-04-01", before = "2028-04-01" }
calendar = "arakawa"
bands = ["night"]
unit = "event"
yen = 5_000

[[tariff]]
code = "ARAKAWA-HOLIDAY"
name = "休日当番"
program = "arakawa"
side = "acceptor"
event = "consult"
effective = { from = "2022-04-01", before = "2028-04-01" }
calendar = "arakawa"
bands = ["holiday", "year_end", "deep_night"]
unit = "event"
yen = 9_000
"#;

#[test]
fn each_funder_is_paid_by_its_own_calendar_from_the_same_event() {
    let tariffs = Tariffs::parse("cities.toml", CITIES, "v1").unwrap();
    let paid = |taken_at: &str| -> Vec<(String, i64)> {
        summary(&consult(taken_at), &tariffs)
            .into_iter()
            .filter(|(side, ..)| *side == "acceptor")
            .map(|(_, tariff, yen, _)| (tariff, yen))
            .collect()
    };
    for (taken_at, agano, arakawa) in [
        // Golden Week: 6 May 2026 is a substitute, 3 May a Sunday.
        ("2026-05-06T10:00:00+09:00", 0, ("ARAKAWA-HOLIDAY", 9_000)),
        ("2026-05-03T10:00:00+09:00", 32_800, ("ARAKAWA-HOLIDAY", 9_000)),
        ("2026-05-03T17:00:00+09:00", 32_800, ("ARAKAWA-EVENING", 5_000)),
        ("2026-05-03T21:00:00+09:00", 32_800, ("ARAKAWA-HOLIDAY", 9_000)),
        // 22 September 2026 lies between two holidays.
        ("2026-09-22T10:00:00+09:00", 0, ("ARAKAWA-HOLIDAY", 9_000)),
        // A Saturday: its evening counts, its day does not; a Friday evening does not.
        ("2026-11-21T18:00:00+09:00", 0, ("ARAKAWA-EVENING", 5_000)),
        ("2026-11-21T12:00:00+09:00", 0, ("ARAKAWA-EVENING", 0)),
        ("2026-11-20T18:00:00+09:00", 0, ("ARAKAWA-EVENING", 0)),
        // 1 January 2023 was a Sunday.
        ("2023-01-01T10:00:00+09:00", 0, ("ARAKAWA-HOLIDAY", 9_000)),
        ("2023-01-08T10:00:00+09:00", 32_800, ("ARAKAWA-HOLIDAY", 9_000)),
    ] {
        let [first, second] = <[_; 2]>::try_from(paid(taken_at)).unwrap();
        assert_eq!(first, ("AGANO-HOLIDAY".to_owned(), agano), "{taken_at}");
        assert_eq!(second, (arakawa.0.to_owned(), arakawa.1), "{taken_at}");
    }
    // The line says by whose calendar it counts; the event keeps the association's own word.
    let event = consult("2026-05-06T10:00:00+09:00");
    let lines = lines(&event, &tariffs, "run-1");
    let agano = lines.iter().find(|l| l.tariff == Some(code("AGANO-HOLIDAY"))).unwrap();
    assert_eq!((agano.band, agano.calendar_version.as_str()), (TimeBand::Day, "test-1/agano"));
    assert_eq!((event.moment.band, event.moment.calendar_version.as_str()), (TimeBand::Holiday, "test-1"));
}
