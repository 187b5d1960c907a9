//! `spile cert convert`: from PEM to DER and back.

use std::path::PathBuf;

use clap::ValueEnum;
use zeroize::Zeroizing;

use super::flags::{OutArgs, content};
use crate::certificate::{self, Kind, Object, Readers, objects};
use crate::error::{Exit, Failure};

pub const EXAMPLES: &str = "\
Examples:
  spile cert convert server.pem --to der --out server.der
  spile cert convert server.key --to der --out server.key.der    for its owner alone
  spile cert convert crl.der --to pem
";

/// What follows `spile cert convert`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file: certificates, a request, a revocation list or a key; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The form that is wanted
    #[arg(long, value_name = "FORM", value_enum)]
    to: Form,
    #[command(flatten)]
    out: OutArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// Bytes, one object.
    Der,
    /// Text, one object or many.
    Pem,
}

impl Args {
    pub fn run(self) -> Result<Exit, Failure> {
        let fail =
            |why: String| Failure::new(Exit::OWN_CERTIFICATE, format!("file {}", self.file.display()), why);
        let bytes = content(&self.file).map_err(fail)?;
        let found = objects(&bytes).map_err(fail)?;
        if let Some(old) = found.iter().find(|object| object.is_legacy_encrypted) {
            return Err(fail(format!(
                "its '{}' is encrypted in an old way, which only PEM can tell",
                certificate::escaped(&old.label)
            )));
        }
        let bytes = match (self.to, found.as_slice()) {
            (Form::Der, [one]) => one.der.clone(),
            (Form::Der, many) => {
                return Err(fail(format!("it holds {} objects, DER has room for one", many.len())));
            }
            (Form::Pem, many) => pem(many),
        };
        let has_key = found.iter().any(|object| object.kind == Kind::Key);
        self.out.put_bytes(&bytes, if has_key { Readers::Owner } else { Readers::Anybody })
    }
}

fn pem(objects: &[Object]) -> Zeroizing<Vec<u8>> {
    let blocks: Vec<Zeroizing<String>> =
        objects.iter().map(|object| certificate::pem(&object.label, &object.der)).collect();
    // In one allocation: growing would leave copies of a key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(blocks.iter().map(|block| block.len()).sum()));
    blocks.iter().for_each(|block| text.extend_from_slice(block.as_bytes()));
    text
}
