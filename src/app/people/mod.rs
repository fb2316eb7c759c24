//! Institutions and members: made from the shell, the API or a page. Associations are `association`, PINs and
//! sheets `enrol`, devices `devices` and `stations`, whether people can be reached `reach`, API keys `keys`.

pub mod association;
pub mod devices;
pub mod enrol;
pub mod keys;
pub mod phone_change;
pub mod reach;
pub mod stations;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use association::NewAssociation;
pub(crate) use association::{AddAssociation, association_name_wrong, code_wrong, office_phone_wrong};
pub(crate) use enrol::ApiWrongPin;
pub(crate) use phone_change::Phones;
use phone_change::number_for;

use super::access::note;
use super::mail_texts::CoarseArea;
use super::replay::{Done, Key};
use super::{App, AppError, Kit, Who};
use crate::domain::consult::{FieldWrong, Wrong, long_text, short_text};
use crate::domain::people::entry::{InstitutionEntry, MemberProfile};
use crate::domain::people::{INSTITUTION_KINDS, Role, SpecialtyOffer};
use crate::i18n::{Lang, keys};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::seal::Pin;
use crate::store::access::sessions_end;
use crate::store::enrolment::reach_tests_void;
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{
    Institution, Member, institution_add, institution_by_code, institution_by_id, institution_change,
    institutions_after, member_add, member_by_id, member_by_no, member_change, member_mail, member_pin_set,
    members_after, specialties_clear, specialties_of, specialty_set,
};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

/// What is said of an institution, to add or to change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInstitution {
    pub name: String,
    /// One of [`INSTITUTION_KINDS`].
    pub kind: String,
    /// The coarse area, such as 青葉北.
    pub area: String,
    /// 全国地方公共団体コード, or empty.
    #[serde(default)]
    pub city_code: String,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub kana: String,
    /// 保険医療機関コード, ten digits, or empty.
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub fax: Option<String>,
    #[serde(default)]
    pub entry: InstitutionEntry,
}

impl NewInstitution {
    /// What cannot be taken, by field.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let area = CoarseArea::new(&self.area).err().map(|_| Wrong::NotText);
        let city = !self.city_code.bytes().all(|b| b.is_ascii_digit()) || self.city_code.len() > 6;
        collect([
            ("name", short_text(&self.name, true)),
            ("kind", (!INSTITUTION_KINDS.contains(&self.kind.as_str())).then_some(Wrong::NotAChoice)),
            ("area", short_text(&self.area, true).or(area)),
            ("city_code", city.then_some(Wrong::NotText)),
            ("phone", self.phone.as_deref().and_then(phone_wrong)),
            ("kana", short_text(&self.kana, false)),
            ("code", (!digits_or_none(&self.code, 10)).then_some(Wrong::NotText)),
            ("fax", self.fax.as_deref().and_then(phone_wrong)),
            ("postcode", (!digits_or_none(&self.entry.postcode, 7)).then_some(Wrong::NotText)),
            ("address", short_text(&self.entry.address, false)),
            (
                "serves",
                self.entry.serves.iter().find_map(|a| CoarseArea::new(a).err()).map(|_| Wrong::NotText),
            ),
            ("hours", short_text(&self.entry.hours, false)),
            ("contact_person", short_text(&self.entry.contact_person, false)),
            ("accepts", long_text(&self.entry.accepts, false)),
            ("note", long_text(&self.entry.note, false)),
        ])
    }
}

