//! What people and programs do in a history: ask, look, take, decline, hold, give back, report, close, take
//! back, say it twice; and what each answer promises.

use serde_json::json;

use super::Broken;
use super::promises::Rows;
use super::runners::rows_after;
use super::stage::{Ack, PIN, Sim};
use crate::app::answers::{ApiAnswered, ApiProof, Choice, Ended, LinkAnswer, Opened};
use crate::app::consult::{Asking, Told};
use crate::app::replay::Key;
use crate::app::{AppError, Who};
use crate::domain::consult::{ConsultAnswer, NewConsult, Survey};
use crate::domain::dispatch::{Answer, OfferState, Request, State, Terms};
use crate::ids::{MemberId, OfferId, RequestId};
use crate::store::dispatch::offer_of;

/// A command under an Idempotency-Key, so that it can be said again.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Ask { asker: MemberId, new: Box<NewConsult> },
    Withdraw { request: RequestId },
    Release { request: RequestId, person: MemberId },
    Report { request: RequestId, person: MemberId },
    Close { request: RequestId, survey: bool },
    Answer { offer: OfferId, request: RequestId, person: MemberId, choice: Choice },
}

/// A deed and its key.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub key: String,
    pub deed: Deed,
}

/// What a call is to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    First,
    /// The first answer was lost.
    Retried,
    /// It was answered before.
    Again,
}

/// An answer, as far as the promises need it.
#[derive(Debug)]
struct Answered {
    text: String,
    answer: Answer,
    in_flight: i64,
    asked: Option<RequestId>,
}

impl Sim {
    fn call(&mut self, deed: Deed) -> Call {
        self.keys_used += 1;
        let key = format!("key-{}", self.keys_used);
        if let Deed::Ask { .. } = deed {
            self.ask_keys.insert(key.clone());
        }
        Call { key, deed }
    }

    fn who_of(&self, deed: &Deed) -> Who {
        let member = |id| Who::member(&self.home, id);
        match deed {
            Deed::Ask { asker, .. } => member(asker),
            Deed::Withdraw { request } | Deed::Close { request, .. } => self
                .seen
                .requests
                .get(request)
                .map_or_else(|| self.program.clone(), |k| member(&k.request.asker)),
            Deed::Release { person, .. } | Deed::Report { person, .. } => member(person),
            Deed::Answer { .. } => self.program.clone(),
        }
    }

    async fn invoke(&mut self, call: &Call) -> Result<Ack<Answered>, Broken> {
        let who = self.who_of(&call.deed);
        let key = Key::new(&call.key, "simulated", format!("{:?}", call.deed).as_bytes());
        let app = self.app.clone();
        let deed = call.deed.clone();
        let doing = async move {
            let key = Some(&key);
            let change = match deed {
                Deed::Ask { asker, new } => {
                    let asking = Asking { asker, in_person: true, channel: "web" };
                    let asked = app.consult_ask(&who, asking, *new, key).await?.into_inner();
                    let text = json!(asked).to_string();
                    let asked = Some(asked.request);
                    return Ok(Answered { text, answer: Answer::Done, in_flight: 0, asked });
                }
                Deed::Answer { offer, choice, .. } => {
                    let said = app.offer_answer(&who, &offer, choice, ApiProof::ActFor, key).await?;
                    let ApiAnswered::Answered(said) = said else {
                        return Err(AppError::NotFound);
                    };
                    let text = json!(said).to_string();
                    return Ok(Answered { text, answer: said.answer, in_flight: 0, asked: None });
                }
                Deed::Withdraw { request } => app.request_withdraw(&who, &request, key).await?,
                Deed::Release { request, person } => {
                    app.request_release(&who, &request, &person, key).await?
                }
                Deed::Report { request, person } => {
                    let answer =
                        ConsultAnswer { assessment: "褥瘡".to_owned(), ..ConsultAnswer::default() };
                    let told = Told {
                        member: person,
                        answer,
                        minutes: 10,
                        minutes_confirmed: true,
                        outcome: "advice".to_owned(),
                    };
                    app.consult_report(&who, &request, told, key).await?
                }
                Deed::Close { request, survey } => {
                    let survey = survey.then(|| Survey {
                        avoided: "yes".to_owned(),
                        newly_needed: "no".to_owned(),
                        helpful: 4,
                        in_time: "yes".to_owned(),
                        note: String::new(),
                    });
                    app.consult_close(&who, &request, survey, key).await?
                }
            };
            let text = json!(change).to_string();
            Ok(Answered { text, answer: change.answer, in_flight: change.in_flight, asked: None })
        };
        self.attempt(doing).await
    }

