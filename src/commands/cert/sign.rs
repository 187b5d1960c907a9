//! `spile cert sign`: a certificate signed by an authority, for a new key or for a request.

use std::path::{Path, PathBuf};

use rcgen::DnType;

use super::flags::{AuthorityArgs, MadeArgs, SubjectArgs, input};
use super::self_signed::DAYS;
use crate::certificate::{
    self, Kind, Object, Purpose, Request, Signs, Subject, escaped, objects, read_whole, time_text,
};
use crate::commands::log::say;
use crate::error::{Exit, Failure};

pub const EXAMPLES: &str = "\
Examples:
  spile cert sign --ca ca.pem --ca-key ca.key db.internal --out db.pem --key-out db.key
  spile cert sign --ca ca.pem --ca-key ca.key --client --uri spiffe://internal/web --out web-with-key.pem
  spile cert sign --ca ca.pem --ca-key ca.key --csr db.csr --out db.pem    for the names of the request
";

/// What follows `spile cert sign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    authority: AuthorityArgs,
    #[command(flatten)]
    subject: SubjectArgs,
    /// It is a client's
    #[arg(long)]
    client: bool,
    /// Certify the key of this request; of all that it asks for, its name and alternative names are taken; - is stdin
    #[arg(long, value_name = "FILE", value_parser = input(), conflicts_with_all = ["key_type", "pass_file", "key_out"])]
    csr: Option<PathBuf>,
    #[command(flatten)]
    made: MadeArgs,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let purpose = if self.client { Purpose::Client } else { Purpose::Server };
        let validity = self.made.validity(DAYS)?;
        let request = self.csr.as_deref().map(read_request).transpose()?;
        let asked = request.as_ref().map(|request| request.subject.clone());
        let subject = self.subject.subject(asked);
        subject.check(purpose).map_err(|failure| match &request {
            Some(_) => failure.hint("the request asks for no name of a server: type one, or say --client"),
            None => failure,
        })?;
        let authority = self.authority.load(Signs::Certificates)?;
        if let Some(end) = authority.until().filter(|end| *end < validity.until) {
            say(&format!("warning: the authority expires on {}, before what it signs", time_text(end)));
        }
        match request {
            Some(request) => {
                let der = certificate::signed(&subject, purpose, validity, &request.key, &authority)?;
                let exit = self.made.put_alone(&der)?;
                tell(&request, &subject);
                Ok(exit)
            }
            None => {
                let key = self.made.generate()?;
                let der = certificate::signed(&subject, purpose, validity, &key, &authority)?;
                self.made.put(&der, &key)
            }
        }
    }
}

/// Whoever signs is to know what for.
fn tell(request: &Request, subject: &Subject) {
    let names: Vec<String> =
        subject.names.iter().map(ToString::to_string).chain(subject.uris.iter().cloned()).collect();
    if !names.is_empty() {
        say(&format!("signed for {}", names.join(", ")));
    }
    let attributes = subject.others.iter().map(|(kind, value)| (label(kind), value));
    let unit = subject.unit.iter().map(|unit| (label(&DnType::OrganizationalUnitName), unit));
    let common = subject.common_name.iter().map(|name| (label(&DnType::CommonName), name));
    let attributes = attributes.chain(unit).chain(common);
    let parts: Vec<String> = attributes.map(|(label, text)| format!("{label}={}", escaped(text))).collect();
    if !parts.is_empty() {
        say(&format!("its subject: {}", parts.join(", ")));
    }
    if !request.passed_over.is_empty() {
        say(&format!("of the request, passed over: {}", request.passed_over.join(", ")));
    }
}

/// The short name of an attribute (RFC 4514, section 3), or its number.
fn label(kind: &DnType) -> String {
    match kind {
        DnType::CommonName => "CN".to_owned(),
        DnType::OrganizationalUnitName => "OU".to_owned(),
        DnType::OrganizationName => "O".to_owned(),
        DnType::CountryName => "C".to_owned(),
        DnType::LocalityName => "L".to_owned(),
        DnType::StateOrProvinceName => "ST".to_owned(),
        DnType::CustomDnType(number) => number.iter().map(u64::to_string).collect::<Vec<_>>().join("."),
        _ => "?".to_owned(),
    }
}

fn read_request(path: &Path) -> Result<Request, Failure> {
    let fail = |why: String| Failure::new(Exit::OWN_CERTIFICATE, format!("request {}", path.display()), why);
    let found = objects(&read_whole(path).map_err(fail)?).map_err(fail)?;
    let is_request = |object: &&Object| object.kind == Kind::Request;
    let request = found.iter().find(is_request).ok_or_else(|| fail("it holds no request".to_owned()))?;
    Request::of(&request.der).map_err(fail)
}
