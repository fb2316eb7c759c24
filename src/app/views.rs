//! What pages and programs read: lists, the board, a case as its two doctors see it, the ledger, the feed.
//! Clinical text is opened only here, and every opening is a row of the audit log written first.

use std::collections::BTreeMap;

use serde_json::json;

use super::access::note;
use super::replay::Key;
use super::{App, AppError, Kit, Who};
use crate::domain::consult::{Blind, ConsultAnswer, Detail, Survey};
use crate::domain::dispatch::{Kind, Request};
use crate::domain::people::ConsultFacts;
use crate::ids::{AlarmId, AssociationId, InstitutionId, MemberId, OfferId, RequestId};
pub use crate::store::audit::Event;
use crate::store::audit::{audit_after, audit_of};
pub use crate::store::dispatch::OfferRow;
use crate::store::dispatch::{
    AttemptRow, attempts_of, grant_holds, offer_by_id, offers_after, offers_live_of, offers_of_member,
    offers_of_request, request_load,
};
pub use crate::store::jobs::AlarmRow;
use crate::store::jobs::{alarm_acknowledge, alarm_by_id, alarms_after, alarms_unacknowledged};
pub use crate::store::ledger::LineRow;
use crate::store::ledger::{lines_after, lines_newest, lines_of_request};
pub use crate::store::people::{Institution, Member};
use crate::store::people::{institution_by_id, member_by_id, specialties_in_use};
pub use crate::store::requests::Case;
use crate::store::requests::{
    case_by_id, cases_after, cases_ended, cases_of_asker, cases_open, cases_taken_by, reports_of, survey_of,
};
pub use crate::store::secrets::Kept;
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// A case without its clinical text.
#[derive(Clone, Debug)]
pub struct CaseLine {
    pub case: Case,
    pub facts: ConsultFacts,
    pub request: Request,
    pub offers: Vec<OfferRow>,
    pub attempts: Vec<AttemptRow>,
}

/// Names for the ids in what is shown.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub members: BTreeMap<MemberId, Member>,
    pub institutions: BTreeMap<InstitutionId, Institution>,
}

impl Names {
    pub(crate) async fn add_member(
        &mut self,
        conn: &mut Conn,
        association: &AssociationId,
        id: &MemberId,
    ) -> Result<(), StoreError> {
        if !self.members.contains_key(id)
            && let Some(member) = member_by_id(conn, association, id).await?
        {
            if let Some(institution) = member.institution.clone() {
                self.add_institution(conn, association, &institution).await?;
            }
            self.members.insert(id.clone(), member);
        }
        Ok(())
    }

    pub(crate) async fn add_institution(
        &mut self,
        conn: &mut Conn,
        association: &AssociationId,
        id: &InstitutionId,
    ) -> Result<(), StoreError> {
        if !self.institutions.contains_key(id)
            && let Some(institution) = institution_by_id(conn, association, id).await?
        {
            self.institutions.insert(id.clone(), institution);
        }
        Ok(())
    }

    /// The name of a member, or nothing.
    #[must_use]
    pub fn member(&self, id: &MemberId) -> &str {
        self.members.get(id).map_or("", |m| m.name.as_str())
    }

    /// The name of a member's institution, or nothing.
    #[must_use]
    pub fn institution_of(&self, id: &MemberId) -> &str {
        let institution = self.members.get(id).and_then(|m| m.institution.as_ref());
        institution.map_or("", |i| self.institution(i))
    }

    /// The name of an institution, or nothing.
    #[must_use]
    pub fn institution(&self, id: &InstitutionId) -> &str {
        self.institutions.get(id).map_or("", |i| i.name.as_str())
    }
}

/// The coordinator's live list.
#[derive(Clone, Debug)]
pub struct BoardView {
    pub alarms: Vec<AlarmRow>,
    pub open: Vec<CaseLine>,
    pub ended: Vec<CaseLine>,
    pub names: Names,
}

/// As whom somebody reads a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Asker,
    Taker,
}

impl Reader {
    const fn code(self) -> &'static str {
        match self {
            Self::Asker => "asker",
            Self::Taker => "taker",
        }
    }
}

/// What a taker told, opened.
#[derive(Clone, Debug)]
pub struct Told {
    pub member: MemberId,
    pub at: Millis,
    pub minutes: i64,
    pub outcome: String,
    pub answer: Kept<ConsultAnswer>,
}

/// A case with everything its reader may see.
#[derive(Clone, Debug)]
pub struct FullCase {
    pub reader: Reader,
    pub line: CaseLine,
    pub blind: Kept<Blind>,
    pub detail: Kept<Detail>,
    pub told: Vec<Told>,
    pub survey: Option<Kept<Survey>>,
    pub names: Names,
    /// The asker's and the taker's phone numbers, opened.
    pub phones: BTreeMap<MemberId, String>,
    pub history: Vec<Event>,
}

