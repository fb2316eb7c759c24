//! Facts of a case in the office's words: states, next steps, names, what happened. What the facts are is
//! decided in `domain` and read by `app`.

use chrono_tz::Tz;

use crate::app::rows::{AttemptRow, Event, Member, OfferRow};
use crate::app::say;
use crate::app::views::{CaseLine, Names};
use crate::domain::consult::FieldWrong;
use crate::domain::dispatch::request::Phase;
use crate::domain::dispatch::{OfferState, Request, Selector, State, Terms, next_due};
use crate::domain::people::Role;
use crate::i18n::{Lang, t, t_with};
use crate::ids::MemberId;
use crate::time::{Millis, Window};

use super::views::{Choice, Choices, StateLine, TimelineItem, Tone};

/// In whose language and zone something is said, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub lang: Lang,
    pub zone: Tz,
    pub now: Millis,
}

impl Voice {
    pub fn word(self, prefix: &str, code: &str) -> String {
        t(self.lang, &format!("word-{prefix}-{code}"))
    }

    /// What is wrong with a field.
    pub fn wrong(lang: Lang, wrong: &FieldWrong) -> String {
        Self::wrong_code(lang, wrong.wrong.code())
    }

    /// What is wrong, by its code.
    pub fn wrong_code(lang: Lang, code: &str) -> String {
        t(lang, &format!("word-wrong-{code}"))
    }

    /// From when until when.
    pub fn hours(self, window: Window) -> String {
        let (from, to) = (self.moment(window.from), self.moment(window.to));
        t_with(self.lang, "word-swap-hours", &[("from", &from), ("to", &to)])
    }

    pub fn moment(self, at: Millis) -> String {
        say::moment(at, self.zone, self.lang)
    }

    pub fn short(self, at: Millis) -> String {
        say::short(at, self.now, self.zone, self.lang)
    }

    pub fn until(self, at: Millis) -> String {
        t_with(self.lang, "word-until", &[("time", &self.moment(at))])
    }

    pub fn since(self, at: Millis) -> String {
        t_with(self.lang, "word-since", &[("time", &self.moment(at))])
    }

    pub fn name(self, member: &Member) -> String {
        title(&member.name, &member.roles, self.lang)
    }

    /// The name of a member with title; the office where the name is not known here.
    pub fn named(self, names: &Names, id: &MemberId) -> String {
        names.members.get(id).map_or_else(|| self.word("role", "clerk"), |m| self.name(m))
    }

    pub fn state(self, request: &Request) -> StateLine {
        let code = request.state.code();
        let tone = match request.state {
            State::Running { .. } => Tone::Info,
            State::Exhausted { .. } | State::Expired { .. } => Tone::Bad,
            State::Taken { .. } | State::Reported { .. } | State::Closed { .. } => Tone::Good,
            State::Refused { .. } | State::Withdrawn { .. } => Tone::Plain,
        };
        StateLine { text: self.word("request-state", code), tone }
    }

    pub fn wish(self, visit: bool) -> String {
        self.word("wish", if visit { "visit" } else { "advice" })
    }

    pub fn terms(self, terms: &Terms) -> String {
        self.word(
            "terms",
            match terms {
                Terms::Advice => "advice",
                Terms::Visit => "visit",
                Terms::Plain | Terms::CallBack { .. } | Terms::Informed { .. } | Terms::Exchange { .. } => {
                    "plain"
                }
            },
        )
    }

