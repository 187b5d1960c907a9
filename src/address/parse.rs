//! Text to `Address`. Never panics; every error names the word that is wrong.

use std::path::PathBuf;

use super::body::{body, target};
use super::given::Given;
use super::host::{host_port, is_port};
use super::option_table::Part;
use super::scan::{dual, piece};
use super::scheme_table::{Kind, SCHEMES, Scheme, scheme, secured};
use super::{Address, End, Family, Layer, Net, Options, Port, Role, Target, UnixKind, UnixName, socat};
use crate::error::Failure;
use crate::suggest::nearest;

/// Reads an address that TLS is spoken with, whether it says so or not.
pub fn tls(text: &str, role: Role) -> Result<Address, Failure> {
    refuse_control(text)?;
    let word = match opening(text) {
        Some(Opening { scheme, listening, rest, .. }) => match secured(scheme) {
            Some(scheme) => format!("{}{}{rest}", scheme.name, if listening { "-l" } else { "" }),
            None => return Err(bad(text, "is nothing that TLS goes over").hint("HOST:PORT or unix:PATH")),
        },
        None if is_path(text) => format!("tls+unix:{text}"),
        None => {
            // What is wrong with the host or the port is told as for TCP.
            let host = piece(text, &[','], true).map_err(|why| wrong(text, why))?;
            address(&text[..text.len() - host.rest.len() - host.stop.map_or(0, char::len_utf8)], role)?;
            format!("tls:{text}")
        }
    };
    address(&word, role)
}

/// Reads a whole address.
pub fn address(text: &str, role: Role) -> Result<Address, Failure> {
    if text.is_empty() {
        return Err(Failure::usage("an address", "is empty")
            .hint("for example localhost:80, /run/app.sock, udp:host:53"));
    }
    let verbatim = opening(text).is_some_and(|opening| opening.scheme.kind.is_verbatim());
    match dual(text).filter(|_| !verbatim) {
        None => end(text, role).map(Address::One),
        Some(at) => {
            let (read, write) = (end(&text[..at], role)?, end(&text[at + 2..], role)?);
            match read.listening || write.listening {
                true => Err(wrong(text, "a listening address cannot be joined with '!!'")),
                false => Ok(Address::Dual(read, write)),
            }
        }
    }
}

pub(super) fn bad(text: &str, why: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("address '{}'", text.escape_debug()), why)
}

/// The same where the reason is a sentence of its own.
pub(super) fn wrong(text: &str, why: impl std::fmt::Display) -> Failure {
    Failure::misuse(format!("address '{}'", text.escape_debug()), why)
}

/// The scheme word that opens an address.
struct Opening<'a> {
    scheme: &'static Scheme,
    listening: bool,
    /// The word as typed, in lower case.
    word: String,
    /// `:` and `,` included.
    rest: &'a str,
}

/// The letters before the first `:` or `,`, if they could be a scheme.
fn first_word(text: &str) -> Option<(&str, &str)> {
    let end = text.find([':', ',']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '+');
    is_word.then_some((word, rest))
}

fn opening(text: &str) -> Option<Opening<'_>> {
    let (typed, rest) = first_word(text)?;
    let word = typed.to_ascii_lowercase();
    if let Some(spelling) = socat::spelling_of(&word) {
        return Some(Opening { scheme: scheme(spelling.scheme)?, listening: spelling.listening, word, rest });
    }
    if word == "pipe" {
        // socat's PIPE is an echo when it has no path and a fifo when it has one.
        let name = if rest.starts_with(':') { "fifo" } else { "echo" };
        return Some(Opening { scheme: scheme(name)?, listening: false, word, rest });
    }
    if word == "pty" && names_program(text, rest) {
        // A terminal under a program of ours, not one for others to find.
        return Some(Opening { scheme: scheme("exec")?, listening: false, word, rest });
    }
    let (bare, listening) = match listening_word(&word) {
        Some(bare) => (bare, true),
        None => (word.as_str(), false),
    };
    let scheme = scheme(bare)?;
    Some(Opening { scheme, listening, word, rest })
}