/// What a case looks like to the office: without clinical text.
#[derive(Clone, Debug)]
pub struct OfficeCase {
    pub line: CaseLine,
    pub names: Names,
    pub history: Vec<Event>,
}

impl FullCase {
    /// When the last of its texts went, at the end of their time; `None` while all are there.
    #[must_use]
    pub fn destroyed(&self) -> Option<Millis> {
        let told = self.told.iter().map(|t| t.answer.destroyed());
        let survey = self.survey.as_ref().and_then(Kept::destroyed);
        told.chain([self.blind.destroyed(), self.detail.destroyed(), survey]).flatten().max()
    }
}

/// Rows of a case's history that are shown.
const HISTORY: i64 = 500;

/// Requests of other kinds have their own pages.
fn is_consult(case: &Case) -> bool {
    case.kind == Kind::Consult.code()
}

async fn line(
    conn: &mut Conn,
    association: &AssociationId,
    case: Case,
) -> Result<Option<CaseLine>, StoreError> {
    let Some(loaded) = request_load(conn, association, &case.id).await? else {
        return Ok(None);
    };
    let facts = serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))?;
    let offers = offers_of_request(conn, association, &case.id).await?;
    let attempts = attempts_of(conn, association, &case.id).await?;
    Ok(Some(CaseLine { case, facts, request: loaded.request, offers, attempts }))
}

async fn lines_of(
    conn: &mut Conn,
    association: &AssociationId,
    cases: Vec<Case>,
) -> Result<Vec<CaseLine>, StoreError> {
    let mut found = Vec::with_capacity(cases.len());
    for case in cases {
        found.extend(line(conn, association, case).await?);
    }
    Ok(found)
}

async fn names_of(
    conn: &mut Conn,
    association: &AssociationId,
    lines: &[CaseLine],
    names: &mut Names,
) -> Result<(), StoreError> {
    for line in lines {
        names.add_member(conn, association, &line.case.asker).await?;
        names.add_institution(conn, association, &line.case.institution).await?;
        for offer in &line.offers {
            names.add_member(conn, association, &offer.person).await?;
        }
    }
    Ok(())
}

fn read_as<T: serde::de::DeserializeOwned>(text: Kept<String>) -> Result<Kept<T>, serde_json::Error> {
    Ok(match text {
        Kept::Text(text) => Kept::Text(serde_json::from_str(&text)?),
        Kept::Destroyed { on } => Kept::Destroyed { on },
    })
}

/// Opens a case for one of its doctors; the reading is audited in the same transaction.
struct Read {
    kit: Kit,
    who: Who,
    member: MemberId,
    id: RequestId,
}

impl Command for Read {
    type Output = Option<FullCase>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let case = case_by_id(tx, association, &self.id).await?.filter(is_consult);
        let Some(case) = case else {
            return Ok(None);
        };
        let reader = if case.asker == self.member {
            Reader::Asker
        } else if grant_holds(tx, association, &self.id, &self.member, kit.now).await? {
            Reader::Taker
        } else {
            return Ok(None);
        };
        let subject = format!("request:{}", self.id);
        note(tx, kit, &self.who, "request.read", &subject, json!({ "as": reader.code() })).await?;
        let at = |column| Sealed { table: "request", column, row: self.id.as_str() };
        let blind = kit.vault.open_kept(tx, association, at("blind"), &case.blind).await?;
        let detail = kit.vault.open_kept(tx, association, at("detail"), &case.detail).await?;
        let corrupt = |e: serde_json::Error| StoreError::corrupt("request", &self.id, e);
        let mut told = Vec::new();
        for report in reports_of(tx, association, &self.id).await? {
            let at = Sealed { table: "report", column: "text", row: self.id.as_str() };
            let text = kit.vault.open_kept(tx, association, at, &report.text).await?;
            told.push(Told {
                member: report.member,
                at: report.at,
                minutes: report.minutes,
                outcome: report.outcome,
                answer: read_as(text).map_err(corrupt)?,
            });
        }
        let survey = match survey_of(tx, association, &self.id).await? {
            Some(sealed) => {
                let at = Sealed { table: "survey", column: "body", row: self.id.as_str() };
                let text = kit.vault.open_kept(tx, association, at, &sealed).await?;
                Some(read_as(text).map_err(corrupt)?)
            }
            None => None,
        };
        let Some(line) = line(tx, association, case).await? else {
            return Ok(None);
        };
        let mut names = Names::default();
        names_of(tx, association, std::slice::from_ref(&line), &mut names).await?;
        let mut phones = BTreeMap::new();
        let claims = line.request.claims().map(|c| c.person.clone());
        for person in claims.chain([line.case.asker.clone()]) {
            if let Some(sealed) = names.members.get(&person).and_then(|m| m.phone.clone()) {
                let at = Sealed { table: "member", column: "phone", row: person.as_str() };
                phones.insert(person.clone(), kit.vault.open(tx, association, at, &sealed).await?);
            }
        }
        let history = audit_of(tx, association, &subject, HISTORY).await?;
        Ok(Some(FullCase {
            reader,
            blind: read_as(blind).map_err(corrupt)?,
            detail: read_as(detail).map_err(corrupt)?,
            line,
            told,
            survey,
            names,
            phones,
            history,
        }))
    }
}

