//! Verdicts over real sockets do not depend on how what was said comes in pieces, and both sides of a script agree.

use std::io::Write;
use std::net::Shutdown;

use crate::harness::*;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Units of every kind, whose ends and whose patterns a read may split.
const SCRIPT: &str = "\
.term aXa
= one
.term \\r\\n
= two
! ^never
~ ^thr(?<x>e+)$
~~ prompt>\x20
<# 3 n
.term 2
= ab
.term line
< la
<< \\r\\r
.term none
~1 ^r(?<y>es)t$
> said ${x} ${n} ${y}
";
const STREAM: &[u8] = b"oneaXatwo\r\nskip\r\nthreee\r\nxaprompt> abcablast\r\n\r\rrest";

/// The places where the stream is cut: everywhere, nowhere, at each place, and at many pairs of them.
fn splits() -> Vec<Vec<usize>> {
    let places = 1..STREAM.len();
    let pairs = places.clone().flat_map(|first| places.clone().map(move |second| vec![first, second]));
    let some = pairs.filter(|pair| pair[0] < pair[1]).step_by(5);
    let single = places.clone().map(|place| vec![place]);
    [vec![], places.clone().collect()].into_iter().chain(single).chain(some).collect()
}

/// Says `stream` in pieces, each a segment of its own, then the end; what it hears.
fn says(port: u16, stream: &[u8], places: &[usize]) -> Vec<u8> {
    let socket = connect(port);
    socket.set_nodelay(true).unwrap();
    let mut from = 0;
    for to in places.iter().copied().chain([stream.len()]) {
        // A verdict may come before all was said.
        if (&socket).write_all(&stream[from..to]).is_err() {
            break;
        }
        std::thread::yield_now();
        from = to;
    }
    let _ = socket.shutdown(Shutdown::Write);
    let mut heard = Vec::new();
    let _ = std::io::Read::read_to_end(&mut &socket, &mut heard);
    heard
}

/// A mock server for a client of each split.
fn mock(shop: &Workshop, clients: usize) -> Process {
    shop.write("split.chat", SCRIPT);
    let script = shop.path("split.chat").display().to_string();
    let clients = clients.to_string();
    spile(["chat", "listen:tcp:127.0.0.1:0", &script, "--clients", &clients, "--concurrent"])
}

#[test]
fn every_split_of_a_stream_comes_to_the_same() {
    let (shop, splits) = (Workshop::new(), splits());
    assert!(splits.len() > 250);
    let mut mock = mock(&shop, splits.len());
    let port = mock.port();
    for places in &splits {
        assert_eq!(String::from_utf8_lossy(&says(port, STREAM, places)), "said eee abc es\r\n", "{places:?}");
    }
    mock.eof().ends().exits(0);
}

#[test]
fn every_split_fails_at_the_same_step_for_the_same_reason() {
    let (shop, splits) = (Workshop::new(), splits());
    let mut mock = mock(&shop, splits.len());
    let port = mock.port();
    let stream = String::from_utf8_lossy(STREAM).replace("skip", "never");
    for places in &splits {
        assert_eq!(says(port, stream.as_bytes(), places), b"", "{places:?}");
    }
    let ended = mock.eof().ends().exits(4);
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("split.chat:6: ")).collect();
    assert_eq!(lines.len(), splits.len(), "{}", ended.stderr);
    assert!(lines.iter().all(|line| line.contains("never")), "{}", ended.stderr);
}

/// Scripts that have another side.
fn scripts() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec!["a", "a b", "\\xff\\0", "é", "x\\ty", "$", "\\r", "\\n"]);
    let step = (prop::sample::select(vec!["> ", ">> ", "= ", "<< "]), text)
        .prop_filter("a unit is one", |(operator, text)| *operator != "= " || !text.contains("\\n"))
        .prop_map(|(operator, text)| format!("{operator}{text}\n"));
    let steps = prop::collection::vec(step, 1..30);
    let head = prop::sample::select(vec!["", ".eol \\n\n.term \\n\n", ".eol aXa\n.term \\0\\n\n"]);
    let tail = prop::sample::select(vec!["", "<$\n", ".half-close\n<$\n", ".loop 3\n> again\n= yes\n.end\n"]);
    (head, steps, tail).prop_map(|(head, steps, tail)| head.to_owned() + &steps.concat() + tail)
}

#[test]
fn a_script_and_its_other_side_agree() {
    let config = ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&scripts(), |script| {
            let shop = Workshop::new();
            shop.write("x.chat", &script);
            let line = "spile chat listen:tcp:127.0.0.1:0 x.chat --swap --clients 1 \
                        --then 'spile chat \"$SPILE_ADDR\" x.chat'";
            let ended = shop.runs(line);
            prop_assert_eq!(ended.status, 0, "{}\n{}", script, ended.stderr);
            Ok(())
        })
        .unwrap();
}
