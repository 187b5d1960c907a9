//! The language as a whole: what habits type, what is refused and how.

mod printing;

use super::option_table::{OPTIONS, option};
use super::scheme_table::SCHEMES;
use super::*;

fn one(text: &str, role: Role) -> End {
    match Address::parse(text, role) {
        Ok(Address::One(end)) => end,
        other => panic!("{text}: {other:?}"),
    }
}

fn tcp(host: Host, port: u16) -> Target {
    Target::Net { net: Net::Tcp, family: Family::Any, host, port: Port::Number(port) }
}

fn named(host: &str, port: u16) -> Target {
    tcp(Host::Name(host.into()), port)
}

fn refusal(text: &str, role: Role) -> (String, String) {
    let failure = Address::parse(text, role).expect_err(text);
    assert_eq!(failure.exit, crate::error::Exit::USAGE, "{text}");
    (failure.to_string(), failure.hint.unwrap_or_default())
}

#[test]
fn every_habit_of_naming_a_tcp_peer_means_the_same() {
    for text in ["h:80", "tcp:h:80", "tcp://h:80", "TCP:h:80", "TCP-CONNECT:h:80", "tcp,nodelay:h:80"] {
        assert_eq!(one(text, Role::Connect).target, named("h", 80), "{text}");
    }
    assert_eq!(
        Address::host_port("h", "80", Role::Connect, Net::Tcp).unwrap(),
        Address::parse("h:80", Role::Connect).unwrap()
    );
    assert_eq!(one("[::1]:80", Role::Connect).target, named("::1", 80));
    assert_eq!(one("[fe80::1%eth0]:22", Role::Connect).target, named("fe80::1%eth0", 22));
    assert_eq!(one("tcp:tcp:80", Role::Connect).target, named("tcp", 80));
    let Target::Net { port, .. } = one("h:https", Role::Connect).target else { panic!() };
    assert_eq!(port, Port::Service("https".into()));
}

#[test]
fn a_port_alone_listens_on_loopback_and_a_colon_opens_it_to_all() {
    assert_eq!(one("8080", Role::Listen).target, tcp(Host::Loopback, 8080));
    assert_eq!(one(":8080", Role::Listen).target, tcp(Host::Any, 8080));
    assert_eq!(one("*:8080", Role::Listen).target, tcp(Host::Any, 8080));
    assert_eq!(one("tcp-l:8080", Role::Relay).target, tcp(Host::Loopback, 8080));
    assert_eq!(one("tcp-l::8080", Role::Relay).target, tcp(Host::Any, 8080));
    assert!(one("TCP-LISTEN:8080,fork,reuseaddr", Role::Relay).listening);
    assert!(one("0", Role::Listen).listening);
}

#[test]
fn paths_are_sockets_and_in_a_relay_may_be_files() {
    let unix = |path: &str| Target::Unix { kind: UnixKind::Stream, name: UnixName::Path(path.into()) };
    assert_eq!(one("/run/a.sock", Role::Connect).target, unix("/run/a.sock"));
    for text in ["unix:/run/a.sock", "unix:///run/a.sock", "UNIX-CONNECT:/run/a.sock"] {
        assert_eq!(one(text, Role::Relay).target, unix("/run/a.sock"), "{text}");
    }
    assert_eq!(one("unix:rel", Role::Connect).target, unix("rel"));
    assert_eq!(one("/run/a.sock", Role::Relay).target, Target::Path("/run/a.sock".into()));
    let abstract_name = Target::Unix { kind: UnixKind::Stream, name: UnixName::Abstract("n".into()) };
    for text in ["@n", "unix:@n", "abstract:n", "ABSTRACT-CONNECT:n"] {
        assert_eq!(one(text, Role::Connect).target, abstract_name, "{text}");
    }
    assert_eq!(one(r"/a\,b", Role::Connect).target, unix("/a,b"));
}

#[test]
fn commands_and_text_are_taken_as_they_stand() {
    assert_eq!(one("sh:tee f | nc h 1, ok", Role::Relay).target, Target::Shell("tee f | nc h 1, ok".into()));
    assert_eq!(one("sh:a !! b", Role::Relay).target, Target::Shell("a !! b".into()));
    assert_eq!(one("SYSTEM:x", Role::Relay).target, Target::Shell("x".into()));
    let words = |list: &[&str]| Target::Exec(list.iter().map(|w| (*w).to_owned()).collect());
    assert_eq!(one("exec,pty:vim 'a b' c:d,e", Role::Relay).target, words(&["vim", "a b", "c:d,e"]));
    assert_eq!(one(r"text:hi\n\x41", Role::Relay).target, Target::Text(b"hi\nA".to_vec()));
}

