//! Programs of others that speak TLS, as rows of data, and what a test holds of a connection's two ends.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ChildStdin;
use std::sync::mpsc::Receiver;

use super::{DEADLINE, Process, certificates, connect, free_port, is_listening, program, wait_until};

/// Where a peer's plain text is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plain {
    /// On its stdin and stdout.
    Stdio,
    /// At a TCP port: a server connects to it, a client accepts there.
    Socket,
}

/// How a conversation with a peer can end without losing anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ends {
    /// The client first; the server goes on until it has said all.
    HalfClose,
    /// The client first, when both have said all: the peer takes the first end for the end of all.
    Client,
    /// The server first, when both have said all: the peer as client has no way to end its side.
    Server,
}

/// A peer in one of its two roles. In its command and its configuration stand the words
/// `PORT` (where TLS is spoken), `PLAIN` (see [`Plain::Socket`]), `PKI` and `DIR` (of its own, with `conf`).
#[derive(Debug)]
pub struct Peer {
    pub name: &'static str,
    pub command: &'static str,
    pub configuration: &'static str,
    pub plain: Plain,
    pub ends: Ends,
    /// Whether it says close_notify at its end, so that this can be told from a cut.
    pub says_close: bool,
}

/// The peers that accept TLS.
pub const SERVERS: &[Peer] = &[
    Peer {
        name: "openssl s_server",
        command: "openssl s_server -accept 127.0.0.1:PORT -naccept 1 -cert PKI/server.pem -key PKI/server.key -quiet",
        configuration: "",
        plain: Plain::Stdio,
        ends: Ends::Client,
        says_close: true,
    },
    Peer {
        name: "socat",
        command: "socat -t20 OPENSSL-LISTEN:PORT,bind=127.0.0.1,cert=PKI/server.both,verify=0 TCP:127.0.0.1:PLAIN",
        configuration: "",
        plain: Plain::Socket,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "ncat",
        command: "ncat -l --ssl --ssl-cert PKI/server.pem --ssl-key PKI/server.key 127.0.0.1 PORT",
        configuration: "",
        plain: Plain::Stdio,
        ends: Ends::Client,
        says_close: true,
    },
    Peer {
        name: "stunnel",
        command: "stunnel4 DIR/conf",
        configuration: "foreground = yes\npid =\nsyslog = no\n\
            [tls]\naccept = 127.0.0.1:PORT\nconnect = 127.0.0.1:PLAIN\ncert = PKI/server.both\n",
        plain: Plain::Socket,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "haproxy",
        command: "haproxy -db -f DIR/conf",
        configuration: "defaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n timeout server 20s\n\
            frontend in\n bind 127.0.0.1:PORT ssl crt PKI/server.both\n default_backend out\n\
            backend out\n server plain 127.0.0.1:PLAIN\n",
        plain: Plain::Socket,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "nginx",
        command: "nginx -p DIR -e DIR/errors -c DIR/conf",
        configuration: "NGINX stream { server { listen 127.0.0.1:PORT ssl; proxy_pass 127.0.0.1:PLAIN; \
            ssl_certificate PKI/server.pem; ssl_certificate_key PKI/server.key; \
            ssl_protocols TLSv1.2 TLSv1.3; proxy_half_close on; } }",
        plain: Plain::Socket,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "Python",
        command: "python3 DIR/conf",
        configuration: "\
import os, socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('PKI/server.pem', 'PKI/server.key')
listener = socket.create_server(('127.0.0.1', PORT))
with context.wrap_socket(listener.accept()[0], server_side=True) as tls:
    while data := tls.recv(1 << 16):
        sys.stdout.buffer.write(data)
    sys.stdout.flush()
    os.close(1)
    while data := sys.stdin.buffer.read1(1 << 16):
        tls.sendall(data)
    tls.unwrap()
",
        plain: Plain::Stdio,
        ends: Ends::HalfClose,
        says_close: true,
    },
];

