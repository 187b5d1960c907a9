//! From stages to running processes: everything is looked up first, then all are started, or none.

use std::ffi::OsString;

use super::plumbing::Courier;
use super::stage::{Body, Output, Stage};
use crate::process::{self, Ends, Group, Program, Signals, SpawnError, Started};
use crate::supervise::{Foreground, Forwarding, Supervisor};

/// Ourselves, also when our file has been replaced or moved (proc_pid_exe(5)).
const SELF: &str = "/proc/self/exe";
/// What our own binary is called there: whoever started it is told of what fails, in its own name.
const NAME: &str = "spile pipe";
/// Addresses that never answer: bytes go one way only, so their end is not waited for.
const SILENT: &[&str] = &["file", "fifo", "fd", "null", "discard"];

/// Where in a pipeline a stage stands; it decides which way an address is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing comes before it.
    First,
    /// Between others.
    Middle,
    /// Nothing comes after it.
    Last,
    /// It is all there is.
    Only,
}

impl Place {
    /// Of stage `at` of `count`.
    fn of(at: usize, count: usize) -> Place {
        match (at, at + 1 == count) {
            (0, true) => Place::Only,
            (0, false) => Place::First,
            (_, true) => Place::Last,
            _ => Place::Middle,
        }
    }
}

/// The program of each stage.
pub fn programs(stages: &[Stage], signals: Signals) -> Vec<Option<Program>> {
    let of = |(at, stage)| program(stage, Place::of(at, stages.len()), signals);
    stages.iter().enumerate().map(of).collect()
}

/// The program of a stage, or none where bytes only pass.
fn program(stage: &Stage, place: Place, signals: Signals) -> Option<Program> {
    let mut program = match &stage.body {
        Body::Passage => return None,
        Body::Program(argv) => Program::new(argv.clone()),
        Body::Address(address) => relay(address, place),
    };
    program.environment.changes.clone_from(&stage.environment);
    program.dir.clone_from(&stage.dir);
    program.signals = signals;
    Some(program)
}

/// Our own binary as a stage: with a status of its own, and its end like any other's.
fn relay(address: &str, place: Place) -> Program {
    let scheme = address.split([':', ',']).next().unwrap_or_default().to_ascii_lowercase();
    let one_way = ["relay", "--send-only"];
    let words: Vec<&str> = match place {
        Place::First => [&one_way[..], &[address, "-"]].concat(),
        _ if SILENT.contains(&scheme.as_str()) => [&one_way[..], &["-", address]].concat(),
        _ => vec!["relay", "-", address],
    };
    let argv = [SELF].into_iter().chain(words).map(OsString::from).collect();
    Program { argv0: Some(NAME.into()), ..Program::new(argv) }
}

/// The program that writes a copy to an address.
pub fn courier(courier: &Courier) -> Program {
    let argv = [SELF, "relay", "--send-only", "-", courier.address.as_str()].map(OsString::from).to_vec();
    Program { argv0: Some(NAME.into()), ..Program::new(argv) }
}

/// Looks up all programs; answers the first that could not be started, with its stage.
pub fn lookup(programs: &[Option<Program>]) -> Result<(), (usize, SpawnError)> {
    for (at, program) in programs.iter().enumerate() {
        if let Some(program) = program {
            process::lookup(program).map_err(|refused| (at, refused))?;
        }
    }
    Ok(())
}

/// Puts all stages into one process group: that of the first one, or ours while we have the terminal. A stage on
/// a terminal of its own leads a session.
pub struct Grouping {
    /// Who has our terminal.
    pub foreground: Foreground,
    group: Group,
    leader: Option<i32>,
}

impl Grouping {
    /// Decides by what the first program would get.
    pub fn arrange(forwarding: &Forwarding) -> Grouping {
        let mut probe = Program::default();
        let foreground = Foreground::arrange(&mut probe, forwarding.group(), forwarding.keys());
        Grouping { foreground, group: probe.group, leader: None }
    }

    /// The process that leads the stages' group, where they have one of their own.
    pub fn leader(&self) -> Option<i32> {
        self.leader
    }

    /// Starts one stage.
    pub fn spawn(
        &mut self,
        supervisor: &mut Supervisor,
        mut program: Program,
        output: Output,
        ends: Ends,
    ) -> Result<Started, SpawnError> {
        program.group = match (output, self.leader) {
            (Output::Terminal, _) => Group::Session,
            (Output::Plain, Some(leader)) => Group::Join(leader),
            (Output::Plain, None) => self.group,
        };
        let started = supervisor.spawn(&program, ends)?;
        if program.group == Group::New {
            self.leader = Some(started.pid);
        }
        Ok(started)
    }
}
