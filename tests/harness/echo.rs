//! An echo server under test, and what clients see of it.

use std::io::Read;
use std::net::{TcpStream, UdpSocket};

use super::{DEADLINE, Process, spile, wait_until};

/// A running echo server.
pub struct Echo {
    pub process: Process,
    /// A port for each address in its order; 0 where it has none.
    pub ports: Vec<u16>,
    pub dir: tempfile::TempDir,
}

impl Echo {
    /// Starts one with these words; `DIR` is a directory of its own. Ready when this returns.
    pub fn start(words: &[&str]) -> Echo {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let mut all = vec!["echo-server".to_owned(), "--port-file".to_owned(), path("ports")];
        if !words.iter().any(|word| word.starts_with("--json")) {
            all.push(format!("--json={}", path("counters")));
        }
        all.extend(words.iter().map(|word| word.replace("DIR", &dir.path().display().to_string())));
        let mut process = spile(all);
        wait_until("the port file is there", || {
            assert!(process.is_running(), "{:?}", process.line(""));
            std::fs::exists(path("ports")).unwrap()
        });
        let ports = std::fs::read_to_string(path("ports")).unwrap();
        let ports = ports.lines().map(|line| line.parse().unwrap_or(0)).collect();
        Echo { process, ports, dir }
    }

    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    pub fn connect(&self) -> TcpStream {
        super::connect(self.port())
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// What a client hears that says nothing, up to the end.
    pub fn speech(&self) -> Vec<u8> {
        super::read_all(&self.connect())
    }

    /// The counters as they are now; not for servers with a `--json` of their own.
    pub fn counters(&self) -> serde_json::Value {
        let text = || std::fs::read_to_string(self.path("counters")).unwrap();
        let lines = || text().matches('\n').count();
        let before = lines();
        self.process.signal("USR1");
        wait_until("the counters are told", || lines() > before);
        serde_json::from_str(text().lines().last().unwrap()).unwrap()
    }

    /// Waits until the counters are so.
    pub fn counts(&self, name: &str, wanted: u64) {
        wait_until(&format!("{name} is {wanted}"), || self.counters()[name] == wanted);
    }
}

/// Reads exactly so many bytes.
pub fn exactly(mut stream: &TcpStream, n: usize) -> Vec<u8> {
    let mut bytes = vec![0; n];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// A datagram socket of a client.
pub fn udp() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Sends a datagram and answers what comes back.
pub fn asked(socket: &UdpSocket, port: u16, bytes: &[u8]) -> Vec<u8> {
    socket.send_to(bytes, ("127.0.0.1", port)).unwrap();
    let mut answer = vec![0; 65536];
    let n = socket.recv(&mut answer).unwrap();
    answer.truncate(n);
    answer
}
