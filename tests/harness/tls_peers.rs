//! Programs of others that speak TLS, as rows of data.

use std::path::Path;
use std::sync::LazyLock;

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
    /// How much it can be sent in reasonable time.
    pub most: usize,
}

const STDIO: Peer = Peer {
    name: "",
    command: "",
    configuration: "",
    plain: Plain::Stdio,
    ends: Ends::HalfClose,
    says_close: true,
    most: usize::MAX,
};

const SOCKET: Peer = Peer { plain: Plain::Socket, ..STDIO };

/// The peers that accept TLS.
pub const SERVERS: &[Peer] = &[
    // It ends with the first end that it sees, and never by its own stdin.
    Peer {
        name: "openssl s_server",
        command: "openssl s_server -accept 127.0.0.1:PORT -naccept 1 -cert PKI/server.pem -key PKI/server.key -quiet",
        ends: Ends::Client,
        ..STDIO
    },
    Peer {
        name: "socat",
        command: "socat -t20 OPENSSL-LISTEN:PORT,bind=127.0.0.1,cert=PKI/server.both,verify=0 TCP:127.0.0.1:PLAIN",
        ..SOCKET
    },
    // It ends with the first end that it sees.
    Peer {
        name: "ncat",
        command: "ncat -l --ssl --ssl-cert PKI/server.pem --ssl-key PKI/server.key 127.0.0.1 PORT",
        ends: Ends::Client,
        ..STDIO
    },
    // Once the client has ended, stunnel 5.68 may lose the last bytes of the server; its own log tells how many.
    Peer {
        name: "stunnel",
        command: "stunnel4 DIR/conf",
        configuration: "foreground = yes\npid =\nsyslog = no\n\
            [tls]\naccept = 127.0.0.1:PORT\nconnect = 127.0.0.1:PLAIN\ncert = PKI/server.both\n",
        ends: Ends::Client,
        ..SOCKET
    },
    Peer {
        name: "haproxy",
        command: "haproxy -db -f DIR/conf",
        configuration: "defaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n timeout server 20s\n\
            frontend in\n bind 127.0.0.1:PORT ssl crt PKI/server.both\n default_backend out\n\
            backend out\n server plain 127.0.0.1:PLAIN\n",
        ..SOCKET
    },
    // With a half-close it shuts the socket down without a close_notify.
    Peer {
        name: "nginx",
        command: "nginx -p DIR -e DIR/errors -c DIR/conf",
        configuration: "NGINX stream { server { listen 127.0.0.1:PORT ssl; proxy_pass 127.0.0.1:PLAIN; \
            ssl_certificate PKI/server.pem; ssl_certificate_key PKI/server.key; \
            ssl_protocols TLSv1.2 TLSv1.3; proxy_half_close on; } }",
        says_close: false,
        ..SOCKET
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
        ..STDIO
    },
];

/// The peers that open TLS connections, to `localhost` by the test authority.
pub const CLIENTS: &[Peer] = &[
    // It never ends its side before it has seen the other's end.
    Peer {
        name: "openssl s_client",
        command: "openssl s_client -connect localhost:PORT -4 -CAfile PKI/ca.pem -verify_return_error \
            -verify_hostname localhost -quiet",
        ends: Ends::Server,
        ..STDIO
    },
    Peer { name: "socat", command: "socat -t20 - OPENSSL:localhost:PORT,pf=ip4,cafile=PKI/ca.pem", ..STDIO },
    // Its last bytes may stay where they are until the other side ends; and it never says close_notify.
    Peer {
        name: "ncat",
        command: "ncat -4 --ssl --ssl-verify --ssl-trustfile PKI/ca.pem localhost PORT",
        ends: Ends::Server,
        says_close: false,
        ..STDIO
    },
    // It writes what it receives byte by byte.
    Peer {
        name: "gnutls-cli",
        command: "gnutls-cli --logfile=DIR/log --x509cafile PKI/ca.pem -p PORT localhost",
        most: 1 << 20,
        ..STDIO
    },
    Peer {
        name: "stunnel",
        command: "stunnel4 DIR/conf",
        configuration: "foreground = yes\npid =\nsyslog = no\n\
            [tls]\nclient = yes\naccept = 127.0.0.1:PLAIN\nconnect = 127.0.0.1:PORT\nCAfile = PKI/ca.pem\n\
            verifyChain = yes\ncheckHost = localhost\n",
        ..SOCKET
    },
    Peer {
        name: "haproxy",
        command: "haproxy -db -f DIR/conf",
        configuration: "defaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n timeout server 20s\n\
            frontend in\n bind 127.0.0.1:PLAIN\n default_backend out\n\
            backend out\n server tls 127.0.0.1:PORT ssl ca-file PKI/ca.pem verify required verifyhost localhost\n",
        ..SOCKET
    },
    // As above.
    Peer {
        name: "nginx",
        command: "nginx -p DIR -e DIR/errors -c DIR/conf",
        configuration: "NGINX stream { server { listen 127.0.0.1:PLAIN; proxy_pass 127.0.0.1:PORT; \
            proxy_ssl on; proxy_ssl_trusted_certificate PKI/ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost; \
            proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_half_close on; } }",
        says_close: false,
        ..SOCKET
    },
    // Its ssl module has no half-close: unwrap() drops what still comes.
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
        ends: Ends::Server,
        ..STDIO
    },
];

/// What every nginx of the tests needs: one process, nothing in the directories of the system's own.
pub static NGINX: LazyLock<String> = LazyLock::new(|| {
    let module = "/usr/lib/nginx/modules/ngx_stream_module.so";
    let load = if Path::new(module).exists() { format!("load_module {module};") } else { String::new() };
    format!("{load} daemon off; master_process off; pid DIR/pid; events {{}}")
});

/// Python's client, in steps: the authority and the port are its arguments, each line of stdin is a step, and the
/// answer a line of stdout. `begin` does the handshake but for its last message, which goes out with what is said.
pub const STEPWISE: &str = "
import socket, ssl, struct, sys
here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
context = ssl.create_default_context(cafile=sys.argv[1])
context.minimum_version = ssl.TLSVersion.TLSv1_3
tls = context.wrap_bio(here, there, server_hostname='localhost')
plain = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
plain.settimeout(20)
def until_done(step):
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            plain.sendall(there.read())
            data = plain.recv(65536)
            here.write(data) if data else here.write_eof()
def hear():
    try:
        data = until_done(lambda: tls.read(65536))
    except ssl.SSLEOFError:
        return 'a cut'
    except ssl.SSLZeroReturnError:
        return 'the end'
    return data.decode() if data else 'the end'
for line in sys.stdin:
    word, _, rest = line.strip().partition(' ')
    if word == 'begin':
        until_done(tls.do_handshake)
        print('begun', flush=True)
    elif word == 'say':
        tls.write(rest.encode())
        plain.sendall(there.read())
        print('said', flush=True)
    elif word == 'wait':
        plain.recv(1, socket.MSG_PEEK)
        print('came', flush=True)
    elif word == 'hear':
        print('heard', hear(), flush=True)
    elif word == 'end':
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            plain.sendall(there.read())
        hear()
        break
    else:
        if word == 'reset':
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        break
plain.close()
";
