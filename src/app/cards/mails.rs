//! Mails about night cards: that somebody broke the glass, and that cards have become old. Nothing of a patient
//! stands in them.

use serde::Deserialize;
use serde_json::json;

use super::super::Kit;
use super::super::mail_texts::{Link as MailLink, Mail, NotEnvelope};
use super::attending_of;
use crate::domain::people::Role;
use crate::ids::{AssociationId, MemberId};
use crate::store::cards::PassRow;
use crate::store::jobs::{Job, Lane, NewJob, job_add};
use crate::store::people::{Association, Member, member_by_id, members_with_role};
use crate::store::{Conn, StoreError};

#[derive(Deserialize)]
struct Body {
    member: MemberId,
    what: String,
    count: u32,
}

/// Everything such a mail can say, and the page it leads to.
const WHATS: [(&str, &str); 3] = [("glass", "/cards"), ("glass_office", "/cards/broken"), ("old", "/cards")];

pub(super) async fn tell(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    member: &MemberId,
    (what, count): (&str, usize),
    key: String,
) -> Result<(), StoreError> {
    let job = NewJob {
        lane: if what == "old" { Lane::Mail } else { Lane::Urgent },
        kind: "card_notice",
        key,
        body: json!({ "member": member.as_str(), "what": what, "count": count }),
        due: kit.now,
    };
    job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await
}

/// The attending doctors, the coordinators and the officers hear of it at once.
pub(super) async fn glass_broken(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    pass: &PassRow,
) -> Result<(), StoreError> {
    let key = |person: &MemberId| format!("card:{}:glass:{person}", pass.id);
    let attending = attending_of(tx, association, &pass.clinic, kit.now).await?;
    for person in &attending {
        tell(tx, kit, association, person, ("glass", 1), key(person)).await?;
    }
    let mut office = members_with_role(tx, association, Role::Coordinator, kit.now).await?;
    office.extend(members_with_role(tx, association, Role::Officer, kit.now).await?);
    office.sort();
    office.dedup();
    for person in office.iter().filter(|person| !attending.contains(person)) {
        tell(tx, kit, association, person, ("glass_office", 1), key(person)).await?;
    }
    Ok(())
}

/// The mail of a piece of work; `None`: it is not wanted any more.
pub(crate) async fn mail_of(
    tx: &mut Conn,
    kit: &Kit,
    home: &Association,
    job: &Job,
) -> Result<Option<(Member, Result<Mail, NotEnvelope>)>, StoreError> {
    let Body { member, what, count } =
        serde_json::from_str(&job.body).map_err(|e| StoreError::corrupt("job", &job.id, e))?;
    let known = WHATS.into_iter().find(|(known, _)| *known == what);
    let (what, page) = known.ok_or_else(|| StoreError::corrupt("job", &job.id, "what".to_owned()))?;
    let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(kit.now));
    let page = MailLink::new(format!("{}{page}", kit.rules.base_url));
    Ok(person.map(|person| (person, page.map(|page| Mail::Card { what, count, page }))))
}
