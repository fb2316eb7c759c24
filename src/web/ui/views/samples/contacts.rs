//! Messages to an attending doctor.

use super::super::contacts::{
    ContactAskPage, ContactForBox, ContactPage, ContactRow, ContactSheet, ContactsPage, LinkContact, ReplyBox,
};
use super::super::people::{Fact, channels};
use super::*;
use crate::domain::contact::{REPLIES, TOPICS};

const ID: &str = "01JDABC0000000000000000000";

impl Maker {
    fn contact_said(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn contact_field(&self, value: &str, problem: Option<&str>) -> Field {
        Field { value: s(value), problem: problem.map(|key| self.contact_said(key)) }
    }

    fn contact_nav(&self, path: &str) -> Shell {
        self.signed_in(path, "佐藤 健一", Nav { transfers: true, ..Nav::default() })
    }

    fn contact_facts(&self, whole: bool) -> Vec<Fact> {
        let fact = |key: &str, value: &str| Fact { name: self.contact_said(key), value: s(value) };
        let mut all = vec![
            fact("contact-to", "さとう内科クリニック"),
            fact("contact-from", "青葉居宅介護支援事業所 渡辺 幸子"),
            fact("contact-topic", &self.w("contact-topic-state")),
        ];
        if whole {
            all.push(fact("transfer-patient", "A.K."));
            all.push(fact("contact-text", "夕方から熱があり、足が赤くなっています。"));
        }
        all
    }

    fn contact_row(&self, code: &str, tone: Tone) -> ContactRow {
        ContactRow {
            href: format!("/contacts/{ID}"),
            case_no: s("R8-0412"),
            at: s("11月20日（金）18時20分"),
            what: format!("さとう内科クリニック　{}", self.w("contact-topic-state")),
            state: self.line(&format!("contact-state-{code}"), tone),
            to_do: (code == "sent").then(|| self.contact_said("transfers-to-do-answer")),
        }
    }

    fn contacts_page(&self, full: bool) -> ContactsPage {
        let open = [
            ("waiting", Tone::Info),
            ("sent", Tone::Info),
            ("officer", Tone::Warn),
            ("exhausted", Tone::Bad),
        ];
        let ended = [("answered", Tone::Good), ("withdrawn", Tone::Plain), ("expired", Tone::Bad)];
        let rows = |all: &[(&str, Tone)]| {
            all.iter().filter(|_| full).map(|(code, tone)| self.contact_row(code, *tone)).collect()
        };
        ContactsPage {
            shell: self.contact_nav("/contacts"),
            notice: full.then(|| self.contact_said("said-contact-withdrawn")),
            may_ask: true,
            open: rows(&open),
            ended: rows(&ended),
        }
    }

    fn contact_ask(&self, wrong: bool) -> ContactAskPage {
        let problem = |key: &'static str| wrong.then_some(key);
        ContactAskPage {
            shell: self.contact_nav("/contacts/new"),
            problem: wrong.then(|| self.contact_said("cover-wrong-asker")),
            clinic: Choices {
                options: vec![Choice {
                    value: s(ID),
                    label: s("さとう内科クリニック（青葉北）"),
                    note: None,
                    chosen: true,
                }],
                problem: problem("transfer-wrong-clinic").map(|key| self.contact_said(key)),
            },
            patient: self.contact_field("A.K.", problem("transfer-wrong-patient")),
            topic: Choices {
                problem: problem("contact-wrong-topic").map(|key| self.contact_said(key)),
                ..self.choices("contact-topic-", &TOPICS, "state")
            },
            text: self.contact_field("夕方から熱があります。", problem("contact-wrong-text")),
            once: hidden("once-91"),
        }
    }

    fn contact_reply(&self, wrong: bool) -> ReplyBox {
        ReplyBox {
            replies: Choices {
                problem: wrong.then(|| self.contact_said("contact-wrong-reply")),
                ..self.choices("contact-reply-", &REPLIES, "call_me")
            },
            words: self.contact_field("", None),
        }
    }

    fn contact_page(&self, office: bool) -> ContactPage {
        let head = [
            ("name", &*self.doctor("佐藤 健一")),
            ("said", &*self.w("contact-reply-call_me")),
            ("time", "11月24日（火）12時40分"),
        ];
        ContactPage {
            shell: if office { self.office("/contacts") } else { self.contact_nav("/contacts") },
            notice: office.then(|| self.contact_said("said-contact-sent")),
            problem: (!office).then(|| self.contact_said("contact-problem-not-asked")),
            id: s(ID),
            case_no: s("R8-0412"),
            state: self.line("contact-state-waiting", Tone::Info),
            next: t_with(
                self.lang,
                if office { "contact-next-sent" } else { "contact-next-waiting" },
                &[("time", "11月24日（火）12時30分")],
            ),
            facts: self.contact_facts(true),
            replies: vec![(t_with(self.lang, "transfer-said-head", &head), s("13時までにお電話ください。"))],
            reply: Some(self.contact_reply(!office)),
            for_others: if office {
                vec![ContactForBox {
                    member: s(ID),
                    name: self.doctor("佐藤 健一"),
                    reply_id: s("reply-1"),
                    channel_id: s("channel-1"),
                    reply: self.contact_reply(false),
                    channel: channels(self.lang, "", None),
                }]
            } else {
                Vec::new()
            },
            may_withdraw: true,
            reason: self.contact_field("", (!office).then_some("transfer-problem-late")),
            sheet_href: Some(format!("/contacts/{ID}/sheet")),
            once: hidden("once-92"),
        }
    }

    fn link_contact(&self, wrong: bool) -> LinkContact {
        LinkContact {
            shell: self.shell("/k"),
            person_name: self.doctor("佐藤 健一"),
            case_no: s("R8-0412"),
            meaning: self.contact_said(if wrong {
                "contact-means-officer"
            } else {
                "contact-means-attending"
            }),
            facts: self.contact_facts(false),
            known_device: !wrong,
            pin_problem: wrong.then_some(PinProblem::Wrong { tries_left: 4 }),
            remember: true,
            token: hidden("token-91"),
            once: hidden("once-93"),
        }
    }

    fn contact_sheet(&self, fax: &str) -> ContactSheet {
        ContactSheet {
            shell: self.contact_nav("/contacts"),
            id: s(ID),
            case_no: s("R8-0412"),
            fax: s(fax),
            facts: self.contact_facts(true),
            replies: REPLIES.map(|code| self.w(&format!("contact-reply-{code}"))).into(),
            made: t_with(self.lang, "cover-sheet-made", &[("time", "11月20日（金）18時20分")]),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    [
        ("contacts", render(&maker.contacts_page(true))),
        ("contacts-empty", render(&maker.contacts_page(false))),
        ("contact-ask", render(&maker.contact_ask(false))),
        ("contact-ask-wrong", render(&maker.contact_ask(true))),
        ("contact", render(&maker.contact_page(false))),
        ("contact-office", render(&maker.contact_page(true))),
        ("link-contact", render(&maker.link_contact(false))),
        ("link-contact-wrong", render(&maker.link_contact(true))),
        ("contact-sheet", render(&maker.contact_sheet("042-000-0101"))),
        ("contact-sheet-without-fax", render(&maker.contact_sheet(""))),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}
