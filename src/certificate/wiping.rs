//! That keys and passphrases leave nothing behind in memory.

use std::fs;
use std::io::IoSliceMut;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use zeroize::Zeroizing;

use super::{KeyFile, KeyType, Passphrase, Signer, file, objects, pem};

const MASK: u8 = 0xa5;
/// Bytes that are looked at in one go.
const STRIDE: usize = 1 << 20;

/// A secret that is looked for; masked, so that it is not found in itself.
struct Sought(Vec<u8>);

impl Sought {
    fn of(secret: &[u8]) -> Sought {
        Sought(secret.iter().map(|byte| byte ^ MASK).collect())
    }

    /// The end of the private number of a key for P-256, which is followed by the public one.
    fn number(der: &[u8]) -> Sought {
        let at = der.windows(2).position(|window| window == [0x04, 0x20]).unwrap();
        Sought::of(&der[at + 14..at + 34])
    }

    /// True where it lies anywhere in what this process can write to.
    fn remains(&self) -> bool {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().filter(|line| line.contains(" rw")).any(|line| {
            let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let address = |digits| usize::from_str_radix(digits, 16).unwrap();
            self.is_between(address(from), address(to))
        })
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let begins = |bytes: &[u8]| bytes.iter().zip(&self.0).all(|(byte, masked)| byte ^ MASK == *masked);
        let mut starts = memchr::memchr_iter(self.0[0] ^ MASK, bytes);
        starts.any(|at| bytes.len() - at >= self.0.len() && begins(&bytes[at..]))
    }

    fn is_between(&self, from: usize, to: usize) -> bool {
        let mut buffer = vec![0; STRIDE + self.0.len()];
        (from..to).step_by(STRIDE).any(|base| {
            let len = buffer.len().min(to - base);
            let mut local = [IoSliceMut::new(&mut buffer[..len])];
            // What has been unmapped meanwhile holds nothing.
            let read = process_vm_readv(Pid::this(), &mut local, &[RemoteIoVec { base, len }]).unwrap_or(0);
            self.is_in(&buffer[..read])
        })
    }
}

/// A key in every form in which it may lie in a file, written without a trace here.
fn forms(key: &Signer, words: &Passphrase) -> Vec<tempfile::NamedTempFile> {
    let plain = key.pem(None).unwrap();
    let der = objects(plain.as_bytes()).unwrap().remove(0).der;
    let encrypted = key.pem(Some(words)).unwrap();
    let combined = Zeroizing::new([pem("CERTIFICATE", b"beside it").as_str(), plain.as_str()].concat());
    let all = [plain.as_bytes(), encrypted.as_bytes(), der.as_slice(), combined.as_bytes()];
    let stored = all.map(|content| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, content).unwrap();
        file
    });
    stored.into()
}

#[test]
fn keys_leave_nothing_behind_in_memory() {
    let words = Passphrase::first_line(b"words of the test of wiping");
    let key = Signer::generate(KeyType::P256).unwrap();
    let text = key.pem(None).unwrap();
    let der = objects(text.as_bytes()).unwrap().remove(0).der;
    let sought = [Sought::number(&der), Sought::of(&text.as_bytes()[40..80])];
    assert!(sought.iter().all(Sought::remains), "what is still held is found");
    let files = forms(&key, &words);
    drop((key, text, der));
    for file in &files {
        let read = KeyFile::read(file.path()).unwrap().open(Some(&words)).unwrap();
        assert!(sought[0].remains(), "it is held");
        let signer = Signer::of(&read).unwrap();
        drop((signer.key(), signer.pem(None).unwrap()));
        drop((signer, read));
        drop(file::read_from(fs::File::open(file).unwrap(), 1 << 20, 7).unwrap());
        assert!(!sought.iter().any(Sought::remains), "something is left of {:?}", file.path());
    }
}
