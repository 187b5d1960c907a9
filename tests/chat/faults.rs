//! Peers that flood us: limits and signals hold, and what is kept is bounded.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::harness::*;

/// A server that says this over and over for as long as somebody takes it, and how many MiB it has said.
fn counted_flood(text: &'static [u8]) -> (String, Arc<AtomicU64>) {
    let said = Arc::new(AtomicU64::new(0));
    let counter = said.clone();
    let port = server(move |mut stream| {
        let block: Vec<u8> = text.iter().copied().cycle().take(1 << 20).collect();
        while stream.write_all(&block).is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    (format!("127.0.0.1:{port}"), said)
}

fn flood(text: &'static [u8]) -> String {
    counted_flood(text).0
}

/// Most memory that a process had at once, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_limit_holds_though_there_is_always_more_to_hear() {
    let target = flood(b"x\n");
    for (flags, step) in [
        (["-t", "300ms"], "~ never"),
        (["-t", "300ms"], "~~ never"),
        (["--step-timeout", "300ms"], "~ never"),
    ] {
        let ended = spile([&["chat", &target, "-e", step], &flags[..]].concat()).eof().ends().exits(124);
        assert!(ended.stderr.len() < 4000, "{}", ended.stderr);
    }
}

#[test]
fn a_signal_is_heard_in_a_flood_and_memory_stays_small() {
    let (target, said) = counted_flood(b"0123456789abcdef");
    let chat = spile(["chat", &target, "--step-timeout", "1h", "-e", "~~ never"]);
    wait_until("64 MiB are heard", || said.load(Ordering::Relaxed) > 80);
    assert!(peak(chat.pid()) < 48 * 1024, "{} KiB", peak(chat.pid()));
    chat.signal("TERM");
    chat.ends().exits(143);
}

#[test]
fn a_unit_without_an_end_is_a_failure_and_no_silent_loss() {
    let target = flood(b"0123456789abcdef");
    let ended = spile(["chat", &target, "-e", "~ ^0"]).eof().ends().exits(4);
    assert!(ended.stderr.contains("more than is kept"), "{}", ended.stderr);
    spile(["chat", &target, "--max-buffer", "8M", "-e", "<# 5000000 BIG", "-e", "<< 0123"])
        .eof()
        .ends()
        .exits(0);
}
