//! Whose clinic a page is about: one's own, or any clinic, by the office.

use crate::app::access::SignedIn;
use crate::domain::people::rights::Right;
use crate::ids::InstitutionId;

use super::caller::Caller;
use super::failure::Failure;
use super::views::{Choice, Choices};

/// Institutions to choose from.
pub(super) const EVERYWHERE: i64 = 1_000;

/// A clinic, and who looks at it.
pub(super) struct Of<'a> {
    pub reader: &'a SignedIn,
    pub clinic: InstitutionId,
    /// Where its pages begin.
    pub base: String,
    /// The office types for the clinic.
    pub office: bool,
}

impl Of<'_> {
    /// One's own clinic; its pages begin at `base`.
    pub(super) fn own<'a>(caller: &'a Caller, base: &str) -> Result<Of<'a>, Failure> {
        let reader = caller.with_right(Right::Ask)?;
        let clinic = reader.member.institution.clone().ok_or(Failure::not_found())?;
        Ok(Of { reader, clinic, base: base.to_owned(), office: false })
    }

    /// A clinic of the reader's association, by the office; its pages begin at `below` and its id.
    pub(super) async fn office<'a>(caller: &'a Caller, below: &str, id: &str) -> Result<Of<'a>, Failure> {
        let clinic = InstitutionId::from_stored(id).map_err(|_| Failure::not_found())?;
        let reader = caller.with_right(Right::Enrol)?;
        caller.web.app.institution(&reader.association.id, &clinic).await?;
        Ok(Of { reader, base: format!("{below}/{clinic}"), clinic, office: true })
    }
}

/// The open clinics of the reader's association, to choose from.
pub(super) async fn clinics(caller: &Caller, reader: &SignedIn, chosen: &str) -> Result<Choices, Failure> {
    let all = caller.web.app.institutions(&reader.association.id, "", EVERYWHERE).await?;
    let open = all
        .into_iter()
        .filter(|i| i.closed.is_none() && matches!(i.kind.as_str(), "clinic" | "home_care_clinic"));
    let options = open.map(|i| Choice {
        chosen: i.id.as_str() == chosen,
        value: i.id.to_string(),
        label: i.name,
        note: None,
    });
    Ok(Choices { options: options.collect(), problem: None })
}
