//! Files read in and taken out: members, institutions, contact windows.

use super::super::sheets::{
    Change, ChangedRow, Hidden64, MissingCharacters, NotedRow, RefusedCell, Rest, RunDone, RunPage, RunPlan,
    RunRow, SheetExport, SheetImport, SheetRunView, Sheets, TemplateLink,
};
use super::{Choice, Choices, Field, Maker, Tone, hidden, render, s};
use crate::i18n::{t, t_with};

fn choices(maker: &Maker, keys: &[(&str, &str)], notes: bool) -> Choices {
    let option = |(value, key): &(&str, &str)| Choice {
        value: s(value),
        label: t(maker.lang, key),
        note: notes.then(|| t(maker.lang, &format!("sheet-note-of-{value}"))),
        chosen: *value == "members" || *value == "xlsx",
    };
    Choices { options: keys.iter().map(option).collect(), problem: None }
}

const KINDS: &[(&str, &str)] =
    &[("members", "sheet-kind-of-members"), ("institutions", "sheet-kind-of-institutions")];
const FORMATS: &[(&str, &str)] =
    &[("xlsx", "export-format-xlsx"), ("csv", "export-format-csv"), ("csv-sjis", "export-format-csv-sjis")];

fn import(maker: &Maker, problem: Option<&str>) -> SheetImport {
    SheetImport {
        shell: maker.office("/sheets/import"),
        kinds: choices(maker, KINDS, true),
        sheet: Field::default(),
        file_problem: problem.map(|key| t(maker.lang, key)),
        templates: vec![TemplateLink {
            href: s("/sheets/template/members"),
            name: t(maker.lang, "sheet-kind-of-members"),
        }],
        once: hidden("once-s1"),
    }
}

fn row(maker: &Maker, n: &str) -> String {
    t_with(maker.lang, "run-row-n", &[("n", n)])
}

fn plan(maker: &Maker, readable: bool) -> RunPlan {
    let lang = maker.lang;
    let column = |code: &str| t(lang, &format!("sheet-column-{code}"));
    RunPlan {
        has_heading: readable,
        counted: "run-rows",
        added: 1,
        changed: 1,
        same: 76,
        refused: 1,
        new_institutions: 1,
        read: vec![
            t(lang, "run-encoding-xlsx"),
            t_with(lang, "run-read", &[("sheet", "R8名簿")]),
            t_with(lang, "run-passed-text", &[("rows", "1・2・3・86")]),
        ],
        unknown_columns: vec![s("生年月日")],
        refusals: vec![RefusedCell {
            row: row(maker, "14"),
            name: s("髙﨑 次郎"),
            column: column("phone"),
            value: s("問い合わせ中"),
            reason: t(lang, "sheet-reason-not_a_phone"),
        }],
        refused_rest: Rest(0),
        added_rows: vec![ChangedRow {
            row: row(maker, "80"),
            name: s("新田 一"),
            summary: s("1081、ニッタ ハジメ、新町クリニック"),
            changes: Vec::new(),
        }],
        added_rest: Rest(12),
        changed_rows: vec![ChangedRow {
            row: row(maker, "7"),
            name: s("伊藤 美咲"),
            summary: String::new(),
            changes: vec![Change {
                column: column("phone"),
                old: s("042-000-1111"),
                new: s("090-0000-2222"),
            }],
        }],
        changed_rest: Rest(0),
        notes: vec![NotedRow {
            row: row(maker, "8"),
            name: s("加藤 修"),
            text: t_with(lang, "sheet-note-zero_put", &[("column", &column("fax")), ("value", "0420001112")]),
        }],
        notes_rest: Rest(0),
        digest: Hidden64(s("0123abcd")),
        may_confirm: readable,
    }
}

fn run(maker: &Maker, stage: SheetRunView) -> RunPage {
    RunPage {
        shell: maker.office("/sheets/runs/01jdabc"),
        id: s("01jdabc"),
        kind: t(maker.lang, "sheet-kind-of-members"),
        state: super::StateLine { text: t(maker.lang, "sheet-state-waiting"), tone: Tone::Info },
        made_at: s("11月20日（金）14時05分"),
        problem: None,
        notice: None,
        stage,
        once: hidden("once-s2"),
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let lang = maker.lang;
    let until = || s("11月27日（金）14時05分");
    let waiting = |readable| SheetRunView::Waiting { plan: Box::new(plan(maker, readable)), until: until() };
    let done = |undo: bool| {
        SheetRunView::Done(RunDone {
            result: t_with(lang, "sheet-result", &[("added", "1"), ("changed", "1"), ("refused", "1")]),
            at: s("11月20日（金）14時10分"),
            undo_until: undo.then(until),
            was_undone: false,
        })
    };
    let runs = vec![RunRow {
        href: s("/sheets/runs/01jdabc"),
        at: s("11月20日（金）14時05分"),
        kind: t(lang, "sheet-kind-of-members"),
        state: super::StateLine { text: t(lang, "sheet-state-done"), tone: Tone::Good },
        result: Some(t_with(lang, "sheet-result", &[("added", "80"), ("changed", "0"), ("refused", "2")])),
    }];
    let export = |missing: bool| SheetExport {
        shell: maker.office("/sheets/export"),
        kind: s("members"),
        kinds: choices(maker, KINDS, false),
        formats: choices(maker, FORMATS, false),
        missing: if missing {
            vec![MissingCharacters {
                row: row(maker, "3"),
                column: t(lang, "sheet-column-name"),
                text: s("𠮷田 三郎"),
                characters: s("𠮷"),
            }]
        } else {
            Vec::new()
        },
        more: u32::from(missing),
    };
    let changed = RunPage { problem: Some(t(lang, "run-changed-meanwhile")), ..run(maker, waiting(true)) };
    let finished = RunPage { notice: Some(t(lang, "run-done")), ..run(maker, done(true)) };
    [
        ("sheets", render(&Sheets { shell: maker.office("/sheets"), runs })),
        ("sheets-empty", render(&Sheets { shell: maker.office("/sheets"), runs: Vec::new() })),
        ("sheet-import", render(&import(maker, None))),
        ("sheet-import-wrong", render(&import(maker, Some("sheet-file-old_excel")))),
        ("sheet-run", render(&changed)),
        ("sheet-run-no-heading", render(&run(maker, waiting(false)))),
        ("sheet-run-done", render(&finished)),
        ("sheet-run-over", render(&run(maker, done(false)))),
        ("sheet-run-dropped", render(&run(maker, SheetRunView::Dropped))),
        ("sheet-export", render(&export(false))),
        ("sheet-export-missing", render(&export(true))),
    ]
    .map(|(name, page)| (s(name), page))
    .into()
}
