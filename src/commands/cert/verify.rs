//! `spile cert verify`: whether a chain is good, asked without a connection.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use rustls::pki_types::TrustAnchor;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::show::expiry;
use crate::certificate::{
    Der, Facts, Moment, Name, Purpose, Question, Refusal, anchors, read_authorities, read_chain, read_crls,
    time_text,
};
use crate::commands::flags::duration;
use crate::commands::log::say;
use crate::commands::stdout::print;
use crate::error::{Exit, Failure};

pub const EXAMPLES: &str = "\
Examples:
  spile cert verify --cafile ca.pem --name db.internal chain.pem     0, or 60 with the reason
  spile cert verify --cafile ca.pem --name db.internal --at 2027-01-01T00:00:00Z chain.pem
  spile cert verify --cafile ca.pem --purpose client --crl crl.pem client.pem
  spile cert verify --name example.org fullchain.pem                 against the roots of this system
";

/// What follows `spile cert verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The certificate, then those that lead to its authority
    #[arg(value_name = "CHAIN")]
    chain: PathBuf,
    /// Trust the authorities in this file or directory, and nobody else unless --roots says so
    #[arg(long, value_name = "FILE")]
    cafile: Vec<PathBuf>,
    /// Trust the roots of this system, those of Mozilla that came with spile, or none (with --cafile, none is meant)
    #[arg(long, value_name = "WHICH", value_enum)]
    roots: Option<Roots>,
    /// The DNS name or address that it must be good for; without it, none is looked at
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
    /// When: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, default_value = "now", allow_hyphen_values = true)]
    at: Moment,
    /// What it is to be used for
    #[arg(long, value_name = "WHOM", value_enum, default_value_t = Whom::Server)]
    purpose: Whom,
    /// Revocation lists; every certificate of the chain must be covered by one that is not overdue
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Status 3 where it is good, but expires within this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires_in: Option<Duration>,
    /// One JSON object, also of what is refused
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Roots {
    System,
    Mozilla,
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Whom {
    Server,
    Client,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let trust = self.trust()?;
        let crls = self.crl.iter().map(|path| read_crls(path)).collect::<Result<Vec<_>, _>>()?.concat();
        let chain = read_chain(&self.chain)?;
        let at: SystemTime = self.at.on(OffsetDateTime::now_utc())?.into();
        let name = self.name.as_ref().map(ToString::to_string);
        let answer = Question {
            chain: &chain,
            anchors: &trust.anchors,
            trust: &trust.words,
            name: name.as_deref(),
            at,
            purpose: match self.purpose {
                Whom::Server => Purpose::Server,
                Whom::Client => Purpose::Client,
            },
            crls: &crls,
        }
        .answer();
        let facts: Vec<Facts> = chain
            .iter()
            .enumerate()
            .map(|(depth, der)| Facts::of(der, depth, at))
            .collect::<Result<_, _>>()?;
        let soon = match (self.expires_in, facts.first()) {
            (Some(within), Some(own)) if answer.is_ok() => expiry(own, within),
            _ => Ok(()),
        };
        match self.json {
            true => self.tell_json(&facts, &trust, answer.as_ref().err(), soon),
            false => self.tell(&facts, &trust, at, answer, soon),
        }
    }

    fn tell(
        &self,
        facts: &[Facts],
        trust: &Trust,
        at: SystemTime,
        answer: Result<(), Refusal>,
        soon: Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        if let Err(refusal) = answer {
            let failure = Failure::new(
                Exit::UNTRUSTED,
                format!("certificate {}", self.chain.display()),
                refusal.message,
            );
            return Err(match refusal.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            });
        }
        let subject = facts.first().map(|own| own.subject.as_str()).unwrap_or_default();
        let name = self
            .name
            .as_ref()
            .map_or_else(|| "no name was asked for".to_owned(), |name| format!("as {name}"));
        let at = time_text(OffsetDateTime::from(at));
        let told = print(&format!("good: '{subject}', {name}, on {at}, by {}\n", trust.words))?;
        soon.map(|()| told)
    }

    fn tell_json(
        &self,
        facts: &[Facts],
        trust: &Trust,
        refusal: Option<&Refusal>,
        soon: Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let exit = match (&soon, refusal) {
            (_, Some(_)) => Exit::UNTRUSTED,
            (Err(failure), None) => failure.exit,
            (Ok(()), None) => Exit::OK,
        };
        let offered = facts.first().map(|own| own.san.as_slice()).unwrap_or_default();
        let verify = json!({
            "result": if refusal.is_some() { "failed" } else { "ok" },
            "code": refusal.map(|refusal| refusal.code),
            "message": refusal.map(|refusal| &refusal.message),
            "hint": refusal.and_then(|refusal| refusal.hint.as_ref()),
            "trust": trust.words, "roots": trust.anchors.len(),
            "wanted": self.name.as_ref().map(ToString::to_string), "offered": offered,
            "revocation": if self.crl.is_empty() { "not_checked" } else { "checked" },
        });
        let told: Value = json!({
            "schema": "spile.cert/1", "ok": exit == Exit::OK, "exit_code": exit.0, "verify": verify, "chain": facts,
        });
        match print(&format!("{told:#}\n"))? {
            Exit::OK => Ok(exit),
            broken => Ok(broken),
        }
    }

    /// Who is trusted. Status 77 where that cannot be found out, or is nobody.
    fn trust(&self) -> Result<Trust, Failure> {
        let roots = self.roots.unwrap_or(if self.cafile.is_empty() { Roots::System } else { Roots::None });
        if roots == Roots::None && self.cafile.is_empty() {
            return Err(Failure::usage("nobody is trusted", "").hint("--cafile FILE, or --roots system"));
        }
        let mut trust = Trust::default();
        match roots {
            Roots::System => trust.add("the roots of this system", &system_roots()?),
            Roots::Mozilla => {
                trust.anchors.extend_from_slice(webpki_roots::TLS_SERVER_ROOTS);
                trust.name("the roots of Mozilla");
            }
            Roots::None => {}
        }
        for path in &self.cafile {
            trust.add(&path.display().to_string(), &read_authorities(path)?);
        }
        match trust.anchors.is_empty() {
            true => Err(Failure::new(Exit::AUTHORITY, trust.words, "no certificate in it can be trusted")),
            false => Ok(trust),
        }
    }
}

/// Who is trusted, and that in words.
#[derive(Default)]
struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    words: String,
}

impl Trust {
    fn add(&mut self, name: &str, certificates: &[Der]) {
        let (found, ignored) = anchors(certificates);
        if ignored > 0 {
            say(&format!(
                "warning: {ignored} of {} certificates in {name} cannot be used",
                certificates.len()
            ));
        }
        self.anchors.extend(found);
        self.name(name);
    }

    fn name(&mut self, name: &str) {
        let between = if self.words.is_empty() { "" } else { " and " };
        self.words = format!("{}{between}{name}", self.words);
    }
}

/// The roots of this system, or of SSL_CERT_FILE and SSL_CERT_DIR.
fn system_roots() -> Result<Vec<Der>, Failure> {
    let found = rustls_native_certs::load_native_certs();
    match (found.certs.is_empty(), found.errors.first()) {
        (true, Some(why)) => Err(Failure::new(Exit::AUTHORITY, "the roots of this system", why)),
        (true, None) => Err(Failure::new(Exit::AUTHORITY, "the roots of this system", "there are none")
            .hint("Debian's package ca-certificates has some; --roots mozilla needs none")),
        _ => Ok(found.certs),
    }
}
