//! The counters of an echo server, as a line and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::echo::Totals;

/// One line for a person.
pub fn counters_text(mode: &str, totals: &Totals, elapsed: Duration) -> String {
    let Totals { connections, open, received, sent, .. } = totals;
    let mut line = format!(
        "{mode}: {connections} connections, {open} open; {received} bytes from peers, {sent} to them; {:.3} s",
        elapsed.as_secs_f64()
    );
    let rare = [
        (totals.datagram_peers, "datagram peers"),
        (totals.datagrams, "messages"),
        (totals.requests, "requests"),
        (totals.resets, "reset by the peer"),
        (totals.failed, "failed"),
        (totals.unestablished, "handshakes failed"),
        (totals.refused, "datagram peers refused"),
        (totals.dropped, "messages dropped"),
    ];
    for (count, what) in rare.into_iter().filter(|(count, _)| *count > 0) {
        line += &format!("; {count} {what}");
    }
    line
}

/// One object for a program.
pub fn counters_json(mode: &str, totals: &Totals, elapsed: Duration) -> Value {
    json!({
        "schema": "spile.echo-server/1",
        "mode": mode,
        "seconds": elapsed.as_secs_f64(),
        "connections": totals.connections,
        "open": totals.open,
        "datagram_peers": totals.datagram_peers,
        "received": totals.received,
        "sent": totals.sent,
        "messages": totals.datagrams,
        "requests": totals.requests,
        "resets": totals.resets,
        "failed": totals.failed,
        "handshakes_failed": totals.unestablished,
        "peers_refused": totals.refused,
        "messages_dropped": totals.dropped,
    })
}
