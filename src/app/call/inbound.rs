//! A line calls us: whose number was dialled, who calls, whether it is a caller who was cut off, and the call that is
//! written before anything is said. What happens to the call afterwards is `bridge` and `flow`.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::flow::{apply, decided};
use super::settings::{CallSettings, institution_of_line, line_of, load};
use crate::app::access::note;
use crate::app::flow::next_case_no;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::calendar::{civil_day, start_of_day};
use crate::domain::call::number::{Line, Number, Reading, read};
use crate::domain::call::{Answer, Call, Event, Happened, LegId, LegState, Load, Standing, admit};
use crate::domain::dispatch::{Plan, Request, Selector};
use crate::domain::ledger::Month;
use crate::ids::{AssociationId, CallId, MemberId, RequestId};
use crate::store::call::reports::reporters;
use crate::store::call::{
    NewCall, call_add, call_lock, calls_hidden, calls_of_line, leg_call, legs_in_use, line_ms_since,
};
use crate::store::people::{Association, associations};
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// How long a request of a call may be hunted for; it stays open until a human closes it.
const HUNT_S: i64 = 86_400;
/// A caller who rings again within this long returns to a call that is still open.
const RETURN_S: i64 = 12 * 3_600;

/// Somebody dialled one of our numbers.
struct ComesIn {
    kit: Kit,
    leg: LegId,
    from: String,
    to: String,
    life: String,
    id: CallId,
    request: RequestId,
}

/// The association whose number was dialled; the only one where there is only one.
async fn dialled(
    tx: &mut Conn,
    kit: &Kit,
    to: &Reading,
) -> Result<Option<(Association, CallSettings)>, StoreError> {
    let mut all = Vec::new();
    for home in associations(tx).await? {
        let (_, settings) = load(tx, &kit.vault, &home.id).await?;
        if let Reading::Number(number) = to
            && settings.own().contains(number)
        {
            return Ok(Some((home, settings)));
        }
        all.push((home, settings));
    }
    Ok(if all.len() == 1 { all.pop() } else { None })
}

/// The deputy's phone begins to ring a second after the primary's, which rings on.
fn together(plan: &mut Plan) {
    let next: Vec<Option<Selector>> = plan.steps.iter().skip(1).map(|s| Some(s.ask.clone())).collect();
    for (step, next) in plan.steps.iter_mut().zip(next) {
        if step.ask == Selector::DutyPrimary && next == Some(Selector::DutyDeputy) {
            step.wait_s = 1;
        }
    }
}

/// The dispatcher's side of a new call. Whoever calls in is nobody's member; the association's line asks.
pub(super) fn hunt_request(
    kit: &Kit,
    association: &AssociationId,
    id: RequestId,
    asker: Option<&MemberId>,
    settings: &CallSettings,
) -> Result<Request, StoreError> {
    let plan = kit.rules.plans.get(super::PLAN).cloned();
    let mut plan = plan.ok_or_else(|| StoreError::Unusable(format!("no plan is called {}", super::PLAN)))?;
    if settings.together {
        together(&mut plan);
    }
    let until = kit.now.plus_s(HUNT_S);
    let window = Window::new(kit.now, until)
        .ok_or_else(|| StoreError::Unusable("a night without an end".to_owned()))?;
    let line = || MemberId::named(&["night line", association.as_str()]);
    let asker = asker.cloned().unwrap_or_else(line);
    Ok(Request::new(id, plan, asker, window, until, kit.now))
}

/// The member whose phone this is, where a report of theirs is due.
async fn reporter_on(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    own: &[Number],
    number: &Number,
) -> Result<Option<MemberId>, StoreError> {
    for member in reporters(tx, association).await? {
        let line = line_of(tx, &kit.vault, association, own, &member).await?;
        if line.is_some_and(|line| line.number() == number) {
            return Ok(Some(member));
        }
    }
    Ok(None)
}

/// Minutes on the phone since the month began, where there is a ceiling.
pub(super) async fn minutes_this_month(
    tx: &mut Conn,
    kit: &Kit,
    home: &Association,
    settings: &CallSettings,
) -> Result<u32, StoreError> {
    if settings.limits.minutes_per_month.is_none() {
        return Ok(0);
    }
    let first = Month::of(civil_day(kit.now, home.zone)).first();
    let ms = line_ms_since(tx, &home.id, start_of_day(first, home.zone)).await?;
    Ok(u32::try_from(ms / 60_000).unwrap_or(u32::MAX))
}

/// What a number is compared by: keyed, so that the table tells nobody who called.
fn line_mark(kit: &Kit, number: &Number) -> Vec<u8> {
    let digest: [u8; 32] = Sha256::digest(number.e164().as_bytes()).into();
    kit.vault.seal.replay_mark(&digest).to_vec()
}

