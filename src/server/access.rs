//! Who may connect: networks allowed and denied, the most specific one deciding.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ipnet::IpNet;

use crate::error::Failure;

/// Access rules; those of a file can be read again while the service runs.
#[derive(Default)]
pub struct Access {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
    file: Option<(PathBuf, Mutex<Vec<IpNet>>)>,
}

impl Access {
    /// Rules from flags, address options and a file with one network a line (`#` starts a comment).
    pub fn new<'a>(
        allow: impl IntoIterator<Item = &'a str>,
        deny: impl IntoIterator<Item = &'a str>,
        file: Option<&Path>,
    ) -> Result<Access, Failure> {
        let read = |texts: Vec<&str>| texts.into_iter().map(network).collect::<Result<Vec<_>, _>>();
        let file = match file {
            Some(path) => Some((path.to_owned(), Mutex::new(read_file(path)?))),
            None => None,
        };
        Ok(Access {
            allow: read(allow.into_iter().collect())?,
            deny: read(deny.into_iter().collect())?,
            file,
        })
    }

    /// Reads the file again; on failure the old rules stay.
    pub fn reload(&self) -> Result<Option<&Path>, Failure> {
        let Some((path, rules)) = &self.file else { return Ok(None) };
        *rules.lock().unwrap_or_else(PoisonError::into_inner) = read_file(path)?;
        Ok(Some(path))
    }

    /// True when there is anything to judge a peer by.
    pub fn has_rules(&self) -> bool {
        !self.allow.is_empty() || !self.deny.is_empty() || self.file.is_some()
    }

    /// True when it is said who may connect, which shuts out the rest.
    pub fn names_who_may(&self) -> bool {
        !self.allow.is_empty() || self.file.is_some()
    }

    /// True when the peer may connect. Peers without an IP address (Unix sockets) always may:
    /// the permissions of the path are their rule.
    pub fn allows(&self, peer: Option<IpAddr>) -> bool {
        let Some(peer) = peer.map(|ip| ip.to_canonical()) else { return true };
        if !self.has_rules() {
            return true;
        }
        let longest =
            |rules: &[IpNet]| rules.iter().filter(|net| net.contains(&peer)).map(IpNet::prefix_len).max();
        let from_file = self
            .file
            .as_ref()
            .map(|(_, rules)| longest(&rules.lock().unwrap_or_else(PoisonError::into_inner)));
        let allowed = longest(&self.allow).max(from_file.flatten());
        match (allowed, longest(&self.deny)) {
            (Some(allow), Some(deny)) => allow > deny,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => !self.names_who_may(),
        }
    }
}

fn network(text: &str) -> Result<IpNet, Failure> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(single).ok_or_else(|| {
        Failure::usage(format!("'{text}'"), "is no network")
            .hint("for example 10.0.0.0/8, 192.0.2.7 or fe80::/10")
    })
}

fn read_file(path: &Path) -> Result<Vec<IpNet>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|why| Failure::other(format!("cannot read {}", path.display()), why))?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(allow: &[&str], deny: &[&str]) -> Access {
        Access::new(allow.iter().copied(), deny.iter().copied(), None).unwrap()
    }

    fn allows(access: &Access, ip: &str) -> bool {
        access.allows(Some(ip.parse().unwrap()))
    }

    #[test]
    fn without_rules_everybody_may_connect() {
        assert!(allows(&access(&[], &[]), "192.0.2.1"));
    }

    #[test]
    fn an_allow_rule_shuts_out_the_rest() {
        let rules = access(&["10.0.0.0/8"], &[]);
        assert!(allows(&rules, "10.1.2.3"));
        assert!(allows(&rules, "::ffff:10.1.2.3"), "an IPv4 peer of a dual-stack socket");
        assert!(!allows(&rules, "192.0.2.1"));
    }

    #[test]
    fn the_more_specific_rule_decides() {
        let rules = access(&["10.0.0.0/8", "10.9.9.9"], &["10.9.0.0/16"]);
        assert!(allows(&rules, "10.1.1.1"));
        assert!(!allows(&rules, "10.9.1.1"));
        assert!(allows(&rules, "10.9.9.9"));
    }

    #[test]
    fn a_deny_rule_alone_lets_the_rest_in() {
        let rules = access(&[], &["127.0.0.2"]);
        assert!(allows(&rules, "127.0.0.1"));
        assert!(!allows(&rules, "127.0.0.2"));
    }

    #[test]
    fn unix_peers_have_no_address_to_judge() {
        assert!(access(&["10.0.0.0/8"], &[]).allows(None));
    }
}
