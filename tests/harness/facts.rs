//! What the kernel says about processes, descriptors and sockets.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The text of a program's stdout; the program must succeed.
pub fn output_of(name: &str, args: &[&str]) -> String {
    let output = Command::new(name)
        .args(args)
        .output()
        .unwrap_or_else(|why| panic!("cannot start {name}: {why}; install it (scripts/test does)"));
    assert!(output.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The numbers of the open descriptors of a process.
pub fn descriptors(pid: u32) -> Vec<u32> {
    let dir = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut all: Vec<u32> =
        dir.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    all.sort_unstable();
    all
}

/// What a descriptor of a process points to.
pub fn descriptor(pid: u32, number: u32) -> PathBuf {
    std::fs::read_link(format!("/proc/{pid}/fd/{number}")).unwrap_or_default()
}

/// Resident memory of a process in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// True when the open file behind `fd` is in non-blocking mode; duplicates share that.
pub fn is_nonblocking(fd: impl std::os::fd::AsFd) -> bool {
    rustix::fs::fcntl_getfl(fd).unwrap().contains(rustix::fs::OFlags::NONBLOCK)
}

/// What `ss` says about TCP sockets that match a filter.
pub fn tcp_sockets(filter: &str) -> String {
    output_of("ss", &["-H", "-t", "-a", "-n", "-o", "-e", "-i", "-O", filter])
}

/// A port on which nobody listens and which answers nobody: its queue is full, so the kernel drops SYNs.
pub struct BlackHole {
    pub port: u16,
    _listener: TcpListener,
    _fillers: Vec<std::thread::JoinHandle<()>>,
}

impl BlackHole {
    /// Makes one on `host`, on `port` or (0) a free one.
    pub fn on(host: &str, port: u16) -> BlackHole {
        let listener = TcpListener::bind((host, port)).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let _fillers = (0..4)
            .map(|_| {
                std::thread::spawn(move || {
                    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(30));
                    std::thread::park_timeout(Duration::from_secs(30)); // the queue stays full meanwhile
                    drop(stream);
                })
            })
            .collect();
        let hole = BlackHole { port: address.port(), _listener: listener, _fillers };
        super::wait_until("the queue is full", || {
            TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err()
        });
        hole
    }
}

/// A port that is closed, at this moment.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The living processes that have this word among their arguments.
pub fn with_argument(word: &str) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has_word = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
    };
    pids.filter(|pid| has_word(pid) && super::is_alive(*pid)).collect()
}

/// A number that nobody else sleeps for, another one at each call.
pub fn unique_sleep() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("9{:06}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// True while a signal waits to be read by a process; for one that has ended none does, waited for or not.
pub fn has_pending(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    state_of(pid) != 'Z'
        && status.lines().any(|line| line.starts_with("ShdPnd:") && !line.ends_with("0000000000000000"))
}

/// True for a living process with this short name.
pub fn is_a(pid: u32, name: &str) -> bool {
    let own = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    own.trim_end() == name && super::is_alive(pid)
}

/// The state of a process, as proc_pid_stat(5) has it: `S`, `T`…; a space when it is gone.
pub fn state_of(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next()).unwrap_or(' ')
}

/// Says that a test is skipped, and why; past the test harness, which keeps to itself what a test prints that passes.
pub fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = std::io::stderr().write_all(format!("{name}: skipped: {why}\n").as_bytes());
}

/// True where namespaces can be made; says so where a test is skipped.
pub fn have_namespace(namespace: &str) -> bool {
    let made =
        Command::new("unshare").args([namespace, "true"]).output().is_ok_and(|out| out.status.success());
    if !made {
        skipped(&format!("no namespace can be made here (unshare {namespace}); run as root"));
    }
    made
}
