//! What a clinic shows of twelve months (在支診の実績): turns from the rota, emergency visits from the calls and covers
//! that completed, what it wrote down itself, and the conferences. What the criteria ask is `domain::clinic_records`.

use std::collections::BTreeMap;

use serde_json::json;

use super::access::note;
use super::directory::DirectoryView;
use super::ledger::world::instants;
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::clinic_records::{Counts, Demand, RecordKind, demands, months, wrong_day, wrong_number};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::ledger::{EventKind, Month};
use crate::domain::rota::full_day_turns;
use crate::ids::{AssociationId, CareGroupId, ClinicRecordId, InstitutionId};
use crate::store::clinic_records::{
    ClinicRecord, Conference, conference_add, conference_withdraw, conferences, record_add, record_withdraw,
    records,
};
use crate::store::ledger::events_counted;
use crate::store::people::association_by_id;
use crate::store::{Command, Conn, StoreError};

/// The outcome of a call or a cover at which somebody went there.
const VISITED: &str = "visited";
/// How far back an unbroken hold may reach that gives turns in the first month, in days.
const REACH_DAYS: i64 = 92;

/// A conference to be written down. Numbers as typed: `None` where there was none.
#[derive(Clone, Debug, Default)]
pub struct NewConference {
    pub day: Option<CivilDate>,
    pub online: bool,
    /// `None`: of the whole association.
    pub group: Option<CareGroupId>,
    pub attendees: Vec<InstitutionId>,
    pub people: Option<i64>,
    pub patients: Option<i64>,
}

enum Deed {
    Record(ClinicRecord),
    NoRecord { institution: InstitutionId, id: ClinicRecordId },
    Conference(Conference),
    NoConference { id: ClinicRecordId },
}

struct Do {
    kit: Kit,
    who: Who,
    deed: Deed,
}

impl Command for Do {
    /// `false`: there is no such line.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let by = (kit.now, self.who.actor.as_str());
        let (action, subject, detail) = match &self.deed {
            Deed::Record(new) => {
                record_add(tx, association, new, by).await?;
                let detail = json!({ "record": new.id, "kind": new.kind, "day": new.day.to_string(), "number": new.number });
                ("clinic_record.add", format!("institution:{}", new.institution), detail)
            }
            Deed::NoRecord { institution, id } => {
                if !record_withdraw(tx, association, (institution, id), kit.now).await? {
                    return Ok(false);
                }
                ("clinic_record.withdraw", format!("institution:{institution}"), json!({ "record": id }))
            }
            Deed::Conference(new) => {
                conference_add(tx, association, new, by).await?;
                let detail =
                    json!({ "day": new.day.to_string(), "group": new.group, "attendees": new.attendees });
                ("conference.add", format!("conference:{}", new.id), detail)
            }
            Deed::NoConference { id } => {
                if !conference_withdraw(tx, association, id, kit.now).await? {
                    return Ok(false);
                }
                ("conference.withdraw", format!("conference:{id}"), json!({}))
            }
        };
        note(tx, kit, &self.who, action, &subject, detail).await?;
        Ok(true)
    }
}

/// The year of a care group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupYear {
    pub name: String,
    /// Those who are in it in the shown month, by name.
    pub institutions: Vec<String>,
    /// Month by month, of those who were in it then.
    pub counts: Vec<Counts>,
}

/// The year of a clinic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClinicYear {
    pub institution: InstitutionId,
    pub name: String,
    /// Twelve, the shown one last.
    pub months: Vec<Month>,
    pub own: Vec<Counts>,
    /// The group in which it is in the shown month.
    pub group: Option<GroupYear>,
    pub demands: Vec<Demand>,
    /// What it wrote down itself, the newest first.
    pub lines: Vec<ClinicRecord>,
}

/// Everybody's counts by institution and month.
type Counted = BTreeMap<(InstitutionId, Month), Counts>;

