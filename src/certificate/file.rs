//! Files read whole, within a limit: a device, a pipe or a file of any size costs bounded memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// Most that a file of certificates or keys may hold, in bytes; the bundle of a system's roots has a quarter of one MiB.
pub const LIMIT: u64 = 4 << 20;
/// Most that a file of revocation lists may hold, in bytes; public ones of tens of MiB exist.
pub const CRL_LIMIT: u64 = 64 << 20;

/// The content of a file; the reason in words where it cannot be had. It is wiped when dropped: it may hold a key.
pub fn read(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
    // A reallocation would leave a copy of a key behind.
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(limit);
    read_from(file, limit, usize::try_from(length).unwrap_or(0) + 1)
}

/// What is left of a stream, in the same way; `expected` bytes or a few more cost a single allocation.
pub fn read_from(mut from: impl Read, limit: u64, expected: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    // Neither `read_to_end` nor a vector that grows: they leave copies of a key behind.
    let mut content = Zeroizing::new(vec![0; expected.max(1)]);
    let mut length = 0;
    loop {
        match from.read(&mut content[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why.to_string()),
        }
        if length as u64 > limit {
            return Err(format!("it is larger than {} MiB, which nothing of this kind is", limit >> 20));
        }
        if length == content.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * length]);
            larger[..length].copy_from_slice(&content);
            content = larger;
        }
    }
    content.truncate(length);
    Ok(content)
}

/// The content of a file of any kind, a revocation list among them.
pub fn read_whole(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    read(path, CRL_LIMIT)
}

/// What is left of a stream, of any kind.
pub fn read_rest(from: impl Read) -> Result<Zeroizing<Vec<u8>>, String> {
    read_from(from, CRL_LIMIT, 64 << 10)
}