/// True when something follows the colon after the options in `rest`, the end of `text`: a colon of the same address.
fn names_program(text: &str, mut rest: &str) -> bool {
    while let Some(after) = rest.strip_prefix(',') {
        let Ok(option) = piece(after, &[',', ':'], true) else { return false };
        rest = option.stop.map_or("", |_| &after[after.len() - option.rest.len() - 1..]);
    }
    let colon = text.len() - rest.len();
    let is_before_other = dual(text).is_none_or(|other| colon < other);
    is_before_other && rest.strip_prefix(':').is_some_and(|program| !program.trim().is_empty())
}

/// The scheme of `tcp-l` and `tcp-listen`.
fn listening_word(word: &str) -> Option<&str> {
    word.strip_suffix("-listen").or_else(|| word.strip_suffix("-l"))
}

/// Control characters have no business in names; what is verbatim may hold all but NUL.
fn refuse_control(text: &str) -> Result<(), Failure> {
    let verbatim = opening(text).is_some_and(|opening| opening.scheme.kind.is_verbatim());
    let head = if verbatim { text.find(':').unwrap_or(text.len()) } else { text.len() };
    match text.char_indices().find(|(at, c)| *c == '\0' || (c.is_control() && *at < head)) {
        Some((_, c)) => Err(bad(text, format!("contains the control character {}", c.escape_debug()))),
        None => Ok(()),
    }
}

fn end(text: &str, role: Role) -> Result<End, Failure> {
    refuse_control(text)?;
    let end = match text.chars().next() {
        None => return Err(bad(text, "is empty")),
        Some('-') if text == "-" || text.starts_with("-,") => {
            let stdio = scheme("stdio").ok_or_else(|| bad(text, "is unknown"))?;
            let mut given = Given::to(stdio, Part::Connecting);
            given.list(text[1..].strip_prefix(','))?;
            End { target: Target::Stdio, layer: Layer::Plain, listening: false, options: given.options }
        }
        Some('/' | '.' | '@') if is_path(text) => bare_path(text, role)?,
        Some(_) => match opening(text) {
            Some(opening) => with_scheme(text, opening, role)?,
            None if is_tls(text) => return Err(no_tls(text)),
            None => bare_host(text, role)?,
        },
    };
    check_role(text, end, role)
}

/// The part of what is named without a scheme.
fn part_of(role: Role) -> Part {
    if role == Role::Listen { Part::Listening } else { Part::Connecting }
}

fn is_path(text: &str) -> bool {
    text.starts_with(['/', '@']) || text.starts_with("./") || text.starts_with("../")
}

/// What a role allows, and what it implies.
fn check_role(text: &str, end: End, role: Role) -> Result<End, Failure> {
    let can_listen = matches!(
        end.target,
        Target::Net { .. } | Target::Unix { .. } | Target::Vsock { .. } | Target::Systemd(_)
    );
    let listening = end.listening || matches!(end.target, Target::Systemd(_));
    match role {
        Role::Listen if !can_listen => Err(bad(text, "cannot be listened on")
            .hint("listen takes PORT, HOST:PORT, a path, udp:, vsock:, systemd:")),
        Role::Listen => Ok(End { listening: true, ..end }),
        Role::Connect if listening => Err(bad(text, "listens").hint("use 'spile listen'")),
        Role::Connect | Role::Relay => {
            let zero = matches!(end.target, Target::Net { port: Port::Number(0), .. });
            match zero && !listening {
                true => Err(wrong(text, "port 0 can only be listened on")),
                false => Ok(End { listening, ..end }),
            }
        }
    }
}

fn bare_path(text: &str, role: Role) -> Result<End, Failure> {
    let unix = scheme("unix").ok_or_else(|| bad(text, "is unknown"))?;
    let path = piece(text, &[','], false).map_err(|why| wrong(text, why))?;
    let file = scheme("file").ok_or_else(|| bad(text, "is unknown"))?;
    let unix = Given::to(unix, part_of(role));
    let mut given = if role == Role::Relay { unix.or(file) } else { unix };
    given.list(path.stop.map(|_| path.rest))?;
    let options = given.options;
    let target = match (path.text.strip_prefix('@'), role) {
        (Some(""), _) => return Err(wrong(text, "an abstract socket needs a name after the @")),
        (Some(name), _) => Target::Unix { kind: UnixKind::Stream, name: UnixName::Abstract(name.to_owned()) },
        (None, Role::Relay) => Target::Path(PathBuf::from(path.text)),
        (None, _) => Target::Unix { kind: UnixKind::Stream, name: UnixName::Path(PathBuf::from(path.text)) },
    };
    Ok(End { target, layer: Layer::Plain, listening: false, options })
}

