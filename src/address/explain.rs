//! `--explain`: an address as JSON, with the options that are in effect.

use serde_json::{Map, Value as Json, json};

use super::option_table::{OPTIONS, groups_of, row_of};
use super::scheme_table::scheme;
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
        let text = self.to_string();
        let word: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let bare = word.strip_suffix("-l").unwrap_or(&word);
        let name = if matches!(self.target, Target::Path(_)) { "path" } else { bare };
        let groups = scheme(bare).map_or(0, |scheme| scheme.groups);
        json!({
            "scheme": name,
            "listening": self.listening,
            "address": text,
            "target": target(&self.target),
            "options": effective(self, groups_of(groups, self.listening)),
        })
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

fn effective(end: &End, groups: u32) -> Json {
    let End { target, listening, options } = end;
    let is_udp = matches!(target, Target::Net { net: Net::Udp, .. });
    let mut all = Map::new();
    for (key, value) in DEFAULTS {
        let Some(row) = row_of(*key) else { continue };
        let means_nothing = match listening {
            // Datagrams have no queue of peers, and a port of theirs is never shared unasked.
            true => is_udp && matches!(key, Key::Backlog | Key::Reuseaddr),
            false => matches!(key, Key::Unlink | Key::Reuseaddr),
        };
        if row.groups & groups != 0 && !means_nothing {
            all.insert(row.name.to_owned(), json!(value));
        }
    }
    for (key, value) in options.iter() {
        let Some(row) = OPTIONS.iter().find(|row| row.key == key) else { continue };
        let value = match value {
            Value::Flag(_) | Value::Time(_) | Value::Size(_) | Value::Number(_) | Value::Mode(_) => {
                json!(value.to_string())
            }
            Value::Text(text) => json!(text),
        };
        match all.get_mut(row.name) {
            Some(Json::Array(list)) => list.push(value),
            Some(old) if options.texts(key).count() > 1 => *old = json!([old.clone(), value]),
            _ => {
                all.insert(row.name.to_owned(), value);
            }
        }
    }
    Json::Object(all)
}