#[test]
fn options_stand_before_the_colon_or_after_the_rest() {
    for text in [
        "tcp,nodelay=no,bind=[::1]:h:80",
        "tcp:h:80,nodelay=no,bind=[::1]",
        "h:80,tcp-nodelay=0,bind=\"[::1]\"",
    ] {
        let end = one(text, Role::Connect);
        assert_eq!(end.options.flag(Key::Nodelay), Some(false), "{text}");
        assert_eq!(end.options.text(Key::Bind), Some("[::1]"), "{text}");
        assert_eq!(end.target, named("h", 80), "{text}");
    }
    assert_eq!(one("unix-l:s,mode=600", Role::Relay).options.mode(Key::Mode), Some(0o600));
    assert_eq!(one("OPEN:f,creat,append", Role::Relay).options.flag(Key::Append), Some(true));
    assert_eq!(one("CREATE:f", Role::Relay).options.flag(Key::Create), Some(true));
    assert_eq!(one("EXEC,stderr:x", Role::Relay).options.text(Key::Stderr), Some("merge"));
    let Target::Net { family, .. } = one("tcp:h:1,pf=ip6", Role::Connect).target else { panic!() };
    assert_eq!(family, Family::V6);
}

#[test]
fn socat_spellings_mean_the_same_here() {
    assert_eq!(one("PIPE", Role::Relay).target, Target::Echo);
    assert_eq!(one("PIPE:p", Role::Relay).target, Target::Fifo("p".into()));
    assert!(one("UDP-RECVFROM:9", Role::Relay).listening);
    assert_eq!(one("VSOCK-CONNECT:2:1234", Role::Connect).target, Target::Vsock { cid: Some(2), port: 1234 });
    assert!(matches!(Address::parse("STDIN!!CREATE:f", Role::Relay), Ok(Address::Dual(..))));
    for spelling in socat::SPELLINGS {
        assert!(scheme_table::scheme(spelling.scheme).is_some(), "{}", spelling.word);
    }
}

#[test]
fn an_error_names_the_word_and_the_nearest_right_one() {
    let (text, hint) = refusal("tpc:host:80", Role::Connect);
    assert!(text.contains("scheme 'tpc'") && hint.contains("'tcp'"), "{text} {hint}");
    let (text, hint) = refusal("tcp:h:80,nodlay", Role::Connect);
    assert!(text.contains("'nodlay'") && hint.contains("'nodelay'"), "{text} {hint}");
    let (text, hint) = refusal("unix:/x,nodelay", Role::Connect);
    assert!(text.contains("not for unix") && hint.contains("mode"), "{text} {hint}");
    assert!(refusal("tcp:h:80,", Role::Connect).0.contains("comma"));
    assert!(refusal("8080", Role::Connect).1.contains("localhost:8080"));
    assert!(refusal("8080", Role::Relay).1.contains("tcp-l:8080"));
    assert!(refusal("example.org", Role::Connect).0.contains("port is missing"));
    assert!(refusal("h:99999", Role::Connect).0.contains("65535"));
    assert!(refusal("::1:80", Role::Connect).0.contains("brackets"));
    assert!(refusal("", Role::Connect).0.contains("empty"));
    assert!(refusal("tcp-l:80", Role::Connect).1.contains("spile listen"));
    assert!(refusal("exec-l:x", Role::Relay).0.contains("cannot listen"));
    assert!(refusal("echo", Role::Listen).0.contains("cannot be listened on"));
    assert!(refusal("exec:", Role::Relay).0.contains("exec:PROG"));
    assert!(refusal("exec:'x", Role::Relay).0.contains("closing"));
    assert!(refusal("h:0", Role::Connect).0.contains("port 0"));
    assert!(refusal("tcp-l:1!!stdio", Role::Relay).0.contains("joined"));
    assert!(refusal("tcp:h:1,connect-timeout=soon", Role::Connect).0.contains("'soon'"));
}

#[test]
fn tls_is_spoken_where_the_address_says_so() {
    for text in ["tls:h:443", "OPENSSL:h:443", "ssl:h:443", "tls+tcp:h:443", "tls://h:443/"] {
        let end = one(text, Role::Connect);
        assert_eq!((end.target, end.layer), (named("h", 443), Layer::Tls), "{text}");
    }
    for text in ["tls-l:8443", "OPENSSL-LISTEN:8443", "SSL-L:8443", "tls-listen:8443"] {
        let end = one(text, Role::Relay);
        assert!(end.listening && end.layer == Layer::Tls, "{text}");
    }
    assert_eq!(one("tls+unix:/s", Role::Connect).layer, Layer::Tls);
    assert_eq!(one("h:443", Role::Connect).layer, Layer::Plain);
    let (text, hint) = refusal("h:443,cafile=f", Role::Connect);
    assert!(text.contains("cafile") && !hint.is_empty(), "{text} {hint}");
}

