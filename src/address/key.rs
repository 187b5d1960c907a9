//! The options an address can carry, as the rest of the program names them.

/// Every option an address can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Local address to bind before connecting, or to listen on.
    Bind,
    /// Local port to connect from.
    SourcePort,
    /// Network interface to bind to (SO_BINDTODEVICE).
    Device,
    /// TCP_NODELAY; on by default.
    Nodelay,
    /// SO_KEEPALIVE; on by default.
    Keepalive,
    /// Idle time before the first keepalive probe (TCP_KEEPIDLE), 60 s by default.
    Keepidle,
    /// Time between probes (TCP_KEEPINTVL), 10 s by default.
    Keepintvl,
    /// Unanswered probes before the peer counts as dead (TCP_KEEPCNT), 3 by default.
    Keepcnt,
    /// TCP Fast Open when connecting (TCP_FASTOPEN_CONNECT).
    Fastopen,
    /// SO_SNDBUF.
    Sndbuf,
    /// SO_RCVBUF.
    Rcvbuf,
    /// SO_REUSEADDR; on by default when listening.
    Reuseaddr,
    /// SO_REUSEPORT.
    Reuseport,
    /// IP_TTL / IPV6_UNICAST_HOPS.
    Ttl,
    /// IP_TOS / IPV6_TCLASS.
    Tos,
    /// SO_MARK.
    Mark,
    /// IPV6_V6ONLY.
    V6only,
    /// Length of the accept queue, 1024 by default.
    Backlog,
    /// Any integer socket option: `LEVEL:NAME=INT`; may repeat.
    Sockopt,
    /// How long one connection attempt may take, 10 s by default.
    ConnectTimeout,
    /// How long to wait for a peer.
    AcceptTimeout,
    /// How often to try again.
    Retry,
    /// Try again for ever.
    Forever,
    /// First pause between tries; grows to 2 s.
    RetryDelay,
    /// Try again until this much time has passed.
    RetryFor,
    /// Most connections served at once.
    MaxConns,
    /// Networks (CIDR) that may connect; may repeat.
    Allow,
    /// Networks (CIDR) that may not connect; may repeat.
    Deny,
    /// The proxy to connect through, as a URL.
    Proxy,
    /// Where our user and password for the proxy are.
    ProxyAuthFile,
    /// Which PROXY header to send ahead.
    ProxyProtocol,
    /// Peers send a PROXY header ahead.
    AcceptProxy,
    /// SO_BROADCAST.
    Broadcast,
    /// Multicast group to join, `GROUP[:INTERFACE]`; may repeat.
    Join,
    /// IP_MULTICAST_TTL.
    MulticastTtl,
    /// IP_MULTICAST_LOOP.
    MulticastLoop,
    /// Interface (address or name) multicast goes out by.
    MulticastIf,
    /// Silence after which a UDP peer's session ends, 60 s by default.
    SessionIdle,
    /// Most UDP sessions at once, 1024 by default.
    MaxSessions,
    /// Most payload bytes a datagram made from a stream carries.
    Mtu,
    /// An empty datagram ends the stream.
    EofOnEmpty,
    /// Permission bits of the path that is made.
    Mode,
    /// Owner of the path that is made.
    User,
    /// Group of the path that is made.
    Group,
    /// Remove the path at the end; on by default.
    Unlink,
    /// Open for reading.
    Read,
    /// Open for writing.
    Write,
    /// Write at the end of the file, made if missing.
    Append,
    /// Make the file, or empty it.
    Create,
    /// Talk to the program through two pipes instead of a socket pair.
    Pipes,
    /// Give the program a terminal of its own.
    PtyFlag,
    /// Where the program's stderr goes: inherit, merge, null.
    Stderr,
    /// Working directory of the program.
    Dir,
    /// Symbolic link to the terminal that is made.
    Link,
    /// Terminal in raw mode.
    Raw,
    /// Terminal echo.
    Echo,
    /// Terminal rows.
    Rows,
    /// Terminal columns.
    Cols,
    /// Authorities to trust in place of the system's; may repeat.
    Cafile,
    /// Authorities to trust beside the others; may repeat.
    CaAdd,
    /// Whose authorities to trust.
    Roots,
    /// A certificate to trust as it is; may repeat.
    TrustCert,
    /// The key that the peer must have; may repeat.
    Pin,
    /// The pin is all that counts.
    PinOnly,
    /// Revocation lists; may repeat.
    Crl,
    /// A certificate that no list is about is fine.
    CrlSoft,
    /// What becomes of the OCSP response of a server.
    Staple,
    /// Go on whoever the peer is.
    Insecure,
    /// Who the peer must be.
    Name,
    /// The host to ask for.
    Sni,
    /// Ask for no host.
    NoSni,
    /// Our own certificate.
    Cert,
    /// Our own key.
    Private,
    /// Where the passphrase of the key is.
    PassFile,
    /// Oldest version of TLS.
    Min,
    /// Newest version of TLS.
    Max,
    /// Key exchange groups.
    Groups,
    /// Cipher suites.
    Ciphers,
    /// Application protocols.
    Alpn,
    /// The application protocol that must come of it.
    ExpectAlpn,
    /// The protocol that begins in plain text.
    Starttls,
    /// Our close_notify waits for the peer's.
    NoHalfClose,
    /// How long to read on before the close, 5 s by default.
    Linger,
    /// An end without close_notify is an end.
    IgnoreUnexpectedEof,
    /// How long a handshake may take, 10 s by default.
    HandshakeTimeout,
    /// Where the keys of sessions are written.
    Keylog,
    /// A key that others can read is an error.
    StrictPerms,
    /// The time by which certificates are judged.
    At,
    /// Names for a certificate that is made on the spot.
    SelfSigned,
    /// A certificate for one host: `NAME=FILE`; may repeat.
    SniCert,
    /// Refuse clients that ask for an unknown host.
    StrictSni,
    /// An OCSP response to send along.
    Ocsp,
    /// Authorities of client certificates; may repeat.
    ClientCa,
    /// A client certificate may be missing.
    ClientOptional,
    /// Any client certificate of those authorities will do.
    AllowAny,
    /// A host that a client certificate may name; may repeat.
    AllowDns,
    /// A URI that a client certificate may name; may repeat.
    AllowUri,
    /// A common name of clients; may repeat.
    AllowCn,
    /// An organizational unit of clients; may repeat.
    AllowOu,
    /// The key of a client; may repeat.
    AllowPin,
    /// Tickets to give to each client, 2 by default.
    Tickets,
    /// Handshakes at once, 64 by default.
    MaxHandshakes,
    /// How often to look whether files have changed.
    ReloadEvery,
    /// Where the certificate that was made goes.
    CertOut,
}
