//! The ready scripts of scripts/chat: each against the server that it is for, and against one that answers otherwise.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::harness::*;

const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/chat");

/// A ready script in conversation with `target`, to its end. `-v` has it show what was said.
fn chat(script: &str, target: &str, more: &[&str]) -> Ended {
    let mut command = Command::new(SPILE);
    command.current_dir(LIBRARY).args(["chat", "-v", target, script]).args(more);
    start(command).eof().ends()
}

/// The conversation has failed at the first line that is `step`, since something else was heard.
fn fails_at(ended: Ended, script: &str, step: &str) {
    fails_behind(ended, script, step, 0);
}

/// The same so many lines behind it.
fn fails_behind(ended: Ended, script: &str, step: &str, lines: usize) {
    let text = std::fs::read_to_string(Path::new(LIBRARY).join(script)).unwrap();
    let line = 1 + lines + text.lines().position(|line| line == step).expect("no such step");
    ended.exits(4).complains(&format!("{script}:{line}: "));
}

/// A server that says this and its end, and then hears what is said to it.
fn answers(answer: &'static str) -> String {
    let port = server(move |mut stream| {
        let _ = stream.write_all(answer.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    format!("127.0.0.1:{port}")
}

/// What a server to which a mail is passed on must hear.
const RELAY: &str = r"
> 220 relay
~1 ^EHLO
> 250 relay
~ ^MAIL FROM:<me@localhost>
> 250 ok
~ ^RCPT TO:<you@localhost>
> 250 ok
= DATA
> 354 go on
~ ^Subject: A test$
=
= Sent by a script.
= ..
= .
> 250 2.0.0 taken
= QUIT
> 221 bye
<$
";

#[test]
fn a_mail_is_submitted_within_tls() {
    let mut relay = spile(["chat", "listen:127.0.0.1:0", "-e", RELAY]);
    let server = dovecot(relay.port());
    let target = format!("localhost:{}", server.ports[2]);
    let known =
        ["--cafile", &certificate("ca.pem"), "--set", "user=me", "--set", "to=you@localhost", "--set"];
    let submit = |more: &[&str]| chat("smtp-submission.chat", &target, &[&known, more].concat());
    fails_at(submit(&["password=wrong"]), "smtp-submission.chat", "~ ^235( |$)");
    submit(&["password=secret"]).exits(0);
    relay.ends().exits(0);
}

/// A server for submission that offers AUTH LOGIN alone; the words are those of `me` and `secret`.
const LOGIN: &str = r"
> 220 mock
~1 ^EHLO
> 250-mock
> 250 STARTTLS
= STARTTLS
> 220 go on
.starttls
~1 ^EHLO
> 250 AUTH LOGIN
= AUTH LOGIN
> 334 VXNlcm5hbWU6
= bWU=
> 334 UGFzc3dvcmQ6
= c2VjcmV0
> 235 2.7.0 good
~1 ^MAIL
> 250 ok
~1 ^RCPT
> 550 5.1.1 nobody of that name
";

#[test]
fn a_mail_is_submitted_with_the_words_of_auth_login() {
    let mut mock = spile(["chat", "listen:127.0.0.1:0", "--cert", &certificate("server.both"), "-e", LOGIN]);
    let target = format!("localhost:{}", mock.port());
    let words = ["--cafile", &certificate("ca.pem"), "--set", "user=me", "--set", "password=secret"];
    fails_at(chat("smtp-submission.chat", &target, &words), "smtp-submission.chat", "~ ^25[01]( |$)");
    mock.ends().exits(0);
}

#[test]
fn an_inbox_is_opened_by_imap() {
    let server = dovecot(closed_port());
    let login = |password: &str| {
        let password = format!("password={password}");
        chat("imap-login.chat", &server.address(), &["--set", "user=me", "--set", &password])
    };
    login("secret").exits(0).complains("0 EXISTS");
    fails_at(login("wrong"), "imap-login.chat", "~ ^a1 OK\\b");
}

#[test]
fn a_mailbox_is_counted_by_pop3() {
    let server = dovecot(closed_port());
    let target = format!("127.0.0.1:{}", server.ports[1]);
    let login = |password: &str| {
        let password = format!("password={password}");
        chat("pop3.chat", &target, &["--set", "user=me", "--set", &password])
    };
    login("secret").exits(0);
    fails_behind(login("wrong"), "pop3.chat", "> PASS ${password}", 2);
}

#[test]
fn a_file_is_measured_by_ftp() {
    if !rustix::process::geteuid().is_root() {
        skipped("vsftpd shows anybody a directory only as root");
        return;
    }
    let server = vsftpd();
    let ask =
        |more: &[&str]| chat("ftp.chat", &server.address(), &[&["--set", "file=hello.txt"], more].concat());
    ask(&[]).exits(0).complains("213 13");
    fails_at(ask(&["--set", "user=somebody"]), "ftp.chat", "~ ^331( |$)");
}

#[test]
fn redis_keeps_a_value() {
    let server = redis();
    chat("redis.chat", &server.address(), &[]).exits(0);
    let other = answers("-NOAUTH Authentication required.\r\n");
    fails_at(chat("redis.chat", &other, &[]), "redis.chat", "= +PONG");
}

#[test]
fn memcached_keeps_a_value() {
    let server = memcached();
    chat("memcached.chat", &server.address(), &[]).exits(0);
    let other = answers("VERSION 1\r\nSERVER_ERROR out of memory storing object\r\n");
    fails_at(chat("memcached.chat", &other, &[]), "memcached.chat", "= STORED");
}

#[test]
fn a_page_is_fetched_by_http() {
    let server = nginx();
    let get = |path: &str| chat("http.chat", &server.address(), &["--set", &format!("path=/{path}")]);
    get("").exits(0).complains("from nginx");
    get("chunked").exits(0).complains("from nginx");
    fails_at(get("nowhere"), "http.chat", "< HTTP/1.1 200");
    let short = answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12345678");
    fails_at(chat("http.chat", &short, &[]), "http.chat", "<# ${length}");
    let long = answers("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n12345678");
    fails_at(chat("http.chat", &long, &[]), "http.chat", ".rest-empty");
}

#[test]
fn postgresql_answers_a_query() {
    let server = postgres("postgres", "");
    chat("postgresql.chat", &server.address(), &[]).exits(0);
    let socket = server.path(&format!(".s.PGSQL.{}", server.port()));
    chat("postgresql.chat", &socket, &[]).exits(0);
    let stranger = answers("E\0\0\0\x3aSFATAL\0VFATAL\0C28000\0Mrole \"postgres\" does not exist\0\0");
    let ended = chat("postgresql.chat", &stranger, &[]);
    fails_at(ended, "postgresql.chat", "<< R\\0\\0\\0\\x08\\0\\0\\0\\0");
}

#[test]
fn an_ssh_server_says_who_it_is() {
    let server = dropbear();
    chat("ssh-banner.chat", &server.address(), &[]).exits(0).complains("dropbear");
    let old = answers("SSH-1.5-old\r\n");
    fails_at(chat("ssh-banner.chat", &old, &[]), "ssh-banner.chat", "~ ^SSH-2\\.0-(?<software>\\S+)");
}

#[test]
fn interpreters_calculate() {
    chat("repl-python.chat", "pty:python3 -iq", &[]).exits(3);
    chat("repl-bc.chat", "run:bc", &[]).exits(0);
    chat("repl-sqlite3.chat", "run,stderr=merge:sqlite3", &[]).exits(0);
    fails_at(chat("repl-bc.chat", "run:cat", &[]), "repl-bc.chat", "= 42");
    fails_at(chat("repl-sqlite3.chat", "run:cat", &[]), "repl-sqlite3.chat", "= 1|one");
}

/// README.md has a line for each, each is tried here, and each opens with how it is called.
#[test]
fn every_script_is_told_and_tried() {
    let read = |name: &str| std::fs::read_to_string(Path::new(LIBRARY).join(name)).unwrap();
    let (readme, tests) = (read("README.md"), include_str!("library.rs"));
    let files = std::fs::read_dir(LIBRARY).unwrap().flatten();
    let names = files.map(|file| file.file_name().into_string().unwrap());
    for name in names.filter(|name| name != "README.md") {
        assert!(readme.contains(&format!("| [{name}]({name}) | ")), "{name} is not in README.md");
        assert!(tests.contains(&format!("chat(\"{name}\", ")), "{name} is not tried");
        let text = read(&name);
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("# "), "{name} does not say what it does");
        let call = lines.next().unwrap();
        assert!(call.starts_with("#   spile chat ") && call.contains(&name), "{name}: {call}");
    }
}
