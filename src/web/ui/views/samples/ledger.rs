//! The fiscal year of the ledger, its claims and its printed tables.

use super::super::{
    ChaseSheet, JudgedRow, LedgerChasers, LedgerClaim, LedgerLetter, LedgerLetters, LedgerPaper, LedgerYear,
    LoadRow, TableCell, YearMonth, YearProgram,
};
use super::{Field, Maker, Tone, s};
use crate::i18n::{t, t_with};

impl Maker {
    pub(super) fn ledger_claims(&self) -> Vec<LedgerClaim> {
        let yen = |amount: &str| t_with(self.lang, "word-yen", &[("amount", amount)]);
        let claim = |amount: Option<&str>| LedgerClaim {
            program: s("青葉市在宅医療推進補助"),
            program_code: s("aoba-homecare"),
            funder: s("青葉市"),
            span: s("令和8年10月〜令和8年12月"),
            institution: amount.is_none().then(|| s("青葉皮膚科医院")),
            institution_id: String::new(),
            standard: yen("987,000"),
            amount: amount.map(yen),
            cut: amount.map(|_| yen("345")),
            needs_books: true,
            actual: s("912345"),
            total_cost: s("1200900"),
            other_income: s("0"),
        };
        vec![claim(Some("912,000")), claim(None)]
    }

    pub(super) fn ledger_paper(&self, closed: bool) -> LedgerPaper {
        let keys = [
            "case_no",
            "era_date",
            "side",
            "institution",
            "tariff",
            "quantity",
            "rate_yen",
            "amount_yen",
            "verdict",
            "entry",
        ];
        let text = |text: &str| TableCell { text: s(text), is_number: false };
        let number = |text: &str| TableCell { text: s(text), is_number: true };
        let row = |amount: &str| {
            vec![
                text("R8-0412"),
                text("令和8年11月20日（金）"),
                text(&self.w("side-acceptor")),
                text("青葉皮膚科医院"),
                text("専門相談（夜間）受諾側"),
                text("1"),
                number("2,000"),
                number(amount),
                text(&t(self.lang, "ledger-is-eligible")),
                text(&t(self.lang, "ledger-entry-original")),
            ]
        };
        let seal = [("month", "2026-11"), ("from", "1"), ("to", "2"), ("hash", SEAL)];
        LedgerPaper {
            shell: self.office("/ledger"),
            title: format!("{} 令和8年11月", t(self.lang, "ledger-export-details")),
            back: s("/ledger?month=2026-11"),
            month: s("令和8年11月"),
            is_draft: !closed,
            columns: keys.iter().map(|key| t(self.lang, &format!("ledger-column-{key}"))).collect(),
            rows: if closed { vec![row("2,000"), row("-800")] } else { Vec::new() },
            total: closed.then(|| t_with(self.lang, "word-yen", &[("amount", "1,200")])),
            drawings: if closed { vec![(s(DRAWING), t(self.lang, "ledger-load-words"))] } else { Vec::new() },
            made: t_with(self.lang, "ledger-printed", &[("at", "12月10日 10:00")]),
            made_by: if closed { s("事務 花") } else { String::new() },
            approved_by: if closed { s("理事 長") } else { String::new() },
            seal: if closed { t_with(self.lang, "ledger-seal", &seal) } else { t(self.lang, "ledger-draft") },
        }
    }

    pub(super) fn ledger_year(&self, full: bool) -> LedgerYear {
        let yen = |amount: &str| t_with(self.lang, "word-yen", &[("amount", amount)]);
        let month = |name: &str, state: &str, tone: Tone, amount: Option<&str>| YearMonth {
            name: s(name),
            href: s("/ledger?month=2026-11"),
            state: t(self.lang, &format!("ledger-state-{state}")),
            tone,
            amount: amount.map(yen),
        };
        let program = |may_decide: bool| YearProgram {
            name: s("青葉市在宅医療推進補助"),
            code: s("aoba-homecare"),
            rule: Some(t(self.lang, "ledger-budget-prorated")),
            budget: Some(yen("3,000,000")),
            spent: yen("1,850,000"),
            left: Some(yen("1,150,000")),
            forecast: yen("3,171,428"),
            short: may_decide,
            decided: (!may_decide)
                .then(|| t_with(self.lang, "ledger-decided", &[("budget", &yen("3,000,000"))])),
            may_decide,
            drawing: Some(s(DRAWING)),
            words: t(self.lang, "ledger-burn-words"),
        };
        LedgerYear {
            shell: self.office("/ledger"),
            year: s("令和8年度"),
            year_value: s("2026"),
            notice: full.then(|| t(self.lang, "ledger-done-decided")),
            problem: full.then(|| t(self.lang, "ledger-decide-note")),
            previous_href: Some(s("/ledger/year?year=2025")),
            next_href: full.then(|| s("/ledger/year?year=2027")),
            months: vec![
                month("令和8年4月", "closed", Tone::Good, Some("12,000")),
                month("令和8年5月", "made", Tone::Warn, Some("8,500")),
                month("令和8年6月", "open", Tone::Info, None),
            ],
            programs: if full { vec![program(true), program(false)] } else { Vec::new() },
            total: yen(if full { "1,850,000" } else { "0" }),
            note: Field { value: String::new(), problem: None },
            load: if full {
                let row = |month: &str, events: &str, minutes: &str| LoadRow {
                    month: s(month),
                    events: s(events),
                    minutes: s(minutes),
                };
                vec![row("令和8年4月", "118", "14"), row("令和8年5月", "0", "")]
            } else {
                Vec::new()
            },
            load_drawing: full.then(|| s(DRAWING)),
            minutes_drawing: full.then(|| s(DRAWING)),
            judged: if full { self.ledger_judged() } else { Vec::new() },
            grades: ["A", "B", "C", "D"].map(s).to_vec(),
            may_grade: full,
        }
    }

