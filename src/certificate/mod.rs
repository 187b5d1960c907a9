//! Certificates, keys and revocation lists as files and as facts: reading, decoding, escaping. Pure of TLS: what is
//! trusted, and by whom, is decided higher up.

mod distinguished_name;
mod escape;
mod facts;
mod file;
mod key;
mod passphrase;
mod pem;
mod read;
mod words;

pub use distinguished_name::from_der as distinguished_name;
pub use escape::escaped;
pub use facts::{Facts, pin_text, spki_pin, time_text};
pub use key::{KeyFile, permissions_warning, read_key};
pub use passphrase::Passphrase;
pub use read::{read_authorities, read_chain, read_crls};

/// A certificate as it is sent.
pub type Der = rustls::pki_types::CertificateDer<'static>;
