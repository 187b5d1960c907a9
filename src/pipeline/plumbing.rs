//! The pipes of a pipeline: what each stage starts with, and the flows in between. Opened before anything starts.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::stage::{Body, Copy, Errors, Modifier, Output, Stage, Time};
use crate::error::{Exit, Failure};
use crate::flow::{
    self, Capture, End, Ending, Existing, Flow, Keep, Label, Lines, Outlet, Rate, Step, Unfinished, View, Way,
};
use crate::process::{Ends, pty};

/// Bytes that are kept of a stderr for the report: half from the start, half from the end.
const CAPTURED: usize = 64 * 1024;

/// Bytes that a pipe between two stages holds: twice as fast as with the kernel's 64 KiB, and no faster with more.
const BETWEEN: usize = 256 * 1024;

/// What a flow carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// The input of its stage, or all there is to the stage.
    Input,
    /// The output of its stage.
    Output,
    /// The stderr of its stage.
    Errors,
}

/// A flow and the stage it belongs to.
#[derive(Debug)]
pub struct Pump {
    /// Moves the bytes.
    pub flow: Flow,
    /// Which stage.
    pub stage: usize,
    /// Which bytes of it.
    pub carries: Carries,
}

/// A copy that goes to an address: a program of its own writes it there.
#[derive(Debug)]
pub struct Courier {
    /// Of which stage's input.
    pub stage: usize,
    /// Where to.
    pub address: String,
    /// What is to be written.
    pub stdin: OwnedFd,
}

/// Everything that a pipeline needs besides its processes.
#[derive(Default)]
pub struct Plumbing {
    /// What each stage starts with; empty where bytes only pass.
    pub ends: Vec<Ends>,
    /// The pipe behind each stage's output, seen from outside; none where it is not ours.
    pub views: Vec<Option<View>>,
    /// A read end of our own of the pipe into each stage that reads it without us in between. Until it is closed
    /// no write of the stage before fails, so that of the two who ended first is told for sure.
    pub held: Vec<Option<OwnedFd>>,
    /// Our side of each stage's terminal once more: a stage that has closed its output is not hung up while it works on.
    terminals: BTreeMap<usize, OwnedFd>,
    /// All flows.
    pub pumps: Vec<Pump>,
    /// Copies to addresses.
    pub couriers: Vec<Courier>,
    files: BTreeMap<PathBuf, OwnedFd>,
}

/// What all stages share.
pub struct Common {
    /// Where stderr goes.
    pub errors: Errors,
    /// Bytes that pipes are to hold, where that was asked for.
    pub pipe_size: Option<usize>,
}

/// Makes the pipes, opens the files.
pub fn lay(stages: &[Stage], common: &Common) -> Result<Plumbing, Failure> {
    let mut plumbing = Plumbing::default();
    let mut upstream = None;
    for (at, stage) in stages.iter().enumerate() {
        let (downstream, out) = match at + 1 < stages.len() {
            true => {
                let (out, into) = pipe(Some(common.pipe_size.unwrap_or(BETWEEN)))?;
                (Some(out), Some(into))
            }
            false => (None, None),
        };
        plumbing.views.push(out.as_ref().and_then(|out| View::of(out).ok()));
        let reads_itself = stage.body != Body::Passage && stage.inlet.is_empty();
        plumbing.held.push(upstream.as_ref().filter(|_| reads_itself).map(copy_of).transpose()?);
        let ends = plumbing.stage(at, stage, common, upstream, out)?;
        plumbing.ends.push(ends);
        upstream = downstream;
    }
    Ok(plumbing)
}

fn cannot(why: impl Into<io::Error>) -> Failure {
    Failure::new(Exit(125), "cannot connect the stages", why.into())
}

fn pipe(size: Option<usize>) -> Result<(OwnedFd, OwnedFd), Failure> {
    let (out, into) = flow::pipe().map_err(cannot)?;
    if let Some(size) = size {
        flow::grow(&into, size);
    }
    Ok((out, into))
}

fn copy_of(fd: impl AsFd) -> Result<OwnedFd, Failure> {
    rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(cannot)
}

