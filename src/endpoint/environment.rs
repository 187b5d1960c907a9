//! What a child is told of the connection that it serves, in its environment.

use std::net::SocketAddr;

use super::descriptor::Descriptor;
use super::peer::{self, Peer};
use super::tls;

/// The connection that a child serves.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// `tcp`, `udp`, `unix`…
    pub protocol: String,
    /// The other end.
    pub peer: Option<Peer>,
    /// Our end.
    pub local: Option<Peer>,
    /// Counts the connections of one listener from 1.
    pub id: u64,
    /// In which words it is told.
    pub names: VariableNames,
    /// What its TLS session has negotiated.
    pub tls: Option<Box<tls::Facts>>,
}

/// The names of the variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VariableNames {
    /// `SPILE_…`.
    #[default]
    Own,
    /// Also those of socat (`SOCAT_PEERADDR`), ncat (`NCAT_REMOTE_ADDR`) and UCSPI (`TCPREMOTEIP`).
    Compatible,
}

type Variables = Vec<(String, String)>;

fn set(variables: &mut Variables, name: &str, value: String) {
    variables.push((name.to_owned(), value));
}

impl Connection {
    /// The variables to add.
    pub fn environment(&self) -> Variables {
        let mut variables = Variables::new();
        if !self.protocol.is_empty() {
            set(&mut variables, "SPILE_PROTO", self.protocol.clone());
            set(&mut variables, "SPILE_CONN_ID", self.id.to_string());
        }
        for (prefix, peer) in [("SPILE_PEER", &self.peer), ("SPILE_LOCAL", &self.local)] {
            if let Some(peer) = peer {
                let (address, port) = peer.parts();
                set(&mut variables, &format!("{prefix}_ADDR"), address);
                set(&mut variables, &format!("{prefix}_PORT"), port);
            }
        }
        if self.names == VariableNames::Compatible {
            self.compatible(&mut variables);
        }
        if let Some(tls) = &self.tls {
            variables.extend(tls.variables().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        variables
    }

    /// socat(1), "ENVIRONMENT VARIABLES"; ncat(1), "-e"; UCSPI-1996 and tcp-environ(5).
    fn compatible(&self, variables: &mut Variables) {
        if !self.protocol.is_empty() {
            set(variables, "NCAT_PROTO", self.protocol.to_uppercase());
            set(variables, "PROTO", self.protocol.to_uppercase());
        }
        for (side, socat, ncat, ucspi) in [
            (&self.peer, "SOCAT_PEER", "NCAT_REMOTE", "TCPREMOTE"),
            (&self.local, "SOCAT_SOCK", "NCAT_LOCAL", "TCPLOCAL"),
        ] {
            let Some(end) = side else { continue };
            let (address, port) = end.parts();
            set(variables, &format!("{socat}ADDR"), as_socat_writes(end, &address));
            set(variables, &format!("{ncat}_ADDR"), address.clone());
            if port.is_empty() {
                continue;
            }
            set(variables, &format!("{socat}PORT"), port.clone());
            set(variables, &format!("{ncat}_PORT"), port.clone());
            if self.protocol == "tcp" {
                set(variables, &format!("{ucspi}IP"), address);
                set(variables, &format!("{ucspi}PORT"), port);
            }
        }
    }
}

/// socat writes IPv6 addresses in brackets and without `::`.
fn as_socat_writes(end: &Peer, address: &str) -> String {
    let Peer::Ip(SocketAddr::V6(v6)) = end else { return address.to_owned() };
    let groups: Vec<String> = v6.ip().segments().iter().map(|group| format!("{group:04x}")).collect();
    format!("[{}]", groups.join(":"))
}

/// What can be read off a connected socket.
pub fn connection_of(fd: &Descriptor) -> Connection {
    let socket = socket2::SockRef::from(fd);
    let (Ok(peer), Ok(local)) = (socket.peer_addr(), socket.local_addr()) else {
        return Connection::default();
    };
    let protocol = match (peer.is_unix(), peer.as_socket()) {
        (true, _) => "unix",
        (_, Some(_)) => "tcp",
        _ => "vsock",
    };
    Connection {
        protocol: protocol.to_owned(),
        peer: Some(peer::of(&peer)),
        local: Some(peer::of(&local)),
        id: 1,
        names: VariableNames::Own,
        tls: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn told(connection: &Connection, name: &str) -> Option<String> {
        let variables = connection.environment();
        variables.into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    #[test]
    fn other_tools_names_are_set_only_on_request() {
        let peer = Peer::ip(SocketAddr::new(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 4711));
        let own = Connection { protocol: "tcp".into(), peer: Some(peer), id: 7, ..Connection::default() };
        assert_eq!(told(&own, "SPILE_PEER_ADDR").as_deref(), Some("::1"));
        assert_eq!(told(&own, "SOCAT_PEERADDR"), None);
        let both = Connection { names: VariableNames::Compatible, ..own };
        assert_eq!(
            told(&both, "SOCAT_PEERADDR").as_deref(),
            Some("[0000:0000:0000:0000:0000:0000:0000:0001]")
        );
        assert_eq!(told(&both, "TCPREMOTEIP").as_deref(), Some("::1"));
        assert_eq!(told(&both, "NCAT_PROTO").as_deref(), Some("TCP"));
        assert_eq!(told(&both, "SPILE_CONN_ID").as_deref(), Some("7"));
    }

    #[test]
    fn what_has_no_port_is_told_without_one() {
        let peer = Some(Peer::Unix("@name".into()));
        let unix = Connection {
            protocol: "unix".into(),
            peer,
            names: VariableNames::Compatible,
            ..Connection::default()
        };
        assert_eq!(told(&unix, "NCAT_REMOTE_ADDR").as_deref(), Some("@name"));
        assert_eq!(told(&unix, "NCAT_REMOTE_PORT"), None);
        assert_eq!(told(&unix, "TCPREMOTEIP"), None);
    }
}