    /// The choices of a question, under the words of `prefix`.
    pub fn choices<'a>(
        self,
        prefix: &str,
        codes: impl IntoIterator<Item = &'a str>,
        chosen: &str,
    ) -> Choices {
        let option = |code: &str| Choice {
            value: code.to_owned(),
            label: self.word(prefix, code),
            note: None,
            chosen: code == chosen,
        };
        Choices { options: codes.into_iter().map(option).collect(), problem: None }
    }

    /// What happens to a request by itself, and when; `None` when nothing does any more.
    pub fn next(self, request: &Request) -> Option<String> {
        let at = |key: &str, at: Millis| t_with(self.lang, key, &[("time", &self.short(at))]);
        let due = next_due(request)?;
        let ends = request.answer_by;
        Some(match request.state {
            State::Running { phase: Phase::Asking { until, .. }, .. } if until >= ends => {
                at("word-next-expiry", ends)
            }
            State::Running { step, phase: Phase::Asking { until, .. } } => match request.step(step + 1) {
                None => at("word-next-coordinator", until),
                Some(next) if matches!(next.ask, Selector::Coordinator | Selector::Officer) => {
                    at("word-next-coordinator", until)
                }
                Some(next) if next.ask == Selector::Specialists && next.at_once > 0 => {
                    let n = next.at_once.to_string();
                    t_with(self.lang, "word-next-wave", &[("time", &self.short(until)), ("n", &n)])
                }
                Some(_) => at("word-next-step", until),
            },
            State::Running { phase: Phase::Waiting { at: start }, .. } if start < ends => {
                at("word-next-step", start)
            }
            State::Running { phase: Phase::Choosing { chase, .. }, .. } if chase < ends => {
                at("word-next-reminder", chase)
            }
            State::Running { .. } | State::Exhausted { .. } => at("word-next-expiry", ends),
            State::Taken { reminded: false, .. } if due < ends => at("word-next-reminder", due),
            State::Taken { .. } => at("word-next-release", ends),
            State::Reported { .. } => at("word-next-reminder", due),
            State::Closed { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. }
            | State::Expired { .. } => {
                return None;
            }
        })
    }

    /// How the newest try to reach somebody went.
    pub fn attempt(self, attempts: &[AttemptRow], person: &MemberId) -> StateLine {
        let newest = attempts.iter().filter(|a| a.person == *person).max_by_key(|a| a.number);
        let (code, tone) = match newest.map(|a| a.state.as_str()) {
            None => ("none", Tone::Warn),
            Some("sent" | "moot") => ("sent", Tone::Plain),
            Some("retrying" | "in_doubt") => ("retrying", Tone::Warn),
            Some("failed") => ("failed", Tone::Bad),
            Some(_) => ("waiting", Tone::Info),
        };
        StateLine { text: self.word("attempt", code), tone }
    }

    /// What somebody answered.
    pub fn offer(self, row: &OfferRow) -> StateLine {
        let held = row.offer.state.is_live() && row.offer.held_until.is_some_and(|until| self.now < until);
        let (code, tone) = match row.offer.state {
            _ if held => ("held", Tone::Info),
            OfferState::Accepted => (row.offer.state.code(), Tone::Good),
            OfferState::Unreachable => (row.offer.state.code(), Tone::Bad),
            OfferState::Lapsed | OfferState::Released => (row.offer.state.code(), Tone::Warn),
            OfferState::Asked | OfferState::Raised => (row.offer.state.code(), Tone::Info),
            OfferState::Pending | OfferState::Declined | OfferState::Full | OfferState::Withdrawn => {
                (row.offer.state.code(), Tone::Plain)
            }
        };
        StateLine { text: self.word("offer-state", code), tone }
    }

    /// What was said of a deed, and who typed it where that was somebody else.
    fn with_typist(self, said: String, event: &Event, names: &Names) -> String {
        let typist = event.actor.strip_prefix("member:").filter(|_| event.on_behalf_of.is_some());
        match typist.and_then(|id| MemberId::from_stored(id).ok()) {
            Some(id) => {
                let by = t_with(self.lang, "word-happened-typed", &[("name", &self.named(names, &id))]);
                format!("{said}{by}")
            }
            None => said,
        }
    }

    /// What has happened to a case, oldest first. The office sees who was asked and who declined; the two
    /// doctors see numbers and each other.
    pub fn timeline(
        self,
        line: &CaseLine,
        names: &Names,
        history: &[Event],
        for_office: bool,
    ) -> Vec<TimelineItem> {
        let mut items: Vec<(Millis, String)> = Vec::new();
        let named = |key: &str, id: &MemberId| {
            t_with(self.lang, &format!("word-happened-{key}"), &[("name", &self.named(names, id))])
        };
        let mut asked: Vec<(Millis, Vec<&MemberId>)> = Vec::new();
        for attempt in &line.attempts {
            match asked.iter_mut().find(|(at, _)| *at == attempt.created) {
                Some((_, people)) => people.push(&attempt.person),
                None => asked.push((attempt.created, vec![&attempt.person])),
            }
        }
        let mut before = String::new();
        let mut reader: Option<MemberId> = None;
        for event in history {
            let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
            let text = |key: &str| detail.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
            let person = MemberId::from_stored(text("member")).ok().or_else(|| actor(event));
            let taker = line.request.acceptances.iter().rev().find(|a| !a.gate && a.at <= event.at);
            let said = match event.action.as_str() {
                "request.ask" => Some(t(self.lang, "word-happened-made")),
                "request.due" => match (before.as_str(), text("state")) {
                    (_, "exhausted") => Some(t(self.lang, "word-happened-exhausted")),
                    (_, "expired") => Some(t(self.lang, "word-happened-expired")),
                    ("taken", "taken") => taker.map(|a| named("reminded", &a.person)),
                    ("taken", _) => taker.map(|a| named("lapsed", &a.person)),
                    ("reported", _) => Some(named("reminded", &line.case.asker)),
                    _ => None,
                },
                "offer.undeliverable" if for_office => person.as_ref().map(|p| named("undeliverable", p)),
                "offer.decline" if for_office => person.as_ref().map(|p| named("declined", p)),
                "offer.hold" if for_office => person.as_ref().map(|p| named("held", p)),
                "offer.accept" => person.as_ref().map(|p| named("accepted", p)),
                "offer.release" => person.as_ref().map(|p| named("released", p)),
                "request.report" => taker.map(|a| named("answered", &a.person)),
                "request.close" => Some(named("closed", &line.case.asker)),
                "request.withdraw" => {
                    let by = actor(event).unwrap_or_else(|| line.case.asker.clone());
                    Some(named("withdrawn", &by))
                }
                // Opened again and again while answering: said once until something else happens.
                "request.read" if text("as") == "taker" && reader != person => {
                    reader.clone_from(&person);
                    person.as_ref().map(|p| named("opened", p))
                }
                _ => None,
            };
            if event.action != "request.read" {
                reader = None;
            }
            if !text("state").is_empty() {
                text("state").clone_into(&mut before);
            }
            items.extend(said.map(|said| (event.at, self.with_typist(said, event, names))));
        }
        // After what led to it: in the same instant the question comes before the doctors it went to.
        for (at, people) in asked {
            if for_office {
                items.extend(people.into_iter().map(|person| (at, named("asked", person))));
            } else {
                let n = people.len().to_string();
                items.push((at, t_with(self.lang, "word-happened-asked_n", &[("n", &n)])));
            }
        }
        items.sort_by_key(|(at, _)| *at);
        items.into_iter().map(|(at, text)| TimelineItem { at: self.moment(at), text }).collect()
    }
}

fn actor(event: &Event) -> Option<MemberId> {
    let who = event.on_behalf_of.as_deref().unwrap_or(&event.actor);
    who.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok())
}

/// A name as people are addressed: 先生 for doctors, さん for the office.
pub(crate) fn title(name: &str, roles: &[Role], lang: Lang) -> String {
    let doctor = roles.iter().any(|r| matches!(r, Role::Physician | Role::Specialist));
    t_with(lang, if doctor { "word-title-doctor" } else { "word-title-staff" }, &[("name", name)])
}
