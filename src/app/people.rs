//! Associations, institutions, members, PINs and keys: made from the shell, the API or a page.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::{Scope, note};
use super::mail_texts::{AssociationName, CoarseArea, OfficePhone};
use super::replay::{Done, Key};
use super::{App, AppError, Kit, Who};
use crate::domain::consult::{FieldWrong, Wrong, short_text};
use crate::domain::people::{INSTITUTION_KINDS, Role, SpecialtyOffer};
use crate::i18n::{Lang, keys};
use crate::ids::{ApiKeyId, AssociationId, InstitutionId, MemberId};
use crate::seal::{Pin, Secret};
use crate::store::access::{access_end, api_key_add};
use crate::store::audit::audit_start;
use crate::store::people::{
    Association, Institution, Member, association_add, association_by_code, institution_add,
    institution_by_id, institutions_after, member_add, member_by_id, member_leaves, member_pin_failed,
    member_pin_set, members_after, specialties_of, specialty_set,
};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

struct AddAssociation {
    kit: Kit,
    new: Association,
}

impl Command for AddAssociation {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        if association_by_code(tx, &self.new.code).await?.is_some() {
            return Ok(false);
        }
        association_add(tx, &self.new, self.kit.now).await?;
        audit_start(tx, &self.new.id).await?;
        let who = Who::cli(&self.new.id);
        let subject = format!("association:{}", self.new.id);
        note(tx, &self.kit, &who, "association.add", &subject, json!({ "code": self.new.code })).await?;
        Ok(true)
    }
}

/// An institution to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl NewInstitution {
    fn wrong_fields(&self) -> Vec<FieldWrong> {
        let area = CoarseArea::new(&self.area).err().map(|_| Wrong::NotText);
        let city = !self.city_code.bytes().all(|b| b.is_ascii_digit()) || self.city_code.len() > 6;
        collect([
            ("name", short_text(&self.name, true)),
            ("kind", (!INSTITUTION_KINDS.contains(&self.kind.as_str())).then_some(Wrong::NotAChoice)),
            ("area", short_text(&self.area, true).or(area)),
            ("city_code", city.then_some(Wrong::NotText)),
            ("phone", self.phone.as_deref().and_then(phone_wrong)),
        ])
    }
}

fn collect<const N: usize>(fields: [(&'static str, Option<Wrong>); N]) -> Vec<FieldWrong> {
    fields.into_iter().filter_map(|(field, w)| w.map(|wrong| FieldWrong { field, wrong })).collect()
}

/// Digits, `+`, `-`, brackets and spaces, with 3 to 15 digits (E.164).
fn phone_wrong(phone: &str) -> Option<Wrong> {
    use unicode_normalization::UnicodeNormalization as _;
    let plain: String = phone.nfkc().collect();
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    let other = plain.chars().any(|c| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '(' | ')' | ' ' | '#'));
    (other || !(3..=15).contains(&digits)).then_some(Wrong::NotText)
}

/// Looks like an address; old carrier addresses with dots side by side are taken (they exist).
fn email_wrong(email: &str) -> Option<Wrong> {
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

struct AddInstitution {
    kit: Kit,
    who: Who,
    id: InstitutionId,
    new: NewInstitution,
}

impl Command for AddInstitution {
    type Output = InstitutionId;

    async fn apply(&self, tx: &mut Conn) -> Result<InstitutionId, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let at = Sealed { table: "institution", column: "phone", row: self.id.as_str() };
        let phone = match &self.new.phone {
            Some(phone) => Some(kit.vault.seal(tx, association, at, kit.now, phone).await?),
            None => None,
        };
        let institution = Institution {
            id: self.id.clone(),
            name: self.new.name.clone(),
            kind: self.new.kind.clone(),
            area: self.new.area.clone(),
            city_code: self.new.city_code.clone(),
            phone,
        };
        institution_add(tx, association, &institution, kit.now).await?;
        let subject = format!("institution:{}", self.id);
        note(tx, kit, &self.who, "institution.add", &subject, json!({ "kind": self.new.kind })).await?;
        Ok(self.id.clone())
    }
}

/// A member to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl NewMember {
    fn wrong_fields(&self) -> Vec<FieldWrong> {
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
        ])
    }
}

