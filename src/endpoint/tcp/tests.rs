//! Connections that were made and lost again before we looked.

use std::future::poll_fn;
use std::io::Write;
use std::net::{Shutdown, TcpListener};

use super::*;
use crate::event_loop::run;

/// What is read on a connection that `serve` got while we did not look yet.
fn read_after(serve: impl FnOnce(std::net::TcpStream)) -> (Vec<u8>, io::Result<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = socket::open(Domain::IPV4, Type::STREAM).unwrap();
    let _ = socket.connect(&listener.local_addr().unwrap().into());
    let accepted = listener.accept().unwrap().0;
    SockRef::from(&accepted).set_linger(Some(Duration::ZERO)).unwrap();
    serve(accepted);
    let mut heard = Vec::new();
    let ended = run(async {
        let fd = established(socket).await.unwrap();
        let mut buffer = [0; 4];
        loop {
            match poll_fn(|cx| fd.poll_read(cx, &mut buffer)).await {
                Ok(0) => return Ok(()),
                Ok(n) => heard.extend_from_slice(&buffer[..n]),
                Err(why) => return Err(why),
            }
        }
    });
    (heard, ended.unwrap())
}

#[test]
fn a_connection_that_was_reset_before_we_looked_is_read_and_then_reset() {
    let (heard, ended) = read_after(|mut peer| peer.write_all(b"longer than a read").unwrap());
    assert_eq!(heard, b"longer than a read");
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let (heard, ended) = read_after(drop);
    assert_eq!(heard, b"");
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn an_end_that_was_said_before_the_reset_is_an_end() {
    let (heard, ended) = read_after(|mut peer| {
        peer.write_all(b"all").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
    });
    assert_eq!(heard, b"all");
    assert!(ended.is_ok());
}

#[test]
fn a_port_that_nobody_listens_on_refuses_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = socket::open(Domain::IPV4, Type::STREAM).unwrap();
    assert_eq!(start(&socket, port).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}
