//! What is wrong with scripts, peers and programs: the right status, bounded memory, and nothing hangs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::harness::*;

const GIB: u64 = 1 << 30;

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Runs `spile chat` with these words, and tells how it went and the most memory that it had, in KiB.
fn measured(shop: &Workshop, words: &[&str]) -> (Ended, u64) {
    let report = shop.path("report.json").display().to_string();
    let ended = spile([&["run", "--report", &report, "--", SPILE, "chat"], words].concat()).eof().ends();
    let report: serde_json::Value = serde_json::from_slice(&shop.read("report.json")).unwrap();
    (ended, report["rusage"]["maxrss"].as_u64().unwrap() / 1024)
}

/// Says `most` bytes, unless nobody wants them any more.
fn floods(mut stream: &TcpStream, most: u64, said: &AtomicU64) {
    let chunk = [b'x'; 1 << 16];
    while said.load(Ordering::Relaxed) < most && stream.write_all(&chunk).is_ok() {
        said.fetch_add(chunk.len() as u64, Ordering::Relaxed);
    }
}

#[test]
fn a_script_of_mistakes_tells_each_of_them() {
    let shop = Workshop::new();
    let script = |count: usize| {
        let lines = ["~ (\n", "> \\q\n", "nonsense\n", ".loop\n"];
        lines.into_iter().cycle().take(count).collect::<String>()
    };
    shop.write("bad.chat", script(80));
    let ended = shop.runs("spile chat --check bad.chat").exits(2);
    let told = |n: usize| ended.stderr.contains(&format!("spile chat: bad.chat:{n}: "));
    assert!((1..=80).all(told), "{}", ended.stderr);
    // What has so many is no script.
    shop.write("bad.chat", script(100_000));
    let ended = shop.runs("spile chat --check bad.chat").exits(2).complains("more is wrong from here on");
    assert!(ended.stderr.lines().count() < 300, "{}", ended.stderr);
}

#[test]
fn what_is_no_script_is_told_in_a_word() {
    let shop = Workshop::new();
    shop.write("noise.chat", noise(7, 1 << 20));
    shop.write("huge.chat", "");
    let huge = std::fs::File::options().write(true).open(shop.path("huge.chat")).unwrap();
    huge.set_len(GIB).unwrap();
    for name in ["noise.chat", "huge.chat"] {
        let (ended, memory) = measured(&shop, &["--check", &shop.path(name).display().to_string()]);
        let ended = ended.exits(2);
        assert!(ended.stderr.len() < 1000, "{}", ended.stderr);
        assert!(!ended.stderr.contains(|c: char| c != '\n' && c.is_control()), "{}", ended.stderr);
        assert!(memory < 100 * 1024, "{memory} KiB for {name}");
    }
}

#[test]
fn a_flood_without_an_end_of_line_is_too_much_at_once() {
    let (shop, said) = (Workshop::new(), Arc::new(AtomicU64::new(0)));
    let counter = said.clone();
    let target = at(server(move |stream| {
        counter.store(0, Ordering::Relaxed);
        floods(&stream, GIB, &counter);
    }));
    for step in ["~ never", "~1 never", "= x", "<$ all", "<# 1G all", "? never -> L"] {
        let label = if step.starts_with('?') { ":L" } else { "> no" };
        let (ended, memory) = measured(&shop, &[&target, "-e", step, "-e", label]);
        assert_eq!(ended.status, 4, "{step}: {}", ended.stderr);
        assert!(memory < 40 * 1024, "{memory} KiB for {step}");
        assert!(said.load(Ordering::Relaxed) < GIB / 8, "{step} has heard too much");
    }
}

#[test]
fn a_flood_that_is_passed_over_takes_no_memory() {
    let (shop, most) = (Workshop::new(), 48 << 20);
    let target = at(server(move |stream| {
        floods(&stream, most, &AtomicU64::new(0));
        let _ = (&stream).write_all(b"marker\n");
    }));
    for steps in [["~~ mark(?<x>er)", "= "], ["<# 48MiB", "= marker"], ["<$", ".rest-empty"]] {
        let words = [&target, "-e", steps[0], "-e", steps[1], "--step-timeout", "60s"];
        let (ended, memory) = measured(&shop, &words);
        assert_eq!(ended.status, 0, "{steps:?}: {}", ended.stderr);
        assert!(memory < 40 * 1024, "{memory} KiB for {steps:?}");
    }
}

#[test]
fn a_peer_that_never_reads_is_a_time_limit() {
    let shop = Workshop::new();
    shop.write("large", "");
    let large = std::fs::File::options().write(true).open(shop.path("large")).unwrap();
    large.set_len(100 << 20).unwrap();
    // It keeps the connection and does nothing else.
    let target = at(server(|_stream| std::thread::park()));
    let step = format!(">@ {}", shop.path("large").display());
    let started = Instant::now();
    let (ended, memory) = measured(&shop, &[&target, "--step-timeout", "300ms", "-e", &step]);
    assert!(started.elapsed() < Duration::from_secs(10));
    let ended = ended.exits(124).complains("-e:1: >@ ");
    assert!(ended.stderr.contains("takes nothing"), "{}", ended.stderr);
    assert!(memory < 40 * 1024, "{memory} KiB");
}

#[test]
fn a_program_that_dies_in_the_middle_is_told_with_how() {
    for (program, told) in [("echo a; exit 3", "3"), ("echo a; kill -KILL $$", "KILL")] {
        let target = format!("sh:{program}");
        let ended = spile(["chat", &target, "-e", "= a", "-e", "= b"]).eof().ends().exits(4);
        assert!(ended.stderr.contains("-e:2: = b: wanted"), "{}", ended.stderr);
        assert!(ended.stderr.contains(told), "'{told}' is not told: {}", ended.stderr);
    }
}

#[test]
fn each_way_not_to_have_a_peer_has_its_status() {
    let reset = at(server(|stream| {
        let _ = (&stream).write_all(b"hal");
        let _ = (&stream).read(&mut [0; 1]);
        reset_on_close(&stream);
    }));
    spile(["chat", &reset, "-e", ">> x", "-e", "= half"]).eof().ends().exits(18).complains("-e:2: = half");
    let nobody = format!("127.0.0.1:{}", free_port());
    spile(["chat", &nobody, "-e", "= x"]).eof().ends().exits(7).complains("cannot connect");
    spile(["chat", "no-such-host.invalid:1", "-e", "= x"]).eof().ends().exits(6).complains("no-such-host");
    let mock = ["chat", "listen:tcp:127.0.0.1:0", "--accept-timeout", "200ms", "-e", "= x"];
    spile(mock).eof().ends().exits(124).complains("--accept-timeout");
}
