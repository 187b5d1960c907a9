//! Certificates, keys and revocation lists as files and as facts: reading, decoding, escaping, making, writing. Pure of
//! TLS: what is trusted, and by whom, is decided higher up.

mod authority;
pub mod der;
mod distinguished_name;
mod escape;
mod facts;
mod file;
mod issue;
mod key;
mod lifetime;
mod limits;
mod names;
mod object;
pub mod ocsp;
mod passphrase;
mod pem;
mod place;
mod read;
mod request;
pub mod revocation;
pub mod signature;
mod signer;
mod verify;
#[cfg(test)]
mod wiping;
mod words;
mod write;

pub use authority::{Authority, Signs};
pub use distinguished_name::from_der as distinguished_name;
pub use escape::{escaped, is_hidden};
pub use facts::{Facts, pin_text, serial_of, spki_pin, time_text};
pub use file::{read_rest as read_from, read_whole};
pub use issue::{Purpose, Subject, authority, self_signed, signed};
pub use key::{Key, KeyFile, permissions_warning, read_key};
pub use lifetime::{Lifetime, Moment, Validity};
pub use limits::limits;
pub use names::{Name, uri};
pub use object::{Kind, Object, objects};
pub use passphrase::Passphrase;
pub use pem::encode as pem;
pub use read::{read_authorities, read_chain, read_crls};
pub use request::{REQUEST, Request, RequestFacts, make as make_request};
pub use signature::is_issued_by;
pub use signer::{KeyType, Signer, belongs, kind_of};
pub use write::{Existing, Output, Readers, prepare, write};

/// A certificate as it is sent.
pub type Der = rustls::pki_types::CertificateDer<'static>;
