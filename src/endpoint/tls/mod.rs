//! TLS over a stream socket: the handshake on either side, then a session that sources and sinks share.

mod accept;
mod account;
mod changes;
mod connect;
mod handshake;
mod inspection;
mod journey;
mod settings;
mod stream;

use std::rc::Rc;

pub use accept::Acceptor;
pub use account::{Handshake, Observer};
pub use connect::Connector;
pub use handshake::Allowance;
pub use inspection::{Facts, Inspection};
pub use journey::{Journey, Sights, Stage, Times};
pub use settings::handshake_limit;
pub use stream::{BATCH, Heard, Stream};

use super::{Endpoint, Sink, Source};

/// The endpoint whose bytes go through `stream` from now on; `plain` is what carries it.
fn over(plain: Endpoint, stream: Stream) -> Endpoint {
    let stream = Rc::new(stream);
    Endpoint { source: Source::Tls(stream.clone()), sink: Sink::Tls(stream), ..plain }
}
