//! Whom the bridge rings by itself while touban is down: for each number of ours those whom a call of this moment
//! would ring, in their order. A press of 1 is asked of them all the same; that rule is the bridge's.

use super::duty::on_duty;
use super::settings::{line_of, load};
use super::world::physicians;
use crate::app::{App, AppError};
use crate::domain::call::number::{Line, Number};
use crate::domain::people::Role;
use crate::ids::MemberId;
use crate::store::people::{associations, members_with_role};

/// A dialled number and the lines that it rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    pub number: Number,
    /// One after the other, nobody twice.
    pub lines: Vec<Line>,
}

impl App {
    /// Whom each number of ours rings now: the clinic's own physicians where its switch is on, the duty, the
    /// association's own people. Nobody without a phone that may be dialled.
    ///
    /// # Errors
    /// The store's.
    pub async fn call_fallbacks(&self) -> Result<Vec<Fallback>, AppError> {
        let now = self.now();
        let mut conn = self.db.read().await?;
        let mut all = Vec::new();
        for home in associations(&mut conn).await? {
            let (_, settings) = load(&mut conn, &self.vault, &home.id).await?;
            let own = settings.own();
            for number in &own {
                let clinic = settings.clinic_of(number);
                let mut people: Vec<MemberId> = Vec::new();
                if let Some(id) = clinic
                    && settings.institutions.get(id).is_some_and(|i| i.own_line)
                {
                    people.extend(physicians(&mut conn, &home.id, id, now).await?);
                }
                let duty = on_duty(&mut conn, &home.id, clinic, now).await?;
                people.extend(duty.primary);
                people.extend(duty.deputy);
                for role in [Role::Coordinator, Role::Officer] {
                    people.extend(members_with_role(&mut conn, &home.id, role, now).await?);
                }
                let mut lines: Vec<Line> = Vec::new();
                for person in people {
                    if let Some(line) = line_of(&mut conn, &self.vault, &home.id, &own, &person).await?
                        && !lines.contains(&line)
                    {
                        lines.push(line);
                    }
                }
                all.push(Fallback { number: number.clone(), lines });
            }
        }
        Ok(all)
    }
}
