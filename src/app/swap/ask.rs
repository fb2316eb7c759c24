//! Opening requests about duties: by the doctor or somebody for them, because somebody is ill, because somebody
//! left. What they change in the rota is `follow`.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::consult::{Asked, Asking};
use super::super::flow::{Act, apply, next_case_no};
use super::super::rota::changes::swap_take;
use super::super::{Kit, Who};
use super::follow::{
    not_so_any_more, put_over, refused, release_covers, taken_now, tell_of_duty, void_swept,
};
use super::{NewSwap, OPEN_MAX, SwapAsked, duty_view, facts_of};
use crate::domain::calendar::civil_day;
use crate::domain::consult::Wrong;
use crate::domain::dispatch::{Event, Plan, Request, Rule};
use crate::domain::people::Role;
use crate::domain::rota::{Area, DutyView, Form, Gap, MoveUp, RotaRole, Stretch, SwapFacts, move_up};
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId};
use crate::store::dispatch::request_load;
use crate::store::people::{institutions_after, member_by_id, members_with_role};
use crate::store::requests::{NewCase, case_add};
use crate::store::rota::rota_touch;
use crate::store::secrets::Sealed;
use crate::store::swaps::{swap_override_add, swap_requests_open};
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// The plan whose steps come last where the coordinator has to agree.
const APPROVAL: &str = "swap_approval";
/// Gaps of somebody who left that are called for at once.
const GAPS_MAX: usize = 60;
/// How far ahead gaps of somebody who left are looked for.
const AHEAD_S: i64 = 400 * 86_400;

pub(super) struct AskSwap {
    pub kit: Kit,
    pub who: Who,
    pub asking: Asking,
    pub new: NewSwap,
}

impl AskSwap {
    /// The facts, or what stands against asking.
    async fn facts(
        &self,
        tx: &mut Conn,
        view: &DutyView,
    ) -> Result<Result<SwapFacts, SwapAsked>, StoreError> {
        let wrong = |field: &str, wrong| Ok(Err(SwapAsked::Wrong(field.to_owned(), wrong)));
        let (now, new) = (self.kit.now, &self.new);
        let giver = (new.form != Form::Hole).then(|| self.asking.asker.clone());
        let gives = new.gives.stretch(view);
        if gives.rest(now).is_none() {
            return Ok(Err(SwapAsked::Refused(Rule::DutyOver)));
        }
        let held = |person: &MemberId, duty: &Stretch| {
            let rest = Window { from: duty.window.from.max(now), to: duty.window.to };
            view.timeline.holds(person, &duty.area, duty.role, rest)
        };
        match &giver {
            Some(giver) if !held(giver, &gives) => return Ok(Err(SwapAsked::Refused(Rule::DutyNotHeld))),
            None if !view
                .is_hole(&Stretch { window: gives.rest(now).unwrap_or(gives.window), ..gives.clone() }) =>
            {
                return Ok(Err(SwapAsked::Refused(Rule::DutyNotHeld)));
            }
            _ => {}
        }
        let (mut takes, mut other) = (None, None);
        if new.form == Form::Exchange {
            let Some(named) = &new.takes else { return wrong("takes", Wrong::Missing) };
            let back = named.stretch(view);
            let holders = view.timeline.who(&back.area, back.role, back.window.from.max(now)).people();
            let [holder] = holders.as_slice() else { return wrong("takes", Wrong::Unknown) };
            if back.rest(now).is_none() || !held(&holder.person, &back) {
                return wrong("takes", Wrong::Unknown);
            }
            other = Some(holder.person.clone());
            takes = Some(back);
        }
        if new.form == Form::Give {
            let Some(named) = &new.other else { return wrong("other", Wrong::Missing) };
            other = Some(named.clone());
        }
        if other.is_some() && other == giver {
            return wrong(if takes.is_some() { "takes" } else { "other" }, Wrong::NotAChoice);
        }
        if let Some(other) = &other
            && !view.people.iter().any(|p| p.id == *other)
        {
            return wrong(if takes.is_some() { "takes" } else { "other" }, Wrong::Unknown);
        }
        let begins = takes.as_ref().map_or(gives.window.from, |t| t.window.from.min(gives.window.from));
        let phone_s = i64::from(view.phone_within_h) * 3_600;
        let facts = SwapFacts {
            form: new.form,
            area: gives.area.clone(),
            gives,
            giver,
            takes,
            other,
            late: begins < now.plus_s(phone_s),
        };
        // The same twice: the first is still being asked about.
        for case in swap_requests_open(tx, &self.who.association, OPEN_MAX).await? {
            let before = facts_of(&case)?;
            let loaded = request_load(tx, &self.who.association, &case.id).await?;
            let open = loaded.is_some_and(|l| l.request.state.is_open());
            let meets = before.gives.window.from < facts.gives.window.to
                && facts.gives.window.from < before.gives.window.to;
            let same = (&before.gives.area, before.gives.role, &before.giver)
                == (&facts.gives.area, facts.gives.role, &facts.giver);
            if open && meets && same {
                return wrong("duty", Wrong::Taken);
            }
        }
        Ok(Ok(facts))
    }
}

