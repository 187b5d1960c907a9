//! Output kept in memory: the first bytes, the last ones, or both, and all of it in a file if asked for.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use crate::error::Failure;

/// Which bytes are kept when there are more than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The first.
    Head,
    /// The last.
    Tail,
    /// Half from the start, half from the end.
    Both,
}

/// Takes any number of bytes and keeps at most its limit; it never stops taking, or the writer would stall.
#[derive(Debug)]
pub struct Capture {
    head: Vec<u8>,
    head_limit: usize,
    tail: Ring,
    total: u64,
    spill: Option<Spill>,
}

/// What was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Bytes that came, kept or not.
    pub total: u64,
    /// What was kept; where bytes are missing, between the first and the last.
    pub bytes: Vec<u8>,
    /// Where in `bytes` something is missing; `None` when all is there.
    pub gap: Option<usize>,
    /// The file that has everything.
    pub spill: Option<PathBuf>,
}

impl Capture {
    /// Keeps at most `limit` bytes; memory is used as bytes come.
    pub fn new(limit: usize, keep: Keep) -> Capture {
        let head_limit = match keep {
            Keep::Head => limit,
            Keep::Tail => 0,
            Keep::Both => limit / 2,
        };
        Capture { head: Vec::new(), head_limit, tail: Ring::new(limit - head_limit), total: 0, spill: None }
    }

    /// Also writes everything to a new file.
    pub fn spill_to(mut self, path: PathBuf) -> Result<Capture, Failure> {
        let file = File::create(&path)
            .map_err(|why| Failure::other(format!("cannot write {}", path.display()), why))?;
        self.spill = Some(Spill { file, path });
        Ok(self)
    }

    /// Takes bytes. A spill file that cannot be written is given up and told once; the rest goes on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.total += bytes.len() as u64;
        let room = self.head_limit - self.head.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        self.tail.push(rest);
        let Some(spill) = &mut self.spill else { return Ok(()) };
        let Err(why) = spill.file.write_all(bytes) else { return Ok(()) };
        let failure = Failure::other(format!("cannot write {}", spill.path.display()), why);
        self.spill = None;
        Err(failure)
    }

    /// What was kept.
    pub fn finish(self) -> Captured {
        let mut bytes = self.head;
        let gap = bytes.len();
        self.tail.read(&mut bytes);
        let gap = (self.total > bytes.len() as u64).then_some(gap);
        Captured { total: self.total, bytes, gap, spill: self.spill.map(|spill| spill.path) }
    }
}

#[derive(Debug)]
struct Spill {
    file: File,
    path: PathBuf,
}

/// The last bytes of a stream.
#[derive(Debug)]
struct Ring {
    bytes: Vec<u8>,
    limit: usize,
    /// Where the oldest byte is, once it is full.
    oldest: usize,
}

impl Ring {
    fn new(limit: usize) -> Ring {
        Ring { bytes: Vec::new(), limit, oldest: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        let mut bytes = &bytes[bytes.len().saturating_sub(self.limit)..];
        let room = (self.limit - self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
        bytes = &bytes[room..];
        while !bytes.is_empty() {
            let n = bytes.len().min(self.limit - self.oldest);
            self.bytes[self.oldest..self.oldest + n].copy_from_slice(&bytes[..n]);
            self.oldest = (self.oldest + n) % self.limit;
            bytes = &bytes[n..];
        }
    }

    fn read(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[self.oldest..]);
        out.extend_from_slice(&self.bytes[..self.oldest]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keep(limit: usize, keep: Keep, parts: &[Vec<u8>]) -> Captured {
        let mut capture = Capture::new(limit, keep);
        for part in parts {
            capture.push(part).unwrap();
        }
        capture.finish()
    }

    proptest! {
        #[test]
        fn what_is_kept_are_the_first_and_the_last_bytes(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
            limit in 0..100_usize,
        ) {
            let all = parts.concat();
            let head = keep(limit, Keep::Head, &parts);
            prop_assert_eq!(&head.bytes[..], &all[..limit.min(all.len())]);
            let tail = keep(limit, Keep::Tail, &parts);
            prop_assert_eq!(&tail.bytes[..], &all[all.len().saturating_sub(limit)..]);
            let both = keep(limit, Keep::Both, &parts);
            if all.len() <= limit {
                prop_assert_eq!(&both.bytes, &all);
                prop_assert_eq!(both.gap, None);
            } else {
                prop_assert_eq!(both.gap, Some(limit / 2));
                prop_assert_eq!(&both.bytes[..limit / 2], &all[..limit / 2]);
                prop_assert_eq!(&both.bytes[limit / 2..], &all[all.len() - (limit - limit / 2)..]);
            }
            prop_assert_eq!(both.total, all.len() as u64);
        }
    }

    #[test]
    fn a_full_disk_under_the_spill_is_told_once_and_the_rest_is_kept() {
        let mut capture = Capture::new(10, Keep::Head).spill_to("/dev/full".into()).unwrap();
        let failure = capture.push(b"abc").unwrap_err();
        assert_eq!(failure.to_string(), "cannot write /dev/full: No space left on device");
        capture.push(b"def").unwrap();
        let captured = capture.finish();
        assert_eq!(captured.bytes, b"abcdef");
        assert_eq!(captured.spill, None);
    }

    #[test]
    fn a_spill_file_has_everything() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("all");
        let mut capture = Capture::new(4, Keep::Both).spill_to(path.clone()).unwrap();
        capture.push(b"0123456789").unwrap();
        let captured = capture.finish();
        assert_eq!((&captured.bytes[..], captured.gap), (&b"0189"[..], Some(2)));
        assert_eq!(captured.spill, Some(path.clone()));
        assert_eq!(std::fs::read(path).unwrap(), b"0123456789");
    }
}