    fn ledger_judged(&self) -> Vec<JudgedRow> {
        let yen = t_with(self.lang, "word-yen", &[("amount", "1,850,000")]);
        let row = |item: &str, name: String, grade: Option<&str>| JudgedRow {
            item: s(item),
            name,
            so_far: t_with(self.lang, "ledger-judged-so-far", &[("lines", "1,204"), ("yen", &yen)]),
            grade: grade.map(s),
            comment: grade.map(|_| s("夜間の受け手が増えた")).unwrap_or_default(),
        };
        vec![
            row("task:u", t(self.lang, "ledger-task-u"), Some("B")),
            row("program:aoba-homecare", s("青葉市在宅医療推進補助"), None),
        ]
    }

    pub(super) fn ledger_letters(&self, full: bool) -> LedgerLetters {
        let yen = |amount: &str| t_with(self.lang, "word-yen", &[("amount", amount)]);
        let span = [("program", "青葉市在宅医療推進補助"), ("span", "令和8年10月〜令和8年12月")];
        let letter = |sum: Option<String>| LedgerLetter {
            funder: s("青葉市"),
            from: s("青葉市医師会"),
            program: s("青葉市在宅医療推進補助"),
            words: t_with(self.lang, "ledger-letter-for", &span),
            items: vec![
                (s("専門相談（夜間）受諾側"), s("412"), yen("987,345")),
                (t(self.lang, "ledger-step-cut"), String::new(), yen("-345")),
                (t(self.lang, "ledger-step-claim"), String::new(), sum.clone().unwrap_or_default()),
            ],
            sum,
        };
        LedgerLetters {
            shell: self.office("/ledger"),
            month: s("令和8年12月"),
            back: s("/ledger?month=2026-12"),
            is_draft: !full,
            letters: if full { vec![letter(Some(yen("987,000"))), letter(None)] } else { Vec::new() },
            made: t_with(self.lang, "ledger-printed", &[("at", "12月10日 10:00")]),
            made_by: s("事務 花"),
            approved_by: s("理事 長"),
            seal: SEAL.to_owned(),
        }
    }

    pub(super) fn ledger_chasers(&self, full: bool) -> LedgerChasers {
        let sheet = |by_mail: bool| ChaseSheet {
            name: s("伊藤 美咲"),
            institution: s("青葉皮膚科医院"),
            by_mail,
            cases: vec![
                (s("R8-0412"), t(self.lang, "ledger-chase-report")),
                (s("R8-0413"), t(self.lang, "ledger-chase-confirm")),
            ],
        };
        LedgerChasers {
            shell: self.office("/ledger"),
            month: s("令和8年11月"),
            back: s("/ledger?month=2026-11"),
            notice: full.then(|| t(self.lang, "ledger-done-chased")),
            people: if full { vec![sheet(true), sheet(false)] } else { Vec::new() },
            made: t_with(self.lang, "ledger-printed", &[("at", "12月10日 10:00")]),
        }
    }
}

const SEAL: &str = "3b1f0c0d9ae44f1f5b7d1c9c2f0a6e8d7c5b4a39281706f5e4d3c2b1a0918273";

/// What is left of a budget after three months, as the pages draw it.
pub(super) const DRAWING: &str = "<svg viewBox=\"0 0 360 124\" role=\"img\" aria-hidden=\"true\"><rect x=\"0\" y=\"0\" \
    width=\"360\" height=\"120\" fill=\"#f2f2f2\"/><rect x=\"4\" y=\"12\" width=\"22\" height=\"108\" fill=\"#0017c1\"/><rect \
    x=\"34\" y=\"26\" width=\"22\" height=\"94\" fill=\"#0017c1\"/><rect x=\"64\" y=\"50\" width=\"22\" height=\"70\" \
    fill=\"#0017c1\"/><line x1=\"0\" y1=\"0\" x2=\"360\" y2=\"120\" stroke=\"#767676\" stroke-dasharray=\"4 4\"/></svg>";
