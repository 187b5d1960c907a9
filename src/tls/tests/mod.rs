//! Whole handshakes in memory, over certificates that are made for the purpose. One file per subject.

mod authority;
mod garbage;
mod handshake;
mod identity;
mod mutual;
mod names;
mod offers;
mod possession;
mod resumption;
mod staple;
mod trust;
mod weak;

use super::*;
use authority::Authority;

/// The versions that every rule must hold in.
const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

fn only(version: Version) -> Protocol {
    Protocol { min: version, max: version, ..Protocol::default() }
}

/// A client that trusts this authority alone.
fn client_of(authority: &Authority) -> ClientSettings {
    let trust = Trust { cafile: vec![authority.file()], ..Trust::default() };
    ClientSettings { trust, ..ClientSettings::default() }
}

fn server_of(identity: IdentityFiles) -> ServerSettings {
    ServerSettings { identities: vec![identity], ..ServerSettings::default() }
}
