//! The shapes of `spile.tls/1`. Text of the peer is escaped; what is absent is null.

use rustls::{CipherSuite, HandshakeKind, NamedGroup, SignatureScheme};
use serde::Serialize;
use serde_json::Value;

use super::{Accepted, Account, Close, End, Stage, Target, bytes_text, milliseconds};
use crate::certificate::{Facts, distinguished_name, escaped};
use crate::tls::{
    Basis, Code, Enforcement, Hello, Negotiated, RevocationCheck, StapleStatus, Terms, Verdict, cipher_name,
    group_name,
};

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    role: &'static str,
    ok: bool,
    exit_code: u8,
    stage: Stage,
    #[serde(flatten)]
    of_end: OfEnd,
    ms: Milliseconds,
    tls: Option<Tls>,
    verify: Option<Verify>,
    chain: Vec<Facts>,
    ocsp: Ocsp,
    close: Close,
    error: Option<Problem<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OfEnd {
    Client { target: Target, client_auth: ClientAuth },
    Server { peer: Address, client_cert: Option<Box<Facts>>, rule: Option<String>, hello: Option<Offered> },
}

#[derive(Serialize)]
struct Address {
    addr: String,
}

#[derive(Serialize)]
struct Milliseconds {
    dns: Option<f64>,
    tcp: Option<f64>,
    starttls: Option<f64>,
    handshake: Option<f64>,
}

#[derive(Serialize)]
struct Tls {
    version: &'static str,
    cipher: String,
    group: Option<String>,
    post_quantum: bool,
    alpn: Option<String>,
    handshake: &'static str,
    tickets: u32,
    early_data: bool,
}

#[derive(Serialize)]
struct Verify {
    result: &'static str,
    code: Option<Code>,
    message: Option<String>,
    hint: Option<String>,
    trust: Option<String>,
    roots: usize,
    wanted: Option<String>,
    offered: Vec<String>,
    revocation: &'static str,
    insecure: bool,
}

#[derive(Serialize)]
struct Ocsp {
    stapled: bool,
    bytes: usize,
    /// What the response says, where an authority vouches for the certificate.
    status: Option<StapleStatus>,
    message: Option<String>,
    this_update: Option<String>,
    next_update: Option<String>,
}

#[derive(Serialize)]
struct ClientAuth {
    requested: bool,
    sent: bool,
    accepted: Option<Accepted>,
    issuers: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Offered {
    pub(super) sni: Option<String>,
    pub(super) alpn: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) ciphers: Vec<String>,
    pub(super) signatures: Vec<String>,
}

#[derive(Serialize)]
struct Problem<'a> {
    what: &'a str,
    why: &'a str,
    hint: Option<&'a str>,
}

/// One object for a program.
pub fn tls_json(account: &Account<'_>) -> Value {
    let chain = account.chain();
    let of_end = of_end(account, chain.first());
    let report = Report {
        schema: "spile.tls/1",
        role: match account.end {
            End::Client { .. } => "client",
            End::Server { .. } => "server",
        },
        ok: account.failure.is_none(),
        exit_code: account.failure.map_or(0, |failure| failure.exit.0),
        stage: account.stage,
        of_end,
        ms: Milliseconds {
            dns: milliseconds(account.times.dns),
            tcp: milliseconds(account.times.tcp),
            starttls: milliseconds(account.times.starttls),
            handshake: milliseconds(account.times.handshake),
        },
        tls: account.negotiated.as_ref().map(|negotiated| tls(negotiated, account.tickets)),
        verify: account.handshake.map(|(seen, terms)| verify(&seen.verdict, terms, chain.first())),
        ocsp: ocsp(account),
        chain,
        close: account.close,
        error: account.failure.map(|failure| Problem {
            what: &failure.what,
            why: &failure.why,
            hint: failure.hint.as_deref(),
        }),
    };
    serde_json::to_value(report).unwrap_or_default()
}

fn of_end(account: &Account<'_>, leaf: Option<&Facts>) -> OfEnd {
    let seen = account.handshake.map(|(seen, _)| seen);
    match &account.end {
        End::Client { target, accepted } => {
            let request = seen.and_then(|seen| seen.request.as_ref());
            let issuers = request.map(|request| request.issuers.as_slice()).unwrap_or_default();
            OfEnd::Client {
                target: target.clone(),
                client_auth: ClientAuth {
                    requested: request.is_some(),
                    sent: request.is_some_and(|request| request.is_answered),
                    accepted: request.map(|_| *accepted),
                    issuers: issuers.iter().filter_map(|der| distinguished_name(der)).collect(),
                },
            }
        }
        End::Server { peer } => OfEnd::Server {
            peer: Address { addr: peer.clone() },
            client_cert: leaf.cloned().map(Box::new),
            rule: seen.and_then(|seen| seen.rule.as_ref()).map(ToString::to_string),
            hello: seen.and_then(|seen| seen.hello.as_ref()).map(offered),
        },
    }
}

