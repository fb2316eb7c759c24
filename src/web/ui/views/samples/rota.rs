//! The rota: who is on, the month, wishes, changes, settings.

use super::super::directory::{Input, InputKind};
use super::super::rota::*;
use super::super::wishes::*;
use super::*;

fn card(maker: &Maker, role: &'static str, named: bool, gap: bool) -> DutyCard {
    DutyCard {
        role,
        title: t(maker.lang, &format!("word-rota-role-{role}")),
        somebody: !gap,
        people: if named && !gap {
            vec![DutyPerson {
                name: maker.doctor("上田 健"),
                institution: s("上田内科クリニック"),
                numbers: vec![DutyNumber {
                    label: t(maker.lang, "duty-number-own"),
                    number: s("090-0000-1111"),
                }],
            }]
        } else {
            Vec::new()
        },
        until: Some(t_with(maker.lang, "duty-until", &[("time", "明日8時")])),
        next: Some(t_with(maker.lang, "duty-next-somebody", &[("time", "明日8時")])),
        gap: gap.then(|| t(maker.lang, "word-rota-gap-unassigned")),
        fill: (gap && named).then(|| s("/rota/changes")),
    }
}

fn hole(maker: &Maker) -> HoleLine {
    HoleLine {
        hours: t_with(maker.lang, "duty-hours", &[("from", "21日18時"), ("to", "22日8時")]),
        role: t(maker.lang, "word-rota-role-deputy"),
        area: Some(s("青葉北")),
        why: t(maker.lang, "word-rota-gap-left"),
        fill: Some(s("/rota/changes")),
    }
}

