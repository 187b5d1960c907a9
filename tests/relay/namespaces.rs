//! What needs a network or files of its own: namespaces, which only root may make. Elsewhere these are skipped.

use std::net::UdpSocket;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;

/// Two hosts with one wire between them: this one is 10.99.0.1, and `$far` runs what follows on 10.99.0.2.
const TWO_HOSTS: &str = "
    set -e
    ip link set lo up
    unshare -n sleep 60 & there=$!
    trap 'kill $there $(jobs -p) 2>/dev/null' EXIT
    until [ $(readlink /proc/$there/ns/net) != $(readlink /proc/$$/ns/net) ]; do :; done
    far=\"nsenter -t $there -n\"
    ip link add near type veth peer name far netns $there
    ip addr add 10.99.0.1/24 dev near
    $far ip addr add 10.99.0.2/24 dev far
    $far ip link set lo up
    $far ip link set far up
    ip link set near up";

/// A peer on another host sends a byte and its end, and on a line of stdin resets the connection.
const CLIENT: &str = "
import socket, struct, sys
c = socket.create_connection(('10.99.0.1', int(sys.argv[1])))
c.sendall(b'x'); c.shutdown(socket.SHUT_WR)
sys.stdin.readline()
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
";

#[test]
fn s8_a_reset_from_another_host_after_its_end_is_noticed_at_once() {
    if !have_namespace("-n") {
        return;
    }
    // The right side reads to the end and says nothing: writing would be another way to hear of the reset.
    let script = format!(
        "{TWO_HOSTS}
        $SPILE listen --grace 0 --port-file back 0 -- sh -c 'cat >/dev/null; echo read >&2; exec sleep 60' &
        until [ -s back ]; do :; done
        $SPILE relay --once --port-file front tcp-l::0 127.0.0.1:$(cat back) & relay=$!
        until [ -s front ]; do :; done
        $far python3 -c \"{CLIENT}\" $(cat front) <&0 &
        status=0; wait $relay || status=$?
        echo relay $status"
    );
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-n", "bash", "-c", &script]).env("SPILE", SPILE).current_dir(&dir);
    let mut both = start(command);
    both.line("read");
    both.write(b"now\n");
    both.ends().exits(0).says("relay 18\n").complains("reset");
}

/// Starts a shell line that sees `hosts` as /etc/hosts and asks 127.53.53.53 for other names.
fn with_names(hosts: &std::path::Path, line: &str) -> Process {
    let resolver = hosts.with_extension("resolv");
    std::fs::write(&resolver, "nameserver 127.53.53.53\n").unwrap();
    let script = format!(
        "mount --bind {} /etc/hosts && mount --bind {} /etc/resolv.conf && {line}",
        hosts.display(),
        resolver.display()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "bash", "-c", &script]).env("SPILE", SPILE);
    start(command)
}

#[test]
fn s42_a_name_server_that_does_not_answer_is_within_the_connect_timeout() {
    if !have_namespace("-m") {
        return;
    }
    let Ok(_silent) = UdpSocket::bind("127.53.53.53:53") else {
        skipped("no name server can be played here");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let hosts = dir.path().join("hosts");
    std::fs::write(&hosts, "").unwrap();
    for address in ["tcp:slow.example:80", "udp:slow.example:53"] {
        let started = Instant::now();
        let ended = with_names(&hosts, &format!("exec $SPILE connect -w 300ms {address}")).ends().exits(124);
        ended.complains("--connect-timeout").complains("slow.example");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
}

#[test]
fn s42_a_name_is_looked_up_again_for_every_try() {
    if !have_namespace("-m") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let hosts = dir.path().join("hosts");
    std::fs::write(&hosts, "127.9.9.9 moved.example\n").unwrap();
    let port = server(|stream| std::io::Write::write_all(&mut &stream, b"here").unwrap());
    let address = format!("moved.example:{port}");
    let client = with_names(
        &hosts,
        &format!(
            "exec strace -D -qq -f -e trace=connect -o {} $SPILE connect --retry-for 10s --retry-delay 20ms {address}",
            dir.path().join("log").display()
        ),
    );
    let log = dir.path().join("log");
    wait_until("the old address was tried", || {
        std::fs::read_to_string(&log).unwrap_or_default().contains("127.9.9.9")
    });
    std::fs::write(&hosts, "127.0.0.1 moved.example\n").unwrap();
    client.ends().exits(0).says("here");
}

#[test]
fn addresses_of_a_host_come_once_each_in_order_and_by_version() {
    if !have_namespace("-m") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let hosts = dir.path().join("hosts");
    std::fs::write(&hosts, "127.1.1.1 many.example\n127.1.1.2 many.example\n2001:db8::1 many.example\n")
        .unwrap();
    let resolve = |args: &str| with_names(&hosts, &format!("exec $SPILE resolve {args}")).ends();
    resolve("-4 many.example").exits(0).says("127.1.1.1\n127.1.1.2\n");
    resolve("-6 many.example").exits(0).says("2001:db8::1\n");
    std::fs::write(&hosts, "127.1.1.1 four.example\n").unwrap();
    resolve("-6 four.example").exits(6).complains("four.example");
}
