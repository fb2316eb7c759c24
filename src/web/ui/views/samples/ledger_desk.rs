//! The desk of a month of the ledger, a statement, and the forms of evidence, corrections and tariffs.

use super::super::{
    Choice, Choices, ComparedRow, Condition, Field, LedgerCorrect, LedgerEvidence, LedgerLine, LedgerPage,
    LedgerStatement, LedgerTariffs, PartySum, Prep, PrepLine, ProgramSum, Tone, Verdict,
};
use super::ledger::DRAWING;
use super::{Maker, s};
use crate::i18n::{t, t_with};

impl Maker {
    pub(super) fn ledger_line(&self, asker: bool) -> LedgerLine {
        LedgerLine {
            case_no: s("R8-0412"),
            date: s("令和8年11月20日"),
            side: self.w(if asker { "side-requester" } else { "side-acceptor" }),
            institution: s(if asker { "さとう在宅クリニック" } else { "青葉皮膚科医院" }),
            member: self.doctor(if asker { "佐藤 健一" } else { "伊藤 美咲" }),
            tariff: s("専門相談 助言（令和8年度）"),
            amount: t_with(self.lang, "word-yen", &[("amount", if asker { "0" } else { "1,000" })]),
            verdict: if asker { Verdict::No } else { Verdict::Yes },
            reason: asker.then(|| self.w("reason-not_confirmed")),
            conditions: vec![
                Condition { text: self.w("needs-report"), verdict: Verdict::Yes },
                Condition {
                    text: self.w("needs-confirmed"),
                    verdict: if asker { Verdict::Waiting } else { Verdict::Yes },
                },
            ],
            entry: (!asker).then(|| t(self.lang, "ledger-entry-correction")),
            correct_href: (!asker).then(|| s("/ledger/correct?line=01KD3YZ8G0AAAAAAAAAAAAAAAA")),
        }
    }

    pub(super) fn ledger(&self, full: bool) -> LedgerPage {
        let yen = |amount: &str| t_with(self.lang, "word-yen", &[("amount", amount)]);
        let choice = |value: &str, label: &str| Choices {
            options: vec![Choice { value: s(value), label: t(self.lang, label), note: None, chosen: true }],
            problem: None,
        };
        LedgerPage {
            shell: self.office("/ledger"),
            month: s("令和8年11月"),
            month_value: s("2026-11"),
            notice: full.then(|| t_with(self.lang, "ledger-done-made", &[("month", "令和8年11月")])),
            problem: full.then(|| t(self.lang, "ledger-refused-own_close")),
            state: t(self.lang, if full { "ledger-state-made" } else { "ledger-state-open" }),
            tone: if full { Tone::Warn } else { Tone::Info },
            steps: vec![t_with(self.lang, "ledger-made-by", &[("at", "12月1日 10:00"), ("who", "事務 花")])],
            may_make: true,
            may_unmake: full,
            may_approve: full.then_some(2),
            has_changed: full,
            prepare: if full {
                vec![Prep {
                    title: t_with(self.lang, "ledger-prep-no_report", &[("n", "1")]),
                    what: t(self.lang, "ledger-prep-no_report-what"),
                    lines: vec![PrepLine {
                        case_no: s("R8-0413"),
                        date: s("令和8年11月21日"),
                        who: s("青葉皮膚科医院"),
                        href: Some(s("/ledger/evidence?case=R8-0413")),
                    }],
                }]
            } else {
                Vec::new()
            },
            may_chase: full,
            ordered: if full {
                vec![(
                    s("R8-0399 令和8年10月2日（金） 2,000円"),
                    s("/ledger/correct?line=01KD3YZ8G0AAAAAAAAAAAAAAAA"),
                )]
            } else {
                Vec::new()
            },
            parties: if full {
                vec![PartySum {
                    name: s("青葉皮膚科医院"),
                    href: s("/ledger/statement?month=2026-11&institution=01KD3YZ8G0AAAAAAAAAAAAAAAA"),
                    lines: 1,
                    amount: yen("1,000"),
                }]
            } else {
                Vec::new()
            },
            programs: if full {
                vec![ProgramSum {
                    name: s("青葉市在宅医療推進補助"),
                    amount: yen("1,000"),
                    left: Some(yen("299,000")),
                    forecast: Some(yen("12,000")),
                    drawing: Some(s(DRAWING)),
                    words: t(self.lang, "ledger-burn-words"),
                }]
            } else {
                Vec::new()
            },
            tables: choice("details", "ledger-export-details"),
            formats: choice("xlsx", "export-format-xlsx"),
            may_export: full,
            may_pay: full,
            may_keep_books: true,
            claims: if full { self.ledger_claims() } else { Vec::new() },
            reruns: if full {
                choice("1", "ledger-export-details")
            } else {
                Choices { options: Vec::new(), problem: None }
            },
            papers: vec![(
                t(self.lang, "ledger-export-details"),
                s("/ledger/paper?month=2026-11&table=details"),
            )],
            year_href: s("/ledger/year?year=2026"),
            missing: Vec::new(),
            seal: t(self.lang, "ledger-draft"),
            previous_href: Some(s("/ledger?month=2026-10")),
            next_href: None,
            lines: if full { vec![self.ledger_line(true), self.ledger_line(false)] } else { Vec::new() },
            eligible_lines: u32::from(full),
            other_lines: u32::from(full),
            total: yen(if full { "1,000" } else { "0" }),
        }
    }

