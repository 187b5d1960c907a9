//! What several subcommands of `cert` take.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::{PathBufValueParser, TypedValueParser};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::certificate::{
    self, Authority, Existing, KeyType, Lifetime, Moment, Name, Output, Passphrase, Readers, Signer, Signs,
    Subject, Validity, prepare, read_chain, uri,
};
use crate::commands::own_key::OwnKey;
use crate::commands::stdout::{can_be_written, written};
use crate::error::{Exit, Failure};

/// Whom a certificate is about.
#[derive(Debug, clap::Args)]
pub struct SubjectArgs {
    /// DNS names (also *.example.org) and addresses that it is good for
    #[arg(value_name = "NAME")]
    names: Vec<Name>,
    /// A URI that it is good for: spiffe://example.org/db
    #[arg(long, value_name = "URI", value_parser = uri)]
    uri: Vec<String>,
    /// Its common name, instead of the first NAME
    #[arg(long, value_name = "TEXT")]
    cn: Option<String>,
    /// Its organisational unit
    #[arg(long, value_name = "TEXT")]
    ou: Option<String>,
}

impl SubjectArgs {
    /// The names, with what a request names where none were typed.
    pub fn subject(self, request: Option<Subject>) -> Subject {
        let mut subject = match self.names.is_empty() && self.uri.is_empty() {
            true => request.unwrap_or_default(),
            // Nothing that a request says of itself is signed beside names that were typed.
            false => Subject { names: self.names, uris: self.uri, ..Subject::default() },
        };
        subject.common_name = self.cn.or(subject.common_name);
        subject.unit = self.ou.or(subject.unit);
        subject
    }
}

/// How long it is good.
#[derive(Debug, Default, clap::Args)]
pub struct LifetimeArgs {
    /// How many days it is good
    #[arg(long, value_name = "N", value_parser = days, conflicts_with = "not_after", allow_negative_numbers = true)]
    days: Option<u32>,
    /// From when it is good: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h, now; an hour ago if not given
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true)]
    not_before: Option<Moment>,
    /// Until when it is good; times that have passed are fine, too
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, allow_hyphen_values = true)]
    not_after: Option<Moment>,
}

impl LifetimeArgs {
    /// From when to when; `days` where nothing was typed.
    pub fn validity(&self, days: u32) -> Result<Validity, Failure> {
        let lifetime = Lifetime { days: self.days, not_before: self.not_before, not_after: self.not_after };
        lifetime.settle(days, OffsetDateTime::now_utc())
    }
}

/// The key that is made.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// The kind of key
    #[arg(long, value_name = "KIND", value_enum, default_value_t = KeyKind::P256)]
    key_type: KeyKind,
    /// Encrypt the key with the first line of this file
    #[arg(long, value_name = "FILE")]
    pass_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyKind {
    P256,
    P384,
    Ed25519,
    Rsa3072,
    /// OpenSSL knows it from 3.5 on
    #[value(name = "ml-dsa-65")]
    MlDsa65,
}

impl KeyArgs {
    /// A new key.
    pub fn generate(&self) -> Result<Signer, Failure> {
        Signer::generate(match self.key_type {
            KeyKind::P256 => KeyType::P256,
            KeyKind::P384 => KeyType::P384,
            KeyKind::Ed25519 => KeyType::Ed25519,
            KeyKind::Rsa3072 => KeyType::Rsa3072,
            KeyKind::MlDsa65 => KeyType::MlDsa65,
        })
    }

    /// The file with the passphrase, if one was named.
    pub fn pass_file(&self) -> Option<&Path> {
        self.pass_file.as_deref()
    }

    /// What the key is to be encrypted with; it is read once, as it may come out of a pipe.
    pub fn passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        self.pass_file.as_deref().map(Passphrase::read).transpose()
    }
}

/// A certificate that is made together with its key.
#[derive(Debug, clap::Args)]
pub struct MadeArgs {
    #[command(flatten)]
    lifetime: LifetimeArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    out: OutArgs,
    /// The file for the key, instead of beside the certificate
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
}

impl MadeArgs {
    /// From when to when it is good; `days` where nothing was typed.
    pub fn validity(&self, days: u32) -> Result<Validity, Failure> {
        self.lifetime.validity(days)
    }

    /// A new key.
    pub fn generate(&self) -> Result<Signer, Failure> {
        self.key.generate()
    }

    /// Writes the certificate and its key.
    pub fn put(&self, certificate: &[u8], key: &Signer) -> Result<Exit, Failure> {
        let key = key.pem(self.key.passphrase()?.as_ref())?;
        let text = certificate::pem("CERTIFICATE", certificate);
        self.out.put_with_key(&text, &key, self.key_out.as_deref())
    }

