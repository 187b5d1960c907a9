//! `spile cert verify`: whether a chain is good, asked without a connection.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use serde_json::json;
use time::OffsetDateTime;

use super::flags::input;
use super::show::expiry;
use crate::certificate::{Der, Facts, Moment, Name, read_chain, time_text};
use crate::commands::flags::duration;
use crate::commands::log::say;
use crate::commands::stdout::print;
use crate::error::{Exit, Failure};
use crate::report::tls::verify_json;
use crate::tls::{self, Judged, Revocation, Terms, Trust, UnknownStatus, judge_client, judge_server};

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
    /// The certificate, then those that lead to its authority; - is stdin
    #[arg(value_name = "CHAIN", value_parser = input())]
    chain: PathBuf,
    /// Trust the authorities in this file or directory, and nobody else unless --roots says so
    #[arg(long, value_name = "FILE")]
    cafile: Vec<PathBuf>,
    /// Trust the roots of this system, those of Mozilla that came with spile, or none (with --cafile, none is meant)
    #[arg(long, value_name = "WHICH", value_enum)]
    roots: Option<Roots>,
    /// The DNS name or address that a server must have; without it, one of its own will do
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
    /// Status 3 where it is good, but will not be after this time: it, or one that leads to its authority, expires
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
        let chain = read_chain(&self.chain)?;
        let at: SystemTime = self.at.on(OffsetDateTime::now_utc())?.into();
        let judged = self.judge(&chain, at, &self.crl)?;
        judged.warnings.iter().for_each(|warning| say(&format!("warning: {warning}")));
        let facts: Vec<Facts> = chain
            .iter()
            .enumerate()
            .map(|(depth, der)| Facts::of(der, depth, at))
            .collect::<Result<_, _>>()?;
        let soon = match self.expires_in {
            Some(within) if judged.verdict.refusal().is_none() => self.ending(&chain, &facts, at, within)?,
            _ => None,
        };
        if self.json {
            return self.tell_json(&facts, &judged, soon);
        }
        if let Some(refusal) = judged.verdict.refusal() {
            return Err(refusal.failure(self.chain.display().to_string()));
        }
        let told = print(&self.good(&facts, &judged.terms, at))?;
        soon.map_or(Ok(told), Err)
    }

    /// What expires of a chain that is good, and after this time no longer is by whatever path leads to an authority:
    /// what lies in the file beside the path may expire. Revocation lists are renewed in time.
    fn ending(
        &self,
        chain: &[Der],
        facts: &[Facts],
        at: SystemTime,
        within: Duration,
    ) -> Result<Option<Failure>, Failure> {
        if let Some(then) = at.checked_add(within)
            && self.judge(chain, then, &[])?.verdict.refusal().is_none()
        {
            return Ok(None);
        }
        let living = facts.iter().filter(|facts| facts.seconds_left >= 0);
        Ok(expiry(living, within).err())
    }

    fn judge(&self, chain: &[Der], at: SystemTime, lists: &[PathBuf]) -> Result<Judged, Failure> {
        let name = self.name.as_ref().map(ToString::to_string);
        let revocation = Revocation { files: lists.to_vec(), unknown: UnknownStatus::Refused };
        let roots = self.roots.map(|roots| match roots {
            Roots::System => tls::Roots::System,
            Roots::Mozilla => tls::Roots::Mozilla,
            Roots::None => tls::Roots::None,
        });
        match (self.purpose, name, roots) {
            (Whom::Server, name, roots) => {
                let cafile = self.cafile.clone();
                let trust = Trust { cafile, roots, revocation, at: Some(at), ..Trust::default() };
                judge_server(&trust, chain, name.as_deref())
            }
            (Whom::Client, None, None | Some(tls::Roots::None)) if !self.cafile.is_empty() => {
                judge_client(&self.cafile, &revocation, at, chain)
            }
            (Whom::Client, ..) => {
                Err(Failure::usage("--purpose client", "needs --cafile, and neither --name nor --roots")
                    .hint("servers trust clients of certain authorities, and look at no names of hosts"))
            }
        }
    }

    /// What a good chain is told in.
    fn good(&self, facts: &[Facts], terms: &Terms, at: SystemTime) -> String {
        let subject = facts.first().map(|own| own.subject.as_str()).unwrap_or_default();
        let name = terms.wanted.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
        format!("good: '{subject}'{name} on {} by {}\n", time_text(at.into()), terms.trust)
    }

    fn tell_json(&self, facts: &[Facts], judged: &Judged, soon: Option<Failure>) -> Result<Exit, Failure> {
        let exit = match (judged.verdict.refusal(), soon) {
            (Some(refusal), _) => refusal.exit(),
            (None, Some(failure)) => failure.exit,
            (None, None) => Exit::OK,
        };
        let verify = verify_json(&judged.verdict, &judged.terms, facts.first());
        let told = json!({
            "schema": "spile.cert/1", "ok": exit == Exit::OK, "exit_code": exit.0, "verify": verify, "chain": facts,
        });
        match print(&format!("{told:#}\n"))? {
            Exit::OK => Ok(exit),
            broken => Ok(broken),
        }
    }
}
