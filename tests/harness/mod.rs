//! Starts spile and its peers, waits for conditions with a deadline, and ends what it started by pid.
#![allow(dead_code)] // each test file uses a part of it

mod certificates;
mod daemons;
pub mod echo;
mod facts;
pub mod http;
pub mod leaf;
pub mod look;
mod page;
mod servers;
mod terminal;
pub mod tls;
pub mod tls_peers;
mod workshop;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

#[allow(unused_imports)] // each test file uses a part of it
pub use certificates::*;
#[allow(unused_imports)] // each test file uses a part of it
pub use daemons::*;
#[allow(unused_imports)] // each test file uses a part of it
pub use facts::*;
#[allow(unused_imports)] // each test file uses a part of it
pub use page::{Beginning, Page};
#[allow(unused_imports)] // each test file uses a part of it
pub use servers::*;
#[allow(unused_imports)] // each test file uses a part of it
pub use terminal::{Terminal, interrupt_counter};
#[allow(unused_imports)] // each test file uses a part of it
pub use workshop::Workshop;

/// How long anything may take that should happen at once.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The binary under test.
pub const SPILE: &str = env!("CARGO_BIN_EXE_spile");

/// Waits for a condition; fails the test when it does not come true in time.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Fails the test unless what is measured takes less than this at least once in five times: what else the machine has
/// to do makes it slower, never faster.
pub fn in_time(limit: Duration, mut measured: impl FnMut() -> Duration) {
    let mut times = Vec::new();
    while times.len() < 5 {
        times.push(measured());
        if times.last() < Some(&limit) {
            return;
        }
    }
    panic!("each time it took longer than {limit:?}: {times:?}");
}

/// A process that ends with the test.
pub struct Process {
    child: Child,
    stdout: Option<Receiver<Vec<u8>>>,
    stderr: Option<Receiver<Vec<u8>>>,
    seen: String,
}

/// How a process ended and what it said.
#[derive(Debug)]
pub struct Ended {
    /// As a shell tells it: 128 + the signal for a death by signal.
    pub status: i32,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// Whether that left a core.
    pub core: bool,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ended {
    /// The exit status must be this one.
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        self
    }

    /// It must have died of this signal, not only exit with its number.
    pub fn dies_of(self, signal: i32) -> Self {
        assert_eq!(self.signal, Some(signal), "{self:?}");
        self
    }

    /// The last line of stdout as JSON.
    pub fn json(&self) -> serde_json::Value {
        let text = String::from_utf8_lossy(&self.stdout);
        let line = text.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|why| panic!("{why} in: {text}"))
    }

    /// stdout must be this.
    pub fn says(self, bytes: impl AsRef<[u8]>) -> Self {
        assert_eq!(self.stdout, bytes.as_ref(), "{}", self.stderr);
        self
    }

    /// stderr must contain this.
    pub fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "'{text}' is not in: {}", self.stderr);
        self
    }
}

