//! Night cards.

use super::super::cards::{
    BrokenPage, BrokenRow, CardDoor, CardForm, CardPaper, CardPatient, CardSheet, CardsPage, OpenedRow,
    PassPage, PassPatient,
};
use super::super::people::Fact;
use super::*;

const ID: &str = "01JDABC0000000000000000000";
const CLINIC: &str = "さとう内科クリニック";
const ADL: &str = "つたい歩き。右の耳が遠い。\n食事は自分で。";
const SURROUNDINGS: &str = "妻と二人。鍵は郵便受けの中（4番）。犬がいます。駐車は向かいの空き地。";
const THINGS: &str = "薬は台所の引き出し。吸引器は寝室。";
const WISHES: &str = "家で過ごしたい。救急車は呼ばず、まず先生へ。";

impl Maker {
    fn card_asker(&self, path: &str) -> Shell {
        self.signed_in(path, "佐藤 健一", Nav { asker: true, ..Nav::default() })
    }

    fn card_state(&self, key: &str, tone: Tone) -> StateLine {
        StateLine { text: t_with(self.lang, &format!("word-card-{key}"), &[("day", "2026-11-01")]), tone }
    }

    fn card_field(value: &str) -> Field {
        Field { value: s(value), problem: None }
    }

    fn card_people(chosen: bool) -> Choices {
        let one = |n: usize, name: &str, chosen: bool| Choice {
            value: format!("01JDABC000000000000000000{n}"),
            label: s(name),
            note: None,
            chosen,
        };
        Choices { options: vec![one(1, "佐藤 健一", chosen), one(2, "大野 誠", false)], problem: None }
    }

    fn card_patient(&self, n: usize, state: StateLine, there: bool) -> CardPatient {
        let pair = [("attending", "佐藤 健一"), ("deputy", "大野 誠")];
        CardPatient {
            href: format!("/cards/{ID}"),
            paper: there.then(|| format!("/cards/{ID}/paper")),
            sheet: format!("/cards/{ID}/sheet"),
            id: format!("01JDABC00000000000000000{n:02}"),
            patient: s(if n == 1 { "A.K." } else { "M.S." }),
            state,
            last_visit: there.then(|| t_with(self.lang, "cards-last-visit", &[("day", "2026-11-18")])),
            pair: t_with(self.lang, "cards-pair-line", &pair),
            attending: Self::card_people(true),
            deputy: Self::card_people(false),
        }
    }

    fn cards_page(&self, full: bool) -> CardsPage {
        let row = |via: &str, no: &str, reason: &str| OpenedRow {
            at: s("11月21日（土）3時20分"),
            who: s("伊藤 美咲"),
            via: t_with(self.lang, &format!("word-card-via-{via}"), &[("no", no)]),
            patient: if via == "cover" { t(self.lang, "cards-opened-none") } else { s("A.K.") },
            reason: s(reason),
            glass: via == "glass",
        };
        CardsPage {
            shell: self.card_asker("/cards"),
            notice: full.then(|| t(self.lang, "said-card-written")),
            problem: (!full).then(|| t(self.lang, "cards-pair-problem")),
            base: s("/cards"),
            office: false,
            off: false,
            mode: t(self.lang, if full { "cards-mode-handover" } else { "cards-mode-minimal" }),
            clinic: s(CLINIC),
            patients: if full {
                vec![
                    self.card_patient(1, self.card_state("fresh", Tone::Good), true),
                    self.card_patient(2, self.card_state("old", Tone::Bad), true),
                    self.card_patient(3, self.card_state("none", Tone::Warn), false),
                ]
            } else {
                Vec::new()
            },
            attending: Self::card_people(true),
            deputy: Self::card_people(false),
            opened: if full {
                vec![
                    row("glass", "", "電話がつながらず、訪問看護から直接頼まれた"),
                    row("call", "R8-0412", ""),
                    row("cover", "R8-0398", ""),
                ]
            } else {
                Vec::new()
            },
            once: hidden("once-71"),
        }
    }

