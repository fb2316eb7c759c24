//! Calls that begin on a page or by the API: the physician's and the asker's phones ring, or two doctors of an
//! accepted consult are connected (電話でつなぐ), or one phone is rung. And what people do to a running call from a page.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::flow::{apply, decided};
use super::inbound::{hunt_request, minutes_this_month};
use super::settings::{line_of, load};
use crate::app::access::note;
use crate::app::flow::next_case_no;
use crate::app::replay::Key;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::calendar::civil_day;
use crate::domain::call::number::Line;
use crate::domain::call::{Answer, Call, Event, Happened, Kind};
use crate::domain::consult::Wrong;
use crate::domain::dispatch;
use crate::domain::people::Role;
use crate::domain::people::reach::TEST_CALL_S;
use crate::ids::{AssociationId, CallId, InstitutionId, MemberId, ReachTestId, RequestId};
use crate::store::call::{NewCall, call_add, call_by_id, call_lock};
use crate::store::dispatch::request_load;
use crate::store::enrolment::{TestBy, reach_call_open, reach_test_add};
use crate::store::jobs::{alarm_acknowledge, alarms_unacknowledged};
use crate::store::people::{Member, association_by_id, institution_by_id, member_by_id, members_after};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// People a page offers to be rung.
const RINGABLE_MAX: i64 = 1_000;

/// A call that was begun, or the field that stands against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Started {
    Call {
        call: CallId,
        case_no: String,
    },
    /// The association has no night number.
    NoNumber,
    /// The person has no phone that may be rung.
    NoPhone,
    /// The clinic is not in the directory, or the consult was not taken.
    NotThere,
    /// The month's minutes are used up, and it is not urgent.
    TooDear,
}

struct Start {
    kit: Kit,
    who: Who,
    id: CallId,
    request: RequestId,
    asker: MemberId,
    clinic: Option<InstitutionId>,
    what: What,
}

/// What a call is begun for.
#[derive(Clone)]
pub(crate) enum What {
    Urgent,
    Connect(RequestId),
    /// Whether the phone in force is answered.
    Test,
    /// Whether a number that is to count from then on is answered.
    NewNumber(Line),
    /// New means to sign in were asked for.
    Recovery,
    /// Whether the phone will be answered tonight.
    Tonight,
}

impl Command for Start {
    type Output = Started;

