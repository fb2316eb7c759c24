//! What an association sets for its night number: its own numbers, who may be recognised by line or code, the
//! switch of each clinic, pillars, waits and limits. Sealed as a whole, since it holds numbers.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::access::note;
use crate::app::{App, AppError, Kit, Who, cover};
use crate::domain::calendar::{civil_day, instant_of};
use crate::domain::call::number::{Line, Number, Reading, read};
use crate::domain::call::policy::{Limits, Policy};
use crate::domain::consult::Wrong;
use crate::domain::cover::households::Contract;
use crate::domain::cover::pillars::PillarKind;
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::call::{call_settings, call_settings_save};
use crate::store::people::{institutions_after, member_by_id};
use crate::store::secrets::{Sealed, Vault};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// The largest place of a pillar.
pub const PLACE_MAX: u16 = 99;
/// Digits of a station's or clinic's code.
const CODE_DIGITS: std::ops::RangeInclusive<usize> = 2..=8;
/// Minutes of a day.
const DAY_MIN: u16 = 1_440;
/// 9:00.
const REPORT_BY_MIN: u16 = 540;
/// Nobody is asked to report sooner than that after the call came in.
const REPORT_TIME_S: i64 = 3_600;
/// Institutions whose numbers are compared with a caller's.
const INSTITUTIONS_MAX: i64 = 10_000;

/// The settings of the night number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallSettings {
    /// The numbers that ring at us, the one that is shown first.
    pub numbers: Vec<Number>,
    /// What is set for single institutions.
    pub institutions: BTreeMap<InstitutionId, InstitutionCalls>,
    /// 第3層・第4層: the institutions that stand by.
    pub pillars: BTreeMap<InstitutionId, Pillar>,
    /// The primary and the deputy are rung together instead of one after the other.
    pub together: bool,
    /// Minute of the day by which the report of a night is due; 9:00 where it is not set.
    pub report_by_min: Option<u16>,
    pub policy: Policy,
    pub limits: Limits,
}

/// One institution at the night number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstitutionCalls {
    /// Keyed by a caller whose line is not known; or empty.
    pub code: String,
    /// Lines it calls from beside the number of the directory.
    pub lines: Vec<Number>,
    /// The number of ours to which this clinic forwards its own at night.
    pub forwarded: Option<Number>,
    /// Its own physicians are rung before the duty.
    pub own_line: bool,
}

/// A home-care clinic or a visiting company that stands by, rung after the duty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pillar {
    pub kind: PillarKind,
    /// Among those of its kind the smaller is asked first.
    pub place: u16,
    /// Off until the households were told.
    pub on: bool,
    /// Who of it answers for it, in this order; nobody named: everybody who is there.
    pub people: Vec<MemberId>,
    /// Minutes of the day from which and until which it may be rung, over midnight where they are in that order;
    /// the same minute twice: always.
    pub from_min: u16,
    pub to_min: u16,
    /// Areas of the clinics whose patients it serves; none: everywhere.
    pub areas: Vec<String>,
    /// From when until when it is used at all. Without a first day nothing was signed and it is not rung.
    pub contract: Contract,
}

