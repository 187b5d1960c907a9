//! `Address` to text: canonical, so that reading it again gives the same address.

use std::fmt::{self, Display, Formatter, Write as _};

use super::option_table::row_of;
use super::{Address, End, Family, Host, Layer, Net, Options, Port, Target, UnixKind, UnixName, Value};

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Address::One(end) => end.fmt(f),
            Address::Dual(read, write) => write!(f, "{read}!!{write}"),
        }
    }
}

impl Display for End {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        if self.listening && !matches!(self.target, Target::Systemd(_)) {
            f.write_str("-l")?;
        }
        match verbatim(&self.target) {
            Some(body) => {
                print_options(f, &self.options)?;
                write!(f, ":{body}")
            }
            None => {
                print_body(f, &self.target)?;
                print_options(f, &self.options)
            }
        }
    }
}

impl End {
    /// The word of its scheme; none for a bare path, which may turn out to be either of two.
    pub(super) fn word(&self) -> &'static str {
        match (self.layer, &self.target) {
            (Layer::Plain, target) => target.word(),
            (Layer::Tls, Target::Net { family, .. }) => versioned(*family, ["tls", "tls4", "tls6"]),
            (Layer::Tls, Target::Vsock { .. }) => "tls+vsock",
            (Layer::Tls, _) => "tls+unix",
        }
    }
}

impl Target {
    /// The word of its scheme; none for a bare path, which may turn out to be either of two.
    fn word(&self) -> &'static str {
        match self {
            Target::Stdio => "stdio",
            Target::Net { net: Net::Tcp, family, .. } => versioned(*family, ["tcp", "tcp4", "tcp6"]),
            Target::Net { net: Net::Udp, family, .. } => versioned(*family, ["udp", "udp4", "udp6"]),
            Target::Unix { kind: UnixKind::Stream, .. } => "unix",
            Target::Unix { kind: UnixKind::Datagram, .. } => "unix-dgram",
            Target::Unix { kind: UnixKind::SeqPacket, .. } => "seqpacket",
            Target::Path(_) => "",
            Target::Vsock { .. } => "vsock",
            Target::File(_) => "file",
            Target::Fifo(_) => "fifo",
            Target::Fd(_) => "fd",
            Target::Exec(_) => "exec",
            Target::Shell(_) => "sh",
            Target::Pty => "pty",
            Target::Null => "null",
            Target::Echo => "echo",
            Target::Discard => "discard",
            Target::Zero => "zero",
            Target::Text(_) => "text",
            Target::Systemd(_) => "systemd",
        }
    }
}

fn versioned(family: Family, words: [&'static str; 3]) -> &'static str {
    match family {
        Family::Any => words[0],
        Family::V4 => words[1],
        Family::V6 => words[2],
    }
}

/// The REST of a scheme that takes everything after the colon.
fn verbatim(target: &Target) -> Option<String> {
    Some(match target {
        Target::Exec(words) => words.iter().map(|word| shell_quoted(word)).collect::<Vec<_>>().join(" "),
        Target::Shell(text) => text.clone(),
        Target::Text(bytes) => escaped_text(bytes),
        _ => return None,
    })
}

fn print_body(f: &mut Formatter<'_>, target: &Target) -> fmt::Result {
    match target {
        Target::Net { host, port, .. } => write!(f, ":{}", HostPort(host, port)),
        Target::Unix { name: UnixName::Path(path), .. } | Target::File(path) | Target::Fifo(path) => {
            let text = path.to_string_lossy();
            // A path that opens with // would be taken for a URL's.
            let guard = if text.starts_with("//") { "//" } else { "" };
            write!(f, ":{guard}{}", escaped(&text))
        }
        Target::Unix { name: UnixName::Abstract(name), .. } => write!(f, ":@{}", escaped(name)),
        Target::Path(path) => f.write_str(&escaped(&path.to_string_lossy())),
        Target::Vsock { cid: Some(cid), port } => write!(f, ":{cid}:{port}"),
        Target::Vsock { cid: None, port } => write!(f, ":{port}"),
        Target::Fd(number) => write!(f, ":{number}"),
        Target::Systemd(Some(name)) => write!(f, ":{}", escaped(name)),
        _ => Ok(()),
    }
}

fn print_options(f: &mut Formatter<'_>, options: &Options) -> fmt::Result {
    for (key, value) in options.iter() {
        let Some(row) = row_of(key) else { continue };
        match value {
            Value::Text(text) => write!(f, ",{}={}", row.name, quoted(text))?,
            value => write!(f, ",{}={value}", row.name)?,
        }
    }
    Ok(())
}

/// Host and port as they are typed.
struct HostPort<'a>(&'a Host, &'a Port);

impl Display for HostPort<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Host::Loopback => {}
            Host::Any => f.write_str("*:")?,
            Host::Name(name) if name.contains(':') => write!(f, "[{name}]:")?,
            Host::Name(name) => write!(f, "{name}:")?,
        }
        match self.1 {
            Port::Number(number) => number.fmt(f),
            Port::Service(name) => f.write_str(name),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | ',' | '"' | '\'' | '!' | '[' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '%' | '@' | '+');
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn shell_quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./-_=+:,@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn escaped_text(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(*byte)),
            other => {
                let _ = write!(out, "\\x{other:02x}");
            }
        }
    }
    out
}

impl End {
    /// The end as a person names it in a sentence: `localhost:80`, `udp host:53`, `/run/app.sock`.
    pub fn describe(&self) -> String {
        match &self.target {
            Target::Net { net, host, port, .. } => {
                let udp = if *net == Net::Udp { "udp " } else { "" };
                let host = match host {
                    Host::Loopback | Host::Any if !self.listening => &Host::Name("localhost".to_owned()),
                    host => host,
                };
                format!("{udp}{}", HostPort(host, port))
            }
            Target::Unix { name: UnixName::Path(path), .. } | Target::Path(path) => {
                path.display().to_string()
            }
            Target::Unix { name: UnixName::Abstract(name), .. } => format!("@{name}"),
            Target::Exec(words) => words[0].clone(),
            Target::Shell(_) => "sh".to_owned(),
            Target::Text(_) => "text".to_owned(),
            _ => {
                let bare = End { options: Options::default(), ..self.clone() };
                bare.to_string()
            }
        }
    }
}

impl Address {
    /// The address as a person names it in a sentence.
    pub fn describe(&self) -> String {
        match self {
            Address::One(end) => end.describe(),
            Address::Dual(read, write) => format!("{} and {}", read.describe(), write.describe()),
        }
    }
}
