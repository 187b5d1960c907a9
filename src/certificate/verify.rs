//! Whether a chain leads to an authority that is trusted, asked without a connection.

use std::time::SystemTime;

use rustls::pki_types::{CertificateRevocationListDer, ServerName, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

use super::Der;
use super::facts::{Facts, seconds};
use super::issue::Purpose;
use super::refusal::{self, Refusal};

/// What is to be answered about a chain.
pub struct Question<'a> {
    /// The certificate itself, then those that lead to its authority, in any order.
    pub chain: &'a [Der],
    /// Who is trusted.
    pub anchors: &'a [TrustAnchor<'a>],
    /// The same in words, for the answer: `file ca.pem`.
    pub trust: &'a str,
    /// The server's name; none where only the chain counts.
    pub name: Option<&'a str>,
    /// When.
    pub at: SystemTime,
    /// What the certificate is used for.
    pub purpose: Purpose,
    /// Who has been revoked; with a list, each certificate of the chain must be on a list's watch.
    pub crls: &'a [CertificateRevocationListDer<'static>],
}

impl Question<'_> {
    /// Nothing where the chain is good; otherwise the reason, the most telling of them.
    pub fn answer(&self) -> Result<(), Refusal> {
        let facts: Vec<Facts> = self
            .chain
            .iter()
            .enumerate()
            .filter_map(|(depth, der)| Facts::of(der, depth, self.at).ok())
            .collect();
        let refuse = |error: Error| refusal::of(&error, self, &facts);
        let Some(own) = self.chain.first() else { return Err(refuse(Error::BadDer)) };
        let certificate = EndEntityCert::try_from(own).map_err(refuse)?;
        let crls: Result<Vec<CertRevocationList<'_>>, Error> =
            self.crls.iter().map(|crl| Ok(OwnedCertRevocationList::from_der(crl)?.into())).collect();
        let crls = crls.map_err(refuse)?;
        let crls: Vec<&CertRevocationList<'_>> = crls.iter().collect();
        // An empty list of lists is no check at all.
        let revocation = RevocationOptionsBuilder::new(&crls).ok().map(|options| {
            options
                .with_status_policy(UnknownStatusPolicy::Deny)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        let usage = match self.purpose {
            Purpose::Server => KeyUsage::server_auth(),
            Purpose::Client => KeyUsage::client_auth(),
        };
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            u64::try_from(seconds(self.at)).unwrap_or(0),
        ));
        let path = certificate.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            self.anchors,
            &self.chain[1..],
            at,
            usage,
            revocation,
            None,
        );
        path.map_err(refuse)?;
        if let Some(name) = self.name {
            self.check_name(&certificate, name, &facts)?;
        }
        // TLS refuses such a key in the handshake, whoever has signed it.
        let small = facts.iter().find(|facts| refusal::is_small(facts));
        small.map_or(Ok(()), |small| Err(refusal::weak(small)))
    }

    fn check_name(
        &self,
        certificate: &EndEntityCert<'_>,
        name: &str,
        facts: &[Facts],
    ) -> Result<(), Refusal> {
        let Ok(name) = ServerName::try_from(name) else {
            return Err(refusal::of(&Error::MalformedDnsIdentifier, self, facts));
        };
        certificate.verify_is_valid_for_subject_name(&name).map_err(|error| refusal::of(&error, self, facts))
    }
}

/// Whether one certificate signs the other for a purpose, at a time: names that it may not sign for are seen as well.
pub fn is_signed_by(own: &Der, authority: &Der, purpose: Purpose, at: SystemTime) -> Result<(), Refusal> {
    let chain = [own.clone()];
    let anchors: Vec<TrustAnchor<'_>> = anchor_from_trusted_cert(authority).into_iter().collect();
    let question = Question {
        chain: &chain,
        anchors: &anchors,
        trust: "the authority",
        name: None,
        at,
        purpose,
        crls: &[],
    };
    question.answer()
}

/// What is trusted out of certificates that can be read at all, and how many cannot.
pub fn anchors(certificates: &[Der]) -> (Vec<TrustAnchor<'static>>, usize) {
    let anchors: Vec<_> =
        certificates.iter().filter_map(|der| Some(anchor_from_trusted_cert(der).ok()?.to_owned())).collect();
    let ignored = certificates.len() - anchors.len();
    (anchors, ignored)
}
