//! Opening what is listened on, telling whoever waits for that, and reading files again on HUP.

use std::sync::Arc;

use super::runtime::Interrupts;
use super::service::ServerArgs;
use crate::address::{Address, End, Key};
use crate::endpoint::{Acceptor, Listener};
use crate::error::Failure;
use crate::event_loop::{sleep, spawn};
use crate::process::{raise_open_files, seal_inherited};
use crate::report::{Event, Events};
use crate::server::{Access, Door, PortFile, Rules, notify_systemd, tell_ready_fd};

/// Connections at once when not said otherwise: as many as descriptors allow.
const MAX_CONNS: usize = usize::MAX;
/// Peers at once that have still to shake hands.
const MAX_HANDSHAKES: usize = 1024;

/// Whoever is believed about others should be known.
const PROXY_OF_ANYBODY: &str = "warning: every host that can reach this one may say by a PROXY header whom it connects for; --allow names the proxies";

/// Opens an address; nobody is told of it yet.
pub async fn open(
    address: &Address,
    args: &ServerArgs,
    events: &Events,
    talkative: bool,
) -> Result<Door, Failure> {
    let Some(end) = address.listener() else {
        return Err(Failure::usage(address.to_string(), "does not listen"));
    };
    raise_open_files();
    let listener = Listener::open(end).await?;
    seal_inherited();
    let rules = Arc::new(rules(end, &listener, args, talkative)?);
    let believes = end.options.flag(Key::AcceptProxy) == Some(true);
    if believes && listener.is_exposed() && !rules.access.names_who_may() {
        events(&Event::Note(PROXY_OF_ANYBODY.to_owned()));
    }
    Ok(Door { listener, rules })
}

fn rules(end: &End, listener: &Listener, args: &ServerArgs, talkative: bool) -> Result<Rules, Failure> {
    let options = &end.options;
    let (allow, deny) = (options.texts(Key::Allow), options.texts(Key::Deny));
    let access = Access::new(allow, deny, args.allow_file.as_deref())?;
    if access.has_rules() && listener.port().is_none() {
        return Err(Failure::usage(end.to_string(), "has peers without an IP address").hint(
            "--allow, --deny and --allow-file are about those; a Unix socket has mode, user and group",
        ));
    }
    let count = |key, usual| options.number(key).map_or(usual, |n| usize::try_from(n).unwrap_or(1).max(1));
    Ok(Rules {
        max_conns: count(Key::MaxConns, MAX_CONNS),
        max_handshakes: count(Key::MaxHandshakes, MAX_HANDSHAKES),
        max_total: args.max_total,
        access,
        grace: args.grace,
        accept_timeout: options.time(Key::AcceptTimeout),
        talkative,
    })
}

/// Tells that peers can connect: on stderr, in the port file, to `--ready-fd` and systemd.
pub fn announce(doors: &[Door], args: &ServerArgs, events: &Events) -> Result<Option<PortFile>, Failure> {
    let ports: Vec<_> = doors.iter().map(|door| door.listener.port()).collect();
    let port_file = match &args.port_file {
        Some(path) if ports.iter().all(Option::is_none) => {
            let why = if doors.len() == 1 { "the address has no port" } else { "no address has a port" };
            return Err(Failure::misuse(format!("--port-file {}", path.display()), why));
        }
        Some(path) => Some(PortFile::write(path, &ports)?),
        None => None,
    };
    for name in doors.iter().flat_map(|door| door.listener.names()) {
        events(&Event::Listening(name.clone()));
    }
    if let Some(number) = args.ready_fd {
        tell_ready_fd(number)?;
    }
    notify_systemd("READY=1");
    Ok(port_file)
}

/// The signals that end a service; HUP reads its files again.
pub fn reloading(doors: &[Door], events: &Events) -> Result<Interrupts, Failure> {
    let events = events.clone();
    let tell = move |reloaded| match reloaded {
        Ok(Some(what)) => events(&Event::Reloaded(what)),
        Ok(None) => {}
        Err(failure) => events(&Event::NotReloaded(Failure::to_string(&failure))),
    };
    let reload_tls = {
        let tell = tell.clone();
        move |acceptor: &Acceptor| {
            tell(acceptor.reload().map(|()| Some("certificates and keys".to_owned())));
        }
    };
    let acceptors: Vec<_> = doors.iter().filter_map(|door| door.listener.acceptor().cloned()).collect();
    for (acceptor, every) in acceptors.iter().filter_map(|own| Some((own.clone(), own.reload_every()?))) {
        let reload = reload_tls.clone();
        spawn(async move {
            loop {
                sleep(every).await;
                if acceptor.has_changed() {
                    reload(&acceptor);
                }
            }
        });
    }
    let rules: Vec<_> = doors.iter().map(|door| door.rules.clone()).collect();
    Interrupts::with_reload(move || {
        for rules in &rules {
            tell(rules.access.reload().map(|path| path.map(|path| path.display().to_string())));
        }
        acceptors.iter().for_each(&reload_tls);
    })
}
