//! From a plan to streams: what the program starts with, and what we keep.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Instant;

use super::feed::Feed;
use super::holders::name_of;
use super::ordered::Ordered;
use super::plan::{Input, Joining, Newlines, Output, Plan, Sequence, Showing, Tty};
use super::spool::Spool;
use super::{Helper, Passing, Streams, terminal};
use crate::error::{Exit, Failure};
use crate::flow::{self, Capture, End, Flow, Label, Lines, Outlet, Step, Unfinished, View, Way};
use crate::process::{self, Ends, Group, Program, pty};
use crate::supervise::Supervisor;

/// Ourselves, also when our file has been replaced or moved (proc_pid_exe(5)).
const SELF: &str = "/proc/self/exe";
/// What the streams are called.
pub const NAMES: [&str; 2] = ["stdout", "stderr"];

impl Streams {
    /// Opens everything that `plan` asks for. Programs that read or write addresses are started here.
    pub fn open(plan: &Plan, supervisor: &mut Supervisor) -> Result<(Streams, Ends), Failure> {
        let showing = plan.showing == Showing::OnFailure;
        let spool = showing.then(Spool::new).transpose().map_err(cannot("hold back output"))?;
        let streams = Streams {
            feed: None,
            keyboard: None,
            passing: Vec::new(),
            ordered: None,
            spool,
            helpers: Vec::new(),
            names: Vec::new(),
            holders: Vec::new(),
            has_ended: false,
            has_hung_up: false,
            failures: Vec::new(),
        };
        let mut opening = Opening { plan, supervisor, streams, files: Vec::new(), tee: None };
        let ends = opening.all()?;
        opening.streams.names =
            ends.given.iter().map(|(fd, _)| fd).chain(&ends.terminal).filter_map(name_of).collect();
        Ok((opening.streams, ends))
    }
}

struct Opening<'a> {
    plan: &'a Plan,
    supervisor: &'a mut Supervisor,
    streams: Streams,
    /// Files that are open already: two streams into one file share its offset.
    files: Vec<(Output, OwnedFd)>,
    tee: Option<Outlet>,
}

/// A redirection has failed: spile's own failure, the program did not run.
fn cannot(what: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
    let what = what.into();
    move |why| Failure::new(Exit(125), format!("cannot {what}"), why)
}

fn ours(stream: usize) -> BorrowedFd<'static> {
    if stream == 0 { rustix::stdio::stdout() } else { rustix::stdio::stderr() }
}

/// A descriptor that was named by its number.
fn numbered(number: RawFd, flag: &str) -> Result<BorrowedFd<'static>, Failure> {
    let missing = || Failure::new(Exit(125), format!("cannot use {flag} fd:{number}"), "it is not open");
    process::descriptor(number).ok_or_else(missing)
}

