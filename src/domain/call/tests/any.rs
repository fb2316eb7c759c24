//! Any call, any people on duty and anything that can happen, for the random tests.

use proptest::prelude::*;

use super::*;

pub const PEOPLE: usize = 6;

/// What may happen. Numbers choose among what is there at that moment.
#[derive(Clone, Debug)]
pub enum Op {
    Pass(i64),
    /// Time goes on to the next wait, plus this.
    PassToDue(i64),
    /// Everything under way arrives, in order.
    Flow,
    /// One event of the bridge arrives: which one, whether it stays to come again, whether it is lost.
    Arrive(usize, bool, bool),
    /// One order reaches the bridge; it may come once more.
    Order(bool),
    /// The dispatcher reads one message, or the call reads one of the dispatcher.
    Dispatcher,
    Inbox,
    /// The answer to a yes comes a second time.
    VerdictAgain,
    Phone(usize, Act),
    /// The recording ends; the vault answers.
    RecordingEnds(bool),
    Vault(bool),
    /// The connection to the bridge breaks: what was under way is lost.
    Disconnect,
    /// It is back; the bridge itself may have started anew.
    Reconnect {
        anew: bool,
    },
    CallerReturns,
    Connect,
    HandOver,
    Report,
    Acknowledge,
    Close,
    /// Everybody on the line presses what brings them on.
    Everybody(char),
}

/// What happens at one phone.
#[derive(Clone, Debug)]
pub enum Act {
    Ring,
    PersonAnswers,
    MachineAnswers,
    End(Cause),
    Key(String, bool),
    Pin(PinVerdict, bool),
    PromptEnds(bool),
    Suspect,
    FallsOutOfRoom,
}

fn act() -> impl Strategy<Value = Act> {
    let cause = prop_oneof![
        3 => Just(Cause::HungUp),
        2 => Just(Cause::Busy),
        1 => Just(Cause::Rejected),
        1 => Just(Cause::Unallocated),
        1 => Just(Cause::NoAnswer),
        2 => Just(Cause::Lost),
        1 => Just(Cause::Failed),
        1 => Just(Cause::Congestion),
    ];
    let key = prop_oneof![
        8 => Just("1"), 2 => Just("2"), 2 => Just("3"), 3 => Just("9"), 1 => Just("0"), 1 => Just("11999"), 1 => Just(""),
    ];
    let verdict = prop_oneof![
        5 => Just(PinVerdict::Right), 1 => Just(PinVerdict::Wrong), 1 => Just(PinVerdict::Locked)
    ];
    let stale = proptest::bool::weighted(0.1);
    prop_oneof![
        5 => Just(Act::Ring),
        8 => Just(Act::PersonAnswers),
        2 => Just(Act::MachineAnswers),
        4 => cause.prop_map(Act::End),
        12 => (key, stale).prop_map(|(k, s)| Act::Key(k.to_owned(), s)),
        10 => (verdict, stale).prop_map(|(v, s)| Act::Pin(v, s)),
        5 => stale.prop_map(Act::PromptEnds),
        1 => Just(Act::Suspect),
        1 => Just(Act::FallsOutOfRoom),
    ]
}

pub fn ops() -> impl Strategy<Value = Vec<Op>> {
    let one = prop_oneof![
        5 => (0..15i64).prop_map(Op::Pass),
        1 => (0..700i64).prop_map(Op::Pass),
        6 => prop_oneof![4 => Just(0i64), 1 => 1..20i64].prop_map(Op::PassToDue),
        14 => Just(Op::Flow),
        8 => (0..8usize, proptest::bool::weighted(0.2), proptest::bool::weighted(0.1))
            .prop_map(|(n, again, lost)| Op::Arrive(n, again, lost)),
        4 => any::<bool>().prop_map(Op::Order),
        4 => Just(Op::Dispatcher),
        4 => Just(Op::Inbox),
        1 => Just(Op::VerdictAgain),
        40 => (0..8usize, act()).prop_map(|(n, act)| Op::Phone(n, act)),
        3 => any::<bool>().prop_map(Op::RecordingEnds),
        3 => proptest::bool::weighted(0.8).prop_map(Op::Vault),
        1 => Just(Op::Disconnect),
        3 => proptest::bool::weighted(0.3).prop_map(|anew| Op::Reconnect { anew }),
        1 => Just(Op::CallerReturns),
        1 => Just(Op::Connect),
        1 => Just(Op::HandOver),
        1 => Just(Op::Acknowledge),
        12 => prop_oneof![6 => Just('1'), 1 => Just('9'), 1 => Just('2')].prop_map(Op::Everybody),
    ];
    let rare = prop_oneof![100 => one, 1 => Just(Op::Report), 1 => Just(Op::Close)];
    proptest::collection::vec(rare, 20..160)
}

/// Any kind of call with anybody on duty.
pub fn nights() -> impl Strategy<Value = Night> {
    let station = || Standing::Line { institution: house("station") };
    let night = prop_oneof![
        6 => Just(()).prop_map(move |()| Night::nurse()),
        1 => Just(()).prop_map(|()| Night::inbound("090-9999-0000", Standing::Unknown, Admission::Open)),
        1 => Just(()).prop_map(|()| Night::inbound("anonymous", Standing::Unknown, Admission::Open)),
        1 => Just(()).prop_map(move |()| Night::inbound("非通知", station(), Admission::Open)),
        1 => Just(()).prop_map(|()| Night::inbound(NURSE, Standing::Unknown, Admission::TooMany)),
        1 => Just(()).prop_map(|()| {
            let mut night = Night::inbound("090-9999-0000", Standing::Unknown, Admission::Open);
            night.call.reporter = Some(person(9));
            night
        }),
        3 => Just(()).prop_map(|()| Night::on_page()),
        2 => Just(()).prop_map(|()| Night::two_doctors()),
    ];
    // The last number has no phone.
    let people = || proptest::collection::vec(1..=PEOPLE, 0..4);
    (night, people(), people(), people(), any::<bool>()).prop_map(|(mut night, a, b, c, clinic)| {
        let named = |list: Vec<usize>| list.into_iter().map(person).collect::<Vec<_>>();
        night.office.named = [
            (Selector::DutyPrimary, named(a)),
            (Selector::DutyDeputy, named(b)),
            (Selector::Pillar("home".to_owned()), named(c)),
        ]
        .into_iter()
        .collect();
        night.call.clinic = clinic.then(|| house("clinic"));
        night
    })
}

/// The phone of a person; the last one has none, and the first two share one.
pub fn line_of(who: &MemberId) -> Option<Line> {
    (1..PEOPLE).find(|n| person(*n) == *who).map(|n| line(n.max(2)))
}

/// Situations that are rare at night and must not be rare here; without them the checks show little.
pub const SOMETIMES: &[&str] = &[
    "they talked",
    "a call back was promised",
    "a promise was missed",
    "a call was handed over",
    "somebody was outrun",
    "two said yes",
    "an order in doubt was repeated",
    "a lost caller was called back",
    "a caller was out of reach",
    "a join was not confirmed",
    "an unknown caller vanished",
    "nobody was left",
    "nobody was rung",
    "the dispatcher was silent",
    "the bridge was down",
    "the bridge started anew",
    "an event was lost",
    "a report was taken by key",
];
