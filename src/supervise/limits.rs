//! The limits of a job: time, silence, CPU time.

use std::time::{Duration, Instant};

use crate::process::tree;

/// What a job may use. `None` is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// From its start to its end.
    pub total: Option<Duration>,
    /// How `total` counts.
    pub clock: Clock,
    /// Without output.
    pub idle: Option<Duration>,
    /// CPU time of all its processes together.
    pub cpu: Option<Duration>,
}

/// How a time limit counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// Time in which spile itself was stopped does not count.
    #[default]
    Running,
    /// All time counts.
    Wall,
}

/// Where a job is with its limits.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    limits: Limits,
    started: Instant,
    /// Time in which we were stopped.
    stopped: Duration,
    active: Instant,
    cpu_check: Instant,
}

/// Which limit was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// `total`.
    Total,
    /// `idle`.
    Idle,
    /// `cpu`.
    Cpu,
}

impl Watch {
    /// Counts from `now`.
    pub fn new(limits: Limits, now: Instant) -> Watch {
        Watch { limits, started: now, stopped: Duration::ZERO, active: now, cpu_check: now }
    }

    /// We were stopped for this long, until about now. What of it was before the start, or before the last output,
    /// is nothing to us.
    pub fn was_stopped(&mut self, how_long: Duration, now: Instant) {
        if self.limits.clock == Clock::Running {
            self.stopped += how_long.min(now.saturating_duration_since(self.started));
            self.active += how_long.min(now.saturating_duration_since(self.active));
        }
    }

    /// There was output.
    pub fn is_active(&mut self, now: Instant) {
        self.active = now;
    }

    /// When its time is over; none without a limit.
    pub fn deadline(&self) -> Option<Instant> {
        self.limits.total.map(|limit| self.started + self.stopped + limit)
    }

    /// When to look again; none without a limit.
    pub fn due(&self) -> Option<Instant> {
        let total = self.deadline();
        let idle = self.limits.idle.map(|limit| self.active + limit);
        let cpu = self.limits.cpu.map(|_| self.cpu_check);
        [total, idle, cpu].into_iter().flatten().min()
    }

    /// The limit that was passed, if any. `used` tells the CPU time of the job until now.
    pub fn passed(&mut self, now: Instant, used: impl FnOnce() -> Duration) -> Option<Passed> {
        let is_past =
            |since: Instant, limit: Option<Duration>| limit.is_some_and(|limit| now >= since + limit);
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            return Some(Passed::Total);
        }
        if is_past(self.active, self.limits.idle) {
            return Some(Passed::Idle);
        }
        let limit = self.limits.cpu.filter(|_| now >= self.cpu_check)?;
        let used = used();
        self.cpu_check = now + tree::cpu_check(limit.saturating_sub(used));
        (used >= limit).then_some(Passed::Cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn no_time() -> Duration {
        Duration::ZERO
    }

    #[test]
    fn time_in_which_we_were_stopped_counts_on_the_wall_alone() {
        let start = Instant::now();
        for (clock, passed) in [(Clock::Running, None), (Clock::Wall, Some(Passed::Total))] {
            let mut watch = Watch::new(Limits { total: Some(SECOND), clock, ..Limits::default() }, start);
            watch.was_stopped(SECOND * 5, start + SECOND * 5);
            assert_eq!(watch.passed(start + SECOND * 3, no_time), passed);
            assert_eq!(watch.passed(start + SECOND * 6, no_time), Some(Passed::Total));
        }
    }

    #[test]
    fn a_stop_before_the_start_makes_the_time_no_longer() {
        let start = Instant::now();
        let mut watch = Watch::new(Limits { total: Some(SECOND), ..Limits::default() }, start);
        watch.was_stopped(SECOND * 5, start);
        assert_eq!(watch.passed(start + SECOND, no_time), Some(Passed::Total));
    }

    #[test]
    fn output_puts_the_end_of_patience_off() {
        let start = Instant::now();
        let mut watch = Watch::new(Limits { idle: Some(SECOND), ..Limits::default() }, start);
        watch.is_active(start + SECOND / 2);
        assert_eq!(watch.due(), Some(start + SECOND * 3 / 2));
        assert_eq!(watch.passed(start + SECOND, no_time), None);
        assert_eq!(watch.passed(start + SECOND * 2, no_time), Some(Passed::Idle));
    }
}
