//! Services beside a program: started and waited for in their order, ended in the opposite one.
//! Nothing here knows flags or prints.

mod output;
mod probe;

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use regex::bytes::Regex;
use rustix::event::PollFlags;

use crate::error::{Exit, Failure};
use crate::process::{Ends, Group, Program, Status};
use crate::signal::Number;
use crate::supervise::{
    Clock, Company, Event, Job, Limits, Manner, Orphans, Reason, Supervisor, end, keep_company,
};
use output::Output;
use probe::{Answer, Probe};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// For messages and the report.
    pub name: String,
    /// What runs; its stdin is /dev/null.
    pub argv: Vec<OsString>,
    /// All of these must be true before it counts as ready.
    pub ready: Vec<Ready>,
}

/// A sign that a service is ready.
#[derive(Clone, Debug)]
pub enum Ready {
    /// This address answers.
    Address(String),
    /// A GET there is answered with a status from 200 to 399.
    Http {
        /// Where to connect to.
        address: String,
        /// What the request calls it.
        host: String,
        /// What is asked for.
        path: String,
    },
    /// A line of its output matches.
    Line(Regex),
    /// This command is successful.
    Command(Vec<OsString>),
}

/// Whether the output of services is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// It is kept for the case that one fails.
    OnFailure,
    /// On stderr, each line with the service's name before it.
    AtOnce,
}

/// Why the program does not get its turn.
#[derive(Clone, Debug)]
pub enum Unready {
    /// A service failed.
    Failed(Failure),
    /// Somebody asked us to end.
    Interrupted(Number),
}

/// Something to be told at once.
#[derive(Clone, Debug)]
pub enum News {
    /// A service is ready, after so long.
    Ready(String, Duration),
    /// A service has ended by itself.
    Gone(String, Status),
}

/// One service.
struct Service {
    name: String,
    job: Job,
    output: Output,
    started: Instant,
    ready_after: Option<Duration>,
    is_stopping: bool,
    /// It ended before anybody asked it to.
    is_early: bool,
}

/// All services that have been started.
pub struct Services {
    running: Vec<Service>,
    probe: Option<Probe>,
    manner: Manner,
    news: Vec<News>,
}

/// How a service went.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Its process.
    pub pid: Option<i32>,
    /// From its start until it was ready.
    pub ready_after: Option<Duration>,
    /// It ended by itself.
    pub is_early: bool,
    /// How it ended.
    pub status: Option<Status>,
    /// The end of its output, in words.
    pub last_words: String,
}

impl Services {
    /// None yet; `manner` is how they will be ended.
    pub fn new(manner: Manner) -> Services {
        // What a service leaves behind is not wanted either.
        let manner = Manner { orphans: Orphans::Term, ..manner };
        Services { running: Vec::new(), probe: None, manner, news: Vec::new() }
    }

    /// Starts one and waits until it is ready.
    pub fn start(
        &mut self,
        wanted: &Wanted,
        patience: Duration,
        show: Show,
        supervisor: &mut Supervisor,
    ) -> Result<(), Unready> {
        let line = wanted.ready.iter().find_map(|ready| match ready {
            Ready::Line(line) => Some(line.clone()),
            _ => None,
        });
        let shown_as = (show == Show::AtOnce).then_some(wanted.name.as_str());
        let service =
            Service::start(wanted, line, shown_as, self.manner, supervisor).map_err(Unready::Failed)?;
        self.running.push(service);
        let until = supervisor.elapsed(Clock::Running) + patience;
        for ready in &wanted.ready {
            let result = self.wait_for(ready, until, supervisor);
            let said = self.probe.take().map(Probe::stop);
            result.map_err(|gave| self.explain(gave, patience, said))?;
        }
        if let Some(service) = self.running.last_mut() {
            let after = service.started.elapsed();
            service.ready_after = Some(after);
            self.news.push(News::Ready(service.name.clone(), after));
        }
        Ok(())
    }

    /// What has happened since the last call.
    pub fn news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Waits for one sign of the service that was started last, until our own time at work is `until`.
    fn wait_for(&mut self, ready: &Ready, until: Duration, supervisor: &mut Supervisor) -> Result<(), Gave> {
        let mut ask_at = supervisor.now();
        loop {
            let now = supervisor.now();
            let left = until.saturating_sub(supervisor.elapsed(Clock::Running));
            let Some(service) = self.running.last() else { return Ok(()) };
            if service.is_early {
                return Err(Gave::Ended);
            }
            let answer = match (ready, &mut self.probe) {
                (Ready::Line(_), _) if service.output.was_seen() => Answer::Yes,
                (Ready::Line(_), _) => Answer::None,
                (_, Some(probe)) => probe.answer(ready, now),
                (_, None) => Answer::NotYet(ask_at),
            };
            match answer {
                Answer::Yes => return Ok(()),
                Answer::No => return Err(Gave::TimeIsUp),
                Answer::NotYet(at) => (self.probe, ask_at) = (None, at),
                Answer::None => {}
            }
            if left.is_zero() {
                return Err(Gave::TimeIsUp);
            }
            if self.probe.is_none() && !matches!(ready, Ready::Line(_)) && now >= ask_at {
                self.probe = Some(Probe::start(ready, left, supervisor).map_err(Gave::Failed)?);
            }
            // An address that stays silent ends its own probe at the same time: it tells more.
            let end = now + left;
            let limit = if self.probe.is_some() { end + GRACE } else { end.min(ask_at.max(now + TICK)) };
            let cannot = |why| Gave::Failed(Failure::new(Exit(125), "cannot wait for a service", why));
            if let Some(signal) = keep_company(supervisor, self, Some(limit)).map_err(cannot)? {
                return Err(Gave::Interrupted(signal));
            }
        }
    }

