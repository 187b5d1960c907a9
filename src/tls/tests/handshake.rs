//! Handshakes in memory: bytes go from one end to the other until both are quiet.

use rustls::Error;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::ConnectionState;

use crate::error::Failure;
use crate::tls::{Admission, Client, Inspection, Negotiated, Seen, Server};

/// How a handshake went at both ends.
pub struct Outcome {
    pub client: Result<Negotiated, Failure>,
    pub server: Result<Admission, Failure>,
    pub client_seen: Seen,
    pub server_seen: Seen,
    /// The last bytes that the server sent.
    pub server_sent: Vec<u8>,
}

impl Outcome {
    pub fn client_failure(&self) -> &Failure {
        self.client.as_ref().expect_err("the client succeeded")
    }

    pub fn server_failure(&self) -> &Failure {
        self.server.as_ref().expect_err("the server succeeded")
    }

    /// `what: why` and the hint of the client's failure, in one text.
    pub fn client_words(&self) -> String {
        words(self.client_failure())
    }

    pub fn assert_ok(&self) -> &Negotiated {
        let Ok(negotiated) = &self.client else { panic!("client: {}", self.client_words()) };
        assert!(self.server.is_ok(), "server: {}", words(self.server_failure()));
        negotiated
    }
}

pub fn words(failure: &Failure) -> String {
    format!("{failure} | {}", failure.hint.as_deref().unwrap_or_default())
}

/// What one end has to say; `input` is consumed as far as it goes.
macro_rules! turn {
    ($connection:expr, $input:expr) => {{
        let mut output = Vec::new();
        let result = loop {
            let status = $connection.process_tls_records(&mut $input);
            let discard = status.discard;
            let step = match status.state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let mut buffer = vec![0; 80_000];
                    let length = data.encode(&mut buffer).expect("room");
                    output.extend_from_slice(&buffer[..length]);
                    None
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    None
                }
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while traffic.next_record().is_some() {}
                    None
                }
                Ok(ConnectionState::WriteTraffic(_)) => Some(Ok(true)),
                Ok(ConnectionState::BlockedHandshake) => Some(Ok(false)),
                Ok(_) => Some(Ok(true)),
                Err(error) => Some(Err(error)),
            };
            $input.drain(..discard);
            if let Some(result) = step {
                break result;
            }
        };
        (output, result)
    }};
}

pub fn client_turn(
    end: &mut UnbufferedClientConnection,
    input: &mut Vec<u8>,
) -> (Vec<u8>, Result<bool, Error>) {
    let end: &mut rustls::unbuffered::UnbufferedConnectionCommon<ClientConnectionData> = end;
    turn!(end, *input)
}

pub fn server_turn(
    end: &mut UnbufferedServerConnection,
    input: &mut Vec<u8>,
) -> (Vec<u8>, Result<bool, Error>) {
    turn!(end, *input)
}

struct Ends {
    client: (UnbufferedClientConnection, Inspection, Option<Error>),
    server: (UnbufferedServerConnection, Inspection, Option<Error>),
    server_sent: Vec<u8>,
}

/// A handshake of this client, which connects to `host`, with this server.
pub fn shake(client: &Client, host: &str, server: &Server) -> Outcome {
    let (client_end, client_watch) = client.start(host).expect("a client");
    let (server_end, server_watch) = server.start().expect("a server");
    let mut ends = Ends {
        client: (client_end, client_watch, None),
        server: (server_end, server_watch, None),
        server_sent: Vec::new(),
    };
    ends.run();
    ends.outcome(server)
}

impl Ends {
    fn run(&mut self) {
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        loop {
            let before = (self.client.2.is_some(), self.server.2.is_some());
            let (output, result) = client_turn(&mut self.client.0, &mut to_client);
            to_server.extend_from_slice(&output);
            let mut is_quiet = output.is_empty();
            if let Err(error) = result {
                self.client.2.get_or_insert(error);
                // The alert is still to be sent; rustls remembers where it was in this very input.
                let (alert, _) = client_turn(&mut self.client.0, &mut to_client);
                is_quiet &= alert.is_empty();
                to_server.extend_from_slice(&alert);
            }
            let (output, result) = server_turn(&mut self.server.0, &mut to_server);
            is_quiet &= output.is_empty();
            to_client.extend_from_slice(&output);
            let mut sent = output;
            if let Err(error) = result {
                self.server.2.get_or_insert(error);
                let (alert, _) = server_turn(&mut self.server.0, &mut to_server);
                let alert = self.server.1.alert_instead().map(|alert| alert.to_vec()).unwrap_or(alert);
                if !before.1 {
                    is_quiet &= alert.is_empty();
                    to_client.extend_from_slice(&alert);
                    sent.extend_from_slice(&alert);
                }
            }
            if !sent.is_empty() {
                self.server_sent = sent;
            }
            let after = (self.client.2.is_some(), self.server.2.is_some());
            if is_quiet && before == after {
                return;
            }
        }
    }

    fn outcome(self, server: &Server) -> Outcome {
        let Ends {
            client: (client_end, client_watch, client_error),
            server: (server_end, server_watch, server_error),
            server_sent,
        } = self;
        let client = match client_error {
            Some(error) => Err(client_watch.explain(&error, "server", b"")),
            None => Ok(Negotiated::of(&client_end).expect("a finished handshake")),
        };
        client_watch.settle(&client_end);
        let admission = match server_error {
            Some(error) => Err(server_watch.explain(&error, "client", b"")),
            None => server.admit(&server_end, &server_watch, "client"),
        };
        Outcome {
            client,
            server: admission,
            client_seen: client_watch.seen(),
            server_seen: server_watch.seen(),
            server_sent,
        }
    }
}
