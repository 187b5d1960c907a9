//! AF_VSOCK: sockets between a virtual machine and its host, vsock(7).

use std::io;
use std::sync::Arc;

use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::descriptor::{Descriptor, Kind};
use super::{Endpoint, connect_timeout, socket};
use crate::address::End;
use crate::error::Failure;

/// VMADDR_CID_ANY.
const ANY: u32 = u32::MAX;
/// VMADDR_CID_HOST.
const HOST: u32 = 2;

/// Connects; without a CID to the host.
pub async fn connect(end: &End, cid: Option<u32>, port: u32) -> Result<Endpoint, Failure> {
    let cid = cid.unwrap_or(HOST);
    let what = format!("cannot connect to vsock {cid}:{port}");
    let cannot = |why: io::Error| explain(Failure::connect(what.clone(), &why), &why);
    let socket = socket::open(Domain::VSOCK, Type::STREAM).map_err(cannot)?;
    socket::apply(&socket, &end.options)?;
    let pending = match socket.connect(&SockAddr::vsock(cid, port)) {
        Ok(()) => false,
        Err(why) if Errno::from_io_error(&why) == Some(Errno::INPROGRESS) => true,
        Err(why) => return Err(cannot(why)),
    };
    let fd = Arc::new(Descriptor::new(socket.into(), Kind::OtherStream).map_err(cannot)?);
    if pending {
        let limit = connect_timeout::limit(&end.options);
        let answered = async {
            fd.writable().await;
            Ok(())
        };
        connect_timeout::within(limit, &format!("vsock {cid}:{port}"), answered).await?;
        if let Ok(Some(why)) = socket2::SockRef::from(&*fd).take_error() {
            return Err(cannot(why));
        }
    }
    Ok(Endpoint::stream_socket(fd))
}

/// Opens a listening socket; without a CID on every one of ours.
pub fn listen(end: &End, cid: Option<u32>, port: u32) -> Result<Socket, Failure> {
    let cid = cid.unwrap_or(ANY);
    let cannot =
        |why: io::Error| explain(Failure::connect(format!("cannot listen on vsock port {port}"), &why), &why);
    let socket = socket::open(Domain::VSOCK, Type::STREAM).map_err(cannot)?;
    socket::apply(&socket, &end.options)?;
    socket.bind(&SockAddr::vsock(cid, port)).map_err(cannot)?;
    socket.listen(socket::backlog(&end.options)).map_err(cannot)?;
    Ok(socket)
}

fn explain(failure: Failure, why: &io::Error) -> Failure {
    match Errno::from_io_error(why) {
        Some(Errno::NODEV | Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
            failure.hint("vsock needs the vsock (guest), vhost_vsock (host) or vsock_loopback kernel module")
        }
        _ => failure,
    }
}