impl Plumbing {
    /// Connects one stage to what comes before and after it; `None` is spile's own stdin or stdout.
    fn stage(
        &mut self,
        at: usize,
        stage: &Stage,
        common: &Common,
        upstream: Option<OwnedFd>,
        out: Option<OwnedFd>,
    ) -> Result<Ends, Failure> {
        if stage.body == Body::Passage {
            let sink = outlet(out, rustix::stdio::stdout(), "stdout")?;
            self.pump(at, stage, upstream, sink)?;
            return Ok(Ends::inherited());
        }
        let stdin = match stage.inlet.is_empty() {
            true => upstream,
            false => {
                let (rest, into) = pipe(Some(common.pipe_size.unwrap_or(flow::LARGE)))?;
                let sink = Outlet::new(End::own(into).map_err(cannot)?, format!("to {}", stage.name));
                self.pump(at, stage, upstream, sink)?;
                Some(rest)
            }
        };
        let mut ends = Ends::inherited();
        if stage.output == Output::Terminal {
            let (master, slave) = pty::open_output().map_err(cannot)?;
            self.terminals.insert(at, copy_of(&master)?);
            let sink = outlet(out, rustix::stdio::stdout(), "stdout")?;
            self.add(
                at,
                Carries::Output,
                Flow::new(End::own(master).map_err(cannot)?, Some(sink), vec![], 0),
            );
            let stderr = self.stderr(at, stage, common, Some(slave.as_fd()))?;
            // A terminal alone would have stderr, too, and mix it into the data.
            let stderr = stderr.map_or_else(|| copy_of(rustix::stdio::stderr()), Ok)?;
            ends = Ends::on_terminal(slave).stderr(stderr);
            let stdin = stdin.map_or_else(|| copy_of(rustix::stdio::stdin()), Ok)?;
            return Ok(ends.stdin(stdin));
        }
        if let Some(stderr) = self.stderr(at, stage, common, out.as_ref().map(AsFd::as_fd))? {
            ends = ends.stderr(stderr);
        }
        if let Some(stdin) = stdin {
            ends = ends.stdin(stdin);
        }
        Ok(match out {
            Some(out) => ends.stdout(out),
            None => ends,
        })
    }

    fn add(&mut self, stage: usize, carries: Carries, flow: Flow) {
        self.pumps.push(Pump { flow, stage, carries });
    }

    /// The flow into a stage with modifiers.
    fn pump(
        &mut self,
        at: usize,
        stage: &Stage,
        upstream: Option<OwnedFd>,
        sink: Outlet,
    ) -> Result<(), Failure> {
        let inlet = match upstream {
            Some(fd) => {
                flow::grow(&fd, flow::LARGE);
                End::own(fd)
            }
            None => End::inherited(rustix::stdio::stdin(), Way::In),
        };
        let inlet = inlet.map_err(|why| Failure::new(Exit(125), "cannot read stdin", why))?;
        let (mut steps, mut buffer) = (Vec::new(), 0);
        for modifier in &stage.inlet {
            match modifier {
                Modifier::Buffer(size) => buffer += size,
                Modifier::Tee(copy) => steps.push(Step::Tee(Some(self.copy(at, copy)?))),
                Modifier::Limit(rate) => steps.push(Step::Limit(Rate::new(*rate))),
                Modifier::Head(extent) => steps.push(Step::Head(*extent)),
                Modifier::Time(time) => steps.push(Step::Label(times(*time, &sink))),
                Modifier::Meter => {}
            }
        }
        self.add(at, Carries::Input, Flow::new(inlet, Some(sink), steps, buffer));
        Ok(())
    }

    fn copy(&mut self, at: usize, copy: &Copy) -> Result<Outlet, Failure> {
        match copy {
            Copy::File(path, existing) => {
                let outlet = Outlet::file(path, *existing);
                outlet.map_err(|failure| Failure { exit: Exit(125), ..failure })
            }
            Copy::Address(address) => {
                let (stdin, into) = pipe(Some(flow::LARGE))?;
                self.couriers.push(Courier { stage: at, address: address.clone(), stdin });
                Ok(Outlet::new(End::own(into).map_err(cannot)?, address.clone()))
            }
        }
    }

    /// What a stage has as its stderr; `None` is ours.
    fn stderr(
        &mut self,
        at: usize,
        stage: &Stage,
        common: &Common,
        out: Option<BorrowedFd<'_>>,
    ) -> Result<Option<OwnedFd>, Failure> {
        match stage.errors.as_ref().unwrap_or(&common.errors) {
            Errors::Pass => Ok(None),
            Errors::Merge => copy_of(out.unwrap_or(rustix::stdio::stdout())).map(Some),
            Errors::Null => self.shared_file(Path::new("/dev/null"), Existing::Kept).map(Some),
            Errors::File(path, existing) => self.shared_file(path, *existing).map(Some),
            Errors::Capture => {
                let (out, into) = pipe(None)?;
                let steps = vec![Step::Keep(Capture::new(CAPTURED, Keep::Both))];
                self.add(at, Carries::Errors, Flow::new(End::own(out).map_err(cannot)?, None, steps, 0));
                Ok(Some(into))
            }
            Errors::Label => {
                let (out, into) = pipe(None)?;
                let label = Label::Text(format!("{}: ", stage.name).into_bytes());
                let sink = outlet(None, rustix::stdio::stderr(), "stderr")?;
                let unfinished = match sink.end.is_terminal() {
                    true => Unfinished::WaitShortly,
                    false => Unfinished::Wait,
                };
                let steps = vec![Step::Label(Lines::new(label, unfinished, Instant::now()))];
                self.add(
                    at,
                    Carries::Errors,
                    Flow::new(End::own(out).map_err(cannot)?, Some(sink), steps, 0),
                );
                Ok(Some(into))
            }
        }
    }