fn is_code(text: &str) -> bool {
    CODE_DIGITS.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

impl Pillar {
    /// Whether it may be rung at this minute of the day for a patient of this area. A patient of whom no area is
    /// known is of every area: nobody is left without help for that.
    #[must_use]
    pub fn serves(&self, minute: u16, area: Option<&str>) -> bool {
        let (from, to) = (self.from_min, self.to_min);
        let hour = match from.cmp(&to) {
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Less => (from..to).contains(&minute),
            std::cmp::Ordering::Greater => minute >= from || minute < to,
        };
        let here = self.areas.is_empty() || area.is_none_or(|a| self.areas.iter().any(|own| own == a));
        self.on && hour && here
    }
}

impl CallSettings {
    /// The pillars in the order in which they are asked.
    #[must_use]
    pub fn pillars_in_order(&self) -> Vec<(&InstitutionId, &Pillar)> {
        let mut all: Vec<_> = self.pillars.iter().collect();
        all.sort_by_key(|(id, pillar)| (pillar.kind, pillar.place, (*id).clone()));
        all
    }

    /// The number that rung phones show; without one no call can be made.
    #[must_use]
    pub fn shown(&self) -> Option<&Number> {
        self.numbers.first()
    }

    /// Every number that rings at us.
    #[must_use]
    pub fn own(&self) -> Vec<Number> {
        let forwarded = self.institutions.values().filter_map(|i| i.forwarded.clone());
        self.numbers.iter().cloned().chain(forwarded).collect()
    }

    /// The minute of the day by which the report of a night is due.
    #[must_use]
    pub fn report_by(&self) -> u16 {
        self.report_by_min.unwrap_or(REPORT_BY_MIN)
    }

    /// By when the report of a call that begins at `now` is due: the next such time that leaves an hour for it.
    #[must_use]
    pub fn report_due(&self, now: Millis, zone: Tz) -> Millis {
        let minute = u32::from(self.report_by());
        let clock = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap_or_default();
        let soonest = now.plus_s(REPORT_TIME_S);
        let mut day = civil_day(soonest, zone);
        let mut due = instant_of(day, clock, zone);
        if due < soonest {
            day = day.plus_days(1);
            due = instant_of(day, clock, zone);
        }
        due
    }

    /// The clinic that forwards to the number that was dialled.
    #[must_use]
    pub fn clinic_of(&self, dialled: &Number) -> Option<&InstitutionId> {
        self.institutions.iter().find(|(_, i)| i.forwarded.as_ref() == Some(dialled)).map(|(id, _)| id)
    }

    /// The institution with this code.
    #[must_use]
    pub fn by_code(&self, digits: &str) -> Option<&InstitutionId> {
        let typed = !digits.is_empty();
        self.institutions.iter().find(|(_, i)| typed && i.code == digits).map(|(id, _)| id)
    }

    fn by_line(&self, line: &Number) -> Option<&InstitutionId> {
        self.institutions.iter().find(|(_, i)| i.lines.contains(line)).map(|(id, _)| id)
    }

    /// Institutions whose code is none, or is another one's too.
    #[must_use]
    pub fn wrong_codes(&self) -> Vec<InstitutionId> {
        let mut times = BTreeMap::<&str, usize>::new();
        for set in self.institutions.values() {
            *times.entry(&set.code).or_default() += 1;
        }
        let wrong = |i: &InstitutionCalls| {
            !i.code.is_empty() && (!is_code(&i.code) || times.get(i.code.as_str()).is_some_and(|n| *n > 1))
        };
        self.institutions.iter().filter(|(_, i)| wrong(i)).map(|(id, _)| id.clone()).collect()
    }

    /// What cannot be taken, by field.
    #[must_use]
    pub fn wrong(&self) -> Vec<(&'static str, Wrong)> {
        let mut wrong = Vec::new();
        let codes = self.wrong_codes();
        let (twice, none): (Vec<_>, Vec<_>) =
            codes.iter().partition(|id| self.institutions.get(*id).is_some_and(|i| is_code(&i.code)));
        if !none.is_empty() {
            wrong.push(("code", Wrong::OutOfRange));
        }
        if !twice.is_empty() {
            wrong.push(("code", Wrong::Taken));
        }
        if self.pillars.values().any(|p| p.from_min >= DAY_MIN || p.to_min >= DAY_MIN) {
            wrong.push(("pillar", Wrong::OutOfRange));
        }
        if self.pillars.values().any(|p| p.contract.is_backwards()) {
            wrong.push(("contract", Wrong::OutOfRange));
        }
        if self.report_by_min.is_some_and(|m| m >= DAY_MIN) {
            wrong.push(("report_by", Wrong::OutOfRange));
        }
        if !self.policy.wrong().is_empty() {
            wrong.push(("policy", Wrong::OutOfRange));
        }
        wrong
    }
}

/// The settings and their revision (0: never set).
pub(crate) async fn load(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
) -> Result<(i64, CallSettings), StoreError> {
    match call_settings(conn, vault, association).await? {
        None => Ok((0, CallSettings::default())),
        Some((revision, body)) => serde_json::from_str(&body)
            .map(|settings| (revision, settings))
            .map_err(|e| StoreError::corrupt("call_settings", association, e)),
    }
}

/// Whether the association can ring its people: it has a number to show.
pub(crate) async fn may_ring(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
) -> Result<bool, StoreError> {
    Ok(load(conn, vault, association).await?.1.shown().is_some())
}

/// The institution a line belongs to: one that was set for it, else one whose number stands in the directory.
pub(crate) async fn institution_of_line(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    settings: &CallSettings,
    line: &Number,
) -> Result<Option<InstitutionId>, StoreError> {
    if let Some(id) = settings.by_line(line) {
        return Ok(Some(id.clone()));
    }
    for institution in institutions_after(conn, association, "", INSTITUTIONS_MAX).await? {
        let Some(sealed) = institution.phone.as_ref().filter(|_| institution.closed.is_none()) else {
            continue;
        };
        let at = Sealed { table: "institution", column: "phone", row: institution.id.as_str() };
        let phone = vault.open(conn, association, at, sealed).await?;
        if read(&phone) == Reading::Number(line.clone()) {
            return Ok(Some(institution.id));
        }
    }
    Ok(None)
}

/// The phone a member is rung on; `None` without one that may be dialled.
pub(crate) async fn line_of(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    own: &[Number],
    member: &MemberId,
) -> Result<Option<Line>, StoreError> {
    let Some(sealed) = member_by_id(conn, association, member).await?.and_then(|m| m.phone) else {
        return Ok(None);
    };
    let at = Sealed { table: "member", column: "phone", row: member.as_str() };
    let phone = vault.open(conn, association, at, &sealed).await?;
    Ok(Line::read(&phone, own).ok())
}

struct Save {
    kit: Kit,
    who: Who,
    revision: i64,
    settings: CallSettings,
}

impl Command for Save {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let body = serde_json::to_string(&self.settings)
            .map_err(|e| StoreError::corrupt("call_settings", association, e))?;
        if !call_settings_save(tx, &kit.vault, association, self.revision, &body).await? {
            return Ok(false);
        }
        let detail = json!({
            "numbers": self.settings.numbers.len(), "institutions": self.settings.institutions.len(),
            "pillars_on": self.settings.pillars.values().filter(|p| p.on).count(),
        });
        note(tx, kit, &self.who, "call_settings.change", "call_settings", detail).await?;
        cover::pillars_changed(tx, kit, association, None).await?;
        Ok(true)
    }
}

