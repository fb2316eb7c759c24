//! The year of a clinic, and conferences.

use super::super::directory::{Input, InputKind};
use super::super::records::{
    ClinicYearPage, ConferenceRow, ConferencesPage, DemandRow, GroupTable, MonthRow, RecordRow,
};
use super::*;

const ID: &str = "01JDABC0000000000000000000";

impl Maker {
    fn record_words(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn record_input(&self, id: &'static str, key: &str, kind: InputKind, wrong: bool) -> Input {
        Input {
            id,
            label: self.record_words(key),
            hint: String::new(),
            problem: wrong.then(|| self.w("wrong-missing")),
            kind,
        }
    }

    fn record_months(&self) -> Vec<MonthRow> {
        let row = |name: String, cells: [&str; 4]| MonthRow { name, cells: cells.map(s) };
        let month = |n: u32| match self.lang {
            Lang::Ja => format!("2026年{n}月"),
            Lang::En => format!("2026-{n:02}"),
        };
        let mut rows: Vec<MonthRow> = (1..=12).map(|n| row(month(n), ["2", "1", "0", "1"])).collect();
        rows.push(row(self.record_words("records-sum"), ["24", "12", "0", "12"]));
        rows
    }

    fn demand_of(&self, code: &str, has: &str, needs: &str, met: bool) -> DemandRow {
        let (key, tone) = if met { ("records-met", Tone::Good) } else { ("records-short", Tone::Warn) };
        DemandRow {
            name: self.record_words(&format!("records-demand-{code}")),
            has: s(has),
            needs: s(needs),
            state: StateLine { text: self.record_words(key), tone },
        }
    }

    fn clinic_year(&self, full: bool) -> ClinicYearPage {
        let options = ["emergency_visit", "home_death"].map(|code| Choice {
            value: s(code),
            label: self.record_words(&format!("record-kind-{code}")),
            note: None,
            chosen: false,
        });
        let kind = InputKind::Select { options: options.to_vec(), empty: self.record_words("ask-choose") };
        let number = InputKind::Line { value: s("1"), mode: "numeric" };
        ClinicYearPage {
            shell: self.signed_in("/records", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            notice: full.then(|| self.record_words("said-record-added")),
            base: s("/records"),
            back: s("/covers"),
            clinic: s("さとう内科クリニック"),
            month: s("2026-12"),
            month_key: s("2026-12"),
            earlier: s("/records?month=2026-11"),
            later: full.then(|| s("/records?month=2027-01")),
            demands: vec![
                self.demand_of("own_visits", "12", "4", true),
                self.demand_of("group_visits", "24", "10", true),
                self.demand_of("own_deaths", "0", "2", false),
                self.demand_of("group_deaths", "5", "4", true),
                self.demand_of("conference_months", "11", "12", false),
            ],
            mine: self.record_months(),
            group: full.then(|| GroupTable {
                name: s("青葉在宅連携"),
                institutions: s("さとう内科クリニック、青葉在宅クリニック"),
                rows: self.record_months(),
            }),
            inputs: vec![
                self.record_input("kind", "record-kind", kind, !full),
                self.record_input("day", "record-day", InputKind::Day { value: s("2026-12-01") }, false),
                self.record_input("number", "record-number", number, false),
            ],
            lines: if full {
                vec![RecordRow {
                    id: s(ID),
                    day: s("2026-11-20"),
                    what: t_with(self.lang, "record-line-home_death", &[("n", "1")]),
                }]
            } else {
                Vec::new()
            },
            files: ["xlsx", "csv", "csv-sjis", "json"]
                .map(|f| {
                    (format!("/records/file?format={f}"), self.record_words(&format!("export-format-{f}")))
                })
                .to_vec(),
            once: hidden("once-61"),
        }
    }

    fn conferences_page(&self, full: bool) -> ConferencesPage {
        let institution =
            |name: &str, chosen: bool| Choice { value: s(name), label: s(name), note: None, chosen };
        let numeric = |value: &str| InputKind::Line { value: s(value), mode: "numeric" };
        ConferencesPage {
            shell: self.signed_in(
                "/conferences",
                "事務 花子",
                Nav { directory: true, people: true, ..Nav::default() },
            ),
            notice: full.then(|| self.record_words("said-record-added")),
            rows: if full {
                vec![ConferenceRow {
                    id: s(ID),
                    title: s("2026-11-18 青葉在宅連携"),
                    attendees: s("さとう内科クリニック、青葉在宅クリニック"),
                    counts: t_with(
                        self.lang,
                        "conference-counts-online",
                        &[("people", "7"), ("patients", "4")],
                    ),
                }]
            } else {
                Vec::new()
            },
            inputs: vec![
                self.record_input("day", "conference-day", InputKind::Day { value: s("2026-11-18") }, false),
                self.record_input("online", "conference-online", InputKind::Tick { ticked: full }, false),
                self.record_input("people", "conference-people", numeric(""), !full),
                self.record_input("patients", "conference-patients", numeric("4"), false),
            ],
            attendees: Choices {
                options: vec![
                    institution("さとう内科クリニック", full),
                    institution("青葉在宅クリニック", false),
                ],
                problem: (!full).then(|| self.w("wrong-missing")),
            },
            clinics: vec![(format!("/records/{ID}"), s("さとう内科クリニック"))],
            once: hidden("once-62"),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    [
        ("clinic-year", render(&maker.clinic_year(true))),
        ("clinic-year-wrong", render(&maker.clinic_year(false))),
        ("conferences", render(&maker.conferences_page(true))),
        ("conferences-wrong", render(&maker.conferences_page(false))),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}
