//! The rota on paper, files, links for calendars, rotas and wish sheets read in.

use super::super::paper::{
    FeedLine, FeedShown, MyCalendar, NoticeLine, NoticeNumber, PaperBlock, PaperCell, PaperChoice, PaperDay,
    PaperDuty, PaperLine, PaperName, PaperNotice, PaperSheet, PaperSlip, PaperWall, PlacedLine, RefusedPlace,
    RotaFiles, RotaSheetDone, RotaSheetPage, RotaSheetPlan, RotaSheetRow, RotaSheetStage, RotaSheets, Tab,
};
use super::super::sheets::{Hidden64, MissingCharacters, Rest};
use super::{Choice, Choices, Field, Maker, StateLine, Tone, hidden, render, s};
use crate::i18n::{t, t_with};

fn tab(label: &str, current: bool) -> Tab {
    Tab { href: s("/rota/paper?month=2026-10"), label: s(label), current }
}

fn one(text: &str) -> PaperCell {
    PaperCell { names: vec![PaperName { hours: String::new(), text: s(text) }], changed: false, gap: false }
}

fn lines(maker: &Maker, fax: bool) -> Vec<PaperLine> {
    let day = |number: &str, weekday: &str, holiday: &str, mark: &str| PaperDay {
        number: s(number),
        weekday: s(weekday),
        box_mark: if fax && !mark.is_empty() { t(maker.lang, mark) } else { String::new() },
        holiday: s(holiday),
        off: !mark.is_empty(),
    };
    let split = PaperCell {
        names: vec![
            PaperName {
                hours: t_with(maker.lang, "paper-until", &[("time", "23:00")]), text: s("上田 健")
            },
            PaperName {
                hours: t_with(maker.lang, "paper-from", &[("time", "23:00")]), text: s("榎本 清子")
            },
        ],
        changed: true,
        gap: false,
    };
    let nobody = PaperCell { gap: true, ..one(&t(maker.lang, "paper-nobody")) };
    let line = |head: Option<(PaperDay, u32)>, slot: &str, cells: Vec<PaperCell>, ground| PaperLine {
        day: head,
        slot: s(slot),
        cells,
        ground,
    };
    vec![
        line(
            Some((day("11", "日", "", "paper-box-sunday"), 2)),
            "日曜・祝日の昼",
            vec![one("大野 誠"), one("髙橋 隆")],
            "ground-off",
        ),
        line(None, "日曜・祝日の夜", vec![split, one("木村 直子")], "ground-off"),
        line(
            Some((day("12", "月", "スポーツの日", "paper-box-holiday"), 1)),
            "日曜・祝日の夜",
            vec![one("伊藤 美咲"), nobody],
            "ground-off",
        ),
        line(
            Some((day("13", "火", "", ""), 1)),
            "平日の夜",
            vec![one("小林 修"), one("青木 一郎")],
            "ground-plain",
        ),
    ]
}

fn wall(maker: &Maker, paper: &'static str, fax: bool, unpublished: bool) -> PaperWall {
    let lang = maker.lang;
    let values = [("area", "全域"), ("period", "令和8年10月")];
    let heading = t_with(lang, "paper-wall-heading", &values);
    let edition = t_with(lang, "paper-edition-line", &[("n", "2"), ("day", "8月10日（月）")]);
    PaperWall {
        shell: maker.office("/rota/paper"),
        heading: heading.clone(),
        months: vec![tab(&t(lang, "paper-previous"), false), tab("令和8年10月", true)],
        sizes: vec![tab(&t(lang, "paper-size-a4"), true), tab(&t(lang, "paper-size-a3-quarter"), false)],
        editions: vec![tab(&t(lang, "paper-edition-colour"), !fax), tab(&t(lang, "paper-edition-fax"), fax)],
        areas: vec![tab("全域", true)],
        files_href: s("/rota/files"),
        paper,
        fax,
        roles: vec![t(lang, "paper-role-primary"), t(lang, "paper-role-deputy")],
        unpublished,
        sheets: vec![PaperSheet {
            title: format!("青葉市医師会　{heading}"),
            edition,
            blocks: vec![
                PaperBlock { caption: s("令和8年10月"), lines: lines(maker, fax) },
                PaperBlock { caption: s("令和8年10月"), lines: lines(maker, fax) },
            ],
            legend: vec![s("平日の夜 18:00〜翌8:00")],
            fit: "fit-6",
        }],
    }
}