    fn cards_office(&self, off: bool) -> CardsPage {
        CardsPage {
            shell: self.office(&format!("/cards/of/{ID}")),
            notice: Some(t(self.lang, "said-card-pair")),
            problem: None,
            base: format!("/cards/of/{ID}"),
            office: true,
            off,
            mode: t(self.lang, if off { "cards-mode-none" } else { "cards-mode-minimal" }),
            patients: vec![self.card_patient(1, self.card_state("fresh", Tone::Good), false)],
            opened: vec![OpenedRow {
                at: s("11月21日（土）3時20分"),
                who: s("伊藤 美咲"),
                via: t_with(self.lang, "word-card-via-call", &[("no", "R8-0412")]),
                patient: t(self.lang, "cards-opened-gone"),
                ..OpenedRow::default()
            }],
            ..self.cards_page(false)
        }
    }

    fn card_form(&self, wrong: bool) -> CardForm {
        let problem = |key: &str| wrong.then(|| t(self.lang, key));
        CardForm {
            shell: self.card_asker(&format!("/cards/{ID}")),
            problem: problem("card-problem"),
            back: s("/cards"),
            action: format!("/cards/{ID}"),
            office: wrong,
            off: false,
            mode: t(self.lang, "cards-mode-handover"),
            whole: true,
            clinic: s(CLINIC),
            patient: s("A.K."),
            state: self.card_state("fresh", Tone::Good),
            adl: Field { value: s(ADL), problem: problem("card-wrong-empty") },
            surroundings: Self::card_field(SURROUNDINGS),
            things: Self::card_field(THINGS),
            wishes: Self::card_field(WISHES),
            wishes_on: Field { value: s("2026-11-01"), problem: problem("card-wrong-late") },
            wishes_by: Field { value: s("佐藤 健一"), problem: problem("card-wrong-unconfirmed") },
            medicines: Self::card_field("利尿薬、抗凝固薬。NSAIDsは禁。"),
            last_visit_on: Field { value: s("2026-11-18"), problem: problem("card-wrong-day") },
            expect: Self::card_field("息苦しさ。座位にして、それでも続けば往診を。"),
            once: hidden("once-72"),
        }
    }

    fn card_form_minimal(&self, off: bool) -> CardForm {
        CardForm {
            off,
            office: false,
            whole: false,
            mode: t(self.lang, if off { "cards-mode-none" } else { "cards-mode-minimal" }),
            state: self.card_state("none", Tone::Warn),
            ..self.card_form(false)
        }
    }

    fn card_paper(&self, opened: bool, full: bool) -> CardPaper {
        let fact = |key: &str, value: String| Fact { name: t(self.lang, &format!("card-{key}")), value };
        let who = [("day", "2026-11-01"), ("who", "佐藤 健一")];
        let all = vec![
            fact("adl", s(ADL)),
            fact("surroundings", s(SURROUNDINGS)),
            fact("wishes", s(WISHES)),
            fact("wishes-on", t_with(self.lang, "card-confirmed", &who)),
            fact("medicines", s("利尿薬、抗凝固薬。NSAIDsは禁。")),
            fact("last-visit", s("2026-11-18")),
            fact("expect", s("息苦しさ。座位にして、それでも続けば往診を。")),
            fact("things", s(THINGS)),
        ];
        let time = |key: &str| t_with(self.lang, key, &[("time", "11月21日（土）3時20分")]);
        CardPaper {
            shell: self.card_asker("/cards/01JDABC0000000000000000000/paper"),
            back: (s("/cards"), t(self.lang, "cards-title")),
            clinic: s(CLINIC),
            patient: s("A.K."),
            facts: if full { all } else { Vec::new() },
            state: self.card_state(if opened { "old" } else { "fresh" }, Tone::Good),
            old: opened,
            empty: t(self.lang, "card-none"),
            opened: opened.then(|| time("card-opened")),
            made: time("cover-sheet-made"),
        }
    }

    fn card_sheet(&self, whole: bool, off: bool) -> CardSheet {
        CardSheet {
            shell: self.card_asker("/cards/01JDABC0000000000000000000/sheet"),
            back: (s("/cards"), t(self.lang, "cards-title")),
            clinic: s(CLINIC),
            patient: s("A.K."),
            no: s("K7Q2MX-31"),
            off: off.then(|| t(self.lang, "cards-mode-none")),
            whole,
            made: t_with(self.lang, "cover-sheet-made", &[("time", "11月21日（土）3時20分")]),
        }
    }

