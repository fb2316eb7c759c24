//! Taking a wish for cover down: the whole as one request, each of its slots as one below it.

use serde_json::json;

use super::super::consult::Asking;
use super::super::flow::{Act, apply, next_case_no};
use super::super::swap::duty_view_in;
use super::super::{Kit, Who};
use super::world::settings_of;
use super::{CoverAsked, CoverMade};
use crate::domain::calendar::civil_day;
use crate::domain::consult::Wrong;
use crate::domain::cover::{CoverFacts, NewCover, Part, SLOTS_MAX, SOON_S, split, summary_at};
use crate::domain::dispatch::request::Child;
use crate::domain::dispatch::{Event, Plan, Request};
use crate::ids::{InstitutionId, RequestId};
use crate::store::cover::{SlotRow, cover_slot_add, cover_slots_of_clinic};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{Association, association_by_id, institution_by_id, member_by_id};
use crate::store::requests::{NewCase, case_add};
use crate::store::rota::rota_touch;
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

/// The plan of a slot; its name says whether the rota covers it and whether it begins soon.
const PLAN: &str = "night_cover";

pub(super) struct AskCover {
    pub kit: Kit,
    pub who: Who,
    pub asking: Asking,
    pub id: RequestId,
    pub new: NewCover,
}

impl AskCover {
    fn plan(&self, name: &str) -> Result<Plan, StoreError> {
        let plan = self.kit.rules.plans.get(name).cloned();
        plan.ok_or_else(|| StoreError::Unusable(format!("no plan is called {name}")))
    }

    fn plan_of(&self, part: &Part) -> Result<Plan, StoreError> {
        let duty = if part.on_duty.is_empty() { "" } else { "_duty" };
        let soon = if part.window.from < self.kit.now.plus_s(SOON_S) { "_soon" } else { "" };
        self.plan(&format!("{PLAN}{duty}{soon}"))
    }

    async fn write(
        &self,
        tx: &mut Conn,
        home: &Association,
        institution: &InstitutionId,
        (request, facts, detail): (&Request, &CoverFacts, &serde_json::Value),
    ) -> Result<String, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let case_no = next_case_no(tx, association, civil_day(kit.now, home.zone)).await?;
        let facts =
            serde_json::to_string(facts).map_err(|e| StoreError::corrupt("request", &request.id, e))?;
        let at = |column| Sealed { table: "request", column, row: request.id.as_str() };
        let new = NewCase {
            request,
            case_no: &case_no,
            institution,
            entered_by: (!self.asking.in_person).then_some(self.who.actor.as_str()),
            channel: self.asking.channel,
            facts: &facts,
            blind: kit.vault.seal(tx, association, at("blind"), kit.now, "{}").await?,
            detail: kit.vault.seal(tx, association, at("detail"), kit.now, &detail.to_string()).await?,
        };
        case_add(tx, association, &new).await?;
        Ok(case_no)
    }
}

impl Command for AskCover {
    type Output = CoverAsked;

    async fn apply(&self, tx: &mut Conn) -> Result<CoverAsked, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let wrong = |field: &str, wrong| Ok(CoverAsked::Wrong(field.to_owned(), wrong));
        // Two requests of one clinic wait here for each other.
        rota_touch(tx, association, kit.now).await?;
        let Some(home) = association_by_id(tx, association).await? else {
            return wrong("asker", Wrong::Unknown);
        };
        let asker = member_by_id(tx, association, &self.asking.asker).await?;
        let asker = asker.filter(|m| m.is_active(kit.now));
        let Some((asker, institution)) = asker.and_then(|m| m.institution.map(|i| (m.id, i))) else {
            return wrong("asker", Wrong::Unknown);
        };
        let Some(window) = self.new.window() else { return wrong("to", Wrong::OutOfRange) };
        if !cover_slots_of_clinic(tx, association, &institution, window).await?.is_empty() {
            return wrong("from", Wrong::Taken);
        }
        let area =
            institution_by_id(tx, association, &institution).await?.map(|i| i.area).unwrap_or_default();
        let Some(view) = duty_view_in(tx, kit, association, &area).await? else {
            return wrong("asker", Wrong::Unknown);
        };
        let slots = view.area.as_ref().map(|area| view.slots_of(area, window)).unwrap_or_default();
        let parts = split(window, &asker, &view, &slots);
        if parts.len() > SLOTS_MAX {
            return wrong("to", Wrong::TooLate);
        }
        let facts = CoverFacts {
            area,
            institution: institution.clone(),
            manner: self.new.manner,
            patients: self.new.patients.as_ref().map(|p| u32::try_from(p.len()).unwrap_or(u32::MAX)),
            by_rota: false,
        };
        let request = |id: RequestId, plan, window: crate::time::Window| {
            let mut request = Request::new(id, plan, asker.clone(), window, window.to, kit.now);
            request.asked_in_person = self.asking.in_person;
            request
        };
        let mut whole = request(self.id.clone(), self.plan(PLAN)?, window);
        let mut children = Vec::with_capacity(parts.len());
        for part in &parts {
            let id = RequestId::new(kit.now, kit.vault.chance.as_ref());
            let mut child = request(id, self.plan_of(part)?, part.window);
            child.parent = Some(self.id.clone());
            whole.children.insert(child.id.clone(), Child::Open);
            children.push(child);
        }
        let detail = json!({ "note": self.new.note, "patients": self.new.patients });
        let case_no = self.write(tx, &home, &institution, (&whole, &facts, &detail)).await?;
        for (child, part) in children.iter().zip(&parts) {
            let facts = CoverFacts { by_rota: !part.on_duty.is_empty(), ..facts.clone() };
            self.write(tx, &home, &institution, (child, &facts, &json!({}))).await?;
            let slot = SlotRow {
                request: child.id.clone(),
                parent: self.id.clone(),
                institution: institution.clone(),
                asker: asker.clone(),
                window: part.window,
                by_rota: facts.by_rota,
                state: String::new(),
            };
            cover_slot_add(tx, association, &slot).await?;
        }
        let (_, settings) = settings_of(tx, association).await?;
        let job = NewJob {
            lane: Lane::Mail,
            kind: "cover_summary",
            key: format!("cover_summary:{}", self.id),
            body: json!({ "request": self.id.as_str(), "member": asker.as_str() }),
            due: summary_at(window.to, &settings, home.zone),
        };
        job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
        let act = Act {
            action: "request.ask",
            detail: json!({
                "case_no": case_no, "kind": "cover", "channel": self.asking.channel, "slots": parts.len(),
                "manner": self.new.manner, "plan": PLAN,
            }),
        };
        apply(tx, kit, &self.who, &self.id, Event::Begin, &act).await?;
        for child in &children {
            let act = Act {
                action: "request.ask",
                detail: json!({
                    "kind": "cover", "of": self.id.as_str(), "plan": child.plan.name,
                    "plan_version": child.plan.version,
                }),
            };
            apply(tx, kit, &self.who, &child.id, Event::Begin, &act).await?;
        }
        let by_rota = parts.iter().filter(|p| !p.on_duty.is_empty()).count();
        Ok(CoverAsked::Asked(CoverMade { request: self.id.clone(), case_no, slots: parts.len(), by_rota }))
    }
}