#[test]
fn who_always_speaks_tls_need_not_say_so() {
    let read = |text, role| match Address::parse_over(Layer::Tls, text, role) {
        Ok(address) => address.to_string(),
        Err(failure) => failure.to_string(),
    };
    assert_eq!(read("h:443,cafile=f", Role::Connect), "tls:h:443,cafile=f");
    assert_eq!(read("tcp4:h:443", Role::Connect), "tls4:h:443");
    assert_eq!(read("tls:h:443", Role::Connect), "tls:h:443");
    assert_eq!(read("/run/s", Role::Connect), "tls+unix:/run/s");
    assert_eq!(read("8443", Role::Listen), "tls-l:8443");
    assert!(read("udp:h:443", Role::Connect).contains("nothing that TLS goes over"));
    assert!(read("tcp-l:443", Role::Connect).contains("listens"));
    assert!(read("443", Role::Connect).contains("without a host"));
}

#[test]
fn options_of_openssl_addresses_mean_what_they_mean_in_socat() {
    let given = |text: &str| one(text, Role::Relay).options;
    assert_eq!(given("OPENSSL:h:1,verify=0").flag(Key::Insecure), Some(true));
    assert_eq!(given("OPENSSL:h:1,verify=1,commonname=n").text(Key::Name), Some("n"));
    assert!(!given("OPENSSL:h:1,verify").has(Key::Insecure));
    assert_eq!(given("OPENSSL:h:1,openssl-min-proto-version=TLS1.3").text(Key::Min), Some("1.3"));
    assert_eq!(given("OPENSSL:h:1,openssl-min-proto-version=TLS1.0").text(Key::Min), Some("1.2"));
    assert!(given("OPENSSL-LISTEN:1,cert=c,verify=0").iter().all(|(key, _)| key == Key::Cert));
    let clients = given("OPENSSL-LISTEN:1,cert=c,verify=1,cafile=ca");
    assert_eq!((clients.text(Key::ClientCa), clients.flag(Key::AllowAny)), (Some("ca"), Some(true)));
    for text in ["OPENSSL-LISTEN:1,cafile=ca,commonname=n", "OPENSSL-LISTEN:1,commonname=n,cafile=ca"] {
        assert_eq!(given(text).text(Key::AllowCn), Some("n"), "{text}");
        assert!(!given(text).has(Key::AllowAny), "{text}");
    }
}

#[test]
fn a_port_alone_or_a_host_alone_is_nothing_to_connect_to() {
    for text in ["tcp:8080", "tcp://8080", "tcp:localhost", "udp:53"] {
        let (text, hint) = refusal(text, Role::Relay);
        assert!(text.contains("without a host") || text.contains("has no port"), "{text}");
        assert!(hint.contains("localhost:"), "{text} {hint}");
    }
    assert_eq!(one("tcp-l:http", Role::Relay).target.clone(), {
        let (net, family) = (Net::Tcp, Family::Any);
        Target::Net { net, family, host: Host::Loopback, port: Port::Service("http".into()) }
    });
    assert_eq!(one("tcp:8080", Role::Listen).target, tcp(Host::Loopback, 8080));
}

#[test]
fn an_option_that_would_do_nothing_is_refused() {
    assert!(refusal("h:80,max-conns=5", Role::Connect).0.contains("for listening"));
    assert!(refusal("udp:h:53,session-idle=5", Role::Connect).0.contains("for listening"));
    assert!(refusal("80,connect-timeout=1", Role::Listen).0.contains("for connecting"));
    assert!(refusal("tcp-l:80,retry=1", Role::Relay).0.contains("for connecting"));
    for text in ["-,rows=4", "pty,create", "fifo:x,append", "exec,link=/x:cat", "null,fork", "unix:/x,pf=ip6"]
    {
        refusal(text, Role::Relay);
    }
    for text in ["unix:/x,bind=/y", "seqpacket:/x,mtu=5", "pty,link=/x,user=root,wait-slave", "file:x,rdwr"] {
        one(text, Role::Relay);
    }
}

#[test]
fn socat_options_keep_their_meaning_or_are_refused_by_name() {
    one("UNIX-LISTEN:x,fork,unlink-early,reuseaddr", Role::Relay);
    for text in ["tcp:h:80,fork", "tcp-l:80,fork=0", "tcp:h:80,crnl", "-,ignoreeof", "exec,nofork:cat"] {
        assert!(refusal(text, Role::Relay).0.contains("not supported"), "{text}");
    }
    assert_eq!(one("tcp:h:80,setsockopt=6:9:30", Role::Relay).options.text(Key::Sockopt), Some("6:9=30"));
    let (_, hint) = refusal("EXEC:/bin/login,pty,setsid,stderr", Role::Relay);
    assert_eq!(hint, "exec,pty,setsid,stderr:/bin/login");
    assert!(one(&hint, Role::Relay).options.flag(Key::PtyFlag) == Some(true));
    one("EXEC:grep -c a,b", Role::Relay);
    one("exec:echo a,pty", Role::Relay);
}