fn slip(maker: &Maker, empty: bool) -> PaperSlip {
    let lang = maker.lang;
    let duty = PaperDuty {
        day: s("10月14日（水）"),
        hours: s("18:00〜翌8:00"),
        slot: s("平日の夜"),
        role: t(lang, "paper-role-primary"),
        with: s("榎本 清子"),
        changed: true,
        off: false,
    };
    PaperSlip {
        shell: maker.office("/me/duties/paper"),
        back: Tab { href: s("/me"), label: t(lang, "shell-menu-me"), current: false },
        months: vec![tab(&t(lang, "paper-previous"), false), tab("令和8年10月〜12月", true)],
        name: s("上田 健 先生"),
        institution: s("上田内科クリニック"),
        period: s("令和8年10月〜12月"),
        duties: if empty { Vec::new() } else { vec![duty] },
        made: t_with(lang, "paper-made", &[("time", "11月20日（金）19時45分")]),
    }
}

fn notice(maker: &Maker, empty: bool) -> PaperNotice {
    let lang = maker.lang;
    let line = NoticeLine {
        day: s("10月14日（水）"),
        hours: s("18:00〜翌8:00"),
        primary: s("上田 健（上田内科クリニック）"),
        deputy: s("榎本 清子（榎本クリニック）"),
        off: false,
    };
    let number =
        NoticeNumber {
            institution: s("上田内科クリニック"), phone: s("042-000-1111"), people: s("上田 健")
        };
    PaperNotice {
        shell: maker.office("/rota/paper/notices/01jd"),
        back: tab(&t(lang, "rota-files-title"), false),
        months: vec![tab("令和8年10月", true)],
        clinic: s("青木医院"),
        phone: s("042-000-2222"),
        period: s("令和8年10月"),
        numbers: if empty { Vec::new() } else { vec![number] },
        lines: if empty { Vec::new() } else { vec![line] },
        made: t_with(lang, "paper-made", &[("time", "11月20日（金）19時45分")]),
    }
}

fn choices(maker: &Maker, prefix: &str, codes: &[&str]) -> Choices {
    let option = |(n, code): (usize, &&str)| Choice {
        value: s(code),
        label: t(maker.lang, &format!("{prefix}-{code}")),
        note: None,
        chosen: n == 0,
    };
    Choices { options: codes.iter().enumerate().map(option).collect(), problem: None }
}

fn files(maker: &Maker, wrong: bool) -> RotaFiles {
    let lang = maker.lang;
    let choice = |name: &str, note: &str| PaperChoice {
        href: s("/rota/paper/people/01jd"),
        name: s(name),
        note: s(note),
    };
    let due = [("month", "令和9年1月"), ("day", "2026年11月10日（火）"), ("n", "3")];
    RotaFiles {
        shell: maker.office("/rota/files"),
        what: choices(maker, "rota-files-what", &["rota", "city"]),
        formats: choices(maker, "rota-files-format", &["xlsx", "csv", "csv-sjis"]),
        areas: Choices::default(),
        month: Field {
            value: s("令和8年10月"), problem: wrong.then(|| t(lang, "rota-files-month-wrong"))
        },
        months: Field { value: s("1"), problem: wrong.then(|| t(lang, "rota-files-months-wrong")) },
        due: vec![t_with(lang, "rota-files-due-line", &due)],
        slips: if wrong {
            Vec::new()
        } else {
            vec![choice("上田 健 先生", "上田内科クリニック")]
        },
        notices: if wrong { Vec::new() } else { vec![choice("青木医院", "青葉北")] },
        missing: if wrong {
            vec![MissingCharacters {
                row: t_with(lang, "run-row-n", &[("n", "3")]),
                column: t(lang, "rota-column-doctor"),
                text: s("𠮷田 三郎"),
                characters: s("𠮷"),
            }]
        } else {
            Vec::new()
        },
        more: u32::from(wrong),
    }
}

fn calendar(maker: &Maker, shown: bool) -> MyCalendar {
    let lang = maker.lang;
    MyCalendar {
        shell: maker.office("/me/calendar"),
        notice: (!shown).then(|| t(lang, "calendar-revoked")),
        shown: shown.then(|| FeedShown {
            name: t(lang, "calendar-own"),
            address: hidden("touban.example.jp/feeds/abc/duty.ics"),
            webcal: hidden("webcal://touban.example.jp/feeds/abc/duty.ics"),
            qr: s("data:image/svg+xml;base64,PHN2Zy8+"),
        }),
        links: if shown {
            vec![FeedLine {
                id: s("01jd"),
                name: t(lang, "calendar-own"),
                made: t_with(lang, "calendar-made", &[("time", "11月20日（金）19時45分")]),
            }]
        } else {
            Vec::new()
        },
        what: choices(maker, "calendar", &["own"]),
        once: hidden("once-p1"),
    }
}

