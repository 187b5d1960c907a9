//! Text to `Address`. Never panics; every error names the word that is wrong.

use std::path::PathBuf;

use super::host::{host_port, is_port};
use super::option_table::{OPTIONS, OptionRow, option};
use super::scan::{dual, piece, unescape, words};
use super::scheme_table::{Kind, SCHEMES, Scheme, scheme};
use super::suggest::nearest;
use super::{Address, End, Family, Host, Net, Options, Port, Role, Target, UnixKind, UnixName, Value, socat};
use crate::error::Failure;

/// Reads a whole address.
pub fn address(text: &str, role: Role) -> Result<Address, Failure> {
    if text.is_empty() {
        return Err(Failure::usage("an address", "is empty")
            .hint("for example localhost:80, /run/app.sock, udp:host:53"));
    }
    if let Some(c) = text.chars().find(|c| *c == '\0') {
        return Err(bad(text, format!("contains the control character {}", c.escape_debug())));
    }
    let verbatim = opening(text).is_some_and(|opening| opening.scheme.kind.is_verbatim());
    match dual(text).filter(|_| !verbatim) {
        None => end(text, role).map(Address::One),
        Some(at) => {
            let (read, write) = (end(&text[..at], role)?, end(&text[at + 2..], role)?);
            match read.listening || write.listening {
                true => Err(bad(text, "a listening address cannot be joined with '!!'")),
                false => Ok(Address::Dual(read, write)),
            }
        }
    }
}

fn bad(text: &str, why: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("address '{}'", text.escape_debug()), why)
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
    let (bare, listening) = match word.strip_suffix("-listen").or_else(|| word.strip_suffix("-l")) {
        Some(bare) => (bare, true),
        None => (word.as_str(), false),
    };
    let scheme = scheme(bare)?;
    Some(Opening { scheme, listening, word, rest })
}

fn end(text: &str, role: Role) -> Result<End, Failure> {
    let end = match text.chars().next() {
        None => return Err(bad(text, "is empty")),
        Some('-') if text == "-" || text.starts_with("-,") => {
            let mut options = Options::default();
            let stdio = scheme("stdio").ok_or_else(|| bad(text, "is unknown"))?;
            read_options(text, stdio, text[1..].strip_prefix(','), None, &mut options)?;
            End { target: Target::Stdio, listening: false, options }
        }
        Some('/' | '.' | '@') if is_path(text) => bare_path(text, role)?,
        Some(_) => match opening(text) {
            Some(opening) => with_scheme(text, opening)?,
            None => bare_host(text, role)?,
        },
    };
    check_role(text, end, role)
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
                true => Err(bad(text, "port 0 can only be listened on")),
                false => Ok(End { listening, ..end }),
            }
        }
    }
}

fn bare_path(text: &str, role: Role) -> Result<End, Failure> {
    let unix = scheme("unix").ok_or_else(|| bad(text, "is unknown"))?;
    let path = piece(text, &[','], false).map_err(|why| bad(text, why))?;
    let mut options = Options::default();
    let trailing = path.stop.map(|_| path.rest);
    let row = match role {
        Role::Relay => None,
        _ => Some(unix),
    };
    let file = scheme("file").ok_or_else(|| bad(text, "is unknown"))?;
    read_options(text, row.unwrap_or(unix), trailing, row.is_none().then_some(file), &mut options)?;
    let target = match (path.text.strip_prefix('@'), role) {
        (Some(""), _) => return Err(bad(text, "an abstract socket needs a name after the @")),
        (Some(name), _) => Target::Unix { kind: UnixKind::Stream, name: UnixName::Abstract(name.to_owned()) },
        (None, Role::Relay) => Target::Path(PathBuf::from(path.text)),
        (None, _) => Target::Unix { kind: UnixKind::Stream, name: UnixName::Path(PathBuf::from(path.text)) },
    };
    Ok(End { target, listening: false, options })
}

fn bare_host(text: &str, role: Role) -> Result<End, Failure> {
    let tcp = scheme("tcp").ok_or_else(|| bad(text, "is unknown"))?;
    let word = piece(text, &[','], true).map_err(|why| bad(text, why))?;
    let is_number = word.text.bytes().all(|byte| byte.is_ascii_digit()) && !word.text.is_empty();
    if is_number && role != Role::Listen {
        let hint = match role {
            Role::Relay => format!("tcp-l:{0} listens, localhost:{0} connects", word.text),
            _ => format!("localhost:{}", word.text),
        };
        return Err(bad(text, "is a port without a host").hint(hint));
    }
    if let Some((first, rest)) = first_word(text)
        && (!rest.starts_with(':') || !is_port_like(&word.text))
    {
        return Err(unknown_scheme(text, first, rest));
    }
    let (host, port) = host_port(&word.text, is_number).map_err(|why| bad(text, why))?;
    let mut options = Options::default();
    read_options(text, tcp, word.stop.map(|_| word.rest), None, &mut options)?;
    Ok(End {
        target: Target::Net { net: Net::Tcp, family: Family::Any, host, port },
        listening: false,
        options,
    })
}