pub(super) fn offered(hello: &Hello) -> Offered {
    Offered {
        sni: hello.server_name.as_deref().map(escaped),
        alpn: hello.alpn.iter().map(|name| bytes_text(name)).collect(),
        groups: hello.groups.iter().copied().filter(|group| !is_grease(*group)).map(group_name).collect(),
        ciphers: hello.ciphers.iter().copied().map(suite_name).collect(),
        signatures: hello.signatures.iter().copied().map(signature_name).collect(),
    }
}

/// Values that clients send so that servers learn to pass over what they do not know (RFC 8701).
fn is_grease(group: NamedGroup) -> bool {
    let number = u16::from(group);
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

/// Suites that we do not know are told by number, as signatures are.
fn suite_name(suite: CipherSuite) -> String {
    match suite {
        CipherSuite::Unknown(number) => format!("{number:#06x}"),
        named => cipher_name(named),
    }
}

fn signature_name(scheme: SignatureScheme) -> String {
    match scheme {
        SignatureScheme::Unknown(number) => format!("{number:#06x}"),
        named => format!("{named:?}"),
    }
}

fn tls(negotiated: &Negotiated, tickets: u32) -> Tls {
    Tls {
        version: negotiated.version,
        cipher: negotiated.cipher.clone(),
        group: negotiated.group.clone(),
        post_quantum: negotiated.is_post_quantum(),
        alpn: negotiated.alpn.as_deref().map(bytes_text),
        handshake: handshake_word(negotiated.handshake),
        tickets,
        early_data: false,
    }
}

fn handshake_word(kind: HandshakeKind) -> &'static str {
    match kind {
        HandshakeKind::Full => "full",
        HandshakeKind::FullWithHelloRetryRequest => "full_with_retry",
        HandshakeKind::Resumed => "resumed",
    }
}

/// The part `verify` alone: of a chain that was judged without a connection.
pub fn verify_json(verdict: &Verdict, terms: &Terms, leaf: Option<&Facts>) -> Value {
    serde_json::to_value(verify(verdict, terms, leaf)).unwrap_or_default()
}

fn verify(verdict: &Verdict, terms: &Terms, leaf: Option<&Facts>) -> Verify {
    let refusal = verdict.refusal();
    Verify {
        result: match verdict {
            Verdict::NotJudged => "not_reached",
            Verdict::Trusted(_) => "ok",
            Verdict::Refused(_) => "failed",
        },
        code: refusal.map(|refusal| refusal.code),
        message: refusal.map(|refusal| refusal.message.clone()),
        hint: refusal.and_then(|refusal| refusal.hint.clone()),
        trust: Some(terms.trust.clone()).filter(|trust| !trust.is_empty()),
        roots: terms.roots,
        wanted: terms.wanted.as_deref().map(escaped),
        offered: leaf.map(|leaf| leaf.san.clone()).unwrap_or_default(),
        revocation: revocation(terms.revocation, verdict),
        insecure: terms.enforcement == Enforcement::RecordOnly,
    }
}

fn revocation(check: RevocationCheck, verdict: &Verdict) -> &'static str {
    match (check, verdict.refusal().map(|refusal| refusal.code)) {
        (_, Some(Code::Revoked)) => "revoked",
        (RevocationCheck::NotAsked, _) => "not_checked",
        (_, None) if matches!(verdict, Verdict::Trusted(Basis::Exact | Basis::Pin)) => "not_checked",
        (_, Some(Code::CrlExpired)) => "list_expired",
        (_, Some(Code::CrlUnknown)) => "unknown",
        (_, Some(_)) => "not_reached",
        (_, None) if *verdict == Verdict::NotJudged => "not_reached",
        (RevocationCheck::Strict, None) => "good",
        (RevocationCheck::Soft, None) => "not_revoked",
    }
}

fn ocsp(account: &Account<'_>) -> Ocsp {
    let seen = account.handshake.map(|(seen, _)| seen);
    let (bytes, found) =
        (seen.map_or(0, |seen| seen.staple.len()), seen.and_then(|seen| seen.stapled.as_ref()));
    Ocsp {
        stapled: bytes > 0,
        bytes,
        status: found.map(|found| found.status),
        message: found.and_then(|found| found.message.clone()),
        this_update: found.and_then(|found| found.this_update.clone()),
        next_update: found.and_then(|found| found.next_update.clone()),
    }
}