fn sheets(maker: &Maker, empty: bool) -> RotaSheets {
    let lang = maker.lang;
    let target = Choice {
        value: s("draft:01jd"),
        label: t_with(lang, "rota-sheets-target-draft", &[("name", "10月"), ("period", "令和8年10月")]),
        note: None,
        chosen: true,
    };
    RotaSheets {
        shell: maker.office("/rota/sheets"),
        targets: Choices { options: if empty { Vec::new() } else { vec![target] }, problem: None },
        sheet: Field::default(),
        file_problem: (!empty).then(|| t(lang, "sheet-file-old_excel")),
        rows: if empty {
            Vec::new()
        } else {
            vec![RotaSheetRow {
                href: s("/rota/sheets/01jd"),
                at: s("11月20日（金）14時05分"),
                kind: t(lang, "rota-sheet-kind-duties"),
                into: s("令和8年10月"),
                state: StateLine { text: t(lang, "sheet-state-done"), tone: Tone::Good },
                result: Some(result(maker)),
            }]
        },
        once: hidden("once-p2"),
    }
}

fn result(maker: &Maker) -> String {
    let values = [("added", "60"), ("changed", "2"), ("same", "0"), ("refused", "3")];
    t_with(maker.lang, "rota-sheet-result", &values)
}

fn sheet(maker: &Maker, stage: RotaSheetStage) -> RotaSheetPage {
    let lang = maker.lang;
    RotaSheetPage {
        shell: maker.office("/rota/sheets/01jd"),
        id: s("01jd"),
        kind: t(lang, "rota-sheet-kind-duties"),
        into: Tab { href: s("/rota/drafts/01jd"), label: s("令和8年10月"), current: false },
        state: StateLine { text: t(lang, "sheet-state-waiting"), tone: Tone::Info },
        made_at: s("11月20日（金）14時05分"),
        problem: Some(t(lang, "rota-sheet-has-refused")),
        notice: None,
        stage,
        once: hidden("once-p3"),
    }
}

fn plan(maker: &Maker, readable: bool) -> RotaSheetPlan {
    let lang = maker.lang;
    let refused = RefusedPlace {
        place: s("E17"),
        value: s("佐藤先生"),
        reason: t_with(lang, "rota-sheet-reason-several", &[("about", "佐藤 健一、佐藤 花子")]),
    };
    let line = PlacedLine {
        place: s("C6"),
        day: s("10月1日（木）"),
        what: format!("平日の昼 {}", t(lang, "paper-role-primary")),
        name: s("青木 一郎"),
        instead: s("上田 健"),
    };
    RotaSheetPlan {
        readable,
        read: vec![t(lang, "run-encoding-xlsx"), t(lang, "rota-sheet-layout-rows")],
        other_sheets: s("月表"),
        added: 60,
        changed: 1,
        same: 0,
        refused: 1,
        refusals: vec![refused.clone()],
        refused_rest: Rest(2),
        changes: vec![line],
        changes_rest: Rest(59),
        notes: vec![RefusedPlace {
            place: s("C8"),
            value: s("榎本"),
            reason: t_with(lang, "rota-sheet-note-short_name", &[("about", "榎本 清子")]),
        }],
        notes_rest: Rest(0),
        digest: Hidden64(s("0123abcd")),
        may_confirm: readable,
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let waiting = |readable| RotaSheetStage::Waiting {
        plan: Box::new(plan(maker, readable)),
        until: s("11月21日（土）14時05分"),
    };
    let done = |undo: bool| {
        RotaSheetStage::Done(RotaSheetDone {
            result: result(maker),
            at: s("11月20日（金）14時10分"),
            undo_until: undo.then(|| s("11月27日（金）14時10分")),
            was_undone: false,
        })
    };
    [
        ("paper-wall", render(&wall(maker, "a4", false, false))),
        ("paper-wall-fax", render(&wall(maker, "a3-quarter", true, true))),
        ("paper-wall-a3", render(&wall(maker, "a3-month", false, false))),
        ("paper-slip", render(&slip(maker, false))),
        ("paper-slip-empty", render(&slip(maker, true))),
        ("paper-notice", render(&notice(maker, false))),
        ("paper-notice-empty", render(&notice(maker, true))),
        ("rota-files", render(&files(maker, false))),
        ("rota-files-wrong", render(&files(maker, true))),
        ("my-calendar", render(&calendar(maker, false))),
        ("my-calendar-shown", render(&calendar(maker, true))),
        ("rota-sheets", render(&sheets(maker, false))),
        ("rota-sheets-empty", render(&sheets(maker, true))),
        ("rota-sheet", render(&sheet(maker, waiting(true)))),
        ("rota-sheet-unreadable", render(&sheet(maker, waiting(false)))),
        ("rota-sheet-done", render(&sheet(maker, done(true)))),
        ("rota-sheet-over", render(&sheet(maker, done(false)))),
        ("rota-sheet-dropped", render(&sheet(maker, RotaSheetStage::Dropped))),
    ]
    .map(|(name, page)| (s(name), page))
    .into()
}