fn copy_of(fd: impl AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

impl Opening<'_> {
    fn all(&mut self) -> Result<Ends, Failure> {
        let plan = self.plan;
        self.tee = match &plan.tee {
            Some(output) => self.outlet(output, 0, "--tee")?,
            None => None,
        };
        let ends = match plan.tty {
            Tty::All(_) => self.on_terminal()?,
            _ => {
                let ends = Ends::inherited();
                let ends = match self.stdin()? {
                    Some(fd) => ends.stdin(fd),
                    None => ends,
                };
                match plan.joining {
                    Joining::Merged => self.merged(ends)?,
                    _ => self.apart(ends)?,
                }
            }
        };
        self.tee = None;
        Ok(ends)
    }

    /// Where a stream goes, and whose it is if it goes to one of ours.
    fn destination(&self, stream: usize) -> (&'static str, Output, usize) {
        let whose = if self.plan.joining == Joining::Swapped { 1 - stream } else { stream };
        let output = if whose == 0 { &self.plan.stdout } else { &self.plan.stderr };
        (if whose == 0 { "--stdout" } else { "--stderr" }, output.clone(), whose)
    }

    fn stdin(&mut self) -> Result<Option<OwnedFd>, Failure> {
        Ok(match &self.plan.stdin {
            Input::Ours => None,
            Input::Null => Some(null(OpenOptions::new().read(true))?),
            Input::File(path) => {
                let file = File::open(path).map_err(cannot(format!("read --stdin {}", path.display())))?;
                Some(OwnedFd::from(file))
            }
            Input::Descriptor(number) => {
                Some(copy_of(numbered(*number, "--stdin")?).map_err(cannot("feed stdin"))?)
            }
            Input::Text(text) => {
                let (feed, stdin) = Feed::new(text).map_err(cannot("feed stdin"))?;
                self.streams.feed = Some(feed);
                Some(stdin)
            }
            Input::Address(address) => {
                let (out, into) = flow::pipe().map_err(cannot("feed stdin"))?;
                let ends = Ends::inherited().stdin(null(OpenOptions::new().read(true))?).stdout(into);
                self.helper(&["--send-only", address, "-"], ends, format!("--stdin {address}"), false)?;
                Some(out)
            }
        })
    }

    /// One pipe for both.
    fn merged(&mut self, ends: Ends) -> Result<Ends, Failure> {
        let (flag, output, _) = self.destination(0);
        let out = match self.owns(&output) {
            true => self.passing(0, flag, &output, 0)?,
            false => match self.direct(&output, flag)? {
                Some(fd) => fd,
                None => copy_of(ours(0)).map_err(cannot("merge stderr into stdout"))?,
            },
        };
        let err = copy_of(&out).map_err(cannot("merge stderr into stdout"))?;
        Ok(ends.stdout(out).stderr(err))
    }

    fn apart(&mut self, ends: Ends) -> Result<Ends, Failure> {
        if self.plan.sequence == Sequence::Exact {
            return self.in_order(ends);
        }
        let mut ends = ends;
        for stream in 0..2 {
            let (flag, output, whose) = self.destination(stream);
            let fd = match self.owns(&output) {
                true => Some(self.passing(stream, flag, &output, whose)?),
                false if output == Output::Ours && whose != stream => {
                    Some(copy_of(ours(whose)).map_err(cannot("swap the streams"))?)
                }
                false => self.direct(&output, flag)?,
            };
            if let Some(fd) = fd {
                ends = ends.at(fd, stream as i32 + 1);
            }
        }
        Ok(ends)
    }

    /// Through datagrams, and from there as through pipes.
    fn in_order(&mut self, ends: Ends) -> Result<Ends, Failure> {
        let mut tap = |stream: usize| {
            let (flag, output, whose) = self.destination(stream);
            let fd = self.passing(stream, flag, &output, whose)?;
            End::own(fd).map_err(cannot("order the streams"))
        };
        let taps = [tap(0)?, tap(1)?];
        let (ordered, [out, err]) = Ordered::new(taps).map_err(cannot("order the streams"))?;
        self.streams.ordered = Some(ordered);
        Ok(ends.stdout(out).stderr(err))
    }

    /// A terminal for everything; stderr may be sent elsewhere.
    fn on_terminal(&mut self) -> Result<Ends, Failure> {
        let size = match self.plan.tty {
            Tty::All(size) => size,
            _ => None,
        };
        let typed = match &self.plan.stdin {
            Input::Ours => None,
            Input::Text(text) => Some(in_memory(text).and_then(End::own).map_err(cannot("feed stdin"))?),
            Input::Descriptor(number) => {
                let fd = numbered(*number, "--stdin")?;
                Some(End::inherited(fd, Way::In).map_err(cannot("feed stdin"))?)
            }
            _ => self.stdin()?.map(End::own).transpose().map_err(cannot("feed stdin"))?,
        };
        let terminal = terminal::open(size, typed).map_err(cannot("make a terminal"))?;
        let (keyboard, screen, slave) = terminal;
        self.streams.keyboard = Some(keyboard);
        let (flag, output, whose) = self.destination(0);
        self.pass(0, screen, None, flag, &output, whose)?;
        let ends = Ends::on_terminal(slave);
        let (flag, output, _) = self.destination(1);
        Ok(match output {
            Output::Ours => ends,
            Output::Capture | Output::Address(_) => ends.stderr(self.passing(1, flag, &output, 1)?),
            _ => match self.direct(&output, flag)? {
                Some(fd) => ends.stderr(fd),
                None => ends,
            },
        })
    }

    fn owns(&self, output: &Output) -> bool {
        self.plan.owns_output_to(output)
    }

    /// What the program gets where nothing passes through us; none for ours.
    fn direct(&mut self, output: &Output, flag: &str) -> Result<Option<OwnedFd>, Failure> {
        match output {
            Output::File(path) => self.file(output, path, flag).map(Some),
            Output::Append(path) => self.file(output, path, flag).map(Some),
            Output::Descriptor(number) => {
                copy_of(numbered(*number, flag)?).map(Some).map_err(cannot(format!("write {flag}")))
            }
            Output::Null => null(OpenOptions::new().write(true)).map(Some),
            _ => Ok(None),
        }
    }

    fn file(&mut self, output: &Output, path: &Path, flag: &str) -> Result<OwnedFd, Failure> {
        let failed = || cannot(format!("write {flag} {}", path.display()));
        if let Some((_, open)) = self.files.iter().find(|(known, _)| known == output) {
            return copy_of(open).map_err(failed());
        }
        let appends = matches!(output, Output::Append(_));
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(!appends).append(appends).open(path);
        let file = OwnedFd::from(file.map_err(failed())?);
        self.files.push((output.clone(), copy_of(&file).map_err(failed())?));
        Ok(file)
    }

    /// A pipe, or a terminal, whose bytes pass through us; the program's end of it.
    fn passing(
        &mut self,
        stream: usize,
        flag: &str,
        output: &Output,
        whose: usize,
    ) -> Result<OwnedFd, Failure> {
        let (out, into) = match self.plan.tty {
            Tty::Stdout if stream == 0 => pty::open_output().map_err(cannot("make a terminal"))?,
            _ => flow::pipe().map_err(cannot("make a pipe"))?,
        };
        let view = View::of(&out).ok();
        let inlet = End::own(out).map_err(cannot("make a pipe"))?;
        if inlet.is_pipe() {
            flow::grow(&into, flow::LARGE);
        }
        self.pass(stream, inlet, view, flag, output, whose)?;
        Ok(into)
    }

    fn pass(
        &mut self,
        stream: usize,
        inlet: End,
        view: Option<View>,
        flag: &str,
        output: &Output,
        whose: usize,
    ) -> Result<(), Failure> {
        let sink = self.outlet(output, whose, flag)?;
        let mut steps = self.steps(stream, output, sink.as_ref())?;
        if let (Output::Ours, Some(spool)) = (output, &self.streams.spool) {
            // As a copy, not as the sink: a full disk is not to stop the program.
            steps.push(Step::Tee(Some(spool.outlet().map_err(cannot("hold back output"))?)));
        }
        let view = view.filter(|_| inlet.is_pipe());
        let flow = Flow::new(inlet, sink, steps, 0);
        self.streams.passing.push(Passing { stream, flow, view, last: None, sent: 0 });
        Ok(())
    }

    /// Where a stream goes when it has passed through us; none where it ends here.
    fn outlet(&mut self, output: &Output, whose: usize, flag: &str) -> Result<Option<Outlet>, Failure> {
        let failed = |name: &str| cannot(format!("write {name}"));
        Ok(Some(match output {
            Output::Null | Output::Capture => return Ok(None),
            Output::Ours if self.streams.spool.is_some() => return Ok(None),
            Output::Ours => {
                let end = End::inherited(ours(whose), Way::Out).map_err(failed(NAMES[whose]))?;
                Outlet::new(end, NAMES[whose])
            }
            Output::Descriptor(number) => {
                let name = format!("fd:{number}");
                let end = End::inherited(numbered(*number, flag)?, Way::Out).map_err(failed(&name))?;
                Outlet::new(end, name)
            }
            Output::File(path) | Output::Append(path) => {
                let name = path.display().to_string();
                let file = self.file(output, path, flag)?;
                Outlet::new(End::own(file).map_err(failed(&name))?, name)
            }
            Output::Address(address) => {
                let (out, into) = flow::pipe().map_err(failed(address))?;
                let ends = Ends::inherited().stdin(out).stdout(null(OpenOptions::new().write(true))?);
                self.helper(&["--send-only", "-", address], ends, format!("{flag} {address}"), true)?;
                Outlet::new(End::own(into).map_err(failed(address))?, address.clone())
            }
        }))
    }

    /// What happens to the bytes of a stream.
    fn steps(&self, stream: usize, output: &Output, sink: Option<&Outlet>) -> Result<Vec<Step>, Failure> {
        let plan = self.plan;
        let mut steps = Vec::new();
        if plan.newlines == Newlines::Lf {
            steps.push(Step::Newlines(None));
        }
        if *output == Output::Capture || plan.look || plan.spill.is_some() {
            let capture = Capture::new(plan.keep_most, plan.keep);
            let capture = match &plan.spill {
                Some(path) if stream == 0 => capture.spill_to(path.clone()),
                Some(path) => {
                    let name: OsString = [path.as_os_str(), ".stderr".as_ref()].into_iter().collect();
                    capture.spill_to(name.into())
                }
                None => Ok(capture),
            };
            steps.push(Step::Keep(capture.map_err(|failure| Failure { exit: Exit(125), ..failure })?));
        }
        let mut unfinished = match sink.is_some_and(|sink| sink.end.is_terminal()) {
            true => Unfinished::WaitShortly,
            false => Unfinished::Wait,
        };
        for label in labels(plan, stream) {
            steps.push(Step::Label(Lines::new(label, unfinished, Instant::now())));
            // From here on lines are whole.
            unfinished = Unfinished::Pass;
        }
        if let Some(tee) = &self.tee {
            let copy = tee.another().map_err(cannot("write --tee"))?;
            steps.push(Step::Tee(Some(copy)));
        }
        Ok(steps)
    }

    /// Our own binary, between a pipe and an address. Its name tells in whose name it speaks.
    fn helper(&mut self, words: &[&str], ends: Ends, what: String, writes: bool) -> Result<(), Failure> {
        let argv = [SELF, "relay"].iter().chain(words).map(OsString::from).collect();
        let program = Program { argv0: Some("spile run".into()), group: Group::New, ..Program::new(argv) };
        let started = self.supervisor.spawn(&program, ends)?;
        self.streams.helpers.push(Helper { pid: started.pid, what, writes, status: None });
        Ok(())
    }
}

/// What stands before each line, the innermost first.
fn labels(plan: &Plan, stream: usize) -> Vec<Label> {
    let mut labels = Vec::new();
    if let Some(format) = &plan.prefix {
        let text = format.replace("{name}", &plan.name).replace("{stream}", NAMES[stream]);
        for (at, part) in text.split("{time}").enumerate() {
            labels.extend((at > 0).then_some(Label::Moment));
            labels.extend((!part.is_empty()).then(|| Label::Text(part.as_bytes().to_vec())));
        }
    }
    labels.reverse();
    labels.extend(plan.timestamps.then_some(Label::Clock));
    labels
}

/// A text as a file.
fn in_memory(text: &[u8]) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("stdin", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(fd);
    file.write_all(text)?;
    file.rewind()?;
    Ok(OwnedFd::from(file))
}

fn null(options: &mut OpenOptions) -> Result<OwnedFd, Failure> {
    options.open("/dev/null").map(OwnedFd::from).map_err(cannot("open /dev/null"))
}