impl Command for AskSwap {
    type Output = SwapAsked;

    async fn apply(&self, tx: &mut Conn) -> Result<SwapAsked, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let missing = || SwapAsked::Wrong("asker".to_owned(), Wrong::Unknown);
        rota_touch(tx, association, kit.now).await?;
        let asker = member_by_id(tx, association, &self.asking.asker).await?;
        let Some(asker) = asker.filter(|m| m.is_active(kit.now)) else { return Ok(missing()) };
        let Some(mut view) = duty_view(tx, kit, association, None).await? else { return Ok(missing()) };
        let facts = match self.facts(tx, &view).await? {
            Ok(facts) => facts,
            Err(against) => return Ok(against),
        };
        view.area = Some(facts.area.clone());
        view.swap = Some(facts.clone());
        if facts.form.is_with_one()
            && let Err(rule) = view.may_be_asked()
        {
            return Ok(SwapAsked::Refused(rule));
        }
        let ask = Opening {
            kit,
            who: &self.who,
            asker: &asker.id,
            in_person: self.asking.in_person,
            channel: self.asking.channel,
            note: &self.new.note,
        };
        if facts.form == Form::Ill {
            return ask.ill(tx, &view, &facts).await;
        }
        let plan = ask.plan(&view, facts.form)?;
        let id = ask.id();
        ask.open(tx, &view, &facts, plan, id).await.map(SwapAsked::Asked)
    }
}

/// Who opens requests about duties, and how.
struct Opening<'a> {
    kit: &'a Kit,
    who: &'a Who,
    asker: &'a MemberId,
    in_person: bool,
    channel: &'static str,
    note: &'a str,
}

