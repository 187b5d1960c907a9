//! Several companies as one, and time spent with them while no program runs.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use rustix::event::PollFlags;

use super::{Act, Company, Event, Happening, Job, Limits, Manner, Reason, Supervisor};
use crate::signal::{Arrival, Number};

/// All of them; output of any is output.
pub struct Companions<'a>(pub Vec<&'a mut dyn Company>);

impl Company for Companions<'_> {
    fn waits<'a>(&'a self, fds: &mut Vec<(BorrowedFd<'a>, PollFlags)>) -> Option<Instant> {
        self.0.iter().filter_map(|one| one.waits(fds)).min()
    }

    fn advance(&mut self, now: Instant) -> bool {
        // Each has its turn: `any` would stop at the first.
        self.0.iter_mut().filter_map(|one| one.advance(now).then_some(())).count() > 0
    }

    fn is_over(&self) -> bool {
        self.0.iter().all(|one| one.is_over())
    }

    fn has_children(&self) -> bool {
        self.0.iter().any(|one| one.has_children())
    }

    fn hang_up(&mut self) {
        self.0.iter_mut().for_each(|one| one.hang_up());
    }

    fn decide(&mut self, arrival: &Arrival, now: Instant) -> Option<Act> {
        self.0.iter_mut().find_map(|one| one.decide(arrival, now))
    }

    fn act(&mut self, now: Instant, supervisor: &mut Supervisor, job: &mut Job) {
        self.0.iter_mut().for_each(|one| one.act(now, supervisor, job));
    }

    fn note(&mut self, event: &Event) {
        self.0.iter_mut().for_each(|one| one.note(event));
    }

    fn told(&mut self, happening: Happening<'_>) {
        self.0.iter_mut().for_each(|one| one.told(happening));
    }
}

/// Waits once, at most until then, and lets `company` go on. Answers a signal that asks us to end, if one came.
pub fn keep_company(
    supervisor: &mut Supervisor,
    company: &mut dyn Company,
    until: Option<Instant>,
) -> io::Result<Option<Number>> {
    let events = {
        let mut fds = Vec::new();
        let due = company.waits(&mut fds);
        supervisor.wait(&fds, [due, until].into_iter().flatten().min())?
    };
    let mut asked = None;
    for event in events {
        company.note(&event);
        if let Event::Signal(arrival) = event
            && arrival.signal.asks_to_end()
        {
            asked = Some(arrival.signal);
        }
    }
    company.advance(Instant::now());
    Ok(asked)
}

/// Lets time pass. Answers a signal that asks us to end, if one came.
pub fn pause(
    supervisor: &mut Supervisor,
    company: &mut dyn Company,
    until: Instant,
) -> io::Result<Option<Number>> {
    while Instant::now() < until {
        if let Some(signal) = keep_company(supervisor, company, Some(until))? {
            return Ok(Some(signal));
        }
    }
    Ok(None)
}

/// Ends what children that have ended have left behind; children that run are not touched.
pub fn sweep(supervisor: &mut Supervisor, company: &mut dyn Company, manner: Manner) -> io::Result<()> {
    let mut job = Job::new(Limits::default(), manner);
    job.end(Reason::Told, supervisor);
    end(supervisor, company, &mut job)
}

/// Goes on until a job that is being ended is over. Whoever asks us to end meanwhile gets it killed.
pub fn end(supervisor: &mut Supervisor, company: &mut dyn Company, job: &mut Job) -> io::Result<()> {
    job.tick(Instant::now(), supervisor);
    while !job.is_over() {
        let events = {
            let mut fds = Vec::new();
            let until = [company.waits(&mut fds), job.due()].into_iter().flatten().min();
            supervisor.wait(&fds, until)?
        };
        for event in events {
            job.note(&event);
            company.note(&event);
            if matches!(event, Event::Signal(arrival) if arrival.signal.asks_to_end()) {
                job.kill();
            }
        }
        let now = Instant::now();
        company.advance(now);
        job.tick(now, supervisor);
    }
    Ok(())
}
