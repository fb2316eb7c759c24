//! What pages read about transfers. What stands about the patient is opened for those alone who need it, and each opening
//! is written down first.

use serde_json::json;

use super::super::access::note;
use super::super::views::Names;
use super::super::{App, AppError, Kit, Who};
use super::{DATED, TransferDated, facts_of};
use crate::domain::dispatch::{Kind, Request};
use crate::domain::transfer::{AskedAs, TransferDetail, TransferFacts};
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::audit::{Event, audit_of};
use crate::store::dispatch::{
    AttemptRow, OfferRow, attempts_of, grant_holds, offers_of_request, request_load,
};
use crate::store::requests::{Case, case_by_id, reports_of};
use crate::store::secrets::{Kept, Sealed};
use crate::store::transfers::{
    physicians_of_clinic, requests_ended_of_kind, requests_of_member_and_kind, requests_open_of_kind,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Requests on one list.
const LIST: i64 = 100;
/// Ended ones on the office's list.
const ENDED: i64 = 30;
/// Rows of the history.
const HISTORY: i64 = 200;

/// A transfer without its texts.
#[derive(Clone, Debug)]
pub struct TransferLine {
    pub case: Case,
    pub facts: TransferFacts,
    pub request: Request,
    pub offers: Vec<OfferRow>,
    /// The physicians of the attending doctor's clinic.
    pub attending: Vec<MemberId>,
}

impl TransferLine {
    /// Asked for it, was asked, or is of the attending doctor's clinic and its asker's word was the clinic's.
    #[must_use]
    pub fn concerns(&self, member: &MemberId) -> bool {
        self.case.asker == *member || self.request.offers.contains_key(member)
    }

    /// The attending doctor: asked at the gate, or the asker who is one.
    #[must_use]
    pub fn is_attending(&self, member: &MemberId) -> bool {
        self.attending.contains(member) && self.concerns(member)
    }

    /// Whoever takes the patient over.
    #[must_use]
    pub fn taker(&self) -> Option<&MemberId> {
        self.request.claims().next().map(|claim| &claim.person)
    }
}

/// What somebody said with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub member: MemberId,
    pub at: Millis,
    /// `attending_yes`, `attending_no`, `officer_yes`, `officer_no`, `receiver_yes`, `receiver_no`.
    pub code: String,
    /// `None`: past its time.
    pub words: Option<String>,
}

/// A transfer as one reader may see it.
#[derive(Clone, Debug)]
pub struct TransferCase {
    pub line: TransferLine,
    pub names: Names,
    /// What stands about the patient; `None`: not for this reader, or past its time.
    pub detail: Option<TransferDetail>,
    /// Words of the gate; empty for those who were only asked to take the patient over.
    pub said: Vec<Said>,
    pub dated: Option<TransferDated>,
    pub attempts: Vec<AttemptRow>,
    pub history: Vec<Event>,
}

/// The office's list, or one's own.
#[derive(Clone, Debug)]
pub struct TransferBoard {
    pub open: Vec<TransferLine>,
    pub ended: Vec<TransferLine>,
    pub names: Names,
}

/// That somebody reads what stands about a patient, and as whom; for messages too.
pub(crate) struct NoteRead {
    pub kit: Kit,
    pub who: Who,
    pub id: RequestId,
    pub reads_as: &'static str,
}

impl Command for NoteRead {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let subject = format!("request:{}", self.id);
        let detail = json!({ "as": self.reads_as });
        note(tx, &self.kit, &self.who, "request.read", &subject, detail).await.map(drop)
    }
}

/// The open and the ended requests of a kind: of the whole association, or those that a member asked for or was asked
/// about.
pub(crate) async fn cases_of_kind(
    conn: &mut Conn,
    association: &AssociationId,
    kind: Kind,
    of: Option<&MemberId>,
) -> Result<(Vec<Case>, Vec<Case>), StoreError> {
    let kind = kind.code();
    let Some(member) = of else {
        let open = requests_open_of_kind(conn, association, kind, LIST).await?;
        return Ok((open, requests_ended_of_kind(conn, association, kind, ENDED).await?));
    };
    let all = requests_of_member_and_kind(conn, association, kind, member, LIST).await?;
    let over = ["closed", "refused", "withdrawn", "expired"];
    Ok(all.into_iter().partition(|case| !over.contains(&case.state.as_str())))
}