    /// Writes a certificate whose key is somewhere else.
    pub fn put_alone(&self, certificate: &[u8]) -> Result<Exit, Failure> {
        self.out.put(&certificate::pem("CERTIFICATE", certificate))
    }
}

/// Where the result goes.
#[derive(Debug, clap::Args)]
pub struct OutArgs {
    /// The file to write, instead of stdout
    #[arg(short, long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(out_file))]
    out: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

impl OutArgs {
    /// Writes what everybody may read.
    pub fn put(&self, text: &str) -> Result<Exit, Failure> {
        self.put_bytes(text.as_bytes(), Readers::Anybody)
    }

    /// Writes a certificate or request and its key: to one place, unless the key has one of its own.
    pub fn put_with_key(&self, text: &str, key: &str, key_out: Option<&Path>) -> Result<Exit, Failure> {
        let Some(path) = key_out else {
            let both = Zeroizing::new([text, key].concat());
            return self.put_bytes(both.as_bytes(), Readers::Owner);
        };
        let content = Zeroizing::new(key.as_bytes().to_vec());
        let key = Output { path: path.to_owned(), content, readers: Readers::Owner };
        self.put_all(vec![key], text.as_bytes(), Readers::Anybody)
    }

    /// Writes these bytes.
    pub fn put_bytes(&self, content: &[u8], readers: Readers) -> Result<Exit, Failure> {
        self.put_all(Vec::new(), content, readers)
    }

    /// All or nothing, stdout among them: where it takes no certificate, its key is not kept.
    fn put_all(&self, mut files: Vec<Output>, content: &[u8], readers: Readers) -> Result<Exit, Failure> {
        let existing = if self.force { Existing::Replaced } else { Existing::Kept };
        let file = self.out.as_deref().filter(|path| *path != Path::new("-"));
        if let Some(path) = file {
            let content = Zeroizing::new(content.to_vec());
            files.push(Output { path: path.to_owned(), content, readers });
        }
        let ready = prepare(&files, existing)?;
        if file.is_none() && put_on_stdout(content)? != Exit::OK {
            return Ok(Exit::PIPE);
        }
        ready.keep().map(|()| Exit::OK)
    }
}

/// Writes to stdout past its buffer, which would keep a copy of a key.
fn put_on_stdout(content: &[u8]) -> Result<Exit, Failure> {
    let stdout = can_be_written().and_then(|()| io::stdout().as_fd().try_clone_to_owned());
    written(stdout.and_then(|stdout| File::from(stdout).write_all(content)))
}

/// A lifetime in days.
fn days(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| match text.starts_with('-') {
        true => format!("for one that has expired, say --not-after {text}d"),
        false => "it is no number of days".to_owned(),
    })
}

/// OpenSSL's habit of one dash would write a key to a strange place.
fn out_file(path: PathBuf) -> Result<PathBuf, String> {
    match path == Path::new("ut") {
        true => Err("-out is read as -o ut; write --out".to_owned()),
        false => Ok(path),
    }
}

/// A file that is read, stdin for `-`.
pub fn input() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| match path == Path::new("-") {
        true => PathBuf::from("/dev/stdin"),
        false => path,
    })
}

/// The content of a file, or of stdin for `-`; in words why it cannot be had.
pub fn content(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    match path == Path::new("-") {
        // Past the buffer of stdin, which would keep a copy of a key.
        true => {
            let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(|why| why.to_string())?;
            certificate::read_from(File::from(stdin))
        }
        false => certificate::read_whole(path),
    }
}

/// The authority that signs.
#[derive(Debug, clap::Args)]
pub struct AuthorityArgs {
    /// The certificate of the authority, perhaps with its key in the same file
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// The key of the authority, where it is a file of its own
    #[arg(long, value_name = "FILE")]
    ca_key: Option<PathBuf>,
    /// The first line of this file opens that key
    #[arg(long, value_name = "FILE")]
    ca_pass_file: Option<PathBuf>,
    /// Refuse a key that others can read, instead of a warning
    #[arg(long)]
    strict_perms: bool,
}

impl AuthorityArgs {
    /// Reads it, and checks that it may sign this.
    pub fn load(&self, signs: Signs) -> Result<Authority, Failure> {
        let chain = read_chain(&self.ca)?;
        let key = OwnKey {
            path: self.ca_key.as_deref().unwrap_or(&self.ca),
            pass_file: self.ca_pass_file.as_deref(),
            pass_flag: "--ca-pass-file",
            strict_perms: self.strict_perms,
        };
        let name = self.ca.display().to_string();
        let [certificate, ..] = chain.as_slice() else {
            return Err(Failure::new(Exit::OWN_CERTIFICATE, name, "it holds no certificate"));
        };
        Authority::load(certificate.clone(), key.signer()?, signs, &name)
    }
}
