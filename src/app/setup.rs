//! The set-up of an installation that has no association yet: a link from the shell, a draft that survives
//! everything, and the one transaction that makes the association, its office and its first administrator.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::note;
use super::people::{
    AddAssociation, NewInstitution, NewMember, Phones, PutInstitution, PutMember, Written,
    association_name_wrong, code_wrong, collect, email_wrong, office_phone_wrong,
};
use super::settings::{OfficeTexts, SKIPPED};
use super::{App, AppError, Kit, Who};
use crate::domain::consult::{FieldWrong, Wrong, short_text};
use crate::domain::people::Role;
use crate::i18n::{Lang, t};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::seal::{Pin, Secret, token_hash};
use crate::store::people::{Association, association_by_id, associations};
use crate::store::settings::{
    setting_put, setup_draft, setup_draft_forget, setup_draft_put, setup_link_add, setup_link_by_token,
    setup_links_use,
};
use crate::store::{Command, Conn, StoreError};

/// A link to the set-up lives this long, in seconds.
pub const SETUP_LINK_LIFE_S: i64 = 86_400;
/// What is proposed as the association's code.
pub const USUAL_CODE: &str = "ishikai";

/// What was answered so far. Nothing in it names a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub code: String,
    pub zone: String,
    pub texts: OfficeTexts,
    /// The members' file comes right after.
    pub import: bool,
    /// The pages that were passed over.
    pub skipped: Vec<String>,
    /// A mail server took a test mail.
    pub mail_works: bool,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            code: USUAL_CODE.to_owned(),
            zone: "Asia/Tokyo".to_owned(),
            texts: OfficeTexts::default(),
            import: false,
            skipped: Vec::new(),
            mail_works: false,
        }
    }
}

impl Draft {
    /// What of the first page cannot be taken.
    #[must_use]
    pub fn association_wrong(&self) -> Vec<FieldWrong> {
        let zone = self.zone.parse::<chrono_tz::Tz>().is_err();
        collect([
            ("name", association_name_wrong(&self.texts.name)),
            ("code", code_wrong(&self.code)),
            ("zone", zone.then_some(Wrong::NotAChoice)),
        ])
    }

    /// Remembers whether a page was passed over.
    pub fn mark(&mut self, page: &str, skipped: bool) {
        self.skipped.retain(|p| p != page);
        if skipped {
            self.skipped.push(page.to_owned());
        }
    }
}

/// What the holder of a set-up link finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setup {
    /// The link is good and there is something to set up.
    Open(Box<Draft>),
    /// The link was used: there is an association now.
    Done,
    /// The link is too old or does not exist.
    Over,
}

/// The first administrator.
#[derive(Clone, Debug, Default)]
pub struct FirstAdministrator {
    pub name: String,
    pub kana: String,
    pub email: String,
}

impl FirstAdministrator {
    /// What cannot be taken, by field.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let email = if self.email.is_empty() { Some(Wrong::Missing) } else { email_wrong(&self.email) };
        collect([
            ("name", short_text(&self.name, true)),
            ("kana", short_text(&self.kana, false)),
            ("email", email),
        ])
    }
}

/// The first administrator's way in.
#[derive(Debug)]
pub struct FirstSignIn {
    /// Where they go now. The token stands behind `#` and in no log.
    pub path: String,
}

struct MakeLink {
    kit: Kit,
    hash: [u8; 32],
}

impl Command for MakeLink {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        if !associations(tx).await?.is_empty() {
            return Ok(false);
        }
        let now = self.kit.now;
        setup_link_add(tx, &self.hash, now, now.plus_s(SETUP_LINK_LIFE_S)).await?;
        Ok(true)
    }
}

struct KeepDraft {
    kit: Kit,
    hash: [u8; 32],
    draft: String,
}

impl Command for KeepDraft {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let link = setup_link_by_token(tx, &self.hash).await?;
        let good = link.is_some_and(|l| l.used.is_none() && self.kit.now < l.expires);
        if good {
            setup_draft_put(tx, &self.draft).await?;
        }
        Ok(good)
    }
}

struct Finish {
    kit: Kit,
    hash: [u8; 32],
    new: Association,
    institution: (InstitutionId, NewInstitution),
    administrator: (MemberId, NewMember),
    pin_hash: String,
    skipped: Vec<String>,
}

impl Command for Finish {
    /// `false`: somebody else has finished, or the link is over.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let kit = &self.kit;
        let link = setup_link_by_token(tx, &self.hash).await?;
        let good = link.is_some_and(|l| l.used.is_none() && kit.now < l.expires);
        // Whoever comes second waits here until the first is through, and then finds no link left.
        if !good || setup_links_use(tx, kit.now).await? == 0 || !associations(tx).await?.is_empty() {
            return Ok(false);
        }
        let who = Who { association: self.new.id.clone(), actor: "setup".to_owned(), on_behalf_of: None };
        AddAssociation { kit: kit.clone(), who: who.clone(), new: self.new.clone() }.apply(tx).await?;
        let (id, new) = self.institution.clone();
        let office = PutInstitution { kit: kit.clone(), who: who.clone(), id, revision: None, new };
        let (id, new) = self.administrator.clone();
        let pin_hash = Some(self.pin_hash.clone());
        let first = PutMember {
            kit: kit.clone(),
            who: who.clone(),
            id,
            revision: None,
            new,
            pin_hash,
            phones: Phones::AtOnce,
        };
        let made = matches!(office.apply(tx).await?, Written::Done(_))
            && matches!(first.apply(tx).await?, Written::Done(_));
        if !made {
            return Err(StoreError::Unusable("the set-up met an association that was not empty".to_owned()));
        }
        let skipped = serde_json::to_string(&self.skipped).unwrap_or_else(|_| "[]".to_owned());
        setting_put(tx, &self.new.id, SKIPPED, &skipped, kit.now).await?;
        setup_draft_forget(tx).await?;
        let subject = format!("association:{}", self.new.id);
        note(tx, kit, &who, "setup.done", &subject, json!({ "skipped": self.skipped })).await?;
        Ok(true)
    }
}

