//! Options of the address families that show in files, children, terminals and sockets; `families.rs` has the rest.

use std::io::{Read, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use crate::harness::*;

fn ask(port: u16, request: &[u8]) -> Vec<u8> {
    let stream = connect(port);
    (&stream).write_all(request).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&stream)
}

#[test]
fn the_stderr_of_a_program_goes_where_it_is_told_to() {
    let run = |option: &str| {
        let mut relay =
            spile(["relay", "--once", "tcp-l:127.0.0.1:0", &format!("sh{option}:echo oops >&2; echo out")]);
        let answer = ask(relay.port(), b"");
        (String::from_utf8(answer).unwrap(), relay.ends().exits(0).stderr.contains("oops"))
    };
    assert_eq!(run(""), ("out\n".to_owned(), true));
    assert_eq!(run(",stderr=inherit"), ("out\n".to_owned(), true));
    assert_eq!(run(",stderr=merge"), ("oops\nout\n".to_owned(), false));
    assert_eq!(run(",stderr=null"), ("out\n".to_owned(), false));
}

#[test]
fn a_program_has_pipes_or_a_socket_and_its_own_directory() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap().display().to_string();
    let kind = |option: &str| {
        let mut relay = spile([
            "relay",
            "--once",
            "tcp-l:127.0.0.1:0",
            &format!("sh{option}:readlink /proc/$$/fd/0; pwd"),
        ]);
        String::from_utf8(ask(relay.port(), b"")).unwrap()
    };
    assert!(kind(",pipes").starts_with("pipe:"));
    assert!(kind(",pipes=no").starts_with("socket:"));
    assert!(kind(&format!(",dir={dir}")).ends_with(&format!("{dir}\n")));
}

#[test]
fn exec_splits_words_and_never_asks_a_shell() {
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", r#"exec:printf '%s|' a "b c" $HOME ;"#]);
    assert_eq!(ask(relay.port(), b""), b"a|b c|$HOME|;|");
}

#[test]
fn a_program_on_a_terminal_has_the_size_that_was_asked_for() {
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", "sh,pty,rows=33,cols=99:stty size; tty"]);
    let answer = String::from_utf8(read_all(&connect(relay.port()))).unwrap();
    assert!(answer.contains("33 99") && answer.contains("/dev/pts/"), "{answer}");
    let mut listener =
        spile(["listen", "-k", "--pty", "0", "--", "sh", "-c", "test -t 0 && test -t 1 && echo yes"]);
    assert!(read_all(&connect(listener.port())).starts_with(b"yes"));
}

#[test]
fn a_file_with_content_is_not_overwritten_unless_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let write = |text: &str, option: &str| {
        let right = format!("file:{}{option}", path.display());
        spile(["relay", &format!("text:{text}"), &right]).eof().ends()
    };
    write("one", "").exits(0);
    assert_eq!(std::fs::read(&path).unwrap(), b"one");
    let refused = write("two", "");
    assert!(refused.status != 0 && refused.stderr.contains("append"), "{refused:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"one");
    write("two", ",append").exits(0);
    assert_eq!(std::fs::read(&path).unwrap(), b"onetwo");
    write("3", ",create").exits(0);
    assert_eq!(std::fs::read(&path).unwrap(), b"3");
    std::fs::remove_file(&path).unwrap();
    write("secret", ",create,mode=600").exits(0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn many_connections_append_whole_pieces_to_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("file:{},append", path.display())]);
    let port = relay.port();
    let writers: Vec<_> = (0..20)
        .map(|number| std::thread::spawn(move || ask(port, format!("line of {number:03}\n").as_bytes())))
        .collect();
    for writer in writers {
        assert_eq!(writer.join().unwrap(), b"");
    }
    wait_until("all lines are there", || {
        std::fs::read_to_string(&path).is_ok_and(|all| all.lines().count() == 20)
    });
    let all = std::fs::read_to_string(&path).unwrap();
    assert!(all.lines().all(|line| line.len() == 11), "{all}");
}

#[test]
fn a_fifo_is_written_as_well_as_read_and_has_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let relay = spile(["relay", "text:through the fifo", &format!("fifo:{},mode=600", path.display())]);
    wait_until("the fifo is made", || path.exists());
    let meta = std::fs::metadata(&path).unwrap();
    assert!(meta.file_type().is_fifo());
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&path).unwrap(), b"through the fifo");
    relay.ends().exits(0);
}

