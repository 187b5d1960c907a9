//! Judges a server's certificate: authorities, names, dates and revocation by webpki; exact certificates and pins
//! here. Keeps what was sent and why it was refused, which rustls forgets.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::explanation::{self, Case, Peer};
use super::seen::{Judged, Shared};
use super::trust::{Anchors, time_of_judgement};
use super::{
    Basis, Code, Enforcement, Pinning, Refusal, Stapled, Terms, Trust, UnknownStatus, Verdict, staple,
};
use crate::certificate::Der;
use crate::error::{Exit, Failure};

/// What all handshakes of a client judge by.
#[derive(Debug)]
pub(super) struct Judge {
    trust: Trust,
    anchors: Anchors,
    /// None where there are no authorities.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Judge {
    pub(super) fn new(trust: Trust, provider: &Arc<CryptoProvider>) -> Result<Judge, Failure> {
        let anchors = trust.read()?;
        let authorities = match anchors.roots.is_empty() {
            true => None,
            false => {
                let builder =
                    WebPkiServerVerifier::builder_with_provider(anchors.roots.clone(), provider.clone())
                        .with_crls(anchors.crls.iter().map(|list| list.der.clone()))
                        .enforce_revocation_expiration();
                let builder = match trust.revocation.unknown {
                    UnknownStatus::Refused => builder,
                    UnknownStatus::Allowed => builder.allow_unknown_revocation_status(),
                };
                Some(builder.build().map_err(|error| {
                    Failure::new(Exit::AUTHORITY, "revocation list", explanation::words_of(&error))
                })?)
            }
        };
        let algorithms = provider.signature_verification_algorithms;
        Ok(Judge { trust, anchors, authorities, algorithms })
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    pub(super) fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    pub(super) fn terms(&self) -> Terms {
        Terms {
            enforcement: self.trust.enforcement,
            at: self.trust.at,
            ..Terms::of(&self.anchors, self.trust.revocation.unknown)
        }
    }

    /// What speaks for it; pins are looked at apart.
    fn judge(
        &self,
        presented: &Presented<'_>,
        wanted: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<Basis, Error> {
        let leaf = presented.end_entity;
        match self.trust.pinning {
            Pinning::Alone => Ok(Basis::Pin),
            Pinning::Added => match self.by_authorities(presented, wanted, now) {
                Ok(()) => Ok(Basis::Authority),
                // Revocation speaks about this very certificate: no other way of trusting it outweighs that.
                Err(error) if is_about_revocation(&error) || !self.is_exact(leaf) => Err(error),
                // An error that came first may have hidden it.
                Err(_) if self.anchors.revoke(leaf) => Err(CertificateError::Revoked.into()),
                Err(_) => exact(leaf, wanted, now).map(|()| Basis::Exact),
            },
        }
    }

    /// The verdict on a server, and what it means for the handshake.
    fn conclude(&self, presented: &Presented<'_>, wanted: &ServerName<'_>, now: UnixTime) -> Conclusion {
        let mut stapled = None;
        let found = match self.judge(presented, wanted, now) {
            Ok(Basis::Authority) => {
                let refusal;
                (stapled, refusal) = self.stapled(presented, now);
                refusal.map_or(Ok(Basis::Authority), |refusal| Err((staple_error(&refusal), refusal)))
            }
            Ok(basis) => Ok(basis),
            Err(error) => {
                let refusal = self.refusal(&error, presented, wanted, now);
                Err((error, refusal))
            }
        };
        let mispinned = self.pinned(presented.end_entity).err().map(|error| (error, wrong_pin()));
        let is_strict = self.trust.enforcement == Enforcement::Strict;
        let (verdict, result) = match (found, mispinned) {
            (Err((error, refusal)), _) if is_strict => (Verdict::Refused(refusal), Err(error)),
            // A pin is a condition of its own, which `insecure` leaves standing (as curl's -k does).
            (_, Some((error, refusal))) => (Verdict::Refused(refusal), Err(error)),
            (Err((_, refusal)), None) => (Verdict::Refused(refusal), Ok(())),
            (Ok(basis), None) => (Verdict::Trusted(basis), Ok(())),
        };
        Conclusion { verdict, stapled, result }
    }

    /// What is stapled to a certificate that authorities vouch for, and what of it speaks against that.
    fn stapled(&self, presented: &Presented<'_>, now: UnixTime) -> (Option<Stapled>, Option<Refusal>) {
        let chain = presented.chain();
        match staple::Subject::of(&chain, Some(&self.anchors)) {
            Some(subject) => staple::judge(presented.staple, &subject, self.trust.stapling, now),
            None => (None, None),
        }
    }

    /// Whether a server that was let through would be so now: in a resumed session rustls verifies nothing, and
    /// certificates, lists and staples run out. Where it would not, a full handshake shows what the server has by now.
    pub(super) fn still_passes(&self, judged: &mut Judged, wanted: &ServerName<'_>) -> bool {
        let now = time_of_judgement(self.trust.at, UnixTime::now());
        // Nothing else that a verdict rests on changes while we run.
        if judged.passed == now {
            return true;
        }
        let Some((end_entity, intermediates)) = judged.chain.split_first() else { return false };
        let presented = Presented { end_entity, intermediates, staple: &judged.staple };
        let Conclusion { verdict, stapled, result } = self.conclude(&presented, wanted, now);
        (judged.verdict, judged.stapled, judged.passed) = (verdict, stapled, now);
        result.is_ok()
    }

    /// What speaks against a chain out of a file.
    pub(super) fn offline(
        &self,
        chain: &[Der],
        wanted: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let Some((end_entity, intermediates)) = chain.split_first() else {
            return Err(Refusal::new(Code::BadEncoding, "it holds no certificate"));
        };
        let presented = Presented { end_entity, intermediates, staple: &[] };
        let judged = self.judge(&presented, wanted, now);
        judged.map(|_| ()).map_err(|error| self.refusal(&error, &presented, wanted, now))
    }

    /// Whether its key is one of those that are pinned, if any are.
    fn pinned(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        let pins = &self.trust.pins;
        match pins.is_empty() || pins.iter().any(|pin| pin.matches(leaf)) {
            true => Ok(()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn by_authorities(
        &self,
        presented: &Presented<'_>,
        wanted: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let Some(authorities) = &self.authorities else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        let Presented { end_entity, intermediates, staple } = presented;
        authorities.verify_server_cert(end_entity, intermediates, wanted, staple, now).map(|_| ())
    }

    fn is_exact(&self, leaf: &CertificateDer<'_>) -> bool {
        self.anchors.exact.iter().any(|exact| exact.as_ref() == leaf.as_ref())
    }

    fn refusal(
        &self,
        error: &Error,
        presented: &Presented<'_>,
        wanted: &ServerName<'_>,
        now: UnixTime,
    ) -> Refusal {
        let chain = presented.chain();
        let case = Case { peer: Peer::Server(wanted), chain: &chain, anchors: &self.anchors, now };
        explanation::certificate(error, &case)
    }
}

fn wrong_pin() -> Refusal {
    Refusal::new(Code::PinMismatch, "the server's key is none of those that are pinned")
        .hint("the server has a new key, or somebody is in between: ask its owner for the new pin")
}

/// A certificate that is trusted as it is: no authority has a say, but name and dates do. That the peer has the key
/// is shown by the signature of the handshake, which is always checked.
fn exact(leaf: &CertificateDer<'_>, wanted: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    rustls::client::verify_server_name(&ParsedCertificate::try_from(leaf)?, wanted)?;
    valid_at(leaf, now)
}

/// Whether a certificate's time has come and is not over.
pub(super) fn valid_at(certificate: &[u8], now: UnixTime) -> Result<(), Error> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let seconds = |time: x509_parser::time::ASN1Time| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            u64::try_from(time.timestamp()).unwrap_or(0),
        ))
    };
    let (not_before, not_after) =
        (seconds(parsed.validity().not_before), seconds(parsed.validity().not_after));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    Ok(())
}

fn is_about_revocation(error: &Error) -> bool {
    match error {
        Error::InvalidCertRevocationList(_) => true,
        Error::InvalidCertificate(error) => matches!(
            error,
            CertificateError::Revoked
                | CertificateError::UnknownRevocationStatus
                | CertificateError::ExpiredRevocationList
                | CertificateError::ExpiredRevocationListContext { .. }
        ),
        _ => false,
    }
}

/// What a server sends to prove who it is.
struct Presented<'a> {
    end_entity: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    staple: &'a [u8],
}

