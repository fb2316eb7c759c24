//! One's own duties and changes of them.

use super::super::duties::{
    DutiesPage, DutyRow, HoleRow, LinkSwap, RemindersBox, SwapAnswer, SwapAskPage, SwapIllPage, SwapPage,
    SwapRow, SwapsPage,
};
use super::super::people::{Fact, channels};
use super::*;

const ID: &str = "01JDABC0000000000000000000";

impl Maker {
    fn said(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn hours(&self, from: &str, to: &str) -> String {
        t_with(self.lang, "word-swap-hours", &[("from", from), ("to", to)])
    }

    fn night(&self) -> String {
        self.hours("11月21日（土）18時", "11月22日（日）9時")
    }

    fn duty_facts(&self) -> Vec<Fact> {
        let fact = |key: &str, value: String| Fact { name: self.said(key), value };
        vec![
            fact("swap-when", self.night()),
            fact("swap-role", self.w("duty-role-primary")),
            fact("swap-area", s("青葉北")),
            fact("word-swap-giver", self.doctor("佐藤 健一")),
            fact("word-swap-back", self.hours("11月28日（土）18時", "11月29日（日）9時")),
            fact("word-swap-taker", self.doctor("大野 誠")),
        ]
    }

    fn my_duties(&self, full: bool) -> DutiesPage {
        let row = |on_now: bool, open: bool| DutyRow {
            hours: self.night(),
            role: self.w("duty-role-primary"),
            area: full.then(|| s("青葉北")),
            changed: open,
            on_now,
            open: open.then(|| {
                let form = self.w("swap-form-give");
                (t_with(self.lang, "duties-open", &[("form", &form)]), format!("/swaps/{ID}"))
            }),
            ask_href: (!open).then(|| s("/duties/all/primary/1795000000000")),
            ill_href: s("/duties/all/primary/1795000000000/ill"),
        };
        DutiesPage {
            shell: self.signed_in("/duties", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            notice: full.then(|| self.said("said-swap-asked")),
            banner: None,
            rows: if full { vec![row(true, false), row(false, true)] } else { Vec::new() },
            requests: if full { vec![self.swap_row(Tone::Info, true)] } else { Vec::new() },
            pillar: full,
            reminders: Some(RemindersBox {
                eve: Field { value: s("18:00"), problem: None },
                start: Field {
                    value: s(if full { "いつも" } else { "0" }),
                    problem: full.then(|| self.said("duties-reminders-wrong")),
                },
                own: full,
                once: hidden("once-1"),
            }),
        }
    }

    fn swap_row(&self, tone: Tone, to_do: bool) -> SwapRow {
        SwapRow {
            href: format!("/swaps/{ID}"),
            case_no: s("R8-0412"),
            form: self.w("swap-form-exchange"),
            hours: self.night(),
            who: format!("{} → {}", self.doctor("佐藤 健一"), self.doctor("大野 誠")),
            state: self.line("swap-state-open", tone),
            to_do: to_do.then(|| self.said("swaps-phone-to-do")),
        }
    }

    fn swap_ask(&self, wrong: bool) -> SwapAskPage {
        let one = |value: &str, label: String| Choice { value: s(value), label, note: None, chosen: false };
        let problem = |key: &str| wrong.then(|| self.said(key));
        let mut form = self.choices("swap-form-", &["give", "exchange", "pool", "cover"], "give");
        for choice in &mut form.options {
            choice.note = Some(self.w(&format!("swap-form-note-{}", choice.value)));
        }
        SwapAskPage {
            shell: self.signed_in("/duties", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            banner: wrong
                .then(|| t_with(self.lang, "for-banner-duties", &[("name", &self.doctor("佐藤 健一"))])),
            action: s("/duties/all/primary/1795000000000"),
            back: s("/duties"),
            facts: self.duty_facts().into_iter().take(3).collect(),
            form: Choices { problem: problem("swap-problem-form"), ..form },
            other: Choices {
                options: vec![one(ID, s("大野 誠（大野内科）"))],
                problem: problem("swap-problem-other"),
            },
            takes: Choices {
                options: vec![one("x", format!("{} 大野 誠", self.night()))],
                problem: problem("swap-problem-takes"),
            },
            part: self.choices("swap-part-", &["whole", "part"], "whole"),
            from: Field { value: s("18:00"), problem: problem("swap-problem-part") },
            to: Field { value: s("09:00"), problem: None },
            note: Field { value: s("学会のため"), problem: problem("swap-problem-note") },
            channel: wrong.then(|| channels(self.lang, "", Some(self.said("swap-problem-channel")))),
            late: wrong,
            problem: problem("word-rule-duty_rest"),
            once: hidden("once-41"),
        }
    }

    fn swap_ill(&self, begun: bool) -> SwapIllPage {
        SwapIllPage {
            shell: self.signed_in("/duties", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            banner: begun
                .then(|| t_with(self.lang, "for-banner-duties", &[("name", &self.doctor("佐藤 健一"))])),
            action: s("/duties/all/primary/1795000000000/ill"),
            back: s("/duties"),
            facts: self.duty_facts().into_iter().take(3).collect(),
            primary: !begun,
            begun,
            channel: begun.then(|| channels(self.lang, "phone", None)),
            problem: begun.then(|| self.w("rule-duty_over")),
            once: hidden("once-42"),
        }
    }

    fn link_swap(&self, exchange: bool) -> LinkSwap {
        let key = if exchange { "exchange" } else { "give" };
        LinkSwap {
            shell: self.shell("/k"),
            person_name: self.doctor("大野 誠"),
            title: self.said(&format!("swap-asks-other-{key}")),
            meaning: self.said(&format!("swap-means-other-{key}")),
            accept: self.said("swap-accept"),
            case_no: s("R8-0412"),
            facts: self.duty_facts(),
            note: if exchange { s("学会のため") } else { String::new() },
            answer_by: t_with(self.lang, "word-until", &[("time", "11月21日（土）18時")]),
            late: exchange,
            gives: if exchange { s("all/primary/1-2") } else { String::new() },
            takes: if exchange { s("all/primary/3-4") } else { String::new() },
            known_device: !exchange,
            pin_problem: exchange.then_some(PinProblem::Wrong { tries_left: 4 }),
            remember: true,
            token: hidden("token-41"),
            once: hidden("once-43"),
        }
    }

    fn swap_page(&self, office: bool) -> SwapPage {
        let item = |key: &str| TimelineItem {
            at: s("11月20日（金）16時"),
            text: t_with(self.lang, &format!("swap-happened-{key}"), &[("name", &self.doctor("大野 誠"))]),
        };
        SwapPage {
            shell: if office {
                self.office("/swaps")
            } else {
                self.signed_in("/swaps", "佐藤 健一", Nav { asker: true, ..Nav::default() })
            },
            notice: office.then(|| self.said("said-swap-confirmed")),
            problem: (!office).then(|| self.said("swap-problem-over")),
            id: s(ID),
            back: if office {
                (s("/swaps"), self.said("swaps-title"))
            } else {
                (s("/duties"), self.said("duties-title"))
            },
            case_no: s("R8-0412"),
            title: self.w("swap-form-exchange"),
            state: self.line("swap-state-taken", Tone::Good),
            next: t_with(self.lang, "swap-next-taken", &[("time", "11月21日（土）18時")]),
            facts: self.duty_facts(),
            note: s("学会のため"),
            answer: (!office).then(|| SwapAnswer {
                title: self.said("swap-asks-other-exchange"),
                meaning: self.said("swap-means-other-exchange"),
                accept: self.said("swap-accept"),
                gives: s("all/primary/1-2"),
                takes: s("all/primary/3-4"),
                pin_problem: Some(PinProblem::WrongOnDevice),
            }),
            asked: vec![AskedPerson {
                name: self.doctor("大野 誠"),
                at: s("11月20日（金）16時"),
                how: self.line("attempt-sent", Tone::Plain),
                answer: self.line("offer-state-accepted", Tone::Good),
            }],
            timeline: vec![item("made"), item("accepted"), item("handed")],
            phone: Some(StateLine { text: self.said("swap-phone-missing"), tone: Tone::Warn }),
            may_confirm: office,
            may_withdraw: true,
            may_undo: true,
            undo: if office {
                Choices {
                    options: vec![Choice {
                        value: s(ID),
                        label: self.doctor("大野 誠"),
                        note: None,
                        chosen: true,
                    }],
                    problem: None,
                }
            } else {
                Choices::default()
            },
            once: hidden("once-44"),
        }
    }

    fn swaps_page(&self, full: bool) -> SwapsPage {
        let hole = |called: bool| HoleRow {
            hours: self.night(),
            role: self.w("duty-role-deputy"),
            area: called.then(|| s("青葉北")),
            area_key: s("all"),
            role_code: s("deputy"),
            from: s("1"),
            to: s("2"),
            called: called.then(|| format!("/swaps/{ID}")),
            once: hidden("once-45"),
        };
        let rows = |to_do| if full { vec![self.swap_row(Tone::Info, to_do)] } else { Vec::new() };
        SwapsPage {
            shell: self.office("/swaps"),
            notice: full.then(|| self.said("said-swap-called")),
            problem: (!full).then(|| self.said("swap-problem-taken")),
            holes: if full { vec![hole(false), hole(true)] } else { Vec::new() },
            open: rows(true),
            agreed: rows(false),
            ended: rows(false),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let banner = (
        t_with(maker.lang, "for-banner-duties", &[("name", &maker.doctor("佐藤 健一"))]),
        format!("/people/{ID}"),
    );
    [
        ("duties", render(&maker.my_duties(true))),
        ("duties-empty", render(&maker.my_duties(false))),
        (
            "duties-for",
            render(&DutiesPage {
                shell: maker.office("/people"),
                banner: Some(banner),
                ..maker.my_duties(true)
            }),
        ),
        ("swap-ask", render(&maker.swap_ask(false))),
        ("swap-ask-wrong", render(&maker.swap_ask(true))),
        ("swap-ill", render(&maker.swap_ill(false))),
        ("swap-ill-begun", render(&maker.swap_ill(true))),
        ("link-swap", render(&maker.link_swap(false))),
        ("link-swap-exchange", render(&maker.link_swap(true))),
        ("swap", render(&maker.swap_page(false))),
        ("swap-office", render(&maker.swap_page(true))),
        ("swaps", render(&maker.swaps_page(true))),
        ("swaps-empty", render(&maker.swaps_page(false))),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}