pub(crate) fn digits_or_none(text: &str, digits: usize) -> bool {
    text.is_empty() || (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
}

pub(crate) fn collect<const N: usize>(fields: [(&'static str, Option<Wrong>); N]) -> Vec<FieldWrong> {
    fields.into_iter().filter_map(|(field, w)| w.map(|wrong| FieldWrong { field, wrong })).collect()
}

/// Digits, `+`, `-`, brackets and spaces, with 3 to 15 digits (E.164).
pub(crate) fn phone_wrong(phone: &str) -> Option<Wrong> {
    use unicode_normalization::UnicodeNormalization as _;
    let plain: String = phone.nfkc().collect();
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    let other = plain.chars().any(|c| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '(' | ')' | ' ' | '#'));
    (other || !(3..=15).contains(&digits)).then_some(Wrong::NotText)
}

/// Looks like an address; old carrier addresses with dots side by side are taken (they exist).
pub(crate) fn email_wrong(email: &str) -> Option<Wrong> {
    if let Some(wrong) = short_text(email, true) {
        return Some(wrong);
    }
    let ok = email.is_ascii()
        && !email.contains(char::is_whitespace)
        && email.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && host.contains('.')
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    (!ok).then_some(Wrong::NotText)
}

/// The numbers of an institution or member, sealed for their columns.
async fn sealed(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    at: Sealed<'_>,
    plain: Option<&str>,
) -> Result<Option<Vec<u8>>, StoreError> {
    match plain {
        Some(plain) => kit.vault.seal_lasting(tx, association, at, plain).await.map(Some),
        None => Ok(None),
    }
}

impl NewInstitution {
    async fn into_row(
        self,
        tx: &mut Conn,
        kit: &Kit,
        association: &AssociationId,
        id: InstitutionId,
        revision: i64,
    ) -> Result<Institution, StoreError> {
        let at = |column| Sealed { table: "institution", column, row: id.as_str() };
        let phone = sealed(tx, kit, association, at("phone"), self.phone.as_deref()).await?;
        let fax = sealed(tx, kit, association, at("fax"), self.fax.as_deref()).await?;
        Ok(Institution {
            phone,
            fax,
            name: self.name,
            kind: self.kind,
            area: self.area,
            city_code: self.city_code,
            kana: self.kana,
            code: self.code,
            entry: self.entry,
            revision,
            reviewed: Some(kit.now),
            closed: None,
            id,
        })
    }
}

/// How writing an institution or a member ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Written<T> {
    Done(T),
    /// No such institution.
    NoInstitution,
    /// The code or number belongs to another one.
    Taken,
    NotFound,
    /// Changed by somebody else meanwhile.
    Stale,
}

impl<T> Written<T> {
    fn or_refuse(self, unique: &'static str) -> Result<T, AppError> {
        match self {
            Self::Done(value) => Ok(value),
            Self::NoInstitution => Err(AppError::field("institution", Wrong::Unknown)),
            Self::Taken => Err(AppError::field(unique, Wrong::Taken)),
            Self::NotFound => Err(AppError::NotFound),
            Self::Stale => Err(AppError::ChangedMeanwhile),
        }
    }
}

/// Writes an institution: a new one, or one at `revision` anew.
pub(crate) struct PutInstitution {
    pub kit: Kit,
    pub who: Who,
    pub id: InstitutionId,
    /// `None`: it is new.
    pub revision: Option<i64>,
    pub new: NewInstitution,
}

impl Command for PutInstitution {
    type Output = Written<InstitutionId>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, new) = (&self.kit, &self.who.association, &self.new);
        if !new.code.is_empty()
            && institution_by_code(tx, association, &new.code).await?.is_some_and(|other| other != self.id)
        {
            return Ok(Written::Taken);
        }
        let revision = self.revision.unwrap_or(0);
        let row = new.clone().into_row(tx, kit, association, self.id.clone(), revision).await?;
        if self.revision.is_none() {
            institution_add(tx, association, &row, kit.now).await?;
        } else if !institution_change(tx, association, &row, kit.now).await? {
            let there = institution_by_id(tx, association, &self.id).await?.is_some();
            return Ok(if there { Written::Stale } else { Written::NotFound });
        }
        let action = if self.revision.is_none() { "institution.add" } else { "institution.change" };
        let subject = format!("institution:{}", self.id);
        note(tx, kit, &self.who, action, &subject, json!({ "kind": new.kind })).await?;
        Ok(Written::Done(self.id.clone()))
    }
}

/// What is said of a member, to add or to change them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    pub name: String,
    #[serde(default)]
    pub kana: String,
    pub institution: Option<InstitutionId>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub phone: Option<String>,
    pub roles: Vec<Role>,
    #[serde(default)]
    pub lang: Lang,
    /// What they volunteer for.
    #[serde(default)]
    pub specialties: Vec<SpecialtyOffer>,
    /// 会員番号, or empty.
    #[serde(default)]
    pub member_no: String,
    #[serde(default)]
    pub fax: Option<String>,
    #[serde(default)]
    pub profile: MemberProfile,
}

impl NewMember {
    /// What cannot be taken, by field.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let specialties = self.specialties.iter().find_map(|s| {
            let known = keys(Lang::Ja).contains(&format!("word-specialty-{}", s.specialty));
            let minutes = s.from_min > 1_440 || s.to_min > 1_440;
            let areas = s.areas.iter().any(|a| CoarseArea::new(a).is_err());
            if !known {
                Some(Wrong::NotAChoice)
            } else if minutes || areas {
                Some(Wrong::OutOfRange)
            } else {
                None
            }
        });
        collect([
            ("name", short_text(&self.name, true)),
            ("kana", short_text(&self.kana, false)),
            ("email", self.email.as_deref().and_then(email_wrong)),
            ("phone", self.phone.as_deref().and_then(phone_wrong)),
            ("roles", self.roles.is_empty().then_some(Wrong::Missing)),
            ("specialties", specialties),
            ("member_no", short_text(&self.member_no, false)),
            ("fax", self.fax.as_deref().and_then(phone_wrong)),
            ("note", long_text(&self.profile.note, false)),
        ])
    }
}