    async fn apply(&self, tx: &mut Conn) -> Result<Started, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let (_, settings) = load(tx, &kit.vault, association).await?;
        let Some(home) = association_by_id(tx, association).await?.filter(|_| settings.shown().is_some())
        else {
            return Ok(Started::NoNumber);
        };
        let own = settings.own();
        let asker = member_by_id(tx, association, &self.asker).await?.filter(|m| m.is_active(kit.now));
        let line = match &self.what {
            What::NewNumber(line) => Some(line.clone()),
            _ => line_of(tx, &kit.vault, association, &own, &self.asker).await?,
        };
        let Some(line) = line else {
            return Ok(Started::NoPhone);
        };
        let since = kit.now.plus_s(-TEST_CALL_S);
        if matches!(self.what, What::Test)
            && let Some(call) = reach_call_open(tx, association, &self.asker, since).await?
            && let Some(row) = call_by_id(tx, association, &call).await?
        {
            // It rings already: pressed once more, it does not ring twice.
            return Ok(Started::Call { call, case_no: row.case_no });
        }
        if let Some(clinic) = &self.clinic
            && institution_by_id(tx, association, clinic).await?.is_none()
        {
            return Ok(Started::NotThere);
        }
        let policy = settings.policy.clone();
        let over = match settings.limits.minutes_per_month {
            // An urgent call is not held up for its cost; a talk that can be dialled by hand is.
            Some(most) if matches!(self.what, What::Connect(_) | What::Test) => {
                minutes_this_month(tx, kit, &home, &settings).await? >= most
            }
            _ => false,
        };
        if over {
            return Ok(Started::TooDear);
        }
        let mut call = match &self.what {
            What::Test | What::NewNumber(_) | What::Recovery | What::Tonight => Call::to_one(
                self.id.clone(),
                match self.what {
                    What::Recovery => Kind::Recovery,
                    What::Tonight => Kind::Tonight,
                    _ => Kind::Test,
                },
                self.asker.clone(),
                line,
                policy,
                kit.now,
            ),
            What::Urgent => Call::from_page(
                self.id.clone(),
                self.asker.clone(),
                line,
                self.clinic.clone(),
                policy,
                kit.now,
            ),
            What::Connect(consult) => {
                let loaded = request_load(tx, association, consult).await?;
                let taker = loaded.as_ref().and_then(|l| l.request.claims().next().map(|c| c.person.clone()));
                let (Some(loaded), Some(taker)) = (loaded, taker) else {
                    return Ok(Started::NotThere);
                };
                let sides = [loaded.request.asker.clone(), taker];
                let Some(other) =
                    sides.iter().find(|p| **p != self.asker).filter(|_| sides.contains(&self.asker))
                else {
                    return Ok(Started::NotThere);
                };
                let Some(theirs) = line_of(tx, &kit.vault, association, &own, other).await? else {
                    return Ok(Started::NoPhone);
                };
                let (first, other) = ((self.asker.clone(), line), (other.clone(), theirs));
                Call::between(self.id.clone(), first, other, policy, kit.now)
            }
        };
        call.report_by = Some(settings.report_due(kit.now, home.zone));
        let request = hunt_request(kit, association, self.request.clone(), Some(&self.asker), &settings)?;
        let case_no = next_case_no(tx, association, civil_day(kit.now, home.zone)).await?;
        let new = NewCall {
            call: &call,
            request: &request,
            case_no: &case_no,
            asker: Some(&self.asker),
            institution: asker.as_ref().and_then(|m| m.institution.as_ref()),
            consult: self.what.consult(),
            line_mark: None,
        };
        call_add(tx, &kit.vault, association, &new, kit.now).await?;
        let detail = json!({
            "case_no": case_no, "kind": self.what.code(),
            "consult": self.what.consult().map(RequestId::as_str),
        });
        if matches!(self.what, What::Test) {
            let test = ReachTestId::new(kit.now, kit.vault.chance.as_ref());
            let by = TestBy::Call(&call.id);
            reach_test_add(tx, association, &test, &self.asker, by, kit.now, &self.who.actor).await?;
            let subject = format!("member:{}", self.asker);
            note(tx, kit, &self.who, "reach.asked", &subject, json!({ "way": "phone" })).await?;
        }
        note(tx, kit, &self.who, "call.start", &format!("call:{}", call.id), detail).await?;
        apply(tx, kit, &self.who, &call.id, Happened::Call(Event::Begin)).await?;
        Ok(Started::Call { call: call.id, case_no })
    }
}

impl What {
    const fn code(&self) -> &'static str {
        match self {
            Self::Urgent => "web",
            Self::Connect(_) => "connect",
            Self::Test => "test",
            Self::NewNumber(_) => "new_number",
            Self::Recovery => "recovery",
            Self::Tonight => "tonight",
        }
    }

    const fn consult(&self) -> Option<&RequestId> {
        match self {
            Self::Connect(consult) => Some(consult),
            Self::Urgent | Self::Test | Self::NewNumber(_) | Self::Recovery | Self::Tonight => None,
        }
    }
}

/// Rings one phone from within another command; [`Started`] says why not.
pub(crate) async fn ring_one(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    member: &MemberId,
    what: What,
) -> Result<Started, StoreError> {
    let chance = kit.vault.chance.as_ref();
    let start = Start {
        id: CallId::new(kit.now, chance),
        request: RequestId::new(kit.now, chance),
        kit: kit.clone(),
        who: who.clone(),
        asker: member.clone(),
        clinic: None,
        what,
    };
    start.apply(tx).await
}

/// What became of a wish to ring somebody.
#[derive(Serialize, Deserialize)]
enum RungNow {
    Answered(Answer),
    NoSuchCall,
    /// Nobody who could take the call.
    NoSuchPerson,
}

