//! A case as its asker or its taker reads it: the one answer of the API with clinical text.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::views::{FullCase, Reader};

/// A case opened for one of its two doctors.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Clinical {
    id: String,
    case_no: String,
    /// `asker` or `taker`.
    read_as: &'static str,
    decade: u32,
    sex: String,
    condition: String,
    can_travel: String,
    /// As it is shown before acceptance.
    blind_question: String,
    question: String,
    tried: String,
    patient_ref: String,
    details: String,
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
    assessment: String,
    do_now: String,
    follow_up: String,
    refer_when: String,
}

/// How to reach somebody.
#[derive(Debug, Serialize, ToSchema)]
struct Contact {
    member: String,
    phone: String,
}

impl From<FullCase> for Clinical {
    fn from(full: FullCase) -> Self {
        let reports = full.told.into_iter().map(|told| ReportOut {
            member: told.member.api(),
            at: told.at.rfc3339(),
            minutes: told.minutes,
            outcome: told.outcome,
            assessment: told.answer.assessment,
            do_now: told.answer.do_now,
            follow_up: told.answer.follow_up,
            refer_when: told.answer.refer_when,
        });
        let contacts = full.phones.into_iter().map(|(m, phone)| Contact { member: m.api(), phone });
        Self {
            id: full.line.case.id.api(),
            case_no: full.line.case.case_no,
            read_as: match full.reader {
                Reader::Asker => "asker",
                Reader::Taker => "taker",
            },
            decade: full.blind.decade,
            sex: full.blind.sex,
            condition: full.blind.condition,
            can_travel: full.blind.can_travel,
            blind_question: full.blind.question,
            question: full.detail.question,
            tried: full.detail.tried,
            patient_ref: full.detail.patient_ref,
            details: full.detail.details,
            reports: reports.collect(),
            contacts: contacts.collect(),
        }
    }
}
