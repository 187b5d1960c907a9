//! `spile tls-serve`: stdio, or a command per connection, to incoming connections, over TLS.

use super::Subcommand;
use super::listen::{Service, Usually};
use super::words::ListensTls;
use crate::error::{Exit, Failure};

/// What follows `spile tls-serve`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("command", |arg| arg.help("Command to run for each connection in place of stdin and stdout, for ever; with --once for one")))]
pub struct Args {
    #[command(flatten)]
    service: Service<ListensTls>,
}

impl Subcommand for Args {
    const NAME: &'static str = "tls-serve";
    const ABOUT: &'static str = "Serve stdin and stdout, or a command per connection, on an address by TLS";
    const EXAMPLES: &'static str = "\
Examples:
  spile tls-serve --cert s.pem --key s.key 8443 >file       one connection on both loopbacks, to stdout
  spile tls-serve --cert s.pem --key s.key :8443 -- cat     an echo on all interfaces, for ever
  spile tls-serve --cert both.pem 8443 --client-ca ca.pem --allow-dns client.internal -- ./serve
  spile tls-serve --cert s.pem --port-file p 0 -- ./serve   a free port, its number in the file p
  spile tls-serve --cert s.pem unix:/run/app.sock -- ./serve
";

    fn run(self) -> Result<Exit, Failure> {
        self.service.run(Self::NAME, Usually::Forever)
    }
}