/// Somebody of the office has this person rung now.
struct RingNow {
    kit: Kit,
    who: Who,
    call: CallId,
    person: MemberId,
}

impl Command for RingNow {
    type Output = RungNow;

    async fn apply(&self, tx: &mut Conn) -> Result<RungNow, StoreError> {
        let (kit, who) = (&self.kit, &self.who);
        let association = &who.association;
        let Some(loaded) = call_lock(tx, &kit.vault, association, &self.call).await? else {
            return Ok(RungNow::NoSuchCall);
        };
        let member = member_by_id(tx, association, &self.person).await?;
        if !member.is_some_and(|m| may_be_rung(&m, kit.now)) {
            return Ok(RungNow::NoSuchPerson);
        }
        if !loaded.call.stage.is_seeking() || loaded.call.route.is_none() {
            return Ok(RungNow::Answered(Answer::NotNow));
        }
        let event = dispatch::Event::AskNow { person: self.person.clone() };
        decided(tx, kit, who, &loaded, Happened::Request(event)).await?;
        let detail = json!({ "member": self.person.as_str() });
        note(tx, kit, who, "call.ring", &format!("call:{}", self.call), detail).await?;
        Ok(RungNow::Answered(Answer::Done))
    }
}

/// Whether somebody can take a call: a phone to be rung, a PIN to say yes with, and a role that helps.
fn may_be_rung(member: &Member, now: Millis) -> bool {
    let roles = [Role::Physician, Role::Specialist, Role::Coordinator, Role::Officer];
    member.is_active(now)
        && member.phone.is_some()
        && member.pin_hash.is_some()
        && roles.iter().any(|role| member.has(*role))
}

struct Deed {
    kit: Kit,
    who: Who,
    call: CallId,
    event: Event,
    action: &'static str,
}

impl Command for Deed {
    type Output = Option<Answer>;

    async fn apply(&self, tx: &mut Conn) -> Result<Option<Answer>, StoreError> {
        let (kit, who) = (&self.kit, &self.who);
        let Some(moved) = apply(tx, kit, who, &self.call, Happened::Call(self.event.clone())).await? else {
            return Ok(None);
        };
        let subject = format!("call:{}", self.call);
        if matches!(self.event, Event::Acknowledged | Event::Close) {
            for alarm in alarms_unacknowledged(tx, &who.association).await? {
                if alarm.subject == subject {
                    alarm_acknowledge(tx, &who.association, &alarm.id, &who.actor, kit.now).await?;
                }
            }
        }
        note(tx, kit, who, self.action, &subject, json!({ "answer": moved.answer })).await?;
        Ok(Some(moved.answer))
    }
}

impl App {
    /// Rings the physician on duty and then the asker, who asks on a page or by the API. `clinic`: the one the
    /// patient belongs to, where it is known.
    ///
    /// # Errors
    /// No number, no phone, no such clinic, each named by its field; the store's.
    pub async fn call_start(
        &self,
        who: &Who,
        asker: &MemberId,
        clinic: Option<InstitutionId>,
        key: Option<&Key>,
    ) -> Result<(CallId, String), AppError> {
        self.begin(who, asker, clinic, What::Urgent, key).await
    }

    /// Connects the two doctors of an accepted consult; `person` is one of them and is rung first.
    ///
    /// # Errors
    /// As [`App::call_start`].
    pub async fn call_connect(
        &self,
        who: &Who,
        person: &MemberId,
        consult: &RequestId,
        key: Option<&Key>,
    ) -> Result<(CallId, String), AppError> {
        self.begin(who, person, None, What::Connect(consult.clone()), key).await
    }

    /// Rings a member's phone to see whether it is answered with a key; how it ended stands among their tests. One
    /// that rings already is not rung a second time.
    ///
    /// # Errors
    /// As [`App::call_start`].
    pub async fn call_test(
        &self,
        who: &Who,
        member: &MemberId,
        key: Option<&Key>,
    ) -> Result<CallId, AppError> {
        self.begin(who, member, None, What::Test, key).await.map(|(call, _)| call)
    }

