//! Who is on duty for a clinic's patients at this moment, from the rota.

use crate::domain::rota::{Area, RotaRole, Timeline};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::people::institution_by_id;
use crate::store::rota::records::records_since;
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// The duty of a moment, each role's people in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OnDuty {
    pub primary: Vec<MemberId>,
    pub deputy: Vec<MemberId>,
}

/// Who is on at `now`: in the clinic's own area where the rota has one of that name, else in every area.
pub(crate) async fn on_duty(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: Option<&InstitutionId>,
    now: Millis,
) -> Result<OnDuty, StoreError> {
    let timeline = Timeline::new(&records_since(conn, association, now).await?, None);
    let home = match clinic {
        Some(id) => institution_by_id(conn, association, id).await?.map(|i| i.area),
        None => None,
    };
    let own = |area: &Area| home.as_deref() == Some(area.as_str());
    let has_own = timeline.lines().any(|(area, _)| own(area));
    let mut duty = OnDuty::default();
    for (area, role) in timeline.lines().filter(|(area, _)| !has_own || own(area)) {
        let people = timeline.who(area, role, now).people().into_iter().map(|holder| holder.person);
        match role {
            RotaRole::Primary => duty.primary.extend(people),
            RotaRole::Deputy => duty.deputy.extend(people),
            RotaRole::Backing => {}
        }
    }
    Ok(duty)
}
