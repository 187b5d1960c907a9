//! A glance: looking for events for a moment before waiting for them.
//!
//! To be put to sleep and woken again takes longer than a peer on the same machine needs to answer, and no less
//! processor time than to look until it has.

use std::io;
use std::time::{Duration, Instant};

/// How long it takes at most: about what the sleep costs that it saves.
pub const LONGEST: Duration = Duration::from_micros(20);

/// Glances in vain, one after the other, that make the next one rarer; then one wait in 2^10 begins with one.
const MOST_VAIN: u32 = 10;

/// When to look. Each glance in vain halves how often: a peer that is slow, or that has to wait for the processor that
/// we look with, costs next to nothing.
#[derive(Default)]
pub struct Glance {
    /// Waits that begin without one.
    left_out: u32,
    /// How many were in vain since one was not.
    vain: u32,
}

impl Glance {
    /// Asks `look` for a moment how many events there are; whether there were any.
    pub fn finds(&mut self, mut look: impl FnMut() -> io::Result<usize>) -> io::Result<bool> {
        if self.left_out > 0 {
            self.left_out -= 1;
            return Ok(false);
        }
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            if look()? > 0 {
                self.vain = 0;
                return Ok(true);
            }
        }
        self.vain = MOST_VAIN.min(self.vain + 1);
        self.left_out = (1 << self.vain) - 1;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `waits` begin with a glance, when there is something to be found or not.
    fn glances(glance: &mut Glance, waits: u32, found: usize) -> u32 {
        let looked = |glance: &mut Glance| {
            let mut has_looked = false;
            let hit = glance.finds(|| {
                has_looked = true;
                Ok(found)
            });
            assert_eq!(hit.unwrap(), has_looked && found > 0);
            has_looked
        };
        (0..waits).map(|_| u32::from(looked(glance))).sum()
    }

    #[test]
    fn what_is_in_vain_becomes_rare_and_what_is_not_is_done_each_time() {
        let mut glance = Glance::default();
        assert_eq!(glances(&mut glance, 100, 1), 100);
        assert_eq!(glances(&mut glance, 1 << 11, 0), 11);
        let next = glances(&mut glance, 1 << 10, 1);
        assert!(next > 0, "a peer that has become quick is noticed");
        assert_eq!(glances(&mut glance, 100, 1), 100);
    }

    #[test]
    fn it_is_over_in_a_moment() {
        let begun = Instant::now();
        assert!(!Glance::default().finds(|| Ok(0)).unwrap());
        assert!(begun.elapsed() >= LONGEST);
    }

    #[test]
    fn a_failure_ends_it() {
        assert!(Glance::default().finds(|| Err(io::ErrorKind::Other.into())).is_err());
    }
}
