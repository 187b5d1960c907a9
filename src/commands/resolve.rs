//! `spile resolve`: names, services, protocols, interfaces: getaddrinfo(3) and its kin.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use super::Subcommand;
use super::stdout::print;
use crate::address::Family;
use crate::endpoint::numeric;
use crate::error::{Exit, Failure};
use crate::names;

/// What follows `spile resolve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Host names, or addresses to turn into names; HOST:SERVICE gives ports too
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// IPv4 alone
    #[arg(short = '4', conflicts_with = "v6")]
    v4: bool,
    /// IPv6 alone
    #[arg(short = '6')]
    v6: bool,
    /// Also say the canonical name
    #[arg(short, long)]
    canonical: bool,
    /// The port of a service, or the service of a port: https, 443/udp
    #[arg(short, long, value_name = "NAME")]
    service: Vec<String>,
    /// The number of a protocol, or the protocol of a number
    #[arg(short, long, value_name = "NAME")]
    protocol: Vec<String>,
    /// This host's interfaces with their addresses
    #[arg(short, long)]
    interfaces: bool,
    /// This host's name
    #[arg(long)]
    hostname: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Subcommand for Args {
    const NAME: &'static str = "resolve";
    const ABOUT: &'static str = "Look up names, services, protocols and interfaces";
    const TAKES_ADDRESSES: bool = false;
    const EXAMPLES: &'static str = "\
Examples:
  spile resolve example.org             its addresses, one a line
  spile resolve -c www.example.org      and its canonical name
  spile resolve 127.0.0.1               the name of an address
  spile resolve --service https         443/tcp
  spile resolve --protocol udp          17
  spile resolve --interfaces --json     this host's interfaces
  spile resolve --hostname              this host's name, qualified if it has one
";

    fn run(self) -> Result<Exit, Failure> {
        let asks = !(self.names.is_empty() && self.service.is_empty() && self.protocol.is_empty());
        if !asks && !self.interfaces && !self.hostname {
            return Err(
                Failure::usage("nothing to look up", "").hint("spile resolve NAME; see spile resolve --help")
            );
        }
        let mut answer = Answer::default();
        let mut first = Ok(());
        // What is found is told even where something else is not.
        let mut look = |result: Result<(), Failure>| {
            if first.is_ok() {
                first = result;
            }
        };
        self.names.iter().for_each(|name| look(self.name(name, &mut answer)));
        self.service.iter().for_each(|word| look(service(word, &mut answer)));
        self.protocol.iter().for_each(|word| look(protocol(word, &mut answer)));
        if self.interfaces {
            look(interfaces(&mut answer));
        }
        if self.hostname {
            look(hostname(&mut answer));
        }
        let told = answer.tell(self.json);
        first.and(told)
    }
}

/// Answers, each as a line and as JSON.
#[derive(Default)]
struct Answer {
    lines: Vec<String>,
    objects: Vec<Value>,
}

impl Answer {
    fn add(&mut self, line: String, object: Value) {
        self.lines.push(line);
        self.objects.push(object);
    }

    fn tell(self, as_json: bool) -> Result<Exit, Failure> {
        let text = match as_json {
            true => format!("{:#}\n", json!({"schema": "spile.resolve/1", "answers": self.objects})),
            false => self.lines.iter().map(|line| format!("{line}\n")).collect(),
        };
        print(&text)
    }
}

impl Args {
    fn name(&self, word: &str, answer: &mut Answer) -> Result<(), Failure> {
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        if let Some(address) = numeric(bare, 0) {
            let name = names::of_address(address.ip())?;
            answer.add(name.clone(), json!({"address": address.ip(), "name": name}));
            return Ok(());
        }
        if word.is_empty() || word.starts_with(':') {
            return Err(Failure::misuse(format!("'{word}'"), "the name is empty"));
        }
        let (host, port) = match word.rsplit_once(':') {
            Some((_, "")) => return Err(Failure::misuse(format!("'{word}'"), "the port is missing")),
            Some((host, service)) => (host, Some(names::port(service, "tcp")?)),
            None => (word, None),
        };
        let family = match (self.v4, self.v6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        };
        let found =
            if self.canonical { names::canonical(host, family) } else { names::addresses(host, family) }?;
        let addresses: Vec<IpAddr> = found.addresses.iter().map(SocketAddr::ip).collect();
        if let Some(canonical) = &found.canonical {
            answer.lines.push(format!("canonical {canonical}"));
        }
        for ip in &addresses {
            answer.lines.push(match port {
                Some(port) => SocketAddr::new(*ip, port).to_string(),
                None => ip.to_string(),
            });
        }
        answer.objects.push(json!({
            "name": host, "canonical": found.canonical, "port": port, "addresses": addresses,
        }));
        Ok(())
    }
}

fn service(word: &str, answer: &mut Answer) -> Result<(), Failure> {
    let (name, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
    let entry = names::service(name, protocol)?;
    let line = format!("{} {}/{}", entry.name, entry.number, protocol);
    answer.add(line, json!({"service": entry.name, "port": entry.number, "protocol": protocol}));
    Ok(())
}

fn protocol(word: &str, answer: &mut Answer) -> Result<(), Failure> {
    let entry = names::protocol(word)?;
    answer.add(
        format!("{} {}", entry.name, entry.number),
        json!({"protocol": entry.name, "number": entry.number}),
    );
    Ok(())
}

fn hostname(answer: &mut Answer) -> Result<(), Failure> {
    let name = names::qualified_host()?;
    answer.add(name.clone(), json!({"hostname": name}));
    Ok(())
}

fn interfaces(answer: &mut Answer) -> Result<(), Failure> {
    for interface in names::interfaces()? {
        let addresses: Vec<String> = interface.addresses.iter().map(ToString::to_string).collect();
        let state = if interface.up { "up" } else { "down" };
        answer.add(
            format!("{} {} {state} {}", interface.index, interface.name, addresses.join(" ")).trim_end().to_owned(),
            json!({"index": interface.index, "name": interface.name, "up": interface.up, "addresses": addresses}),
        );
    }
    Ok(())
}
