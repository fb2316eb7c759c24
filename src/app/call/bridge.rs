//! The bridge's side of a call: what it tells comes in here, what it is ordered goes out from here. A line
//! that calls us is `inbound`; the port itself is spoken to by `durable`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::flow::{apply, decided, due_of};
use super::settings::{CallSettings, load};
use crate::app::access::{PinCheck, note};
use crate::app::{App, AppError, Kit, Who};
use crate::domain::call::number::Number;
use crate::domain::call::state::Question;
use crate::domain::call::{
    Answer, Cause, Collect, Command as Order, Event, Happened, LegId, LegSeen, LegState, PinVerdict, Prompt,
    Role, Snapshot, Stage,
};
use crate::i18n::Lang;
use crate::ids::{AssociationId, CallId, InstitutionId, MemberId};
use crate::seal::Pin;
use crate::store::call::orders::{OrderRow, order_end, order_open, order_tried, orders_due};
use crate::store::call::{
    call_load, call_lock, call_message, call_message_set, calls_due, calls_live, calls_next, leg_call,
};
use crate::store::people::{association_by_id, member_by_id, member_pin_failed, member_pin_right};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Orders looked at in one go.
const ORDERS_AT_ONCE: i64 = 200;
/// Calls whose waits are seen to in one go.
const DUE_AT_ONCE: i64 = 100;
/// One thing that has to be done at the bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Todo {
    Bridge(Order),
    /// Take the recording into the vault.
    Keep {
        recording: u32,
    },
    /// Ask what the bridge holds.
    Look,
}

/// An order ready to be given, with what the bridge needs beside it.
#[derive(Clone)]
pub struct CallOrder {
    row: OrderRow,
    pub call: CallId,
    pub todo: Todo,
    pub shown: Option<Number>,
    pub lang: Lang,
    pub message: Option<Arc<[u8]>>,
}

impl std::fmt::Debug for CallOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallOrder")
            .field("call", &self.call)
            .field("todo", &self.todo)
            .finish_non_exhaustive()
    }
}

/// How giving an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    Done,
    /// Not known; the order stays and is given again.
    Unknown {
        reason: String,
    },
    /// The bridge will not: an order to dial counts as ended with this cause.
    Refused {
        reason: String,
        cause: Cause,
    },
}

/// All that the bridge holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub generation: String,
    pub taken: Millis,
    pub legs: BTreeMap<LegId, LegSeen>,
}

struct Happens {
    kit: Kit,
    association: AssociationId,
    call: CallId,
    happened: Happened,
}

impl Command for Happens {
    type Output = Option<Answer>;

    async fn apply(&self, tx: &mut Conn) -> Result<Option<Answer>, StoreError> {
        let who = Who::runner(&self.association);
        let moved = apply(tx, &self.kit, &who, &self.call, self.happened.clone()).await?;
        Ok(moved.map(|m| m.answer))
    }
}

/// A wait of a call or of its plan is over.
struct Due {
    kit: Kit,
    association: AssociationId,
    call: CallId,
}

impl Command for Due {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, who) = (&self.kit, Who::runner(&self.association));
        let Some(loaded) = call_lock(tx, &kit.vault, &self.association, &self.call).await? else {
            return Ok(());
        };
        if due_of(&loaded.call, &loaded.request).is_none_or(|at| kit.now < at) {
            return Ok(());
        }
        let own = crate::domain::call::next_due(&loaded.call).is_some_and(|at| at <= kit.now);
        let first = if own {
            Happened::Call(Event::Due)
        } else {
            Happened::Request(crate::domain::dispatch::Event::Due)
        };
        decided(tx, kit, &who, &loaded, first).await.map(drop)
    }
}

/// Keys somebody pressed; a code is looked up for the question that asked for it.
struct Keys {
    kit: Kit,
    association: AssociationId,
    call: CallId,
    leg: LegId,
    gather: u32,
    digits: String,
}

