//! `spile cert show`: what certificates, requests, revocation lists and keys say.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::flags::content;
use crate::certificate::revocation::Revocations;
use crate::certificate::{
    Facts, KeyFile, Kind, Object, RequestFacts, Signer, escaped, kind_of, limits, objects,
};
use crate::commands::flags::duration;
use crate::commands::stdout::print;
use crate::error::{Exit, Failure};

/// Revoked certificates that are listed for people; --json lists them all.
const LISTED: usize = 100;
const SECONDS_A_DAY: u64 = 86_400;

pub const EXAMPLES: &str = "\
Examples:
  spile cert show server.pem
  spile cert show --expires-in 14d server.pem >/dev/null || page-me     3 if soon, 60 if it has expired
  spile cert show --json chain.pem | jq -r '.chain[].subject'
  spile tls-connect --print chain db:5432 | spile cert show -
";

/// What follows `spile cert show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file, PEM or DER; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// Status 3 where a certificate of the file expires within this time, 60 where one has expired
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires_in: Option<Duration>,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let fail =
            |why: String| Failure::new(Exit::OWN_CERTIFICATE, format!("file {}", self.file.display()), why);
        let bytes = content(&self.file).map_err(fail)?;
        let found = Found::among(&objects(&bytes).map_err(fail)?).map_err(fail)?;
        let told = print(&match self.json {
            true => format!("{:#}\n", found.json(&self.file.display().to_string())),
            false => found.text(),
        })?;
        match self.expires_in {
            Some(_) if found.chain.is_empty() => {
                Err(fail("it holds no certificate that could expire".to_owned()))
            }
            Some(within) => expiry(found.chain.iter().map(|(facts, _)| facts), within).map(|()| told),
            None => Ok(told),
        }
    }
}

/// Whether all of these certificates are good for so long; the failure is that of the one that ends first.
pub fn expiry<'a>(chain: impl IntoIterator<Item = &'a Facts>, within: Duration) -> Result<(), Failure> {
    let Some(facts) = chain.into_iter().min_by_key(|facts| facts.seconds_left) else { return Ok(()) };
    let whose = format!("certificate '{}'", facts.subject);
    let days = i64::try_from(within.as_secs() / SECONDS_A_DAY).unwrap_or(i64::MAX);
    match facts.seconds_left {
        left if left < 0 => {
            Err(Failure::new(Exit::UNTRUSTED, whose, format!("it has expired on {}", facts.not_after)))
        }
        left if left < i64::try_from(within.as_secs()).unwrap_or(i64::MAX) => {
            let why = format!("it expires on {}, within {days} days", facts.not_after);
            Err(Failure::new(Exit::EXPIRING, whose, why))
        }
        _ => Ok(()),
    }
}

/// What a file holds, decoded.
#[derive(Default)]
struct Found {
    /// With what each authority is limited to.
    chain: Vec<(Facts, Vec<String>)>,
    requests: Vec<RequestFacts>,
    revocations: Vec<Revocations>,
    /// The kind of each key; none where it is encrypted.
    keys: Vec<Option<String>>,
    /// Labels of what is nothing of that.
    others: Vec<String>,
}

impl Found {
    fn among(objects: &[Object]) -> Result<Found, String> {
        let mut found = Found::default();
        for (at, object) in objects.iter().enumerate() {
            let fail = |why: &str| format!("its object {} ({}): {why}", at + 1, escaped(&object.label));
            match object.kind {
                Kind::Certificate => {
                    let facts = Facts::of(&object.der, found.chain.len(), SystemTime::now());
                    found.chain.push((facts.map_err(|failure| fail(&failure.why))?, limits(&object.der)));
                }
                Kind::Request => found.requests.push(RequestFacts::of(&object.der).map_err(fail)?),
                Kind::Revocations => found.revocations.push(Revocations::of(&object.der).map_err(fail)?),
                Kind::Key => found.keys.push(key_kind(object).map_err(|why| fail(&why))?),
                Kind::Other => found.others.push(escaped(&object.label)),
            }
        }
        Ok(found)
    }

