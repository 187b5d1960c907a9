//! Resumed sessions: rule 19. Who was verified once stays who it is, but is judged again.

use rustls::HandshakeKind;

use super::authority::{Authority, Leaf, leaf};
use super::handshake::{Outcome, shake, words};
use super::*;
use crate::error::Exit;

fn server_settings(
    authority: &Authority,
    version: Version,
    tickets: Tickets,
    rules: Vec<Rule>,
) -> ServerSettings {
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
        let server = server_settings(&authority, version, Tickets::default(), vec![Rule::Any])
            .build()
            .expect("a server");
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
        let server =
            server_settings(&authority, version, Tickets::None, vec![Rule::Any]).build().expect("a server");
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
        let settings = server_settings(&authority, version, Tickets::default(), vec![Rule::Any]);
        shake(&client, "localhost", &settings.build().expect("a server")).assert_ok();
        let reloaded = settings.build().expect("a server");
        assert_eq!(kind(&shake(&client, "localhost", &reloaded)), HandshakeKind::Full);
    }
}

/// A certificate that is good for two seconds more.
fn ending(mut leaf: Leaf) -> Leaf {
    let (begin, end) = (authority::day(-1), time::OffsetDateTime::now_utc() + time::Duration::seconds(2));
    (leaf.parameters.not_before, leaf.parameters.not_after) = (begin, end);
    leaf
}

/// Shakes hands until it fails, at one end or the other.
fn shaken_until_refused(client: &Client, server: &Server) -> Outcome {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let outcome = shake(client, "localhost", server);
        if outcome.client.is_err() || outcome.server.is_err() {
            return outcome;
        }
        assert!(std::time::Instant::now() < deadline, "nobody is refused");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_client_whose_certificate_has_expired_since_is_not_let_in_again() {
    let authority = Authority::new("Good");
    for version in VERSIONS {
        let identity = authority.sign("c.pem", ending(leaf(&["client.test"]).for_client()));
        let settings = ClientSettings { identity: Some(identity), ..client_of(&authority) };
        let client = settings.build().expect("a client");
        let rules = vec![Rule::Any];
        let server =
            server_settings(&authority, version, Tickets::default(), rules).build().expect("a server");
        let first = shake(&client, "localhost", &server);
        first.assert_ok();
        let outcome = shaken_until_refused(&client, &server);
        let negotiated = outcome.client.as_ref().expect("it is the server that refuses");
        assert_eq!(negotiated.handshake, HandshakeKind::Resumed);
        let failure = outcome.server_failure();
        assert_eq!(failure.exit, Exit::UNTRUSTED);
        assert!(words(failure).contains("expired on"), "{}", words(failure));
        let Outcome { server_seen: seen, .. } = outcome;
        assert_eq!(seen.verdict.refusal().map(|refusal| refusal.code), Some(Code::Expired));
        assert_eq!((seen.chain, seen.rule), (first.server_seen.chain, None));
    }
}

#[test]
fn a_server_whose_certificate_has_expired_since_is_not_resumed_with() {
    let authority = Authority::new("Good");
    for version in VERSIONS {
        let identity = authority.sign("s.pem", ending(leaf(&["localhost"])));
        let server = ServerSettings { protocol: only(version), ..server_of(identity) };
        let server = server.build().expect("a server");
        let client = client_of(&authority).build().expect("a client");
        shake(&client, "localhost", &server).assert_ok();
        assert_eq!(kind(&shake(&client, "localhost", &server)), HandshakeKind::Resumed, "{version}");
        let outcome = shaken_until_refused(&client, &server);
        assert_eq!(outcome.client_failure().exit, Exit::UNTRUSTED);
        assert!(outcome.client_words().contains("expired on"), "{}", outcome.client_words());
        assert_eq!(outcome.client_seen.verdict.refusal().map(|refusal| refusal.code), Some(Code::Expired));
        assert_eq!(outcome.client_seen.chain.len(), 1);
    }
}

#[test]
fn a_resumed_session_is_judged_by_the_revocation_list_as_it_is_by_now() {
    let authority = Authority::new("Good");
    let server = server_of(authority.sign("s.pem", leaf(&["localhost"]))).build().expect("a server");
    let mut settings = client_of(&authority);
    let end = time::OffsetDateTime::now_utc() + time::Duration::seconds(2);
    settings.trust.revocation.files = vec![authority.revoke_until(&[], end)];
    let client = settings.build().expect("a client");
    shake(&client, "localhost", &server).assert_ok();
    let outcome = shaken_until_refused(&client, &server);
    assert_eq!(outcome.client_seen.verdict.refusal().map(|refusal| refusal.code), Some(Code::CrlExpired));
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
