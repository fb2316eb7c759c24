//! Messages to an attending doctor (主治医連絡票): written by a care manager or a visiting nurse, kept until the doctor's
//! hours, answered in a word. Answers are taken where those to a transfer are; when a message is delivered is decided in
//! `domain::contact`.

use serde_json::json;

use super::consult::{Asked, Asking};
use super::flow::{Act, apply, next_case_no};
use super::replay::{Done, Key};
use super::transfer::{NoteRead, Said, TransferAsked, cases_of_kind};
use super::views::Names;
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::{FiscalYear, civil_day};
use crate::domain::consult::Wrong;
use crate::domain::contact::{ContactDetail, ContactFacts, ContactWorld, LIFE_S, NewContact, deliver_from};
use crate::domain::dispatch::{Event, Kind, Plan, Request};
use crate::domain::transfer::AskedAs;
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::directory::contact_windows_of;
use crate::store::dispatch::{OfferRow, offers_of_request, request_load};
use crate::store::people::{Association, Member, association_by_id, institution_by_id, member_by_id};
use crate::store::requests::{Case, NewCase, case_add, case_by_id, reports_of};
use crate::store::secrets::{Kept, Sealed};
use crate::store::transfers::physicians_of_clinic;
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// The plan that messages start with.
pub const PLAN: &str = "contact";

/// What is open of a message.
pub(crate) fn facts_of(case: &Case) -> Result<ContactFacts, StoreError> {
    serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))
}

/// The people of a message, each with the moment from which it may reach them. `None`: its row is gone.
pub(crate) async fn contact_world(
    conn: &mut Conn,
    kit: &Kit,
    home: &Association,
    request: &Request,
) -> Result<Option<ContactWorld>, StoreError> {
    let Some(case) = case_by_id(conn, &home.id, &request.id).await? else { return Ok(None) };
    let clinic = facts_of(&case)?.clinic;
    let year = FiscalYear::of(civil_day(kit.now, home.zone)).first_year();
    let calendar = super::calendar::calendar_of(conn, kit, &home.id).await?;
    let holiday = |day| calendar.holiday_name(day).is_some();
    let mut attending = Vec::new();
    for person in physicians_of_clinic(conn, &home.id, &clinic, kit.now).await? {
        let windows = contact_windows_of(conn, &home.id, &person, year).await?.windows;
        attending.push((person, deliver_from(&windows, kit.now, home.zone, &holiday)));
    }
    Ok(Some(ContactWorld { attending }))
}

struct AskContact {
    kit: Kit,
    who: Who,
    asking: Asking,
    plan: Plan,
    id: RequestId,
    new: NewContact,
}

impl Command for AskContact {
    type Output = TransferAsked;

    async fn apply(&self, tx: &mut Conn) -> Result<TransferAsked, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let wrong = |field: &str, wrong| Ok(TransferAsked::Wrong(field.to_owned(), wrong));
        let Some(home) = association_by_id(tx, association).await? else {
            return wrong("asker", Wrong::Unknown);
        };
        let asker = member_by_id(tx, association, &self.asking.asker).await?;
        let asker = asker.filter(|m| m.is_active(kit.now));
        let Some((asker, institution)) = asker.and_then(|m| m.institution.map(|i| (m.id, i))) else {
            return wrong("asker", Wrong::Unknown);
        };
        let clinic = institution_by_id(tx, association, &self.new.facts.clinic).await?;
        if clinic.is_none_or(|clinic| clinic.closed.is_some()) {
            return wrong("clinic", Wrong::Unknown);
        }
        let case_no = next_case_no(tx, association, civil_day(kit.now, home.zone)).await?;
        let answer_by = kit.now.plus_s(LIFE_S);
        let window = Window { from: kit.now, to: answer_by };
        let (id, plan) = (self.id.clone(), self.plan.clone());
        let mut request = Request::new(id, plan, asker, window, answer_by, kit.now);
        request.asked_in_person = self.asking.in_person;
        let text = |value: serde_json::Result<String>| {
            value.map_err(|e| StoreError::corrupt("request", &self.id, e))
        };
        let detail = text(serde_json::to_string(&self.new.detail))?;
        let at = |column| Sealed { table: "request", column, row: self.id.as_str() };
        let new = NewCase {
            request: &request,
            case_no: &case_no,
            institution: &institution,
            entered_by: (!self.asking.in_person).then_some(self.who.actor.as_str()),
            channel: self.asking.channel,
            facts: &text(serde_json::to_string(&self.new.facts))?,
            blind: kit.vault.seal(tx, association, at("blind"), kit.now, "{}").await?,
            detail: kit.vault.seal(tx, association, at("detail"), kit.now, &detail).await?,
        };
        case_add(tx, association, &new).await?;
        let act = Act {
            action: "request.ask",
            detail: json!({
                "case_no": case_no, "kind": "contact", "channel": self.asking.channel,
                "clinic": self.new.facts.clinic.as_str(), "topic": self.new.facts.topic,
                "plan": self.plan.name, "plan_version": self.plan.version,
            }),
        };
        let moved = apply(tx, kit, &self.who, &self.id, Event::Begin, &act).await?;
        let state = moved.map_or(request.state, |m| m.request.state).code().to_owned();
        Ok(TransferAsked::Asked(Asked { request: self.id.clone(), case_no, state }))
    }
}

