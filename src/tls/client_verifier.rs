//! Judges clients' certificates: authorities, dates and revocation by webpki, then the rules of who is let in.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::explanation::{self, Case, Peer};
use super::seen::Shared;
use super::trust::{self, Anchors, time_of_judgement};
use super::{Basis, ClientAuthentication, Code, Presence, Refusal, Rule, Terms, UnknownStatus, Verdict};
use crate::certificate::{Der, Facts};
use crate::error::{Exit, Failure};

/// What all handshakes of a server judge clients by.
#[derive(Debug)]
pub(super) struct ClientJudge {
    asked: ClientAuthentication,
    anchors: Anchors,
    authorities: Arc<dyn ClientCertVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientJudge {
    pub(super) fn new(
        asked: ClientAuthentication,
        provider: &Arc<CryptoProvider>,
    ) -> Result<ClientJudge, Failure> {
        if asked.rules.is_empty() {
            return Err(Failure::usage("--client-ca", "does not say who is let in").hint(
                "--allow-any lets in every certificate of it, --allow-dns, -uri, -cn, -ou and -pin certain ones",
            ));
        }
        if asked.authorities.is_empty() {
            return Err(Failure::usage("rules for client certificates", "need --client-ca"));
        }
        let anchors = trust::authorities(&asked.authorities, &asked.revocation)?;
        let builder = WebPkiClientVerifier::builder_with_provider(anchors.roots.clone(), provider.clone())
            .with_crls(anchors.crls.iter().map(|list| list.der.clone()))
            .enforce_revocation_expiration();
        let builder = match asked.revocation.unknown {
            UnknownStatus::Refused => builder,
            UnknownStatus::Allowed => builder.allow_unknown_revocation_status(),
        };
        let builder = match asked.presence {
            Presence::Required => builder,
            Presence::Optional => builder.allow_unauthenticated(),
        };
        let authorities = builder.build().map_err(|error| {
            Failure::new(Exit::AUTHORITY, "client-ca or revocation list", explanation::words_of(&error))
        })?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(ClientJudge { asked, anchors, authorities, algorithms })
    }

    pub(super) fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    pub(super) fn presence(&self) -> Presence {
        self.asked.presence
    }

    pub(super) fn terms(&self) -> Terms {
        Terms { at: self.asked.at, ..Terms::of(&self.anchors, self.asked.revocation.unknown) }
    }

    /// The rule that lets in a certificate which the authorities vouch for.
    pub(super) fn rule_for(&self, certificate: &[u8]) -> Result<&Rule, Refusal> {
        self.asked.rules.iter().find(|rule| rule.admits(certificate)).ok_or_else(|| {
            let names = match Facts::of(certificate, 0, std::time::SystemTime::UNIX_EPOCH) {
                Ok(facts) => format!("subject '{}', names {}", facts.subject, facts.san.join(", ")),
                Err(_) => "it cannot be decoded".to_owned(),
            };
            Refusal::new(Code::RuleDenied, format!("no rule lets the client in ({names})"))
        })
    }

    /// Everything again, for a resumed session, in which rustls verifies nothing: the chain is that of the first
    /// handshake, and authorities, dates and lists may say something else by now.
    pub(super) fn again(&self, chain: &[Der], now: UnixTime) -> Result<&Rule, Refusal> {
        let now = time_of_judgement(self.asked.at, now);
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Err(Refusal::new(Code::Other, "it presented no certificate"));
        };
        self.vouch(leaf, intermediates, now).map_err(|error| self.refusal(&error, chain, now))?;
        self.rule_for(leaf)
    }

    /// Asks the authorities.
    fn vouch(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.authorities.verify_client_cert(leaf, intermediates, now)?;
        let chain: Vec<&[u8]> = std::iter::once(leaf).chain(intermediates).map(AsRef::as_ref).collect();
        self.anchors.hold(&Case { peer: Peer::Client, chain: &chain, anchors: &self.anchors, now })?;
        Ok(verified)
    }

    fn refusal(&self, error: &Error, chain: &[CertificateDer<'_>], now: UnixTime) -> Refusal {
        let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        explanation::certificate(
            error,
            &Case { peer: Peer::Client, chain: &chain, anchors: &self.anchors, now },
        )
    }
}

/// The judge at work in one lane.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    pub(super) judge: Arc<ClientJudge>,
    pub(super) seen: Shared,
}

impl ClientVerifier {
    fn signature(
        &self,
        certificate: &CertificateDer<'_>,
        result: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        result.inspect_err(|_| {
            let refusal = explanation::handshake_signature(certificate);
            self.seen.lock().verdict = Verdict::Refused(refusal);
        })
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.judge.authorities.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.judge.authorities.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let now = time_of_judgement(self.judge.asked.at, now);
        let chain: Vec<Der> =
            std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        let vouched = self.judge.vouch(end_entity, intermediates, now);
        let (verdict, rule, result) = match vouched {
            Err(error) => (Verdict::Refused(self.judge.refusal(&error, &chain, now)), None, Err(error)),
            Ok(verified) => match self.judge.rule_for(end_entity) {
                Ok(rule) => (Verdict::Trusted(Basis::Authority), Some(rule.clone()), Ok(verified)),
                // The alert access_denied: the certificate is good, but not for here (RFC 8446, 6.2).
                Err(refusal) => {
                    let denied = CertificateError::ApplicationVerificationFailure;
                    (Verdict::Refused(refusal), None, Err(denied.into()))
                }
            },
        };
        let mut seen = self.seen.lock();
        seen.chain = chain;
        seen.verdict = verdict;
        seen.rule = rule;
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.judge.algorithms;
        self.signature(certificate, verify_tls12_signature(message, certificate, signed, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.judge.algorithms;
        self.signature(certificate, verify_tls13_signature(message, certificate, signed, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.algorithms.supported_schemes()
    }
}