    /// Says a call and holds its answer against the promises.
    async fn says(&mut self, call: Call, said: Said) -> Result<(), Broken> {
        let line = format!("{said:?} {}: {}", call.key, self.deed_name(&call.deed));
        self.say(&line);
        let before = self.request_of(&call.deed).and_then(|id| self.seen.requests.get(id));
        let before = before.map(|k| k.request.clone());
        let ack = self.invoke(&call).await?;
        let answered = match ack {
            Ack::Answer(answered) => answered,
            Ack::Refused(AppError::Invalid(_) | AppError::NotFound) if said == Said::Retried => {
                // Too late for a deadline that was still far off when it was first said.
                return self.observe(Rows::Exactly(0)).await;
            }
            Ack::Refused(AppError::NotFound) => return self.observe(Rows::Exactly(0)).await,
            Ack::Refused(e) => return Err(Broken::new("a command is understood", format!("{line}: {e}"))),
            Ack::Crashed(crash) => {
                self.observe(rows_after(crash)).await?;
                if said != Said::Again {
                    self.unanswered.push(call);
                }
                return self.a_process_dies().await;
            }
        };
        let done = matches!(answered.answer, Answer::Done | Answer::HandRaised);
        self.say(&format!("  answered {}", answered.text.replace(char::is_whitespace, "")));
        match said {
            Said::First if done => self.observe(self.rows_of_done(&call.deed)).await?,
            Said::Retried => self.observe(Rows::AtMost(1)).await?,
            Said::First | Said::Again => self.observe(Rows::Exactly(0)).await?,
        }
        if said != Said::First {
            self.tally.count("said again under its key");
        }
        if said == Said::Again {
            let first = self.calls.iter().find(|(c, _)| c.key == call.key).map(|(_, text)| text.as_str());
            if first != Some(answered.text.as_str()) {
                return Err(Broken::new("a replay gets the same answer", format!("{line}: {first:?}")));
            }
            return Ok(());
        }
        if let Some(asked) = &answered.asked
            && !self.seen.requests.contains_key(asked)
        {
            return Err(Broken::new("what was answered is in the database", line));
        }
        // A retry may repeat an answer that was true then.
        if said == Said::First {
            self.hold(&call.deed, &answered, before.as_ref())?;
        }
        self.calls.push((call, answered.text));
        Ok(())
    }

    /// A second "wait" in the same moment changes nothing.
    fn rows_of_done(&self, deed: &Deed) -> Rows {
        match deed {
            Deed::Answer { choice: Choice::Hold, .. } => Rows::AtMost(1),
            _ => Rows::Exactly(1),
        }
    }

    fn hold(&mut self, deed: &Deed, answered: &Answered, before: Option<&Request>) -> Result<(), Broken> {
        match deed {
            Deed::Withdraw { request } if answered.answer == Answer::Done => {
                self.seen.silenced(request, self.no, Some(answered.in_flight));
            }
            Deed::Answer { request, person, choice: Choice::Accept { .. }, .. } => {
                return self.truth_of_accept(request, person, answered.answer, before);
            }
            Deed::Close { .. } if answered.answer == Answer::Done => self.tally.count("closed by its asker"),
            _ => {}
        }
        Ok(())
    }

