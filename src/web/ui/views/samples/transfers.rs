//! Patients handed over.

use super::super::people::{Fact, channels};
use super::super::transfers::{
    InformedFields, LinkTransfer, TransferAnswerBox, TransferAskPage, TransferDateBox, TransferForBox,
    TransferLetter, TransferPage, TransferRow, TransfersPage,
};
use super::*;

const ID: &str = "01JDABC0000000000000000000";

impl Maker {
    fn transfer_said(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn transfer_field(&self, value: &str, problem: Option<&str>) -> Field {
        Field { value: s(value), problem: problem.map(|key| self.transfer_said(key)) }
    }

    fn transfer_nav(&self, path: &str) -> Shell {
        self.signed_in(path, "佐藤 健一", Nav { asker: true, transfers: true, ..Nav::default() })
    }

    fn transfer_facts(&self, whole: bool) -> Vec<Fact> {
        let fact = |key: &str, value: String| Fact { name: self.transfer_said(key), value };
        let mut all = vec![
            fact("transfer-wished", s("12月1日（火）")),
            fact("transfer-area", s("青葉北")),
            fact("transfer-reason", self.w("transfer-reason-round_the_clock")),
        ];
        if whole {
            all.insert(0, fact("transfer-clinic", s("さとう内科クリニック")));
            all.insert(1, fact("transfer-asker", s("青葉訪問看護ステーション")));
            all.push(fact("transfer-patient", s("A.K.")));
            all.push(fact("transfer-details", s("夜間の吸引が必要になり、家族だけでは難しくなりました。")));
            all.push(fact("transfer-taker", s("青葉在宅クリニック")));
            all.push(fact("transfer-effective", s("12月3日（木）")));
            all.push(fact("transfer-date-note", s("初回は14時に伺います。")));
        }
        all
    }

    fn transfer_row(&self, state: &str, tone: Tone, to_do: Option<&str>) -> TransferRow {
        TransferRow {
            href: format!("/transfers/{ID}"),
            case_no: s("R8-0412"),
            wished: t_with(self.lang, "word-transfer-wished", &[("day", "12月1日（火）")]),
            what: s("青葉北 さとう内科クリニック"),
            state: self.line(&format!("transfer-state-{state}"), tone),
            to_do: to_do.map(|key| self.transfer_said(key)),
        }
    }

    fn transfers_page(&self, full: bool) -> TransfersPage {
        let open = [
            ("gate", Tone::Info, Some("transfers-to-do-answer")),
            ("officer", Tone::Warn, Some("transfers-to-do-decide")),
            ("open", Tone::Info, None),
            ("exhausted", Tone::Bad, None),
            ("taken", Tone::Good, Some("transfers-to-do-date")),
            ("reported", Tone::Good, Some("transfers-to-do-close")),
        ];
        let ended = ["closed", "refused", "withdrawn", "expired"];
        TransfersPage {
            shell: self.transfer_nav("/transfers"),
            notice: full.then(|| self.transfer_said("said-transfer-given-back")),
            may_ask: true,
            open: open
                .iter()
                .filter(|_| full)
                .map(|(c, tone, to)| self.transfer_row(c, *tone, *to))
                .collect(),
            ended: ended.iter().filter(|_| full).map(|c| self.transfer_row(c, Tone::Plain, None)).collect(),
        }
    }

    fn transfer_ask(&self, wrong: bool) -> TransferAskPage {
        let problem = |key: &'static str| wrong.then_some(key);
        let one = |value: &str, label: &str, key: &'static str| Choices {
            options: vec![Choice { value: s(value), label: s(label), note: None, chosen: true }],
            problem: problem(key).map(|key| self.transfer_said(key)),
        };
        let name = self.doctor("佐藤 健一");
        TransferAskPage {
            shell: self.transfer_nav("/transfers/new"),
            banner: wrong.then(|| t_with(self.lang, "for-banner-transfer", &[("name", &name)])),
            action: s("/transfers"),
            problem: wrong.then(|| self.transfer_said("cover-wrong-asker")),
            clinic: one(ID, "さとう内科クリニック（青葉北）", "transfer-wrong-clinic"),
            patient: self.transfer_field("A.K.", problem("transfer-wrong-patient")),
            wished: self.transfer_field("2026-12-01", problem("transfer-wrong-far")),
            area: one("青葉北", "青葉北", "transfer-wrong-area"),
            reason: Choices {
                problem: problem("transfer-wrong-reason").map(|key| self.transfer_said(key)),
                ..self.choices(
                    "transfer-reason-",
                    &crate::domain::transfer::REASONS,
                    if wrong { "" } else { "round_the_clock" },
                )
            },
            details: self.transfer_field("夜間の吸引が必要になりました。", None),
            channel: wrong.then(|| channels(self.lang, "", Some(self.transfer_said("swap-problem-channel")))),
            once: hidden("once-81"),
        }
    }

    fn transfer_answer(&self, code: &str, wrong: bool) -> TransferAnswerBox {
        let say = |key: &str| self.transfer_said(&format!("transfer-{key}-{code}"));
        TransferAnswerBox {
            title: say("asks"),
            meaning: say("means"),
            accept: say("accept"),
            decline: say("decline"),
            words: self.transfer_field("", wrong.then_some("transfer-wrong-words")),
            words_label: say("words"),
            words_hint: say("words-hint"),
            informed: (code == "receiver").then(|| InformedFields {
                ticked: !wrong,
                date: self.transfer_field("2026-11-20", wrong.then_some("transfer-wrong-informed")),
                time: self.transfer_field("10:30", None),
            }),
        }
    }