fn board(maker: &Maker, named: bool, wall: bool) -> DutyBoard {
    let turn = |who: &str, empty| DutyTurn { from: s("18時"), who: s(who), empty };
    let days = vec![
        DutyDay {
            day: s("11月22日（日）"),
            off: true,
            cells: vec![vec![turn("上田 健", false)], Vec::new()],
        },
        DutyDay {
            day: s("11月23日（月）"), off: false, cells: vec![vec![turn("空き", true)], Vec::new()]
        },
    ];
    DutyBoard {
        shell: if named { maker.office("/duty") } else { maker.shell("/public/aoba/duty") },
        day: s("令和8年11月20日（金）"),
        stamp: s("21時45分"),
        known: None,
        chosen: false,
        wall,
        named,
        path: s("/duty"),
        live: s("/duty?as=named"),
        tag: s("\"0123\""),
        tag_json: s("\"\\\"0123\\\"\""),
        areas: vec![DutyArea {
            name: named.then(|| s("青葉北")),
            cards: vec![card(maker, "primary", named, false), card(maker, "deputy", named, named)],
            heads: vec![t(maker.lang, "word-rota-role-primary"), t(maker.lang, "word-rota-role-deputy")],
            days: if named { days } else { Vec::new() },
            holes: if named { vec![hole(maker)] } else { Vec::new() },
            warnings: if named {
                vec![t_with(maker.lang, "duty-clash-institution", &[("hours", "21日"), ("name", "上田内科")])]
            } else {
                Vec::new()
            },
        }],
        chooser: named.then(|| DutyChooser {
            day: s("2026-11-20"),
            time: s("99"),
            problem: Some(t(maker.lang, "duty-choose-wrong")),
            ..DutyChooser::default()
        }),
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let chosen =
        DutyBoard { chosen: true, known: Some(s("11月1日（日）9時")), ..board(maker, true, false) };
    let mut pages = vec![
        ("duty", render(&board(maker, true, false))),
        ("duty-public", render(&board(maker, false, false))),
        ("duty-wall", render(&board(maker, true, true))),
        ("duty-then", render(&chosen)),
        ("rota", render(&index(maker, true))),
        ("rota-empty", render(&index(maker, false))),
        ("rota-draft", render(&draft(maker, true))),
        ("rota-draft-closed", render(&draft(maker, false))),
    ];
    pages.extend(steps(maker));
    pages.extend(wishes(maker));
    pages.into_iter().map(|(name, page)| (s(name), page)).collect()
}

fn input(maker: &Maker, id: &'static str, key: &str, wrong: bool) -> Input {
    Input {
        id,
        label: t(maker.lang, key),
        hint: String::new(),
        problem: wrong.then(|| maker.w("wrong-missing")),
        kind: InputKind::Day { value: s("2026-10-01") },
    }
}

fn index(maker: &Maker, full: bool) -> RotaIndex {
    RotaIndex {
        shell: maker.office("/rota"),
        notice: full.then(|| t(maker.lang, "rota-said-dropped")),
        problem: (!full).then(|| maker.w("wrong-missing")),
        drafts: if full {
            vec![DraftRow {
                href: s("/rota/drafts/01j"),
                name: s("2026年10月"),
                period: s("10月1日（木）〜31日（土）"),
                area: Some(s("青葉北")),
                made: s("9月1日（火）9時 田中 久美"),
            }]
        } else {
            Vec::new()
        },
        publications: if full {
            vec![PublicationRow {
                href: s("/rota/publications/01j"),
                period: s("9月1日（火）0時〜10月1日（木）0時"),
                note: s("定例"),
                ..PublicationRow::default()
            }]
        } else {
            Vec::new()
        },
        inputs: vec![
            input(maker, "first", "rota-new-first", !full),
            input(maker, "last", "rota-new-last", false),
        ],
        once: hidden("once-1"),
    }
}

fn seat(day: u32, role: &str, who: &str, wrong: Option<bool>) -> SeatCell {
    SeatCell {
        id: format!("s-{day}-{role}"),
        href: s("/rota/drafts/01j?seat=x"),
        role: s(role),
        who: s(who),
        empty: who.is_empty(),
        wrong,
        chosen: day == 1 && role == "正",
        letter: s("u"),
    }
}

fn day(number: u32) -> Option<DayCell> {
    Some(DayCell {
        number,
        name: format!("10月{number}日（木）"),
        holiday: (number == 3).then(|| s("祝日")),
        off: number == 3,
        saturday: number == 2,
        slots: vec![SlotCell {
            name: s("平日の夜"),
            hours: s("18時〜8時"),
            seats: vec![
                seat(number, "正", "上田", Some(number == 1)),
                seat(number, "副", if number == 2 { "" } else { "榎本" }, None),
            ],
        }],
    })
}

fn candidate(maker: &Maker, id: &str, name: &str, can: bool) -> CandidateLine {
    CandidateLine {
        id: s(id),
        name: maker.doctor(name),
        institution: s("上田内科クリニック"),
        letter: s("u"),
        reasons: t_with(maker.lang, "rota-in-month", &[("n", "2")]),
        against: if can { Vec::new() } else { vec![t(maker.lang, "word-rota-rule-unavailable")] },
    }
}

fn draft(maker: &Maker, open: bool) -> DraftPage {
    DraftPage {
        shell: maker.office("/rota/drafts/01j"),
        stale: open.then(|| t(maker.lang, "rota-said-stale")),
        notice: (!open).then(|| t(maker.lang, "rota-said-not-open")),
        id: s("01j"),
        revision: 7,
        name: s("2026年10月"),
        area: Some(s("青葉北")),
        period: s("10月1日（木）〜31日（土）"),
        month: s("2026年10月"),
        month_key: s("2026-10"),
        earlier: None,
        later: Some((s("/rota/drafts/01j?month=2026-11"), s("2026年11月"))),
        open,
        published: (!open).then(|| s("/rota/publications/01j")),
        empty: u32::from(open),
        hard: u32::from(open),
        soft: 2,
        first_empty: open.then(|| s("/rota/drafts/01j?seat=x")),
        heads: (0..7).map(|n| t(maker.lang, &format!("rota-weekday-{n}"))).collect(),
        weeks: vec![vec![None, None, None, None, day(1), day(2), day(3)]],
        violations: if open {
            vec![
                ViolationLine {
                    text: t(maker.lang, "word-rota-rule-exempt"),
                    hard: true,
                    href: Some(s("/rota#s-1-正")),
                },
                ViolationLine { text: t(maker.lang, "word-rota-rule-unavailable"), hard: false, href: None },
            ]
        } else {
            Vec::new()
        },
        panel: Some(SeatPanel {
            seat: s("2026-10-01/wn/primary"),
            place: s("s-1-正"),
            month: s("2026-10"),
            title: s("10月1日（木） 平日の夜 正"),
            hours: s("18時〜8時"),
            held: if open { vec![maker.doctor("上田 健")] } else { Vec::new() },
            holds: s("m1"),
            wrong: vec![t(maker.lang, "word-rota-rule-exempt")],
            can: if open {
                vec![candidate(maker, "m1", "上田 健", true), candidate(maker, "m2", "榎本 清子", true)]
            } else {
                Vec::new()
            },
            cannot: vec![candidate(maker, "m3", "大野 誠", false)],
        }),
        people: if open {
            vec![PersonLine {
                name: maker.doctor("上田 健"),
                turns: 3,
                off: 1,
                points: s("4.5"),
                wishes: vec![t(maker.lang, "rota-no-sheet")],
            }]
        } else {
            Vec::new()
        },
        spread: Some([s("1"), s("2"), s("4.5")]),
        answered: 10,
        to_answer: 12,
        silent: vec![maker.doctor("大野 誠")],
        wishes_href: Some(s("/rota/wishes/01j")),
        undo: open.then(|| t(maker.lang, "rota-step-edit")),
        redo: None,
        steps: vec![StepLine {
            at: s("9月1日（火）9時"),
            what: t(maker.lang, "rota-step-fill"),
            who: s("田中 久美"),
            undone: true,
        }],
        has_year_end: open,
        lots: Some((s("42"), vec![maker.doctor("上田 健")])),
        once: hidden("once-1"),
    }
}

fn steps(maker: &Maker) -> Vec<(&'static str, String)> {
    let violation = ViolationLine { text: t(maker.lang, "word-rota-rule-exempt"), hard: true, href: None };
    let publish = |full: bool| PublishPage {
        shell: maker.office("/rota/drafts/01j/publish"),
        id: s("01j"),
        revision: 7,
        name: s("2026年10月"),
        period: s("10月1日（木）〜31日（土）"),
        open: true,
        problem: full.then(|| t(maker.lang, "rota-publish-breaches")),
        refused: Vec::new(),
        hard: if full { vec![violation.clone()] } else { Vec::new() },
        empty: if full { vec![s("10月2日（金） 平日の夜 副")] } else { Vec::new() },
        changes: if full {
            vec![ChangeLine {
                hours: s("18時〜8時"),
                role: t(maker.lang, "word-rota-role-primary"),
                before: t(maker.lang, "rota-nobody"),
                after: maker.doctor("上田 健"),
            }]
        } else {
            Vec::new()
        },
        change_count: u32::from(full),
        told: if full {
            vec![ConcernedLine {
                name: maker.doctor("上田 健"),
                channel: t(maker.lang, "rota-channel-mail"),
                changes: 1,
            }]
        } else {
            Vec::new()
        },
        note: String::new(),
        once: hidden("once-1"),
    };
    let refused = PublishPage {
        refused: vec![t_with(maker.lang, "rota-refused-no-time", &[("duty", "x")])],
        ..publish(true)
    };
    let fill = |full: bool| FillPage {
        shell: maker.office("/rota/drafts/01j/fill"),
        id: s("01j"),
        name: s("2026年10月"),
        revision: 7,
        count: u32::from(full),
        adds: if full { vec![s("10月1日（木） 平日の夜 正 上田 健")] } else { Vec::new() },
        empty: if full {
            vec![EmptyLine {
                seat: s("10月2日（金） 平日の夜 副"),
                href: s("/rota/drafts/01j?seat=x"),
                why: vec![t(maker.lang, "word-rota-rule-unavailable")],
            }]
        } else {
            Vec::new()
        },
        before: s("2"),
        after: s("1"),
        open: true,
        once: hidden("once-1"),
    };
    let publication = |full: bool| PublicationPage {
        shell: maker.office("/rota/publications/01j"),
        notice: full.then(|| t(maker.lang, "rota-said-published")),
        period: s("10月1日（木）〜31日（土）"),
        area: full.then(|| s("青葉北")),
        made: s("9月1日（火）9時 田中 久美"),
        note: s("定例"),
        duties: if full { vec![s("10月1日（木） 平日の夜 正 上田 健")] } else { Vec::new() },
    };
    let changes = |full: bool| ChangesPage {
        shell: maker.office("/rota/changes"),
        notice: full.then(|| t(maker.lang, "rota-said-changed")),
        against: if full { vec![t(maker.lang, "word-rota-rule-exempt")] } else { Vec::new() },
        problem: None,
        rows: if full {
            vec![
                OverrideRow {
                    id: s("01j"),
                    hours: s("18時〜8時"),
                    role: t(maker.lang, "word-rota-role-primary"),
                    area: Some(s("青葉北")),
                    who: maker.doctor("上田 健"),
                    made: s("9時 田中 久美"),
                    reason: s("発熱のため"),
                    withdrawn: None,
                    once: hidden("once-2"),
                },
                OverrideRow {
                    id: s("02j"),
                    hours: s("8時〜18時"),
                    role: t(maker.lang, "word-rota-role-deputy"),
                    who: maker.doctor("榎本 清子"),
                    withdrawn: Some(s("10時")),
                    ..OverrideRow::default()
                },
            ]
        } else {
            Vec::new()
        },
        inputs: vec![input(maker, "from_day", "rota-change-from-day", !full)],
        once: hidden("once-1"),
    };
    let holes = |full: bool| HolesPage {
        shell: maker.office("/rota/holes"),
        first: s("2026-10-01"),
        last: s("2026-10-31"),
        problem: (!full).then(|| t(maker.lang, "rota-holes-wrong")),
        holes: if full { vec![hole(maker)] } else { Vec::new() },
    };
    let counts = |full: bool| CountsPage {
        shell: maker.office("/rota/counts"),
        notice: full.then(|| t(maker.lang, "rota-said-year-closed")),
        problem: (!full).then(|| t(maker.lang, "counts-not-over")),
        year: s("令和8年度"),
        year_key: 2026,
        earlier: s("/rota/counts?year=2025"),
        later: s("/rota/counts?year=2027"),
        people: if full {
            vec![CountLine {
                name: maker.doctor("上田 健"),
                turns: 12,
                points: s("18.5"),
                share: s("17"),
                carried: s("-0.5"),
                target: s("17.5"),
            }]
        } else {
            Vec::new()
        },
        spread: full.then(|| [s("15"), s("17"), s("18.5")]),
        month: s("2026年10月"),
        turns: if full {
            vec![TurnLine {
                institution: s("上田内科クリニック"),
                done: 1,
                planned: 1,
                target: 2,
                short: true,
            }]
        } else {
            Vec::new()
        },
        may_close: full,
        once: hidden("once-1"),
    };
    let year = |full: bool| YearPage {
        shell: maker.office("/rota/year?year=2026"),
        year: s("令和8年度"),
        earlier: s("/rota/year?year=2025"),
        later: s("/rota/year?year=2027"),
        months: ["4", "5", "6"].map(|n| t_with(maker.lang, "year-month", &[("month", n)])).into(),
        month_hrefs: vec![s("/rota/paper?month=2026-04&paper=a4"); 3],
        people: if full {
            let role = t(maker.lang, "word-rota-role-primary");
            let day = t_with(maker.lang, "year-day", &[("day", "3"), ("role", &role)]);
            let months = vec![day.clone(), String::new(), format!("{day} {day} {day}")];
            vec![YearLine { name: maker.doctor("上田 健"), href: s("/rota/paper/people/m1"), months }]
        } else {
            Vec::new()
        },
    };
    let settings = RotaSettingsPage {
        shell: maker.office("/rota/settings"),
        notice: None,
        problem: Some(t(maker.lang, "rset-stale")),
        version: 3,
        inputs: vec![input(maker, "rest_h", "rset-rest-h", true)],
        once: hidden("once-1"),
    };
    let slots = SlotsPage {
        shell: maker.office("/rota/settings/slots"),
        notice: None,
        edition: t(maker.lang, "slots-built-in"),
        body: s("[[slot]]"),
        wrong: vec![t_with(maker.lang, "slots-wrong-line", &[("line", "1"), ("what", "kind")])],
        once: hidden("once-1"),
    };
    vec![
        ("rota-publish", render(&publish(true))),
        ("rota-publish-same", render(&publish(false))),
        ("rota-publish-refused", render(&refused)),
        ("rota-fill", render(&fill(true))),
        ("rota-fill-none", render(&fill(false))),
        ("rota-publication", render(&publication(true))),
        ("rota-publication-empty", render(&publication(false))),
        ("rota-changes", render(&changes(true))),
        ("rota-changes-none", render(&changes(false))),
        ("rota-holes", render(&holes(true))),
        ("rota-holes-none", render(&holes(false))),
        ("rota-counts", render(&counts(true))),
        ("rota-counts-none", render(&counts(false))),
        ("rota-year", render(&year(true))),
        ("rota-year-none", render(&year(false))),
        ("rota-settings", render(&settings)),
        ("rota-slots", render(&slots)),
    ]
}

fn wishes(maker: &Maker) -> Vec<(&'static str, String)> {
    let row = |open: bool| RoundRow {
        href: s("/rota/wishes/01j"),
        period: s("10月1日（木）〜31日（土）"),
        state: t(maker.lang, "wishes-closed"),
        open,
    };
    let rounds = |full: bool| RoundsPage {
        shell: maker.office("/rota/wishes"),
        notice: None,
        problem: None,
        rows: if full { vec![row(true), row(false)] } else { Vec::new() },
        inputs: vec![input(maker, "deadline", "wishes-deadline-day", !full)],
        once: hidden("once-1"),
    };
    let round = |full: bool| RoundPage {
        shell: maker.office("/rota/wishes/01j"),
        notice: full.then(|| t(maker.lang, "rota-said-sheet")),
        id: s("01j"),
        period: s("10月1日（木）〜31日（土）"),
        state: t(maker.lang, "wishes-closed"),
        open: full,
        silent: 1,
        people: if full {
            vec![
                AskedLine {
                    name: maker.doctor("大野 誠"),
                    href: s("/rota/wishes/01j/for/m3"),
                    asked: Some(t_with(maker.lang, "wishes-asked-at", &[("at", "9時"), ("n", "1")])),
                    ..AskedLine::default()
                },
                AskedLine {
                    name: maker.doctor("上田 健"),
                    href: s("/rota/wishes/01j/for/m1"),
                    answered: Some(s("9時")),
                    asked: None,
                    days: 3,
                    note: s("学会のため"),
                },
            ]
        } else {
            Vec::new()
        },
        deadline: Field {
            value: String::new(),
            problem: (!full).then(|| t(maker.lang, "wishes-deadline-wrong")),
        },
        once: hidden("once-1"),
    };
    let sheet = |by_office: bool| SheetPage {
        shell: if by_office {
            maker.office("/rota/wishes/01j/for/m1")
        } else {
            maker.signed_in("/me/wishes/01j", "上田 健", Nav { asker: true, ..Nav::default() })
        },
        banner: by_office.then(|| t_with(maker.lang, "wishes-for", &[("name", "上田 健")])),
        notice: None,
        problem: by_office.then(|| t(maker.lang, "wishes-most-wrong")),
        action: s("/me/wishes/01j"),
        back: s("/me/wishes"),
        period: s("10月1日（木）〜31日（土）"),
        state: t(maker.lang, "wishes-closed"),
        may_write: by_office,
        answered: by_office.then(|| s("9時")),
        months: vec![WishMonth {
            name: s("2026年10月"),
            days: vec![
                WishDay {
                    key: s("2026-10-01"),
                    name: s("10月1日（木）"),
                    wished: "no",
                    ..WishDay::default()
                },
                WishDay {
                    key: s("2026-10-04"),
                    name: s("10月4日（日）"),
                    off: true,
                    holiday: Some(s("祝日")),
                    wished: "on-much",
                },
            ],
        }],
        phone_only: true,
        no_deep_night: false,
        most: s("4"),
        people: vec![Choice {
            value: s("m2"), label: maker.doctor("榎本 清子"), note: None, chosen: true
        }],
        note: s("学会のため"),
        by_office,
        link: None,
        once: hidden("once-1"),
    };
    let by_link = |wrong: bool| SheetPage {
        shell: maker.shell("/k"),
        banner: None,
        problem: None,
        action: s("/k/wishes"),
        state: t(maker.lang, "wishes-how"),
        may_write: true,
        answered: None,
        people: Vec::new(),
        note: String::new(),
        link: Some(SheetLink {
            token: hidden("token"),
            person_name: maker.doctor("上田 健"),
            asks_pin: true,
            pin_problem: wrong.then_some(PinProblem::Wrong { tries_left: 3 }),
        }),
        ..sheet(false)
    };
    let mine = |full: bool| OwnRounds {
        shell: maker.signed_in("/me/wishes", "上田 健", Nav { asker: true, ..Nav::default() }),
        notice: full.then(|| t(maker.lang, "rota-said-sheet")),
        rows: if full {
            vec![
                (row(true), t(maker.lang, "wishes-mine-open")),
                (row(false), t(maker.lang, "wishes-mine-answered")),
            ]
        } else {
            Vec::new()
        },
    };
    vec![
        ("wishes", render(&rounds(true))),
        ("wishes-none", render(&rounds(false))),
        ("wishes-round", render(&round(true))),
        ("wishes-round-empty", render(&round(false))),
        ("wishes-sheet", render(&sheet(true))),
        ("wishes-sheet-closed", render(&sheet(false))),
        ("wishes-link", render(&by_link(false))),
        ("wishes-link-pin", render(&by_link(true))),
        ("wishes-mine", render(&mine(true))),
        ("wishes-mine-none", render(&mine(false))),
    ]
}

#[test]
fn the_public_board_names_nobody() {
    for lang in [Lang::Ja, Lang::En] {
        let page = render(&board(&Maker { lang }, false, false));
        assert!(!page.contains("上田") && !page.contains("090-"), "{page}");
    }
}
