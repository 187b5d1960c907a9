//! The URL of a proxy: `http://[USER@]HOST:PORT`, `socks5://`, `socks5h://`, `socks4a://`.

use std::fmt;

use super::host::host_port;
use super::{Host, Port};
use crate::suggest::nearest;

/// A proxy to connect through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Who we are to it; the password is never part of a URL.
    pub user: Option<String>,
    /// Where it is.
    pub host: Host,
    /// On which port.
    pub port: Port,
    /// The URL without its user.
    name: String,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP's CONNECT; the proxy resolves names.
    Http,
    /// SOCKS 5 to an address that we have resolved.
    Socks5,
    /// SOCKS 5; the proxy resolves names.
    Socks5h,
    /// SOCKS 4a; the proxy resolves names.
    Socks4a,
}

const KINDS: &[(&str, ProxyKind)] = &[
    ("http", ProxyKind::Http),
    ("socks5", ProxyKind::Socks5),
    ("socks5h", ProxyKind::Socks5h),
    ("socks4a", ProxyKind::Socks4a),
];

impl Proxy {
    /// Reads a URL. The error never repeats what may be a password.
    pub fn read(text: &str) -> Result<Proxy, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it begins with http:// or socks5h://")?;
        let kinds = || KINDS.iter().map(|(name, _)| *name);
        let Some((scheme, kind)) = KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme)) else {
            let all = kinds().collect::<Vec<_>>().join(" ");
            return Err(match nearest(scheme, kinds()) {
                Some(near) => format!("no proxy speaks this; did you mean {near}://?"),
                None => format!("the URL of a proxy begins with one of {all}, and ://"),
            });
        };
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        match user {
            Some(user) if user.contains(':') => {
                return Err("a password here can be read by everybody on this host; give a file by \
                            proxy-auth-file, its first line USER:PASSWORD"
                    .to_owned());
            }
            Some("") => return Err("the user before the @ is missing".to_owned()),
            _ => {}
        }
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = host_port(place, false)?;
        Ok(Proxy {
            kind: *kind,
            user: user.map(str::to_owned),
            host,
            port,
            name: format!("{scheme}://{place}"),
        })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_a_password_is_refused_unseen() {
        let proxy = Proxy::read("HTTP://me@proxy.example:3128/").unwrap();
        assert_eq!((proxy.kind, proxy.user.as_deref()), (ProxyKind::Http, Some("me")));
        assert_eq!((&proxy.host, &proxy.port), (&Host::Name("proxy.example".into()), &Port::Number(3128)));
        assert_eq!(proxy.to_string(), "http://proxy.example:3128");
        assert_eq!(Proxy::read("socks5h://[::1]:1080").unwrap().host, Host::Name("::1".into()));
        let refused = Proxy::read("http://me:hunter2@proxy:1").unwrap_err();
        assert!(refused.contains("proxy-auth-file") && !refused.contains("hunter2"), "{refused}");
        for bad in
            ["proxy:1", "socks://h:1", "https://h:1", "http://h", "http://@h:1", "http://h:1/path", "http://"]
        {
            assert!(Proxy::read(bad).is_err(), "{bad}");
        }
    }
}
