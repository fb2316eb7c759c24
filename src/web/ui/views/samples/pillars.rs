//! The pillars and the own rota of one.

use super::super::directory::{Fact, Input, InputKind};
use super::super::pillars::{PillarDutyRow, PillarPage, PillarRotaPage, PillarRow, PillarsPage};
use super::*;

const ID: &str = "01JDABC0000000000000000000";

impl Maker {
    fn pillar_said(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn pillar_input(&self, id: &'static str, key: &str, kind: InputKind, problem: Option<&str>) -> Input {
        let hint = format!("{key}-hint");
        Input {
            id,
            label: self.pillar_said(key),
            hint: if crate::i18n::has(self.lang, &hint) { t(self.lang, &hint) } else { String::new() },
            problem: problem.map(|key| self.pillar_said(key)),
            kind,
        }
    }

    fn pillars_page(&self, full: bool) -> PillarsPage {
        let row = |name: &str, kind: &str, (key, tone): (&str, Tone), contract: Option<&str>| PillarRow {
            href: format!("/settings/pillars/{ID}"),
            name: s(name),
            kind: self.pillar_said(&format!("pillar-kind-{kind}")),
            state: StateLine { text: self.pillar_said(key), tone },
            contract: contract.map(s),
            rota: t_with(self.lang, "pillar-rota-lines", &[("count", "7")]),
        };
        let signed = Some("2026-04-01–2027-03-31");
        PillarsPage {
            shell: self.signed_in("/settings/pillars", "鈴木 正", Nav { settings: true, ..Nav::default() }),
            notice: full.then(|| self.pillar_said("settings-saved")),
            rows: if full {
                vec![
                    row("みどり在宅クリニック", "home_care", ("pillar-on", Tone::Good), signed),
                    row(
                        "やまもも在宅クリニック",
                        "home_care",
                        ("word-pillar-no-contract", Tone::Warn),
                        signed,
                    ),
                    row("往診サービス葉月", "visits", ("word-pillar-off", Tone::Plain), None),
                ]
            } else {
                Vec::new()
            },
            others: if full {
                vec![(format!("/settings/pillars/{ID}"), s("青葉在宅クリニック"))]
            } else {
                Vec::new()
            },
        }
    }

    fn pillar_page(&self, wrong: bool) -> PillarPage {
        let problem = |key: &'static str| wrong.then_some(key);
        let line = |value: &str, mode| InputKind::Line { value: s(value), mode };
        let choice = |value: &str, label: String| Choice { value: s(value), label, note: None, chosen: true };
        let select = |options: Vec<Choice>| InputKind::Select { options, empty: t(self.lang, "ask-choose") };
        let kind = select(vec![choice("home_care", self.pillar_said("pillar-kind-home_care"))]);
        let person = || select(vec![choice(ID, self.doctor("緑川 守"))]);
        let day = |value: &str| InputKind::Day { value: s(value) };
        let place = format!("/settings/pillars/{ID}");
        PillarPage {
            shell: self.signed_in(&place, "鈴木 正", Nav { settings: true, ..Nav::default() }),
            id: format!("ins_{ID}"),
            name: s("みどり在宅クリニック"),
            problem: problem("rset-stale").map(|key| self.pillar_said(key)),
            revision: 4,
            inputs: vec![
                self.pillar_input("on", "pillar-use", InputKind::Tick { ticked: true }, None),
                self.pillar_input("kind", "pillar-kind", kind, None),
                self.pillar_input(
                    "place",
                    "pillar-place",
                    line("1", "numeric"),
                    problem("pillar-wrong-place"),
                ),
                self.pillar_input(
                    "hours",
                    "pillar-hours",
                    line("18-8", "text"),
                    problem("pillar-wrong-hours"),
                ),
                self.pillar_input("areas", "pillar-areas", line("青葉北 青葉南", "text"), None),
                self.pillar_input("from", "pillar-from", day("2026-04-01"), None),
                self.pillar_input(
                    "until",
                    "pillar-until",
                    day("2026-03-31"),
                    problem("pillar-wrong-contract"),
                ),
                self.pillar_input("person1", "pillar-person", person(), None),
                self.pillar_input("person2", "pillar-person-next", person(), None),
                self.pillar_input("person3", "pillar-person-next", person(), None),
            ],
            tariffs: Fact {
                label: self.pillar_said("pillar-tariffs"),
                value: if wrong {
                    String::new()
                } else {
                    s("夜間代行 受諾側（夜間・深夜・休日・年末年始）")
                },
                tel: false,
                long: false,
            },
            rota: (!wrong).then(|| format!("/pillar/{ID}")),
            remove: (!wrong).then(|| format!("{place}/remove")),
            action: place,
        }
    }

    fn pillar_rota_page(&self, full: bool) -> PillarRotaPage {
        let people = ["緑川 守", "若葉 葵"].map(|name| Choice {
            value: s(name),
            label: self.doctor(name),
            note: None,
            chosen: false,
        });
        let select = InputKind::Select { options: people.to_vec(), empty: t(self.lang, "ask-choose") };
        let day = |value: &str| InputKind::Day { value: s(value) };
        let hours = InputKind::Line { value: s("18:00-08:00"), mode: "text" };
        let twice = (!full).then_some("pillar-wrong-twice");
        let row =
            |hours: &str, name: &str| PillarDutyRow { id: s(ID), hours: s(hours), person: self.doctor(name) };
        PillarRotaPage {
            shell: self.signed_in("/pillar", "緑川 守", Nav { asker: true, ..Nav::default() }),
            notice: full.then(|| self.pillar_said("said-pillar-added")),
            problem: (!full).then(|| self.pillar_said("pillar-wrong-gone")),
            base: s("/pillar"),
            back: full.then(|| format!("/settings/pillars/{ID}")),
            name: s("みどり在宅クリニック"),
            pillar: true,
            otherwise: if full { self.doctor("緑川 守") } else { String::new() },
            inputs: vec![
                self.pillar_input("member", "pillar-duty-person", select, None),
                self.pillar_input("first", "pillar-duty-first", day("2026-12-01"), twice),
                self.pillar_input("last", "pillar-duty-last", day(""), None),
                self.pillar_input("hours", "pillar-duty-hours", hours, None),
            ],
            rows: if full {
                vec![
                    row("12月1日（火）18:00〜12月2日（水）8:00", "緑川 守"),
                    row("12月2日（水）18:00〜12月3日（木）8:00", "若葉 葵"),
                ]
            } else {
                Vec::new()
            },
            once: hidden("once-71"),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let nobody = PillarRotaPage { pillar: false, problem: None, ..maker.pillar_rota_page(false) };
    [
        ("pillars", render(&maker.pillars_page(true))),
        ("pillars-empty", render(&maker.pillars_page(false))),
        ("pillar", render(&maker.pillar_page(false))),
        ("pillar-wrong", render(&maker.pillar_page(true))),
        ("pillar-rota", render(&maker.pillar_rota_page(true))),
        ("pillar-rota-wrong", render(&maker.pillar_rota_page(false))),
        ("pillar-rota-none", render(&nobody)),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}
