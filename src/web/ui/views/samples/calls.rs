//! The night number: the list, a call, the form that starts one, the phones of the exercise.

use super::super::calls::*;
use super::*;

fn row(maker: &Maker, stage: &str, tone: Tone) -> CallRow {
    let leg = |who: &str, cause: &str, at: &str| CallLeg {
        who: s(who),
        state: maker.w(&format!("call-cause-{cause}")),
        at: s(at),
    };
    CallRow {
        href: s("/calls/01K0000000000000000000CALL"),
        case_no: s("R8-0413"),
        at: s("11月21日（土）3時2分"),
        caller: s("青葉訪問看護ステーション"),
        clinic: s("さとう在宅クリニック"),
        state: maker.line(&format!("call-stage-{stage}"), tone),
        taker: maker.doctor("伊藤 美咲"),
        legs: vec![
            leg("佐藤 健一", "no_answer", "11月21日（土）3時3分"),
            leg("伊藤 美咲", "call_over", "11月21日（土）3時9分"),
        ],
    }
}

fn list(maker: &Maker, full: bool) -> Calls {
    let nav = Nav { board: true, ..Nav::default() };
    let ended = CallRow { case_no: s("R8-0410"), ..row(maker, "over", Tone::Plain) };
    Calls {
        shell: maker.signed_in("/calls", "鈴木 正", nav),
        may_start: !full,
        open: if full { vec![row(maker, "talking", Tone::Good)] } else { Vec::new() },
        ended: if full { vec![ended] } else { Vec::new() },
    }
}

fn call(maker: &Maker, wrong: bool) -> CallPage {
    let nav = Nav { asker: true, ..Nav::default() };
    let choice = |code: &str| Choice {
        value: s(code),
        label: maker.w(&format!("call-told-{code}")),
        note: None,
        chosen: code == "transported",
    };
    let problem = wrong.then(|| t(maker.lang, "calls-wrong-missing"));
    let outcome = Choices {
        options: ["phone_only", "visited", "transported", "not_reached"].map(choice).into(),
        problem: None,
    };
    let told = CallReport {
        at: s("11月21日（土）4時50分"),
        who: maker.doctor("伊藤 美咲"),
        outcome: maker.w("call-told-visited"),
        place: String::new(),
        text: s("熱が下がり、落ち着いています。"),
    };
    CallPage {
        shell: maker.signed_in("/calls/01K0000000000000000000CALL", "伊藤 美咲", nav),
        id: s("01K0000000000000000000CALL"),
        row: row(maker, "report_due", Tone::Warn),
        number: s("...1234"),
        has_message: true,
        alarms: if wrong { vec![maker.w("call-notice-call_caller_out_of_reach")] } else { Vec::new() },
        reports: vec![told],
        report: Some(CallReportForm {
            outcome,
            place: Field { value: String::new(), problem },
            minutes: Field { value: s("25"), problem: None },
            text: Field::default(),
        }),
        cards: (!wrong).then(|| s("/calls/01K0000000000000000000CALL/cards")),
        may_again: true,
        may_hand_over: true,
        ring: if wrong {
            vec![Choice { value: s("m"), label: s("伊藤 美咲"), note: None, chosen: false }]
        } else {
            Vec::new()
        },
        may_close: wrong,
        once: hidden("once-5"),
    }
}

fn phones(maker: &Maker, busy: bool) -> DemoPhones {
    let state = |key: &str, tone| StateLine { text: t(maker.lang, key), tone };
    let key = |keys: &str, word: &str, main| PhoneKey { keys: s(keys), word: t(maker.lang, word), main };
    let nurse = PhoneView {
        leg: s("sim-1-1"),
        name: s("青葉訪問看護ステーション"),
        number: s("0420002001"),
        state: state("phones-up", Tone::Info),
        up: true,
        heard: vec![s("先生をお呼びしています。")],
        sound: s("/demo/phones/sounds/ja/calling_primary"),
        ..PhoneView::default()
    };
    let doctor = PhoneView {
        leg: s("tb-1-2"),
        name: s("佐藤 健一"),
        number: s("05000000101"),
        state: state("phones-rings", Tone::Bad),
        rings: true,
        ways: vec![key("1", "phones-key-1", true), key("2", "phones-key-2", false)],
        ..PhoneView::default()
    };
    let over = PhoneView {
        name: s("伊藤 美咲"),
        state: maker.line("call-cause-declined", Tone::Plain),
        redial: true,
        ..PhoneView::default()
    };
    DemoPhones {
        shell: Shell { demo: true, ..maker.shell("/demo/phones") },
        nurse: s("青葉訪問看護ステーション"),
        night: s("042-000-0099"),
        may_dial: !busy,
        phones: if busy { vec![nurse, doctor] } else { Vec::new() },
        over: if busy { vec![over] } else { Vec::new() },
        once: hidden("once-6"),
    }
}

fn night(maker: &Maker) -> NightSettings {
    let good = |value: &str| Field { value: s(value), problem: None };
    let place = |id: &str, name: &str, clinic| NightInstitution {
        id: s(id),
        name: s(name),
        clinic,
        code: Field { value: s("12"), problem: Some(t(maker.lang, "night-wrong-code")) },
        own_line: clinic,
        ..NightInstitution::default()
    };
    NightSettings {
        shell: maker.signed_in("/settings/calls", "鈴木 正", Nav { settings: true, ..Nav::default() }),
        revision: 3,
        numbers: Field { value: s("0420000099"), problem: Some(t(maker.lang, "night-wrong-number")) },
        problem: Some(t(maker.lang, "night-wrong-code")),
        together: true,
        per_line: Field { value: s("五"), problem: Some(t(maker.lang, "night-wrong-limit")) },
        hidden: good("20"),
        in_use: good("16"),
        minutes: good("3000"),
        report_by: good("09:00"),
        institutions: vec![place("a", "さとう在宅クリニック", true), place("b", "青葉訪問看護", false)],
    }
}

pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let nav = Nav { asker: true, ..Nav::default() };
    let new = |problem: Option<&str>| CallNew {
        shell: maker.signed_in("/calls/new", "佐藤 健一", nav),
        clinic: Choices {
            options: vec![Choice {
                value: s("1"),
                label: s("さとう在宅クリニック"),
                note: None,
                chosen: true,
            }],
            problem: None,
        },
        problem: problem.map(|key| t(maker.lang, key)),
        once: hidden("once-4"),
    };
    vec![
        (s("calls"), render(&list(maker, true))),
        (s("calls-empty"), render(&list(maker, false))),
        (s("call"), render(&call(maker, false))),
        (s("call-wrong"), render(&call(maker, true))),
        (s("call-new"), render(&new(None))),
        (s("call-new-wrong"), render(&new(Some("calls-no-phone")))),
        (s("night-settings"), render(&night(maker))),
        (s("demo-phones"), render(&phones(maker, false))),
        (s("demo-phones-busy"), render(&phones(maker, true))),
    ]
}