/// A message without its text.
#[derive(Clone, Debug)]
pub struct ContactLine {
    pub case: Case,
    pub facts: ContactFacts,
    pub request: Request,
    pub offers: Vec<OfferRow>,
}

impl ContactLine {
    /// Wrote it, or was asked about it.
    #[must_use]
    pub fn concerns(&self, member: &MemberId) -> bool {
        self.case.asker == *member || self.request.offers.contains_key(member)
    }
}

/// A message as one reader may see it.
#[derive(Clone, Debug)]
pub struct ContactCase {
    pub line: ContactLine,
    pub names: Names,
    /// `None`: not for this reader, or past its time.
    pub detail: Option<ContactDetail>,
    pub replies: Vec<Said>,
}

/// The office's list, or one's own.
#[derive(Clone, Debug)]
pub struct ContactBoard {
    pub open: Vec<ContactLine>,
    pub ended: Vec<ContactLine>,
    pub names: Names,
}

/// A message behind a mailed link: nothing of the patient.
#[derive(Debug)]
pub struct OpenContact {
    pub association: Association,
    pub member: Member,
    pub case: Case,
    pub facts: ContactFacts,
    pub asked_as: AskedAs,
    pub names: Names,
}

pub(crate) async fn open_contact(
    conn: &mut Conn,
    association: Association,
    member: Member,
    case: Case,
    request: &Request,
) -> Result<Option<OpenContact>, StoreError> {
    let Some(asked_as) = AskedAs::of(request, &member.id) else { return Ok(None) };
    let facts = facts_of(&case)?;
    let mut names = Names::default();
    names.add_member(conn, &association.id, &case.asker).await?;
    names.add_institution(conn, &association.id, &facts.clinic).await?;
    Ok(Some(OpenContact { association, member, case, facts, asked_as, names }))
}

async fn line(
    conn: &mut Conn,
    association: &AssociationId,
    case: Case,
) -> Result<Option<ContactLine>, StoreError> {
    let Some(loaded) = request_load(conn, association, &case.id).await? else { return Ok(None) };
    let offers = offers_of_request(conn, association, &case.id).await?;
    Ok(Some(ContactLine { facts: facts_of(&case)?, case, request: loaded.request, offers }))
}

async fn names_of(
    conn: &mut Conn,
    association: &AssociationId,
    lines: &[ContactLine],
    names: &mut Names,
) -> Result<(), StoreError> {
    for line in lines {
        names.add_member(conn, association, &line.case.asker).await?;
        names.add_institution(conn, association, &line.facts.clinic).await?;
        for person in line.request.offers.keys() {
            names.add_member(conn, association, person).await?;
        }
    }
    Ok(())
}