struct Acknowledge {
    kit: Kit,
    who: Who,
    id: AlarmId,
}

impl Command for Acknowledge {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let association = &self.who.association;
        if !alarm_acknowledge(tx, association, &self.id, &self.who.actor, self.kit.now).await? {
            return Ok(false);
        }
        let subject = format!("alarm:{}", self.id);
        note(tx, &self.kit, &self.who, "alarm.seen", &subject, json!({})).await?;
        Ok(true)
    }
}

impl App {
    /// A case opened for its asker or its taker; the reading is audited.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for everybody else; the store's.
    pub async fn case_read(
        &self,
        who: &Who,
        member: &MemberId,
        id: &RequestId,
    ) -> Result<FullCase, AppError> {
        let read = Read { kit: self.kit(), who: who.clone(), member: member.clone(), id: id.clone() };
        self.db.run(read).await?.ok_or(AppError::NotFound)
    }

    /// Whether this member is the case's asker, or may see it as its taker; without opening anything.
    ///
    /// # Errors
    /// The store's.
    pub async fn case_reader(
        &self,
        association: &AssociationId,
        member: &MemberId,
        id: &RequestId,
    ) -> Result<Option<(Reader, Case)>, AppError> {
        let mut conn = self.db.read().await?;
        let Some(case) = case_by_id(&mut conn, association, id).await?.filter(is_consult) else {
            return Ok(None);
        };
        if case.asker == *member {
            return Ok(Some((Reader::Asker, case)));
        }
        let holds = grant_holds(&mut conn, association, id, member, self.now()).await?;
        Ok(holds.then_some((Reader::Taker, case)))
    }

