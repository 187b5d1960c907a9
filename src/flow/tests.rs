//! Whole flows between pipes and files.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path as FilePath;
use std::time::Duration;

use rustix::event::{PollFd, Timespec, poll};

use super::moving::CHUNK;
use super::*;

/// Drives a flow to its end, as a poll loop does.
fn drive(flow: &mut Flow) {
    let end = Instant::now() + Duration::from_secs(20);
    flow.advance(Instant::now());
    while !flow.is_over() {
        assert!(Instant::now() < end, "stuck: {:?} {} {}", flow.blocked, flow.received, flow.sent);
        wait(flow);
        flow.advance(Instant::now());
    }
}

/// Waits as the owners do, who wait without a limit where nothing is due: a flow that asks for too little stands still.
fn wait(flow: &Flow) {
    assert!(is_ready(flow, Duration::from_secs(20)), "asleep: {:?} {}", flow.blocked, flow.received);
}

/// True when a flow is to go on within this time.
fn is_ready(flow: &Flow, longest: Duration) -> bool {
    let mut wanted = Vec::new();
    let due = flow.waits(&mut wanted);
    let mut fds: Vec<PollFd<'_>> =
        wanted.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    let due = due.map(|due| due.saturating_duration_since(Instant::now()));
    let nap = due.map_or(longest, |due| due.min(longest));
    let timeout = Timespec { tv_sec: nap.as_secs() as i64, tv_nsec: i64::from(nap.subsec_nanos()) };
    poll(&mut fds, Some(&timeout)).unwrap() > 0 || due.is_some_and(|due| due <= longest)
}

/// Writes bytes into a pipe from a thread; answers the read end.
fn source(bytes: Vec<u8>) -> End {
    let (out, into) = pipe().unwrap();
    std::thread::spawn(move || std::fs::File::from(into).write_all(&bytes));
    End::own(out).unwrap()
}

/// A pipe as a sink, and a thread that reads it to the end.
fn sink() -> (Outlet, std::thread::JoinHandle<Vec<u8>>) {
    let (out, into) = pipe().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        std::fs::File::from(out).read_to_end(&mut all).unwrap();
        all
    });
    (Outlet::new(End::own(into).unwrap(), "the sink"), reader)
}

fn file(path: &FilePath) -> Outlet {
    Outlet::file(path, Existing::Replaced).unwrap()
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 251) as u8).collect()
}

#[test]
fn all_bytes_pass_in_order_and_are_copied() {
    let bytes = sample(3_000_000);
    let dir = tempfile::tempdir().unwrap();
    // Without a buffer the kernel moves them, with one we do.
    for buffer in [0, 100_000] {
        let path = dir.path().join(buffer.to_string());
        let (outlet, reader) = sink();
        let steps = vec![Step::Tee(Some(file(&path)))];
        let mut flow = Flow::new(source(bytes.clone()), Some(outlet), steps, buffer);
        drive(&mut flow);
        assert_eq!(flow.ending(), Some(&Ending::EndOfData));
        assert_eq!((flow.received(), flow.sent()), (3_000_000, 3_000_000));
        assert!(reader.join().unwrap() == bytes);
        assert!(std::fs::read(path).unwrap() == bytes);
    }
}

#[test]
fn a_copy_into_a_pipe_is_complete_too() {
    let bytes = sample(3_000_000);
    let (outlet, reader) = sink();
    let (copy, copied) = sink();
    let mut flow = Flow::new(source(bytes.clone()), Some(outlet), vec![Step::Tee(Some(copy))], 0);
    drive(&mut flow);
    assert!(reader.join().unwrap() == bytes);
    assert!(copied.join().unwrap() == bytes);
}

#[test]
fn a_file_that_is_appended_to_takes_everything_although_it_refuses_splice() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("all"), dir.path().join("copy"));
    std::fs::write(&path, "before ").unwrap();
    let added = std::fs::File::options().append(true).open(&path).unwrap();
    let outlet = Outlet::new(End::own(added.into()).unwrap(), "file");
    let bytes = sample(500_000);
    let steps = vec![Step::Tee(Some(file(&copy)))];
    let mut flow = Flow::new(source(bytes.clone()), Some(outlet), steps, 0);
    drive(&mut flow);
    assert!(std::fs::read(path).unwrap() == [b"before ", &bytes[..]].concat());
    assert!(std::fs::read(copy).unwrap() == bytes);
}