impl App {
    /// Takes a message down; it is delivered in the doctor's hours.
    ///
    /// # Errors
    /// Fields that cannot be taken; a writer who cannot write; the store's.
    pub async fn contact_ask(
        &self,
        who: &Who,
        asking: Asking,
        new: NewContact,
        key: Option<&Key>,
    ) -> Result<Done<Asked>, AppError> {
        let kit = self.kit();
        if let Some(before) = self.replayed::<TransferAsked>(who, key).await? {
            return before.said().map(Done::Again);
        }
        let wrong = new.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let plan = self.rules.plans.get(PLAN).cloned();
        let ask = AskContact {
            id: RequestId::new(kit.now, self.chance.as_ref()),
            plan: plan.ok_or_else(|| AppError::NoPlan(PLAN.to_owned()))?,
            kit: kit.clone(),
            who: who.clone(),
            asking,
            new,
        };
        Ok(match self.run_once(&kit, who, key, ask).await? {
            Done::Fresh(asked) => Done::Fresh(asked.said()?),
            Done::Again(asked) => Done::Again(asked.said()?),
        })
    }

    /// Messages of the whole association, or those that a member wrote or was asked about.
    ///
    /// # Errors
    /// The store's.
    pub async fn contacts(
        &self,
        association: &AssociationId,
        of: Option<&MemberId>,
    ) -> Result<ContactBoard, AppError> {
        let mut conn = self.db.read().await?;
        let (open, ended) = cases_of_kind(&mut conn, association, Kind::Contact, of).await?;
        let mut board = ContactBoard { open: Vec::new(), ended: Vec::new(), names: Names::default() };
        for (cases, lines) in [(open, &mut board.open), (ended, &mut board.ended)] {
            for case in cases {
                lines.extend(line(&mut conn, association, case).await?);
            }
            names_of(&mut conn, association, lines, &mut board.names).await?;
        }
        Ok(board)
    }

    /// One message as this reader may see it. `office`: sees that there is one; `delivers`: the office's people who
    /// send it by fax where no mail is read.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none, or none for this reader; the store's.
    pub async fn contact_case(
        &self,
        who: &Who,
        id: &RequestId,
        reader: &MemberId,
        (office, delivers): (bool, bool),
    ) -> Result<ContactCase, AppError> {
        let association = &who.association;
        let mut conn = self.db.read().await?;
        let case = case_by_id(&mut conn, association, id).await?;
        let case = case.filter(|c| c.kind == Kind::Contact.code()).ok_or(AppError::NotFound)?;
        let line = line(&mut conn, association, case).await?.ok_or(AppError::NotFound)?;
        if !office && !line.concerns(reader) {
            return Err(AppError::NotFound);
        }
        drop(conn);
        let reads_as = if line.case.asker == *reader {
            Some("asker")
        } else if let Some(asked_as) = AskedAs::of(&line.request, reader) {
            Some(asked_as.code())
        } else {
            delivers.then_some("office")
        };
        if let Some(reads_as) = reads_as {
            let read = NoteRead { kit: self.kit(), who: who.clone(), id: id.clone(), reads_as };
            self.db.run(read).await?;
        }
        let mut conn = self.db.read().await?;
        let mut names = Names::default();
        names_of(&mut conn, association, std::slice::from_ref(&line), &mut names).await?;
        let at = Sealed { table: "request", column: "detail", row: id.as_str() };
        let detail = match reads_as {
            None => None,
            Some(_) => match self.vault.open_kept(&mut conn, association, at, &line.case.detail).await? {
                Kept::Text(text) => {
                    Some(serde_json::from_str(&text).map_err(|e| StoreError::corrupt("request", id, e))?)
                }
                Kept::Destroyed { .. } => None,
            },
        };
        let mut replies = Vec::new();
        for report in reports_of(&mut conn, association, id).await? {
            let at = Sealed { table: "report", column: "text", row: id.as_str() };
            let words = match self.vault.open_kept(&mut conn, association, at, &report.text).await? {
                Kept::Text(text) => Some(text).filter(|_| reads_as.is_some()),
                Kept::Destroyed { .. } => None,
            };
            let (member, at) = (report.member, report.at);
            replies.push(Said { member, at, code: report.outcome, words });
        }
        Ok(ContactCase { line, names, detail, replies })
    }
}
