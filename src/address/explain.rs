//! `--explain`: an address as JSON, with the options that are in effect.

use serde_json::{Map, Value as Json, json};

use super::option_table::row_of;
use super::{Address, End, Host, Key, Net, Port, Target, UnixName, Value};

/// What is in effect when nothing is said.
const DEFAULTS: &[(Key, &str)] = &[
    (Key::Nodelay, "yes"),
    (Key::Keepalive, "yes"),
    (Key::Keepidle, "60s"),
    (Key::Keepintvl, "10s"),
    (Key::Keepcnt, "3"),
    (Key::Reuseaddr, "yes"),
    (Key::Backlog, "1024"),
    (Key::ConnectTimeout, "10s"),
    (Key::SessionIdle, "60s"),
    (Key::MaxSessions, "1024"),
    (Key::Mtu, "8192"),
    (Key::Unlink, "yes"),
    (Key::Pipes, "yes"),
    (Key::Stderr, "inherit"),
];

impl Address {
    /// The address as JSON.
    pub fn explain(&self) -> Json {
        match self {
            Address::One(end) => end.explain(),
            Address::Dual(read, write) => json!({"read": read.explain(), "write": write.explain()}),
        }
    }
}

impl End {
    fn explain(&self) -> Json {
        let name = if matches!(self.target, Target::Path(_)) { "path" } else { self.word() };
        json!({
            "scheme": name,
            "listening": self.listening,
            "address": self.to_string(),
            "target": target(&self.target),
            "options": self.effective(),
        })
    }

    /// What is in effect: our own choices where they mean something, and what was given.
    fn effective(&self) -> Json {
        let mut all = Map::new();
        for (key, value) in DEFAULTS {
            let Some(row) = row_of(*key).filter(|_| self.has_default(*key)) else { continue };
            all.insert(row.name.to_owned(), json!(value));
        }
        for (key, value) in self.options.iter() {
            let Some(row) = row_of(key) else { continue };
            let value = match value {
                Value::Flag(_) | Value::Time(_) | Value::Size(_) | Value::Number(_) | Value::Mode(_) => {
                    json!(value.to_string())
                }
                Value::Text(text) => json!(text),
            };
            match all.get_mut(row.name) {
                Some(Json::Array(list)) => list.push(value),
                Some(old) if self.options.texts(key).count() > 1 => *old = json!([old.clone(), value]),
                _ => {
                    all.insert(row.name.to_owned(), value);
                }
            }
        }
        Json::Object(all)
    }

    fn has_default(&self, key: Key) -> bool {
        let is_udp = matches!(self.target, Target::Net { net: Net::Udp, .. });
        let asked_for = match key {
            // A datagram port is never shared unasked.
            Key::Reuseaddr => !is_udp,
            Key::Unlink => self.listening || self.options.has(Key::Bind),
            // A peer on this host cannot vanish unseen.
            Key::Keepalive => !self.is_loopback(),
            Key::Keepidle | Key::Keepintvl | Key::Keepcnt => {
                !self.is_loopback() || self.options.has(Key::Keepalive)
            }
            _ => true,
        };
        asked_for && self.takes(key)
    }
}

impl End {
    fn is_loopback(&self) -> bool {
        match &self.target {
            Target::Net { host: Host::Loopback, .. } => true,
            Target::Net { host: Host::Name(name), .. } => {
                name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
            }
            _ => false,
        }
    }
}

/// What is named, part by part; a port alone is host "loopback", `:PORT` is host "any".
fn target(target: &Target) -> Json {
    let path = |path: &std::path::Path| json!({"path": path.to_string_lossy()});
    match target {
        Target::Net { host, port, .. } => {
            let host = match host {
                Host::Name(name) => name,
                Host::Any => "any",
                Host::Loopback => "loopback",
            };
            match port {
                Port::Number(number) => json!({"host": host, "port": number}),
                Port::Service(name) => json!({"host": host, "service": name}),
            }
        }
        Target::Unix { name: UnixName::Path(name), .. } => path(name),
        Target::Unix { name: UnixName::Abstract(name), .. } => json!({"abstract": name}),
        Target::Path(name) | Target::File(name) | Target::Fifo(name) => path(name),
        Target::Vsock { cid, port } => json!({"cid": cid, "port": port}),
        Target::Fd(number) => json!({"fd": number}),
        Target::Exec(words) => json!({"argv": words}),
        Target::Shell(text) => json!({"command": text}),
        Target::Text(bytes) => json!({"text": String::from_utf8_lossy(bytes)}),
        Target::Systemd(name) => json!({"name": name}),
        _ => json!({}),
    }
}