#[test]
fn run_is_a_program_and_pty_with_a_program_is_its_terminal() {
    let program = Target::Exec(vec!["cat".into(), "-u x".into()]);
    assert_eq!(one("run:cat '-u x'", Role::Connect).target, program);
    let on_terminal = one("pty,rows=5:cat '-u x'", Role::Connect);
    assert_eq!((on_terminal.target, on_terminal.options.flag(Key::PtyFlag)), (program, Some(true)));
    for text in ["pty", "pty:", "pty,link=/x"] {
        assert_eq!(one(text, Role::Connect).target, Target::Pty, "{text}");
    }
    assert!(refusal("pty,link=/x:cat", Role::Connect).0.contains("link"));
}

#[test]
fn tls_is_never_taken_for_a_host() {
    for text in ["tls:443", "OPENSSL:443", "ssl:443"] {
        assert!(refusal(text, Role::Relay).0.contains("without a host"), "{text}");
    }
    for text in ["dtls:443", "DTLS-L:443", "tls+udp:h:443", "tls+exec:x"] {
        assert!(refusal(text, Role::Relay).0.contains("TLS is spoken over"), "{text}");
    }
    assert_eq!(one("tcp:tls:443", Role::Connect).target, named("tls", 443));
    assert_eq!(one("my-tls:443", Role::Connect).target, named("my-tls", 443));
}

#[test]
fn what_is_typed_never_reaches_the_terminal_raw() {
    for text in [
        "h:80\u{1b}[2J",
        "tcp:h:80\u{1b}",
        "/a\u{1b}",
        "h:80,bind=\u{7}",
        "h:80,\u{1b}=1",
        "exec,\u{1b}:x",
        "\u{1b}",
    ] {
        let (text, hint) = refusal(text, Role::Connect);
        assert!(!text.chars().chain(hint.chars()).any(char::is_control), "{text:?}");
    }
}

#[test]
fn hosts_and_ports_are_checked_before_anything_is_opened() {
    for text in ["[1:2:::3]:80", "[foo]:80", "[::1%]:80", "a%b:80", "h:80 ", "h:\u{ff18}", "h:"] {
        let (text, _) = refusal(text, Role::Connect);
        assert!(!text.contains("scheme"), "{text}");
    }
    assert_eq!(one("tcp://h:80/", Role::Connect).target, named("h", 80));
    assert!(refusal("run/app.sock", Role::Connect).1.contains("./run/app.sock"));
    assert!(refusal("echo:80", Role::Connect).1.contains("tcp:echo:80"));
    assert_eq!(Address::host_port("*", "80", Role::Connect, Net::Tcp), Address::parse(":80", Role::Connect));
    assert_eq!(one("vsock-l:any:5", Role::Relay).target, Target::Vsock { cid: None, port: 5 });
}

#[test]
fn a_time_is_never_too_long_for_a_clock() {
    assert!(refusal("h:80,retry-for=18446744073709551615", Role::Connect).0.contains("100 years"));
    assert!(std::time::Instant::now().checked_add(duration("36500d").unwrap()).is_some());
}

#[test]
fn explain_tells_the_parts() {
    let json = Address::parse("tcp:h:80", Role::Connect).unwrap().explain();
    assert_eq!(json["target"], serde_json::json!({"host": "h", "port": 80}));
    let json = Address::parse("udp-l:53", Role::Relay).unwrap().explain();
    assert_eq!(json["options"]["session-idle"], "60s");
    assert_eq!(json["options"].get("backlog"), None);
}

#[test]
fn the_tables_are_whole() {
    let mut names: Vec<&str> =
        OPTIONS.iter().flat_map(|row| std::iter::once(&row.name).chain(row.aliases)).copied().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "an option name stands twice");
    for row in OPTIONS {
        assert!(!row.help.is_empty() && !row.metavar.is_empty(), "{}", row.name);
        assert!(
            row.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            row.name
        );
        assert_eq!(option(row.name).map(|found| found.key), Some(row.key));
        let is_taken = |part| SCHEMES.iter().any(|scheme| row.fits(scheme.groups, part));
        assert!(Part::ALL.into_iter().any(is_taken), "no scheme takes {}", row.name);
    }
    for scheme in SCHEMES {
        assert!(!scheme.help.is_empty(), "{}", scheme.name);
    }
}
