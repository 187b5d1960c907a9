//! What a signal means, and what it does to a program that says nothing about it (signal(7)).

use std::fmt;

use nix::libc;

use super::Number;

/// What a signal does by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It ends the process.
    Ends,
    /// It ends the process, which leaves a core file.
    DumpsCore,
    /// It does nothing.
    Nothing,
    /// It stops the process.
    Stops,
    /// It continues a process that is stopped.
    Continues,
}

/// Descriptions of 1 to 31, as strsignal(3) has them, with the effects of signal(7).
const MEANINGS: [(&str, Effect); 31] = [
    ("Hangup", Effect::Ends),
    ("Interrupt", Effect::Ends),
    ("Quit", Effect::DumpsCore),
    ("Illegal instruction", Effect::DumpsCore),
    ("Trace/breakpoint trap", Effect::DumpsCore),
    ("Aborted", Effect::DumpsCore),
    ("Bus error", Effect::DumpsCore),
    ("Floating point exception", Effect::DumpsCore),
    ("Killed", Effect::Ends),
    ("User defined signal 1", Effect::Ends),
    ("Segmentation fault", Effect::DumpsCore),
    ("User defined signal 2", Effect::Ends),
    ("Broken pipe", Effect::Ends),
    ("Alarm clock", Effect::Ends),
    ("Terminated", Effect::Ends),
    ("Stack fault", Effect::Ends),
    ("Child exited", Effect::Nothing),
    ("Continued", Effect::Continues),
    ("Stopped (signal)", Effect::Stops),
    ("Stopped", Effect::Stops),
    ("Stopped (tty input)", Effect::Stops),
    ("Stopped (tty output)", Effect::Stops),
    ("Urgent I/O condition", Effect::Nothing),
    ("CPU time limit exceeded", Effect::DumpsCore),
    ("File size limit exceeded", Effect::DumpsCore),
    ("Virtual timer expired", Effect::Ends),
    ("Profiling timer expired", Effect::Ends),
    ("Window changed", Effect::Nothing),
    ("I/O possible", Effect::Ends),
    ("Power failure", Effect::Ends),
    ("Bad system call", Effect::DumpsCore),
];

impl Number {
    /// What it is for, in a few words.
    pub fn description(self) -> String {
        match self.standard() {
            Some((words, _)) => words.to_owned(),
            None if self.is_real_time() => format!("Real-time signal {}", self.raw() - libc::SIGRTMIN()),
            None => "Used by the C library for threads".to_owned(),
        }
    }

    /// What it does where nothing else is said.
    pub fn effect(self) -> Effect {
        self.standard().map_or(Effect::Ends, |(_, effect)| effect)
    }

    fn standard(self) -> Option<(&'static str, Effect)> {
        MEANINGS.get(self.raw() as usize - 1).copied()
    }
}

impl Effect {
    /// The word of signal(7).
    pub fn word(self) -> &'static str {
        match self {
            Effect::Ends => "term",
            Effect::DumpsCore => "core",
            Effect::Nothing => "ign",
            Effect::Stops => "stop",
            Effect::Continues => "cont",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Effect::Ends => "ends the process",
            Effect::DumpsCore => "ends the process with a core file",
            Effect::Nothing => "does nothing",
            Effect::Stops => "stops the process",
            Effect::Continues => "continues a process that is stopped",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn descriptions_are_those_of_the_c_library() {
        for signal in Number::all().filter(|signal| !(32..34).contains(&signal.raw())) {
            // SAFETY: strsignal(3) answers a string that stays until its next call in this thread.
            let theirs = unsafe { CStr::from_ptr(libc::strsignal(signal.raw())) };
            assert_eq!(signal.description(), theirs.to_str().unwrap());
        }
    }
}
