//! Resumed sessions: rule 19. Who was verified once stays who it is, but is judged again.

use rustls::HandshakeKind;

use super::authority::{Authority, leaf};
use super::handshake::{Outcome, shake, words};
use super::*;
use crate::error::Exit;

fn settings(authority: &Authority, version: Version, tickets: Tickets, rules: Vec<Rule>) -> ServerSettings {
    let asked = ClientAuthentication {
        authorities: vec![authority.file()],
        rules,
        ..ClientAuthentication::default()
    };
    ServerSettings {
        client_authentication: Some(asked),
        protocol: only(version),
        tickets,
        ..server_of(authority.sign("s.pem", leaf(&["localhost", "other.test"])))
    }
}

fn client(authority: &Authority) -> ClientSettings {
    let identity = authority.sign("c.pem", leaf(&["client.test"]).for_client());
    ClientSettings { identity: Some(identity), ..client_of(authority) }
}

fn kind(outcome: &Outcome) -> HandshakeKind {
    outcome.assert_ok().handshake
}

#[test]
fn a_resumed_session_keeps_who_the_client_is() {
    let authority = Authority::new("Good");
    for version in VERSIONS {
        let client = client(&authority).build().expect("a client");
        let server =
            settings(&authority, version, Tickets::default(), vec![Rule::Any]).build().expect("a server");
        let first = shake(&client, "localhost", &server);
        assert_eq!(kind(&first), HandshakeKind::Full);
        let second = shake(&client, "localhost", &server);
        assert_eq!(kind(&second), HandshakeKind::Resumed, "{version}");
        assert_eq!(second.server, Ok(Admission::By(Rule::Any)));
        assert_eq!(second.client_seen.verdict, Verdict::Trusted(Basis::Authority));
        assert_eq!(second.client_seen.chain, first.client_seen.chain);
        assert_eq!(second.server_seen.verdict, Verdict::Trusted(Basis::Authority));
        assert_eq!(second.server_seen.chain, first.server_seen.chain);
        assert_eq!(second.server_seen.rule, Some(Rule::Any));
    }
}

#[test]
fn without_tickets_every_handshake_is_a_full_one() {
    let authority = Authority::new("Good");
    let client = client(&authority).build().expect("a client");
    for version in VERSIONS {
        let server = settings(&authority, version, Tickets::None, vec![Rule::Any]).build().expect("a server");
        for _ in 0..2 {
            assert_eq!(kind(&shake(&client, "localhost", &server)), HandshakeKind::Full);
        }
    }
}

#[test]
fn a_new_configuration_takes_no_ticket_of_the_old() {
    let authority = Authority::new("Good");
    let client = client(&authority).build().expect("a client");
    for version in VERSIONS {
        let settings = settings(&authority, version, Tickets::default(), vec![Rule::Any]);
        shake(&client, "localhost", &settings.build().expect("a server")).assert_ok();
        let reloaded = settings.build().expect("a server");
        assert_eq!(kind(&shake(&client, "localhost", &reloaded)), HandshakeKind::Full);
    }
}

#[test]
fn a_client_whose_certificate_has_expired_since_is_not_let_in_again() {
    let authority = Authority::new("Good");
    let (begin, end) = (authority::day(-1), time::OffsetDateTime::now_utc() + time::Duration::seconds(2));
    let mut short = leaf(&["client.test"]).for_client();
    (short.parameters.not_before, short.parameters.not_after) = (begin, end);
    let identity = authority.sign("c.pem", short);
    let client =
        ClientSettings { identity: Some(identity), ..client_of(&authority) }.build().expect("a client");
    let server =
        settings(&authority, Version::Tls13, Tickets::Sealed(2), vec![Rule::Any]).build().expect("a server");
    shake(&client, "localhost", &server).assert_ok();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let outcome = shake(&client, "localhost", &server);
        let negotiated = outcome.client.as_ref().expect("it is the server that refuses");
        assert_eq!(negotiated.handshake, HandshakeKind::Resumed);
        match &outcome.server {
            Err(failure) => {
                assert_eq!(failure.exit, Exit::UNTRUSTED);
                assert!(words(failure).contains("expired on"), "{}", words(failure));
                return;
            }
            Ok(_) => assert!(std::time::Instant::now() < deadline, "it is still let in"),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_session_of_one_name_is_not_resumed_for_another() {
    let authority = Authority::new("Good");
    let mut settings = client_of(&authority);
    settings.sni = Sni::Name("localhost".to_owned());
    let client = settings.build().expect("a client");
    let server = server_of(authority.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    shake(&client, "localhost", &server).assert_ok();
    let outcome = shake(&client, "wrong.test", &server);
    assert_eq!(outcome.client_failure().exit, Exit::UNTRUSTED);
    assert_eq!(kind(&shake(&client, "localhost", &server)), HandshakeKind::Resumed);
}

#[test]
fn an_insecure_session_stays_insecure_when_resumed() {
    let (good, other) = (Authority::new("Good"), Authority::new("Other"));
    let mut settings = client_of(&good);
    settings.trust.enforcement = Enforcement::RecordOnly;
    let client = settings.build().expect("a client");
    let server = server_of(other.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    for kind_wanted in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let outcome = shake(&client, "localhost", &server);
        assert_eq!(kind(&outcome), kind_wanted);
        let code = outcome.client_seen.verdict.refusal().map(|refusal| refusal.code);
        assert_eq!(code, Some(Code::UnknownIssuer));
    }
}

#[test]
fn handshakes_at_the_same_time_do_not_see_each_other() {
    let (good, other) = (Authority::new("Good"), Authority::new("Other"));
    let client = client_of(&good).build().expect("a client");
    let server = server_of(other.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let (_first, watch) = client.start("localhost").expect("a client");
    let outcome = shake(&client, "localhost", &server);
    assert!(outcome.client.is_err());
    assert_eq!(watch.seen().verdict, Verdict::NotJudged);
    assert!(watch.seen().chain.is_empty());
}

#[test]
fn nothing_is_sent_or_taken_before_the_handshake() {
    let authority = Authority::new("Good");
    let server = server_of(authority.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    assert_eq!(server.lane().expect("a configuration").config.max_early_data_size, 0);
    let client = client_of(&authority).build().expect("a client");
    let name = "localhost".try_into().expect("a name");
    assert!(!client.lane(name, true).expect("a configuration").config.enable_early_data);
}
