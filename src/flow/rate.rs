//! A limit on bytes per second: a bucket that fills with time and is emptied by what passes.

use std::time::{Duration, Instant};

/// How much time's worth of bytes may pass at once after a pause.
const BURST: Duration = Duration::from_millis(100);

/// So many bytes a second.
#[derive(Debug)]
pub struct Rate {
    per_second: u64,
    /// When the bucket was empty, or would have been: what has passed since is time used up.
    paid_until: Option<Instant>,
}

impl Rate {
    /// A limit; 0 is read as one byte a second.
    pub fn new(per_second: u64) -> Rate {
        Rate { per_second: per_second.max(1), paid_until: None }
    }

    /// How many bytes may pass now; 0 before `next`.
    pub fn allows(&mut self, now: Instant) -> usize {
        let saved = BURST.max(self.one());
        let earliest = now.checked_sub(saved).unwrap_or(now);
        let since = self.paid_until.map_or(earliest, |since| since.max(earliest));
        self.paid_until = Some(since);
        let saved = now.saturating_duration_since(since);
        usize::try_from(saved.as_nanos() * u128::from(self.per_second) / 1_000_000_000).unwrap_or(usize::MAX)
    }

    /// When the next bytes may pass: a tenth of the burst at a time, and at least one byte.
    pub fn next(&self, now: Instant) -> Instant {
        self.paid_until.unwrap_or(now) + self.one().max(BURST / 10)
    }

    /// The time that one byte takes.
    fn one(&self) -> Duration {
        Duration::from_nanos(1_000_000_000_u64.div_ceil(self.per_second))
    }

    /// Counts bytes that have passed.
    pub fn pays(&mut self, bytes: usize) {
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(self.per_second);
        let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX / 2));
        self.paid_until = self.paid_until.map(|since| since + time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets time pass in steps and takes all that is allowed.
    fn total(per_second: u64, seconds: u64) -> u64 {
        let mut rate = Rate::new(per_second);
        let start = Instant::now();
        let mut now = start;
        let mut passed = 0;
        while now < start + Duration::from_secs(seconds) {
            let allowed = rate.allows(now);
            rate.pays(allowed);
            passed += allowed as u64;
            let next = rate.next(now);
            assert!(next > now, "time must go on");
            now = next;
        }
        passed
    }

    #[test]
    fn the_rate_is_kept_over_time() {
        for per_second in [1, 7, 1000, 1 << 20, 1 << 33] {
            let wanted = per_second * 20;
            let passed = total(per_second, 20);
            assert!(passed <= wanted + per_second / 10 + 1, "{per_second}: {passed}");
            assert!(passed >= wanted - wanted / 10 - 1, "{per_second}: {passed}");
        }
    }

    #[test]
    fn a_pause_saves_no_more_than_a_burst() {
        let mut rate = Rate::new(1000);
        let start = Instant::now();
        rate.allows(start);
        assert_eq!(rate.allows(start + Duration::from_secs(60)), 100);
    }
}