/// The peers that open TLS connections, to `localhost` by the test authority.
pub const CLIENTS: &[Peer] = &[
    Peer {
        name: "openssl s_client",
        command: "openssl s_client -connect localhost:PORT -4 -CAfile PKI/ca.pem -verify_return_error \
            -verify_hostname localhost -quiet",
        configuration: "",
        plain: Plain::Stdio,
        ends: Ends::Server,
        says_close: true,
    },
    Peer {
        name: "socat",
        command: "socat -t20 - OPENSSL:localhost:PORT,pf=ip4,cafile=PKI/ca.pem",
        configuration: "",
        plain: Plain::Stdio,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "ncat",
        command: "ncat -4 --ssl --ssl-verify --ssl-trustfile PKI/ca.pem localhost PORT",
        configuration: "",
        plain: Plain::Stdio,
        ends: Ends::Client,
        says_close: false,
    },
    Peer {
        name: "gnutls-cli",
        command: "gnutls-cli --logfile=DIR/log --x509cafile PKI/ca.pem -p PORT localhost",
        configuration: "",
        plain: Plain::Stdio,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "stunnel",
        command: "stunnel4 DIR/conf",
        configuration: "foreground = yes\npid =\nsyslog = no\n\
            [tls]\nclient = yes\naccept = 127.0.0.1:PLAIN\nconnect = 127.0.0.1:PORT\nCAfile = PKI/ca.pem\n\
            verifyChain = yes\ncheckHost = localhost\n",
        plain: Plain::Socket,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "haproxy",
        command: "haproxy -db -f DIR/conf",
        configuration: "defaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n timeout server 20s\n\
            frontend in\n bind 127.0.0.1:PLAIN\n default_backend out\n\
            backend out\n server tls 127.0.0.1:PORT ssl ca-file PKI/ca.pem verify required verifyhost localhost\n",
        plain: Plain::Socket,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "nginx",
        command: "nginx -p DIR -e DIR/errors -c DIR/conf",
        configuration: "NGINX stream { server { listen 127.0.0.1:PLAIN; proxy_pass 127.0.0.1:PORT; \
            proxy_ssl on; proxy_ssl_trusted_certificate PKI/ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost; \
            proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_half_close on; } }",
        plain: Plain::Socket,
        ends: Ends::HalfClose,
        says_close: true,
    },
    Peer {
        name: "Python",
        command: "python3 DIR/conf",
        configuration: "\
import socket, ssl, sys, threading
context = ssl.create_default_context(cafile='PKI/ca.pem')
tls = context.wrap_socket(socket.create_connection(('127.0.0.1', PORT)), server_hostname='localhost')
def send():
    while data := sys.stdin.buffer.read1(1 << 16):
        tls.sendall(data)
threading.Thread(target=send, daemon=True).start()
while data := tls.recv(1 << 16):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
tls.unwrap()
",
        plain: Plain::Stdio,
        ends: Ends::Server,
        says_close: true,
    },
];

/// What every nginx of the tests needs: one process, nothing in the directories of the system's own.
const NGINX: &str = "NGINX_MODULE daemon off; master_process off; pid DIR/pid; events {}";
const NGINX_STREAM_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

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
    Listener(TcpListener),
    /// A client's: it accepts there.
    Port(u16),
}

impl Peer {
    /// Starts it as a server and waits until it listens.
    pub fn listens(&self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&listener).set_read_timeout(Some(DEADLINE)).unwrap();
        let (port, plain) = (free_port(), listener.local_addr().unwrap().port());
        let running = self.start(&port, plain, Meeting::Listener(listener));
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
        let module = match std::path::Path::new(NGINX_STREAM_MODULE).exists() {
            true => format!("load_module {NGINX_STREAM_MODULE};"),
            false => String::new(),
        };
        let filled = |text: &str| {
            let text = text.replace("NGINX ", NGINX).replace("NGINX_MODULE", &module);
            let text = text.replace("PORT", port).replace("PLAIN", &plain.to_string());
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
            Meeting::Listener(listener) => {
                let (stream, _) = listener.accept().expect("the peer connected to nobody");
                End::socket(stream)
            }
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
