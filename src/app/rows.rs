//! The rows that use cases hand out, under names that `web` may use: it never reaches the store itself.

pub use crate::store::access::{ApiKeyRow, SessionRow};
pub use crate::store::audit::Event;
pub use crate::store::call::{CallRow, LegRow};
pub use crate::store::clinic_records::{ClinicRecord, Conference};
pub use crate::store::credentials::{PasskeyRow, Recovery};
pub use crate::store::directory::{CareGroup, YearWindows};
pub use crate::store::dispatch::{AttemptRow, OfferRow};
pub use crate::store::enrolment::{DeviceRow, ReachFacts, ReachTest, SharedDevice};
pub use crate::store::feeds::FeedRow;
pub use crate::store::jobs::AlarmRow;
pub use crate::store::ledger::LineRow;
pub use crate::store::people::{Association, Institution, Member};
pub use crate::store::phone_changes::PhoneChange;
pub use crate::store::pillars::PillarDuty;
pub use crate::store::requests::Case;
pub use crate::store::rota::wishes::WishRound;
pub use crate::store::sheets::{RunState, SheetRun};
