//! `--explain`: an address as JSON, with the options that are in effect.

use serde_json::{Map, Value as Json, json};

use super::option_table::{self, OPTIONS, row_of};
use super::scheme_table::scheme;
use super::{Address, End, Key, Options, Target, Value};

/// What is in effect when nothing is said.
const DEFAULTS: &[(Key, &str)] = &[
    (Key::Nodelay, "yes"),
    (Key::Keepalive, "yes"),
    (Key::Keepidle, "60s"),
    (Key::Keepintvl, "10s"),
    (Key::Keepcnt, "3"),
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
            "options": effective(&self.options, groups, self.listening),
        })
    }
}

fn effective(options: &Options, groups: u32, listening: bool) -> Json {
    let mut all = Map::new();
    for (key, value) in DEFAULTS {
        let Some(row) = row_of(*key) else { continue };
        let other_role = match listening {
            true => row.groups == option_table::CONNECT,
            false => {
                row.groups == option_table::LISTEN
                    || matches!(key, Key::SessionIdle | Key::MaxSessions | Key::Unlink)
            }
        };
        if row.groups & groups != 0 && !other_role {
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
