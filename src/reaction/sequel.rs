//! How it goes on after the program: which of the wishes for an end and for another run hold, in whatever order they
//! come.

use std::time::{Duration, Instant};

use super::Cause;
use crate::signal::Number;

/// How it goes on after the program, where that is not its own affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequel {
    /// We end with this status.
    Exit(u8),
    /// The program runs again.
    Restart,
}

/// What was asked of the program that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Nothing, or to make room for its next run.
    Nothing,
    /// To end, at this time, by a signal that a program may also take for something else: to read its settings anew,
    /// to give up what it is at.
    ToEnd(Instant),
    /// To end for good: by TERM, or by an action that says so. Nothing takes that back.
    ToEndForGood,
}

/// A wish to stop everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// The first: everybody is asked.
    First,
    /// Whoever wishes it again does not want to wait.
    Again,
}

/// All wishes about the end so far.
#[derive(Debug)]
pub struct Wishes {
    sequel: Option<Sequel>,
    asked: Asked,
    is_stopping: bool,
    /// Who is still there so long after it was asked to end has not taken it for that.
    grace: Duration,
}

impl Wishes {
    /// None yet. A program has `grace` to end.
    pub fn new(grace: Duration) -> Wishes {
        Wishes { sequel: None, asked: Asked::Nothing, is_stopping: false, grace }
    }

    /// The program runs, again or for the first time.
    pub fn started(&mut self) {
        self.asked = Asked::Nothing;
    }

    /// This signal has reached the program, or will when its handler is over; where it asks for an end, that is an
    /// end of everything: whoever sends it while we restart means us, too.
    pub fn reached_by(&mut self, signal: Number, now: Instant) {
        if !signal.asks_to_end() {
            return;
        }
        self.call_off_restart();
        if self.asked != Asked::ToEndForGood {
            self.asked = if signal == Number::TERM { Asked::ToEndForGood } else { Asked::ToEnd(now) };
        }
    }

    fn call_off_restart(&mut self) {
        self.sequel = self.sequel.filter(|sequel| *sequel != Sequel::Restart);
    }

    /// Everything is to end, with the program's own status.
    pub fn stop(&mut self) -> Stop {
        self.call_off_restart();
        self.asked = Asked::ToEndForGood;
        match std::mem::replace(&mut self.is_stopping, true) {
            false => Stop::First,
            true => Stop::Again,
        }
    }

    /// Everything is to end, with this status.
    pub fn exit(&mut self, status: u8) -> Stop {
        let stop = self.stop();
        self.sequel = Some(Sequel::Exit(status));
        stop
    }

    /// The program is to run again; true where that holds. A signal is a new wish, a timer is none: it was set before
    /// anybody has asked for an end.
    pub fn restart(&mut self, cause: &Cause, now: Instant) -> bool {
        let holds = match (self.asked, cause) {
            (Asked::ToEndForGood, _) => false,
            (Asked::ToEnd(at), Cause::Timer(_)) => now.saturating_duration_since(at) > self.grace,
            _ => true,
        };
        if holds {
            self.sequel = Some(Sequel::Restart);
        }
        holds
    }

    /// What holds now.
    pub fn sequel(&self) -> Option<Sequel> {
        self.sequel
    }

    /// Takes away what holds: it is being done.
    pub fn take(&mut self) -> Option<Sequel> {
        self.sequel.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Arrival, Code, Sender};

    const GRACE: Duration = Duration::from_secs(5);

    /// What one word of a table means, so many seconds after the start.
    fn wish(wishes: &mut Wishes, word: &str, now: Instant) {
        let arrival = Arrival { signal: Number::HUP, sender: Sender::Kernel, code: Code::USER, value: None };
        match word {
            "exit" => _ = wishes.exit(7),
            "stop" => _ = wishes.stop(),
            "restart" => _ = wishes.restart(&Cause::Signal(arrival), now),
            "timer" => _ = wishes.restart(&Cause::Timer("1s".to_owned()), now),
            "started" => {
                wishes.take();
                wishes.started();
            }
            signal => wishes.reached_by(signal.parse().unwrap(), now),
        }
    }

    #[test]
    fn an_end_stands_before_a_restart_in_whatever_order_they_are_wished() {
        let (again, exit) = (Some(Sequel::Restart), Some(Sequel::Exit(7)));
        for (words, sequel) in [
            ("restart", again),
            ("timer", again),
            ("restart TERM", None),
            ("restart INT", None),
            ("restart HUP", None),
            ("restart QUIT", None),
            ("restart stop", None),
            ("restart exit", exit),
            ("restart USR1", again),
            ("TERM restart", None),
            ("stop restart", None),
            ("exit restart", exit),
            ("exit timer", exit),
            ("exit TERM", exit),
            ("exit stop", exit),
            ("stop exit", exit),
            ("TERM timer", None),
            ("TERM INT restart", None),
            ("INT timer", None),
            ("HUP timer", None),
            ("INT restart", again),
            ("restart INT restart", again),
            ("restart INT timer", None),
            ("INT restart TERM", None),
            ("restart started timer", again),
            ("INT restart started timer", again),
            ("restart started TERM restart", None),
        ] {
            let (mut wishes, now) = (Wishes::new(GRACE), Instant::now());
            words.split(' ').for_each(|word| wish(&mut wishes, word, now));
            assert_eq!(wishes.sequel(), sequel, "{words}");
        }
    }

    #[test]
    fn who_outlives_an_interrupt_by_the_grace_is_restarted_by_timers_again_and_after_term_never() {
        for (signal, seconds, sequel) in
            [("INT", 4, None), ("HUP", 6, Some(Sequel::Restart)), ("TERM", 4, None), ("TERM", 3600, None)]
        {
            let (mut wishes, now) = (Wishes::new(GRACE), Instant::now());
            wish(&mut wishes, signal, now);
            wish(&mut wishes, "timer", now + Duration::from_secs(seconds));
            assert_eq!(wishes.sequel(), sequel, "{signal}, {seconds} s later");
        }
    }

    #[test]
    fn a_restart_is_no_stop_and_the_second_stop_insists() {
        let (mut wishes, now) = (Wishes::new(GRACE), Instant::now());
        wish(&mut wishes, "restart", now);
        wish(&mut wishes, "TERM", now);
        assert_eq!([wishes.stop(), wishes.stop(), wishes.exit(1)], [Stop::First, Stop::Again, Stop::Again]);
    }
}
