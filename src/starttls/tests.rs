use proptest::prelude::*;

use super::*;

/// How a dialogue went: all that we said, and its last step. A server that falls silent leaves `Step::More`.
fn talk(protocol: Protocol, replies: &[&[u8]], size: usize) -> (Vec<u8>, Step) {
    let mut dialogue = Dialogue::start(protocol, "spile.example");
    let mut pieces = replies.iter().flat_map(|reply| reply.chunks(size));
    let mut said = Vec::new();
    let mut step = dialogue.next(b"");
    loop {
        step = match step {
            Step::Say(bytes) => {
                said.extend(bytes);
                dialogue.next(b"")
            }
            Step::More => match pieces.next() {
                Some(piece) => dialogue.next(piece),
                None => return (said, Step::More),
            },
            // What comes too late to be seen here is what TLS stumbles over.
            Step::Done => match pieces.next() {
                Some(piece) => return (said, Step::Failed(Trouble::injected(piece))),
                None => return (said, Step::Done),
            },
            last => return (said, last),
        };
    }
}

/// A protocol, the replies of a server, and what we say in all.
type Talk = (Protocol, &'static [&'static [u8]], &'static [u8]);

/// Servers that go on in TLS.
const YES: &[Talk] = &[
    (
        Protocol::Smtp,
        &[
            b"220-mail ready\r\n220 or so\r\n",
            b"250-hello\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
            b"220 2.0.0 go ahead\r\n",
        ],
        b"EHLO spile.invalid\r\nSTARTTLS\r\n",
    ),
    (
        Protocol::Lmtp,
        &[b"220 lmtp\r\n", b"250-hello\r\n250 starttls\r\n", b"220 go\r\n"],
        b"LHLO spile.invalid\r\nSTARTTLS\r\n",
    ),
    (
        Protocol::Imap,
        &[
            b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
            b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n* 1 EXISTS\r\na OK done\r\n",
            b"* OK still here\r\nb ok begin\r\n",
        ],
        b"a CAPABILITY\r\nb STARTTLS\r\n",
    ),
    (
        Protocol::Pop3,
        &[b"+OK ready\r\n", b"+OK\r\nUSER\r\nSTLS\r\n.\r\n", b"+OK begin\r\n"],
        b"CAPA\r\nSTLS\r\n",
    ),
    (
        Protocol::Ftp,
        &[b"120 soon\r\n220-hello\r\nany text\r\n 220 not the end\r\n220 ready\r\n", b"234 go\r\n"],
        b"AUTH TLS\r\n",
    ),
    (
        Protocol::Nntp,
        &[b"200 ready\r\n", b"101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n", b"382 go\r\n"],
        b"CAPABILITIES\r\nSTARTTLS\r\n",
    ),
    (
        Protocol::Sieve,
        &[b"\"IMPLEMENTATION\" \"x > y\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n", b"OK \"begin\"\r\n"],
        b"STARTTLS\r\n",
    ),
    (Protocol::Irc, &[b":irc.example NOTICE * :hello\r\n:irc.example 670 * :go ahead\r\n"], b"STARTTLS\r\n"),
    (Protocol::Xmpp, &[FEATURES, PROCEED], CLIENT_STREAM),
    (Protocol::XmppServer, &[FEATURES, b"<proceed xmlns=\"x>y\"></proceed>"], SERVER_STREAM),
    (Protocol::Postgres, &[b"S"], b"\0\0\0\x08\x04\xd2\x16\x2f"),
    (
        Protocol::Mysql,
        &[MYSQL_GREETING],
        b"\x20\0\0\x01\0\x8a\0\0\0\0\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ),
    (
        Protocol::Ldap,
        &[b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"],
        b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
    ),
    (
        Protocol::Telnet,
        &[b"\xff\xfb\x01\xff\xfd\x2e", b"\xff\xfa\x2e\x01\xff\xf0"],
        b"\xff\xfb\x2e\xff\xfa\x2e\x01\xff\xf0",
    ),
];

const FEATURES: &[u8] = b"<?xml version='1.0'?>\n<stream:stream xmlns='jabber:client' id='1>2'>\
    <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
const PROCEED: &[u8] = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const CLIENT_STREAM: &[u8] = b"<?xml version='1.0'?><stream:stream to='spile.example' version='1.0' \
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\
    <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const SERVER_STREAM: &[u8] = b"<?xml version='1.0'?><stream:stream to='spile.example' version='1.0' \
    xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>\
    <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
/// Version, thread, challenge, capabilities with CLIENT_SSL, and the rest.
const MYSQL_GREETING: &[u8] = b"\x1d\0\0\0\x0a8.0.1\0\x07\0\0\0abcdefgh\0\xff\xff\x21\x02\0rst\0";

#[test]
fn every_protocol_comes_to_its_go_ahead_wherever_the_replies_are_split() {
    assert!(
        PROTOCOLS
            .iter()
            .map(|(_, protocol)| *protocol)
            .all(|protocol| YES.iter().any(|(known, ..)| *known == protocol))
    );
    for &(protocol, replies, said) in YES {
        for size in 1..200 {
            let went = talk(protocol, replies, size);
            assert_eq!(went.1, Step::Done, "{protocol} in pieces of {size}");
            assert_eq!(went.0.escape_ascii().to_string(), said.escape_ascii().to_string(), "{protocol}");
        }
    }
}

#[test]
fn a_byte_after_the_go_ahead_is_fatal() {
    for &(protocol, replies, _) in YES {
        let mut replies = replies.to_vec();
        let last = [replies.pop().unwrap(), b"EXTRA\x1b[2J"].concat();
        replies.push(&last);
        let (_, step) = talk(protocol, &replies, usize::MAX);
        let Step::Failed(trouble @ Trouble::Injected { .. }) = step else { panic!("{protocol}: {step:?}") };
        assert_eq!(
            trouble.to_string(),
            "9 bytes of plaintext came where only TLS may follow: EXTRA\\u{1b}[2J",
            "{protocol}"
        );
    }
}

#[test]
fn less_than_the_go_ahead_is_never_enough() {
    for &(protocol, replies, _) in YES {
        let all: usize = replies.iter().map(|reply| reply.len()).sum();
        for length in 0..all {
            let mut left = length;
            let cut: Vec<&[u8]> = replies
                .iter()
                .map(|reply| {
                    let part = &reply[..left.min(reply.len())];
                    left -= part.len();
                    part
                })
                .collect();
            assert_eq!(talk(protocol, &cut, 7).1, Step::More, "{protocol} after {length} bytes");
        }
    }
}

/// A server's replies, the last of which refuses or does not offer, and the words for that.
const NO: &[(Protocol, &[&[u8]], &str)] = &[
    (Protocol::Smtp, &[b"554 no service\r\n"], "the server refused: 554 no service"),
    (Protocol::Smtp, &[b"220 hi\r\n", b"502 what?\r\n"], "the server refused: 502 what?"),
    (
        Protocol::Smtp,
        &[b"220 hi\r\n", b"250-hello\r\n250-SIZE 10\r\n250 HELP\r\n"],
        "the server does not offer it; it offers: 250-SIZE 10 / 250 HELP",
    ),
    (Protocol::Smtp, &[b"220 hi\r\n", b"250 hello STARTTLSX\r\n"], "the server does not offer it"),
    (
        Protocol::Smtp,
        &[b"220 hi\r\n", b"250 STARTTLS\r\n", b"454-4.7.0 not\r\n454 \x1b[31mnow\r\n"],
        "the server refused: 454-4.7.0 not / 454 \\u{1b}[31mnow",
    ),
    (
        Protocol::Smtp,
        &[b"SSH-2.0-OpenSSH_9\r\n"],
        "the server does not speak the protocol; it said: SSH-2.0-OpenSSH_9",
    ),
    (Protocol::Lmtp, &[b"220 hi\r\n", b"250 STARTTLS\r\n", b"454 no\r\n"], "the server refused: 454 no"),
    (Protocol::Imap, &[b"* PREAUTH welcome\r\n"], "the server refused: * PREAUTH welcome"),
    (Protocol::Imap, &[b"* BYE go away\r\n"], "the server refused: * BYE go away"),
    (
        Protocol::Imap,
        &[b"* OK\r\n", b"* CAPABILITY IMAP4rev1\r\na OK\r\n"],
        "the server does not offer it; it offers: CAPABILITY IMAP4rev1",
    ),
    (
        Protocol::Imap,
        &[b"* OK\r\n", b"* CAPABILITY STARTTLS\r\na OK\r\n", b"b BAD no\r\n"],
        "the server refused: b BAD no",
    ),
    (
        Protocol::Imap,
        &[b"* OK\r\n", b"* CAPABILITY STARTTLS\r\na OK\r\n", b"a OK mine\r\n"],
        "the server does not speak the protocol; it said: a OK mine",
    ),
    (Protocol::Pop3, &[b"-ERR busy\r\n"], "the server refused: -ERR busy"),
    (Protocol::Pop3, &[b"+OK\r\n", b"+OK\r\nUSER\r\n.\r\n"], "the server does not offer it; it offers: USER"),
    (
        Protocol::Pop3,
        &[b"+OK\r\n", b"-ERR no CAPA\r\n", b"-ERR no STLS\r\n"],
        "the server refused: -ERR no STLS",
    ),
    (Protocol::Ftp, &[b"220 hi\r\n", b"500 AUTH unknown\r\n"], "the server refused: 500 AUTH unknown"),
    (Protocol::Ftp, &[b"421 full\r\n"], "the server refused: 421 full"),
    (Protocol::Nntp, &[b"201 hi\r\n", b"500 what?\r\n", b"580 cannot\r\n"], "the server refused: 580 cannot"),
    (
        Protocol::Nntp,
        &[b"201 hi\r\n", b"101 list\r\nREADER\r\n.\r\n"],
        "the server does not offer it; it offers: READER",
    ),
    (Protocol::Sieve, &[b"BYE \"full\"\r\n"], "the server refused: BYE \"full\""),
    (
        Protocol::Sieve,
        &[b"\"SASL\" \"PLAIN\"\r\nOK\r\n"],
        "the server does not offer it; it offers: \"SASL\" \"PLAIN\"",
    ),
    (
        Protocol::Sieve,
        &[b"\"STARTTLS\"\r\nOK\r\n", b"NO \"not now\"\r\n"],
        "the server refused: NO \"not now\"",
    ),
    (Protocol::Irc, &[b":a 691 * :failed\r\n"], "the server refused: :a 691 * :failed"),
    (
        Protocol::Irc,
        &[b"421 * STARTTLS :Unknown command\r\n"],
        "the server refused: 421 * STARTTLS :Unknown command",
    ),
    (
        Protocol::Xmpp,
        &[b"<stream:stream><stream:error><host-unknown/></stream:error></stream:stream>"],
        "the server refused: <stream:stream><stream:error><host-unknown/></stream:error>",
    ),
    (
        Protocol::Xmpp,
        &[b"<stream:stream><stream:features><mechanisms><m>PLAIN</m></mechanisms></stream:features>"],
        "the server does not offer it; it offers: mechanisms m",
    ),
    (
        Protocol::XmppServer,
        &[FEATURES, b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
        "the server refused: <failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ),
    (Protocol::Postgres, &[b"N"], "the server refused: N (it has TLS switched off)"),
    (Protocol::Postgres, &[b"E\0\0\0\x14SFATAL\0Mtoo many\0\0"], "the server refused: too many"),
    (
        Protocol::Postgres,
        &[b"EFATAL:  unsupported frontend protocol\n\0"],
        "the server refused: FATAL:  unsupported frontend protocol",
    ),
    (
        Protocol::Mysql,
        &[b"\x25\0\0\0\xff\x69\x04Host '10.0.0.1' is blocked because of"],
        "the server refused: error 1129: Host '10.0.0.1' is blocked because",
    ),
    (Protocol::Mysql, &[b"\x0d\0\0\0\xff\x10\x04#08004full"], "the server refused: error 1040: full"),
    (
        Protocol::Mysql,
        &[b"\x16\0\0\0\x0a5.1\0\x07\0\0\0abcdefgh\0\xff\xf7\x21\x02"],
        "the server does not offer it; it offers: version 5.1",
    ),
    (
        Protocol::Ldap,
        &[b"\x30\x11\x02\x01\x01\x78\x0c\x0a\x01\x02\x04\0\x04\x05sorry"],
        "the server refused: result 2 (protocol error: it does not know StartTLS) sorry",
    ),
    (
        Protocol::Ldap,
        &[b"\x30\x81\x0c\x02\x01\0\x78\x07\x0a\x01\x34\x04\0\x04\0"],
        "the server refused: result 52 (unavailable: it has no TLS)",
    ),
    (
        Protocol::Ldap,
        &[b"\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\0\x04\0\x04\0"],
        "the server does not speak the protocol; it said: 0\\u{c}\\u{2}\\u{1}\\u{2}x\\u{7} / \\u{1}\\u{0}\\u{4}\\u{0}\\u{4}\\u{0}",
    ),
    (Protocol::Telnet, &[b"\xff\xfe\x2e"], "the server refused: DONT START_TLS"),
    (Protocol::Telnet, &[b"login: "], "the server does not speak the protocol; it said: login:"),
];

#[test]
fn a_server_that_will_not_is_quoted_and_nothing_more_is_said() {
    for (protocol, replies, words) in NO {
        for size in [1, 2, 5, usize::MAX] {
            let (_, step) = talk(*protocol, replies, size);
            let Step::Failed(trouble) = step else { panic!("{protocol} in {size}: {step:?}, not '{words}'") };
            if size == usize::MAX || !matches!(trouble, Trouble::Garbled(_)) {
                assert_eq!(trouble.to_string(), *words, "{protocol} in pieces of {size}");
            }
        }
    }
}

#[test]
fn no_reply_is_endless() {
    let line = [b"220-".as_slice(), &[b'x'; 1000], b"\r\n"].concat();
    let mut dialogue = Dialogue::start(Protocol::Smtp, "h");
    let steps: Vec<Step> = (0..66).map(|_| dialogue.next(&line)).collect();
    assert_eq!(steps[60], Step::More);
    assert_eq!(steps[65], Step::Failed(Trouble::Endless));
}

#[test]
fn the_end_of_the_connection_quotes_the_last_words() {
    let mut dialogue = Dialogue::start(Protocol::Smtp, "h");
    assert_eq!(dialogue.ended().to_string(), "the server closed the connection");
    dialogue.next(b"421-bye");
    assert_eq!(dialogue.ended().to_string(), "the server closed the connection after: 421-bye");
}

proptest! {
    /// The go-ahead of PostgreSQL is a single byte, which chance may hit; no other protocol's can be stumbled upon.
    #[test]
    fn random_bytes_never_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
        for (_, protocol) in PROTOCOLS {
            let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let done = talk(*protocol, &slices, usize::MAX).1 == Step::Done;
            prop_assert_eq!(done, *protocol == Protocol::Postgres && pieces.concat() == b"S", "{}", protocol);
        }
    }

    /// A good dialogue with one byte changed: any verdict, but the same one however it is split, and no panic.
    #[test]
    fn a_spoilt_byte_never_panics(which in 0..YES.len(), at in any::<prop::sample::Index>(), byte: u8, size in 1usize..9) {
        let (protocol, replies, _) = YES[which];
        let mut owned: Vec<Vec<u8>> = replies.iter().map(|reply| reply.to_vec()).collect();
        let mut all: Vec<&mut u8> = owned.iter_mut().flatten().collect();
        let count = all.len();
        *all[at.index(count)] = byte;
        let spoilt: Vec<&[u8]> = owned.iter().map(Vec::as_slice).collect();
        let whole = talk(protocol, &spoilt, usize::MAX).1;
        let split = talk(protocol, &spoilt, size).1;
        prop_assert_eq!(whole == Step::Done, split == Step::Done, "{:?} {:?}", whole, split);
    }
}
