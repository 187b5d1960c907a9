//! `spile cert dev`: all that a test of TLS needs. The key of its authority is forgotten: what leaks from a test can
//! sign nothing.

use std::fs;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::flags::{KeyArgs, LifetimeArgs};
use super::{ca, self_signed};
use crate::certificate::{
    self, Authority, Existing, Name, Output, Passphrase, Purpose, Readers, Subject, Validity, pem,
    revocation, write,
};
use crate::commands::log::say;
use crate::error::{Exit, Failure};

pub const EXAMPLES: &str = "\
Examples:
  spile cert dev localhost 127.0.0.1 ::1 -d t      ca.pem, crl.pem, server.pem and .key, client.pem and .key
  spile cert dev localhost --not-before -10d --not-after -1d -d expired
  spile cert dev db.internal --ca-key-out ca.key   keeps the key of the CA, otherwise forgotten
";

/// What follows `spile cert dev`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// DNS names and addresses of the server; the client is called client.NAME after the first
    #[arg(value_name = "NAME", required = true)]
    names: Vec<Name>,
    /// The directory to write to, made if there is none
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Keep the key of the CA in this file
    #[arg(long, value_name = "FILE")]
    ca_key_out: Option<PathBuf>,
    #[command(flatten)]
    lifetime: LifetimeArgs,
    #[command(flatten)]
    key: KeyArgs,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

/// What the server's and the client's certificate are made with.
struct With<'a> {
    validity: Validity,
    authority: &'a Authority,
    passphrase: Option<Passphrase>,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let now = OffsetDateTime::now_utc();
        let validity = self.lifetime.validity(self_signed::DAYS)?;
        let client = client_name(&self.names);
        let above = LifetimeArgs::default().validity(ca::DAYS)?;
        let around = Validity { from: above.from.min(validity.from), until: above.until.max(validity.until) };
        let mut allowed = self.names.clone();
        allowed.push(client.clone());
        let authority = certificate::authority(&Subject::of(&allowed), around, self.key.generate()?)?;
        let with = With { validity, authority: &authority, passphrase: self.key.passphrase()? };
        let mut files =
            vec![self.file("ca.pem", &pem("CERTIFICATE", authority.certificate()), Readers::Anybody)];
        files.extend(self.pair("server", &self.names, Purpose::Server, &with)?);
        files.extend(self.pair("client", std::slice::from_ref(&client), Purpose::Client, &with)?);
        let list = revocation::make(&authority, &[], around, 1, now)?;
        files.push(self.file("crl.pem", &pem("X509 CRL", &list), Readers::Anybody));
        if let Some(path) = &self.ca_key_out {
            let content = authority.key().pem(with.passphrase.as_ref())?.as_bytes().to_vec();
            files.push(Output {
                path: path.clone(),
                content: Zeroizing::new(content),
                readers: Readers::Owner,
            });
        }
        self.make_directory()?;
        write(&files, if self.force { Existing::Replaced } else { Existing::Kept })?;
        self.tell(&client);
        Ok(Exit::OK)
    }

    /// A certificate and its key.
    fn pair(
        &self,
        who: &str,
        names: &[Name],
        purpose: Purpose,
        with: &With<'_>,
    ) -> Result<[Output; 2], Failure> {
        let key = self.key.generate()?;
        let der = certificate::signed(&Subject::of(names), purpose, with.validity, &key, with.authority)?;
        Ok([
            self.file(&format!("{who}.pem"), &pem("CERTIFICATE", &der), Readers::Anybody),
            self.file(&format!("{who}.key"), &key.pem(with.passphrase.as_ref())?, Readers::Owner),
        ])
    }

    fn file(&self, name: &str, content: &str, readers: Readers) -> Output {
        Output { path: self.dir.join(name), content: Zeroizing::new(content.into()), readers }
    }

    fn make_directory(&self) -> Result<(), Failure> {
        if self.dir.is_dir() {
            return Ok(());
        }
        fs::create_dir(&self.dir)
            .map_err(|why| Failure::other(format!("cannot make {}", self.dir.display()), why))
    }

    /// The two commands that use it, ready to be copied.
    fn tell(&self, client: &Name) {
        let file = |name: &str| shell_word(&self.dir.join(name));
        let host = match &self.names[0] {
            Name::Ip(address) if address.is_ipv6() => format!("[{address}]"),
            Name::Dns(name) => name.replacen("*.", "www.", 1),
            name => name.to_string(),
        };
        let pass =
            self.key.pass_file().map(|path| format!(" --pass-file {}", shell_word(path))).unwrap_or_default();
        say(&format!(
            "spile tls-serve --cert {} --key {}{pass} --client-ca {} --allow-dns {client} 8443 --echo",
            file("server.pem"),
            file("server.key"),
            file("ca.pem")
        ));
        say(&format!(
            "spile tls-connect {host}:8443 --cafile {} --cert {} --key {}{pass}",
            file("ca.pem"),
            file("client.pem"),
            file("client.key")
        ));
    }
}

/// `client.NAME` after the first DNS name, which an authority for that name may sign.
fn client_name(names: &[Name]) -> Name {
    let first = names.iter().find_map(|name| match name {
        Name::Dns(name) => Some(name.strip_prefix("*.").unwrap_or(name)),
        Name::Ip(_) => None,
    });
    let name = first.map_or_else(|| "client".to_owned(), |first| format!("client.{first}"));
    Name::Dns(name)
}

/// A path as a shell reads it as one word.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    match !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte))
    {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