impl Command for ComesIn {
    /// `false`: no association can be told from the number that was dialled.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let kit = &self.kit;
        if leg_call(tx, &self.leg).await?.is_some() {
            return Ok(true);
        }
        let to = read(&self.to);
        let Some((home, settings)) = dialled(tx, kit, &to).await? else {
            return Ok(false);
        };
        let (association, own) = (&home.id, settings.own());
        let who = Who::runner(association);
        let shown = read(&self.from);
        let number = match &shown {
            Reading::Number(number) => Some(number.clone()),
            _ => None,
        };
        let mark = number.as_ref().map(|n| line_mark(kit, n));
        if let Some(mark) = &mark
            && self.returned(tx, &who, mark).await?
        {
            return Ok(true);
        }
        let institution = match &number {
            Some(n) => institution_of_line(tx, &kit.vault, association, &settings, n).await?,
            None => None,
        };
        let reporter = match (&number, &institution) {
            (Some(n), None) => reporter_on(tx, kit, association, &own, n).await?,
            _ => None,
        };
        let clinic = match &to {
            Reading::Number(number) => settings.clinic_of(number).cloned(),
            _ => None,
        };
        let hour = kit.now.plus_s(-3_600);
        let before = match &mark {
            Some(mark) => calls_of_line(tx, association, mark, hour).await?.len(),
            None => usize::try_from(calls_hidden(tx, association, hour).await?).unwrap_or(0),
        };
        let load = Load {
            from_line_last_hour: u32::try_from(before).unwrap_or(u32::MAX),
            lines_in_use: u32::try_from(legs_in_use(tx, association).await?).unwrap_or(u32::MAX),
            minutes_this_month: minutes_this_month(tx, kit, &home, &settings).await?,
        };
        let known = institution.is_some() || reporter.is_some();
        let admission = admit(&shown, known, &own, load, settings.limits);
        let standing =
            institution.clone().map_or(Standing::Unknown, |institution| Standing::Line { institution });
        let line = number.as_ref().and_then(|n| Line::new(n, &own).ok());
        let mut call = Call::inbound(
            self.id.clone(),
            self.leg.clone(),
            shown,
            line,
            standing,
            clinic,
            admission,
            settings.policy.clone(),
            kit.now,
        );
        call.report_by = Some(settings.report_due(kit.now, home.zone));
        call.reporter = reporter;
        call.generation.clone_from(&self.life);
        let request = hunt_request(kit, association, self.request.clone(), None, &settings)?;
        let case_no = next_case_no(tx, association, civil_day(kit.now, home.zone)).await?;
        let new = NewCall {
            call: &call,
            request: &request,
            case_no: &case_no,
            asker: None,
            institution: institution.as_ref(),
            consult: None,
            line_mark: mark,
        };
        call_add(tx, &kit.vault, association, &new, kit.now).await?;
        let detail = json!({ "case_no": case_no, "kind": "night", "known": institution.is_some(), "admission": admission });
        note(tx, kit, &who, "call.in", &format!("call:{}", call.id), detail).await?;
        apply(tx, kit, &who, &call.id, Happened::Call(Event::Begin)).await?;
        Ok(true)
    }
}

impl ComesIn {
    /// Whether this is a caller who was cut off and rings again.
    async fn returned(&self, tx: &mut Conn, who: &Who, mark: &[u8]) -> Result<bool, StoreError> {
        let kit = &self.kit;
        let since = kit.now.plus_s(-RETURN_S);
        for (id, over) in calls_of_line(tx, &who.association, mark, since).await? {
            if over {
                continue;
            }
            let Some(loaded) = call_lock(tx, &kit.vault, &who.association, &id).await? else { continue };
            // A station has many nurses and one number: only who is not on the line can come back.
            if loaded.call.caller_leg().is_some_and(|leg| leg.state == LegState::Up) {
                continue;
            }
            let event = Event::CallerReturned { leg: self.leg.clone() };
            if decided(tx, kit, who, &loaded, Happened::Call(event)).await?.answer == Answer::Done {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl App {
    /// Somebody dialled one of our numbers; the same line told twice is one call. `life`: of the bridge that told it,
    /// so that a bridge that dies later is known from one that was merely not heard. `false`: it is nobody's.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_comes_in(
        &self,
        leg: &LegId,
        (from, to): (&str, &str),
        life: &str,
    ) -> Result<bool, AppError> {
        let (kit, chance) = (self.kit(), self.chance.as_ref());
        let comes = ComesIn {
            leg: leg.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
            life: life.to_owned(),
            id: CallId::new(kit.now, chance),
            request: RequestId::new(kit.now, chance),
            kit,
        };
        Ok(self.db.run(comes).await?)
    }
}
