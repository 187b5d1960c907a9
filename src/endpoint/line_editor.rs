//! stdin and stdout of a person at a terminal who types lines (`--readline`): editing and history, and what the
//! peer says meanwhile appears above the line that is being typed.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Editor, ExternalPrinter};

use super::stdio::{Pump, pair};
use super::{Endpoint, Sink, Source, WhenBroken, pty};
use crate::error::Failure;

type LineEditor = Editor<(), MemHistory>;

/// The endpoint; `None` where stdin or stdout is no terminal, since nobody edits there.
pub fn line_editor() -> Result<Option<Endpoint>, Failure> {
    if ![rustix::stdio::stdin(), rustix::stdio::stdout()].into_iter().all(pty::is_terminal) {
        return Ok(None);
    }
    let cannot = |why: String| Failure::other("cannot edit lines on this terminal", why);
    let modes = Modes::save().map_err(|why| cannot(why.to_string()))?;
    let mut editor = new_editor().map_err(|why| cannot(why.to_string()))?;
    let printer = editor.create_external_printer().map_err(|why| cannot(why.to_string()))?;
    let (source, sink, pump) = start(editor, printer).map_err(|why| cannot(why.to_string()))?;
    // Dropped in this order: what the peer said last is shown, then the modes are restored.
    Ok(Some(Endpoint::new(source, sink).guarded(Some((pump, modes)))))
}

fn new_editor() -> rustyline::Result<LineEditor> {
    let config = rustyline::Config::builder().auto_add_history(true).build();
    Editor::with_history(config, MemHistory::new())
}

/// Two threads, since the editor blocks: one for what is typed, one for what is shown.
fn start(
    editor: LineEditor,
    printer: impl ExternalPrinter + Send + 'static,
) -> io::Result<(Source, Sink, Pump)> {
    let (typed, source) = pair()?;
    std::thread::Builder::new().name("editor".into()).spawn(move || send_lines(editor, &typed))?;
    let (shown, sink) = pair()?;
    let pump = std::thread::Builder::new().name("printer".into()).spawn(move || show(printer, &shown))?;
    let sink = match Sink::socket(Arc::new(sink)) {
        Sink::Stream { fd, stalled, half_close, .. } => {
            Sink::Stream { fd, stalled, half_close, when_broken: WhenBroken::Stop }
        }
        other => other,
    };
    Ok((Source::Stream(Arc::new(source)), sink, Pump::of(pump)))
}

/// Sends each line that is typed; ^D ends, ^C is what it always is.
fn send_lines(mut editor: LineEditor, to: &OwnedFd) {
    loop {
        match editor.readline("") {
            Ok(line) if write_all(to, format!("{line}\n").as_bytes()).is_ok() => {}
            Err(ReadlineError::Interrupted) => {
                let _ = kill(Pid::this(), Signal::SIGINT);
            }
            Ok(_) | Err(_) => return,
        }
    }
}

fn write_all(to: &OwnedFd, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        let n = rustix::io::retry_on_intr(|| rustix::io::write(to, bytes))?;
        bytes = &bytes[n..];
    }
    Ok(())
}

/// Up and down again: nothing to be seen.
const NOTHING: &str = "\x1b[A\n";

/// Shows what comes, as text: a terminal has no use for anything else.
fn show(mut printer: impl ExternalPrinter, from: &OwnedFd) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(n) = rustix::io::retry_on_intr(|| rustix::io::read(from, &mut buffer[..])) {
        if n == 0 {
            break;
        }
        if printer.print(String::from_utf8_lossy(&buffer[..n]).into_owned()).is_err() {
            return;
        }
    }
    // The editor takes one piece at a time: once it has taken the first of these, all before it was shown.
    for _ in 0..2 {
        let _ = printer.print(NOTHING.to_owned());
    }
}

/// The terminal's modes as they were; restored when dropped, for the editor may be left in the middle of a line.
struct Modes(Termios);

impl Modes {
    fn save() -> io::Result<Modes> {
        Ok(Modes(tcgetattr(rustix::stdio::stdin())?))
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.0);
    }
}
