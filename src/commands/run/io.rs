//! Flags for the standard streams: where they come from and go to, and what happens on the way.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{OsStringValueParser, TypedValueParser};
use rustix::termios::Winsize;

use crate::address::{self, Address, Role};
use crate::commands::flags::{duration, file_name, terminal_size};
use crate::error::Failure;
use crate::flow::Keep;
use crate::streams::{Input, Joining, Newlines, Output, Plan, Sequence, Showing, Tty};

/// Kept of each stream unless something else is asked for.
const USUALLY_KEPT: usize = 1024 * 1024;
/// How long output may stay open after the program's end.
const LINGER: Duration = Duration::from_secs(1);

/// stdin, stdout, stderr.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Input and output")]
pub struct IoArgs {
    /// Where stdin comes from: a file (- is ours), null, text:TEXT, fd:N, or an address (tcp:HOST:PORT…)
    #[arg(long, value_name = "FROM", value_parser = OsStringValueParser::new().try_map(input))]
    stdin: Option<Input>,
    /// Where stdout goes: a file (- is ours), append:FILE, null, capture (into the report), fd:N, or an address
    #[arg(long, value_name = "TO", value_parser = OsStringValueParser::new().try_map(output))]
    stdout: Option<Output>,
    /// The same for stderr
    #[arg(long, value_name = "TO", value_parser = OsStringValueParser::new().try_map(output))]
    stderr: Option<Output>,
    /// stderr goes where stdout goes
    #[arg(long, conflicts_with_all = ["swap", "stderr"])]
    merge: bool,
    /// stdout goes where stderr would, and the other way round
    #[arg(long)]
    swap: bool,
    /// Copy both to a file or an address, too
    #[arg(long, value_name = "TO", value_parser = OsStringValueParser::new().try_map(copy))]
    tee: Option<Output>,
    /// Hold output back, and show it only if the program fails
    #[arg(long)]
    quiet_ok: bool,
    /// Put this before each line; {name}, {stream} and {time} are filled in
    #[arg(long, value_name = "FORMAT")]
    prefix: Option<String>,
    /// Put the time before each line
    #[arg(long)]
    ts: bool,
    /// Pass output through pipes of spile's own: who keeps them open does not hold up our reader
    #[arg(long)]
    relay: bool,
    /// How long output that passes through spile may stay open after the program's end [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    linger: Option<Duration>,
    /// Most bytes of each stream that capture keeps, and which: the first, the last or both [default: 1M:both]
    #[arg(long, value_name = "SIZE[:head|tail|both]", value_parser = kept)]
    max_capture: Option<(usize, Keep)>,
    /// Write all of what is captured to this file; stderr of its own goes to FILE.stderr
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(file_name))]
    spill: Option<PathBuf>,
    /// Keep the order between stdout and stderr: exact (through datagrams: at most 200 KiB a write, no /dev/stderr)
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true,
          conflicts_with_all = ["pty", "line_buffer", "merge"])]
    order: Option<OrderName>,
    /// Run the program on a terminal of its own, for colours, prompts and line buffering. Your keys go to it if
    /// stdin is a terminal; any other stdin is data: no byte of it is a key (^C, ^D...) unless the program makes it
    /// one (stty sane)
    #[arg(long, value_name = "COLSxROWS", num_args = 0..=1, require_equals = true, default_missing_value = "",
          value_parser = size, conflicts_with = "line_buffer")]
    pty: Option<Size>,
    /// Change CR LF in output to LF
    #[arg(long, value_name = "AS", value_enum, hide_possible_values = true)]
    newlines: Option<NewlinesName>,
    /// Make stdout a terminal, so that the program writes every line at once; its bytes are not changed
    #[arg(long)]
    line_buffer: bool,
}

/// `--order`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderName {
    Exact,
    Approx,
}

/// `--newlines`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum NewlinesName {
    Lf,
    AsWritten,
}

/// `--pty`.
#[derive(Clone, Copy, Debug)]
struct Size(Option<Winsize>);

fn size(text: &str) -> Result<Size, String> {
    if text.is_empty() {
        return Ok(Size(None));
    }
    let (ws_col, ws_row) = terminal_size(text)?;
    Ok(Size(Some(Winsize { ws_col, ws_row, ws_xpixel: 0, ws_ypixel: 0 })))
}

fn kept(text: &str) -> Result<(usize, Keep), String> {
    let (size, keep) = text.split_once(':').unwrap_or((text, "both"));
    let keep = match keep {
        "head" => Keep::Head,
        "tail" => Keep::Tail,
        "both" => Keep::Both,
        _ => return Err(format!("'{keep}' is none of head, tail, both")),
    };
    let size = address::size(size)?;
    Ok((usize::try_from(size).map_err(|_| format!("{size} bytes are too many"))?, keep))
}

/// True for words that only an address can be: a known scheme before a colon, and not that of a plain file.
fn is_address(text: &str) -> bool {
    if text.starts_with("file:") {
        return false;
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.split(',').next().unwrap_or_default());
    scheme.is_some_and(|scheme| {
        let name = scheme.to_ascii_lowercase();
        let name = name.strip_suffix("-l").or_else(|| name.strip_suffix("-listen")).unwrap_or(&name);
        address::SCHEMES.iter().any(|row| row.name == name)
    })
}