fn bare_host(text: &str, role: Role) -> Result<End, Failure> {
    let tcp = scheme("tcp").ok_or_else(|| bad(text, "is unknown"))?;
    let word = piece(text, &[','], true).map_err(|why| wrong(text, why))?;
    let is_number = word.text.bytes().all(|byte| byte.is_ascii_digit()) && !word.text.is_empty();
    if is_number && role != Role::Listen {
        return Err(no_host(text, "tcp", &word.text, role));
    }
    if let Some((first, rest)) = first_word(text)
        && let Some(scheme) = listening_word(first).filter(|_| rest.split(',').next() == Some(":0"))
    {
        return Err(unknown_scheme(text, scheme, rest));
    }
    if let Some((first, rest)) = first_word(text)
        && (!rest.starts_with(':') || !is_port_like(&word.text))
        && !is_host_with_bad_port(first, rest)
    {
        return Err(unknown_scheme(text, first, rest));
    }
    let (host, port) = host_port(&word.text, is_number).map_err(|why| {
        let failure = wrong(text, why);
        match word.text.contains(':') {
            true => failure,
            false => {
                failure.hint(format!("a host needs a port; a path starts with / or ./: ./{}", word.text))
            }
        }
    })?;
    let mut given = Given::to(tcp, part_of(role));
    given.list(word.stop.map(|_| word.rest))?;
    let options = given.options;
    Ok(End {
        target: Target::Net { net: Net::Tcp, family: Family::Any, host, port },
        layer: Layer::Plain,
        listening: false,
        options,
    })
}

/// A port alone only says where to listen; to connect, a host must be said.
fn no_host(text: &str, scheme: &str, port: &str, role: Role) -> Failure {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let (why, port) = match is_number {
        true => ("is a port without a host", port),
        false => ("has no port", "PORT"),
    };
    let listening =
        if role == Role::Relay && is_number { format!("{scheme}-l:{port} listens, ") } else { String::new() };
    let host = if is_number { "localhost" } else { text.rsplit([':', '/']).next().unwrap_or("HOST") };
    let prefix = if scheme == "tcp" { String::new() } else { format!("{scheme}:") };
    bad(text, why).hint(format!("{listening}{prefix}{host}:{port} connects"))
}

/// `h:80x`: the port is wrong, and the word before it looks like nothing else than a host.
fn is_host_with_bad_port(word: &str, rest: &str) -> bool {
    let names = SCHEMES.iter().map(|scheme| scheme.name);
    rest.strip_prefix(':').is_some_and(|port| !port.contains([':', '/'])) && nearest(word, names).is_none()
}

