//! stub
use super::*;
pub(super) fn address(text: &str, role: Role) -> Result<Address, Failure> {
    let listening = text.starts_with("tcp-l:") || role == Role::Listen;
    let t = text.trim_start_matches("tcp-l:").trim_start_matches("tcp:");
    let target = if t == "-" { Target::Stdio } else if let Some(p) = t.strip_prefix("sh:") { Target::Shell(p.into()) }
      else if t.starts_with('/') { Target::Path(t.into()) }
      else { let (h, p) = t.rsplit_once(':').unwrap_or(("", t));
        let host = if t == p { Host::Loopback } else if h.is_empty() { Host::Any } else { Host::Name(h.into()) };
        Target::Net { net: Net::Tcp, family: Family::Any, host, port: Port::Number(p.parse().map_err(|_| Failure::usage(p, "bad port"))?) } };
    Ok(Address::One(End { target, listening, options: Options::default() }))
}
