//! Signal numbers and their names, real-time ones included (signal(7)).

use std::fmt;
use std::mem::MaybeUninit;
use std::str::FromStr;

use nix::libc;
use nix::sys::signal::SigSet;

use crate::suggest::nearest;

/// A signal, from 1 to 64. Unlike nix's enum it knows the real-time signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(i32);

/// Names of 1 to 31 on Linux; those of real-time signals are made.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Second names that kill(1) understands.
const ALIASES: [(&str, &str); 4] = [("IOT", "ABRT"), ("CLD", "CHLD"), ("POLL", "IO"), ("UNUSED", "SYS")];

impl Number {
    pub const HUP: Number = Number(libc::SIGHUP);
    pub const INT: Number = Number(libc::SIGINT);
    pub const QUIT: Number = Number(libc::SIGQUIT);
    pub const KILL: Number = Number(libc::SIGKILL);
    pub const PIPE: Number = Number(libc::SIGPIPE);
    pub const TERM: Number = Number(libc::SIGTERM);
    pub const CHLD: Number = Number(libc::SIGCHLD);
    pub const CONT: Number = Number(libc::SIGCONT);
    pub const STOP: Number = Number(libc::SIGSTOP);
    pub const TSTP: Number = Number(libc::SIGTSTP);
    pub const TTIN: Number = Number(libc::SIGTTIN);
    pub const TTOU: Number = Number(libc::SIGTTOU);
    pub const WINCH: Number = Number(libc::SIGWINCH);

    /// The signal with this number; none outside 1 to 64.
    pub fn new(number: i32) -> Option<Number> {
        (1..=64).contains(&number).then_some(Number(number))
    }

    /// The signal that a shell means by this status of a program: 128 + its number.
    pub fn from_status(status: i32) -> Option<Number> {
        status.checked_sub(128).and_then(Number::new)
    }

    /// The number.
    pub fn raw(self) -> i32 {
        self.0
    }

    /// True where a program may say what happens: neither KILL and STOP nor the C library's own two.
    pub fn is_settable(self) -> bool {
        !matches!(self, Number::KILL | Number::STOP) && !self.is_reserved()
    }

    /// True for the two that the C library keeps for its threads (nptl(7)).
    pub fn is_reserved(self) -> bool {
        (32..libc::SIGRTMIN()).contains(&self.0)
    }

    /// True for the signals that a terminal sends to its foreground group, and TERM, which stands for them where
    /// there is none.
    pub fn is_from_terminals(self) -> bool {
        let keys = matches!(self, Number::HUP | Number::INT | Number::QUIT | Number::TERM | Number::TSTP);
        keys || self == Number::CONT || self.0 == libc::SIGWINCH
    }

    /// True for what the keys of a terminal send: ^C, ^\, ^Z.
    pub fn is_key(self) -> bool {
        matches!(self, Number::INT | Number::QUIT | Number::TSTP)
    }

    /// True for the signals that people and shells end programs with.
    pub fn asks_to_end(self) -> bool {
        matches!(self, Number::HUP | Number::INT | Number::QUIT | Number::TERM)
    }

    /// True for the signals that ask to stop, STOP itself among them.
    pub fn asks_to_stop(self) -> bool {
        matches!(self, Number::STOP | Number::TSTP | Number::TTIN | Number::TTOU)
    }

    /// True for the real-time signals that programs may use: each is queued, with its value, and none is merged.
    pub fn is_real_time(self) -> bool {
        self.0 >= libc::SIGRTMIN()
    }

    /// Every signal.
    pub fn all() -> impl Iterator<Item = Number> {
        (1..=64).map(Number)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (libc::SIGRTMIN(), libc::SIGRTMAX());
        match self.0 {
            n @ 1..=31 => f.write_str(NAMES[n as usize - 1]),
            n if n < low => n.fmt(f),
            n if n == low => f.write_str("RTMIN"),
            n if n == high => f.write_str("RTMAX"),
            n => write!(f, "RTMIN+{}", n - low),
        }
    }
}

impl FromStr for Number {
    type Err = String;

