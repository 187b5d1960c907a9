//! Telling others that peers can connect now: a port file, a descriptor, systemd.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Failure;

/// A file with the port numbers, one a line in the order of their addresses; removed at the end.
pub struct PortFile(PathBuf);

impl PortFile {
    /// Writes the file beside its place and renames it there: who sees it can read it whole.
    /// An address without a port has a line with a `-`.
    pub fn write(path: &Path, ports: &[Option<u16>]) -> Result<PortFile, Failure> {
        let line = |port: &Option<u16>| port.map_or_else(|| "-\n".to_owned(), |port| format!("{port}\n"));
        let text: String = ports.iter().map(line).collect();
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", std::process::id()));
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            std::fs::rename(&temporary, path)
        };
        write().map_err(|why| {
            let _ = std::fs::remove_file(&temporary);
            Failure::other(format!("cannot write the port file {}", path.display()), why)
        })?;
        Ok(PortFile(path.to_owned()))
    }
}

impl Drop for PortFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes a newline to an inherited descriptor, the convention of s6 and others.
pub fn tell_ready_fd(number: i32) -> Result<(), Failure> {
    let cannot = |why: &str| Failure::other(format!("cannot write to --ready-fd {number}"), why);
    let fd = crate::process::descriptor(number).ok_or_else(|| cannot("it is not open"))?;
    rustix::io::write(fd, b"\n").map(|_| ()).map_err(|why| cannot(&why.to_string()))
}

/// Tells systemd (Type=notify, sd_notify(3)); does nothing where nobody asked.
pub fn notify_systemd(state: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let text = path.to_string_lossy();
    let address = match text.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(Path::new(&path)),
    };
    // systemd being away is no reason to fail.
    if let (Ok(socket), Ok(address)) = (UnixDatagram::unbound(), address) {
        let _ = socket.send_to_addr(state.as_bytes(), &address);
    }
}
