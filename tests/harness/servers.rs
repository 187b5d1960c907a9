//! Servers of others, started and waited for.

use super::{Process, is_listening, program, wait_until};

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