impl Command for Keys {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, who) = (&self.kit, Who::runner(&self.association));
        let Some(loaded) = call_lock(tx, &kit.vault, &self.association, &self.call).await? else {
            return Ok(());
        };
        let found = match loaded.call.stage {
            Stage::Asking { what, .. } => {
                let (_, settings) = load(tx, &kit.vault, &self.association).await?;
                by_code(tx, &self.association, &settings, what, &self.digits).await?
            }
            _ => None,
        };
        let (leg, gather, digits) = (self.leg.clone(), self.gather, self.digits.clone());
        let event = Event::Keys { leg, gather, digits, found };
        decided(tx, kit, &who, &loaded, Happened::Call(event)).await.map(drop)
    }
}

/// A station's code names no clinic, and the other way round.
async fn by_code(
    tx: &mut Conn,
    association: &AssociationId,
    settings: &CallSettings,
    what: Question,
    digits: &str,
) -> Result<Option<InstitutionId>, StoreError> {
    let Some(id) = settings.by_code(digits) else { return Ok(None) };
    let institution = crate::store::people::institution_by_id(tx, association, id).await?;
    let clinic = institution.is_some_and(|i| matches!(i.kind.as_str(), "clinic" | "home_care_clinic"));
    let fits = match what {
        Question::Clinic => clinic,
        Question::Station => !clinic,
        Question::Report | Question::ReportPin | Question::ReportOutcome => false,
    };
    Ok(fits.then(|| id.clone()))
}

struct Verdict {
    kit: Kit,
    association: AssociationId,
    call: CallId,
    leg: LegId,
    member: MemberId,
    gather: u32,
    verdict: PinVerdict,
    version: i64,
}

impl Command for Verdict {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let who = Who::runner(association);
        let member = member_by_id(tx, association, &self.member).await?.filter(|m| m.is_active(kit.now));
        let verdict = match self.verdict {
            // The PIN was changed, or its owner left, while it was being checked.
            PinVerdict::Right if member.as_ref().is_none_or(|m| m.pin_version != self.version) => {
                PinVerdict::Wrong
            }
            other => other,
        };
        match verdict {
            PinVerdict::Right => member_pin_right(tx, association, &self.member).await?,
            PinVerdict::Wrong => {
                member_pin_failed(tx, association, &self.member).await?;
                let detail = json!({ "leg": self.leg.as_str() });
                note(tx, kit, &who, "pin.wrong", &format!("member:{}", self.member), detail).await?;
            }
            PinVerdict::Locked => {}
        }
        let event = Event::Pin { leg: self.leg.clone(), gather: self.gather, verdict };
        apply(tx, kit, &who, &self.call, Happened::Call(event)).await.map(drop)
    }
}

struct Keep {
    kit: Kit,
    association: AssociationId,
    call: CallId,
    recording: u32,
    /// WAV in base64; `None`: it could not be fetched.
    sound: Option<String>,
}

impl Command for Keep {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let who = Who::runner(association);
        let Some(loaded) = call_lock(tx, &kit.vault, association, &self.call).await? else {
            return Ok(());
        };
        if let Some(sound) = &self.sound {
            call_message_set(tx, &kit.vault, association, &loaded.call, sound).await?;
        }
        let event = Event::MessageKept { recording: self.recording, kept: self.sound.is_some() };
        decided(tx, kit, &who, &loaded, Happened::Call(event)).await.map(drop)
    }
}

struct EndOrder {
    kit: Kit,
    row: OrderRow,
    given: Given,
    dial: Option<LegId>,
}

impl Command for EndOrder {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, row) = (&self.kit, &self.row);
        match &self.given {
            Given::Done => order_end(tx, row, "done", kit.now, None).await.map(drop),
            Given::Unknown { reason } => order_tried(tx, row, reason).await,
            Given::Refused { reason, cause } => {
                if !order_end(tx, row, "refused", kit.now, Some(reason)).await? {
                    return Ok(());
                }
                let who = Who::runner(&row.association);
                crate::app::flow::raise(tx, kit, &row.association, "bridge_refused", "bridge").await?;
                if let Some(leg) = self.dial.clone() {
                    let event = Event::Ended { leg, cause: *cause };
                    apply(tx, kit, &who, &row.call, Happened::Call(event)).await?;
                }
                Ok(())
            }
        }
    }
}

struct Moot {
    now: Millis,
    row: OrderRow,
}

impl Command for Moot {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        order_end(tx, &self.row, "moot", self.now, None).await.map(drop)
    }
}

