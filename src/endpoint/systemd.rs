//! Socket activation: listening sockets in LISTEN_FDS, sd_listen_fds(3).

use std::io;

use socket2::{Domain, Socket, Type};

use super::Kind;
use crate::address::UnixKind;
use crate::error::Failure;

/// SD_LISTEN_FDS_START.
const FIRST: i32 = 3;

/// What kind of socket was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Unix.
    Unix(UnixKind),
    /// AF_VSOCK.
    Vsock,
}

impl Passed {
    fn of(socket: &Socket) -> io::Result<Passed> {
        Ok(match (socket.domain()?, socket.r#type()?) {
            (Domain::UNIX, Type::DGRAM) => Passed::Unix(UnixKind::Datagram),
            (Domain::UNIX, Type::SEQPACKET) => Passed::Unix(UnixKind::SeqPacket),
            (Domain::UNIX, _) => Passed::Unix(UnixKind::Stream),
            (Domain::VSOCK, _) => Passed::Vsock,
            (_, Type::DGRAM) => Passed::Udp,
            _ => Passed::Tcp,
        })
    }

    /// The scheme that would have made it; it decides which options mean something.
    pub fn scheme(self) -> &'static str {
        match self {
            Passed::Tcp => "tcp",
            Passed::Udp => "udp",
            Passed::Unix(UnixKind::Stream) => "unix",
            Passed::Unix(UnixKind::Datagram) => "unix-dgram",
            Passed::Unix(UnixKind::SeqPacket) => "seqpacket",
            Passed::Vsock => "vsock",
        }
    }

    /// The kind of the connections that are accepted on it; `None` where datagrams are received on it.
    pub fn accepted(self) -> Option<Kind> {
        match self {
            Passed::Tcp => Some(Kind::Tcp),
            Passed::Unix(UnixKind::Stream) => Some(Kind::Local),
            Passed::Unix(UnixKind::SeqPacket) => Some(Kind::Message),
            Passed::Vsock => Some(Kind::OtherStream),
            Passed::Udp | Passed::Unix(UnixKind::Datagram) => None,
        }
    }
}

/// Takes the socket called `name` in LISTEN_FDNAMES, or the only one.
pub fn take(name: Option<&str>) -> Result<(Socket, Passed), Failure> {
    let number = choose(name, &|key| std::env::var(key).ok(), std::process::id())?;
    // LISTEN_PID says that the descriptors from 3 on were passed to this very process.
    let Some(fd) = crate::process::take_descriptor(number) else {
        return Err(Failure::connect(format!("descriptor {number} from LISTEN_FDS"), "is not open"));
    };
    let socket = Socket::from(fd);
    let bad = |why| Failure::connect(format!("descriptor {number} from LISTEN_FDS is no socket"), why);
    socket.set_cloexec(true).map_err(bad)?;
    socket.set_nonblocking(true).map_err(bad)?;
    let passed = Passed::of(&socket).map_err(bad)?;
    Ok((socket, passed))
}

fn choose(name: Option<&str>, variable: &dyn Fn(&str) -> Option<String>, pid: u32) -> Result<i32, Failure> {
    let number = |key: &str| variable(key).and_then(|text| text.parse::<u32>().ok());
    let nothing = |why: &str| {
        Err(Failure::connect("no socket was passed", why)
            .hint("start spile from a systemd .socket unit, or with systemd-socket-activate"))
    };
    let count = match (number("LISTEN_PID"), number("LISTEN_FDS")) {
        (Some(listen_pid), Some(count)) if listen_pid == pid && count > 0 => count,
        (Some(listen_pid), Some(_)) if listen_pid != pid => return nothing("LISTEN_PID is another process"),
        _ => return nothing("LISTEN_FDS is not set"),
    };
    let names = variable("LISTEN_FDNAMES").unwrap_or_default();
    let at = match name {
        Some(name) => names.split(':').position(|known| known == name),
        None if count == 1 => Some(0),
        None => {
            return Err(Failure::misuse("systemd", format!("{count} sockets were passed"))
                .hint(format!("name one: systemd:NAME, of {}", names.replace(':', " "))));
        }
    };
    match at.and_then(|at| i32::try_from(at).ok()).filter(|at| *at < count as i32) {
        Some(at) => Ok(FIRST + at),
        None => Err(Failure::connect(
            format!("no socket called '{}' was passed", name.unwrap_or_default()),
            format!("LISTEN_FDNAMES has: {}", names.replace(':', " ")),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(pid: &'static str, fds: &'static str, names: &'static str) -> impl Fn(&str) -> Option<String> {
        move |key| {
            let value = match key {
                "LISTEN_PID" => pid,
                "LISTEN_FDS" => fds,
                _ => names,
            };
            (!value.is_empty()).then(|| value.to_owned())
        }
    }

    #[test]
    fn the_only_socket_needs_no_name_and_two_do() {
        assert_eq!(choose(None, &passed("7", "1", ""), 7).unwrap(), 3);
        assert!(choose(None, &passed("7", "2", "a:b"), 7).is_err());
        assert_eq!(choose(Some("b"), &passed("7", "2", "a:b"), 7).unwrap(), 4);
        assert!(choose(Some("c"), &passed("7", "2", "a:b"), 7).is_err());
    }

    #[test]
    fn sockets_for_another_process_are_left_alone() {
        assert!(choose(None, &passed("8", "1", ""), 7).is_err());
        assert!(choose(None, &passed("", "", ""), 7).is_err());
    }
}