/// Words that are never a host: taking `dtls:443` for a host called dtls would send plain text.
fn is_tls(text: &str) -> bool {
    let word = first_word(text).map(|(word, _)| word.to_ascii_lowercase()).unwrap_or_default();
    let bare = ["-listen", "-connect", "-l"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(&word);
    bare.split('+').any(|layer| matches!(layer, "tls" | "dtls" | "ssl" | "openssl"))
}

fn no_tls(text: &str) -> Failure {
    let failure = wrong(text, "TLS is spoken over tcp, unix and vsock");
    match first_word(text) {
        Some((word, rest)) if is_port_like(rest) => {
            failure.hint(format!("a host of that name: tcp:{word}{rest}"))
        }
        _ => failure.hint("tls:HOST:PORT, tls+unix:PATH"),
    }
}

/// What follows the first colon is a number (of whatever size) or a service: then what precedes is a host.
fn is_port_like(text: &str) -> bool {
    let port = text.split_once(':').map_or("", |(_, port)| port);
    is_port(port) || (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unknown_scheme(text: &str, word: &str, rest: &str) -> Failure {
    let lower = word.to_ascii_lowercase();
    let names = || SCHEMES.iter().map(|scheme| scheme.name);
    if rest.is_empty() {
        let failure = bad(text, "has no port, and is no scheme that stands alone");
        return match nearest(&lower, names()) {
            Some(near) => failure.hint(format!("did you mean '{near}'? A host needs a port: {word}:80")),
            None => failure.hint(format!("HOST:PORT, for example {word}:80; a path starts with / or ./")),
        };
    }
    let known: Vec<_> = names().collect();
    let failure =
        Failure::usage(format!("scheme '{word}'"), format!("is unknown in '{}'", text.escape_debug()));
    match nearest(&lower, names()) {
        Some(near) => failure.hint(format!("did you mean '{near}'? known: {}", known.join(" "))),
        None => failure.hint(format!("known: {}", known.join(" "))),
    }
}

fn with_scheme(text: &str, opening: Opening<'_>, role: Role) -> Result<End, Failure> {
    let Opening { scheme, listening, word, mut rest } = opening;
    if listening && !scheme.listens {
        return Err(wrong(text, format!("{} cannot listen", scheme.name)));
    }
    let listening = listening || scheme.kind == Kind::Systemd || (role == Role::Listen && scheme.listens);
    let mut given = Given::to(scheme, if listening { Part::Listening } else { Part::Connecting });
    given.options.extend(socat::implied(&word, scheme));
    // Options before the colon; a value that holds a colon is quoted or in brackets.
    while let Some(after) = rest.strip_prefix(',') {
        let option = piece(after, &[',', ':'], true).map_err(|why| wrong(text, why))?;
        given.one(&option.text)?;
        rest = match option.stop {
            Some(_) => &after[after.len() - option.rest.len() - 1..],
            None => "",
        };
    }
    let body = match rest.strip_prefix(':') {
        Some(rest) if !scheme.kind.is_verbatim() => {
            let (body, trailing) = body(scheme.kind, rest).map_err(|why| wrong(text, why))?;
            given.list(trailing)?;
            Some(body)
        }
        Some(rest) => {
            refuse_options_after_command(text, scheme, rest)?;
            Some(rest.to_owned())
        }
        None => None,
    };
    if let (Kind::Net(..), Some(alone), false) = (scheme.kind, &body, listening)
        && !alone.is_empty()
        && !alone.contains(':')
    {
        return Err(no_host(text, scheme.name, alone, role));
    }
    let target = target(text, scheme, body, given.family)?;
    Ok(End { target, layer: scheme.layer, listening, options: given.options })
}

/// In socat's spelling options follow the command; taken as part of it they would fail as "not found".
fn refuse_options_after_command(text: &str, scheme: &Scheme, rest: &str) -> Result<(), Failure> {
    let is_socat = text.starts_with(|c: char| c.is_ascii_uppercase()) && scheme.kind != Kind::Text;
    match socat::options_after_command(rest).filter(|_| is_socat) {
        Some((command, options)) => Err(wrong(text, "options of a command come before the colon")
            .hint(format!("{},{options}:{command}", scheme.name))),
        None => Ok(()),
    }
}

/// `HOST PORT` in two words, as nc takes them; the host may be a bare IPv6 address.
pub fn two_words(host: &str, port: &str, role: Role, net: Net) -> Result<Address, Failure> {
    let typed = format!("{host} {port}");
    if host.is_empty() && role != Role::Listen {
        // An unset variable must not turn a connection to somewhere into one to this machine.
        return Err(
            wrong(&typed, "the host is empty").hint(format!("this machine is localhost {port}, or :{port}"))
        );
    }
    if !is_port(port) {
        return Err(wrong(&typed, format!("'{}' is no port", port.escape_debug()))
            .hint("an address is one word (with options: HOST:PORT,nodelay=no), or HOST and PORT"));
    }
    let bracketed = match host.parse::<std::net::Ipv6Addr>().is_ok() || host.contains('%') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let (host, port) = host_port(&bracketed, false).map_err(|why| wrong(&typed, why))?;
    let target = Target::Net { net, family: Family::Any, host, port };
    let end = End { target, layer: Layer::Plain, listening: false, options: Options::default() };
    check_role(&typed, end, role).map(Address::One)
}
