//! Whether people can be reached: test mails, their confirmation, the board of readiness. What the facts
//! mean is `domain::people::reach`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::access::note;
use crate::app::call::settings::may_ring;
use crate::app::flow::make_link_for;
use crate::app::replay::Key;
use crate::app::rows::{ReachFacts, ReachTest};
use crate::app::{App, AppError, Kit, Who};
use crate::domain::people::reach::{
    HardAddress, MailFacts, MailHealth, NextStep, OFFER_PATIENCE_S, OFFERS_WINDOW_S, PhoneFacts, Readiness,
    TEST_PATIENCE_S, hard_address, mail_health, phone_health,
};
use crate::ids::{AssociationId, InstitutionId, MemberId, ReachTestId};
use crate::store::access::{Link, LinkPurpose, link_by_id, link_consume};
use crate::store::enrolment::{TestBy, reach_facts, reach_test_add, reach_test_confirm, reach_tests_of};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{
    Institution, Member, institutions_after, member_by_id, member_mail, members_after,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// People of one association that lists and searches look at; the largest district associations have some
/// three thousand members.
pub const EVERYBODY: i64 = 10_000;

/// Test mails asked for at once.
pub const TESTS_AT_ONCE: usize = 500;

struct SendTests {
    kit: Kit,
    who: Who,
    members: Vec<MemberId>,
}

/// What came of asking for test mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestsSent {
    pub sent: u32,
    /// Without an address, or no longer here.
    pub skipped: u32,
}

impl Command for SendTests {
    type Output = TestsSent;

    async fn apply(&self, tx: &mut Conn) -> Result<TestsSent, StoreError> {
        let (kit, who) = (&self.kit, &self.who);
        let (association, chance) = (&who.association, kit.vault.chance.as_ref());
        let mut done = TestsSent::default();
        for id in &self.members {
            let member = member_by_id(tx, association, id).await?;
            if !member.is_some_and(|m| m.is_active(kit.now) && m.email.is_some()) {
                done.skipped += 1;
                continue;
            }
            let until = kit.now.plus_s(TEST_PATIENCE_S);
            let link = make_link_for(tx, kit, association, id, LinkPurpose::ReachTest, None, until).await?;
            let test = ReachTestId::new(kit.now, chance);
            reach_test_add(tx, association, &test, id, TestBy::Mail(&link), kit.now, &who.actor).await?;
            let job = NewJob {
                lane: Lane::Mail,
                kind: "reach_test",
                key: format!("reach_test:{link}"),
                body: json!({ "member": id.as_str(), "link": link.as_str() }),
                due: kit.now,
            };
            job_add(tx, association, &job, kit.now, chance).await?;
            note(tx, kit, who, "reach.asked", &format!("member:{id}"), json!({ "way": "mail" })).await?;
            done.sent += 1;
        }
        Ok(done)
    }
}

struct Confirm {
    kit: Kit,
    link: Link,
}

impl Command for Confirm {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association, member) = (&self.kit, &self.link.association, &self.link.member);
        let link = link_by_id(tx, association, &self.link.id).await?;
        let good = link.is_some_and(|l| l.voided.is_none() && kit.now < l.expires);
        let there = member_by_id(tx, association, member).await?.is_some_and(|m| m.is_active(kit.now));
        if !good || !there || !reach_test_confirm(tx, association, &self.link.id, kit.now).await? {
            return Ok(false);
        }
        link_consume(tx, association, &self.link.id, kit.now).await?;
        member_mail(tx, association, member, None).await?;
        let who = Who::member(association, member);
        note(tx, kit, &who, "reach.confirmed", &format!("member:{member}"), json!({ "way": "mail" })).await?;
        Ok(true)
    }
}

/// How somebody can be reached, and what the office should do next.
#[derive(Clone, Debug)]
pub struct Reach {
    pub readiness: Readiness,
    pub next: NextStep,
    pub hard_address: Option<HardAddress>,
    pub facts: ReachFacts,
}

/// A person with their institution's name and how they can be reached.
#[derive(Clone, Debug)]
pub struct PersonRow {
    pub member: Member,
    pub institution: Option<Institution>,
    pub reach: Reach,
}