    pub(super) fn ledger_statement(&self, closed: bool) -> LedgerStatement {
        let yen = |amount: &str| t_with(self.lang, "word-yen", &[("amount", amount)]);
        LedgerStatement {
            shell: self.office("/ledger"),
            month: s("令和8年11月"),
            back: s("/ledger?month=2026-11"),
            institution: s("青葉皮膚科医院"),
            code: s("1312345678"),
            is_draft: !closed,
            lines: if closed { vec![self.ledger_line(false)] } else { Vec::new() },
            held: if closed { Vec::new() } else { vec![self.ledger_line(true)] },
            programs: vec![(s("青葉市在宅医療推進補助"), yen("1,000"))],
            sides: vec![(self.w("side-acceptor"), yen("1,000"))],
            total: yen(if closed { "1,000" } else { "-1,000" }),
            below: !closed,
            made: t_with(self.lang, "ledger-printed", &[("at", "12月10日 10:00")]),
            made_by: s("事務 花"),
            approved_by: s("理事 長"),
            seal: t(self.lang, "ledger-draft"),
        }
    }

    pub(super) fn ledger_correct(&self) -> LedgerCorrect {
        LedgerCorrect {
            shell: self.office("/ledger"),
            line_id: s("01KD3YZ8G0AAAAAAAAAAAAAAAA"),
            line: self.ledger_line(false),
            month: s("令和8年11月"),
            back: s("/ledger?month=2026-11"),
            instead: Field { value: s("x"), problem: Some(t(self.lang, "ledger-correct-number")) },
            note: Field { value: s(""), problem: Some(self.w("wrong-missing")) },
            problem: Some(t(self.lang, "ledger-order-larger")),
            ordered: Some(t_with(self.lang, "ledger-order-waits", &[("amount", "1,200円")])),
        }
    }

    pub(super) fn ledger_evidence(&self) -> LedgerEvidence {
        LedgerEvidence {
            shell: self.office("/ledger"),
            case_no: s("R8-0413"),
            known: vec![t(self.lang, "ledger-evidence-report")],
            kinds: Choices {
                options: vec![Choice {
                    value: s("report"),
                    label: t(self.lang, "ledger-evidence-report"),
                    note: None,
                    chosen: false,
                }],
                problem: Some(t(self.lang, "ledger-evidence-missing")),
            },
            city: Field { value: s("x"), problem: Some(t(self.lang, "ledger-evidence-city-wrong")) },
            note: Field { value: s(""), problem: None },
        }
    }

    pub(super) fn ledger_tariffs(&self, may_edit: bool) -> LedgerTariffs {
        let yen = |amount: &str| t_with(self.lang, "word-yen", &[("amount", amount)]);
        LedgerTariffs {
            shell: self.office("/ledger/tariffs"),
            notice: may_edit.then(|| t(self.lang, "ledger-tariffs-done")),
            after: 1,
            body: Field { value: s("[[tariff]]\ncode = \"A\"\n"), problem: None },
            note: Field { value: s(""), problem: None },
            mistakes: if may_edit {
                vec![s("tariffs line 2, tariff A, key `name`: this key is missing")]
            } else {
                Vec::new()
            },
            compared: if may_edit {
                vec![ComparedRow {
                    name: t(self.lang, "ledger-total"),
                    before: yen("1,000"),
                    after: yen("1,200"),
                }]
            } else {
                Vec::new()
            },
            compared_month: s("令和8年10月"),
            versions: vec![s("1:0a1b2c3d4e5f")],
            draft: may_edit.then(|| (s("令和9年度"), s("/ledger/tariffs?draft=2027"))),
            may_edit,
        }
    }
}
