//! What people are told without a call being open: that the night number does not work, and in the morning what the
//! night brought.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use serde_json::json;

use super::flow::{tell, watch};
use super::settings::load;
use super::world::physicians;
use crate::app::access::note;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::calendar::{CivilDate, civil_day, instant_of};
use crate::ids::{AlarmId, AssociationId};
use crate::store::call::calls_between;
use crate::store::jobs::{Lane, NewJob, alarm_by_id, alarm_raise, job_add};
use crate::store::people::{Association, associations};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Calls of one night that people are told of.
const NIGHT_MAX: i64 = 1_000;
/// The hour at which the night is told, in the association's own zone.
const MORNING_HOUR: u32 = 7;
/// The night begins a day before; calls of the day before it have been told already.
const NIGHT_S: i64 = 86_400;

/// The bridge cannot be heard.
struct Away {
    kit: Kit,
    association: AssociationId,
    /// The alarm of this outage, once there is one.
    alarm: Option<AlarmId>,
}

impl Command for Away {
    type Output = AlarmId;

    async fn apply(&self, tx: &mut Conn) -> Result<AlarmId, StoreError> {
        let (kit, association, who) = (&self.kit, &self.association, Who::runner(&self.association));
        let chance = kit.vault.chance.as_ref();
        let alarm = match &self.alarm {
            Some(alarm) => {
                let open = alarm_by_id(tx, association, alarm).await?;
                if open.is_none_or(|a| a.acknowledged.is_some()) {
                    return Ok(alarm.clone());
                }
                alarm.clone()
            }
            None => {
                let alarm =
                    alarm_raise(tx, association, "call_bridge_down", "bridge", kit.now, chance).await?;
                let detail = json!({ "alarm": alarm.as_str() });
                note(tx, kit, &who, "bridge.down", "bridge", detail).await?;
                alarm
            }
        };
        for person in watch(tx, kit, &who).await? {
            let job = NewJob {
                lane: Lane::Urgent,
                kind: "bridge_down",
                key: format!("bridge_down:{alarm}:{}:{person}", kit.now.0),
                body: json!({ "alarm": alarm.as_str(), "member": person.as_str() }),
                due: kit.now,
            };
            job_add(tx, association, &job, kit.now, chance).await?;
        }
        Ok(alarm)
    }
}

/// The calls of a night, told to the patients' own physicians and to the office's people.
struct Morning {
    kit: Kit,
    association: AssociationId,
    night: (Millis, Millis),
}

impl Command for Morning {
    type Output = usize;

    async fn apply(&self, tx: &mut Conn) -> Result<usize, StoreError> {
        let (kit, association, who) = (&self.kit, &self.association, Who::runner(&self.association));
        let mut told = 0;
        for row in calls_between(tx, association, self.night, NIGHT_MAX).await? {
            // A call between two doctors, to one phone, or to report on another, is none of the night's.
            let one = matches!(row.kind.as_str(), "connect" | "test" | "recovery" | "tonight");
            if one || row.outcome.as_deref() == Some("reported") {
                continue;
            }
            let mut people = match &row.clinic {
                Some(clinic) => physicians(tx, association, clinic, kit.now).await?,
                None => Vec::new(),
            };
            people.extend(watch(tx, kit, &who).await?);
            people.sort();
            people.dedup();
            for person in people {
                let key = format!("call:{}:summary:{person}", row.id);
                tell(tx, kit, &who, &row.id, &person, "summary", key).await?;
                told += 1;
            }
        }
        Ok(told)
    }
}

impl App {
    /// The bridge is away: coordinators and officers of each association with a night number are told, again with
    /// each call of this, until somebody acknowledges. `alarms`: those of this outage.
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_bridge_away(
        &self,
        alarms: &mut BTreeMap<AssociationId, AlarmId>,
    ) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        let mut served = Vec::new();
        for home in associations(&mut conn).await? {
            if load(&mut conn, &self.vault, &home.id).await?.1.shown().is_some() {
                served.push(home.id);
            }
        }
        drop(conn);
        for association in served {
            let alarm = alarms.get(&association).cloned();
            let away = Away { kit: self.kit(), association: association.clone(), alarm };
            alarms.insert(association, self.db.run(away).await?);
        }
        Ok(())
    }

    /// After seven in the morning, once: how many mails tell of the night. `told`: the morning that was told last.
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_morning(
        &self,
        home: &Association,
        told: &mut Option<CivilDate>,
    ) -> Result<usize, AppError> {
        let now = self.now();
        let today = civil_day(now, home.zone);
        let hour = NaiveTime::from_hms_opt(MORNING_HOUR, 0, 0).unwrap_or_default();
        let morning = instant_of(today, hour, home.zone);
        if now < morning || *told == Some(today) {
            return Ok(0);
        }
        let night = (morning.plus_s(-NIGHT_S), morning);
        let mails = self.db.run(Morning { kit: self.kit(), association: home.id.clone(), night }).await?;
        *told = Some(today);
        Ok(mails)
    }
}
