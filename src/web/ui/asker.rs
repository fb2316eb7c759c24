//! In whose name something is asked for, and taken back: one's own, or that of a person for whom the office types.

use crate::app::Who;
use crate::app::access::SignedIn;
use crate::app::replay::Key;
use crate::app::rows::Member;
use crate::domain::consult::FieldWrong;
use crate::domain::people::rights::{Right, any_may};
use crate::ids::MemberId;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::Fields;
use super::views::Field;
use super::words::Voice;

/// Something that can be asked for.
#[derive(Debug)]
pub(super) struct Asks {
    /// What whoever asks needs.
    pub right: Right,
    /// Its pages, such as `/covers`.
    pub place: &'static str,
    /// The end of the office's page, below the person's.
    pub word: &'static str,
}

/// In whose name it is asked for.
pub(super) struct Asker {
    pub member: Member,
    pub by_office: bool,
    asks: &'static Asks,
}

impl Asker {
    pub(super) fn own(caller: &Caller, asks: &'static Asks) -> Result<Self, Failure> {
        let reader = caller.with_right(asks.right)?;
        if reader.member.institution.is_none() {
            return Err(Failure::not_found());
        }
        Ok(Self { member: reader.member.clone(), by_office: false, asks })
    }

    pub(super) async fn of(caller: &Caller, asks: &'static Asks, id: &str) -> Result<Self, Failure> {
        let id = MemberId::from_stored(id).map_err(|_| Failure::not_found())?;
        let reader = caller.with_right(Right::Enrol)?;
        let member = caller.web.app.member(&reader.association.id, &id).await?;
        let may = any_may(&member.roles, asks.right) && member.institution.is_some();
        if member.is_active(caller.now) && may {
            Ok(Self { member, by_office: true, asks })
        } else {
            Err(Failure::not_found())
        }
    }

    /// Where its form is sent.
    pub(super) fn action(&self) -> String {
        if self.by_office {
            format!("/people/{}/for/{}", self.member.id, self.asks.word)
        } else {
            self.asks.place.to_owned()
        }
    }

    /// Where its form stands.
    pub(super) fn path(&self) -> String {
        if self.by_office { self.action() } else { format!("{}/new", self.asks.place) }
    }

    pub(super) fn who(&self, caller: &Caller) -> Result<Who, Failure> {
        Ok(caller.person()?.who_for(&self.member.id))
    }
}

/// A request that its asker, or the office for them, takes back.
pub(super) struct TakingBack {
    pub who: Who,
    pub key: Key,
    pub reason: String,
}

impl TakingBack {
    /// `path`: where the form is sent.
    pub(super) fn of(
        caller: &Caller,
        (person, asker): (&SignedIn, &MemberId),
        (fields, binding): (&Fields, Binding<'_>),
        path: &str,
    ) -> Result<Self, Failure> {
        if *asker != person.member.id && !person.may(Right::Enrol) {
            return Err(Failure::not_found());
        }
        fields.check(caller, binding)?;
        let key = fields.key(&format!("POST {path}"))?;
        Ok(Self { who: person.who_for(asker), key, reason: fields.text("reason") })
    }

    /// The reason as it was typed, with what is wrong with it.
    pub(super) fn refused(self, caller: &Caller, wrong: &[FieldWrong]) -> Option<Field> {
        let problem = wrong.first().map(|wrong| Voice::wrong(caller.lang, wrong));
        Some(Field { value: self.reason, problem })
    }
}