/// Writes a member: a new one, or one at `revision` anew. What proves who they are stays as it is, but for
/// the first PIN of a new one.
pub(crate) struct PutMember {
    pub kit: Kit,
    pub who: Who,
    pub id: MemberId,
    /// `None`: they are new.
    pub revision: Option<i64>,
    pub new: NewMember,
    pub pin_hash: Option<String>,
    pub phones: Phones,
}

/// Whoever read the old address hears that mail goes elsewhere now: a change that was not theirs is seen.
async fn tell_old_address(tx: &mut Conn, kit: &Kit, who: &Who, before: &Member) -> Result<(), StoreError> {
    let Some(address) = before.email.as_deref().filter(|_| before.is_active(kit.now)) else {
        return Ok(());
    };
    let job = NewJob {
        lane: Lane::Urgent,
        kind: "mail_changed",
        key: format!("mail_changed:{}:{}", before.id, before.revision),
        body: json!({ "member": before.id.as_str(), "to": address }),
        due: kit.now,
    };
    job_add(tx, &who.association, &job, kit.now, kit.vault.chance.as_ref()).await
}

impl Command for PutMember {
    type Output = Written<MemberId>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, new) = (&self.kit, &self.who.association, &self.new);
        if let Some(institution) = &new.institution
            && institution_by_id(tx, association, institution).await?.is_none()
        {
            return Ok(Written::NoInstitution);
        }
        if !new.member_no.is_empty()
            && member_by_no(tx, association, &new.member_no).await?.is_some_and(|other| other != self.id)
        {
            return Ok(Written::Taken);
        }
        let at = |column| Sealed { table: "member", column, row: self.id.as_str() };
        let before = member_by_id(tx, association, &self.id).await?;
        let known = (&self.id, before.as_ref());
        let mut number = number_for(tx, kit, &self.who, known, new.phone.as_deref(), self.phones).await?;
        let member = Member {
            id: self.id.clone(),
            institution: new.institution.clone(),
            name: new.name.clone(),
            kana: new.kana.clone(),
            email: new.email.clone(),
            phone: number.write.take(),
            fax: sealed(tx, kit, association, at("fax"), new.fax.as_deref()).await?,
            roles: new.roles.clone(),
            lang: new.lang,
            member_no: new.member_no.clone(),
            profile: new.profile.clone(),
            revision: self.revision.unwrap_or(0),
            active_from: kit.now,
            left_at: None,
            pin_hash: None,
            pin_version: 0,
            pin_failures: 0,
            mail_failing_since: None,
        };
        if self.revision.is_none() {
            member_add(tx, association, &member).await?;
        } else if !member_change(tx, association, &member).await? {
            let there = before.is_some_and(|m| m.left_at.is_none());
            return Ok(if there { Written::Stale } else { Written::NotFound });
        }
        number.carry_out(tx, kit, &self.who).await?;
        // What somebody may do counts at once, also where they are signed in.
        let set = |roles: &[Role]| roles.iter().copied().collect::<std::collections::BTreeSet<_>>();
        if before.as_ref().is_some_and(|before| set(&before.roles) != set(&new.roles)) {
            sessions_end(tx, association, &self.id, kit.now).await?;
        }
        if let Some(before) = before.filter(|before| before.email != new.email) {
            tell_old_address(tx, kit, &self.who, &before).await?;
            // What was known of the old address says nothing of the new one.
            reach_tests_void(tx, association, &self.id, "mail", kit.now).await?;
            member_mail(tx, association, &self.id, None).await?;
        }
        specialties_clear(tx, association, &self.id).await?;
        for offer in &new.specialties {
            specialty_set(tx, association, &self.id, offer).await?;
        }
        if let Some(hash) = &self.pin_hash {
            member_pin_set(tx, association, &self.id, hash).await?;
        }
        let roles: Vec<&str> = new.roles.iter().map(|r| r.code()).collect();
        let action = if self.revision.is_none() { "member.add" } else { "member.change" };
        let subject = format!("member:{}", self.id);
        let detail = json!({ "roles": roles, "pin": self.pin_hash.is_some() });
        note(tx, kit, &self.who, action, &subject, detail).await?;
        Ok(Written::Done(self.id.clone()))
    }
}

impl App {
    /// Adds an institution.
    ///
    /// # Errors
    /// Fields that cannot be taken; the store's.
    pub async fn institution_add(
        &self,
        who: &Who,
        new: NewInstitution,
        key: Option<&Key>,
    ) -> Result<Done<InstitutionId>, AppError> {
        let wrong = new.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let id = InstitutionId::new(kit.now, self.chance.as_ref());
        let put = PutInstitution { kit: kit.clone(), who: who.clone(), id, revision: None, new };
        match self.run_once(&kit, who, key, put).await? {
            Done::Fresh(written) => written.or_refuse("code").map(Done::Fresh),
            Done::Again(written) => written.or_refuse("code").map(Done::Again),
        }
    }

