//! Certificates of clients: rules 12, 16, 17 and 18.

use rcgen::DnType;

use super::authority::{Authority, Leaf, leaf};
use super::handshake::{Outcome, shake, words};
use super::*;
use crate::error::Exit;

struct Scene {
    authority: Authority,
}

fn scene() -> Scene {
    Scene { authority: Authority::new("Good") }
}

impl Scene {
    fn server(&self, presence: Presence, rules: Vec<Rule>, version: Version) -> Server {
        let asked = ClientAuthentication {
            authorities: vec![self.authority.file()],
            presence,
            rules,
            ..ClientAuthentication::default()
        };
        let settings = ServerSettings {
            client_authentication: Some(asked),
            protocol: only(version),
            ..server_of(self.authority.sign("s.pem", leaf(&["localhost"])))
        };
        settings.build().expect("a server")
    }

    fn client(&self, identity: Option<IdentityFiles>) -> Client {
        let settings = ClientSettings { identity, ..client_of(&self.authority) };
        settings.build().expect("a client")
    }

    fn with_rules(&self, rules: Vec<Rule>, of_client: Leaf) -> Outcome {
        let identity = self.authority.sign("c.pem", of_client.for_client());
        let server = self.server(Presence::Required, rules, Version::Tls13);
        shake(&self.client(Some(identity)), "localhost", &server)
    }
}

#[test]
fn a_client_of_the_authority_is_let_in_by_a_rule() {
    let scene = scene();
    for version in VERSIONS {
        let server = scene.server(Presence::Required, vec![Rule::Any], version);
        let identity = scene.authority.sign("c.pem", leaf(&["client.test"]).for_client());
        let outcome = shake(&scene.client(Some(identity)), "localhost", &server);
        outcome.assert_ok();
        assert_eq!(outcome.server, Ok(Admission::By(Rule::Any)));
        assert_eq!(outcome.server_seen.rule, Some(Rule::Any));
        assert_eq!(outcome.server_seen.chain.len(), 1);
        let request = outcome.client_seen.request.expect("a request");
        assert!(request.is_answered);
        assert_eq!(request.issuers.len(), 1);
    }
}

#[test]
fn a_client_without_a_certificate_learns_from_whom_it_must_be() {
    let scene = scene();
    for version in VERSIONS {
        let server = scene.server(Presence::Required, vec![Rule::Any], version);
        let outcome = shake(&scene.client(None), "localhost", &server);
        assert_eq!(outcome.server_failure().exit, Exit::UNTRUSTED);
        let failure = outcome.client_failure();
        assert_eq!(failure.exit, Exit::OWN_CERTIFICATE, "{failure}");
        let words = words(failure);
        assert!(words.contains("wants a client certificate") && words.contains("CN=Good"), "{words}");
    }
}

#[test]
fn a_bad_client_certificate_is_refused_even_where_none_is_needed() {
    let scene = scene();
    let other = Authority::new("Other");
    for version in VERSIONS {
        for presence in [Presence::Required, Presence::Optional] {
            let server = scene.server(presence, vec![Rule::Any], version);
            let identity = other.sign("c.pem", leaf(&["client.test"]).for_client());
            let outcome = shake(&scene.client(Some(identity)), "localhost", &server);
            assert_eq!(outcome.server_failure().exit, Exit::UNTRUSTED);
            let failure = outcome.client_failure();
            assert_eq!(failure.exit, Exit::OWN_CERTIFICATE, "{failure}");
            assert!(words(failure).contains("does not accept our certificate"), "{}", words(failure));
            assert!(!outcome.server_seen.chain.is_empty(), "the chain is kept");
        }
    }
}

#[test]
fn an_optional_certificate_may_be_absent() {
    let scene = scene();
    for version in VERSIONS {
        let server = scene.server(Presence::Optional, vec![Rule::Any], version);
        let outcome = shake(&scene.client(None), "localhost", &server);
        outcome.assert_ok();
        assert_eq!(outcome.server, Ok(Admission::Anonymous));
    }
}

#[test]
fn a_server_certificate_does_not_make_a_client() {
    let scene = scene();
    let identity = scene.authority.sign("c.pem", leaf(&["client.test"]));
    let server = scene.server(Presence::Required, vec![Rule::Any], Version::Tls13);
    let outcome = shake(&scene.client(Some(identity)), "localhost", &server);
    let code = outcome.server_seen.verdict.refusal().map(|refusal| refusal.code);
    assert_eq!(code, Some(Code::WrongPurpose));
    assert!(words(outcome.server_failure()).contains("clientAuth"));
}

