//! The report of a TLS connection, as JSON (`spile.tls/1`) and as a line.

use std::time::{Duration, SystemTime};

use rustls::{HandshakeKind, NamedGroup, SignatureScheme};
use serde::Serialize;
use serde_json::Value;

use crate::certificate::{Facts, distinguished_name, escaped};
use crate::error::Failure;
use crate::tls::{
    Code, Enforcement, Hello, Negotiated, RevocationCheck, Seen, Terms, Verdict, cipher_name, group_name,
};

/// How far a connection got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The name was being resolved.
    Resolve,
    /// The connection was being made.
    Connect,
    /// The plain dialogue before TLS was going on.
    Starttls,
    /// The handshake was going on.
    Handshake,
    /// The peer was being judged.
    Verify,
    /// Data was going over it.
    Transfer,
    /// It has ended.
    Closed,
}

/// What a client connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The host as typed.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The address that answered.
    pub addr: Option<String>,
    /// The name that is verified.
    pub name: Option<String>,
    /// The name that was sent.
    pub sni: Option<String>,
    /// The protocol that was spoken before TLS.
    pub starttls: Option<String>,
}

/// How long the steps took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Resolving the name.
    pub dns: Option<Duration>,
    /// Connecting.
    pub tcp: Option<Duration>,
    /// The plain dialogue before TLS.
    pub starttls: Option<Duration>,
    /// The handshake.
    pub handshake: Option<Duration>,
}

/// What a server has made of our certificate: TLS 1.3 tells only after the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Accepted {
    /// It went on.
    Yes,
    /// It refused it.
    No,
    /// It has not said anything yet.
    #[default]
    Unknown,
}

/// How the peer ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerClose {
    /// As TLS has it.
    CloseNotify,
    /// By closing the connection under it: what came may be cut.
    Eof,
    /// By a reset.
    Reset,
    /// Not at all, within the time it was given.
    Timeout,
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Close {
    /// What the peer did.
    pub peer: Option<PeerClose>,
    /// Whether we have said that we are done.
    pub sent_close_notify: bool,
    /// Bytes of data that came.
    pub bytes_in: u64,
    /// Bytes of data that went.
    pub bytes_out: u64,
}

/// Which end the report is of, with what only that end knows.
#[derive(Clone, Debug)]
pub enum End {
    /// A client.
    Client {
        /// What it connected to.
        target: Target,
        /// What the server made of its certificate.
        accepted: Accepted,
    },
    /// A server.
    Server {
        /// The client's address.
        peer: String,
    },
}

/// All that a report is made of.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    /// Which end it is of.
    pub end: End,
    /// How far it got.
    pub stage: Stage,
    /// How it failed, if it did.
    pub failure: Option<&'a Failure>,
    /// How long the steps took.
    pub times: Times,
    /// What was agreed on, once it was.
    pub negotiated: Option<Negotiated>,
    /// Tickets that came.
    pub tickets: u32,
    /// What the handshake has shown, and what it was judged by.
    pub handshake: Option<(&'a Seen, &'a Terms)>,
    /// How it ended.
    pub close: Close,
    /// Whether certificates go into the report in full.
    pub pem: Pem,
}

/// Whether certificates go into a report in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pem {
    /// They do not.
    #[default]
    Omitted,
    /// They do.
    Included,
}

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
    Server { peer: Address, client_cert: Option<Facts>, rule: Option<String>, hello: Option<Offered> },
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
    /// What the response says is not looked at.
    status: Option<&'static str>,
}

#[derive(Serialize)]
struct ClientAuth {
    requested: bool,
    sent: bool,
    accepted: Option<Accepted>,
    issuers: Vec<String>,
}

#[derive(Serialize)]
struct Offered {
    sni: Option<String>,
    alpn: Vec<String>,
    groups: Vec<String>,
    ciphers: Vec<String>,
    signatures: Vec<String>,
}

#[derive(Serialize)]
struct Problem<'a> {
    what: &'a str,
    why: &'a str,
    hint: Option<&'a str>,
}

/// One object for a program.
pub fn tls_json(account: &Account<'_>) -> Value {
    let chain = chain(account);
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
        verify: account.handshake.map(|(seen, terms)| verify(seen, terms, chain.first())),
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

fn chain(account: &Account<'_>) -> Vec<Facts> {
    let Some((seen, terms)) = account.handshake else { return Vec::new() };
    let now = terms.at.unwrap_or_else(SystemTime::now);
    let decoded = seen.chain.iter().enumerate().filter_map(|(depth, der)| {
        let facts = Facts::of(der, depth, now).ok()?;
        Some(match account.pem {
            Pem::Omitted => facts,
            Pem::Included => facts.with_pem(der),
        })
    });
    decoded.collect()
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
            client_cert: leaf.cloned(),
            rule: seen.and_then(|seen| seen.rule.as_ref()).map(ToString::to_string),
            hello: seen.and_then(|seen| seen.hello.as_ref()).map(offered),
        },
    }
}

fn offered(hello: &Hello) -> Offered {
    Offered {
        sni: hello.server_name.as_deref().map(escaped),
        alpn: hello.alpn.iter().map(|name| bytes_text(name)).collect(),
        groups: hello.groups.iter().copied().filter(|group| !is_grease(*group)).map(group_name).collect(),
        ciphers: hello.ciphers.iter().copied().map(cipher_name).collect(),
        signatures: hello.signatures.iter().copied().map(signature_name).collect(),
    }
}

