//! How often one client may try something that can be guessed or flooded. Locks of accounts and links do
//! not live here; they are rows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::time::{Millis, SharedClock};

use super::trust::client_unit;

/// What is being limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Answering from a link or with its typed code.
    LinkAnswer,
    /// Signing in, asking for a sign-in link.
    SignIn,
    /// Giving a PIN.
    Pin,
    /// Making something new: a request, a key.
    Create,
}

/// A bucket's size: `burst` tries at once, then one more every `every_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub every_ms: u32,
}

/// How often one client, and all clients together, may do one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub per_client: Rate,
    pub in_total: Rate,
}

/// The allowances of all purposes. They bound the cost of a flood and make one visible; what a guess can
/// win is bounded elsewhere (five wrong PINs end a link).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowances {
    pub link_answer: Allowance,
    pub sign_in: Allowance,
    pub pin: Allowance,
    pub create: Allowance,
    /// How many (client, purpose) pairs are remembered; beyond it the one unused for longest is forgotten.
    pub max_keys: usize,
}

impl Default for Allowances {
    /// Generous to a clinic whose staff share one address, far below what guessing needs. The totals are
    /// about 1,000 (create: 12,000) an hour.
    fn default() -> Self {
        let in_total = Rate { burst: 200, every_ms: 3_600 };
        let few = |burst, every_ms| Allowance { per_client: Rate { burst, every_ms }, in_total };
        Self {
            link_answer: few(20, 30_000),
            sign_in: few(10, 60_000),
            pin: few(10, 30_000),
            create: Allowance {
                per_client: Rate { burst: 60, every_ms: 1_000 },
                in_total: Rate { burst: 1_000, every_ms: 300 },
            },
            max_keys: 20_000,
        }
    }
}

impl Allowances {
    const fn of(&self, purpose: Purpose) -> Allowance {
        match purpose {
            Purpose::LinkAnswer => self.link_answer,
            Purpose::SignIn => self.sign_in,
            Purpose::Pin => self.pin,
            Purpose::Create => self.create,
        }
    }
}

/// Too often; the next try has a chance after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many tries; again in {retry_after_s} s")]
pub struct TooOften {
    /// Seconds, rounded up, at least 1: the value of `Retry-After`.
    pub retry_after_s: u32,
}

/// Token buckets per (client, purpose) and per purpose, on the given clock, in bounded memory.
#[derive(Debug)]
pub struct RateLimiter {
    clock: SharedClock,
    allowances: Allowances,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    uses: u64,
    clients: BTreeMap<(Purpose, IpAddr), (u64, Bucket)>,
    /// The keys of `clients` by their last use.
    by_use: BTreeMap<u64, (Purpose, IpAddr)>,
    totals: BTreeMap<Purpose, Bucket>,
}

/// What is left, counted in milliseconds of refilling so that no fraction is lost.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left_ms: u64,
    at: Millis,
}

impl Bucket {
    fn full(rate: Rate, at: Millis) -> Self {
        Self { left_ms: capacity_ms(rate), at }
    }

    /// Refills up to `now`. A clock that stepped back refills nothing, and does not lock anybody out
    /// until it has caught up.
    fn refilled(self, rate: Rate, now: Millis) -> Self {
        let gained = u64::try_from(now.since_ms(self.at)).unwrap_or(0);
        Self { left_ms: self.left_ms.saturating_add(gained).min(capacity_ms(rate)), at: now }
    }

    /// How long until one try is there; 0 when it is.
    fn wait_ms(self, rate: Rate) -> u64 {
        u64::from(rate.every_ms).saturating_sub(self.left_ms)
    }

    fn take(&mut self, rate: Rate) {
        self.left_ms = self.left_ms.saturating_sub(u64::from(rate.every_ms));
    }
}

fn capacity_ms(rate: Rate) -> u64 {
    u64::from(rate.burst) * u64::from(rate.every_ms)
}

impl RateLimiter {
    /// A limiter in which nobody has tried anything yet.
    #[must_use]
    pub fn new(clock: SharedClock, allowances: Allowances) -> Self {
        Self { clock, allowances, state: Mutex::default() }
    }