impl App {
    /// Open calls that wait for nothing or were not seen to in time. There must be none.
    pub(crate) async fn calls_stuck(&self) -> Result<usize, AppError> {
        let mut conn = self.db.read().await?;
        Ok(super::flow::stuck(&mut conn, self.now()).await?)
    }

    async fn call_of_leg(&self, leg: &LegId) -> Result<Option<(AssociationId, CallId)>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(leg_call(&mut conn, leg).await?)
    }

    async fn call_happens(
        &self,
        association: AssociationId,
        call: CallId,
        event: Event,
    ) -> Result<Option<Answer>, AppError> {
        let happened = Happened::Call(event);
        Ok(self.db.run(Happens { kit: self.kit(), association, call, happened }).await?)
    }

    /// Something the bridge told about a leg. `false`: nobody knows the leg.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_event(&self, leg: &LegId, event: Event) -> Result<bool, AppError> {
        match self.call_of_leg(leg).await? {
            Some((association, call)) => {
                self.call_happens(association, call, event).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Keys that were pressed on a leg. A PIN is checked here and goes no further.
    ///
    /// # Errors
    /// The store's; too many PINs are being checked.
    pub async fn call_keys(
        &self,
        leg: &LegId,
        gather: u32,
        what: Collect,
        digits: &str,
    ) -> Result<(), AppError> {
        let Some((association, call)) = self.call_of_leg(leg).await? else {
            return Ok(());
        };
        if what == Collect::Pin {
            return self.call_pin(association, call, leg, gather, digits).await;
        }
        let (leg, digits) = (leg.clone(), digits.to_owned());
        Ok(self.db.run(Keys { kit: self.kit(), association, call, leg, gather, digits }).await?)
    }

    async fn call_pin(
        &self,
        association: AssociationId,
        call: CallId,
        leg: &LegId,
        gather: u32,
        digits: &str,
    ) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        let loaded = call_load(&mut conn, &self.vault, &association, &call).await?;
        // Whoever is asked to take it, or calls to report.
        let member = loaded.and_then(|l| {
            let reports = l.call.reporter.filter(|_| l.call.caller.leg.as_ref() == Some(leg));
            l.call.legs.get(leg).and_then(|l| l.person().cloned()).or(reports)
        });
        let Some(member) = member else { return Ok(()) };
        let person = member_by_id(&mut conn, &association, &member).await?;
        drop(conn);
        let (verdict, version) = match (person, Pin::parse(digits)) {
            (None, _) => (PinVerdict::Locked, 0),
            (Some(person), _) if person.pin_hash.is_none() => (PinVerdict::Locked, 0),
            (Some(_), Err(_)) => (PinVerdict::Wrong, 0),
            (Some(person), Ok(pin)) => match self.pin_check(&association, &person, pin).await? {
                PinCheck::Right(version) => (PinVerdict::Right, version),
                PinCheck::Wrong => (PinVerdict::Wrong, 0),
            },
        };
        let (kit, leg) = (self.kit(), leg.clone());
        Ok(self.db.run(Verdict { kit, association, call, leg, member, gather, verdict, version }).await?)
    }

    /// A recording is over.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_recorded(&self, call: &CallId, recording: u32, usable: bool) -> Result<(), AppError> {
        for (association, id) in self.calls_live().await? {
            if id == *call {
                self.call_happens(association, id, Event::Recorded { recording, usable }).await?;
            }
        }
        Ok(())
    }

    /// Puts the message away, sealed, or says that it could not be fetched.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_message_keep(
        &self,
        order: &CallOrder,
        recording: u32,
        sound: Option<&[u8]>,
    ) -> Result<(), AppError> {
        let keep = Keep {
            kit: self.kit(),
            association: order.row.association.clone(),
            call: order.call.clone(),
            recording,
            sound: sound.map(|s| STANDARD.encode(s)),
        };
        Ok(self.db.run(keep).await?)
    }

    async fn calls_live(&self) -> Result<Vec<(AssociationId, CallId)>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(calls_live(&mut conn).await?)
    }

    /// The bridge cannot be heard, or this life has just begun and does not know.
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_bridge_down(&self) -> Result<(), AppError> {
        for (association, call) in self.calls_live().await? {
            self.call_happens(association, call, Event::BridgeDown).await?;
        }
        Ok(())
    }

    /// What the bridge holds, for every call or for one.
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_seen(&self, seen: &Seen, only: Option<&CallId>) -> Result<(), AppError> {
        for (association, call) in self.calls_live().await? {
            if only.is_some_and(|id| *id != call) {
                continue;
            }
            let mut conn = self.db.read().await?;
            let loaded = call_load(&mut conn, &self.vault, &association, &call).await?;
            drop(conn);
            let Some(loaded) = loaded else { continue };
            let mine = |id: &LegId| loaded.call.legs.contains_key(id) || id.call().as_ref() == Some(&call);
            let legs = seen.legs.iter().filter(|(id, _)| mine(id)).map(|(id, s)| (id.clone(), *s)).collect();
            let snapshot = Snapshot { generation: seen.generation.clone(), taken: seen.taken, legs };
            self.call_happens(association, call, Event::Snapshot(snapshot)).await?;
        }
        Ok(())
    }

    /// Sees to every wait that is over; when the next one is.
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_due(&self) -> Result<Option<Millis>, AppError> {
        let mut conn = self.db.read().await?;
        let due = calls_due(&mut conn, self.now(), DUE_AT_ONCE).await?;
        drop(conn);
        for (association, call) in due {
            self.db.run(Due { kit: self.kit(), association, call }).await?;
        }
        let mut conn = self.db.read().await?;
        Ok(calls_next(&mut conn).await?)
    }

    /// Orders to be given now, those of one call in their order. Before a phone is rung it is looked again
    /// whether it is still wanted.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_orders(&self) -> Result<Vec<CallOrder>, AppError> {
        let mut conn = self.db.read().await?;
        let rows = orders_due(&mut conn, ORDERS_AT_ONCE).await?;
        drop(conn);
        let mut orders = Vec::new();
        for row in rows {
            match self.call_order(&row).await? {
                Some(order) => orders.push(order),
                None => self.db.run(Moot { now: self.now(), row }).await?,
            }
        }
        Ok(orders)
    }

    async fn call_order(&self, row: &OrderRow) -> Result<Option<CallOrder>, AppError> {
        let mut conn = self.db.read().await?;
        let body = order_open(&mut conn, &self.vault, row).await?;
        let todo: Todo =
            serde_json::from_str(&body).map_err(|e| StoreError::corrupt("call_order", &row.call, e))?;
        let (association, call) = (&row.association, &row.call);
        let Some(loaded) = call_load(&mut conn, &self.vault, association, call).await? else {
            return Ok(None);
        };
        let legs = &loaded.call.legs;
        if let Todo::Bridge(Order::Dial { leg, .. }) = &todo
            && !legs.get(leg).is_some_and(|l| matches!(l.state, LegState::Dialing { .. }))
        {
            return Ok(None);
        }
        let (_, settings) = load(&mut conn, &self.vault, association).await?;
        let person = match &todo {
            Todo::Bridge(Order::Prompt { leg, .. } | Order::Dial { leg, .. }) => {
                legs.get(leg).filter(|l| !matches!(l.role, Role::Caller)).and_then(|l| l.person().cloned())
            }
            _ => None,
        };
        let spoken = match person {
            Some(id) => member_by_id(&mut conn, association, &id).await?.map(|m| m.lang),
            None => None,
        };
        let lang = match spoken {
            Some(lang) => lang,
            None => association_by_id(&mut conn, association).await?.map(|a| a.lang).unwrap_or_default(),
        };
        let message = match &todo {
            Todo::Bridge(Order::Prompt { prompt: Prompt::MessageThenCallingBack, .. }) => {
                let kept = call_message(&mut conn, &self.vault, association, call).await?;
                kept.and_then(|text| STANDARD.decode(text).ok()).map(Arc::from)
            }
            _ => None,
        };
        let (row, call, shown) = (row.clone(), call.clone(), settings.shown().cloned());
        Ok(Some(CallOrder { row, call, todo, shown, lang, message }))
    }

    /// Writes down how giving an order ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_order_given(&self, order: &CallOrder, given: Given) -> Result<(), AppError> {
        let dial = match &order.todo {
            Todo::Bridge(Order::Dial { leg, .. }) => Some(leg.clone()),
            _ => None,
        };
        Ok(self.db.run(EndOrder { kit: self.kit(), row: order.row.clone(), given, dial }).await?)
    }
}