fn reach_of(member: &Member, facts: ReachFacts, pin_tries: i64, may_ring: bool, now: Millis) -> Reach {
    let mail: MailHealth = mail_health(
        &MailFacts {
            has_address: member.email.is_some(),
            refused_since: member.mail_failing_since,
            test_asked: facts.test_asked,
            test_confirmed: facts.test_confirmed,
            offer_opened: facts.offer_opened,
            offers: facts.offers,
        },
        now,
    );
    let phone = phone_health(
        &PhoneFacts {
            has_number: member.phone.is_some(),
            asked: facts.call_asked,
            confirmed: facts.call_confirmed,
            failed: facts.call_failed,
        },
        now,
    );
    let readiness = Readiness {
        mail,
        phone,
        may_ring,
        has_fax: member.fax.is_some(),
        pin_set: member.pin_hash.is_some(),
        pin_locked: member.pin_failures >= pin_tries,
        sheet_made: facts.sheet.is_some(),
        devices: facts.devices,
        is_office: member.is_office(),
    };
    Reach {
        next: readiness.next(),
        readiness,
        hard_address: member.email.as_deref().and_then(hard_address),
        facts,
    }
}

const fn offers_window(now: Millis) -> (Millis, Millis) {
    (now.plus_s(-OFFERS_WINDOW_S), now.plus_s(-OFFER_PATIENCE_S))
}

impl App {
    /// Sends each of these people a test mail.
    ///
    /// # Errors
    /// More than [`TESTS_AT_ONCE`]; the store's.
    pub async fn reach_tests_send(
        &self,
        who: &Who,
        members: &[MemberId],
        key: Option<&Key>,
    ) -> Result<TestsSent, AppError> {
        let mut members = members.to_vec();
        members.sort();
        members.dedup();
        if members.is_empty() {
            return Err(AppError::field("member", crate::domain::consult::Wrong::Missing));
        }
        if members.len() > TESTS_AT_ONCE {
            return Err(AppError::field("member", crate::domain::consult::Wrong::OutOfRange));
        }
        let kit = self.kit();
        let send = SendTests { kit: kit.clone(), who: who.clone(), members };
        Ok(self.run_once(&kit, who, key, send).await?.into_inner())
    }

    /// The person behind a test mail's link says that it arrived. `false`: the link is over, or was none.
    /// Said a second time it stays said.
    ///
    /// # Errors
    /// The store's.
    pub async fn reach_confirm(&self, token: &str) -> Result<bool, AppError> {
        let link = self.link_by_token(token).await?;
        let Some(link) = link.filter(|l| l.purpose == LinkPurpose::ReachTest) else {
            return Ok(false);
        };
        if link.consumed.is_some() {
            return Ok(true);
        }
        Ok(self.db.run(Confirm { kit: self.kit(), link }).await?)
    }

    /// How one member can be reached, with the newest tests.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn reach(
        &self,
        association: &AssociationId,
        id: &MemberId,
    ) -> Result<(Member, Reach, Vec<ReachTest>), AppError> {
        let now = self.now();
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)?;
        let facts = reach_facts(&mut conn, association, Some(id), offers_window(now), now).await?;
        let tests = reach_tests_of(&mut conn, association, id).await?;
        let may_ring = may_ring(&mut conn, &self.vault, association).await?;
        let facts = facts.get(id).copied().unwrap_or_default();
        let reach = reach_of(&member, facts, self.rules.pin_tries_total, may_ring, now);
        Ok((member, reach, tests))
    }

    /// Everybody of the association, those who left too, in the order of their readings.
    ///
    /// # Errors
    /// The store's.
    pub async fn people(&self, association: &AssociationId) -> Result<Vec<PersonRow>, AppError> {
        let now = self.now();
        let mut conn = self.db.read().await?;
        let institutions: BTreeMap<InstitutionId, Institution> =
            institutions_after(&mut conn, association, "", EVERYBODY)
                .await?
                .into_iter()
                .map(|i| (i.id.clone(), i))
                .collect();
        let facts = reach_facts(&mut conn, association, None, offers_window(now), now).await?;
        let members = members_after(&mut conn, association, "", EVERYBODY).await?;
        let may_ring = may_ring(&mut conn, &self.vault, association).await?;
        drop(conn);
        let tries = self.rules.pin_tries_total;
        let mut people: Vec<PersonRow> = members
            .into_iter()
            .map(|member| PersonRow {
                reach: reach_of(
                    &member,
                    facts.get(&member.id).copied().unwrap_or_default(),
                    tries,
                    may_ring,
                    now,
                ),
                institution: member.institution.as_ref().and_then(|id| institutions.get(id)).cloned(),
                member,
            })
            .collect();
        people.sort_by_cached_key(|p| {
            let fold = crate::domain::people::search::fold;
            // Without a reading: behind those who have one.
            let kana = fold(&p.member.kana);
            (kana.is_empty(), kana, fold(&p.member.name), p.member.id.clone())
        });
        Ok(people)
    }
}
