//! A case as its asker or its taker reads it: the one answer of the API with clinical text.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::views::{FullCase, Reader};
use crate::domain::consult::{Blind, ConsultAnswer, Detail};
use crate::time::Millis;

/// A case opened for one of its two doctors.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Clinical {
    id: String,
    case_no: String,
    /// `asker` or `taker`.
    read_as: &'static str,
    /// This and the texts below are null once their time of keeping is over.
    decade: Option<u32>,
    sex: Option<String>,
    condition: Option<String>,
    can_travel: Option<String>,
    /// As it is shown before acceptance.
    blind_question: Option<String>,
    question: Option<String>,
    tried: Option<String>,
    patient_ref: Option<String>,
    details: Option<String>,
    /// When the last of the texts was destroyed, null while all are there.
    #[schema(format = DateTime)]
    destroyed_on: Option<String>,
    reports: Vec<ReportOut>,
    /// The asker and who has taken it.
    contacts: Vec<Contact>,
}

/// What a taker told.
#[derive(Debug, Serialize, ToSchema)]
struct ReportOut {
    member: String,
    #[schema(format = DateTime)]
    at: String,
    minutes: i64,
    outcome: String,
    /// Null, as what follows, once its time of keeping is over.
    assessment: Option<String>,
    do_now: Option<String>,
    follow_up: Option<String>,
    refer_when: Option<String>,
    #[schema(format = DateTime)]
    destroyed_on: Option<String>,
}

/// How to reach somebody.
#[derive(Debug, Serialize, ToSchema)]
struct Contact {
    member: String,
    phone: String,
}

impl From<FullCase> for Clinical {
    fn from(full: FullCase) -> Self {
        let destroyed_on = full.destroyed().map(Millis::rfc3339);
        let reports = full.told.into_iter().map(|told| {
            let destroyed_on = told.answer.destroyed().map(Millis::rfc3339);
            let answer = told.answer.text().cloned();
            let part = |read: fn(&ConsultAnswer) -> &String| answer.as_ref().map(|a| read(a).clone());
            ReportOut {
                member: told.member.api(),
                at: told.at.rfc3339(),
                minutes: told.minutes,
                outcome: told.outcome,
                assessment: part(|a| &a.assessment),
                do_now: part(|a| &a.do_now),
                follow_up: part(|a| &a.follow_up),
                refer_when: part(|a| &a.refer_when),
                destroyed_on,
            }
        });
        let (blind, detail) = (full.blind.text().cloned(), full.detail.text().cloned());
        let of_blind = |read: fn(&Blind) -> &String| blind.as_ref().map(|b| read(b).clone());
        let of_detail = |read: fn(&Detail) -> &String| detail.as_ref().map(|d| read(d).clone());
        let contacts = full.phones.into_iter().map(|(m, phone)| Contact { member: m.api(), phone });
        Self {
            id: full.line.case.id.api(),
            case_no: full.line.case.case_no,
            read_as: match full.reader {
                Reader::Asker => "asker",
                Reader::Taker => "taker",
            },
            decade: blind.as_ref().map(|b| b.decade),
            sex: of_blind(|b| &b.sex),
            condition: of_blind(|b| &b.condition),
            can_travel: of_blind(|b| &b.can_travel),
            blind_question: of_blind(|b| &b.question),
            question: of_detail(|d| &d.question),
            tried: of_detail(|d| &d.tried),
            patient_ref: of_detail(|d| &d.patient_ref),
            details: of_detail(|d| &d.details),
            destroyed_on,
            reports: reports.collect(),
            contacts: contacts.collect(),
        }
    }
}
