//! Care groups (在宅支援連携体制): made, named, joined and left. The rule stands in `domain::people::directory`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong, long_text, short_text};
use crate::domain::people::directory::{CannotJoin, Membership, may_join};
use crate::ids::{CareGroupId, InstitutionId};
use crate::store::directory::{
    CareGroup, care_group_add, care_group_change, care_group_institutions, care_group_join, care_group_leave,
    care_groups, care_groups_lock,
};
use crate::store::people::institution_by_id;
use crate::store::{Command, Conn, StoreError};

/// How writing about a group ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupDone {
    Done(CareGroupId),
    NotFound,
    /// Changed by somebody else meanwhile.
    Stale,
    /// Another group is called so.
    NameTaken,
    /// No such open institution.
    NoInstitution,
    Cannot(CannotJoin),
}

enum Deed {
    /// A new group, or one at `revision` anew.
    Put {
        revision: Option<i64>,
        name: String,
        note: String,
    },
    Join {
        institution: InstitutionId,
        from: CivilDate,
        until: Option<CivilDate>,
    },
    Leave {
        institution: InstitutionId,
        from: CivilDate,
        until: CivilDate,
    },
}

struct Change {
    kit: Kit,
    who: Who,
    id: CareGroupId,
    deed: Deed,
}

impl Command for Change {
    type Output = GroupDone;

    async fn apply(&self, tx: &mut Conn) -> Result<GroupDone, StoreError> {
        let association = &self.who.association;
        care_groups_lock(tx, association).await?;
        let groups = care_groups(tx, association).await?;
        let is_new = matches!(self.deed, Deed::Put { revision: None, .. });
        if !is_new && !groups.iter().any(|g| g.id == self.id) {
            return Ok(GroupDone::NotFound);
        }
        let (action, detail) = match &self.deed {
            Deed::Put { revision, name, note } => {
                if groups.iter().any(|g| g.name == *name && g.id != self.id) {
                    return Ok(GroupDone::NameTaken);
                }
                let group = CareGroup {
                    id: self.id.clone(),
                    name: name.clone(),
                    note: note.clone(),
                    revision: revision.unwrap_or(0),
                };
                if is_new {
                    care_group_add(tx, association, &group, self.kit.now).await?;
                } else if !care_group_change(tx, association, &group).await? {
                    return Ok(GroupDone::Stale);
                }
                (if is_new { "care_group.add" } else { "care_group.change" }, json!({}))
            }
            Deed::Join { institution, from, until } => {
                let found = institution_by_id(tx, association, institution).await?;
                if found.is_none_or(|i| i.closed.is_some()) {
                    return Ok(GroupDone::NoInstitution);
                }
                let new = Membership {
                    group: self.id.clone(),
                    institution: institution.clone(),
                    from: *from,
                    until: *until,
                };
                let all = care_group_institutions(tx, association).await?;
                if let Err(why) = may_join(&all, &new) {
                    return Ok(GroupDone::Cannot(why));
                }
                care_group_join(tx, association, &new).await?;
                let until = until.map(|d| d.to_string());
                let detail =
                    json!({ "institution": institution.as_str(), "from": from.to_string(), "until": until });
                ("care_group.join", detail)
            }
            Deed::Leave { institution, from, until } => {
                let all = care_group_institutions(tx, association).await?;
                let found = all
                    .iter()
                    .find(|m| m.group == self.id && m.institution == *institution && m.from == *from);
                let Some(membership) = found else {
                    return Ok(GroupDone::NotFound);
                };
                // Later than it ended before would be joining again, past the rule.
                if membership.until.is_some_and(|before| before < *until) {
                    return Ok(GroupDone::Stale);
                }
                care_group_leave(tx, association, membership, *until).await?;
                let detail = json!({
                    "institution": institution.as_str(), "from": from.to_string(), "until": until.to_string(),
                });
                ("care_group.leave", detail)
            }
        };
        note(tx, &self.kit, &self.who, action, &format!("care_group:{}", self.id), detail).await?;
        Ok(GroupDone::Done(self.id.clone()))
    }
}

fn wrong_fields(name: &str, note: &str) -> Result<(), AppError> {
    let wrong: Vec<FieldWrong> = [("name", short_text(name, true)), ("note", long_text(note, false))]
        .into_iter()
        .filter_map(|(field, w)| w.map(|wrong| FieldWrong { field, wrong }))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

impl App {
    async fn group(
        &self,
        who: &Who,
        id: CareGroupId,
        deed: Deed,
        key: Option<&Key>,
    ) -> Result<GroupDone, AppError> {
        let kit = self.kit();
        let change = Change { kit: kit.clone(), who: who.clone(), id, deed };
        match self.run_once(&kit, who, key, change).await?.into_inner() {
            GroupDone::NotFound => Err(AppError::NotFound),
            GroupDone::Stale => Err(AppError::ChangedMeanwhile),
            GroupDone::NameTaken => Err(AppError::field("name", Wrong::Taken)),
            GroupDone::NoInstitution => Err(AppError::field("institution", Wrong::Unknown)),
            done => Ok(done),
        }
    }

    /// Makes a care group.
    ///
    /// # Errors
    /// Fields that cannot be taken, a name that is taken; the store's.
    pub async fn care_group_add(
        &self,
        who: &Who,
        name: &str,
        note: &str,
        key: Option<&Key>,
    ) -> Result<CareGroupId, AppError> {
        wrong_fields(name, note)?;
        let id = CareGroupId::new(self.now(), self.chance.as_ref());
        let deed = Deed::Put { revision: None, name: name.to_owned(), note: note.to_owned() };
        match self.group(who, id.clone(), deed, key).await? {
            GroupDone::Done(id) => Ok(id),
            _ => Ok(id),
        }
    }

    /// Names a care group anew that stands at `revision`.
    ///
    /// # Errors
    /// As [`App::care_group_add`]; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`].
    pub async fn care_group_change(
        &self,
        who: &Who,
        id: &CareGroupId,
        revision: i64,
        (name, note): (&str, &str),
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        wrong_fields(name, note)?;
        let deed = Deed::Put { revision: Some(revision), name: name.to_owned(), note: note.to_owned() };
        self.group(who, id.clone(), deed, key).await.map(drop)
    }

    /// An institution joins a care group from a day on, until its last day or openly.
    ///
    /// # Errors
    /// An institution that is not there or closed; [`AppError::NotFound`]; the store's.
    pub async fn care_group_join(
        &self,
        who: &Who,
        new: &Membership,
        key: Option<&Key>,
    ) -> Result<Result<(), CannotJoin>, AppError> {
        let deed = Deed::Join { institution: new.institution.clone(), from: new.from, until: new.until };
        Ok(match self.group(who, new.group.clone(), deed, key).await? {
            GroupDone::Cannot(why) => Err(why),
            _ => Ok(()),
        })
    }

    /// Sets the last day of an institution in a care group; a day before its first takes it out altogether.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`] when it ended earlier; the store's.
    pub async fn care_group_leave(
        &self,
        who: &Who,
        membership: &Membership,
        until: CivilDate,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let deed = Deed::Leave { institution: membership.institution.clone(), from: membership.from, until };
        self.group(who, membership.group.clone(), deed, key).await.map(drop)
    }
}