#[test]
fn rules_are_exact_and_one_of_them_is_enough() {
    let scene = scene();
    let uri = |text| Rule::Uri(UriPattern::parse(text).expect("a pattern"));
    let dns = |text: &str| Rule::Dns(text.to_owned());
    let cn = |text: &str| Rule::Cn(text.to_owned());
    let ou = |text: &str| Rule::Ou(text.to_owned());
    let of_client = || {
        leaf(&["a.client.test"])
            .named(DnType::OrganizationalUnitName, "Unit")
            .with_uri("spiffe://td/ns/prod/sa/web")
    };
    for (rules, is_admitted) in [
        (vec![dns("a.client.test")], true),
        (vec![dns("A.client.test")], false),
        (vec![dns("*.client.test")], false),
        (vec![dns("a.client.test\0")], false),
        (vec![cn("leaf")], true),
        (vec![cn("Leaf")], false),
        (vec![cn("a.client.test")], false),
        (vec![ou("Unit")], true),
        (vec![ou("unit")], false),
        (vec![uri("spiffe://td/ns/prod/sa/web")], true),
        (vec![uri("spiffe://td/ns/*/sa/web")], true),
        (vec![uri("spiffe://td/**")], true),
        (vec![uri("spiffe://td/ns/*/web")], false),
        (vec![dns("b"), cn("b"), ou("Unit")], true),
        (vec![dns("b"), cn("b"), ou("b")], false),
    ] {
        let text: Vec<String> = rules.iter().map(ToString::to_string).collect();
        let outcome = scene.with_rules(rules, of_client());
        assert_eq!(outcome.server.is_ok(), is_admitted, "{text:?}");
        if !is_admitted {
            let failure = outcome.server_failure();
            assert_eq!(failure.exit, Exit::UNTRUSTED);
            assert!(words(failure).contains("no rule lets the client in"), "{}", words(failure));
            assert!(words(outcome.client_failure()).contains("access_denied"));
        }
    }
}

#[test]
fn a_pin_lets_in_one_key() {
    let scene = scene();
    let identity = scene.authority.sign("c.pem", leaf(&[]).for_client());
    let chain = crate::certificate::read_chain(&identity.certificate).expect("a chain");
    let pin = Pin::of(&chain[0]).expect("a pin");
    let server = scene.server(Presence::Required, vec![Rule::Pin(pin)], Version::Tls13);
    shake(&scene.client(Some(identity)), "localhost", &server).assert_ok();
    let other = scene.authority.sign("d.pem", leaf(&[]).for_client());
    assert!(shake(&scene.client(Some(other)), "localhost", &server).server.is_err());
}

#[test]
fn a_certificate_with_two_common_names_has_none() {
    let scene = scene();
    let mut two = leaf(&[]).for_client();
    // rcgen keeps one of each kind; the second is written with its own number.
    two.parameters.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), "other");
    let outcome = scene.with_rules(vec![Rule::Cn("leaf".to_owned())], two);
    assert!(outcome.server.is_err());
}

#[test]
fn authorities_without_a_rule_need_a_word() {
    let scene = scene();
    let asked =
        ClientAuthentication { authorities: vec![scene.authority.file()], ..ClientAuthentication::default() };
    let settings = ServerSettings {
        client_authentication: Some(asked),
        ..server_of(scene.authority.sign("s.pem", leaf(&["localhost"])))
    };
    let failure = settings.build().err().expect("a failure");
    assert_eq!(failure.exit, Exit::USAGE);
    assert!(words(&failure).contains("allow-any"), "{}", words(&failure));
}

#[test]
fn a_revoked_client_is_refused() {
    let scene = scene();
    let identity = scene.authority.sign("c.pem", leaf(&[]).for_client());
    let list = scene.authority.revoke(&[scene.authority.last_serial()], 5);
    let asked = ClientAuthentication {
        authorities: vec![scene.authority.file()],
        rules: vec![Rule::Any],
        revocation: Revocation { files: vec![list], ..Revocation::default() },
        ..ClientAuthentication::default()
    };
    let settings = ServerSettings {
        client_authentication: Some(asked),
        ..server_of(scene.authority.sign("s.pem", leaf(&["localhost"])))
    };
    let outcome = shake(&scene.client(Some(identity)), "localhost", &settings.build().expect("a server"));
    let code = outcome.server_seen.verdict.refusal().map(|refusal| refusal.code);
    assert_eq!(code, Some(Code::Revoked));
    assert!(words(outcome.client_failure()).contains("certificate_revoked"));
}