impl App {
    async fn clinic_counts(
        &self,
        association: &AssociationId,
        (all, zone): (&[Month], chrono_tz::Tz),
        (lines, held): (&[ClinicRecord], &[Conference]),
    ) -> Result<Counted, AppError> {
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return Ok(Counted::new()) };
        let (from, to) = (instants(*first, zone).0, instants(*last, zone).1);
        let mut counted = Counted::new();
        let mut conn = self.db.read().await?;
        for (_, event) in events_counted(&mut conn, association, (from, to, self.now())).await? {
            if event.kind != EventKind::Consult && event.outcome.as_str() == VISITED {
                let month = Month::of(event.moment.civil_date);
                counted.entry((event.acceptor.institution.clone(), month)).or_default().visits += 1;
            }
        }
        drop(conn);
        for line in lines {
            let counts = counted.entry((line.institution.clone(), Month::of(line.day))).or_default();
            match line.kind {
                RecordKind::EmergencyVisit => counts.visits += line.number,
                RecordKind::HomeDeath => counts.deaths += line.number,
            }
        }
        for conference in held {
            for there in &conference.attendees {
                counted.entry((there.clone(), Month::of(conference.day))).or_default().conferences += 1;
            }
        }
        let since = instants(Month::of(first.first().plus_days(-REACH_DAYS)), zone).0;
        let laid = self.rota_laid(association, since).await?;
        for (institution, turns) in full_day_turns(&laid.timeline) {
            for turn in
                turns.iter().filter(|turn| from <= turn.from && turn.from < to && turn.to <= self.now())
            {
                let month = Month::of(civil_day(turn.from, zone));
                counted.entry((institution.clone(), month)).or_default().turns += 1;
            }
        }
        Ok(counted)
    }

    /// The twelve months that end with `last`, of one clinic.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such clinic; the store's.
    pub async fn clinic_year(
        &self,
        association: &AssociationId,
        institution: &InstitutionId,
        last: Month,
    ) -> Result<ClinicYear, AppError> {
        let view: DirectoryView = self.directory(association).await?;
        let name = view.institution(institution).ok_or(AppError::NotFound)?.name.clone();
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let all: Vec<Month> = months(last).collect();
        let days = (all.first().map_or(last.first(), |month| month.first()), last.end());
        let lines = records(&mut conn, association, days).await?;
        let held = conferences(&mut conn, association, days).await?;
        drop(conn);
        let counted = self.clinic_counts(association, (&all, home.zone), (&lines, &held)).await?;
        let of =
            |id: &InstitutionId, month: Month| counted.get(&(id.clone(), month)).copied().unwrap_or_default();
        let own: Vec<Counts> = all.iter().map(|month| of(institution, *month)).collect();
        let in_month = |month: Month| {
            view.memberships
                .iter()
                .filter(move |m| m.holds_on(month.first()) || m.holds_on(month.end().plus_days(-1)))
        };
        let mine = in_month(last).find(|m| m.institution == *institution).map(|m| m.group.clone());
        let group = mine.map(|id| {
            let counts = all.iter().map(|month| {
                let members = in_month(*month).filter(|m| m.group == id);
                let sum = members.fold(Counts::default(), |sum, m| sum.plus(of(&m.institution, *month)));
                let own = held.iter().filter(|c| c.group.as_ref() == Some(&id) && Month::of(c.day) == *month);
                // One conference is one, however many came.
                Counts { conferences: i64::try_from(own.count()).unwrap_or(i64::MAX), ..sum }
            });
            let names =
                in_month(last).filter(|m| m.group == id).filter_map(|m| view.institution(&m.institution));
            GroupYear {
                counts: counts.collect(),
                institutions: names.map(|i| i.name.clone()).collect(),
                name: view.groups.iter().find(|g| g.id == id).map(|g| g.name.clone()).unwrap_or_default(),
            }
        });
        Ok(ClinicYear {
            institution: institution.clone(),
            name,
            months: all,
            demands: demands(&own, group.as_ref().map(|g| g.counts.as_slice())),
            own,
            group,
            lines: lines.into_iter().filter(|line| line.institution == *institution).collect(),
        })
    }

    /// The conferences of the twelve months that end with `last`, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn conferences(
        &self,
        association: &AssociationId,
        last: Month,
    ) -> Result<Vec<Conference>, AppError> {
        let mut conn = self.db.read().await?;
        let from = months(last).next().unwrap_or(last).first();
        Ok(conferences(&mut conn, association, (from, last.end())).await?)
    }

    async fn clinic_record_do(&self, who: &Who, deed: Deed) -> Result<(), AppError> {
        let done = self.db.run(Do { kit: self.kit(), who: who.clone(), deed }).await?;
        if done { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Writes down what a clinic did on a day, beside what this service saw.
    ///
    /// # Errors
    /// Each field that is missing or cannot be; no such clinic; the store's.
    pub async fn clinic_record_add(
        &self,
        who: &Who,
        institution: &InstitutionId,
        (kind, day, number): (Option<RecordKind>, Option<CivilDate>, Option<i64>),
    ) -> Result<(), AppError> {
        self.institution(&who.association, institution).await?;
        let today = self.today_of(&who.association).await?;
        let wrong_day = day.map_or(Some(FieldWrong::missing("day")), |day| wrong_day(day, today));
        let mut wrong: Vec<FieldWrong> = wrong_day.into_iter().collect();
        wrong.extend(wrong_number("number", number, 1));
        wrong.extend(kind.is_none().then(|| FieldWrong::missing("kind")));
        let (Some(kind), Some(day), Some(number), true) = (kind, day, number, wrong.is_empty()) else {
            return Err(AppError::Invalid(wrong));
        };
        let id = ClinicRecordId::new(self.now(), self.chance.as_ref());
        let new = ClinicRecord { id, institution: institution.clone(), kind, day, number };
        self.clinic_record_do(who, Deed::Record(new)).await
    }

    /// Takes a line back; the audit keeps it.
    ///
    /// # Errors
    /// This clinic has no such line; the store's.
    pub async fn clinic_record_withdraw(
        &self,
        who: &Who,
        institution: &InstitutionId,
        id: &ClinicRecordId,
    ) -> Result<(), AppError> {
        let deed = Deed::NoRecord { institution: institution.clone(), id: id.clone() };
        self.clinic_record_do(who, deed).await
    }

    /// Writes down a conference.
    ///
    /// # Errors
    /// Each field that is missing or cannot be; the store's.
    pub async fn conference_add(&self, who: &Who, new: NewConference) -> Result<(), AppError> {
        let view = self.directory(&who.association).await?;
        let today = self.today_of(&who.association).await?;
        let wrong_day = new.day.map_or(Some(FieldWrong::missing("day")), |day| wrong_day(day, today));
        let mut wrong: Vec<FieldWrong> = wrong_day.into_iter().collect();
        if new.attendees.is_empty() {
            wrong.push(FieldWrong::missing("attendees"));
        } else if new.attendees.iter().any(|id| view.institution(id).is_none()) {
            wrong.push(FieldWrong { field: "attendees", wrong: Wrong::NotAChoice });
        }
        if new.group.as_ref().is_some_and(|id| !view.groups.iter().any(|g| g.id == *id)) {
            wrong.push(FieldWrong { field: "group", wrong: Wrong::NotAChoice });
        }
        wrong.extend(wrong_number("people", new.people, 1));
        wrong.extend(wrong_number("patients", new.patients, 0));
        let (Some(day), Some(people), Some(patients), true) =
            (new.day, new.people, new.patients, wrong.is_empty())
        else {
            return Err(AppError::Invalid(wrong));
        };
        let conference = Conference {
            id: ClinicRecordId::new(self.now(), self.chance.as_ref()),
            group: new.group,
            day,
            online: new.online,
            attendees: new.attendees,
            people,
            patients,
        };
        self.clinic_record_do(who, Deed::Conference(conference)).await
    }

    /// Takes a conference back; the audit keeps it.
    ///
    /// # Errors
    /// There is none such; the store's.
    pub async fn conference_withdraw(&self, who: &Who, id: &ClinicRecordId) -> Result<(), AppError> {
        self.clinic_record_do(who, Deed::NoConference { id: id.clone() }).await
    }
}
