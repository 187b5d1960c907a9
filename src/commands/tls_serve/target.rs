//! What clients are served with.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::address::{Address, End, Host, Key, Layer, Net, Target as Named, Value};
use crate::endpoint::{Connection, Endpoint, Opener, Use, check_answer, say_file};
use crate::error::Failure;
use crate::relay::Finish;

/// What clients are served with in place of stdin and stdout.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What clients are served with (without any of these: stdin and stdout, once)")]
pub struct TargetArgs {
    /// Pass each connection on in plain text to this address: on this host, or a Unix socket. A client that is cut
    /// off resets a TCP connection; a Unix socket knows no reset and is closed both ways at once
    #[arg(long, value_name = "ADDR", conflicts_with = "command")]
    forward: Option<String>,
    /// Let --forward send plain text over a network, and --proxy-protocol the client's name ahead of TLS
    #[arg(long, requires = "forward")]
    unsafe_forward: bool,
    /// Tell the server behind --forward whom it serves, by a PROXY header: v1, v2; v2,tls adds what was
    /// negotiated, v2,tls,cert the client's certificate
    #[arg(long, value_name = "FORM", requires = "forward", value_parser = proxy_form)]
    proxy_protocol: Option<&'static str>,
    /// Send back what comes
    #[arg(long, conflicts_with_all = ["command", "forward"])]
    echo: bool,
    /// Throw away what comes
    #[arg(long, conflicts_with_all = ["command", "forward", "echo"])]
    discard: bool,
    /// Send this file to each client
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "forward", "echo", "discard"])]
    send: Option<PathBuf>,
}

/// The forms of a PROXY header as they are typed, and as an address has them.
const FORMS: &[(&str, &str)] = &[
    ("v1", "v1"),
    ("v2", "v2"),
    ("v2,tls", "v2-tls"),
    ("v2-tls", "v2-tls"),
    ("v2,tls,cert", "v2-tls-cert"),
    ("v2-tls-cert", "v2-tls-cert"),
];

/// The form that tells who the client is.
const NAMES_CLIENT: &str = "v2-tls-cert";

fn proxy_form(text: &str) -> Result<&'static str, String> {
    let form = FORMS.iter().find(|(typed, _)| *typed == text);
    form.map(|(_, form)| *form).ok_or_else(|| "it is v1, v2, v2,tls or v2,tls,cert".to_owned())
}

/// What clients are served with.
pub enum Target {
    /// Our stdin and stdout.
    Stdio,
    /// The command after `--`.
    Command,
    /// An address: a plain server, or something made up.
    Address(Box<Opener>, String),
    /// A file.
    File(PathBuf),
}

impl TargetArgs {
    /// What is meant. Files are looked at: what is wrong with them is told before anybody can connect.
    pub fn read(&self, command: &[OsString]) -> Result<Target, Failure> {
        if let Some(path) = &self.send {
            return check_answer(path).map(|()| Target::File(path.clone()));
        }
        if let Some(text) = &self.forward {
            return self.forward(text);
        }
        let made_up = match (self.echo, self.discard) {
            (true, _) => "echo",
            (_, true) => "discard",
            _ if command.is_empty() => return Ok(Target::Stdio),
            _ => return Ok(Target::Command),
        };
        opened(&Address::parse_right(made_up)?)
    }

    fn forward(&self, text: &str) -> Result<Target, Failure> {
        let mut address = Address::parse_right(text)?;
        let is_net = |end: &mut End| matches!(end.target, Named::Net { .. } | Named::Unix { .. });
        for end in address.ends() {
            if !self.unsafe_forward && !stays_here(end) {
                return Err(Failure::usage(
                    format!("--forward {end}"),
                    "would leave this host in plain text",
                )
                .hint("tls:HOST:PORT encrypts it again, --unsafe-forward lets it go as it is"));
            }
            if let Some(form) = self.proxy_protocol {
                if form == NAMES_CLIENT && !self.unsafe_forward && !is_here(end) {
                    return Err(Failure::usage(
                        "--proxy-protocol v2,tls,cert",
                        format!("would tell the client's name in plain text on the way to {end}"),
                    )
                    .hint(
                        "a PROXY header goes ahead of TLS: v2,tls names nobody, --unsafe-forward lets it go",
                    ));
                }
                if !is_net(end) {
                    return Err(Failure::usage("--proxy-protocol", format!("is not for {end}"))
                        .hint("only a server that is connected to takes a PROXY header"));
                }
                end.options.push(Key::ProxyProtocol, Value::Text(form.to_owned()));
            }
        }
        address.check()?;
        opened(&address)
    }
}

fn opened(address: &Address) -> Result<Target, Failure> {
    Ok(Target::Address(Box::new(Opener::new(address, Use::Output)?), address.describe()))
}

/// Whether plain text that goes there stays on this host; TLS may go anywhere.
fn stays_here(end: &End) -> bool {
    end.layer == Layer::Tls || is_here(end)
}

/// Whether what is sent there stays on this host.
fn is_here(end: &End) -> bool {
    let is_local = match &end.target {
        Named::Net { net: Net::Tcp | Net::Udp, host, .. } => match host {
            Host::Loopback | Host::Any => true,
            Host::Name(name) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
            }
        },
        Named::Vsock { .. } => false,
        _ => true,
    };
    is_local && !end.options.has(Key::Proxy)
}

impl Target {
    /// How messages call it.
    pub fn name(&self) -> String {
        match self {
            Target::Stdio | Target::Command => "stdio".to_owned(),
            Target::Address(_, name) => name.clone(),
            Target::File(path) => path.display().to_string(),
        }
    }

    /// What should be told of it before anybody connects, a line each.
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Target::Address(opener, _) => opener.warnings(),
            _ => Vec::new(),
        }
    }

    /// Opens it for one client; `None` for what is not opened by its name: stdio and the command.
    pub async fn open(&self, connection: &Connection) -> Option<Result<Endpoint, Failure>> {
        match self {
            Target::Stdio | Target::Command => None,
            Target::Address(opener, _) => Some(opener.open(connection).await),
            Target::File(path) => Some(say_file(path)),
        }
    }

    /// When a session with it has done its work.
    pub fn finish(&self) -> Finish {
        match self {
            Target::Stdio => Finish::RightEnds,
            Target::File(_) => Finish::LeftEnds,
            Target::Command | Target::Address(..) => Finish::BothEnd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stays(text: &str) -> bool {
        let mut address = Address::parse_right(text).unwrap();
        address.ends().into_iter().all(|end| stays_here(end))
    }

    #[test]
    fn plain_text_stays_on_this_host() {
        for here in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "localhost:80"] {
            assert!(stays(here), "{here}");
        }
        for here in ["unix:/run/app.sock", "@abstract", "exec:cat", "tls:example.org:443"] {
            assert!(stays(here), "{here}");
        }
        for away in [
            "192.0.2.1:80",
            "0.0.0.0.example:80",
            "127.0.0.1.example.org:80",
            "localhost.example:80",
            "[2001:db8::1]:80",
            "vsock:2:80",
            "tcp:localhost:80,proxy=http://192.0.2.1:3128",
            "null!!tcp:192.0.2.1:80",
        ] {
            assert!(!stays(away), "{away}");
        }
    }
}