    /// Reads `TERM`, `sigterm`, `15`, `RTMIN+3`, `RTMAX-1`, and 143, which is 128 + 15.
    fn from_str(text: &str) -> Result<Number, String> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        let named = NAMES.iter().position(|known| *known == name).map(|at| at as i32 + 1);
        named
            .or_else(|| real_time(name))
            .or_else(|| name.parse().ok())
            .and_then(|number| Number::new(number).or_else(|| Number::from_status(number)))
            .ok_or_else(|| match nearest_name(name) {
                Some(known) => format!("'{text}' is no signal; did you mean {known}?"),
                None => format!("'{text}' is no signal; for example TERM, SIGHUP, 10, RTMIN+1"),
            })
    }
}

/// The name that was probably meant.
fn nearest_name(typed: &str) -> Option<String> {
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    let known: Vec<String> =
        NAMES.into_iter().chain(aliases).chain(["RTMIN", "RTMAX"]).map(str::to_lowercase).collect();
    nearest(typed, known.iter().map(String::as_str)).map(str::to_uppercase)
}

/// `RTMIN`, `RTMIN+3`, `RTMAX-1`.
fn real_time(name: &str) -> Option<i32> {
    let (low, high) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(""), _) => low,
        (_, Some("")) => high,
        (Some(more), _) => low + more.strip_prefix('+')?.parse::<i32>().ok()?,
        (_, Some(less)) => high - less.strip_prefix('-')?.parse::<i32>().ok()?,
        _ => return None,
    };
    (low..=high).contains(&number).then_some(number)
}

/// A set of signals; bit n-1 stands for signal n, as in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u64);

impl Set {
    /// The set with these bits.
    pub fn from_bits(bits: u64) -> Set {
        Set(bits)
    }

    /// The set as the kernel takes it.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The set as the C library takes it.
    pub fn to_sigset(self) -> SigSet {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigemptyset(3) initialises the set, and the numbers are from 1 to 64. nix's own way to add one
        // knows no real-time signals.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            self.iter().for_each(|signal| _ = libc::sigaddset(set.as_mut_ptr(), signal.0));
            SigSet::from_sigset_t_unchecked(set.assume_init())
        }
    }

    /// Adds one.
    pub fn insert(&mut self, signal: Number) {
        self.0 |= 1 << (signal.0 - 1);
    }

    /// True when it is in the set.
    pub fn contains(self, signal: Number) -> bool {
        self.0 & (1 << (signal.0 - 1)) != 0
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = Number> {
        Number::all().filter(move |signal| self.contains(*signal))
    }
}

impl FromIterator<Number> for Set {
    fn from_iter<I: IntoIterator<Item = Number>>(signals: I) -> Set {
        let mut set = Set::default();
        signals.into_iter().for_each(|signal| set.insert(signal));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_read_back_by_its_name_and_its_number() {
        for signal in Number::all() {
            assert_eq!(signal.to_string().parse(), Ok(signal));
            assert_eq!(format!("SIG{signal}").to_lowercase().parse(), Ok(signal));
            assert_eq!(signal.raw().to_string().parse(), Ok(signal));
        }
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        for text in
            ["", "0", "65", "128", "193", "-1", "SIG", "TERMS", "RTMIN+31", "RTMAX-31", "RTMIN-1", "RTMIN+x"]
        {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_status_of_a_shell_names_its_signal_and_a_slip_the_nearest() {
        assert_eq!("143".parse(), Ok(Number::TERM));
        assert_eq!("192".parse(), Ok(Number(64)));
        for (slip, meant) in [("SIGTREM", "TERM"), ("hub", "HUP"), ("WINHC", "WINCH"), ("RTMNI", "RTMIN")] {
            let why = slip.parse::<Number>().unwrap_err();
            assert!(why.contains(&format!("did you mean {meant}?")), "{why}");
        }
    }

    #[test]
    fn a_set_has_the_kernels_bits() {
        let set: Set = [Number::HUP, Number::new(64).unwrap()].into_iter().collect();
        assert_eq!(set.bits(), 1 | 1 << 63);
        assert_eq!(set.iter().map(Number::raw).collect::<Vec<_>>(), [1, 64]);
    }
}