#[test]
fn a_full_disk_under_a_copy_is_told_once_and_the_rest_goes_on() {
    for buffer in [0, 100_000] {
        let (outlet, reader) = sink();
        let steps = vec![Step::Tee(Some(file("/dev/full".as_ref())))];
        let mut flow = Flow::new(source(sample(2_000_000)), Some(outlet), steps, buffer);
        drive(&mut flow);
        let failures: Vec<String> = flow.failures().iter().map(ToString::to_string).collect();
        assert_eq!(failures, ["cannot write /dev/full: No space left on device"]);
        assert_eq!(flow.ending(), Some(&Ending::EndOfData));
        assert!(reader.join().unwrap() == sample(2_000_000));
    }
}

#[test]
fn a_full_disk_under_the_sink_is_the_end() {
    let mut flow = Flow::new(source(sample(100)), Some(file("/dev/full".as_ref())), Vec::new(), 0);
    drive(&mut flow);
    let why = Failure::other("cannot write /dev/full", "No space left on device");
    assert_eq!(flow.ending(), Some(&Ending::Failed(why)));
}

#[test]
fn a_slow_reader_stops_the_reading() {
    for buffer in [0, 100_000] {
        let (out, into) = pipe().unwrap();
        let outlet = Outlet::new(End::own(into).unwrap(), "the sink");
        let (out_of_source, into_source) = pipe().unwrap();
        let writer =
            std::thread::spawn(move || std::fs::File::from(into_source).write_all(&sample(8_000_000)));
        let mut flow = Flow::new(End::own(out_of_source).unwrap(), Some(outlet), Vec::new(), buffer);
        for _ in 0..50 {
            flow.advance(Instant::now());
            std::thread::yield_now();
        }
        // The pipe holds 64 KiB, the buffer what it was given and at most one read more.
        assert!(flow.received() <= (65536 + buffer + CHUNK) as u64, "{}", flow.received());
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            std::fs::File::from(out).read_to_end(&mut all).unwrap();
            all
        });
        drive(&mut flow);
        assert!(reader.join().unwrap() == sample(8_000_000));
        writer.join().unwrap().unwrap();
    }
}

#[test]
fn a_flow_whose_turn_is_over_goes_on_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inlet");
    std::fs::write(&path, vec![0; TURN + CHUNK * 4]).unwrap();
    let inlet = End::own(std::fs::File::open(path).unwrap().into()).unwrap();
    let (out, into) = pipe().unwrap();
    let copy = Outlet::new(End::own(into).unwrap(), "the copy");
    let mut flow = Flow::new(inlet, Some(file("/dev/null".as_ref())), vec![Step::Tee(Some(copy))], 0);
    // A copy that is slow stops it; without it, there is more than one turn's worth.
    flow.advance(Instant::now());
    assert_eq!(flow.blocked, Blocked::Outlet);
    drop(out);
    flow.advance(Instant::now());
    assert!(!flow.is_over());
    assert!(is_ready(&flow, Duration::ZERO), "asleep: {:?}", flow.blocked);
}

#[test]
fn a_slow_reader_keeps_nobody_awake_although_the_copy_has_room() {
    let (_out, into) = pipe().unwrap();
    let sink = Outlet::new(End::own(into).unwrap(), "the sink");
    let (copied, into_copy) = pipe().unwrap();
    let copy = Outlet::new(End::own(into_copy).unwrap(), "the copy");
    let (out, writer) = pipe().unwrap();
    let mut flow = Flow::new(End::own(out).unwrap(), Some(sink), vec![Step::Tee(Some(copy))], 0);
    // The first 64 KiB fill the sink, the next are in the copy and owed to the sink.
    for _ in 0..2 {
        rustix::io::write(&writer, &vec![0; 65536]).unwrap();
        flow.advance(Instant::now());
        let mut left = vec![0; 65536];
        assert_eq!(rustix::io::read(&copied, &mut left[..]), Ok(65536));
    }
    assert_eq!((flow.blocked, flow.sent()), (Blocked::Outlet, 65536));
    assert!(!is_ready(&flow, Duration::ZERO));
}

#[test]
fn a_writer_is_told_when_the_reader_has_gone_although_nothing_is_written() {
    let (out, into) = pipe().unwrap();
    let (out_of_source, into_source) = pipe().unwrap();
    let outlet = Outlet::new(End::own(into).unwrap(), "the sink");
    let mut flow = Flow::new(End::own(out_of_source).unwrap(), Some(outlet), Vec::new(), 0);
    flow.advance(Instant::now());
    assert!(!flow.is_over());
    drop(out);
    drive(&mut flow);
    assert_eq!(flow.ending(), Some(&Ending::ReaderGone));
    assert_eq!(rustix::io::write(&into_source, b"x"), Err(rustix::io::Errno::PIPE));
}