impl Opening<'_> {
    /// The plan of a form; the coordinator's word comes last where it is wanted. Who is ill, and a hole, wait for
    /// nobody's word.
    fn plan(&self, view: &DutyView, form: Form) -> Result<Plan, StoreError> {
        let named = |name: &str| {
            let plan = self.kit.rules.plans.get(name).cloned();
            plan.ok_or_else(|| StoreError::Unusable(format!("no plan is called {name}")))
        };
        let mut plan = named(form.code())?;
        if view.coordinator_agrees && !form.is_a_hole() {
            plan.steps.extend(named(APPROVAL)?.steps);
        }
        Ok(plan)
    }

    fn id(&self) -> RequestId {
        RequestId::new(self.kit.now, self.kit.vault.chance.as_ref())
    }

    /// Writes a request down and starts it.
    async fn open(
        &self,
        tx: &mut Conn,
        view: &DutyView,
        facts: &SwapFacts,
        plan: Plan,
        id: RequestId,
    ) -> Result<Asked, StoreError> {
        let (kit, association) = (self.kit, &self.who.association);
        let case_no = next_case_no(tx, association, civil_day(kit.now, view.zone)).await?;
        let window = facts.window();
        // What somebody has to take over is looked for to its very end, also midway.
        let answer_by =
            if facts.form.is_with_one() && kit.now < window.from { window.from } else { window.to };
        let (name, version) = (plan.name.clone(), plan.version);
        let mut request = Request::new(id.clone(), plan, self.asker.clone(), window, answer_by, kit.now);
        request.asked_in_person = self.in_person;
        let institution = institution_for(tx, association, view, facts, self.asker).await?;
        let text =
            |value: serde_json::Result<String>| value.map_err(|e| StoreError::corrupt("request", &id, e));
        let at = |column| Sealed { table: "request", column, row: id.as_str() };
        let detail = text(serde_json::to_string(&json!({ "note": self.note })))?;
        let new = NewCase {
            request: &request,
            case_no: &case_no,
            institution: &institution,
            entered_by: (!self.in_person).then_some(self.who.actor.as_str()),
            channel: self.channel,
            facts: &text(serde_json::to_string(facts))?,
            blind: kit.vault.seal(tx, association, at("blind"), kit.now, "{}").await?,
            detail: kit.vault.seal(tx, association, at("detail"), kit.now, &detail).await?,
        };
        case_add(tx, association, &new).await?;
        let act = Act {
            action: "request.ask",
            detail: json!({
                "case_no": case_no, "kind": "swap", "form": facts.form.code(), "channel": self.channel,
                "area": facts.gives.area.as_str(), "role": facts.gives.role.code(),
                "from": facts.gives.window.from.rfc3339(), "to": facts.gives.window.to.rfc3339(),
                "giver": facts.giver.as_ref().map(MemberId::as_str),
                "other": facts.other.as_ref().map(MemberId::as_str),
                "plan": name, "plan_version": version,
            }),
        };
        let moved = Box::pin(apply(tx, kit, self.who, &id, Event::Begin, &act)).await?;
        let state = moved.map_or(request.state, |m| m.request.state).code().to_owned();
        Ok(Asked { request: id, case_no, state })
    }

    /// Somebody cannot come: the deputy moves up in this very moment, and what is open then is called for.
    async fn ill(&self, tx: &mut Conn, view: &DutyView, facts: &SwapFacts) -> Result<SwapAsked, StoreError> {
        let (kit, association) = (self.kit, &self.who.association);
        let follows = move_up(&view.timeline, &facts.gives, self.asker, kit.now);
        if follows.holes.is_empty() {
            return Ok(SwapAsked::Refused(Rule::DutyOver));
        }
        // First what changes, then the calls: volunteers are looked for in the rota as it is then.
        let id = self.id();
        if !follows.legs.is_empty() {
            let swap = taken_now(kit, &follows.legs);
            swap_take(tx, kit, self.who, &swap, Some(&id)).await?.map_err(refused)?;
        }
        let mut changes = Vec::new();
        for (stretch, holder) in &follows.fills {
            changes.push(put_over(tx, kit, self.who, stretch, Some(holder)).await?);
        }
        let mut emptied = Vec::new();
        for hole in &follows.holes {
            emptied.push(put_over(tx, kit, self.who, hole, None).await?);
        }
        let mut ids = vec![id.clone()];
        ids.resize_with(follows.holes.len(), || self.id());
        let mut asked = Vec::new();
        for ((hole, emptied), id) in follows.holes.iter().zip(emptied).zip(ids) {
            let late = hole.window.from < kit.now.plus_s(i64::from(view.phone_within_h) * 3_600);
            let facts = SwapFacts { gives: hole.clone(), late, other: None, takes: None, ..facts.clone() };
            let plan = self.plan(view, Form::Ill)?;
            let one = self.open(tx, view, &facts, plan, id).await?;
            swap_override_add(tx, association, &one.request, &emptied).await?;
            asked.push(one);
        }
        for change in &changes {
            swap_override_add(tx, association, &id, change).await?;
        }
        self.tell_of_illness(tx, view, facts, &follows, &id).await?;
        // Whatever else was asked about these duties is not so any more.
        for other in not_so_any_more(tx, kit, association).await? {
            let act = Act { action: "swap.void", detail: json!({}) };
            Box::pin(apply(tx, kit, self.who, &other, Event::Void, &act)).await?;
        }
        release_covers(tx, kit, self.who).await?;
        let first = asked.into_iter().next();
        first.map(SwapAsked::Asked).ok_or_else(|| StoreError::Unusable("nothing was called for".to_owned()))
    }

    /// The deputy who moved up, everybody who is on beside them, and the coordinators.
    async fn tell_of_illness(
        &self,
        tx: &mut Conn,
        view: &DutyView,
        facts: &SwapFacts,
        follows: &MoveUp,
        id: &RequestId,
    ) -> Result<(), StoreError> {
        let (kit, association) = (self.kit, &self.who.association);
        let legs = follows.legs.iter().map(|leg| &leg.taker.person);
        let moved: BTreeSet<MemberId> =
            legs.chain(follows.fills.iter().map(|(_, holder)| &holder.person)).cloned().collect();
        for deputy in &moved {
            tell_of_duty(tx, kit, association, id, "moved_up", deputy, 0).await?;
        }
        let mut others: BTreeSet<MemberId> =
            members_with_role(tx, association, Role::Coordinator, kit.now).await?.into_iter().collect();
        for role in RotaRole::ALL {
            for part in view.timeline.parts_within(&facts.area, role, facts.gives.window) {
                others.extend(part.held.into_iter().map(|held| held.holder.person));
            }
        }
        for other in others.iter().filter(|p| *p != self.asker && !moved.contains(*p)) {
            tell_of_duty(tx, kit, association, id, "ill", other, 0).await?;
        }
        Ok(())
    }
}