struct AddMember {
    kit: Kit,
    who: Who,
    id: MemberId,
    new: NewMember,
    pin_hash: Option<String>,
}

impl Command for AddMember {
    /// `None`: there is no such institution.
    type Output = Option<MemberId>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, new) = (&self.kit, &self.who.association, &self.new);
        if let Some(institution) = &new.institution
            && institution_by_id(tx, association, institution).await?.is_none()
        {
            return Ok(None);
        }
        let at = Sealed { table: "member", column: "phone", row: self.id.as_str() };
        let phone = match &new.phone {
            Some(phone) => Some(kit.vault.seal(tx, association, at, kit.now, phone).await?),
            None => None,
        };
        let member = Member {
            id: self.id.clone(),
            institution: new.institution.clone(),
            name: new.name.clone(),
            kana: new.kana.clone(),
            email: new.email.clone(),
            phone,
            roles: new.roles.clone(),
            lang: new.lang,
            active_from: kit.now,
            left_at: None,
            pin_hash: None,
            pin_version: 0,
            pin_failures: 0,
            mail_failing_since: None,
        };
        member_add(tx, association, &member).await?;
        for offer in &new.specialties {
            specialty_set(tx, association, &self.id, offer).await?;
        }
        if let Some(hash) = &self.pin_hash {
            member_pin_set(tx, association, &self.id, hash).await?;
        }
        let roles: Vec<&str> = new.roles.iter().map(|r| r.code()).collect();
        let subject = format!("member:{}", self.id);
        let detail = json!({ "roles": roles, "pin": self.pin_hash.is_some() });
        note(tx, kit, &self.who, "member.add", &subject, detail).await?;
        Ok(Some(self.id.clone()))
    }
}

struct SetPin {
    kit: Kit,
    who: Who,
    member: MemberId,
    hash: String,
}

impl Command for SetPin {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let association = &self.who.association;
        if !member_pin_set(tx, association, &self.member, &self.hash).await? {
            return Ok(false);
        }
        // Whoever knew the old PIN keeps nothing.
        access_end(tx, association, &self.member, self.kit.now).await?;
        let subject = format!("member:{}", self.member);
        note(tx, &self.kit, &self.who, "member.pin_set", &subject, json!({})).await?;
        Ok(true)
    }
}

struct Leave {
    kit: Kit,
    who: Who,
    member: MemberId,
}

impl Command for Leave {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let association = &self.who.association;
        if !member_leaves(tx, association, &self.member, self.kit.now).await? {
            return Ok(false);
        }
        access_end(tx, association, &self.member, self.kit.now).await?;
        let subject = format!("member:{}", self.member);
        note(tx, &self.kit, &self.who, "member.leave", &subject, json!({})).await?;
        Ok(true)
    }
}

struct AddKey {
    kit: Kit,
    who: Who,
    id: ApiKeyId,
    label: String,
    scopes: String,
    hash: [u8; 32],
}

impl Command for AddKey {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let association = &self.who.association;
        api_key_add(tx, association, &self.id, &self.label, &self.scopes, &self.hash, self.kit.now).await?;
        let subject = format!("key:{}", self.id);
        // The label is free text and may name somebody; it stands with the key.
        let detail = json!({ "scopes": self.scopes });
        note(tx, &self.kit, &self.who, "key.add", &subject, detail).await.map(drop)
    }
}

/// A wrong PIN typed through the API.
pub(crate) struct ApiWrongPin {
    kit: Kit,
    who: Who,
    member: MemberId,
}

impl ApiWrongPin {
    pub(crate) const fn new(kit: Kit, who: Who, member: MemberId) -> Self {
        Self { kit, who, member }
    }
}

impl Command for ApiWrongPin {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let in_a_row = member_pin_failed(tx, &self.who.association, &self.member).await?;
        let subject = format!("member:{}", self.member);
        note(tx, &self.kit, &self.who, "pin.wrong", &subject, json!({ "in_a_row": in_a_row })).await.map(drop)
    }
}

/// A new association, from the shell.
#[derive(Clone, Debug)]
pub struct NewAssociation {
    /// A short name for commands and sign-in, such as `aoba`.
    pub code: String,
    pub name: String,
    pub zone: chrono_tz::Tz,
    pub office_phone: String,
    pub lang: Lang,
}