    fn explain(&mut self, gave: Gave, patience: Duration, said: Option<String>) -> Unready {
        let Some(service) = self.running.last_mut() else { return Unready::Interrupted(Number::TERM) };
        let name = service.name.clone();
        let words = service.last_words();
        match gave {
            Gave::Interrupted(signal) => Unready::Interrupted(signal),
            Gave::Failed(failure) => Unready::Failed(failure),
            Gave::Ended => {
                let status = service.status();
                let exit = status.map(Status::exit).filter(|exit| *exit != Exit::OK).unwrap_or(Exit::FAILURE);
                let how = status.map(in_words).unwrap_or_default();
                Unready::Failed(Failure::new(
                    exit,
                    format!("service {name} ended before it was ready, {how}"),
                    words,
                ))
            }
            Gave::TimeIsUp => {
                let what = format!("service {name} was not ready within --ready-timeout {patience:?}");
                let failure = Failure::timeout(what, words);
                Unready::Failed(match said.filter(|said| said.starts_with(SAID)) {
                    Some(said) => failure.hint(format!("the check: {}", said.trim_start_matches(SAID))),
                    None => failure,
                })
            }
        }
    }

    /// Ends all, the last first, and tells about them in the order in which they were started.
    pub fn stop(&mut self, supervisor: &mut Supervisor) -> Result<Vec<Told>, Failure> {
        let mut told = Vec::new();
        while let Some(mut service) = self.running.pop() {
            service.is_stopping = true;
            service.job.end(Reason::Told, supervisor);
            let mut others = Beside { output: &mut service.output, others: self };
            end(supervisor, &mut others, &mut service.job)
                .map_err(|why| Failure::new(Exit(125), "cannot end a service", why))?;
            told.push(service.told());
        }
        told.reverse();
        Ok(told)
    }
}

/// How an output opens where a probe has said something.
const SAID: &str = "its last words: ";
/// Between two looks where nothing wakes us.
const TICK: Duration = Duration::from_millis(1);
/// How much longer a probe may take than its own limit.
const GRACE: Duration = Duration::from_millis(500);

/// Why waiting was given up.
enum Gave {
    Ended,
    TimeIsUp,
    Interrupted(Number),
    Failed(Failure),
}

fn in_words(status: Status) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("with status {code}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => String::new(),
    }
}

impl Service {
    fn start(
        wanted: &Wanted,
        line: Option<Regex>,
        shown_as: Option<&str>,
        manner: Manner,
        supervisor: &mut Supervisor,
    ) -> Result<Service, Failure> {
        let cannot =
            |why: io::Error| Failure::new(Exit(125), format!("cannot start service {}", wanted.name), why);
        let (output, into) = Output::new(line, shown_as).map_err(cannot)?;
        // Never the terminal: a service in the background would be stopped when it reads.
        let null = OpenOptions::new().read(true).open("/dev/null").map(OwnedFd::from).map_err(cannot)?;
        let copy = rustix::io::fcntl_dupfd_cloexec(&into, 3).map_err(|why| cannot(why.into()))?;
        let ends = Ends::inherited().stdin(null).stdout(copy).stderr(into);
        // Nobody else would end it where we are killed.
        let parent_death = Some(Number::TERM);
        let program = Program { group: Group::New, parent_death, ..Program::new(wanted.argv.clone()) };
        let started = supervisor.spawn(&program, ends)?;
        let mut job = Job::new(Limits::default(), manner);
        job.add(started);
        let name = wanted.name.clone();
        let started = Instant::now();
        Ok(Service { name, job, output, started, ready_after: None, is_stopping: false, is_early: false })
    }

    fn status(&self) -> Option<Status> {
        self.job.members().first().and_then(|member| member.end).map(|(status, ..)| status)
    }

    fn last_words(&mut self) -> String {
        self.output.advance(Instant::now());
        self.output.last_words()
    }

    fn note(&mut self, event: &Event) -> Option<News> {
        let is_about_it = self.job.note(event);
        match event {
            Event::Ended(_, status, _) if is_about_it && !self.is_stopping => {
                self.is_early = true;
                Some(News::Gone(self.name.clone(), *status))
            }
            _ => None,
        }
    }

    fn told(mut self) -> Told {
        Told {
            pid: self.job.members().first().map(|member| member.started.pid),
            ready_after: self.ready_after,
            is_early: self.is_early,
            status: self.status(),
            last_words: self.last_words(),
            name: self.name,
        }
    }
}

impl Company for Services {
    fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        self.running.iter().for_each(|service| service.output.waits(fds));
        if let Some(probe) = &self.probe {
            probe.waits(fds);
        }
        None
    }

    fn advance(&mut self, now: Instant) -> bool {
        self.running.iter_mut().for_each(|service| service.output.advance(now));
        false
    }

    fn note(&mut self, event: &Event) {
        if let Some(probe) = &mut self.probe {
            probe.note(event);
        }
        let news = self.running.iter_mut().filter_map(|service| service.note(event));
        self.news.extend(news);
    }
}

/// The output of a service that is being ended, and those that are not yet.
struct Beside<'a> {
    output: &'a mut Output,
    others: &'a mut Services,
}

impl Company for Beside<'_> {
    fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        self.output.waits(fds);
        self.others.waits(fds)
    }

    fn advance(&mut self, now: Instant) -> bool {
        self.output.advance(now);
        self.others.advance(now)
    }

    fn note(&mut self, event: &Event) {
        self.others.note(event);
    }
}
