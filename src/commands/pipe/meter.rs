//! What a person sees of a pipeline while it runs, and what is said at its end.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use super::When;
use crate::commands::log::{put, say};
use crate::commands::progress::amount;
use crate::pipeline::{Modifier, Progress, Stage, Trouble};

/// Between two looks: often enough to see it live, too rarely to be noticed by the stages.
const INTERVAL: Duration = Duration::from_millis(500);

/// Shows on stderr how far the stages are.
pub struct Meter {
    names: Vec<String>,
    /// Stages whose input is metered.
    metered: Vec<bool>,
    whole: Option<When>,
    on_terminal: bool,
    /// A line that will be written over is on the screen.
    line_is_open: bool,
    before: Vec<u64>,
    looked: Instant,
}

impl Meter {
    /// Of these stages; `whole` is `--meter`.
    pub fn new(stages: &[Stage], whole: Option<When>) -> Meter {
        Meter {
            names: stages.iter().map(|stage| stage.name.clone()).collect(),
            metered: stages.iter().map(|stage| stage.inlet.contains(&Modifier::Meter)).collect(),
            whole,
            on_terminal: std::io::stderr().is_terminal(),
            line_is_open: false,
            before: vec![0; stages.len()],
            looked: Instant::now(),
        }
    }

    fn shows_all(&self) -> bool {
        self.whole == Some(When::Always) || (self.whole.is_some() && self.on_terminal)
    }

    /// What is shown of a stage now: its bytes, its rate, and how full the pipe behind it is.
    fn now(&mut self, at: usize, stage: &Progress, seconds: f64) -> Option<String> {
        let bytes = match self.metered[at] {
            true => stage.received,
            false => stage.written.filter(|_| self.shows_all()),
        }?;
        let rate = bytes.saturating_sub(self.before[at]) as f64 / seconds;
        self.before[at] = bytes;
        let mut text = format!("{} {} {}/s", self.names[at], amount(bytes as f64), amount(rate));
        if let Some(waiting) = stage.waiting.filter(|waiting| *waiting > 0 && self.shows_all()) {
            let _ = write!(text, " (+{})", amount(waiting as f64));
        }
        Some(text)
    }
}

impl Meter {
    /// How often it wants to know how far the stages are.
    pub fn interval(&self) -> Option<Duration> {
        let shows = self.shows_all() || (self.on_terminal && self.metered.contains(&true));
        shows.then_some(INTERVAL)
    }

    /// Shows how far they are.
    pub fn progress(&mut self, stages: &[Progress]) {
        let seconds = self.looked.elapsed().as_secs_f64().max(0.001);
        self.looked = Instant::now();
        let shown: Vec<String> =
            stages.iter().enumerate().filter_map(|(at, stage)| self.now(at, stage, seconds)).collect();
        let line = shown.join(" :: ");
        if self.on_terminal {
            self.line_is_open = true;
            put(format!("\r{line}\x1b[K"));
        } else {
            say(&line);
        }
    }

    /// Says what went wrong beside the data.
    pub fn trouble(&mut self, trouble: &Trouble<'_>) {
        self.close_line();
        say(&format!("spile pipe: {}: {}", trouble.stage, trouble.failure));
    }

    /// Says how far they were at the end.
    pub fn end(&mut self, stages: &[Progress]) {
        self.close_line();
        for (at, stage) in stages.iter().enumerate() {
            let bytes = if self.metered[at] { stage.received } else { stage.written };
            if let (true, Some(bytes)) = (self.metered[at] || self.shows_all(), bytes) {
                let seconds = stage.elapsed.as_secs_f64().max(0.001);
                let (total, rate) = (amount(bytes as f64), amount(bytes as f64 / seconds));
                say(&format!("{}: {total} in {seconds:.1} s, {rate}/s", self.names[at]));
            }
        }
    }
}

impl Meter {
    fn close_line(&mut self) {
        if std::mem::take(&mut self.line_is_open) {
            put("\n".to_owned());
        }
    }
}
