//! The side that listens: each connection that was accepted shakes hands by itself.

use std::cell::RefCell;
use std::future::poll_fn;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::super::Endpoint;
use super::super::descriptor::Descriptor;
use super::account::{Handshake, Observer};
use super::changes::Snapshot;
use super::handshake::{Allowance, shake_hands};
use super::inspection::Inspection;
use super::settings;
use super::stream::{Ending, Stream};
use crate::address::{Key, Options};
use crate::certificate::{Existing, Output, Readers, escaped, pem, write};
use crate::error::Failure;
use crate::event_loop::timeout;
use crate::tls::{Negotiated, Server, Session};

/// What every connection of a listener needs; cheap to clone.
#[derive(Clone)]
pub struct Acceptor(Rc<Shared>);

struct Shared {
    /// Taken anew by each connection, so that those there are keep what they have begun with.
    server: RefCell<Rc<Server>>,
    /// The server's files as they were when they were last read, of use or not.
    files: RefCell<Snapshot>,
    observer: RefCell<Option<Observer>>,
    options: Options,
    limit: Duration,
    ending: Ending,
}

impl Acceptor {
    /// Reads what the options name; a failure here comes before anybody can connect.
    pub fn new(options: &Options) -> Result<Acceptor, Failure> {
        let settings = settings::server(options)?;
        let files = Snapshot::of(&settings.files());
        let server = settings.build()?;
        write_made(options, &server)?;
        Ok(Acceptor(Rc::new(Shared {
            server: RefCell::new(Rc::new(server)),
            files: RefCell::new(files),
            observer: RefCell::default(),
            options: options.clone(),
            limit: settings::handshake_limit(options),
            ending: settings::ending(options),
        })))
    }

    /// What a person should be told before anybody connects, a line each: warnings, and how clients can trust a
    /// certificate that was made for this run. `address` is where they find us.
    pub fn notes(&self, address: &str) -> Vec<String> {
        let server = self.server();
        let mut notes = server.warnings().to_vec();
        if let (Some(_), Some(pin)) = (server.made(), server.pin()) {
            notes.push(format!("clients: spile tls-connect --pin-only --pin {pin} {address}"));
        }
        notes
    }

    /// Reads the files again. Where one is of no use, everything stays as it was.
    pub fn reload(&self) -> Result<(), Failure> {
        let server = self.server();
        // Before they are read: what changes meanwhile is read once more.
        self.0.files.replace(Snapshot::of(&server.files()));
        self.0.server.replace(Rc::new(server.renewed()?));
        Ok(())
    }

    /// How often to look for changed files.
    pub fn reload_every(&self) -> Option<Duration> {
        self.0.options.time(Key::ReloadEvery)
    }

    /// Whether the files are others than those that were last read.
    pub fn has_changed(&self) -> bool {
        *self.0.files.borrow() != Snapshot::of(&self.server().files())
    }

    /// From now on `observer` is told of every handshake, and established endpoints keep theirs.
    pub fn observe(&self, observer: Observer) {
        self.0.observer.replace(Some(observer));
    }

    fn server(&self) -> Rc<Server> {
        self.0.server.borrow().clone()
    }

    /// How long a handshake may take.
    pub fn limit(&self) -> Duration {
        self.0.limit
    }

    /// Waits for `peer` to begin the handshake.
    pub async fn first_word(&self, plain: &Endpoint, peer: &str) -> Result<(), Failure> {
        let Some(fd) = plain.source.stream() else { return Err(Failure::usage(peer, "is no stream")) };
        let spoken = timeout(self.0.limit, poll_fn(|cx| fd.poll_readable(cx))).await;
        spoken.map_err(|_| {
            let why = format!("it has said nothing within {:?} (--handshake-timeout)", self.0.limit);
            Failure::timeout(format!("TLS with {}", escaped(peer)), why)
        })
    }

    /// Tells the observer of a peer that could not shake hands, `took` after it had connected.
    pub fn came_to_nothing(&self, peer: &str, took: Duration, failure: &Failure) {
        if let Some(tell) = &*self.0.observer.borrow() {
            tell(&Handshake { took, failure: Some(failure.clone()), ..Handshake::with(peer) });
        }
    }

    /// Shakes hands with `peer`, who has begun to.
    pub async fn accept(&self, plain: Endpoint, peer: &str) -> Result<Endpoint, Failure> {
        let Some(fd) = plain.source.stream().cloned() else {
            return Err(Failure::usage(peer, "is no stream"));
        };
        let allowed = Allowance::of(self.0.limit, "--handshake-timeout");
        let mut account = Handshake::with(peer);
        let begun = Instant::now();
        let result = self.shake_hands(&fd, &mut account, allowed).await;
        account.took = begun.elapsed();
        account.failure = result.as_ref().err().cloned();
        let observer = self.0.observer.borrow().clone();
        if let Some(tell) = &observer {
            tell(&account);
        }
        let mut endpoint = super::over(plain, result?);
        if observer.is_some() {
            endpoint.extras.get_or_insert_default().handshake = Some(Box::new(account));
        }
        Ok(endpoint)
    }

    async fn shake_hands(
        &self,
        fd: &Arc<Descriptor>,
        account: &mut Handshake,
        allowed: Allowance,
    ) -> Result<Stream, Failure> {
        let server = self.server();
        let (connection, watch) = server.start()?;
        let (mut session, mut inspection) =
            (Session::from(connection), Inspection::new(&account.peer, watch));
        let agreed = shake_hands(fd, &mut session, &inspection, allowed).await;
        account.negotiated = Negotiated::of(session.common());
        match agreed.and_then(|()| inspection.admit(&server, session.common())) {
            Ok(()) => {
                (account.seen, account.terms) = inspection.settle_server();
                Ok(Stream::new(fd.clone(), session, self.0.ending, inspection))
            }
            Err(failure) => {
                (account.seen, account.terms) = inspection.shown();
                if account.negotiated.is_some() && session.failure().is_none() {
                    // It has shaken hands already, and rustls sends no alert then. A reset is no end that could be
                    // taken for an answer.
                    let _ = SockRef::from(&**fd).set_linger(Some(Duration::ZERO));
                }
                Err(failure)
            }
        }
    }
}

/// Writes the certificate that was made to where its clients look for it.
fn write_made(options: &Options, server: &Server) -> Result<(), Failure> {
    match (options.text(Key::CertOut), server.made()) {
        (None, _) => Ok(()),
        (Some(path), Some(der)) => {
            let content = pem("CERTIFICATE", der).as_bytes().to_vec().into();
            let output = Output { path: PathBuf::from(path), content, readers: Readers::Anybody };
            write(&[output], Existing::Replaced)
        }
        (Some(_), None) => Err(Failure::usage("--cert-out", "is for a certificate that is made")
            .hint("--self-signed makes one; others are in files already")),
    }
}
