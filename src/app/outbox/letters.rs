//! The mails that work asks for, written anew at each try: who gets which words, and whether they are still true.

use serde::Deserialize;

use super::{MailToSend, Prepare, body};
use crate::app::directory::reviews::still_wanted;
use crate::app::mail_texts::{
    AssociationName, CaseNumber, CoarseArea, Consult, Deadline, DutyAsk, DutyEnd, Link as MailLink, Mail,
    MailText, Moment, NotEnvelope, Office, OfficePhone, PersonalLink, RequestKind, ShortMoment, Specialty,
    TypedCode, Urgency, Wish,
};
use crate::app::signin::recovery::OFFICE;
use crate::app::swap::{AskedAs, facts_of};
use crate::app::{Kit, say, transfer};
use crate::domain::calendar::civil_day;
use crate::domain::dispatch::plan::{Channel, Kind};
use crate::domain::dispatch::{Notice, OfferState, Request, State};
use crate::domain::people::ConsultFacts;
use crate::domain::rota::Form;
use crate::i18n::{Lang, t};
use crate::ids::{AlarmId, CallId, LinkId, MemberId, PhoneChangeId, RequestId};
use crate::planted::{self, Bug};
use crate::store::access::link_by_id;
use crate::store::call::call_by_id;
use crate::store::dispatch::{AttemptKey, attempt_save, request_load};
use crate::store::jobs::alarm_by_id;
use crate::store::people::{Association, Member, member_by_id};
use crate::store::phone_changes::phone_change_by_id;
use crate::store::requests::{Case, case_by_id};
use crate::store::{Conn, StoreError};
use crate::time::Millis;

#[derive(Deserialize)]
pub(super) struct AskBody {
    pub request: RequestId,
    pub member: MemberId,
    pub attempt: u32,
    link: LinkId,
}

#[derive(Deserialize)]
struct TellBody {
    request: RequestId,
    member: MemberId,
    notice: Notice,
}

#[derive(Deserialize)]
struct DutyBody {
    request: RequestId,
    member: MemberId,
    what: String,
}

#[derive(Deserialize)]
struct LinkBody {
    member: MemberId,
    link: LinkId,
    /// To the office's own address instead of the person's.
    #[serde(default)]
    to: Option<String>,
}

#[derive(Deserialize)]
struct PhoneBody {
    change: PhoneChangeId,
    what: String,
}

#[derive(Deserialize)]
struct AddressBody {
    member: MemberId,
    to: String,
}

#[derive(Deserialize)]
struct RetentionBody {
    month: String,
    member: MemberId,
}

#[derive(Deserialize)]
struct CallBody {
    call: CallId,
    member: MemberId,
    what: String,
}

#[derive(Deserialize)]
struct AlarmMailBody {
    alarm: AlarmId,
    member: MemberId,
}

/// A person's link as their mail carries it.
pub(crate) fn personal_link(
    kit: &Kit,
    link: &crate::store::access::Link,
    home: &Association,
    lang: Lang,
) -> Result<PersonalLink, NotEnvelope> {
    let gone = NotEnvelope { what: "link" };
    let (token, code) = kit.vault.seal.link_again(&link.id, &link.token_hash).ok_or(gone)?;
    Ok(PersonalLink {
        link: MailLink::new(format!("{}/k#{}", kit.rules.base_url, token.as_str()))?,
        code: TypedCode::new(code)?,
        until: Moment::new(say::moment(link.expires, home.zone, lang))?,
    })
}

