//! Conversations over sockets with messages, and files that are said: whole, in pieces, out of a pipe.

use std::net::UdpSocket;

use crate::harness::echo::Echo;
use crate::harness::*;

/// A datagram socket, and how a conversation with it is begun.
fn peer() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let target = format!("udp:{}", socket.local_addr().unwrap());
    (socket, target)
}

#[test]
fn an_empty_datagram_is_said_and_heard() {
    let (socket, target) = peer();
    let chat = spile([
        "chat", "-v", &target, "-e", ">>", "-e", "<<", "-e", ">> a", "-e", "=", "-e", "= b", "-e", ">>",
        "-e", "= c",
    ]);
    let mut buffer = [0; 10];
    let (n, from) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!(n, 0);
    socket.send_to(b"", from).unwrap();
    assert_eq!(socket.recv(&mut buffer).unwrap(), 1);
    for message in [&b""[..], b"b"] {
        socket.send_to(message, from).unwrap();
    }
    assert_eq!(socket.recv(&mut buffer).unwrap(), 0);
    socket.send_to(b"c", from).unwrap();
    chat.eof().ends().exits(0);
    // The other side of that is a script, too.
    let words = ["-e", ">>", "-e", "<<", "-e", ">> a"];
    let mut mock = spile([&["chat", "listen:udp:127.0.0.1:0", "--swap"], &words[..]].concat());
    let target = format!("udp:127.0.0.1:{}", mock.port());
    spile([&["chat", &target], &words[..]].concat()).eof().ends().exits(0);
    mock.ends().exits(0);
    for target in ["127.0.0.1:1", "run:cat", "-"] {
        spile(["chat", target, "-e", ">>"]).eof().ends().exits(2).complains("> alone is an empty line");
    }
}

#[test]
fn an_empty_datagram_is_recorded() {
    let (socket, target) = peer();
    let shop = Workshop::new();
    let tape = shop.path("tape.chat").display().to_string();
    let mut session = spile(["chat", "--record", &tape, "listen:udp:127.0.0.1:0", &target, "-t", "60s"]);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.connect(("127.0.0.1", session.port())).unwrap();
    let mut buffer = [0; 10];
    for message in [&b""[..], b"x"] {
        client.send(message).unwrap();
        let (n, from) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], message);
        socket.send_to(message, from).unwrap();
        assert_eq!(client.recv(&mut buffer).unwrap(), message.len());
    }
    session.signal("INT");
    session.ends();
    let text = String::from_utf8(shop.read("tape.chat")).unwrap();
    let steps: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(steps, [">>", "<<", ">> x", "<< x"]);
}

#[test]
fn a_file_that_is_no_message_may_be_several() {
    let (socket, target) = peer();
    let shop = Workshop::new();
    shop.write("big", vec![b'x'; 100_000]);
    let step = format!(">@ {}", shop.path("big").display());
    let ended = spile(["chat", &target, "-e", &step]).eof().ends().exits(1);
    ended.complains("too many for one message (.pace makes several of them)");
    spile(["chat", &target, "-e", ".pace 50000/1ms", "-e", &step]).eof().ends().exits(0);
    let mut buffer = vec![0; 65536];
    assert_eq!((socket.recv(&mut buffer).unwrap(), socket.recv(&mut buffer).unwrap()), (50_000, 50_000));
}

#[test]
fn a_file_may_be_a_pipe() {
    let line = "exec $SPILE chat run:cat -e \">@ /dev/fd/3\" -e '= a' -e '= b' 3<&0";
    shell(&format!("{{ echo a; echo b; }} | {{ {line}; }}")).eof().ends().exits(0);
    let shop = Workshop::new();
    let fifo = shop.path("fifo").display().to_string();
    let step = format!(">@ {fifo}");
    let line =
        format!("mkfifo {fifo}; echo late > {fifo} & exec $SPILE chat run:cat -e '{step}' -e '= late'");
    shell(&line).eof().ends().exits(0);
    // Nobody writes; nobody writes any more.
    let limit = ["chat", "--step-timeout", "300ms", "run:cat", "-e", &step];
    spile(limit).eof().ends().exits(124).complains(&format!("nothing comes from {fifo}"));
    let line =
        format!("exec 4<>{fifo}; echo a >&4; exec $SPILE chat --step-timeout 300ms run:cat -e '{step}'");
    shell(&line).eof().ends().exits(124).complains("nothing comes from");
    for (path, why) in [("/dev/zero", "neither a file nor a pipe"), ("/dev", "neither a file nor a pipe")] {
        let step = format!(">@ {path}");
        let ended = spile(["chat", "run:cat", "-e", &step]).eof().ends().exits(1);
        ended.complains(&format!("cannot read {path}: it is {why}"));
    }
}

#[test]
fn what_is_said_while_we_speak_or_pause_is_not_lost() {
    let echo = Echo::start(&["udp-l:127.0.0.1:0"]);
    let target = format!("udp:127.0.0.1:{}", echo.port());
    let shop = Workshop::new();
    shop.write("big", vec![b'x'; 300_000]);
    let file = format!(">@ {}", shop.path("big").display());
    for steps in [
        // Slowly, so that the echo server loses nothing either, though it may have to wait for a processor.
        &[".pace 1000/10ms", &file, "<# 300000"][..],
        &[".loop 600", ">> x", ".sleep 4ms", ".end", "<# 600"],
    ] {
        let words = steps.iter().flat_map(|step| ["-e", step]);
        spile(["chat", &target, "-t", "60s"].into_iter().chain(words)).eof().ends().exits(0);
    }
    // What there is no room for is not kept.
    let small = ["chat", &target, "--max-buffer", "500", "--step-timeout", "300ms"];
    let steps = ["-e", ".loop 600", "-e", ">> x", "-e", ".sleep 1ms", "-e", ".end", "-e", "<# 600 all"];
    spile(small.into_iter().chain(steps)).eof().ends().exits(4).complains("more than is kept");
}

#[test]
fn a_peer_that_is_not_there_is_told_though_we_paused() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let target = format!("udp:127.0.0.1:{port}");
    for pause in [".sleep 50ms", ".sleep 0"] {
        let ended = spile(["chat", &target, "-e", ">> a", "-e", pause, "-e", ">> b"]).eof().ends().exits(18);
        ended.complains("-e:3: >> b: nobody listens there (port unreachable)");
    }
}