fn drain(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(n) = from.read(&mut buffer) {
            if n == 0 || sender.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Starts spile with all three ends as pipes.
pub fn spile<S: AsRef<str>>(args: impl IntoIterator<Item = S>) -> Process {
    let mut command = Command::new(SPILE);
    command.args(args.into_iter().map(|arg| arg.as_ref().to_owned()));
    start(command)
}

/// Starts a shell line in which `$SPILE` is the binary under test.
pub fn shell(line: &str) -> Process {
    let mut command = Command::new("bash");
    command.args(["-c", line]).env("SPILE", SPILE);
    start(command)
}

/// Starts spile under strace, which makes system calls fail: `accept4:error=ENFILE:when=1`.
pub fn with_failing_calls(inject: &str, args: &str) -> Process {
    let call = inject.split(':').next().unwrap();
    shell(&format!("exec strace -D -qq -f -o /dev/null -e trace={call} -e inject={inject} $SPILE {args}"))
}

/// Starts any program; stdin is a pipe unless the command says otherwise by `Stdio::null()` later.
pub fn program(name: &str, args: &[&str]) -> Process {
    let mut command = Command::new(name);
    command.args(args);
    start(command)
}

/// Starts a prepared command.
pub fn start(mut command: Command) -> Process {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("RUST_BACKTRACE", "0");
    let name = command.get_program().to_owned();
    let mut child = command.spawn().unwrap_or_else(|why| {
        panic!("cannot start {}: {why} (scripts/test installs what the tests need)", name.display())
    });
    let stdout = child.stdout.take().map(drain);
    let stderr = child.stderr.take().map(drain);
    Process { child, stdout, stderr, seen: String::new() }
}

impl Process {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to stdin and leaves it open.
    pub fn sends(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.write(bytes.as_ref());
        self
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Ends stdin.
    pub fn eof(mut self) -> Self {
        self.child.stdin = None;
        self
    }

    pub fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// Waits for a line of stderr that starts with `start`, and answers its rest.
    pub fn line(&mut self, start: &str) -> String {
        self.line_by(start, |line| line.strip_prefix(start))
    }

    /// Waits for a line of stderr that has `word` in it, and answers all of it.
    pub fn line_with(&mut self, word: &str) -> String {
        self.line_by(word, |line| line.contains(word).then_some(line))
    }

    /// As `line_with`, and what was said up to that line is forgotten: the next call waits for another one.
    pub fn next_line_with(&mut self, word: &str) -> String {
        let line = self.line_with(word);
        let at = self.seen.find(&line).unwrap() + line.len();
        self.seen.drain(..at);
        line
    }

    fn line_by(&mut self, start: &str, of: impl Fn(&str) -> Option<&str>) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            let found = self.seen.lines().find_map(&of).map(str::to_owned);
            if let Some(rest) = found.filter(|_| self.seen.ends_with('\n')) {
                return rest;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.stderr.as_ref().unwrap().recv_timeout(left) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(_) => panic!("no line '{start}' in: {}", self.seen),
            }
        }
    }

    /// The port of the ready line.
    pub fn port(&mut self) -> u16 {
        let line = self.line("listening ");
        line.rsplit(':').next().unwrap().trim().parse().unwrap_or_else(|_| panic!("no port in {line}"))
    }

    /// Reads exactly these bytes from stdout, and leaves it open.
    pub fn gets(mut self, wanted: impl AsRef<[u8]>) -> Self {
        self.read(wanted.as_ref());
        self
    }

    pub fn read(&mut self, wanted: &[u8]) {
        let mut got = Vec::new();
        while got.len() < wanted.len() {
            match self.stdout.as_ref().unwrap().recv_timeout(DEADLINE) {
                Ok(bytes) => got.extend(bytes),
                Err(_) => break,
            }
        }
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(wanted));
    }

    /// The next bytes of stdout, whatever they are; fails when none come.
    pub fn some(&mut self) -> Vec<u8> {
        self.stdout.as_ref().unwrap().recv_timeout(DEADLINE).expect("nothing came on stdout")
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    pub fn signal_if_running(&mut self, signal: &str) {
        if self.is_running() {
            self.signal(signal);
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end, stdin still open if it was; collects all output.
    pub fn ends(mut self) -> Ended {
        let end = Instant::now() + DEADLINE;
        let stdout = collect(self.stdout.take(), end);
        let stderr = self.seen.clone() + &String::from_utf8_lossy(&collect(self.stderr.take(), end));
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let (signal, core) = (status.signal(), status.core_dumped());
                return Ended { status: code(status), signal, core, stdout, stderr };
            }
            assert!(Instant::now() < end, "still running; stderr: {stderr}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// CPU seconds used so far.
    pub fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }
}

fn collect(from: Option<Receiver<Vec<u8>>>, end: Instant) -> Vec<u8> {
    let mut all = Vec::new();
    let Some(from) = from else { return all };
    loop {
        match from.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(bytes) => all.extend(bytes),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return all,
            Err(_) => panic!("output did not end; so far: {}", String::from_utf8_lossy(&all)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A TCP server of the test's own; `serve` runs in a thread for each connection.
pub fn server(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    // std's backlog of 128 is too short for the tests with thousands of peers.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(4096).unwrap();
    let listener: TcpListener = socket.into();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Connects to loopback with timeouts set.
pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Reads to the end.
pub fn read_all(mut stream: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

/// Makes the coming close a reset.
pub fn reset_on_close(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Bytes that differ everywhere, the same for the same seed.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// The children of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    tasks.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// True while a process exists and is no zombie.
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| state != "Z")
}