impl Presented<'_> {
    fn chain(&self) -> Vec<&[u8]> {
        std::iter::once(self.end_entity).chain(self.intermediates).map(AsRef::as_ref).collect()
    }
}

/// What has been found of a server.
struct Conclusion {
    verdict: Verdict,
    stapled: Option<Stapled>,
    /// What becomes of the handshake.
    result: Result<(), Error>,
}

/// The error by which the server is told, in an alert.
fn staple_error(refusal: &Refusal) -> Error {
    match refusal.code {
        Code::Revoked => CertificateError::Revoked.into(),
        _ => CertificateError::InvalidOcspResponse.into(),
    }
}

/// The judge at work in one lane.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    pub(super) judge: Arc<Judge>,
    /// The name to verify, which need not be the one that is sent as SNI.
    pub(super) wanted: ServerName<'static>,
    pub(super) seen: Shared,
}

impl ServerVerifier {
    /// A signature of the handshake that does not fit; `insecure` cannot help: without it, the keys are nobody's.
    fn signature(
        &self,
        certificate: &CertificateDer<'_>,
        result: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        result.inspect_err(|_| {
            let mut seen = self.seen.lock();
            seen.verdict = Verdict::Refused(explanation::handshake_signature(certificate));
            seen.passed = None;
        })
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _sni: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let now = time_of_judgement(self.judge.trust.at, now);
        let presented = Presented { end_entity, intermediates, staple };
        let Conclusion { verdict, stapled, result } = self.judge.conclude(&presented, &self.wanted, now);
        let mut seen = self.seen.lock();
        seen.chain =
            std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        (seen.staple, seen.stapled) = (staple.to_vec(), stapled);
        seen.verdict = verdict;
        seen.passed = result.is_ok().then_some(now);
        result.map(|()| ServerCertVerified::assertion())
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
