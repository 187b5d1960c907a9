//! Starts a peer that speaks TLS, and what a test holds of a connection's two ends.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ChildStdin;
use std::sync::mpsc::Receiver;

use super::tls_peers::{NGINX, Peer, Plain};
use super::{
    DEADLINE, Process, certificate, certificates, connect, free_port, is_listening, program, spile,
    wait_until,
};

/// `tls-serve` with the certificate for localhost on a free port, and that port.
pub fn serve(more: &[&str]) -> (Process, String) {
    let both = certificate("server.both");
    let mut server = spile([&["tls-serve", "127.0.0.1:0", "--cert", &both], more].concat());
    let port = server.port().to_string();
    (server, port)
}

/// `tls-connect` to it.
pub fn tls_connect(port: &str, more: &[&str]) -> Process {
    let ca = certificate("ca.pem");
    let mut args = vec!["tls-connect", "localhost", port, "-4", "--cafile", &ca];
    args.extend(more);
    spile(args)
}

/// A peer that runs, and the place where its plain text comes and goes.
pub struct Running {
    /// Where TLS is spoken.
    pub port: String,
    plain: Meeting,
    process: Process,
    _directory: tempfile::TempDir,
}

enum Meeting {
    Stdio,
    /// A server's: it connects here.
    Backend(Backend),
    /// A client's: it accepts there.
    Port(u16),
}

/// Where the plain text of a server goes.
pub struct Backend {
    pub port: u16,
    listener: TcpListener,
}

impl Backend {
    pub fn new() -> Backend {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&listener).set_read_timeout(Some(DEADLINE)).unwrap();
        Backend { port: listener.local_addr().unwrap().port(), listener }
    }

    /// The connection of whoever came first.
    pub fn end(&self) -> End {
        End::socket(self.listener.accept().expect("nobody connected to the backend").0)
    }
}

impl Peer {
    /// Starts it as a server and waits until it listens.
    pub fn listens(&self) -> Running {
        let (port, backend) = (free_port(), Backend::new());
        let running = self.start(&port, backend.port, Meeting::Backend(backend));
        wait_until(&format!("{} listens", self.name), || is_listening(&port));
        running
    }

    /// Starts it as a client of a server on that port.
    pub fn connects(&self, port: &str) -> Running {
        let plain = free_port();
        let number = plain.parse().unwrap();
        let running = self.start(port, number, Meeting::Port(number));
        wait_until(&format!("{} listens", self.name), || self.plain == Plain::Stdio || is_listening(&plain));
        running
    }

    fn start(&self, port: &str, plain: u16, meeting: Meeting) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let filled = |text: &str| {
            let text =
                text.replace("NGINX", &NGINX).replace("PORT", port).replace("PLAIN", &plain.to_string());
            let text = text.replace("PKI", &certificates().display().to_string());
            text.replace("DIR", &directory.path().display().to_string())
        };
        std::fs::write(directory.path().join("conf"), filled(self.configuration)).unwrap();
        let command = filled(self.command);
        let words: Vec<&str> = command.split_whitespace().collect();
        let process = program(words[0], &words[1..]);
        let plain = if self.plain == Plain::Stdio { Meeting::Stdio } else { meeting };
        Running { port: port.to_owned(), plain, process, _directory: directory }
    }
}

impl Running {
    /// The end where its plain text is; a server's exists when a client has come.
    pub fn end(&mut self) -> End {
        match &self.plain {
            Meeting::Stdio => End::of(&mut self.process),
            Meeting::Backend(backend) => backend.end(),
            Meeting::Port(port) => End::socket(connect(*port)),
        }
    }
}

/// One end of a connection: what is written here comes out at the other.
pub struct End {
    input: Input,
    output: Output,
}

enum Input {
    Pipe(ChildStdin),
    Socket(TcpStream),
}

enum Output {
    Pipe(Receiver<Vec<u8>>),
    Socket(TcpStream),
}

impl End {
    /// The standard streams of a process; it no longer has them then.
    pub fn of(process: &mut Process) -> End {
        let input = Input::Pipe(process.child.stdin.take().unwrap());
        End { input, output: Output::Pipe(process.stdout.take().unwrap()) }
    }

    /// A socket whose waits are bounded.
    pub fn socket(stream: TcpStream) -> End {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        End { input: Input::Socket(stream.try_clone().unwrap()), output: Output::Socket(stream) }
    }

    /// Both halves, for two threads.
    pub fn split(self) -> (Sending, Receiving) {
        (Sending(self.input), Receiving { from: self.output, got: Vec::new() })
    }
}

/// The half that writes; dropping it ends the direction.
pub struct Sending(Input);

impl Sending {
    pub fn send(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Input::Pipe(pipe) => pipe.write_all(bytes).unwrap(),
            Input::Socket(stream) => stream.write_all(bytes).unwrap(),
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Input::Socket(stream) = &self.0 {
            let _ = stream.shutdown(Shutdown::Write);
        }
    }
}

/// The half that reads.
pub struct Receiving {
    from: Output,
    got: Vec<u8>,
}

impl Receiving {
    /// Everything up to `length` bytes or the end.
    pub fn receive(&mut self, length: usize) -> &[u8] {
        while self.got.len() < length && self.more() {}
        &self.got
    }

    /// The length of everything up to and with a word that must come.
    pub fn receive_until(&mut self, word: &[u8]) -> usize {
        loop {
            if let Some(at) = self.got.windows(word.len()).position(|window| window == word) {
                return at + word.len();
            }
            assert!(self.more(), "the end, and no {}", word.escape_ascii());
        }
    }

    /// Everything up to the end.
    pub fn receive_all(&mut self) -> &[u8] {
        while self.more() {}
        &self.got
    }

    fn more(&mut self) -> bool {
        let before = self.got.len();
        match &mut self.from {
            Output::Pipe(chunks) => match chunks.recv_timeout(DEADLINE) {
                Ok(bytes) => self.got.extend(bytes),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {}
                Err(_) => panic!("nothing came and no end, after {before} bytes"),
            },
            Output::Socket(stream) => {
                let mut piece = vec![0; 1 << 16];
                let n = stream.read(&mut piece).unwrap_or_else(|why| panic!("after {before} bytes: {why}"));
                self.got.extend_from_slice(&piece[..n]);
            }
        }
        self.got.len() > before
    }
}
