//! stdin and stdout of a person at a terminal who types lines (`--readline`): editing and history, and what the
//! peer says meanwhile appears above the line that is being typed.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Editor, ExternalPrinter};

use super::stdio::{Pump, Task, write_all};
use super::{Endpoint, pty};
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
    // Refused by terminals without a cursor that can be moved (TERM=dumb).
    let Ok(printer) = editor.create_external_printer() else { return Ok(None) };
    let turns = modes.turns.clone();
    let (typed, shown) = start(editor, turns, printer).map_err(|why| cannot(why.to_string()))?;
    let person = Endpoint::new(typed.source(), shown.sink()).guarded(Some(modes));
    Ok(Some(person.pumped_by(Some(typed)).pumped_by(Some(shown))))
}

fn new_editor() -> rustyline::Result<LineEditor> {
    // Bracketed paste would stay on after a session that ends in the middle of a line.
    let config = rustyline::Config::builder().auto_add_history(true).bracketed_paste(false).build();
    Editor::with_history(config, MemHistory::new())
}

/// Two threads, since the editor blocks: one for what is typed, one for what is shown.
fn start(
    editor: LineEditor,
    turns: Arc<Turns>,
    printer: impl ExternalPrinter + Send + 'static,
) -> io::Result<(Pump, Pump)> {
    let typed = Pump::start(Task::Reads, move |to, _| send_lines(editor, &turns, to))?;
    let shown = Pump::start(Task::Writes, move |from, _| show(printer, &from))?;
    Ok((typed, shown))
}

/// Sends each line that is typed; ^D ends, ^C is what it always is.
fn send_lines(mut editor: LineEditor, turns: &Turns, to: OwnedFd) {
    let mut to = Some(to);
    while turns.begin() {
        let line = editor.readline("");
        turns.end();
        match (line, &to) {
            (Ok(line), Some(open)) if write_all(open.as_fd(), format!("{line}\n").as_bytes()).is_ok() => {}
            // The editor stays: what is shown goes through it to the last.
            (Ok(_), _) => to = None,
            // A terminal that is gone reads as the end, as ^D does.
            (Err(ReadlineError::Eof), _) if !pty::is_hung_up(rustix::stdio::stdin()) => to = None,
            (Err(ReadlineError::Interrupted), _) => {
                let _ = kill(Pid::this(), Signal::SIGINT);
            }
            (Err(_), _) => return,
        }
    }
}

/// How long the rest of a line may take until what there is of it is shown: it may be a question.
const REST_OF_LINE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// A line that is longer is shown in pieces.
const LONGEST_LINE: usize = 16 * 1024;
/// Up and down again: nothing to be seen.
const NOTHING: &str = "\x1b[A\n";

/// Shows what comes, as text, since a terminal has no use for anything else, and in whole lines: the editor ends
/// each piece with a line end of its own.
fn show(mut printer: impl ExternalPrinter, from: &OwnedFd) {
    let mut print = |bytes: &[u8]| printer.print(String::from_utf8_lossy(bytes).into_owned());
    let mut held = Vec::new();
    let mut buffer = vec![0; LONGEST_LINE];
    loop {
        let is_late = !held.is_empty() && !comes_in_time(from);
        let n = match is_late {
            true => 0,
            false => rustix::io::retry_on_intr(|| rustix::io::read(from, &mut buffer[..])).unwrap_or(0),
        };
        held.extend_from_slice(&buffer[..n]);
        let lines = held.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole = if n == 0 || held.len() - lines > LONGEST_LINE { held.len() } else { lines };
        if whole > 0 && print(&held[..whole]).is_err() {
            return;
        }
        held.drain(..whole);
        if n == 0 && !is_late {
            break;
        }
    }
    // The editor takes one piece at a time: once it has taken the first of these, all before it was shown.
    for _ in 0..2 {
        let _ = print(NOTHING.as_bytes());
    }
}

/// Waits for the rest of a line.
fn comes_in_time(from: &OwnedFd) -> bool {
    !matches!(poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&REST_OF_LINE)), Ok(0))
}

/// Whose turn it is to change the terminal's modes.
#[derive(Default)]
struct Turns {
    editing: AtomicBool,
    over: AtomicBool,
}

impl Turns {
    /// The editor's turn begins; false when there are no more.
    fn begin(&self) -> bool {
        self.editing.store(true, SeqCst);
        let goes_on = !self.over.load(SeqCst);
        if !goes_on {
            self.end();
        }
        goes_on
    }

    fn end(&self) {
        self.editing.store(false, SeqCst);
    }
}

/// The terminal's modes as they were; restored when dropped, for the editor may be left in the middle of a line.
struct Modes {
    before: Termios,
    turns: Arc<Turns>,
}

impl Modes {
    fn save() -> io::Result<Modes> {
        Ok(Modes { before: tcgetattr(rustix::stdio::stdin())?, turns: Arc::default() })
    }

    /// The editor is about to change the modes.
    fn are_about_to_change(&self) -> bool {
        let are_raw = || {
            tcgetattr(rustix::stdio::stdin())
                .is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
        };
        self.turns.editing.load(SeqCst) && !are_raw()
    }
}

/// Longest wait for an editor that is about to change the modes; it takes microseconds.
const ABOUT: Duration = Duration::from_millis(200);

impl Drop for Modes {
    fn drop(&mut self) {
        self.turns.over.store(true, SeqCst);
        let until = Instant::now() + ABOUT;
        while self.are_about_to_change() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.before);
    }
}