impl App {
    /// Makes an association.
    ///
    /// # Errors
    /// Fields that cannot be taken, a code that is taken; the store's.
    pub async fn association_add(&self, new: NewAssociation) -> Result<AssociationId, AppError> {
        let code = new.code.len() > 32
            || new.code.is_empty()
            || !new.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let wrong = collect([
            ("code", code.then_some(Wrong::NotText)),
            ("name", AssociationName::new(&new.name).err().map(|_| Wrong::NotText)),
            ("office_phone", OfficePhone::new(&new.office_phone).err().map(|_| Wrong::NotText)),
        ]);
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let id = AssociationId::new(kit.now, self.chance.as_ref());
        let association = Association {
            id: id.clone(),
            code: new.code,
            name: new.name,
            zone: new.zone,
            office_phone: new.office_phone,
            lang: new.lang,
        };
        if self.db.run(AddAssociation { kit, new: association }).await? {
            Ok(id)
        } else {
            Err(AppError::field("code", Wrong::Taken))
        }
    }

    /// The association with this code.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn association_by_code(&self, code: &str) -> Result<Association, AppError> {
        let mut conn = self.db.read().await?;
        association_by_code(&mut conn, code).await?.ok_or(AppError::NotFound)
    }

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
        let add = AddInstitution { kit: kit.clone(), who: who.clone(), id, new };
        self.run_once(&kit, who, key, add).await
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
        let known = |id: Option<MemberId>| id.ok_or(AppError::field("institution", Wrong::Unknown));
        if let Some(before) = self.replayed(who, key).await? {
            return known(before).map(Done::Again);
        }
        let kit = self.kit();
        let id = MemberId::new(kit.now, self.chance.as_ref());
        let pin_hash = pin
            .map(|pin| self.vault.seal.pin_hash(&who.association, &id, pin, self.chance.as_ref()))
            .transpose()
            .map_err(StoreError::from)?;
        let add = AddMember { kit: kit.clone(), who: who.clone(), id, new, pin_hash };
        match self.run_once(&kit, who, key, add).await? {
            Done::Fresh(id) => known(id).map(Done::Fresh),
            Done::Again(id) => known(id).map(Done::Again),
        }
    }

    /// Sets a PIN; every device and session of the person ends.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn pin_set(
        &self,
        who: &Who,
        member: &MemberId,
        pin: &Pin,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let found = |there: bool| if there { Ok(()) } else { Err(AppError::NotFound) };
        if let Some(before) = self.replayed(who, key).await? {
            return found(before);
        }
        let hash = self
            .vault
            .seal
            .pin_hash(&who.association, member, pin, self.chance.as_ref())
            .map_err(StoreError::from)?;
        let kit = self.kit();
        let set = SetPin { kit: kit.clone(), who: who.clone(), member: member.clone(), hash };
        found(self.run_once(&kit, who, key, set).await?.into_inner())
    }

    /// A person leaves; their devices and sessions end at once.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also when they left before; the store's.
    pub async fn member_leave(
        &self,
        who: &Who,
        member: &MemberId,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let kit = self.kit();
        let leave = Leave { kit: kit.clone(), who: who.clone(), member: member.clone() };
        let done = self.run_once(&kit, who, key, leave).await?.into_inner();
        if done { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Makes an API key. The secret is shown once and never again.
    ///
    /// # Errors
    /// Fields that cannot be taken; the store's.
    pub async fn key_add(
        &self,
        who: &Who,
        label: &str,
        scopes: &[Scope],
    ) -> Result<(ApiKeyId, Secret), AppError> {
        let wrong = collect([
            ("label", short_text(label, true)),
            ("scopes", scopes.is_empty().then_some(Wrong::Missing)),
        ]);
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let id = ApiKeyId::new(kit.now, self.chance.as_ref());
        let secret = Secret::api_key(self.chance.as_ref());
        let mut codes: Vec<&str> = scopes.iter().map(|s| s.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        let add = AddKey {
            kit,
            who: who.clone(),
            id: id.clone(),
            label: label.to_owned(),
            scopes: codes.join(" "),
            hash: secret.hash(),
        };
        self.db.run(add).await?;
        Ok((id, secret))
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
