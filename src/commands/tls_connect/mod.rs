//! `spile tls-connect`: stdio, or a command, to one outgoing address, over TLS; or a look at the server alone.

mod call;
mod check;
mod expiry;
mod print;
mod session;

use std::time::Duration;

use super::Subcommand;
use super::connect::{Client, SESSION};
use super::flags::duration;
use super::tls_report::{Outlet, Place};
use super::words::ConnectsTls;
use crate::address::{Address, End, Key};
use crate::error::{Exit, Failure};
use crate::report::tls::Pem;
use call::Call;
use print::Part;

/// What follows `spile tls-connect`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("udp", |arg| arg.hide(true)), mut_arg("json", |arg| arg.help("Report the TLS session as one JSON object, of a failure as well: in a file, or on stdout with --check, on stderr without")))]
pub struct Args {
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten, next_help_heading = None::<&'static str>)]
    client: Client<ConnectsTls>,
}

/// A look at the server, in place of a session.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "A look at the server")]
struct LookArgs {
    /// Shake hands, hear whether the server takes us, close, and say in one line what came of it: nothing is sent
    #[arg(long, conflicts_with_all = SESSION)]
    check: bool,
    /// With --check: how long to wait after the handshake for a ticket, data or a refusal, by which a server of TLS 1.3
    /// tells whether it takes our certificate
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s", requires = "check")]
    settle: Duration,
    /// Status 3 if a certificate that the server sends expires within this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires_in: Option<Duration>,
    /// With --check: connect so many times more, which resumes the session of the first where the server agrees
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), requires = "check")]
    reconnect: Option<u32>,
    /// Status 4 if one of those is not resumed
    #[arg(long, requires = "reconnect")]
    expect_resumed: bool,
    /// Print what the server shows, also if it is not trusted: its certificate, all that it sends, both in PEM; what
    /// they say; the pin of its key
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with_all = SESSION, conflicts_with = "check")]
    print: Option<Part>,
    /// Put the certificates into the report of --json, in PEM
    #[arg(long, requires = "json")]
    json_pem: bool,
    /// Tell the server's pin where it is not the one that is asked for
    #[arg(long, requires = "pin")]
    show_pin: bool,
}

impl Subcommand for Args {
    const NAME: &'static str = "tls-connect";
    const ABOUT: &'static str =
        "Connect stdin and stdout, or a command, to an address by TLS; the peer is verified";
    const EXAMPLES: &'static str = "\
Examples:
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | spile tls-connect localhost:8443 --cafile ca.pem
  echo hi | spile tls-connect localhost:8443 --cafile ca.pem --cert client.pem --key client.key
  spile tls-connect --check example.org:443                 a line about it, and the status: 60 if not trusted
  spile tls-connect --check --expires-in 21d api:443 || page-me              3 if it expires soon, 60 if already bad
  spile tls-connect --check --json db:5432 --starttls postgres --cafile ca.pem | jq .verify
  spile tls-connect --check --retry-for 30s --cafile ca.pem svc:8443         until TLS is up, not only TCP
  spile tls-connect --check --min 1.3 --expect-alpn h2 --reconnect 2 edge:443     ALPN and resumption
  spile tls-connect --print pin 10.0.0.5:8443 --insecure    fetch the pin, then:
  spile tls-connect --pin-only --pin sha256//AbC…= 10.0.0.5:8443
  spile tls-connect --print text example.org:443            what its certificates say, trusted or not
  spile tls-connect --trust-cert selfsigned.pem host:8443   this certificate and no other
  spile tls-connect 10.0.0.5:8443 --name db.internal        the certificate is for another name
  spile tls-connect unix:/run/app.sock --name app
  spile tls-connect host:8443 -- ./speak-to-host            the command's stdin and stdout are the session

--retry-for tries again what may change: no answer, a handshake that fails. A verdict
stands at once: a server that is not trusted (60), a wrong pin (90), our own
certificate (58), files that cannot be read (77).
";

    fn run(self) -> Result<Exit, Failure> {
        let Args { look, mut client } = self;
        let json = client.take_json();
        look.check(json.as_ref())?;
        client.with_address(|address| {
            let Address::One(end) = &address else {
                return Err(Failure::usage(format!("'{address}'"), "is two connections, and TLS is one"));
            };
            look.check_options(end)?;
            let outlet = json.map(|place| place.open(look.outlet())).transpose()?;
            client.run_to_its_end(Self::NAME, async {
                let dial = client.dial(Self::NAME, &address);
                let call = Call::new(dial, end, &look, outlet)?;
                match look.print {
                    Some(part) => print::run(&call, part, look.expires_in).await,
                    None if look.check => check::run(&call, &look).await,
                    None => session::run(&call, &client, &address).await,
                }
            })
        })
    }
}

impl LookArgs {
    /// Flags that mean nothing without another one, or not together.
    fn check(&self, json: Option<&Place>) -> Result<(), Failure> {
        let is_look = self.check || self.print.is_some();
        if self.expires_in.is_some() && !is_look {
            return Err(Failure::usage("--expires-in", "does nothing without --check or --print")
                .hint("a session is for data; --check looks at the server alone"));
        }
        if self.print.is_some() && json == Some(&Place::Usual) {
            return Err(Failure::usage("--json and --print", "would both write to stdout")
                .hint("--json=FILE puts the report into a file"));
        }
        Ok(())
    }

    /// Options of the address that mean nothing where nothing is sent.
    fn check_options(&self, end: &End) -> Result<(), Failure> {
        if self.check || self.print.is_some() {
            let idle = [(Key::NoHalfClose, "--no-half-close"), (Key::Linger, "--linger")];
            if let Some((_, flag)) = idle.iter().find(|(key, _)| end.options.has(*key)) {
                let why = format!("does nothing with {}: nothing is sent", self.word());
                return Err(Failure::usage(*flag, why));
            }
        }
        Ok(())
    }

    fn word(&self) -> &'static str {
        if self.check { "--check" } else { "--print" }
    }

    /// Where the report goes without a file.
    fn outlet(&self) -> Outlet {
        if self.check { Outlet::Stdout } else { Outlet::Stderr }
    }

    fn pem(&self) -> Pem {
        if self.json_pem { Pem::Included } else { Pem::Omitted }
    }
}
