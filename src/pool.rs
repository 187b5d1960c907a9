//! Buffers and splice pipes, lent to a direction only while bytes are in flight: an idle one holds no memory.

use std::cell::RefCell;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;

use rustix::pipe::PipeFlags;

/// Bytes of an ordinary buffer.
pub const SMALL: usize = 64 * 1024;
/// Bytes of the buffer and of the pipe of a direction that is moving bulk.
pub const LARGE: usize = 1024 * 1024;

/// Large buffers and pipes at once; beyond it everybody gets small ones, so 10,000 bulk flows stay cheap.
const MOST_LARGE: usize = 64;
/// Small buffers at once, beyond which a stalled direction keeps an exact-size copy instead.
const MOST_SMALL: usize = 256;
/// Free small buffers kept for the next direction.
const KEEP_SMALL: usize = 16;
/// Free large buffers and pipes kept.
const KEEP_LARGE: usize = 8;

#[derive(Default)]
struct Pool {
    small: Vec<Box<[u8]>>,
    large: Vec<Box<[u8]>>,
    pipes: Vec<Pipe>,
    small_out: usize,
    large_out: usize,
    pipes_out: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::new(Pool::default());
}

/// A buffer that goes back to the pool when dropped.
pub struct Buffer {
    bytes: Box<[u8]>,
}

impl Buffer {
    /// Lends a buffer; a large one only while there are few of them.
    pub fn lend(large: bool) -> Buffer {
        POOL.with_borrow_mut(|pool| {
            let large = large && pool.large_out < MOST_LARGE;
            let (free, out, size) = match large {
                true => (&mut pool.large, &mut pool.large_out, LARGE),
                false => (&mut pool.small, &mut pool.small_out, SMALL),
            };
            *out += 1;
            Buffer { bytes: free.pop().unwrap_or_else(|| vec![0; size].into_boxed_slice()) }
        })
    }

    /// A copy of `bytes` that is exactly as large; for a stalled peer when buffers run short.
    pub fn exact(bytes: &[u8]) -> Buffer {
        Buffer::own(bytes.to_vec())
    }

    /// Bytes that did not come from the pool; where they are as large as its buffers, they go there at the end.
    pub fn own(bytes: Vec<u8>) -> Buffer {
        POOL.with_borrow_mut(|pool| match bytes.len() {
            SMALL => pool.small_out += 1,
            LARGE => pool.large_out += 1,
            _ => {}
        });
        Buffer { bytes: bytes.into_boxed_slice() }
    }

    /// True when so many buffers are lent that a stalled direction should not keep a whole one.
    pub fn are_scarce() -> bool {
        POOL.with_borrow(|pool| pool.small_out > MOST_SMALL || pool.large_out >= MOST_LARGE)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        POOL.with_borrow_mut(|pool| {
            let (free, out, keep) = match bytes.len() {
                SMALL => (&mut pool.small, &mut pool.small_out, KEEP_SMALL),
                LARGE => (&mut pool.large, &mut pool.large_out, KEEP_LARGE),
                _ => return,
            };
            *out = out.saturating_sub(1);
            if free.len() < keep {
                free.push(bytes);
            }
        });
    }
}

/// A pipe for splice(2). It is empty whenever it is lent or given back.
pub struct Pipe {
    /// Read end.
    pub out: OwnedFd,
    /// Write end.
    pub into: OwnedFd,
}

impl Pipe {
    /// Lends a pipe of `LARGE` bytes; `None` when there are enough already, or the kernel refuses one
    /// (an ordinary user may have 64 MiB in pipes: pipe-user-pages-soft, pipe(7)).
    pub fn lend() -> Option<Pipe> {
        POOL.with_borrow_mut(|pool| {
            if pool.pipes_out >= MOST_LARGE {
                return None;
            }
            let pipe = match pool.pipes.pop() {
                Some(pipe) => pipe,
                None => Pipe::open().ok()?,
            };
            pool.pipes_out += 1;
            Some(pipe)
        })
    }

    /// Gives an empty pipe back.
    pub fn give_back(self) {
        POOL.with_borrow_mut(|pool| {
            pool.pipes_out = pool.pipes_out.saturating_sub(1);
            if pool.pipes.len() < KEEP_LARGE {
                pool.pipes.push(self);
            }
        });
    }

    /// Closes a pipe that may still hold bytes.
    pub fn discard(self) {
        POOL.with_borrow_mut(|pool| pool.pipes_out = pool.pipes_out.saturating_sub(1));
    }

    fn open() -> io::Result<Pipe> {
        let (out, into) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        rustix::pipe::fcntl_setpipe_size(&into, LARGE)?;
        Ok(Pipe { out, into })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_are_capped_and_come_back() {
        let held: Vec<Buffer> = (0..MOST_LARGE + 3).map(|_| Buffer::lend(true)).collect();
        assert_eq!(held.iter().filter(|b| b.len() == LARGE).count(), MOST_LARGE);
        assert!(Buffer::are_scarce());
        drop(held);
        assert!(!Buffer::are_scarce());
        assert_eq!(Buffer::lend(true).len(), LARGE);
    }

    #[test]
    fn an_exact_copy_never_enters_the_pool() {
        drop(Buffer::exact(b"abc"));
        assert_eq!(&*Buffer::exact(b"abc"), b"abc");
        assert_eq!(Buffer::lend(false).len(), SMALL);
    }
}