/// The institution under which a request is counted: that of whoever gives or asks, or the first there is.
async fn institution_for(
    tx: &mut Conn,
    association: &AssociationId,
    view: &DutyView,
    facts: &SwapFacts,
    asker: &MemberId,
) -> Result<InstitutionId, StoreError> {
    let person = facts.giver.as_ref().unwrap_or(asker);
    if let Some(found) = view.people.iter().find(|p| p.id == *person) {
        return Ok(found.institution.clone());
    }
    if let Some(found) = member_by_id(tx, association, person).await?.and_then(|m| m.institution) {
        return Ok(found);
    }
    let first = institutions_after(tx, association, "", 1).await?.into_iter().next();
    first.map(|i| i.id).ok_or_else(|| StoreError::Unusable("the association has no institution".to_owned()))
}

/// After somebody left in this transaction: each duty they held is called for, unless it is already.
pub(crate) async fn call_for_gaps(tx: &mut Conn, kit: &Kit, who: &Who) -> Result<usize, StoreError> {
    let association = &who.association;
    void_swept(tx, kit, who).await?;
    let Some(view) = duty_view(tx, kit, association, None).await? else { return Ok(0) };
    let mut called = Vec::new();
    for case in swap_requests_open(tx, association, OPEN_MAX).await? {
        called.push(facts_of(&case)?);
    }
    let is_called = |gap: &Stretch| {
        called.iter().any(|facts| {
            facts.form.is_a_hole()
                && (&facts.gives.area, facts.gives.role) == (&gap.area, gap.role)
                && facts.gives.window.from < gap.window.to
                && gap.window.from < facts.gives.window.to
        })
    };
    let ahead = Window { from: kit.now, to: kit.now.plus_s(AHEAD_S) };
    let mut gaps: Vec<Stretch> = Vec::new();
    let lines: Vec<(Area, RotaRole)> = view.timeline.lines().map(|(a, r)| (a.clone(), r)).collect();
    for (area, role) in lines {
        for part in view.timeline.parts_within(&area, role, ahead) {
            if matches!(&part.gap, Some(Gap::Left { .. })) {
                gaps.extend(view.cut_to_slots(&area, role, part.window));
            }
        }
    }
    gaps.retain(|gap| !is_called(gap));
    gaps.sort_by_key(|gap| (gap.window, gap.role));
    gaps.truncate(GAPS_MAX);
    let actor = who.actor.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok());
    let asker = match actor {
        Some(actor) => Some(actor),
        None => members_with_role(tx, association, Role::Coordinator, kit.now).await?.into_iter().next(),
    };
    let Some(asker) = asker else { return Ok(0) };
    let opening = Opening { kit, who, asker: &asker, in_person: true, channel: "web", note: "" };
    for gap in &gaps {
        let facts = SwapFacts {
            form: Form::Hole,
            area: gap.area.clone(),
            gives: gap.clone(),
            giver: None,
            takes: None,
            other: None,
            late: gap.window.from < kit.now.plus_s(i64::from(view.phone_within_h) * 3_600),
        };
        // Without such a plan the gaps are shown and nobody is called; nobody is kept from leaving by it.
        let Ok(plan) = opening.plan(&view, Form::Hole) else { return Ok(0) };
        opening.open(tx, &view, &facts, plan, opening.id()).await?;
    }
    Ok(gaps.len())
}
