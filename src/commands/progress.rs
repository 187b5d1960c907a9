//! `--progress`: one line on stderr, rewritten while bytes move.

use std::io::IsTerminal;
use std::pin::pin;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::log::{put, say};
use super::taps::Meter;
use crate::event_loop::timeout;

/// When progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// Where stderr is a terminal.
    Auto,
    /// Always; as whole lines where stderr is no terminal.
    Always,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Nothing,
    /// One line that is written over.
    OneLine,
    /// A line each time.
    Lines,
}

impl Form {
    fn step(self) -> Duration {
        Duration::from_millis(if self == Form::OneLine { 250 } else { 1000 })
    }
}

/// Shows how far some work has come.
pub struct Progress {
    name: &'static str,
    form: Form,
    meter: Meter,
    started: Instant,
    last: (Instant, u64),
}

impl Progress {
    /// Shows what `meter` counts, in the name of a subcommand.
    pub fn new(name: &'static str, when: Option<When>, meter: Meter) -> Progress {
        let form = match (when, std::io::stderr().is_terminal()) {
            (Some(_), true) => Form::OneLine,
            (Some(When::Always), false) => Form::Lines,
            _ => Form::Nothing,
        };
        let now = Instant::now();
        Progress { name, form, meter, started: now, last: (now, 0) }
    }

    /// Does `work` and tells of it meanwhile; the last line stays and has the totals.
    pub async fn beside<T>(mut self, work: impl Future<Output = T>) -> T {
        if self.form == Form::Nothing {
            return work.await;
        }
        let mut work = pin!(work);
        loop {
            let Ok(result) = timeout(self.form.step(), work.as_mut()).await else {
                self.show();
                continue;
            };
            self.last = (self.started, 0);
            self.show();
            if self.form == Form::OneLine && self.last.1 > 0 {
                put("\n".to_owned());
            }
            return result;
        }
    }

    fn show(&mut self) {
        let now = Instant::now();
        let (sent, received) = (self.meter.sent(), self.meter.received());
        if sent + received == 0 {
            return;
        }
        let (since, before) = std::mem::replace(&mut self.last, (now, sent + received));
        let seconds = now.duration_since(since).as_secs_f64().max(0.001);
        let text = format!(
            "{} sent, {} received, {}/s, {:.1} s",
            amount(sent as f64),
            amount(received as f64),
            amount((sent + received - before) as f64 / seconds),
            now.duration_since(self.started).as_secs_f64()
        );
        match self.form {
            Form::Nothing => {}
            Form::Lines => say(&format!("spile {}: {text}", self.name)),
            Form::OneLine => {
                put(format!("\r\x1b[Kspile {}: {text}", self.name));
            }
        }
    }
}

/// Bytes as people read them, in powers of 1024.
pub fn amount(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_at_most_three_digits_before_the_point() {
        for (bytes, text) in
            [(0.0, "0 B"), (999.0, "999 B"), (1024.0, "1.0 KiB"), (1_048_576.0, "1.0 MiB"), (5e9, "4.7 GiB")]
        {
            assert_eq!(amount(bytes), text);
        }
    }
}