    async fn begin(
        &self,
        who: &Who,
        asker: &MemberId,
        clinic: Option<InstitutionId>,
        what: What,
        key: Option<&Key>,
    ) -> Result<(CallId, String), AppError> {
        let (kit, chance) = (self.kit(), self.chance.as_ref());
        let start = Start {
            id: CallId::new(kit.now, chance),
            request: RequestId::new(kit.now, chance),
            kit: kit.clone(),
            who: who.clone(),
            asker: asker.clone(),
            clinic,
            what,
        };
        match self.run_once(&kit, who, key, start).await?.into_inner() {
            Started::Call { call, case_no } => Ok((call, case_no)),
            Started::NoNumber => Err(AppError::field("number", Wrong::Missing)),
            Started::NoPhone => Err(AppError::field("phone", Wrong::Missing)),
            Started::NotThere => Err(AppError::field("clinic", Wrong::Unknown)),
            Started::TooDear => Err(AppError::field("minutes", Wrong::OutOfRange)),
        }
    }

    async fn deed(
        &self,
        who: &Who,
        call: &CallId,
        event: Event,
        action: &'static str,
    ) -> Result<Answer, AppError> {
        let deed = Deed { kit: self.kit(), who: who.clone(), call: call.clone(), event, action };
        self.db.run(deed).await?.ok_or(AppError::NotFound)
    }

    /// The taker asks to be connected now: after a promise, or once more.
    ///
    /// # Errors
    /// There is no such call; the store's.
    pub async fn call_again(&self, who: &Who, call: &CallId, person: &MemberId) -> Result<Answer, AppError> {
        self.deed(who, call, Event::Connect { person: person.clone() }, "call.connect").await
    }

    /// The taker hands over; the caller stays on the line.
    ///
    /// # Errors
    /// As [`App::call_again`].
    pub async fn call_hand_over(
        &self,
        who: &Who,
        call: &CallId,
        person: &MemberId,
    ) -> Result<Answer, AppError> {
        self.deed(who, call, Event::HandOver { person: person.clone() }, "call.hand_over").await
    }

    /// Somebody of the office looks after the alarms of a call.
    ///
    /// # Errors
    /// As [`App::call_again`].
    pub async fn call_acknowledge(&self, who: &Who, call: &CallId) -> Result<Answer, AppError> {
        self.deed(who, call, Event::Acknowledged, "call.acknowledge").await
    }

    /// Somebody of the office has a person rung now, whatever the plan says; whoever rings already rings on.
    /// [`Answer::NotNow`]: nobody is being looked for.
    ///
    /// # Errors
    /// There is no such call; `person`: nobody here who has a phone, a PIN and a role that takes calls; the key was
    /// used for something else; the store's.
    pub async fn call_ring(
        &self,
        who: &Who,
        call: &CallId,
        person: &MemberId,
        key: Option<&Key>,
    ) -> Result<Answer, AppError> {
        let kit = self.kit();
        let ring = RingNow { kit: kit.clone(), who: who.clone(), call: call.clone(), person: person.clone() };
        match self.run_once(&kit, who, key, ring).await?.into_inner() {
            RungNow::Answered(answer) => Ok(answer),
            RungNow::NoSuchCall => Err(AppError::NotFound),
            RungNow::NoSuchPerson => Err(AppError::field("person", Wrong::Unknown)),
        }
    }

    /// Whom a call may ring by hand, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_ringable(
        &self,
        association: &AssociationId,
    ) -> Result<Vec<(MemberId, String)>, AppError> {
        let mut conn = self.db.read().await?;
        let now = self.now();
        let all = members_after(&mut conn, association, "", RINGABLE_MAX).await?;
        Ok(all.into_iter().filter(|m| may_be_rung(m, now)).map(|m| (m.id, m.name)).collect())
    }

    /// A human ends a call: every phone is hung up.
    ///
    /// # Errors
    /// As [`App::call_again`].
    pub async fn call_close(&self, who: &Who, call: &CallId) -> Result<Answer, AppError> {
        self.deed(who, call, Event::Close, "call.close").await
    }
}