/// What `head` lets through of `bytes`, and what the writer then learns.
fn head(extent: Extent, bytes: &[u8], buffer: usize) -> (Vec<u8>, OwnedFd) {
    let (out, into) = pipe().unwrap();
    rustix::io::write(&into, bytes).unwrap();
    let (outlet, reader) = sink();
    let mut flow = Flow::new(End::own(out).unwrap(), Some(outlet), vec![Step::Head(extent)], buffer);
    drive(&mut flow);
    assert_eq!(flow.ending(), Some(&Ending::Enough));
    (reader.join().unwrap(), into)
}

#[test]
fn a_head_ends_the_writer_as_soon_as_it_has_its_share() {
    for (extent, buffer) in [(Extent::Lines(2), 0), (Extent::Bytes(4), 0), (Extent::Bytes(4), 10)] {
        let (got, into) = head(extent, b"a\nb\nc\n", buffer);
        assert_eq!(got, b"a\nb\n");
        assert_eq!(rustix::io::write(&into, b"x"), Err(rustix::io::Errno::PIPE));
    }
}

#[test]
fn a_limit_is_kept_on_both_paths() {
    for buffer in [0, 100_000] {
        let (outlet, reader) = sink();
        let started = Instant::now();
        let steps = vec![Step::Limit(Rate::new(1_000_000))];
        let mut flow = Flow::new(source(sample(300_000)), Some(outlet), steps, buffer);
        drive(&mut flow);
        assert!(started.elapsed() > Duration::from_millis(190), "{:?}", started.elapsed());
        assert_eq!(reader.join().unwrap().len(), 300_000);
    }
}

#[test]
fn lines_are_labelled_and_an_unfinished_one_waits_for_its_end() {
    let (out, into) = pipe().unwrap();
    let (outlet, reader) = sink();
    let lines = Lines::new(Label::Text(b"x: ".to_vec()), Unfinished::Wait, Instant::now());
    let mut flow = Flow::new(End::own(out).unwrap(), Some(outlet), vec![Step::Label(lines)], 0);
    for part in [&b"one\ntw"[..], b"o\nrest"] {
        rustix::io::write(&into, part).unwrap();
        flow.advance(Instant::now());
    }
    drop(into);
    drive(&mut flow);
    assert_eq!(String::from_utf8(reader.join().unwrap()).unwrap(), "x: one\nx: two\nx: rest");
}

#[test]
fn a_gibibyte_is_captured_in_bounded_memory() {
    let (out, into) = pipe().unwrap();
    grow(&into, LARGE);
    let writer = std::thread::spawn(move || {
        let mut file = std::fs::File::from(into);
        let block = vec![7; 1 << 20];
        (0..1024).try_for_each(|_| file.write_all(&block))
    });
    let before = resident();
    let steps = vec![Step::Keep(Capture::new(64 * 1024, Keep::Both))];
    let mut flow = Flow::new(End::own(out).unwrap(), None, steps, 0);
    drive(&mut flow);
    writer.join().unwrap().unwrap();
    // Other tests run beside this one: their few megabytes are no gibibyte.
    assert!(resident() < before + (256 << 20));
    let captured = flow.captured().remove(0);
    assert_eq!((captured.total, captured.bytes.len(), captured.gap), (1 << 30, 65536, Some(32768)));
}

fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn the_time_that_a_writer_is_held_up_is_counted_and_no_other() {
    for buffer in [0, 1000] {
        let (_out, into) = pipe().unwrap();
        let sink = Outlet::new(End::own(into).unwrap(), "the sink");
        let (out, writer) = pipe().unwrap();
        let mut flow = Flow::new(End::own(out).unwrap(), Some(sink), vec![], buffer);
        let at = |seconds| Instant::now() + Duration::from_secs(seconds);
        flow.advance(at(0));
        flow.advance(at(10));
        assert_eq!(flow.stalled(), Duration::ZERO);
        grow(&writer, LARGE);
        rustix::io::write(&writer, &vec![0; 500_000]).unwrap();
        flow.advance(at(20));
        flow.advance(at(23));
        assert_eq!(flow.stalled().as_secs_f64().round(), 3.0);
    }
}
