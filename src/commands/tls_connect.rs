//! `spile tls-connect`: stdio, or a command, to one outgoing address, over TLS.

use super::Subcommand;
use super::connect::Client;
use super::words::ConnectsTls;
use crate::error::{Exit, Failure};

/// What follows `spile tls-connect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    client: Client<ConnectsTls>,
}

impl Subcommand for Args {
    const NAME: &'static str = "tls-connect";
    const ABOUT: &'static str =
        "Connect stdin and stdout, or a command, to an address by TLS; the peer is verified";
    const EXAMPLES: &'static str = "\
Examples:
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | spile tls-connect localhost:8443 --cafile ca.pem
  spile tls-connect example.org 443 --alpn http/1.1
  echo hi | spile tls-connect localhost:8443 --cafile ca.pem --cert client.pem --key client.key
  spile tls-connect --trust-cert selfsigned.pem host:8443   this certificate and no other
  spile tls-connect 10.0.0.5:8443 --name db.internal        the certificate is for another name
  spile tls-connect unix:/run/app.sock --name app
  spile tls-connect host:8443 -- ./speak-to-host            the command's stdin and stdout are the session
";

    fn run(self) -> Result<Exit, Failure> {
        self.client.run(Self::NAME)
    }
}