    /// "Accepted" is a claim that stands; "taken" is a request that somebody else has; a yes after the time
    /// is not one.
    fn truth_of_accept(
        &mut self,
        request: &RequestId,
        person: &MemberId,
        answer: Answer,
        before: Option<&Request>,
    ) -> Result<(), Broken> {
        let now = self.now();
        let Some(known) = self.seen.requests.get(request) else {
            return Err(Broken::new("a request is never lost", request.to_string()));
        };
        let after = &known.request;
        match answer {
            Answer::Done | Answer::Already if !after.is_taken_by(person) => {
                return Err(Broken::new("who is told \"accepted\" has it", self.name_of(request)));
            }
            Answer::Done => {
                let offer = before.and_then(|r| r.offers.get(person));
                let late = offer.is_none_or(|o| {
                    now >= o.held_until.map_or(o.until, |h| h.max(o.until))
                        || matches!(o.state, OfferState::Lapsed | OfferState::Unreachable)
                }) || before.is_none_or(|r| now >= r.answer_by);
                if late {
                    return Err(Broken::new("a yes after the time takes nothing", self.name_of(request)));
                }
                self.seen.silenced(request, self.no, None);
                self.tally.count("accepted");
            }
            Answer::Taken => {
                let full = matches!(
                    after.state,
                    State::Taken { .. } | State::Reported { .. } | State::Closed { .. }
                );
                if !full {
                    return Err(Broken::new("who is told \"taken\" was too late", self.name_of(request)));
                }
                self.tally.count("accepted when it was full");
            }
            Answer::Expired => self.tally.count("accepted too late"),
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn ask(&mut self) -> Result<(), Broken> {
        if self.ask_keys.len() >= self.max_requests {
            return Ok(());
        }
        let Some(asker) = self.dice.pick(&self.askers).map(|p| p.id.clone()) else {
            return Ok(());
        };
        let hours = [1, 5, 24, 72].get(self.dice.below(4)).copied().unwrap_or(24);
        let new = NewConsult {
            specialty: "dermatology".to_owned(),
            visit: self.dice.one_in(5),
            area: "青葉北".to_owned(),
            answer_by: self.now().plus_s(hours * 3_600),
            decade: 80,
            sex: "female".to_owned(),
            condition: "wound".to_owned(),
            can_travel: "no".to_owned(),
            question: "仙骨部の創について".to_owned(),
            tried: String::new(),
            patient_ref: String::new(),
            details: String::new(),
        };
        let call = self.call(Deed::Ask { asker, new: Box::new(new) });
        self.says(call, Said::First).await
    }

    fn some_request(&self, wanted: impl Fn(&Request) -> bool) -> Option<RequestId> {
        let fitting: Vec<&RequestId> =
            self.seen.requests.iter().filter(|(_, k)| wanted(&k.request)).map(|(id, _)| id).collect();
        self.dice.pick(&fitting).map(|id| (*id).clone())
    }

    pub(super) async fn withdraw(&mut self) -> Result<(), Broken> {
        let open = !self.dice.one_in(6);
        let Some(request) = self.some_request(|r| !open || !r.state.is_terminal()) else {
            return Ok(());
        };
        let call = self.call(Deed::Withdraw { request });
        self.says(call, Said::First).await
    }

    /// The taker gives it back, reports; or somebody who never had it does.
    pub(super) async fn taker_does(&mut self, report: bool) -> Result<(), Broken> {
        let Some(request) = self.some_request(|r| matches!(r.state, State::Taken { .. })) else {
            return Ok(());
        };
        let taker = self.seen.requests.get(&request).and_then(|k| k.request.claims().next().cloned());
        let person = match taker {
            Some(claim) if !self.dice.one_in(8) => Some(claim.person),
            _ => self.dice.pick(&self.volunteers).map(|p| p.id.clone()),
        };
        let Some(person) = person else {
            return Ok(());
        };
        let deed = if report { Deed::Report { request, person } } else { Deed::Release { request, person } };
        let call = self.call(deed);
        self.says(call, Said::First).await
    }

    pub(super) async fn close(&mut self) -> Result<(), Broken> {
        let any = self.dice.one_in(8);
        let reported = |r: &Request| any || matches!(r.state, State::Reported { .. });
        let Some(request) = self.some_request(reported) else {
            return Ok(());
        };
        let survey = self.dice.one_in(2);
        let call = self.call(Deed::Close { request, survey });
        self.says(call, Said::First).await
    }

    /// A program enters an answer for somebody.
    pub(super) async fn answer_by_program(&mut self) -> Result<(), Broken> {
        let Some(request) = self.some_request(|r| !r.offers.is_empty()) else {
            return Ok(());
        };
        let people: Vec<MemberId> = self
            .seen
            .requests
            .get(&request)
            .map_or_else(Vec::new, |k| k.request.offers.keys().cloned().collect());
        let Some(person) = self.dice.pick(&people).cloned() else {
            return Ok(());
        };
        let db = self.db.clone();
        let read = |e: &crate::store::StoreError| Broken::new("the database can be read", e.to_string());
        let mut conn = db.read().await.map_err(|e| read(&e))?;
        let row = offer_of(&mut conn, &self.home, &request, &person).await.map_err(|e| read(&e))?;
        drop(conn);
        let Some(row) = row else {
            return Err(Broken::new("an offer is never lost", request.to_string()));
        };
        let choice = self.choice();
        let call = self.call(Deed::Answer { offer: row.id, request, person, choice });
        self.says(call, Said::First).await
    }

    fn choice(&self) -> Choice {
        match self.dice.below(20) {
            0..9 => Choice::Accept { terms: Terms::Advice },
            9 => Choice::Accept { terms: Terms::Visit },
            10..17 => Choice::Decline { reason: Some("schedule".to_owned()) },
            _ => Choice::Hold,
        }
    }

    /// Says again what was answered before, or what never got its answer.
    pub(super) async fn say_again(&mut self) -> Result<(), Broken> {
        if !self.unanswered.is_empty() {
            let at = self.dice.below(self.unanswered.len());
            let call = self.unanswered.swap_remove(at);
            return self.says(call, Said::Retried).await;
        }
        match self.dice.pick(&self.calls).map(|(call, _)| call.clone()) {
            Some(call) => self.says(call, Said::Again).await,
            None => Ok(()),
        }
    }

    /// Somebody opens a letter: looks, or answers.
    pub(super) async fn open_letter(&mut self) -> Result<(), Broken> {
        let now = self.now();
        let arrived: Vec<usize> = (0..self.letters.len())
            .filter(|n| self.letters.get(*n).is_some_and(|l| l.arrives <= now))
            .collect();
        // Mostly the newest mails, sometimes one from long ago.
        let newest = arrived.len().saturating_sub(6);
        let among =
            if self.dice.one_in(5) { arrived.as_slice() } else { arrived.get(newest..).unwrap_or(&[]) };
        let Some(letter) = self.dice.pick(among).and_then(|n| self.letters.get(*n)).cloned() else {
            return Ok(());
        };
        if self.dice.one_in(3) {
            return self.look(&letter.token, &letter.request).await;
        }
        let choice = self.choice();
        self.answer_letter(&letter.token, &letter.request, &letter.person, choice.clone()).await?;
        if self.dice.one_in(5) {
            self.tally.count("tapped twice");
            self.answer_letter(&letter.token, &letter.request, &letter.person, choice).await?;
        }
        Ok(())
    }

    async fn look(&mut self, token: &str, request: &RequestId) -> Result<(), Broken> {
        let app = self.app.clone();
        let ack = self.attempt(app.link_open(token)).await?;
        // The first look is noted; nothing moves.
        let revisions = self.revisions();
        self.observe(Rows::AtMost(1)).await?;
        if revisions != self.revisions() {
            return Err(Broken::new("looking changes nothing", self.name_of(request)));
        }
        match ack {
            Ack::Answer(Opened::Unknown) => Err(Broken::new("a mailed link is known", self.name_of(request))),
            Ack::Answer(Opened::Ended { why: Ended::TakenByAnother, .. }) => self.is_full(request),
            Ack::Answer(_) | Ack::Refused(_) => Ok(()),
            Ack::Crashed(_) => self.a_process_dies().await,
        }
    }

    fn revisions(&self) -> i64 {
        self.seen.requests.values().map(|k| k.revision).sum()
    }

    fn is_full(&self, request: &RequestId) -> Result<(), Broken> {
        let open = self.seen.requests.get(request).is_none_or(|k| k.request.claims().count() == 0);
        let was = self.seen.requests.get(request).is_some_and(|k| !k.request.acceptances.is_empty());
        // "Another took it" stays true when the other gave it back later.
        if open && !was {
            return Err(Broken::new("who is told \"taken\" was too late", self.name_of(request)));
        }
        Ok(())
    }

    pub(super) async fn answer_letter(
        &mut self,
        token: &str,
        request: &RequestId,
        person: &MemberId,
        choice: Choice,
    ) -> Result<(), Broken> {
        let line = format!("a letter of {} is answered with {choice:?}", self.name_of(request));
        self.say(&line);
        let someone = self.volunteers.iter().find(|p| p.id == *person);
        let device = someone.map(|p| p.device.as_str().to_owned());
        let pin = someone.is_some_and(|p| p.has_pin) && self.dice.one_in(2);
        let before = self.seen.requests.get(request).map(|k| k.request.clone());
        let app = self.app.clone();
        let said = choice.clone();
        let ack = if pin {
            let typed = if self.dice.one_in(3) { "0000" } else { PIN };
            self.attempt(app.link_answer(token, said, Some(typed), None, false)).await?
        } else {
            self.attempt(app.link_answer(token, said, None, device.as_deref(), false)).await?
        };
        let answer = match ack {
            Ack::Answer(answer) => answer,
            Ack::Refused(e) => return Err(Broken::new("a link is understood", e.to_string())),
            Ack::Crashed(crash) => {
                self.observe(rows_after(crash)).await?;
                return self.a_process_dies().await;
            }
        };
        self.observe(Rows::AtMost(1)).await?;
        let accepts = matches!(choice, Choice::Accept { .. });
        match answer {
            LinkAnswer::Accepted { .. } if accepts => {
                let fresh = before.as_ref().is_none_or(|r| !r.is_taken_by(person));
                let answer = if fresh { Answer::Done } else { Answer::Already };
                self.truth_of_accept(request, person, answer, before.as_ref())
            }
            LinkAnswer::Accepted { .. } => Err(Broken::new("only a yes is accepted", line)),
            LinkAnswer::Unknown => Err(Broken::new("a mailed link is known", line)),
            LinkAnswer::Ended { why: Ended::TakenByAnother, .. } => {
                self.tally.count("accepted when it was full");
                self.is_full(request)
            }
            LinkAnswer::Ended { why: Ended::Expired, .. } if accepts => {
                self.tally.count("accepted too late");
                Ok(())
            }
            LinkAnswer::Held { .. } => {
                self.tally.count("held");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Somebody accepts in the very moment in which the asker takes it back, in either order.
    pub(super) async fn accept_and_withdraw(&mut self) -> Result<(), Broken> {
        let now = self.now();
        let live = |sim: &Self, request: &RequestId, person: &MemberId| {
            let offer = sim.seen.requests.get(request).and_then(|k| k.request.offers.get(person));
            offer.is_some_and(|o| o.state.is_live())
        };
        let fitting: Vec<_> = self
            .letters
            .iter()
            .filter(|l| l.arrives <= now && live(self, &l.request, &l.person))
            .cloned()
            .collect();
        let Some(letter) = self.dice.pick(&fitting).cloned() else {
            return Ok(());
        };
        self.tally.count("accepted and taken back in one moment");
        let accept = Choice::Accept { terms: Terms::Advice };
        let call = self.call(Deed::Withdraw { request: letter.request.clone() });
        if self.dice.one_in(2) {
            self.answer_letter(&letter.token, &letter.request, &letter.person, accept).await?;
            self.says(call, Said::First).await
        } else {
            self.says(call, Said::First).await?;
            self.answer_letter(&letter.token, &letter.request, &letter.person, accept).await
        }
    }

    /// A member leaves the association.
    pub(super) async fn leave(&mut self) -> Result<(), Broken> {
        let at = self.dice.below(self.volunteers.len());
        let who = Who::cli(&self.home);
        let Some(person) = self.volunteers.get(at).filter(|p| !p.left).map(|p| p.id.clone()) else {
            return Ok(());
        };
        let app = self.app.clone();
        match self.attempt(app.member_leave(&who, &person, None)).await? {
            Ack::Answer(()) => {
                if let Some(person) = self.volunteers.get_mut(at) {
                    person.left = true;
                }
                self.observe(Rows::Leaving { done: true }).await
            }
            Ack::Refused(_) => self.observe(Rows::Exactly(0)).await,
            Ack::Crashed(crash) => {
                let rows = match rows_after(crash) {
                    Rows::Exactly(0) => Rows::Exactly(0),
                    rows => Rows::Leaving { done: matches!(rows, Rows::Exactly(_)) },
                };
                self.observe(rows).await?;
                self.a_process_dies().await
            }
        }
    }

    pub(super) async fn a_process_dies(&mut self) -> Result<(), Broken> {
        let process = if self.two_processes { self.dice.below(2) } else { 0 };
        self.die(process).await
    }

    fn request_of<'a>(&self, deed: &'a Deed) -> Option<&'a RequestId> {
        match deed {
            Deed::Ask { .. } => None,
            Deed::Withdraw { request }
            | Deed::Release { request, .. }
            | Deed::Report { request, .. }
            | Deed::Close { request, .. }
            | Deed::Answer { request, .. } => Some(request),
        }
    }

    fn name_of(&self, request: &RequestId) -> String {
        self.names.get(request).cloned().unwrap_or_else(|| request.to_string())
    }

    fn deed_name(&self, deed: &Deed) -> String {
        let name = self.request_of(deed).map_or_else(String::new, |id| self.name_of(id));
        match deed {
            Deed::Ask { .. } => "ask".to_owned(),
            Deed::Withdraw { .. } => format!("withdraw {name}"),
            Deed::Release { .. } => format!("release {name}"),
            Deed::Report { .. } => format!("report {name}"),
            Deed::Close { .. } => format!("close {name}"),
            Deed::Answer { choice, .. } => format!("a program answers {name} with {choice:?}"),
        }
    }
}