/// What is wrong with an address, in one sentence.
fn checked(result: Result<(), Failure>) -> Result<(), String> {
    result.map_err(|failure| match &failure.hint {
        Some(hint) => format!("{failure} ({hint})"),
        None => failure.to_string(),
    })
}

/// `text` after `prefix`, bytes as they were typed.
fn after(word: &OsStr, prefix: &str) -> Option<OsString> {
    word.as_bytes().strip_prefix(prefix.as_bytes()).map(|rest| OsStr::from_bytes(rest).to_owned())
}

fn file(word: &OsStr) -> Result<PathBuf, String> {
    let path = after(word, "file:").unwrap_or_else(|| word.to_owned());
    if path.is_empty() { Err("a file without a name".to_owned()) } else { Ok(path.into()) }
}

/// N of `fd:N`, which needs nobody in between.
fn descriptor(word: &OsStr) -> Option<RawFd> {
    word.to_str()?.strip_prefix("fd:")?.parse().ok()
}

fn input(word: OsString) -> Result<Input, String> {
    if let Some(text) = after(&word, "text:") {
        return Ok(Input::Text(text.into_vec()));
    }
    if let Some(number) = descriptor(&word) {
        return Ok(Input::Descriptor(number));
    }
    match word.to_str() {
        Some("-") => Ok(Input::Ours),
        Some("null") => Ok(Input::Null),
        Some(text) if is_address(text) => {
            checked(Address::parse(text, Role::Relay).and_then(|address| address.check()))?;
            Ok(Input::Address(text.to_owned()))
        }
        _ => file(&word).map(Input::File),
    }
}

fn output(word: OsString) -> Result<Output, String> {
    if let Some(path) = after(&word, "append:") {
        return file(&path).map(Output::Append);
    }
    if let Some(number) = descriptor(&word) {
        return Ok(Output::Descriptor(number));
    }
    match word.to_str() {
        Some("-") => Ok(Output::Ours),
        Some("null") => Ok(Output::Null),
        Some("capture") => Ok(Output::Capture),
        Some(text) if is_address(text) => {
            checked(Address::parse_right(text).and_then(|address| address.check()))?;
            Ok(Output::Address(text.to_owned()))
        }
        _ => file(&word).map(Output::File),
    }
}

fn copy(word: OsString) -> Result<Output, String> {
    match output(word)? {
        Output::Capture => Err("--stdout capture and --stderr capture keep what goes by".to_owned()),
        place => Ok(place),
    }
}

impl IoArgs {
    /// What is asked for. `name` stands for `{name}`; `watched` where silence is limited or output is looked at.
    pub fn plan(&self, name: String, watched: Watched) -> Plan {
        let (keep_most, keep) = self.max_capture.unwrap_or((USUALLY_KEPT, Keep::Both));
        let joining = match (self.merge, self.swap) {
            (true, _) => Joining::Merged,
            (_, true) => Joining::Swapped,
            _ => Joining::Apart,
        };
        let tty = match (self.pty, self.line_buffer) {
            (Some(Size(size)), _) => Tty::All(size),
            (None, true) => Tty::Stdout,
            _ => Tty::None,
        };
        Plan {
            stdin: self.stdin.clone().unwrap_or_default(),
            stdout: self.stdout.clone().unwrap_or_default(),
            stderr: self.stderr.clone().unwrap_or_default(),
            joining,
            tee: self.tee.clone(),
            prefix: self.prefix.clone(),
            timestamps: self.ts,
            name,
            relay: self.relay || self.linger.is_some() || watched == Watched::ForSilence,
            keep_most,
            keep,
            spill: self.spill.clone(),
            sequence: match self.order {
                Some(OrderName::Exact) => Sequence::Exact,
                _ => Sequence::Approximate,
            },
            tty,
            newlines: match self.newlines {
                Some(NewlinesName::Lf) => Newlines::Lf,
                _ => Newlines::AsWritten,
            },
            showing: if self.quiet_ok { Showing::OnFailure } else { Showing::AtOnce },
            look: watched == Watched::ForWords,
        }
    }

    /// How long what passes through us may go on after the program.
    pub fn linger(&self) -> Duration {
        self.linger.unwrap_or(LINGER)
    }

    /// The order between stdout and stderr, for the report.
    pub fn order(&self) -> &'static str {
        match self.order {
            Some(OrderName::Exact) => "exact",
            _ => "approx",
        }
    }
}

/// Why output must pass through us, even if no flag here asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// It need not.
    No,
    /// The time without output is limited.
    ForSilence,
    /// It is searched at the end.
    ForWords,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_files_unless_they_can_only_be_addresses() {
        assert_eq!(output("a:b".into()), Ok(Output::File("a:b".into())));
        assert_eq!(output("/tmp/x".into()), Ok(Output::File("/tmp/x".into())));
        assert_eq!(output("tcp:localhost:80".into()), Ok(Output::Address("tcp:localhost:80".into())));
        assert!(output("unix-l,mode=600:s".into()).unwrap_err().contains("listens"));
        assert_eq!(output("append:log".into()), Ok(Output::Append("log".into())));
        assert_eq!(input("text:a:b".into()), Ok(Input::Text(b"a:b".to_vec())));
        assert!(output("append:".into()).is_err());
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(kept("64K:tail"), Ok((65536, Keep::Tail)));
        assert!(kept("1M:middle").is_err());
        assert!(size("80").is_err());
        assert!(size("0x24").is_err());
        assert_eq!(size("120x40").unwrap().0.unwrap().ws_col, 120);
    }
}