struct MakeSignIn {
    kit: Kit,
    association: AssociationId,
    member: MemberId,
}

impl Command for MakeSignIn {
    type Output = crate::ids::LinkId;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let who = Who::cli(&self.association);
        super::signin::staff::setup_link(tx, &self.kit, &who, &self.member).await
    }
}

/// The first sign-in of the administrator who has just been made: the link behind which they set up how they
/// sign in, opened at once (mail may not work yet), and by mail too.
///
/// # Errors
/// The store's.
async fn first_sign_in(
    app: &App,
    association: &AssociationId,
    member: &MemberId,
) -> Result<FirstSignIn, AppError> {
    let make = MakeSignIn { kit: app.kit(), association: association.clone(), member: member.clone() };
    let link = app.db.run(make).await?;
    let token = app.vault.seal.link_token(&link);
    Ok(FirstSignIn { path: format!("/k#{}", token.as_str()) })
}

impl App {
    /// A new link to the set-up: the whole address. `None`: there is an association already.
    ///
    /// # Errors
    /// The store's.
    pub async fn setup_link(&self) -> Result<Option<String>, AppError> {
        let token = Secret::new(self.chance.as_ref());
        let made = self.db.run(MakeLink { kit: self.kit(), hash: token.hash() }).await?;
        Ok(made.then(|| format!("{}/setup#{}", self.rules.base_url, token.as_str())))
    }

    /// Whether there is no association yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn setup_needed(&self) -> Result<bool, AppError> {
        Ok(self.associations().await?.is_empty())
    }

    /// What stands behind a set-up link.
    ///
    /// # Errors
    /// The store's.
    pub async fn setup(&self, token: &str) -> Result<Setup, AppError> {
        let mut conn = self.db.read().await?;
        let Some(link) = setup_link_by_token(&mut conn, &token_hash(token)).await? else {
            return Ok(Setup::Over);
        };
        if link.used.is_some() {
            return Ok(Setup::Done);
        }
        if self.now() >= link.expires {
            return Ok(Setup::Over);
        }
        let draft = setup_draft(&mut conn).await?;
        // A draft of an older program is no reason to stop: what cannot be read is asked again.
        let draft = draft.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok(Setup::Open(Box::new(draft)))
    }

    /// Keeps what was answered so far. `false`: the link is over.
    ///
    /// # Errors
    /// The store's.
    pub async fn setup_keep(&self, token: &str, draft: &Draft) -> Result<bool, AppError> {
        let text = serde_json::to_string(draft).unwrap_or_else(|_| "{}".to_owned());
        Ok(self.db.run(KeepDraft { kit: self.kit(), hash: token_hash(token), draft: text }).await?)
    }

    /// Makes the association, its office and its first administrator. `None`: the link is over.
    ///
    /// # Errors
    /// Fields that cannot be taken; the store's.
    pub async fn setup_finish(
        &self,
        token: &str,
        draft: &Draft,
        first: &FirstAdministrator,
        pin: &Pin,
        lang: Lang,
    ) -> Result<Option<FirstSignIn>, AppError> {
        let mut texts = draft.texts.clone();
        if texts.name.is_empty() {
            texts.name = t(lang, "setup-usual-name");
        }
        let mut wrong = first.wrong_fields();
        wrong.extend(collect([("office_phone", office_phone_wrong(&texts.phone))]));
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let (kit, chance) = (self.kit(), self.chance.as_ref());
        let association = AssociationId::new(kit.now, chance);
        let (office, member) = (InstitutionId::new(kit.now, chance), MemberId::new(kit.now, chance));
        let (seal, pin, of) = (self.vault.seal.clone(), pin.clone(), (association.clone(), member.clone()));
        let dice = self.chance.clone();
        let pin_hash = tokio::task::spawn_blocking(move || seal.pin_hash(&of.0, &of.1, &pin, dice.as_ref()))
            .await
            .map_err(|_| AppError::Busy)?
            .map_err(StoreError::from)?;
        let finish = Finish {
            kit,
            hash: token_hash(token),
            institution: (
                office.clone(),
                NewInstitution {
                    name: format!("{} {}", texts.name, t(lang, "setup-office-name")),
                    kind: "association".to_owned(),
                    area: t(lang, "setup-office-area"),
                    ..NewInstitution::default()
                },
            ),
            administrator: (
                member.clone(),
                NewMember {
                    name: first.name.clone(),
                    kana: first.kana.clone(),
                    institution: Some(office),
                    email: Some(first.email.clone()),
                    roles: vec![Role::Administrator],
                    lang,
                    ..NewMember::default()
                },
            ),
            new: Association {
                id: association.clone(),
                code: if code_wrong(&draft.code).is_none() {
                    draft.code.clone()
                } else {
                    USUAL_CODE.to_owned()
                },
                name: texts.name,
                zone: draft.zone.parse().unwrap_or(chrono_tz::Asia::Tokyo),
                office_phone: texts.phone,
                lang,
                office: texts.entry,
                revision: 0,
            },
            pin_hash,
            skipped: draft.skipped.clone(),
        };
        if !self.db.run(finish).await? {
            return Ok(None);
        }
        first_sign_in(self, &association, &member).await.map(Some)
    }

    /// An association as it stands now.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn association(&self, id: &AssociationId) -> Result<Association, AppError> {
        let mut conn = self.db.read().await?;
        association_by_id(&mut conn, id).await?.ok_or(AppError::NotFound)
    }
}
