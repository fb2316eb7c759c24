//! Duty as facts for the ledger: what the rota says, as it was known at one instant.

use std::collections::BTreeMap;

use super::world::instants;
use crate::domain::calendar::Calendar;
use crate::domain::ledger::{Code, Fact, Membership, Month, People, Tariffs, stretches, turns};
use crate::domain::rota::{Area, RotaRole, SlotKey, Timeline};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::people::{Institution, Member, institutions_after, members_after};
use crate::store::rota::records::records_since;
use crate::store::{Conn, StoreError};
use crate::time::{Millis, Window};

/// How far back an unbroken hold may reach that gives turns in a month.
const HOLD_BACK_S: i64 = 400 * 86_400;
/// Duty that begins this long before the month may reach into it.
const REACH_S: i64 = 3 * 86_400;
/// Rows read at a time.
const PAGE: i64 = 1_000;

struct Everybody {
    members: BTreeMap<MemberId, Member>,
    institutions: BTreeMap<InstitutionId, Institution>,
    unknown: Code,
}

impl Everybody {
    async fn of(conn: &mut Conn, association: &AssociationId) -> Result<Self, StoreError> {
        let (mut members, mut institutions) = (BTreeMap::new(), BTreeMap::new());
        let mut after = String::new();
        loop {
            let page = members_after(conn, association, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            last.id.as_str().clone_into(&mut after);
            members.extend(page.into_iter().map(|m| (m.id.clone(), m)));
        }
        after.clear();
        loop {
            let page = institutions_after(conn, association, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            last.id.as_str().clone_into(&mut after);
            institutions.extend(page.into_iter().map(|i| (i.id.clone(), i)));
        }
        let unknown =
            "unknown".parse().map_err(|_| StoreError::Unusable("a code is not a code".to_owned()))?;
        Ok(Self { members, institutions, unknown })
    }
}

impl People for Everybody {
    fn institution_kind(&self, institution: &InstitutionId) -> Code {
        let kind = self.institutions.get(institution).and_then(|i| i.kind.parse().ok());
        kind.unwrap_or_else(|| self.unknown.clone())
    }

    fn membership(&self, person: &MemberId, at: Millis) -> Membership {
        match self.members.get(person) {
            Some(member) if member.is_active(at) => Membership::Active,
            Some(_) => Membership::Lapsed,
            None => Membership::NotAMember,
        }
    }

    fn institution_membership(&self, institution: &InstitutionId, at: Millis) -> Membership {
        match self.institutions.get(institution) {
            Some(found) if found.closed.is_none_or(|closed| at < closed) => Membership::Active,
            Some(_) => Membership::Lapsed,
            None => Membership::NotAMember,
        }
    }
}

/// The stretches of duty and the 24-hour turns of a month, and those beside it that reach into it: as the rota was
/// known at `as_of`, and only what had begun by then.
pub(super) async fn duty_facts(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
    as_of: Millis,
    (calendar, tariffs, zone): (&Calendar, &Tariffs, chrono_tz::Tz),
) -> Result<Vec<Fact>, StoreError> {
    let (from, to) = instants(month, zone);
    let records = records_since(conn, association, from.plus_s(-HOLD_BACK_S)).await?;
    if records.publications.is_empty() && records.overrides.is_empty() {
        return Ok(Vec::new());
    }
    let mut windows: BTreeMap<(Area, SlotKey, RotaRole), Window> = BTreeMap::new();
    let mut publications: Vec<_> = records.publications.iter().filter(|p| p.recorded_at <= as_of).collect();
    publications.sort_by_key(|p| (p.recorded_at, p.id.clone()));
    for duty in publications.into_iter().flat_map(|p| &p.assignments) {
        windows.insert((duty.area.clone(), duty.slot.clone(), duty.role), duty.window);
    }
    let timeline = Timeline::new(&records, Some(as_of));
    let everybody = Everybody::of(conn, association).await?;
    let within = Window { from: from.plus_s(-REACH_S), to };
    let laws = (calendar, tariffs, zone);
    let held = stretches(association, &timeline, within, &windows, &everybody, laws);
    let held = held.into_iter().filter(|s| s.window.from < as_of).map(|s| Fact::Standby(Box::new(s)));
    let whole = turns(association, &timeline, Window { from, to }, &everybody, calendar, zone);
    let whole = whole.into_iter().filter(|t| t.window.from < as_of).map(Fact::Turn);
    Ok(held.chain(whole).collect())
}
