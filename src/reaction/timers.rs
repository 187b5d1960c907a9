//! Actions at a time: once or again and again, by the clock or by the CPU time of the program (setitimer(2)).

use std::time::{Duration, Instant};

use super::{Action, Cause};
use crate::process::tree::{self, CpuClock};

/// What a timer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time since the program was started, as ITIMER_REAL.
    Real,
    /// CPU time of the program and all below it.
    Cpu(CpuClock),
}

/// Something to do at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// As it was typed.
    pub text: String,
    /// What it counts.
    pub clock: Clock,
    /// When, and how long from one time to the next.
    pub period: Duration,
    /// Whether there is a next time.
    pub repeats: bool,
    /// What is done.
    pub action: Action,
}

/// Where a timer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It is over, or has not begun.
    Never,
    /// At this time.
    At(Instant),
    /// When so much is used; it is looked at at this time.
    Used(Duration, Instant),
}

/// All timers.
pub struct Timers {
    timers: Vec<(Timer, Next)>,
}

impl Timers {
    /// None has begun.
    pub fn new(timers: Vec<Timer>) -> Timers {
        Timers { timers: timers.into_iter().map(|timer| (timer, Next::Never)).collect() }
    }

    /// All begin, anew if they had begun.
    pub fn arm(&mut self, now: Instant) {
        for (timer, next) in &mut self.timers {
            *next = match timer.clock {
                Clock::Real => Next::At(now + timer.period),
                Clock::Cpu(_) => Next::Used(timer.period, now + tree::cpu_check(timer.period)),
            };
        }
    }

    /// There is nothing more to time.
    pub fn disarm(&mut self) {
        self.timers.iter_mut().for_each(|(_, next)| *next = Next::Never);
    }

    /// When to ask again.
    pub fn due(&self) -> Option<Instant> {
        let at = |next: &Next| match *next {
            Next::Never => None,
            Next::At(at) | Next::Used(_, at) => Some(at),
        };
        self.timers.iter().filter_map(|(_, next)| at(next)).min()
    }

    /// What is to be done now. Times that were missed are not made up for. `used` tells the CPU time of the program
    /// and all below it until now.
    pub fn fire(&mut self, now: Instant, used: impl Fn(CpuClock) -> Duration) -> Vec<(Cause, Action)> {
        let mut fired = Vec::new();
        for (timer, next) in &mut self.timers {
            let is_due = match (*next, timer.clock) {
                (Next::At(at), _) if now >= at => {
                    let missed = (now - at).as_nanos() / timer.period.as_nanos();
                    let steps = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
                    *next = Next::At(at + timer.period * steps);
                    true
                }
                (Next::Used(wanted, at), Clock::Cpu(clock)) if now >= at => {
                    let used = used(clock);
                    let is_due = used >= wanted;
                    let wanted = if is_due { used + timer.period } else { wanted };
                    *next = Next::Used(wanted, now + tree::cpu_check(wanted.saturating_sub(used)));
                    is_due
                }
                _ => false,
            };
            if is_due {
                if !timer.repeats {
                    *next = Next::Never;
                }
                fired.push((Cause::Timer(timer.text.clone()), timer.action.clone()));
            }
        }
        fired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn timers(repeats: bool) -> Timers {
        let text = "1s".to_owned();
        let action = Action::Report;
        Timers::new(vec![Timer { text, clock: Clock::Real, period: SECOND, repeats, action }])
    }

    #[test]
    fn a_timer_fires_once_or_again_without_drifting() {
        let start = Instant::now();
        let at = |timers: &mut Timers, millis| {
            timers.fire(start + Duration::from_millis(millis), |_| Duration::ZERO).len()
        };
        let mut once = timers(false);
        once.arm(start);
        assert_eq!([900, 1100, 5000].map(|millis| at(&mut once, millis)), [0, 1, 0]);
        let mut again = timers(true);
        again.arm(start);
        assert_eq!(
            [900, 1100, 1900, 2000, 7900, 8000].map(|millis| at(&mut again, millis)),
            [0, 1, 0, 1, 1, 1]
        );
        assert_eq!(again.due(), Some(start + SECOND * 9));
        again.disarm();
        assert_eq!(again.due(), None);
    }
}
