//! Servers for tls-connect to look at, and what it says of them.

use std::process::Command;

use super::{Ended, Process, SPILE, certificates, free_port, is_listening, program, start, wait_until};

/// A server that is ended with the value.
pub struct Looked {
    pub port: String,
    pub process: Process,
}

/// Words of a line in which `PKI/` stands before what certificates.sh makes.
pub fn words(line: &str) -> Vec<String> {
    let place = format!("{}/", certificates().display());
    line.split_whitespace().map(|word| word.replace("PKI/", &place)).collect()
}

/// The certificate for localhost, as `openssl s_server` takes it.
pub const GOOD: &str = "-cert PKI/server.pem -key PKI/server.key";

/// `openssl s_server` and what follows.
pub fn s_server(options: &str) -> Looked {
    s_server_on(free_port(), options)
}

/// The same on that port.
pub fn s_server_on(port: String, options: &str) -> Looked {
    let line = words(&format!("s_server -accept 127.0.0.1:{port} {options}"));
    let process = program("openssl", &line.iter().map(String::as_str).collect::<Vec<_>>());
    wait_until("openssl listens", || is_listening(&port));
    Looked { port, process }
}

/// tests/fakes/tls_server.py in one of its modes.
pub fn odd_server(mode: &str) -> Looked {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/tls_server.py");
    let both = certificates().join("server.both").display().to_string();
    let mut process = program("python3", &[script, mode, &both]);
    let port = process.line("listening on 127.0.0.1:");
    Looked { port, process }
}

impl Looked {
    /// tls-connect to it, without the roots that this machine may have in its environment.
    pub fn called(&self, options: &str) -> Process {
        let mut command = Command::new(SPILE);
        command.args(["tls-connect", &format!("localhost:{}", self.port)]).args(words(options));
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        start(command)
    }

    /// The same with nothing to send, to its end.
    pub fn looked_at(&self, options: &str) -> Ended {
        self.called(options).eof().ends()
    }
}
