//! A chain out of a file, judged as it would be in a handshake, and in the same words.

use std::path::PathBuf;
use std::time::SystemTime;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{ServerName, UnixTime};

use super::client_verifier::ClientJudge;
use super::explanation::weak_key;
use super::name::server_name;
use super::server_verifier::Judge;
use super::{Basis, ClientAuthentication, Presence, Refusal, Revocation, Rule, Terms, Trust, Verdict};
use crate::certificate::{Der, Facts};
use crate::error::Failure;

/// What has been found about a chain.
#[derive(Debug)]
pub struct Judged {
    /// Whether it is trusted, and why not.
    pub verdict: Verdict,
    /// What it was judged by.
    pub terms: Terms,
    /// Things a person should know, such as authorities that were passed over.
    pub warnings: Vec<String>,
}

/// Whether clients with this trust would accept a server with this chain. Where no name is given, one of its own will
/// do. Status 2 for a name that is none, 77 where authorities or lists cannot be read.
pub fn judge_server(trust: &Trust, chain: &[Der], name: Option<&str>) -> Result<Judged, Failure> {
    let wanted = match name {
        Some(name) => server_name(name)?,
        None => own_name(chain),
    };
    let judge = Judge::new(trust.clone(), &default_provider().into())?;
    let found = judge.offline(chain, &wanted, time(trust.at)).and_then(|()| handshake(chain));
    let terms = Terms { wanted: name.map(|_| wanted.to_str().into_owned()), ..judge.terms() };
    Ok(Judged { verdict: verdict(found), terms, warnings: judge.anchors().warnings.clone() })
}

/// Whether servers that trust these authorities would accept a client with this chain. Status 77 where authorities or
/// lists cannot be read.
pub fn judge_client(
    authorities: &[PathBuf],
    revocation: &Revocation,
    at: SystemTime,
    chain: &[Der],
) -> Result<Judged, Failure> {
    let asked = ClientAuthentication {
        authorities: authorities.to_vec(),
        presence: Presence::Required,
        rules: vec![Rule::Any],
        revocation: revocation.clone(),
        at: Some(at),
    };
    let judge = ClientJudge::new(asked, &default_provider().into())?;
    let found = judge.again(chain, time(Some(at))).map(|_| ()).and_then(|()| handshake(chain));
    let terms = judge.terms();
    Ok(Judged { verdict: verdict(found), terms, warnings: judge.anchors().warnings.clone() })
}

fn verdict(found: Result<(), Refusal>) -> Verdict {
    match found {
        Ok(()) => Verdict::Trusted(Basis::Authority),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

/// A key that is too small for the signature of the handshake, whoever has certified it.
fn handshake(chain: &[Der]) -> Result<(), Refusal> {
    chain.first().and_then(|own| weak_key(own)).map_or(Ok(()), Err)
}

fn time(at: Option<SystemTime>) -> UnixTime {
    super::trust::time_of_judgement(at, UnixTime::now())
}

/// The first host that a certificate names, a label for its wildcard; one that nobody has where it names none.
fn own_name(chain: &[Der]) -> ServerName<'static> {
    let names =
        chain.first().and_then(|own| Facts::of(own, 0, SystemTime::UNIX_EPOCH).ok()).map(|facts| facts.san);
    let host = |name: &String| {
        let name = name.strip_prefix("DNS:").or_else(|| name.strip_prefix("IP:"))?;
        server_name(&name.replacen("*.", "any.", 1)).ok()
    };
    let first = names.unwrap_or_default().iter().find_map(host);
    first.unwrap_or_else(|| ServerName::from(std::net::IpAddr::from([0, 0, 0, 0])))
}
