//! What is to be run, and in which surroundings: plain data, nothing is looked up here.

use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

use crate::signal::{Number, Set};

/// A program and the surroundings it starts in. What is not said is as spile has it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Program and arguments; never empty. A name without `/` is searched in the child's PATH; a relative path
    /// with one is meant from our working directory, also when `dir` names another.
    pub argv: Vec<OsString>,
    /// What the program sees as its own name, where that is not `argv[0]`.
    pub argv0: Option<OsString>,
    /// Environment variables.
    pub environment: Environment,
    /// Working directory.
    pub dir: Option<PathBuf>,
    /// File mode creation mask, umask(2).
    pub umask: Option<u32>,
    /// Added to the nice value, nice(2).
    pub nice: i32,
    /// Resource limits, setrlimit(2).
    pub limits: Vec<Limit>,
    /// User and groups.
    pub identity: Identity,
    /// Which descriptors above 2 the program inherits.
    pub inherits: Inherits,
    /// Process group.
    pub group: Group,
    /// Makes its process group the terminal's foreground one before it runs: a descriptor of the terminal.
    pub foreground: Option<RawFd>,
    /// What it receives when spile dies, PR_SET_PDEATHSIG (prctl(2)).
    pub parent_death: Option<Number>,
    /// Signal dispositions and mask.
    pub signals: Signals,
}

impl Program {
    /// A program in our own surroundings.
    pub fn new(argv: Vec<OsString>) -> Program {
        Program { argv, ..Program::default() }
    }

    /// Its name in messages.
    pub fn name(&self) -> String {
        self.argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Our environment, raw and in order, with changes.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Where it begins.
    pub base: Base,
    /// Changes, the last one of a variable wins.
    pub changes: Vec<Change>,
}

impl Environment {
    /// Sets one variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.changes.push(Change::Set(name.into(), value.into()));
    }
}

/// What an environment begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// Ours.
    #[default]
    Inherited,
    /// Nothing.
    Empty,
}

/// A change to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `NAME=VALUE`.
    Set(OsString, OsString),
    /// Without NAME.
    Unset(OsString),
}

/// One resource limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// RLIMIT_…, from `limit::resource`.
    pub resource: u32,
    /// What holds.
    pub soft: u64,
    /// Up to where the program itself may raise it.
    pub hard: u64,
}

/// User and groups by number; set in the order groups, group, user (setuid(2)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub user: Option<u32>,
    /// Group id.
    pub group: Option<u32>,
    /// Supplementary groups.
    pub groups: Option<Vec<u32>>,
}

/// Which descriptors above 2 a program inherits; spile's own never are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inherits {
    /// All that we inherited.
    #[default]
    All,
    /// These alone.
    Only(Vec<RawFd>),
}

/// The process group of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// Ours.
    #[default]
    Same,
    /// A new one, which it leads.
    New,
    /// That of a process that was started before and is not reaped.
    Join(i32),
    /// A new session, setsid(2).
    Session,
}

/// Signals as a program finds them; later fields win over earlier ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Where it begins.
    pub base: SignalBase,
    /// Set to their defaults.
    pub default: Set,
    /// Ignored.
    pub ignore: Set,
    /// Blocked.
    pub block: Set,
}

/// What the signals of a program begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignalBase {
    /// PIPE and CHLD have their defaults and nothing is blocked; what else we were told to ignore stays so,
    /// as nohup(1) wants it.
    #[default]
    Usual,
    /// Exactly what spile itself was started with.
    Inherited,
    /// Everything at its default, nothing blocked.
    Default,
}

/// The descriptors that a program starts with. `spawn` takes them and closes our copies.
#[derive(Debug, Default)]
pub struct Ends {
    /// Each with its number in the program; 0, 1 and 2 are ours where none is given.
    pub given: Vec<(OwnedFd, RawFd)>,
    /// A terminal's slave side: the controlling terminal, and 0, 1 and 2 where nothing else is given for them.
    /// The program leads a session of its own.
    pub terminal: Option<OwnedFd>,
}

impl Ends {
    /// Ours: nothing is changed.
    pub fn inherited() -> Ends {
        Ends::default()
    }

    /// A controlling terminal.
    pub fn on_terminal(slave: OwnedFd) -> Ends {
        Ends { given: Vec::new(), terminal: Some(slave) }
    }

    /// Gives `fd` as stdin.
    pub fn stdin(self, fd: OwnedFd) -> Ends {
        self.at(fd, 0)
    }

    /// Gives `fd` as stdout.
    pub fn stdout(self, fd: OwnedFd) -> Ends {
        self.at(fd, 1)
    }

    /// Gives `fd` as stderr.
    pub fn stderr(self, fd: OwnedFd) -> Ends {
        self.at(fd, 2)
    }

    /// Gives `fd` as number `target`.
    pub fn at(mut self, fd: OwnedFd, target: RawFd) -> Ends {
        self.given.push((fd, target));
        self
    }
}
