//! TLS settings become rustls configurations: whom we trust, who we are, what is offered; and every refusal is kept
//! and explained. Nothing here opens a socket.

mod client;
mod client_verifier;
mod explanation;
mod identity;
mod inspection;
mod keylog;
mod name;
mod offline;
mod pin;
mod provider;
mod resolver;
mod rule;
mod seen;
mod self_signed;
mod server;
mod server_verifier;
mod session;
mod staple;
#[cfg(test)]
mod tests;
mod trust;
mod verdict;

pub use client::{Client, ClientSettings, Sni};
pub use identity::{IdentityFiles, Permissions};
pub use inspection::{Inspection, Negotiated, RevocationCheck, Terms};
pub use offline::{Judged, judge_client, judge_server};
pub use pin::Pin;
pub use provider::{Protocol, Version, cipher_name, group_name, list, version_name};
pub use resolver::UnknownName;
pub use rule::{Rule, UriPattern};
#[cfg(test)]
pub use seen::CertificateRequest;
pub use seen::{Hello, Seen};
#[cfg(test)]
pub use server::Admission;
pub use server::{ClientAuthentication, Presence, Server, ServerSettings, Tickets};
pub use session::{HEADROOM, Progress, Session};
pub use staple::{Stapled, Status as StapleStatus};
pub use trust::{Enforcement, Pinning, Revocation, Roots, Stapling, Trust, UnknownStatus};
pub use verdict::{Basis, Code, Refusal, Verdict};