    /// A file that several stages may write to, each line where the last one ended.
    fn shared_file(&mut self, path: &Path, existing: Existing) -> Result<OwnedFd, Failure> {
        if let Some(fd) = self.files.get(path) {
            return copy_of(fd);
        }
        let options = |options: &mut OpenOptions| options.create(true).open(path);
        // Emptied once, then added to: the stages must not write over each other.
        let emptied = match existing {
            Existing::Replaced => options(OpenOptions::new().write(true).truncate(true)).map(drop),
            Existing::Kept => Ok(()),
        };
        let file = emptied
            .and_then(|()| options(OpenOptions::new().append(true)))
            .map_err(|why| Failure::new(Exit(125), format!("cannot write {}", path.display()), why))?;
        let copy = copy_of(&file)?;
        self.files.insert(path.to_owned(), OwnedFd::from(file));
        Ok(copy)
    }

    /// True when nobody reads any more what a stage writes, while there could be more of it. Asked when the stage
    /// has just been reaped, before the readers that were reaped with it are let go.
    pub fn is_unread(&self, at: usize) -> bool {
        match (self.reader(at), self.held.get(at + 1)) {
            (Some(pump), _) => pump.flow.ending().is_some_and(|ending| *ending != Ending::EndOfData),
            (None, Some(Some(_))) => false,
            _ => self.views[at].as_ref().is_some_and(|view| !view.has_readers()),
        }
    }

    /// The terminals of stages get the size of ours.
    pub fn resize(&self) {
        let of_stages = self.pumps.iter().filter(|pump| pump.carries == Carries::Output);
        of_stages.filter_map(|pump| pump.flow.inlet()).for_each(pty::follow_ours);
    }

    /// Who of us reads what a stage writes: from its terminal, or into the next stage.
    fn reader(&self, at: usize) -> Option<&Pump> {
        self.pumps.iter().find(|pump| match pump.carries {
            Carries::Output => pump.stage == at,
            Carries::Input => pump.stage == at + 1,
            Carries::Errors => false,
        })
    }

    /// How long what a stage wrote could not be passed on, where that is ours to do.
    pub fn stalled(&self, at: usize, stage: &Stage) -> Option<Duration> {
        let own = |pump: &&Pump| pump.stage == at && pump.carries == Carries::Input;
        let pump = match stage.body {
            Body::Passage => self.pumps.iter().find(own),
            _ => self.reader(at),
        };
        pump.map(|pump| pump.flow.stalled())
    }

    /// A stage has ended: who writes to it is to learn of it, if nobody else reads there. Where nobody writes any
    /// more the end is kept: a writer closes its pipe some time before it can be reaped, and by then its reader may
    /// have seen the end of the data and be reaped already.
    pub fn let_go(&mut self, at: usize) {
        self.held[at].take_if(|held| flow::has_writers(held));
    }

    /// Hangs up the terminals of stages that have ended, and those that nobody reads any more.
    pub fn hang_up(&mut self, has_ended: impl Fn(usize) -> bool) {
        let is_unread = |at: usize| {
            let mut outputs =
                self.pumps.iter().filter(|pump| pump.stage == at && pump.carries == Carries::Output);
            outputs.any(|pump| pump.flow.ending().is_some_and(|ending| *ending != Ending::EndOfData))
        };
        self.terminals.retain(|at, _| !has_ended(*at) && !is_unread(*at));
    }

    /// Once everything runs, only the stages are to hold their ends.
    pub fn close(&mut self) {
        self.files.clear();
    }
}

fn outlet(fd: Option<OwnedFd>, ours: BorrowedFd<'_>, name: &str) -> Result<Outlet, Failure> {
    let end = match fd {
        Some(fd) => End::own(fd),
        None => End::inherited(ours, Way::Out),
    };
    end.map(|end| Outlet::new(end, name))
        .map_err(|why| Failure::new(Exit(125), format!("cannot write {name}"), why))
}

fn times(time: Time, sink: &Outlet) -> Lines {
    let label = match time {
        Time::Clock => Label::Clock,
        Time::Elapsed => Label::Elapsed,
        Time::Delta => Label::Delta,
    };
    let unfinished = if sink.end.is_terminal() { Unfinished::WaitShortly } else { Unfinished::Pass };
    Lines::new(label, unfinished, Instant::now())
}