    /// A case for the office.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn case_for_office(
        &self,
        association: &AssociationId,
        id: &RequestId,
    ) -> Result<OfficeCase, AppError> {
        let mut conn = self.db.read().await?;
        let case =
            case_by_id(&mut conn, association, id).await?.filter(is_consult).ok_or(AppError::NotFound)?;
        let line = line(&mut conn, association, case).await?.ok_or(AppError::NotFound)?;
        let mut names = Names::default();
        names_of(&mut conn, association, std::slice::from_ref(&line), &mut names).await?;
        let history = audit_of(&mut conn, association, &format!("request:{id}"), HISTORY).await?;
        for event in &history {
            for who in [Some(&event.actor), event.on_behalf_of.as_ref()].into_iter().flatten() {
                if let Some(id) = who.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok()) {
                    names.add_member(&mut conn, association, &id).await?;
                }
            }
        }
        Ok(OfficeCase { line, names, history })
    }

    /// The offers a person can still answer, in the order they were made, at most `limit`.
    ///
    /// # Errors
    /// The store's.
    pub async fn offers_live_of(
        &self,
        association: &AssociationId,
        member: &MemberId,
        limit: i64,
    ) -> Result<Vec<OfferRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(offers_live_of(&mut conn, association, member, limit).await?)
    }

    /// What a member asked and what they took, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn my_cases(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<(Vec<CaseLine>, Vec<CaseLine>), AppError> {
        let mut conn = self.db.read().await?;
        let asked = cases_of_asker(&mut conn, association, member, 100).await?;
        let taken = cases_taken_by(&mut conn, association, member, self.now(), 100).await?;
        let taken = taken.into_iter().filter(|c| c.asker != *member).collect();
        let asked = lines_of(&mut conn, association, asked).await?;
        Ok((asked, lines_of(&mut conn, association, taken).await?))
    }

    /// Every open request and every alarm nobody has seen to.
    ///
    /// # Errors
    /// The store's.
    pub async fn board(&self, association: &AssociationId) -> Result<BoardView, AppError> {
        let mut conn = self.db.read().await?;
        let open = cases_open(&mut conn, association, 200).await?;
        let open = lines_of(&mut conn, association, open).await?;
        let ended = cases_ended(&mut conn, association, 20).await?;
        let ended = lines_of(&mut conn, association, ended).await?;
        let alarms = alarms_unacknowledged(&mut conn, association).await?;
        let mut names = Names::default();
        names_of(&mut conn, association, &open, &mut names).await?;
        names_of(&mut conn, association, &ended, &mut names).await?;
        for alarm in &alarms {
            if let Some(id) =
                alarm.subject.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok())
            {
                names.add_member(&mut conn, association, &id).await?;
            }
        }
        Ok(BoardView { alarms, open, ended, names })
    }

    /// Somebody has seen an alarm. `false`: it was seen to before, or does not exist.
    ///
    /// # Errors
    /// The store's.
    pub async fn alarm_seen(&self, who: &Who, id: &AlarmId, key: Option<&Key>) -> Result<bool, AppError> {
        let kit = self.kit();
        let seen = Acknowledge { kit: kit.clone(), who: who.clone(), id: id.clone() };
        Ok(self.run_once(&kit, who, key, seen).await?.into_inner())
    }

    /// One alarm.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn alarm_row(&self, association: &AssociationId, id: &AlarmId) -> Result<AlarmRow, AppError> {
        let mut conn = self.db.read().await?;
        alarm_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)
    }

    /// Alarms nobody has seen to, in the order they were raised.
    ///
    /// # Errors
    /// The store's.
    pub async fn alarms(
        &self,
        association: &AssociationId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<AlarmRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(alarms_after(&mut conn, association, after, limit).await?)
    }

    /// Requests in the order they were made, for programs; only those in `state` where one is given.
    ///
    /// # Errors
    /// The store's.
    pub async fn cases(
        &self,
        association: &AssociationId,
        state: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(Case, ConsultFacts)>, AppError> {
        let mut conn = self.db.read().await?;
        let cases = cases_after(&mut conn, association, state, after, limit).await?;
        let with_facts = |case: Case| {
            let facts = serde_json::from_str(&case.facts);
            facts.map_err(|e| StoreError::corrupt("request", &case.id, e)).map(|facts| (case, facts))
        };
        Ok(cases.into_iter().map(with_facts).collect::<Result<_, _>>()?)
    }

    /// One request without its clinical text.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn case(&self, association: &AssociationId, id: &RequestId) -> Result<CaseLine, AppError> {
        let mut conn = self.db.read().await?;
        let case =
            case_by_id(&mut conn, association, id).await?.filter(is_consult).ok_or(AppError::NotFound)?;
        line(&mut conn, association, case).await?.ok_or(AppError::NotFound)
    }

    /// Offers in the order they were made, of one member or of all.
    ///
    /// # Errors
    /// The store's.
    pub async fn offers(
        &self,
        association: &AssociationId,
        of: Option<&MemberId>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<OfferRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(match of {
            Some(member) => offers_of_member(&mut conn, association, member, after, limit).await?,
            None => offers_after(&mut conn, association, after, limit).await?,
        })
    }

    /// One offer.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn offer(&self, association: &AssociationId, id: &OfferId) -> Result<OfferRow, AppError> {
        let mut conn = self.db.read().await?;
        offer_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)
    }

    /// The newest ledger lines with the names they need.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_newest(
        &self,
        association: &AssociationId,
        limit: i64,
    ) -> Result<(Vec<LineRow>, Names), AppError> {
        let mut conn = self.db.read().await?;
        let lines = lines_newest(&mut conn, association, limit).await?;
        let mut names = Names::default();
        for row in &lines {
            names.add_institution(&mut conn, association, &row.line.institution).await?;
            if let Some(person) = &row.line.person {
                names.add_member(&mut conn, association, person).await?;
            }
        }
        Ok((lines, names))
    }

    /// Ledger lines in the order of their ids, or of one request.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_lines(
        &self,
        association: &AssociationId,
        of: Option<&RequestId>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<LineRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(match of {
            Some(request) => lines_of_request(&mut conn, association, request).await?,
            None => lines_after(&mut conn, association, after, limit).await?,
        })
    }

    /// The ordered audit feed after a number.
    ///
    /// # Errors
    /// The store's.
    pub async fn events(
        &self,
        association: &AssociationId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Event>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(audit_after(&mut conn, association, after, limit).await?)
    }

    /// The specialties somebody volunteers for, with how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn specialties(&self, association: &AssociationId) -> Result<Vec<(String, i64)>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(specialties_in_use(&mut conn, association).await?)
    }

    /// The coarse areas of the association's institutions, in order.
    ///
    /// # Errors
    /// The store's.
    pub async fn areas(&self, association: &AssociationId) -> Result<Vec<String>, AppError> {
        let mut areas: Vec<String> =
            self.institutions(association, "", 10_000).await?.into_iter().map(|i| i.area).collect();
        areas.sort();
        areas.dedup();
        Ok(areas)
    }
}