/// What follows the first colon is a number (of whatever size) or a service: then what precedes is a host.
fn is_port_like(text: &str) -> bool {
    let port = text.split_once(':').map_or("", |(_, port)| port);
    is_port(port) || (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unknown_scheme(text: &str, word: &str, rest: &str) -> Failure {
    let lower = word.to_ascii_lowercase();
    if lower.split(['+', '-']).any(|layer| matches!(layer, "tls" | "ssl" | "openssl")) {
        return bad(text, "TLS addresses are not in this release");
    }
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

fn with_scheme(text: &str, opening: Opening<'_>) -> Result<End, Failure> {
    let Opening { scheme, listening, word, rest } = opening;
    if listening && !scheme.listens {
        return Err(bad(text, format!("{} cannot listen", scheme.name)));
    }
    let mut options = Options::default();
    options.extend(socat::implied(&word));
    let mut family = None;
    let mut rest = rest;
    // Options before the colon; a value that holds a colon is quoted or in brackets.
    while let Some(after) = rest.strip_prefix(',') {
        let option = piece(after, &[',', ':'], true).map_err(|why| bad(text, why))?;
        family = read_option(text, scheme, None, &option.text, &mut options)?.or(family);
        rest = match option.stop {
            Some(_) => &after[after.len() - option.rest.len() - 1..],
            None => "",
        };
    }
    let rest = rest.strip_prefix(':');
    let (body, trailing) = match rest {
        Some(rest) if !scheme.kind.is_verbatim() => {
            let rest =
                if has_authority(scheme.kind) { rest.strip_prefix("//").unwrap_or(rest) } else { rest };
            let brackets = matches!(scheme.kind, Kind::Net(..));
            let body = piece(rest, &[','], brackets).map_err(|why| bad(text, why))?;
            (Some(body.text), body.stop.map(|_| body.rest))
        }
        Some(rest) => (Some(rest.to_owned()), None),
        None => (None, None),
    };
    family = read_options(text, scheme, trailing, None, &mut options)?.or(family);
    let target = target(text, scheme, body, family)?;
    Ok(End { target, listening, options })
}

/// URL habits: `tcp://host:port`, `unix:///run/x.sock`.
fn has_authority(kind: Kind) -> bool {
    matches!(kind, Kind::Net(..) | Kind::Unix(_) | Kind::Vsock | Kind::File | Kind::Fifo)
}

fn target(text: &str, scheme: &Scheme, body: Option<String>, family: Option<u8>) -> Result<Target, Failure> {
    let wants = || bad(text, format!("is not complete: {}:{}", scheme.name, scheme.syntax));
    let some = || body.clone().filter(|body| !body.is_empty()).ok_or_else(wants);
    let number = |text: &str| text.parse::<u32>().map_err(|_| wants());
    let nothing = |target: Target| match body.as_deref() {
        None | Some("") => Ok(target),
        Some(more) => Err(bad(text, format!("{} takes nothing after the colon, not '{more}'", scheme.name))),
    };
    match scheme.kind {
        Kind::Net(net, own) => {
            let (host, port) = host_port(&some()?, true).map_err(|why| bad(text, why))?;
            let family = match family {
                Some(4) => Family::V4,
                Some(_) => Family::V6,
                None => own,
            };
            Ok(Target::Net { net, family, host, port })
        }
        Kind::Unix(kind) => {
            let path = some()?;
            let name = match path.strip_prefix('@') {
                Some("") => return Err(wants()),
                Some(name) => UnixName::Abstract(name.to_owned()),
                None => UnixName::Path(PathBuf::from(path)),
            };
            Ok(Target::Unix { kind, name })
        }
        Kind::Abstract => Ok(Target::Unix { kind: UnixKind::Stream, name: UnixName::Abstract(some()?) }),
        Kind::Vsock => {
            let body = some()?;
            match body.split_once(':') {
                Some((cid, port)) => Ok(Target::Vsock { cid: Some(number(cid)?), port: number(port)? }),
                None => Ok(Target::Vsock { cid: None, port: number(&body)? }),
            }
        }
        Kind::File => Ok(Target::File(PathBuf::from(some()?))),
        Kind::Fifo => Ok(Target::Fifo(PathBuf::from(some()?))),
        Kind::Fd => i32::try_from(number(&some()?)?).map(Target::Fd).map_err(|_| wants()),
        Kind::Exec => match words(&some()?).map_err(|why| bad(text, why))? {
            words if words.is_empty() || words[0].is_empty() => Err(wants()),
            words => Ok(Target::Exec(words)),
        },
        Kind::Shell => Ok(Target::Shell(some()?)),
        Kind::Text => Ok(Target::Text(unescape(&body.unwrap_or_default()))),
        Kind::Systemd => Ok(Target::Systemd(body.filter(|name| !name.is_empty()))),
        Kind::Stdio => nothing(Target::Stdio),
        Kind::Pty => nothing(Target::Pty),
        Kind::Null => nothing(Target::Null),
        Kind::Echo => nothing(Target::Echo),
        Kind::Discard => nothing(Target::Discard),
        Kind::Zero => nothing(Target::Zero),
    }
}

/// Reads `a=b,c`; answers the IP version where one is asked for. `also` is a second scheme whose options do too.
fn read_options(
    text: &str,
    scheme: &Scheme,
    list: Option<&str>,
    also: Option<&Scheme>,
    options: &mut Options,
) -> Result<Option<u8>, Failure> {
    let mut left = list;
    let mut family = None;
    while let Some(list) = left {
        let option = piece(list, &[','], true).map_err(|why| bad(text, why))?;
        family = read_option(text, scheme, also, &option.text, options)?.or(family);
        left = option.stop.map(|_| option.rest);
    }
    Ok(family)
}

fn read_option(
    text: &str,
    scheme: &Scheme,
    also: Option<&Scheme>,
    typed: &str,
    options: &mut Options,
) -> Result<Option<u8>, Failure> {
    let (name, value) = match typed.split_once('=') {
        Some((name, value)) => (name.to_ascii_lowercase(), Some(value)),
        None => (typed.to_ascii_lowercase(), None),
    };
    if name.is_empty() {
        return Err(bad(text, "has a comma with no option after it").hint("options are NAME or NAME=VALUE"));
    }
    if let Some(family) = socat::protocol_family(&name, value) {
        return family.map(Some).map_err(|why| Failure::usage(format!("option '{name}'"), why));
    }
    if socat::is_default(&name) {
        return Ok(None);
    }
    let groups = scheme.groups | also.map_or(0, |also| also.groups);
    let Some(row) = option(&name).filter(|row| row.groups & groups != 0) else {
        return Err(unknown_option(scheme, groups, &name));
    };
    // socat's `ignored` spellings of a flag's opposite are not worth a row of their own.
    let value: Value = row.read(value).map_err(|why| Failure::usage(format!("option '{name}'"), why))?;
    options.push(row.key, value);
    Ok(None)
}

fn unknown_option(scheme: &Scheme, groups: u32, name: &str) -> Failure {
    let valid: Vec<&OptionRow> = OPTIONS.iter().filter(|row| row.groups & groups != 0).collect();
    let names: Vec<&str> = valid.iter().map(|row| row.name).collect();
    let list = if names.is_empty() { "none".to_owned() } else { names.join(" ") };
    let why = match option(name) {
        Some(_) => format!("is not for {}", scheme.name),
        None => "is unknown".to_owned(),
    };
    let failure = Failure::usage(format!("option '{}'", name.escape_debug()), why);
    match nearest(name, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean '{near}'? {} takes: {list}", scheme.name)),
        None => failure.hint(format!("{} takes: {list}", scheme.name)),
    }
}

/// `HOST PORT` in two words, as nc takes them; the host may be a bare IPv6 address.
pub fn two_words(host: &str, port: &str, role: Role, net: Net) -> Result<Address, Failure> {
    let typed = format!("{host} {port}");
    if !is_port(port) {
        return Err(bad(&typed, format!("'{port}' is no port")));
    }
    let bracketed = match host.parse::<std::net::Ipv6Addr>().is_ok() || host.contains('%') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let (host, port) = host_port(&bracketed, false).map_err(|why| bad(&typed, why))?;
    let host = if host == Host::Any && role == Role::Connect { Host::Loopback } else { host };
    let target = Target::Net { net, family: Family::Any, host, port };
    let end = End { target, listening: false, options: Options::default() };
    check_role(&typed, end, role).map(Address::One)
}