/// Values that clients send so that servers learn to pass over what they do not know (RFC 8701).
fn is_grease(group: NamedGroup) -> bool {
    let number = u16::from(group);
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

fn signature_name(scheme: SignatureScheme) -> String {
    match scheme {
        SignatureScheme::Unknown(number) => format!("{number:#06x}"),
        named => format!("{named:?}"),
    }
}

fn bytes_text(bytes: &[u8]) -> String {
    escaped(&String::from_utf8_lossy(bytes))
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

fn verify(seen: &Seen, terms: &Terms, leaf: Option<&Facts>) -> Verify {
    let refusal = seen.verdict.refusal();
    Verify {
        result: match seen.verdict {
            Verdict::NotJudged => "not_reached",
            Verdict::Trusted => "ok",
            Verdict::Refused(_) => "failed",
        },
        code: refusal.map(|refusal| refusal.code),
        message: refusal.map(|refusal| refusal.message.clone()),
        hint: refusal.and_then(|refusal| refusal.hint.clone()),
        trust: Some(terms.trust.clone()).filter(|trust| !trust.is_empty()),
        roots: terms.roots,
        wanted: terms.wanted.as_deref().map(escaped),
        offered: leaf.map(|leaf| leaf.san.clone()).unwrap_or_default(),
        revocation: revocation(terms.revocation, &seen.verdict),
        insecure: terms.enforcement == Enforcement::RecordOnly,
    }
}

fn revocation(check: RevocationCheck, verdict: &Verdict) -> &'static str {
    match (check, verdict.refusal().map(|refusal| refusal.code)) {
        (RevocationCheck::NotAsked, _) => "not_checked",
        (_, Some(Code::Revoked)) => "revoked",
        (_, Some(Code::CrlExpired)) => "list_expired",
        (_, Some(Code::CrlUnknown)) => "unknown",
        (_, Some(_)) => "not_reached",
        (_, None) if *verdict == Verdict::NotJudged => "not_reached",
        (RevocationCheck::Strict, None) => "good",
        (RevocationCheck::Soft, None) => "not_revoked",
    }
}

fn ocsp(account: &Account<'_>) -> Ocsp {
    let bytes = account.handshake.map_or(0, |(seen, _)| seen.staple.len());
    Ocsp { stapled: bytes > 0, bytes, status: None }
}

fn milliseconds(time: Option<Duration>) -> Option<f64> {
    // A tenth of a millisecond: what is finer is noise.
    time.map(|time| (time.as_secs_f64() * 1e4).round() / 10.0)
}

/// One line for a person who checks a server: what was agreed on, whose certificate it is, how long it is good, and
/// whether it is trusted.
pub fn tls_text(account: &Account<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(negotiated) = &account.negotiated {
        parts.push(negotiated_text(negotiated, account.times.handshake));
    }
    if let Some(leaf) = chain(account).first() {
        parts.push(leaf_text(leaf));
    }
    if let Some((seen, terms)) = account.handshake {
        parts.push(verdict_text(seen, terms));
    }
    match parts.is_empty() {
        true => "no handshake took place".to_owned(),
        false => parts.join("; "),
    }
}

fn negotiated_text(negotiated: &Negotiated, time: Option<Duration>) -> String {
    let mut text = format!("TLS {} {}", negotiated.version, negotiated.cipher);
    if let Some(group) = &negotiated.group {
        text += &format!(" {group}");
    }
    if let Some(alpn) = &negotiated.alpn {
        text += &format!(" ALPN {}", bytes_text(alpn));
    }
    if negotiated.handshake == HandshakeKind::Resumed {
        text += " resumed";
    }
    if let Some(time) = milliseconds(time) {
        text += &format!(" in {time} ms");
    }
    text
}

fn leaf_text(leaf: &Facts) -> String {
    let name = match (leaf.subject.as_str(), leaf.san.first()) {
        ("", Some(name)) => name,
        ("", None) => "(without a name)",
        (subject, _) => subject,
    };
    match leaf.days_left {
        days if days < 0 => format!("certificate '{name}' expired {}", leaf.not_after),
        1 => format!("certificate '{name}' until {}, 1 day", leaf.not_after),
        days => format!("certificate '{name}' until {}, {days} days", leaf.not_after),
    }
}

fn verdict_text(seen: &Seen, terms: &Terms) -> String {
    let source = match terms.trust.as_str() {
        "" => "pin",
        source => source,
    };
    match (&seen.verdict, terms.enforcement) {
        (Verdict::NotJudged, _) => "no certificate was judged".to_owned(),
        (Verdict::Trusted, _) => match terms.wanted.as_deref() {
            Some(wanted) => format!("trusted for '{}' by {source}", escaped(wanted)),
            None => format!("trusted by {source}"),
        },
        (Verdict::Refused(refusal), Enforcement::Strict) => format!("not trusted: {}", refusal.message),
        (Verdict::Refused(refusal), Enforcement::RecordOnly) => {
            format!("not trusted, but let through (insecure): {}", refusal.message)
        }
    }
}