    fn transfer_page(&self, office: bool) -> TransferPage {
        let item = |key: &str| TimelineItem {
            at: s("11月20日（金）12時"),
            text: t_with(
                self.lang,
                &format!("transfer-happened-{key}"),
                &[("name", &self.doctor("大野 誠")), ("reason", "ご家族の希望が変わった")],
            ),
        };
        let head = |code: &str| {
            let said = self.w(&format!("transfer-said-{code}"));
            let values =
                [("name", &*self.doctor("佐藤 健一")), ("said", &*said), ("time", "11月20日（金）12時")];
            t_with(self.lang, "transfer-said-head", &values)
        };
        TransferPage {
            shell: if office { self.office("/transfers") } else { self.transfer_nav("/transfers") },
            notice: office.then(|| self.transfer_said("said-transfer-asked")),
            problem: (!office).then(|| self.transfer_said("transfer-problem-late")),
            id: s(ID),
            case_no: s("R8-0412"),
            state: self.line("transfer-state-officer", Tone::Warn),
            next: t_with(self.lang, "transfer-next-open", &[("until", "12月2日（水）0時")]),
            facts: self.transfer_facts(true),
            said: vec![
                (head("attending_yes"), s("承知しました。よろしくお願いします。")),
                (head("officer_no"), s("ご本人の意向を確かめてからにします。")),
            ],
            answer: Some(self.transfer_answer(if office { "officer" } else { "attending" }, office)),
            asks_pin: !office,
            pin_problem: (!office).then_some(PinProblem::WrongOnDevice),
            for_others: if office {
                ["attending", "receiver"]
                    .map(|code| TransferForBox {
                        member: s(ID),
                        name: format!("{}（大野内科）", self.doctor("大野 誠")),
                        channel_id: format!("channel-{code}"),
                        answer: self.transfer_answer(code, false),
                        channel: channels(self.lang, "", None),
                    })
                    .into()
            } else {
                Vec::new()
            },
            date: Some(TransferDateBox {
                effective: self.transfer_field("2026-12-03", office.then_some("ask-not-a-date")),
                note: self.transfer_field("", None),
                channel: office.then(|| channels(self.lang, "", None)),
            }),
            may_close: true,
            may_give_back: true,
            may_withdraw: true,
            reason: self.transfer_field("", (!office).then_some("transfer-problem-close")),
            letter_href: Some(format!("/transfers/{ID}/letter")),
            asked: if office {
                ["attending", "officer", "receiver"]
                    .map(|code| AskedPerson {
                        name: format!(
                            "{}（{}）",
                            self.doctor("大野 誠"),
                            self.w(&format!("transfer-as-{code}"))
                        ),
                        at: s("11月20日（金）12時"),
                        how: self.line("attempt-sent", Tone::Plain),
                        answer: self.line("offer-state-accepted", Tone::Good),
                    })
                    .into()
            } else {
                Vec::new()
            },
            timeline: [
                "made",
                "agreed",
                "officer_yes",
                "refused",
                "accepted",
                "declined",
                "released",
                "dated",
                "closed",
                "withdrawn",
                "exhausted",
                "expired",
            ]
            .map(item)
            .into(),
            once: hidden("once-82"),
        }
    }

    fn link_transfer(&self, code: &str, wrong: bool) -> LinkTransfer {
        LinkTransfer {
            shell: self.shell("/k"),
            person_name: self.doctor("大野 誠"),
            case_no: s("R8-0412"),
            answer_by: s("11月21日（土）10時"),
            problem: wrong.then(|| self.w("rule-attending_not_informed")),
            facts: self.transfer_facts(false),
            answer: self.transfer_answer(code, wrong),
            known_device: !wrong,
            pin_problem: wrong.then_some(PinProblem::Wrong { tries_left: 4 }),
            remember: true,
            token: hidden("token-81"),
            once: hidden("once-83"),
        }
    }

    fn transfer_letter(&self, whole: bool) -> TransferLetter {
        let known = |place: &str, name: &str| (s(place), self.doctor(name));
        TransferLetter {
            shell: self.transfer_nav("/transfers"),
            id: s(ID),
            case_no: s("R8-0412"),
            to: if whole { known("青葉在宅クリニック", "大野 誠") } else { Default::default() },
            from: known("さとう内科クリニック", "佐藤 健一"),
            patient: s("A.K."),
            purpose: self.w("transfer-reason-round_the_clock"),
            effective: if whole {
                t_with(self.lang, "transfer-letter-effective", &[("day", "12月3日（木）")])
            } else {
                String::new()
            },
            made: t_with(self.lang, "cover-sheet-made", &[("time", "11月20日（金）12時")]),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    [
        ("transfers", render(&maker.transfers_page(true))),
        ("transfers-empty", render(&maker.transfers_page(false))),
        ("transfer-ask", render(&maker.transfer_ask(false))),
        ("transfer-ask-wrong", render(&maker.transfer_ask(true))),
        ("transfer", render(&maker.transfer_page(false))),
        ("transfer-office", render(&maker.transfer_page(true))),
        ("link-transfer-attending", render(&maker.link_transfer("attending", false))),
        ("link-transfer-officer", render(&maker.link_transfer("officer", true))),
        ("link-transfer-receiver", render(&maker.link_transfer("receiver", true))),
        ("transfer-letter", render(&maker.transfer_letter(true))),
        ("transfer-letter-blank", render(&maker.transfer_letter(false))),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}