async fn line(
    conn: &mut Conn,
    association: &AssociationId,
    case: Case,
    now: Millis,
) -> Result<Option<TransferLine>, StoreError> {
    let Some(loaded) = request_load(conn, association, &case.id).await? else { return Ok(None) };
    let offers = offers_of_request(conn, association, &case.id).await?;
    let facts = facts_of(&case)?;
    let attending = physicians_of_clinic(conn, association, &facts.clinic, now).await?;
    Ok(Some(TransferLine { facts, case, request: loaded.request, offers, attending }))
}

async fn names_of(
    conn: &mut Conn,
    association: &AssociationId,
    lines: &[TransferLine],
    names: &mut Names,
) -> Result<(), StoreError> {
    for line in lines {
        names.add_member(conn, association, &line.case.asker).await?;
        names.add_institution(conn, association, &line.facts.clinic).await?;
        names.add_institution(conn, association, &line.case.institution).await?;
        for person in line.request.offers.keys().chain(&line.attending) {
            names.add_member(conn, association, person).await?;
        }
    }
    Ok(())
}

impl App {
    async fn transfer_lines(
        &self,
        association: &AssociationId,
        cases: Vec<Case>,
    ) -> Result<Vec<TransferLine>, AppError> {
        let mut conn = self.db.read().await?;
        let mut found = Vec::with_capacity(cases.len());
        for case in cases {
            found.extend(line(&mut conn, association, case, self.now()).await?);
        }
        Ok(found)
    }

    /// Transfers of the whole association, or those that a member asked for or was asked about.
    ///
    /// # Errors
    /// The store's.
    pub async fn transfers(
        &self,
        association: &AssociationId,
        of: Option<&MemberId>,
    ) -> Result<TransferBoard, AppError> {
        let mut conn = self.db.read().await?;
        let (open, ended) = cases_of_kind(&mut conn, association, Kind::Transfer, of).await?;
        drop(conn);
        let open = self.transfer_lines(association, open).await?;
        let ended = self.transfer_lines(association, ended).await?;
        let mut names = Names::default();
        let mut conn = self.db.read().await?;
        for part in [&open, &ended] {
            names_of(&mut conn, association, part, &mut names).await?;
        }
        Ok(TransferBoard { open, ended, names })
    }

    /// One transfer as this reader may see it; `office`: sees every transfer of the association, and of the patient
    /// only what somebody asked to decide may see.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none, or none for this reader; the store's.
    pub async fn transfer_case(
        &self,
        who: &Who,
        id: &RequestId,
        reader: &MemberId,
        office: bool,
    ) -> Result<TransferCase, AppError> {
        let association = &who.association;
        let now = self.now();
        let mut conn = self.db.read().await?;
        let case = case_by_id(&mut conn, association, id).await?;
        let case = case.filter(|c| c.kind == Kind::Transfer.code()).ok_or(AppError::NotFound)?;
        let line = line(&mut conn, association, case, now).await?.ok_or(AppError::NotFound)?;
        if !office && !line.concerns(reader) {
            return Err(AppError::NotFound);
        }
        let granted = grant_holds(&mut conn, association, id, reader, now).await?;
        drop(conn);
        let asked_as = AskedAs::of(&line.request, reader);
        let reads_as = if line.case.asker == *reader {
            Some("asker")
        } else {
            match asked_as {
                Some(AskedAs::Attending) => Some("attending"),
                Some(AskedAs::Officer) => Some("officer"),
                Some(AskedAs::Receiver) if granted => Some("taker"),
                Some(AskedAs::Receiver) | None => None,
            }
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
        let (mut said, mut dated) = (Vec::new(), None);
        for report in reports_of(&mut conn, association, id).await? {
            let at = Sealed { table: "report", column: "text", row: id.as_str() };
            let words = match self.vault.open_kept(&mut conn, association, at, &report.text).await? {
                Kept::Text(text) => Some(text),
                Kept::Destroyed { .. } => None,
            };
            if report.outcome == DATED {
                let read = words.map(|text| serde_json::from_str::<TransferDated>(&text)).transpose();
                dated = read.map_err(|e| StoreError::corrupt("report", id, e))?;
            } else if reads_as.is_some_and(|reader| reader != "taker") || (office && reads_as.is_none()) {
                let (member, at) = (report.member, report.at);
                said.push(Said { member, at, code: report.outcome, words });
            }
        }
        let own = reads_as.is_some() || office;
        let attempts = attempts_of(&mut conn, association, id).await?;
        let history = audit_of(&mut conn, association, &format!("request:{id}"), HISTORY).await?;
        let dated = dated.filter(|_| own);
        Ok(TransferCase { line, names, detail, said, dated, attempts, history })
    }
}