    /// Counts one try. A refused try is not counted, so that waiting always helps.
    ///
    /// # Errors
    /// When this client, or all together, tried too often.
    pub fn try_now(&self, client: IpAddr, purpose: Purpose) -> Result<(), TooOften> {
        let now = self.clock.now();
        let allowance = self.allowances.of(purpose);
        let key = (purpose, client_unit(client));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;

        let known = state.clients.get(&key).copied();
        let mut own = known
            .map_or_else(|| Bucket::full(allowance.per_client, now), |(_, b)| b)
            .refilled(allowance.per_client, now);
        let total = state.totals.entry(purpose).or_insert_with(|| Bucket::full(allowance.in_total, now));
        *total = total.refilled(allowance.in_total, now);

        let wait_ms = own.wait_ms(allowance.per_client).max(total.wait_ms(allowance.in_total));
        if wait_ms == 0 {
            own.take(allowance.per_client);
            total.take(allowance.in_total);
        }

        state.uses += 1;
        if let Some((used, _)) = known {
            state.by_use.remove(&used);
        } else if state.clients.len() >= self.allowances.max_keys.max(1)
            && let Some((_, oldest)) = state.by_use.pop_first()
        {
            state.clients.remove(&oldest);
        }
        state.clients.insert(key, (state.uses, own));
        state.by_use.insert(state.uses, key);

        if wait_ms == 0 {
            Ok(())
        } else {
            Err(TooOften { retry_after_s: u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX) })
        }
    }

    /// How many (client, purpose) pairs are remembered.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clients.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::time::ManualClock;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn limiter(per_client: Rate, in_total: Rate, max_keys: usize) -> (Arc<ManualClock>, RateLimiter) {
        let clock = Arc::new(ManualClock::at(Millis(1_000_000_000)));
        let pin = Allowance { per_client, in_total };
        let allowances = Allowances { pin, max_keys, ..Allowances::default() };
        (Arc::clone(&clock), RateLimiter::new(clock, allowances))
    }

    const MANY: Rate = Rate { burst: 1_000_000, every_ms: 1 };

    #[test]
    fn tries_beyond_the_burst_wait_and_waiting_helps() {
        let (clock, limiter) = limiter(Rate { burst: 3, every_ms: 10_000 }, MANY, 100);
        for _ in 0..3 {
            assert_eq!(limiter.try_now(ip(1), Purpose::Pin), Ok(()));
        }
        assert_eq!(limiter.try_now(ip(1), Purpose::Pin), Err(TooOften { retry_after_s: 10 }));
        clock.advance_s(4);
        assert_eq!(limiter.try_now(ip(1), Purpose::Pin), Err(TooOften { retry_after_s: 6 }));
        clock.advance_s(6);
        assert_eq!(limiter.try_now(ip(1), Purpose::Pin), Ok(()));
        assert_eq!(limiter.try_now(ip(1), Purpose::Pin), Err(TooOften { retry_after_s: 10 }));
        clock.advance_s(1_000_000);
        for _ in 0..3 {
            assert_eq!(limiter.try_now(ip(1), Purpose::Pin), Ok(()));
        }
        assert!(
            limiter.try_now(ip(1), Purpose::Pin).is_err(),
            "a long silence saves up no more than the burst"
        );
    }

    #[test]
    fn one_client_does_not_use_up_anothers_tries_nor_another_purpose() {
        let (_, limiter) = limiter(Rate { burst: 1, every_ms: 10_000 }, MANY, 100);
        assert!(limiter.try_now(ip(1), Purpose::Pin).is_ok());
        assert!(limiter.try_now(ip(1), Purpose::Pin).is_err());
        assert!(limiter.try_now(ip(2), Purpose::Pin).is_ok());
        assert!(limiter.try_now(ip(1), Purpose::SignIn).is_ok());
    }

    #[test]
    fn many_clients_together_meet_the_total() {
        let (_, limiter) =
            limiter(Rate { burst: 5, every_ms: 1_000 }, Rate { burst: 10, every_ms: 60_000 }, 100);
        let passed = (0..100).filter(|n| limiter.try_now(ip(*n), Purpose::Pin).is_ok()).count();
        assert_eq!(passed, 10);
        assert_eq!(limiter.try_now(ip(200), Purpose::Pin), Err(TooOften { retry_after_s: 60 }));
    }

    #[test]
    fn memory_stays_bounded_and_the_longest_unused_is_forgotten() {
        let (_, limiter) = limiter(Rate { burst: 1, every_ms: 3_600_000 }, MANY, 3);
        for n in [1, 2, 3] {
            assert!(limiter.try_now(ip(n), Purpose::Pin).is_ok());
        }
        assert!(limiter.try_now(ip(1), Purpose::Pin).is_err(), "used just now, so kept");
        assert!(limiter.try_now(ip(4), Purpose::Pin).is_ok());
        assert_eq!(limiter.keys(), 3);
        assert!(limiter.try_now(ip(1), Purpose::Pin).is_err());
        assert!(limiter.try_now(ip(2), Purpose::Pin).is_ok(), "2 was the oldest and is forgotten");
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let (clock, limiter) = limiter(Rate { burst: 1, every_ms: 10_000 }, MANY, 100);
        assert!(limiter.try_now(ip(1), Purpose::Pin).is_ok());
        clock.advance_s(-3 * 3_600);
        assert_eq!(limiter.try_now(ip(1), Purpose::Pin), Err(TooOften { retry_after_s: 10 }));
        clock.advance_s(10);
        assert!(limiter.try_now(ip(1), Purpose::Pin).is_ok());
    }
}