    fn card_door(&self, emergency: bool, problem: bool) -> CardDoor {
        let path = if emergency { "/cards/emergency" } else { "/calls/01JDABC0000000000000000000/cards" };
        let reason = Field { value: String::new(), problem: problem.then(|| self.w("wrong-missing")) };
        CardDoor {
            shell: self.card_asker(path),
            back: s("/calls"),
            action: s(path),
            clinic: s(if emergency { "" } else { CLINIC }),
            shut: None,
            problem: (problem && emergency).then(|| t(self.lang, "cards-emergency-where")),
            emergency: emergency.then(|| (Self::card_people(false), reason)),
            pin_problem: problem.then_some(PinProblem::WrongOnDevice),
            once: hidden("once-73"),
        }
    }

    fn card_shut(&self) -> CardDoor {
        CardDoor { shut: Some(t(self.lang, "cards-over")), ..self.card_door(false, false) }
    }

    fn card_pass(&self, full: bool) -> PassPage {
        let row = |n: usize, patient: &str, state: StateLine, has_card: bool| PassPatient {
            household: format!("01JDABC00000000000000000{n:02}"),
            patient: s(patient),
            has_card,
            state,
        };
        PassPage {
            shell: self.card_asker(&format!("/cards/passes/{ID}")),
            clinic: s(CLINIC),
            via: t_with(self.lang, "word-card-via-call", &[("no", "R8-0412")]),
            until: t_with(self.lang, "cards-pass-until", &[("time", "11月21日（土）3時35分")]),
            action: format!("/cards/passes/{ID}"),
            patients: if full {
                vec![
                    row(1, "A.K.", self.card_state("fresh", Tone::Good), true),
                    row(2, "M.S.", self.card_state("none", Tone::Warn), false),
                ]
            } else {
                Vec::new()
            },
            once: hidden("once-74"),
        }
    }

    fn cards_broken(&self, full: bool) -> BrokenPage {
        let row = |reason: String| BrokenRow {
            at: s("11月21日（土）3時20分"),
            who: s("伊藤 美咲"),
            clinic: s(CLINIC),
            reason,
        };
        let rows = || {
            vec![row(s("電話がつながらず、訪問看護から直接頼まれた")), row(t(self.lang, "cards-reason-gone"))]
        };
        BrokenPage { shell: self.office("/cards/broken"), rows: if full { rows() } else { Vec::new() } }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    [
        ("cards", render(&maker.cards_page(true))),
        ("cards-empty", render(&maker.cards_page(false))),
        ("cards-office", render(&maker.cards_office(false))),
        ("cards-off", render(&maker.cards_office(true))),
        ("card-form", render(&maker.card_form(false))),
        ("card-form-wrong", render(&maker.card_form(true))),
        ("card-form-minimal", render(&maker.card_form_minimal(false))),
        ("card-form-off", render(&maker.card_form_minimal(true))),
        ("card-paper", render(&maker.card_paper(false, true))),
        ("card-paper-opened", render(&maker.card_paper(true, true))),
        ("card-paper-empty", render(&maker.card_paper(false, false))),
        ("card-sheet", render(&maker.card_sheet(true, false))),
        ("card-sheet-minimal", render(&maker.card_sheet(false, false))),
        ("card-sheet-off", render(&maker.card_sheet(false, true))),
        ("card-door", render(&maker.card_door(false, false))),
        ("card-door-wrong", render(&maker.card_door(false, true))),
        ("card-door-shut", render(&maker.card_shut())),
        ("card-emergency", render(&maker.card_door(true, false))),
        ("card-emergency-wrong", render(&maker.card_door(true, true))),
        ("card-pass", render(&maker.card_pass(true))),
        ("card-pass-empty", render(&maker.card_pass(false))),
        ("cards-broken", render(&maker.cards_broken(true))),
        ("cards-broken-empty", render(&maker.cards_broken(false))),
    ]
    .into_iter()
    .map(|(name, page)| (name.to_owned(), page))
    .collect()
}