#[test]
fn a_new_terminal_is_told_linked_and_cleaned_up() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("tty");
    let mut relay = spile(["relay", &format!("pty,raw,link={}", link.display()), "echo"]);
    wait_until("the link is there", || link.exists());
    let name = relay.line("spile relay: pty ");
    assert_eq!(std::fs::read_link(&link).unwrap().to_str(), Some(&name[..]));
    let mut terminal = std::fs::File::options().read(true).write(true).open(&link).unwrap();
    terminal.write_all(b"hello").unwrap();
    let mut got = [0; 5];
    terminal.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"hello");
    relay.signal("TERM");
    relay.ends().exits(143);
    assert!(!link.is_symlink());
}

#[test]
fn options_of_sockets_are_seen_by_the_kernel() {
    let port = server(|stream| {
        read_all(&stream);
    });
    let trace = |address: &str| {
        let trace = "strace -D -qq -f -e trace=setsockopt,bind -o /dev/stdout";
        let line = format!("{trace} $SPILE connect {address} </dev/null");
        String::from_utf8_lossy(&shell(&line).ends().exits(0).stdout).into_owned()
    };
    let options =
        "ttl=7,tos=16,sndbuf=64KiB,rcvbuf=32KiB,keepalive,keepidle=9,keepintvl=3,keepcnt=4,sockopt=6:9=30";
    let calls = trace(&format!("tcp:127.0.0.1:{port},{options}"));
    for wanted in [
        "IP_TTL, [7]",
        "IP_TOS, [16]",
        "SO_SNDBUF, [65536]",
        "SO_RCVBUF, [32768]",
        "SO_KEEPALIVE, [1]",
        "TCP_KEEPIDLE, [9]",
        "TCP_KEEPINTVL, [3]",
        "TCP_KEEPCNT, [4]",
        "TCP_DEFER_ACCEPT, [30]",
    ] {
        assert!(calls.contains(wanted), "{wanted} is not in {calls}");
    }
    let calls = trace(&format!("--bind 127.0.0.3 127.0.0.1 {port}"));
    assert!(calls.contains("inet_addr(\"127.0.0.3\")"), "{calls}");
}

#[test]
fn multicast_is_joined_and_heard() {
    let mut listener = spile(["listen", "-u", "0.0.0.0:0", "--join", "239.255.7.7:127.0.0.1"]);
    let port = listener.port();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let reference = socket2::SockRef::from(&sender);
    reference.set_multicast_if_v4(&std::net::Ipv4Addr::LOCALHOST).unwrap();
    sender.send_to(b"to all", ("239.255.7.7", port)).unwrap();
    listener.read(b"to all");
}

#[test]
fn crlf_preamble_and_one_way_flags_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let preamble = dir.path().join("p");
    std::fs::write(&preamble, "first ").unwrap();
    let echo = server(|stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    let address = format!("127.0.0.1:{echo}");
    spile(["connect", "-C", &address]).sends("a\nb\r\n").eof().ends().exits(0).says("a\r\nb\r\n");
    let preamble = preamble.display().to_string();
    spile(["connect", "--preamble", &preamble, &address])
        .sends("then")
        .eof()
        .ends()
        .exits(0)
        .says("first then");
    spile(["connect", "--send-only", &address]).sends("x").eof().ends().exits(0).says("");
    let greets = server(|stream| (&stream).write_all(b"hello").unwrap());
    spile(["connect", "--recv-only", &format!("127.0.0.1:{greets}")])
        .sends("x")
        .ends()
        .exits(0)
        .says("hello");
}

#[test]
fn socket_activation_needs_a_name_when_there_are_two() {
    let (one, two) = (closed_port(), closed_port());
    let line = format!(
        "exec systemd-socket-activate -l 127.0.0.1:{one} -l 127.0.0.1:{two} --fdname=a:b $SPILE relay systemd-l:b echo"
    );
    let activate = shell(&line);
    let listens = |port: u16| !output_of("ss", &["-Hltn", &format!("sport = :{port}")]).is_empty();
    wait_until("both ports are open", || listens(one) && listens(two));
    assert_eq!(ask(two, b"activated"), b"activated");
    drop(activate);
    shell("exec $SPILE relay systemd-l echo").ends().exits(7).complains("systemd-socket-activate");
}
