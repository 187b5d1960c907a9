//! What stands at the other ends of a program's standard streams: plain data, nothing is opened here.

use std::os::fd::RawFd;
use std::path::PathBuf;

use rustix::termios::Winsize;

use crate::flow::Keep;

/// Where stdin comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Our own.
    #[default]
    Ours,
    /// A file.
    File(PathBuf),
    /// Nothing: /dev/null.
    Null,
    /// A descriptor that we inherited.
    Descriptor(RawFd),
    /// These bytes, then the end.
    Text(Vec<u8>),
    /// An address, read by a program of its own.
    Address(String),
}

/// Where stdout or stderr goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Our own.
    #[default]
    Ours,
    /// A file that is replaced.
    File(PathBuf),
    /// A file that is added to.
    Append(PathBuf),
    /// A descriptor that we inherited.
    Descriptor(RawFd),
    /// Nowhere: /dev/null.
    Null,
    /// Memory, for the report.
    Capture,
    /// An address, written by a program of its own.
    Address(String),
}

/// How stdout and stderr are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joining {
    /// Each goes its way.
    #[default]
    Apart,
    /// stderr goes where stdout goes.
    Merged,
    /// Each goes where the other would.
    Swapped,
}

/// Which terminal a program gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tty {
    /// None but ours.
    #[default]
    None,
    /// A new one for everything; of the size of ours where none is given.
    All(Option<Winsize>),
    /// A new one for stdout alone, so that a C library writes every line at once.
    Stdout,
}

/// When output is passed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Showing {
    /// As it comes.
    #[default]
    AtOnce,
    /// All of it at the end, and only where the program has failed.
    OnFailure,
}

/// Whether the order between stdout and stderr is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sequence {
    /// As they are read.
    #[default]
    Approximate,
    /// As they were written: through datagram sockets (unix(7)).
    Exact,
}

/// Line ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Newlines {
    /// As they are.
    #[default]
    AsWritten,
    /// CR LF becomes LF.
    Lf,
}

/// Everything that is asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where stdin comes from.
    pub stdin: Input,
    /// Where stdout goes.
    pub stdout: Output,
    /// Where stderr goes.
    pub stderr: Output,
    /// How the two are put together.
    pub joining: Joining,
    /// A copy of both goes here, too: a file or an address.
    pub tee: Option<Output>,
    /// What stands before each line; `{name}`, `{stream}` and `{time}` are filled in.
    pub prefix: Option<String>,
    /// Before that, the time of day.
    pub timestamps: bool,
    /// What `{name}` is.
    pub name: String,
    /// Pass output through pipes of ours even if nothing else asks for it.
    pub relay: bool,
    /// Most bytes of each stream that are kept.
    pub keep_most: usize,
    /// Which of them.
    pub keep: Keep,
    /// Everything that is kept goes to this file, too, without a limit.
    pub spill: Option<PathBuf>,
    /// The order between the two.
    pub sequence: Sequence,
    /// A terminal for the program.
    pub tty: Tty,
    /// Line ends.
    pub newlines: Newlines,
    /// When output is shown.
    pub showing: Showing,
    /// Keep output although it goes elsewhere: somebody wants to look at it at the end.
    pub look: bool,
}

impl Plan {
    /// True when all output passes through us, wherever it goes then.
    pub fn owns_output(&self) -> bool {
        self.relay
            || self.look
            || self.timestamps
            || self.tee.is_some()
            || self.prefix.is_some()
            || self.spill.is_some()
            || self.sequence == Sequence::Exact
            || self.tty != Tty::None
            || self.newlines != Newlines::AsWritten
            || self.showing != Showing::AtOnce
    }

    /// The same for a stream that goes to `output`.
    pub fn owns_output_to(&self, output: &Output) -> bool {
        self.owns_output() || matches!(output, Output::Capture | Output::Address(_))
    }
}