    fn json(&self, file: &str) -> Value {
        let chain: Vec<&Facts> = self.chain.iter().map(|(facts, _)| facts).collect();
        let keys: Vec<Value> =
            self.keys.iter().map(|kind| json!({"key": kind, "encrypted": kind.is_none()})).collect();
        json!({
            "schema": "spile.cert/1", "file": escaped(file), "chain": chain, "requests": self.requests,
            "revocations": self.revocations, "keys": keys, "others": self.others,
        })
    }

    fn text(&self) -> String {
        let certificates = self.chain.iter().map(|(facts, limits)| certificate_text(facts, limits));
        let requests = self.requests.iter().map(request_text);
        let lists = self.revocations.iter().map(revocations_text);
        let keys = self
            .keys
            .iter()
            .map(|kind| paragraph("key", &[("kind", kind.clone().unwrap_or("encrypted".to_owned()))]));
        let others = self.others.iter().map(|label| paragraph("something else", &[("label", label.clone())]));
        certificates.chain(requests).chain(lists).chain(keys).chain(others).collect::<Vec<_>>().join("\n")
    }
}

/// The kind of a key that lies open; what it is beyond that is nobody's business.
fn key_kind(object: &Object) -> Result<Option<String>, String> {
    if object.is_legacy_encrypted {
        return Ok(None);
    }
    let pem = crate::certificate::pem(&object.label, &object.der);
    let key = KeyFile::of("key", pem.as_bytes()).map_err(|failure| failure.why)?;
    match key.is_encrypted() {
        true => Ok(None),
        false => {
            let key = key.open(None).map_err(|failure| failure.why)?;
            Signer::of(&key).map(|key| Some(kind_of(&key))).map_err(str::to_owned)
        }
    }
}

/// A heading and its lines; a key without a value is left out.
fn paragraph(heading: &str, lines: &[(&str, String)]) -> String {
    let line = |(key, value): &(&str, String)| {
        format!("  {key:<10} {}\n", value.replace('\n', &format!("\n{:13}", "")))
    };
    let lines: String = lines.iter().filter(|(_, value)| !value.is_empty()).map(line).collect();
    format!("{heading}\n{lines}")
}

/// What a certificate says, a line for each thing.
pub fn certificate_text(facts: &Facts, limits: &[String]) -> String {
    let left = match facts.days_left {
        days if days < 0 => "expired".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    };
    paragraph(
        &format!("certificate {}", facts.depth),
        &[
            ("subject", facts.subject.clone()),
            ("issuer", facts.issuer.clone()),
            ("serial", facts.serial.clone()),
            ("valid", format!("{} to {} ({left})", facts.not_before, facts.not_after)),
            ("names", facts.san.join("\n")),
            ("CA", if facts.ca { "yes".to_owned() } else { String::new() }),
            ("limits", limits.join("\n")),
            ("purposes", facts.eku.join(", ")),
            ("key", facts.key.clone()),
            ("signature", facts.sig.clone()),
            ("sha256", facts.sha256.clone()),
            ("pin", facts.spki_pin.clone()),
        ],
    )
}

fn request_text(facts: &RequestFacts) -> String {
    let signed = if facts.signed { "by its key" } else { "NOT by its key, or in a way that is not accepted" };
    paragraph(
        "request",
        &[
            ("subject", facts.subject.clone()),
            ("names", facts.san.join("\n")),
            ("key", facts.key.clone()),
            ("signature", format!("{}, {signed}", facts.sig)),
            ("pin", facts.spki_pin.clone()),
        ],
    )
}

fn revocations_text(list: &Revocations) -> String {
    let line = |revoked: &crate::certificate::revocation::Revoked| {
        let reason = revoked.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} since {}{reason}", revoked.serial, revoked.date)
    };
    let mut revoked: Vec<String> = list.revoked.iter().take(LISTED).map(line).collect();
    if list.revoked.len() > LISTED {
        revoked.push(format!("and {} more", list.revoked.len() - LISTED));
    }
    paragraph(
        "revocation list",
        &[
            ("issuer", list.issuer.clone()),
            ("number", list.number.clone().unwrap_or_default()),
            ("valid", format!("{} to {}", list.this_update, list.next_update.as_deref().unwrap_or("no end"))),
            ("signature", list.sig.clone()),
            ("revoked", if revoked.is_empty() { "nobody".to_owned() } else { revoked.join("\n") }),
        ],
    )
}
