//! Which pressed keys belong to which question. No bridge, no clock: pauses are told by whoever waits.

use zeroize::Zeroizing;

use super::Digits;
use crate::domain::call::{Collect, Gather};

/// Digits of a code that nobody ends.
const CODE_MAX: usize = 8;
/// Digits of a PIN.
const PIN_LEN: usize = 4;
/// A code ends by itself this long after its last key, in milliseconds.
pub(super) const CODE_PAUSE_MS: u64 = 3_000;

/// The open question of one leg, and what was keyed since.
#[derive(Debug)]
pub(super) struct Window {
    gather: Gather,
    so_far: Zeroizing<String>,
}

/// Keys that are complete.
pub(super) type Keyed = (Gather, Digits);

impl Window {
    pub(super) fn new(gather: Gather) -> Self {
        Self { gather, so_far: Zeroizing::default() }
    }

    pub(super) const fn gather(&self) -> Gather {
        self.gather
    }

    /// The same question again keeps what was keyed; another one begins anew.
    pub(super) fn reopen(&mut self, gather: Gather) {
        if self.gather != gather {
            *self = Self::new(gather);
        }
    }

    /// One key. `Some`: the answer is complete.
    pub(super) fn press(&mut self, key: char) -> Option<Keyed> {
        let is_digit = key.is_ascii_digit();
        if !is_digit && !matches!(key, '*' | '#') {
            return None;
        }
        match self.gather.what {
            Collect::Key => Some((self.gather, Digits::new(key.to_string()))),
            // A star begins anew.
            Collect::Code | Collect::Pin if key == '*' => {
                self.so_far.clear();
                None
            }
            // The `#` of the answer before, or nothing keyed yet.
            Collect::Code | Collect::Pin if key == '#' => self.complete(),
            Collect::Code => {
                self.so_far.push(key);
                if self.so_far.len() >= CODE_MAX { self.complete() } else { None }
            }
            Collect::Pin => {
                self.so_far.push(key);
                if self.so_far.len() >= PIN_LEN { self.complete() } else { None }
            }
        }
    }

    /// Whether a pause would complete it.
    pub(super) fn waits_for_pause(&self) -> bool {
        self.gather.what == Collect::Code && !self.so_far.is_empty()
    }

    /// Nothing was keyed for a while.
    pub(super) fn pause(&mut self) -> Option<Keyed> {
        if self.waits_for_pause() { self.complete() } else { None }
    }

    fn complete(&mut self) -> Option<Keyed> {
        if self.so_far.is_empty() {
            return None;
        }
        Some((self.gather, Digits::new(std::mem::take(&mut *self.so_far))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(what: Collect) -> Window {
        Window::new(Gather { number: 7, what })
    }

    /// What comes out of these keys, one after the other.
    fn keyed(window: &mut Window, keys: &str) -> Vec<String> {
        keys.chars().filter_map(|k| window.press(k)).map(|(_, d)| d.reveal().to_owned()).collect()
    }

    #[test]
    fn every_key_of_a_one_key_question_is_an_answer() {
        assert_eq!(keyed(&mut window(Collect::Key), "4A1#"), ["4", "1", "#"]);
    }

    #[test]
    fn a_pin_is_complete_with_its_fourth_digit_and_the_hash_after_it_means_nothing() {
        assert_eq!(keyed(&mut window(Collect::Pin), "4821#0007#"), ["4821", "0007"]);
        assert_eq!(keyed(&mut window(Collect::Pin), "99*4821"), ["4821"]);
        assert_eq!(keyed(&mut window(Collect::Pin), "12#"), ["12"]);
        assert_eq!(window(Collect::Pin).pause(), None);
    }

    #[test]
    fn a_code_ends_with_a_hash_a_pause_or_its_eighth_digit() {
        let mut code = window(Collect::Code);
        assert_eq!(keyed(&mut code, "#3101#"), ["3101"]);
        assert_eq!(keyed(&mut code, "0"), [""; 0]);
        assert!(code.waits_for_pause());
        assert_eq!(code.pause().map(|(_, d)| d.reveal().to_owned()).as_deref(), Some("0"));
        assert_eq!(code.pause(), None);
        assert_eq!(keyed(&mut code, &"1".repeat(5_000)).len(), 5_000 / CODE_MAX);
    }

    #[test]
    fn the_same_question_again_keeps_what_was_keyed_and_another_one_does_not() {
        let mut code = window(Collect::Code);
        keyed(&mut code, "31");
        code.reopen(Gather { number: 7, what: Collect::Code });
        assert_eq!(keyed(&mut code, "01#"), ["3101"]);
        keyed(&mut code, "31");
        code.reopen(Gather { number: 8, what: Collect::Pin });
        assert_eq!(keyed(&mut code, "01#"), ["01"]);
    }

    #[test]
    fn what_was_keyed_is_never_printed() {
        let (gather, digits) = Window::new(Gather { number: 7, what: Collect::Key }).press('7').unwrap();
        assert_eq!(format!("{digits:?} {}", gather.number), "*** 7");
    }
}
