//! Servers of others: a free port for them, and the wait until they listen.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use super::{Process, output_of, program, wait_until};

/// A free port for a server that cannot be asked which one it took; below the range from which the kernel
/// takes the ports of outgoing connections, so that no other test gets it meanwhile.
pub fn free_port() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 10_000 + u16::try_from(std::process::id() * 61 % 20_000).unwrap();
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed);
        let free = TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("::1", port)).is_ok();
        if free {
            return port.to_string();
        }
    }
}

/// True when somebody listens there.
pub fn is_listening(port: &str) -> bool {
    !output_of("ss", &["-H", "-l", "-n", "-t", &format!("sport = :{port}")]).is_empty()
}

/// Starts a server of theirs and waits until it listens, without using up a connection.
pub fn peer(name: &str, args: &[&str], port: &str) -> Process {
    let server = program(name, args);
    wait_until(&format!("{name} listens"), || is_listening(port));
    server
}

/// Where Debian puts PostgreSQL's own programs.
pub fn postgres_programs() -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|entry| entry.path().join("bin")).find(|dir| dir.join("initdb").exists());
    found.expect("no PostgreSQL; install it (scripts/test does)").display().to_string()
}