    /// Changes an institution that stands at `revision`. Its bank account is changed elsewhere.
    ///
    /// # Errors
    /// Fields that cannot be taken; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn institution_change(
        &self,
        who: &Who,
        id: &InstitutionId,
        revision: i64,
        new: NewInstitution,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let wrong = new.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let (who, id) = (who.clone(), id.clone());
        let put = PutInstitution { kit: kit.clone(), who: who.clone(), id, revision: Some(revision), new };
        self.run_once(&kit, &who, key, put).await?.into_inner().or_refuse("code").map(drop)
    }

    /// Adds a member, with a PIN when one is given.
    ///
    /// # Errors
    /// Fields that cannot be taken; an institution that does not exist; the store's.
    pub async fn member_add(
        &self,
        who: &Who,
        new: NewMember,
        pin: Option<&Pin>,
        key: Option<&Key>,
    ) -> Result<Done<MemberId>, AppError> {
        let wrong = new.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        if let Some(before) = self.replayed::<Written<MemberId>>(who, key).await? {
            return before.or_refuse("member_no").map(Done::Again);
        }
        let kit = self.kit();
        let id = MemberId::new(kit.now, self.chance.as_ref());
        let pin_hash = match pin {
            Some(pin) => Some(self.pin_hash(&who.association, &id, pin).await?),
            None => None,
        };
        let put = PutMember {
            kit: kit.clone(),
            who: who.clone(),
            id,
            revision: None,
            new,
            pin_hash,
            phones: Phones::Wait,
        };
        match self.run_once(&kit, who, key, put).await? {
            Done::Fresh(written) => written.or_refuse("member_no").map(Done::Fresh),
            Done::Again(written) => written.or_refuse("member_no").map(Done::Again),
        }
    }

    /// Changes what is known of a member who stands at `revision`; what they volunteer for is replaced. Their
    /// office roles stay as they are: those are changed by whoever may, see [`Right::Roles`].
    ///
    /// [`Right::Roles`]: crate::domain::people::rights::Right::Roles
    ///
    /// # Errors
    /// Fields that cannot be taken; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn member_change(
        &self,
        who: &Who,
        id: &MemberId,
        revision: i64,
        mut new: NewMember,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let before = self.member(&who.association, id).await?;
        new.roles.retain(|role| !role.is_office());
        new.roles.extend(before.roles.into_iter().filter(|role| role.is_office()));
        let wrong = new.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let put = PutMember {
            kit: kit.clone(),
            who: who.clone(),
            id: id.clone(),
            revision: Some(revision),
            new,
            pin_hash: None,
            phones: Phones::Wait,
        };
        self.run_once(&kit, who, key, put).await?.into_inner().or_refuse("member_no").map(drop)
    }

    /// A sealed number of a member or an institution, to be shown to somebody who may see it.
    ///
    /// # Errors
    /// The store's.
    pub async fn number_shown(
        &self,
        association: &AssociationId,
        (table, column, row): (&'static str, &'static str, &str),
        sealed: Option<&[u8]>,
    ) -> Result<Option<String>, AppError> {
        let Some(sealed) = sealed else { return Ok(None) };
        let mut conn = self.db.read().await?;
        Ok(Some(self.vault.open(&mut conn, association, Sealed { table, column, row }, sealed).await?))
    }

    /// Institutions in the order of their ids.
    ///
    /// # Errors
    /// The store's.
    pub async fn institutions(
        &self,
        association: &AssociationId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Institution>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(institutions_after(&mut conn, association, after, limit).await?)
    }

    /// An institution.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn institution(
        &self,
        association: &AssociationId,
        id: &InstitutionId,
    ) -> Result<Institution, AppError> {
        let mut conn = self.db.read().await?;
        institution_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)
    }

    /// What a member volunteers for.
    ///
    /// # Errors
    /// The store's.
    pub async fn volunteers_for(
        &self,
        association: &AssociationId,
        id: &MemberId,
    ) -> Result<Vec<SpecialtyOffer>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(specialties_of(&mut conn, association, id).await?)
    }

    /// Members in the order of their ids, with what they volunteer for.
    ///
    /// # Errors
    /// The store's.
    pub async fn members(
        &self,
        association: &AssociationId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(Member, Vec<SpecialtyOffer>)>, AppError> {
        let mut conn = self.db.read().await?;
        let mut found = Vec::new();
        for member in members_after(&mut conn, association, after, limit).await? {
            let specialties = specialties_of(&mut conn, association, &member.id).await?;
            found.push((member, specialties));
        }
        Ok(found)
    }

    /// A member.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn member(&self, association: &AssociationId, id: &MemberId) -> Result<Member, AppError> {
        let mut conn = self.db.read().await?;
        member_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)
    }
}