impl Prepare {
    /// The re-check before each send: the request is open, the offer is live, this try is the newest, the
    /// link is good. Otherwise nothing is sent.
    pub(super) async fn ask(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let AskBody { request, member, attempt, link } = body(&self.job)?;
        let key = AttemptKey { request: &request, person: &member, number: attempt, channel: Channel::Mail };
        let loaded = request_load(tx, &home.id, &request).await?;
        let person = member_by_id(tx, &home.id, &member).await?;
        let link = link_by_id(tx, &home.id, &link).await?;
        let (Some(loaded), Some(person), Some(link)) = (loaded, person, link) else {
            return Ok(None);
        };
        let wanted = planted::is(Bug::NoRecheckBeforeSend)
            || loaded.request.state.is_open()
                && loaded.request.offers.get(&member).is_some_and(|o| {
                    o.attempts == attempt && matches!(o.state, OfferState::Pending | OfferState::Asked)
                })
                && link.voided.is_none()
                && self.kit.now < link.expires
                && person.is_active(self.kit.now);
        if !wanted {
            attempt_save(tx, &home.id, &key, "moot", self.job.tries, Some(self.kit.now), None).await?;
            return Ok(None);
        }
        let Some(case) = case_by_id(tx, &home.id, &request).await? else {
            return Ok(None);
        };
        attempt_save(tx, &home.id, &key, "sending", self.job.tries, None, None).await?;
        let lang = person.lang;
        if loaded.request.kind == Kind::Check {
            let built = personal_link(&self.kit, &link, home, lang).map(|link| Mail::TonightAsk { link });
            return self.write(home, &person, built, Some(&request)).map(Some);
        }
        if loaded.request.kind == Kind::Swap {
            let step = loaded.request.offers.get(&member).map_or(0, |offer| offer.step);
            let built = self.duty_ask(&loaded.request, &case, step, &link, home, lang);
            return self.write(home, &person, built, Some(&request)).map(Some);
        }
        if matches!(loaded.request.kind, Kind::Transfer | Kind::Contact) {
            let (about, to) = ((&loaded.request, &case), (&member, &link));
            let built = transfer::asked(&self.kit, home, about, to, lang);
            return self.write(home, &person, built, Some(&request)).map(Some);
        }
        let facts: ConsultFacts =
            serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))?;
        // "Today or tomorrow" as seen from the day of asking, so that every try writes the same words.
        let day = |at| civil_day(at, home.zone);
        let soon = day(loaded.request.answer_by).days_since(day(loaded.request.created)) <= 1;
        let built = (|| {
            Ok::<_, NotEnvelope>(Mail::ConsultOffer {
                consult: consult(&case.case_no, &facts, lang)?,
                area: CoarseArea::new(&facts.area)?,
                wish: if facts.visit { Wish::Either } else { Wish::Advice },
                urgency: if soon { Urgency::Soon } else { Urgency::Routine },
                deadline: deadline(loaded.request.answer_by, self.job.created, home, lang)?,
                link: personal_link(&self.kit, &link, home, lang)?,
            })
        })();
        self.write(home, &person, built, Some(&request)).map(Some)
    }

    pub(super) async fn tell(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let TellBody { request, member, notice } = body(&self.job)?;
        let loaded = request_load(tx, &home.id, &request).await?;
        let person = member_by_id(tx, &home.id, &member).await?;
        let case = case_by_id(tx, &home.id, &request).await?;
        let (Some(loaded), Some(person), Some(case)) = (loaded, person, case) else {
            return Ok(None);
        };
        if !still_true(&loaded.request, notice, &member) || !person.is_active(self.kit.now) {
            return Ok(None);
        }
        let lang = person.lang;
        if loaded.request.kind == Kind::Swap {
            let Some(told) = duty_told(notice) else { return Ok(None) };
            let built = self.duty_mail(told, &case, home, lang)?;
            return self.write(home, &person, built, Some(&request)).map(Some);
        }
        let facts: ConsultFacts =
            serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))?;
        let built = self.notice(&loaded.request, &case.case_no, &facts, notice, home, lang);
        self.write(home, &person, built, Some(&request)).map(Some)
    }

    fn notice(
        &self,
        request: &Request,
        case_no: &str,
        facts: &ConsultFacts,
        notice: Notice,
        home: &Association,
        lang: Lang,
    ) -> Result<Mail, NotEnvelope> {
        let consult = consult(case_no, facts, lang)?;
        let page = MailLink::new(format!("{}/consults/{}", self.kit.rules.base_url, request.id))?;
        let answer_by = Moment::new(say::moment(request.answer_by, home.zone, lang))?;
        // "Tomorrow" is seen from the mail's own date: a copy sent after midnight is the same mail.
        let due = deadline(request.answer_by, self.job.created, home, lang)?;
        Ok(match notice {
            Notice::Accepted => Mail::Accepted { consult, answer_by, page },
            Notice::Receipt | Notice::Told => Mail::AcceptedReceipt { consult, answer_by, page },
            Notice::TakenByAnother => Mail::TakenByAnother { consult },
            Notice::Withdrawn | Notice::Refused | Notice::Undone | Notice::Void => {
                Mail::Withdrawn { consult }
            }
            Notice::AnswerDue => Mail::AnswerDue { consult, answer_by: due, page },
            Notice::ReleasedLate => Mail::ReleasedToTaker { consult },
            Notice::AskingAgain => Mail::ReleasedToAsker { consult, page },
            Notice::Answered => Mail::Answered { consult, page },
            Notice::PleaseClose => Mail::CloseReminder { consult, page },
            Notice::PleaseChoose => {
                let hands = request.offers.values().filter(|o| o.state == OfferState::Raised).count();
                let hands = u8::try_from(hands).unwrap_or(u8::MAX);
                Mail::ChooseHand { consult, hands, choose_by: answer_by, page }
            }
            Notice::Thanks => Mail::ClosedWithThanks { consult, page },
            Notice::Expired => Mail::ExpiredToAsker { consult, page },
        })
    }

    /// What somebody is asked about a duty.
    fn duty_ask(
        &self,
        request: &Request,
        case: &Case,
        step: usize,
        link: &crate::store::access::Link,
        home: &Association,
        lang: Lang,
    ) -> Result<Mail, NotEnvelope> {
        let form = facts_of(case).map_err(|_| NotEnvelope { what: "duty" })?.form;
        let ask = match (AskedAs::of(request, step), form) {
            (AskedAs::Giver, _) => DutyAsk::Own,
            (AskedAs::Approver, _) => DutyAsk::Approve,
            (_, Form::Exchange) => DutyAsk::Exchange,
            (_, Form::Give) => DutyAsk::Give,
            (_, Form::Pool | Form::Cover) => DutyAsk::Call,
            (_, Form::Ill | Form::Hole) => DutyAsk::Hole,
        };
        Ok(Mail::DutyAsk {
            ask,
            case: CaseNumber::new(&case.case_no)?,
            begins: deadline(request.window.from, self.job.created, home, lang)?,
            answer_by: Moment::new(say::moment(request.answer_by, home.zone, lang))?,
            link: personal_link(&self.kit, link, home, lang)?,
        })
    }

    /// What became of a duty, told to somebody whom it concerns.
    fn duty_mail(
        &self,
        told: DutyTold,
        case: &Case,
        home: &Association,
        lang: Lang,
    ) -> Result<Result<Mail, NotEnvelope>, StoreError> {
        let begins = facts_of(case)?.begins();
        Ok((|| {
            let number = CaseNumber::new(&case.case_no)?;
            let begins = deadline(begins, self.job.created, home, lang)?;
            let page = MailLink::new(format!("{}/swaps/{}", self.kit.rules.base_url, case.id))?;
            Ok(match told {
                DutyTold::Changed => Mail::DutyChanged { case: number, begins, page },
                DutyTold::MovedUp => Mail::DutyMovedUp { case: number, begins, page },
                DutyTold::Ill => Mail::DutyIll { case: number, begins, page },
                DutyTold::Undone => Mail::DutyUndone { case: number, begins, page },
                DutyTold::Ended(end) => Mail::DutyEnded { end, case: number, begins, page },
            })
        })())
    }

    /// A duty changed hands, or went back, in the transaction that made this.
    pub(super) async fn duty(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let DutyBody { request, member, what } = body(&self.job)?;
        let person = member_by_id(tx, &home.id, &member).await?;
        let case = case_by_id(tx, &home.id, &request).await?;
        let (Some(person), Some(case)) = (person, case) else { return Ok(None) };
        let told = match what.as_str() {
            "changed" => DutyTold::Changed,
            "moved_up" => DutyTold::MovedUp,
            "ill" => DutyTold::Ill,
            "undone" => DutyTold::Undone,
            other => return Err(StoreError::corrupt("job", &self.job.id, format!("what {other}"))),
        };
        if !person.is_active(self.kit.now) {
            return Ok(None);
        }
        let built = self.duty_mail(told, &case, home, person.lang)?;
        self.write(home, &person, built, Some(&request)).map(Some)
    }

    /// A mail that carries a person's link and nothing else.
    pub(super) async fn by_link(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let LinkBody { member, link, to } = body(&self.job)?;
        let person = member_by_id(tx, &home.id, &member).await?;
        let link = link_by_id(tx, &home.id, &link).await?;
        let (Some(person), Some(link)) = (person, link) else {
            return Ok(None);
        };
        let over = link.consumed.is_some() || link.voided.is_some() || self.kit.now >= link.expires;
        if over || !person.is_active(self.kit.now) {
            return Ok(None);
        }
        let built =
            personal_link(&self.kit, &link, home, person.lang).map(|link| match self.job.kind.as_str() {
                "reach_test" => Mail::Test { link },
                "station" => Mail::Station { link },
                "office_setup" => Mail::OfficeSetup { link },
                "recovery_notice" => Mail::RecoveryNotice { link },
                _ => Mail::SignIn { link },
            });
        let mut mail = self.write(home, &person, built, None)?;
        if to.as_deref() == Some(OFFICE) {
            mail.to.clone_from(&home.office.mail);
            mail.to_name.clone_from(&home.name);
        }
        Ok(Some(mail))
    }

    /// What becomes of a telephone number, to the address known before it was asked for.
    pub(super) async fn phone_change(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let PhoneBody { change, what } = body(&self.job)?;
        let Some(change) = phone_change_by_id(tx, &home.id, &change).await? else { return Ok(None) };
        let person = member_by_id(tx, &home.id, &change.member).await?;
        let (Some(person), Some(address)) = (person, change.mail) else { return Ok(None) };
        let built = match what.as_str() {
            // Ended before the mail had left: the mail of the end says it.
            "asked" if change.ended.is_some() => return Ok(None),
            "asked" => Mail::PhoneAsked,
            "changed" => Mail::PhoneChanged,
            "dropped" => Mail::PhoneDropped,
            other => return Err(StoreError::corrupt("job", &self.job.id, format!("what {other}"))),
        };
        let mut mail = self.write(home, &person, Ok(built), None)?;
        mail.to = address;
        Ok(Some(mail))
    }

    /// That mail goes elsewhere now, to the address that was theirs until then.
    pub(super) async fn mail_changed(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let AddressBody { member, to } = body(&self.job)?;
        let person = member_by_id(tx, &home.id, &member).await?;
        let Some(person) = person.filter(|person| person.email.as_ref() != Some(&to)) else {
            return Ok(None);
        };
        let mut mail = self.write(home, &person, Ok(Mail::AddressChanged), None)?;
        mail.to = to;
        Ok(Some(mail))
    }

    /// Asks whether entries are still right, unless they were looked at meanwhile.
    pub(super) async fn entry_review(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let LinkBody { member, link, .. } = body(&self.job)?;
        let Some((person, link)) = still_wanted(tx, &self.kit, &home.id, &member, &link).await? else {
            return Ok(None);
        };
        let built = personal_link(&self.kit, &link, home, person.lang).map(|link| Mail::EntryReview { link });
        self.write(home, &person, built, None).map(Some)
    }

    pub(super) async fn alarm_mail(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let AlarmMailBody { alarm, member } = body(&self.job)?;
        let person = member_by_id(tx, &home.id, &member).await?;
        let alarm = alarm_by_id(tx, &home.id, &alarm).await?.filter(|a| a.acknowledged.is_none());
        let (Some(person), Some(alarm)) = (person, alarm) else {
            return Ok(None);
        };
        let board = format!("{}/board", self.kit.rules.base_url);
        let request = alarm.subject.strip_prefix("request:").and_then(|id| RequestId::from_stored(id).ok());
        let case = match &request {
            Some(id) => case_by_id(tx, &home.id, id).await?,
            None => None,
        };
        let built = (|| {
            let page = MailLink::new(match &case {
                Some(case) if case.kind == Kind::Swap.code() => {
                    format!("{}/swaps/{}", self.kit.rules.base_url, case.id)
                }
                Some(case) if case.kind == Kind::Cover.code() => {
                    format!("{}/covers/{}", self.kit.rules.base_url, case.id)
                }
                Some(case) if case.kind == Kind::Transfer.code() => {
                    format!("{}/transfers/{}", self.kit.rules.base_url, case.id)
                }
                Some(case) if case.kind == Kind::Contact.code() => {
                    format!("{}/contacts/{}", self.kit.rules.base_url, case.id)
                }
                Some(case) => format!("{board}/{}", case.id),
                None => board.clone(),
            })?;
            let check = case.as_ref().is_some_and(|case| case.kind == Kind::Check.code());
            if check || alarm.subject.starts_with("tonight:") {
                let page = MailLink::new(format!("{}/tonight", self.kit.rules.base_url))?;
                return Ok(Mail::TonightAlarm { what: if check { "silent" } else { "hole" }, page });
            }
            let Some(case) = &case else {
                return Ok(match alarm.kind.as_str() {
                    "recovery_asked" | "recovery_stopped" => Mail::RecoveryAlarm { page },
                    _ => Mail::Unreachable { page },
                });
            };
            let kind = match Kind::from_code(&case.kind) {
                Some(Kind::Swap) => RequestKind::Swap,
                Some(Kind::Cover) => RequestKind::Cover,
                Some(Kind::Transfer) => RequestKind::Transfer,
                Some(Kind::Contact) => RequestKind::Contact,
                _ => RequestKind::Consult,
            };
            let number = CaseNumber::new(&case.case_no)?;
            let deadline = Moment::new(say::moment(case.answer_by, home.zone, person.lang))?;
            Ok::<_, NotEnvelope>(match alarm.kind.as_str() {
                "expired" => Mail::ExpiredToCoordinator { kind, case: number, deadline, page },
                "dead_mail" | "undeliverable" => Mail::DeadMail { kind, case: number, page },
                _ => Mail::Exhausted { kind, case: number, deadline, page },
            })
        })();
        self.write(home, &person, built, request.as_ref()).map(Some)
    }

    pub(super) async fn retention(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let RetentionBody { month, member } = body(&self.job)?;
        let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(self.kit.now));
        let report = crate::app::retention::report_of(tx, &home.id, &month).await?;
        let (Some(person), Some(report)) = (person, report) else {
            return Ok(None);
        };
        let page = MailLink::new(format!("{}/settings", self.kit.rules.base_url));
        let (texts, cases) = (report.texts(), report.cases());
        self.write(home, &person, page.map(|page| Mail::Retention { texts, cases, page }), None).map(Some)
    }

    /// A mail about a call: its case number and the way to its page, nothing else.
    pub(super) async fn call_notice(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let CallBody { call, member, what } = body(&self.job)?;
        let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(self.kit.now));
        let row = call_by_id(tx, &home.id, &call).await?;
        let (Some(person), Some(row), Some(what)) = (person, row, crate::app::call::notice_text(&what))
        else {
            return Ok(None);
        };
        // A reminder stops the moment somebody has told; an alarm, the moment the call is over.
        let moot = row.ended.is_some() && (what == "report_due" || what.starts_with("call_"));
        if moot {
            return Ok(None);
        }
        let built = (|| {
            let case = CaseNumber::new(&row.case_no)?;
            let page = MailLink::new(format!("{}/calls/{call}", self.kit.rules.base_url))?;
            Ok::<_, NotEnvelope>(Mail::Call { what, case, page })
        })();
        self.write(home, &person, built, None).map(Some)
    }

    /// The night number does not work: said until somebody has acknowledged it.
    pub(super) async fn bridge_down(
        &self,
        tx: &mut Conn,
        home: &Association,
    ) -> Result<Option<MailToSend>, StoreError> {
        let AlarmMailBody { alarm, member } = body(&self.job)?;
        let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(self.kit.now));
        let open = alarm_by_id(tx, &home.id, &alarm).await?.is_some_and(|a| a.acknowledged.is_none());
        let Some(person) = person.filter(|_| open) else {
            return Ok(None);
        };
        let page = MailLink::new(format!("{}/calls", self.kit.rules.base_url));
        self.write(home, &person, page.map(|page| Mail::BridgeDown { page }), None).map(Some)
    }

    pub(super) fn write(
        &self,
        home: &Association,
        person: &Member,
        mail: Result<Mail, NotEnvelope>,
        request: Option<&RequestId>,
    ) -> Result<MailToSend, StoreError> {
        let corrupt = |e: NotEnvelope| StoreError::corrupt("job", &self.job.id, e);
        let office = Office {
            association: AssociationName::new(&home.name).map_err(corrupt)?,
            phone: OfficePhone::new(&home.office_phone).map_err(corrupt)?,
        };
        let MailText { subject, text, html } = mail.map_err(corrupt)?.render(&office, person.lang);
        let host = &self.kit.rules.mail_host;
        let again =
            if planted::is(Bug::RetryNewMessageId) { format!(".{}", self.job.tries) } else { String::new() };
        Ok(MailToSend {
            message_id: format!("<{}.{}{again}@{host}>", self.job.id, self.job.kind),
            in_reply_to: request.map(|id| format!("<{id}.case@{host}>")),
            // A member without an address is told apart by the port's refusal of an empty one.
            to: person.email.clone().unwrap_or_default(),
            to_name: person.name.clone(),
            from_name: home.name.clone(),
            subject,
            text,
            html,
            date: self.job.created,
        })
    }
}

