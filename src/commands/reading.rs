//! How addresses are read, whichever words of a command line they are: what flags say more of them.

use super::stdout::print;
use crate::address::{self, Address, End, Family, Host, Layer, Net, Options, Role, Target, UnixKind};
use crate::error::{Exit, Failure};

/// What flags say of addresses, and what is to be told of them.
#[derive(Clone, Debug, clap::Args)]
pub struct ReadingArgs {
    /// Print how the addresses are read as JSON, and open nothing
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    family: FamilyArgs,
}

/// Which protocol is meant.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
struct FamilyArgs {
    /// IPv4 alone
    #[arg(short = '4', conflicts_with = "v6")]
    v4: bool,
    /// IPv6 alone
    #[arg(short = '6')]
    v6: bool,
    /// UDP instead of TCP; datagrams on a Unix socket
    #[arg(short = 'u', long)]
    udp: bool,
    /// Never ask a name server: hosts are numeric
    #[arg(short = 'n', long)]
    numeric: bool,
}

impl FamilyArgs {
    fn apply(self, end: &mut End) -> Result<(), Failure> {
        match &mut end.target {
            Target::Net { net, family, host, .. } => {
                if self.udp && end.layer == Layer::Plain {
                    *net = Net::Udp;
                }
                if self.v4 || self.v6 {
                    *family = if self.v4 { Family::V4 } else { Family::V6 };
                }
                match host {
                    Host::Name(name) if self.numeric && crate::endpoint::numeric(name, 0).is_none() => {
                        let host = format!("host '{name}'");
                        Err(Failure::usage(host, "is no numeric address, and -n asks for one"))
                    }
                    _ => Ok(()),
                }
            }
            Target::Unix { kind: kind @ UnixKind::Stream, .. } if self.udp && end.layer == Layer::Plain => {
                *kind = UnixKind::Datagram;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Fails for a flag that means nothing to any of these ends.
    fn check(self, ends: &[&mut End], role: Role) -> Result<(), Failure> {
        let is_net = |end: &&mut End| matches!(end.target, Target::Net { .. });
        let has_datagrams = |end: &&mut End| {
            let is_plain = is_net(end) && end.layer == Layer::Plain;
            is_plain || matches!(end.target, Target::Unix { kind: UnixKind::Datagram, .. })
        };
        let given = [("-4", self.v4), ("-6", self.v6), ("-u", self.udp)];
        for (flag, _) in given.into_iter().filter(|(_, given)| *given) {
            let fits = if flag == "-u" { ends.iter().any(has_datagrams) } else { ends.iter().any(is_net) };
            if !fits {
                let failure = Failure::usage(format!("flag {flag}"), format!("is not for {}", list(ends)));
                return Err(match (flag, role) {
                    ("-u", Role::Relay) => failure.hint("one way (socat's -u) is --send-only; -u is UDP"),
                    _ => failure,
                });
            }
        }
        Ok(())
    }
}

fn list(ends: &[&mut End]) -> String {
    ends.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

impl ReadingArgs {
    /// Applies what flags say to every end that it means something to. What means nothing to any is refused.
    pub fn configure<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a mut Address>,
        flags: &Options,
        role: Role,
    ) -> Result<(), Failure> {
        let mut ends: Vec<&mut End> = addresses.into_iter().flat_map(Address::ends).collect();
        ends.iter_mut().try_for_each(|end| self.family.apply(end))?;
        self.family.check(&ends, role)?;
        for (key, _) in flags.iter() {
            if !ends.iter().any(|end| end.takes(key)) {
                let name = address::OPTIONS.iter().find(|row| row.key == key).map_or("", |row| row.name);
                return Err(Failure::usage(format!("flag --{name}"), format!("is not for {}", list(&ends))));
            }
        }
        let own: Vec<Options> = ends.iter().map(|end| end.options.clone()).collect();
        for end in &mut ends {
            let mut fitting = Options::default();
            fitting.extend(flags.iter().filter(|(key, _)| end.takes(*key)).map(|(key, v)| (key, v.clone())));
            end.options = fitting.under(&end.options);
        }
        // What is of use to one is not meant for those to which it is of none.
        for (key, _) in flags.iter() {
            if ends.iter().any(|end| end.is_of_use(key)) {
                let others = ends.iter_mut().zip(&own);
                let others = others.filter(|(end, own)| !end.is_of_use(key) && !own.has(key));
                others.for_each(|(end, _)| end.options.forget(key));
            }
        }
        ends.iter().try_for_each(|end| end.check())
    }

    /// Prints how the addresses are read, where that was asked for in place of doing anything.
    pub fn explain(&self, addresses: &[&Address]) -> Option<Result<Exit, Failure>> {
        self.explain.then(|| {
            let all: Vec<_> = addresses.iter().map(|address| address.explain()).collect();
            let object = serde_json::json!({"schema": "spile.addresses/1", "addresses": all});
            print(&format!("{object:#}\n"))
        })
    }
}
