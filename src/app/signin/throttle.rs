//! How often the password of an account may be tried. Strangers can make other strangers wait, never the
//! person: a known device and a passkey stay free. Kept in the database, so that a restart forgets nothing.

use crate::app::{App, AppError, Kit};
use crate::store::credentials::{Tries, tries_clear, tries_locked, tries_put};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Failures in a row after which an account's strangers wait.
const FREE_TRIES: i64 = 10;
/// The same for one client's tries on one account.
const FREE_TRIES_OF_CLIENT: i64 = 5;
const FIRST_WAIT_S: i64 = 15;
const LONGEST_WAIT_S: i64 = 900;
/// Failures in a row after which only a passkey, or recovery, helps (NIST SP 800-63B-4 §3.2.2).
pub const CEILING: i64 = 100;

/// Whether a password may be tried now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charged {
    Go,
    /// Not before this many seconds.
    Wait(u32),
    Ceiling,
}

/// Where the tries of somebody's account are counted: in all, and from one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    all: [u8; 32],
    client: [u8; 32],
}

impl Account {
    pub fn new(app: &App, address: &str, client: &str) -> Self {
        let seal = &app.vault.seal;
        Self { all: seal.account_mark(address, ""), client: seal.account_mark(address, client) }
    }
}

/// Seconds to wait after so many failures beyond the free ones, counted from 0: doubling.
fn wait_s(beyond: i64) -> i64 {
    let factor = u32::try_from(beyond).ok().and_then(|n| 1i64.checked_shl(n.min(16))).unwrap_or(1);
    FIRST_WAIT_S.saturating_mul(factor).min(LONGEST_WAIT_S)
}

/// The tries after one more, or why there may be none. Counted before the password is looked at, so that many
/// tries at once are not free; one that was right sets the count back.
fn charge(before: Tries, known: bool, free: i64, now: Millis) -> Result<Tries, Charged> {
    if known {
        if before.known_failures >= CEILING {
            return Err(Charged::Ceiling);
        }
        return Ok(Tries { known_failures: before.known_failures + 1, ..before });
    }
    if before.failures >= CEILING {
        return Err(Charged::Ceiling);
    }
    if now < before.wait_until {
        let left_ms = before.wait_until.since_ms(now);
        return Err(Charged::Wait(u32::try_from(left_ms.div_euclid(1_000) + 1).unwrap_or(u32::MAX)));
    }
    let failures = before.failures + 1;
    let wait_until = if failures >= free { now.plus_s(wait_s(failures - free)) } else { before.wait_until };
    Ok(Tries { failures, wait_until, ..before })
}

/// Whose tries count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Everybody's on this account, and this client's.
    Strangers,
    /// Only those of known devices.
    Known,
    /// Only this client's: what is tried cannot be guessed, so nobody else need wait.
    Client,
}

struct Charge {
    now: Millis,
    account: Account,
    whose: Whose,
}

impl Command for Charge {
    type Output = Charged;

    async fn apply(&self, tx: &mut Conn) -> Result<Charged, StoreError> {
        let all = if self.whose == Whose::Client {
            None
        } else {
            let all = tries_locked(tx, &self.account.all).await?;
            match charge(all, self.whose == Whose::Known, FREE_TRIES, self.now) {
                Ok(after) => Some(after),
                Err(refused) => return Ok(refused),
            }
        };
        if self.whose != Whose::Known {
            let client = tries_locked(tx, &self.account.client).await?;
            match charge(client, false, FREE_TRIES_OF_CLIENT, self.now) {
                Ok(after) => tries_put(tx, &self.account.client, after, self.now).await?,
                // The ceiling belongs to the account; a client that reaches it alone waits the longest.
                Err(Charged::Ceiling) => {
                    return Ok(Charged::Wait(u32::try_from(LONGEST_WAIT_S).unwrap_or(u32::MAX)));
                }
                Err(refused) => return Ok(refused),
            }
        }
        if let Some(all) = all {
            tries_put(tx, &self.account.all, all, self.now).await?;
        }
        Ok(Charged::Go)
    }
}

/// Sets the counts back.
pub(super) async fn forgive(tx: &mut Conn, account: &Account) -> Result<(), StoreError> {
    tries_clear(tx, &account.all).await?;
    tries_clear(tx, &account.client).await
}

/// Sets the count of an address back, whoever tried.
pub(super) async fn forgive_address(tx: &mut Conn, kit: &Kit, address: &str) -> Result<(), StoreError> {
    tries_clear(tx, &kit.vault.seal.account_mark(address, "")).await
}

impl App {
    /// Counts one try on an account, before it is looked at.
    pub(super) async fn charge(&self, account: Account, known: bool) -> Result<Charged, AppError> {
        let whose = if known { Whose::Known } else { Whose::Strangers };
        Ok(self.db.run(Charge { now: self.now(), account, whose }).await?)
    }

    /// Counts one try of something with 60 random bits. No number of strangers' tries makes the person wait who
    /// has it: otherwise they could close the way back to whoever lost every means.
    pub(super) async fn charge_client(&self, account: Account) -> Result<Charged, AppError> {
        Ok(self.db.run(Charge { now: self.now(), account, whose: Whose::Client }).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn after(n: i64, known: bool) -> (Tries, Vec<i64>) {
        let (mut tries, mut now, mut waits) = (Tries::default(), NOW, Vec::new());
        for _ in 0..n {
            loop {
                match charge(tries, known, FREE_TRIES, now) {
                    Ok(next) => {
                        tries = next;
                        break;
                    }
                    Err(Charged::Wait(seconds)) => {
                        waits.push(i64::from(seconds));
                        now = now.plus_s(i64::from(seconds));
                    }
                    Err(_) => return (tries, waits),
                }
            }
        }
        (tries, waits)
    }

    #[test]
    fn ten_failures_are_free_then_the_waits_double_up_to_a_quarter_of_an_hour() {
        assert_eq!(after(10, false).1, [0i64; 0]);
        assert_eq!(after(18, false).1, [16, 31, 61, 121, 241, 481, 901, 901]);
    }

    #[test]
    fn a_hundred_in_a_row_end_it_and_take_most_of_a_day() {
        let (tries, waits) = after(500, false);
        assert_eq!(tries.failures, CEILING);
        assert!(waits.iter().sum::<i64>() > 20 * 3_600);
        assert_eq!(charge(tries, false, FREE_TRIES, NOW.plus_s(1_000_000)), Err(Charged::Ceiling));
    }

    #[test]
    fn a_known_device_never_waits_and_strangers_cannot_use_up_its_tries() {
        assert_eq!(after(99, true).1, [0i64; 0]);
        let (strangers, _) = after(100, false);
        assert!(charge(strangers, true, FREE_TRIES, NOW).is_ok());
        let (own, _) = after(500, true);
        assert_eq!(charge(own, true, FREE_TRIES, NOW), Err(Charged::Ceiling));
        assert!(charge(own, false, FREE_TRIES, NOW).is_ok());
    }
}