fn consult(case_no: &str, facts: &ConsultFacts, lang: Lang) -> Result<Consult, NotEnvelope> {
    let name = t(lang, &format!("word-specialty-{}", facts.specialty));
    Ok(Consult { case: CaseNumber::new(case_no)?, specialty: Specialty::new(name)? })
}

fn deadline(at: Millis, written: Millis, home: &Association, lang: Lang) -> Result<Deadline, NotEnvelope> {
    Ok(Deadline {
        short: ShortMoment::new(say::short(at, written, home.zone, lang))?,
        full: Moment::new(say::moment(at, home.zone, lang))?,
    })
}

/// What somebody is told about a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DutyTold {
    Changed,
    MovedUp,
    Ill,
    Undone,
    Ended(DutyEnd),
}

/// What a notice of a request about a duty says. That it changed hands is told to everybody whom it concerns by a
/// mail of its own, so not twice.
const fn duty_told(notice: Notice) -> Option<DutyTold> {
    Some(match notice {
        Notice::TakenByAnother => DutyTold::Ended(DutyEnd::Taken),
        Notice::Withdrawn => DutyTold::Ended(DutyEnd::Withdrawn),
        Notice::Refused => DutyTold::Ended(DutyEnd::Refused),
        Notice::Expired => DutyTold::Ended(DutyEnd::Expired),
        Notice::Void => DutyTold::Ended(DutyEnd::Void),
        Notice::Undone => DutyTold::Undone,
        Notice::Told
        | Notice::Accepted
        | Notice::Receipt
        | Notice::AnswerDue
        | Notice::ReleasedLate
        | Notice::AskingAgain
        | Notice::Answered
        | Notice::PleaseClose
        | Notice::PleaseChoose
        | Notice::Thanks => return None,
    })
}

/// Reminders stop the moment somebody answers.
fn still_true(request: &Request, notice: Notice, person: &MemberId) -> bool {
    match notice {
        Notice::AnswerDue => matches!(request.state, State::Taken { .. }) && request.is_taken_by(person),
        Notice::PleaseClose => matches!(request.state, State::Reported { .. }),
        Notice::PleaseChoose => request.state.is_open(),
        Notice::Told
        | Notice::Accepted
        | Notice::Receipt
        | Notice::TakenByAnother
        | Notice::Withdrawn
        | Notice::ReleasedLate
        | Notice::AskingAgain
        | Notice::Answered
        | Notice::Thanks
        | Notice::Expired
        | Notice::Refused
        | Notice::Undone
        | Notice::Void => true,
    }
}
