//! The command that is a client of a mock server.

use std::fs::File;
use std::os::fd::AsFd;
use std::time::Duration;

use crate::error::Failure;
use crate::process::{Child, ChildStatus, Ends, Environment, Group, Program, SignalBase, Signals};

/// Where the stdout of a command goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// To ours.
    Stdout,
    /// To our stderr: stdout is for something else.
    Stderr,
}

/// A shell line that runs beside a mock server.
pub struct ClientCommand(Child);

impl ClientCommand {
    /// Starts it, told where the server is.
    pub fn start(
        line: &str,
        port: Option<u16>,
        address: &str,
        output: Output,
    ) -> Result<ClientCommand, Failure> {
        let mut environment = Environment::default();
        environment.set("SPILE_ADDR", address);
        if let Some(port) = port {
            environment.set("SPILE_PORT", port.to_string());
        }
        let program = Program {
            environment,
            group: Group::New,
            signals: Signals { base: SignalBase::Default, ..Signals::default() },
            ..Program::new(["/bin/sh", "-c", line].map(Into::into).to_vec())
        };
        // In a group of its own it would be stopped where it read from a terminal.
        let nothing = File::open("/dev/null").map_err(|why| Failure::other("cannot open /dev/null", why))?;
        let mut ends = Ends::inherited().stdin(nothing.into());
        if output == Output::Stderr {
            let stderr = std::io::stderr().as_fd().try_clone_to_owned();
            ends = ends.stdout(stderr.map_err(|why| Failure::other("cannot give it stderr", why))?);
        }
        Child::spawn(&program, ends).map(ClientCommand)
    }

    /// Waits for its end.
    pub async fn ended(&mut self) {
        self.0.exited().await;
    }

    /// How it has ended.
    pub fn status(&self) -> ChildStatus {
        self.0.status()
    }

    /// Tells it to end, and kills it after `grace`.
    pub async fn stop(&mut self, grace: Duration) {
        self.0.end(grace).await;
    }
}