impl App {
    /// The settings of the night number and their revision (0: never set).
    ///
    /// # Errors
    /// The store's.
    pub async fn call_settings(&self, association: &AssociationId) -> Result<(i64, CallSettings), AppError> {
        let mut conn = self.db.read().await?;
        Ok(load(&mut conn, &self.vault, association).await?)
    }

    /// Writes them anew. Who may is the caller's question.
    ///
    /// # Errors
    /// Values that cannot work; somebody else changed them meanwhile; the store's.
    pub async fn call_settings_put(
        &self,
        who: &Who,
        revision: i64,
        settings: CallSettings,
    ) -> Result<(), AppError> {
        if let Some((field, wrong)) = settings.wrong().into_iter().next() {
            return Err(AppError::field(field, wrong));
        }
        let save = Save { kit: self.kit(), who: who.clone(), revision, settings };
        if self.db.run(save).await? { Ok(()) } else { Err(AppError::ChangedMeanwhile) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pillar_is_rung_in_its_hours_and_areas_and_not_while_it_is_off() {
        let pillar = Pillar {
            on: true,
            from_min: 18 * 60,
            to_min: 8 * 60,
            areas: vec!["青葉北".into()],
            ..Pillar::default()
        };
        for (minute, area, served) in [
            (18 * 60, Some("青葉北"), true),
            (0, Some("青葉北"), true),
            (8 * 60, Some("青葉北"), false),
            (8 * 60 - 1, Some("青葉北"), true),
            (12 * 60, Some("青葉北"), false),
            (0, Some("青葉南"), false),
            (0, None, true),
        ] {
            assert_eq!(pillar.serves(minute, area), served, "{minute} {area:?}");
        }
        assert!(!Pillar { on: false, ..pillar.clone() }.serves(0, None));
        let day = Pillar { from_min: 9 * 60, to_min: 17 * 60, ..pillar.clone() };
        assert!(day.serves(9 * 60, None) && !day.serves(17 * 60, None));
        let always = Pillar { from_min: 0, to_min: 0, areas: Vec::new(), ..pillar };
        assert!(always.serves(12 * 60, Some("青葉南")));
        let late = Pillar { to_min: 1_440, ..always };
        let id = InstitutionId::new(Millis(0), &crate::ids::SeededChance::new(1));
        let settings = CallSettings { pillars: [(id, late)].into(), ..CallSettings::default() };
        assert_eq!(settings.wrong(), [("pillar", Wrong::OutOfRange)]);
    }

    #[test]
    fn a_report_is_due_at_nine_and_never_within_the_hour() {
        let zone = chrono_tz::Japan;
        let at = |text: &str| Millis::parse_rfc3339(text).unwrap();
        let settings = CallSettings::default();
        for (call, due) in [
            ("2026-11-20T03:00:00+09:00", "2026-11-20T09:00:00+09:00"),
            ("2026-11-20T08:00:00+09:00", "2026-11-20T09:00:00+09:00"),
            ("2026-11-20T08:00:01+09:00", "2026-11-21T09:00:00+09:00"),
            ("2026-12-31T23:30:00+09:00", "2027-01-01T09:00:00+09:00"),
        ] {
            assert_eq!(settings.report_due(at(call), zone), at(due), "{call}");
        }
        let noon = CallSettings { report_by_min: Some(720), ..CallSettings::default() };
        assert_eq!(noon.report_due(at("2026-11-20T03:00:00+09:00"), zone), at("2026-11-20T12:00:00+09:00"));
        let never = CallSettings { report_by_min: Some(1_440), ..CallSettings::default() };
        assert_eq!(never.wrong(), [("report_by", Wrong::OutOfRange)]);
    }
}
