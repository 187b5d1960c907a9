//! Which descriptors are ready: one epoll instance, edge-triggered, and a slot for each watched descriptor.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use super::glance::{self, Glance};

/// Events taken from the kernel at once.
const BATCH: usize = 256;

const READABLE: u8 = 1;
const WRITABLE: u8 = 1 << 1;
/// The peer has ended its side: reading never blocks again.
const READ_CLOSED: u8 = 1 << 2;
/// Writing never blocks again.
const WRITE_CLOSED: u8 = 1 << 3;
/// An error came by itself: a reset, or a peer that answers no probes.
const FAILED: u8 = 1 << 4;
/// Urgent data has come at some time.
const URGENT: u8 = 1 << 5;

/// What is known of one descriptor. Edge-triggered events come once, so readiness is kept here until a system
/// call has answered EAGAIN. Of 1,000 busy descriptors none is in a near cache when its event comes: a slot is half a
/// line of it, never parts of two.
#[derive(Default)]
#[repr(align(32))]
struct Slot {
    ready: u8,
    /// Told apart from an earlier descriptor in the same place: its events may still be on their way.
    generation: u32,
    reader: Option<Waker>,
    /// `None` until somebody had to wait: most writes fit.
    writers: Option<Box<Writers>>,
}

/// A datagram socket is written by all the sessions of its peers.
#[derive(Default)]
struct Writers(Vec<Waker>);

const _: () = assert!(size_of::<Slot>() == 32);

struct Reactor {
    epoll: OwnedFd,
    slots: Vec<Slot>,
    free: Vec<u32>,
    events: Box<[MaybeUninit<epoll::Event>; BATCH]>,
    /// None where nobody expects answers at once.
    glance: Option<Glance>,
}

thread_local! {
    static REACTOR: RefCell<Option<Reactor>> = const { RefCell::new(None) };
}

/// Runs `work` with this thread's reactor, which is made at the first call.
fn with<T>(work: impl FnOnce(&mut Reactor) -> T) -> io::Result<T> {
    REACTOR.with_borrow_mut(|reactor| match reactor {
        Some(reactor) => Ok(work(reactor)),
        None => Ok(work(reactor.insert(Reactor::new()?))),
    })
}

/// From now on this thread looks for events for a moment before it waits for them: where one peer is talked with at a
/// time, and may answer at once.
pub fn glance_before_waiting() {
    // Without a reactor there is nothing to wait for.
    let _ = with(|reactor| reactor.glance = Some(Glance::default()));
}

/// Waits until something is ready, for `limit` at most, and wakes whoever waits for it.
pub(super) fn turn(limit: Option<Duration>) -> io::Result<()> {
    with(|reactor| reactor.turn(limit))?
}

impl Reactor {
    fn new() -> io::Result<Reactor> {
        Ok(Reactor {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            slots: Vec::new(),
            free: Vec::new(),
            events: Box::new([const { MaybeUninit::uninit() }; BATCH]),
            glance: None,
        })
    }

    fn add(&mut self, source: &impl AsFd) -> io::Result<Key> {
        let index = match self.free.last() {
            Some(index) => *index,
            None => u32::try_from(self.slots.len()).map_err(|_| Errno::NOMEM)?,
        };
        let generation = self.slots.get(index as usize).map_or(0, |slot| slot.generation);
        let key = Key { index, generation };
        use epoll::EventFlags as E;
        let flags = E::IN | E::OUT | E::RDHUP | E::PRI | E::ET;
        match epoll::add(&self.epoll, source, key.data(), flags) {
            // Left behind by an earlier descriptor of the same number for the same shared description.
            Err(Errno::EXIST) => epoll::modify(&self.epoll, source, key.data(), flags)?,
            other => other?,
        }
        match self.free.pop() {
            Some(_) => {}
            None => self.slots.push(Slot::default()),
        }
        Ok(key)
    }

    /// Forgets a descriptor. It is about to be closed, which takes it out of epoll without a call of its own;
    /// should its description live on elsewhere, its events find no slot of their generation.
    fn remove(&mut self, key: Key) {
        let slot = &mut self.slots[key.index as usize];
        *slot = Slot { generation: slot.generation.wrapping_add(1), ..Slot::default() };
        self.free.push(key.index);
    }

    fn turn(&mut self, limit: Option<Duration>) -> io::Result<()> {
        if limit.is_none_or(|limit| limit > glance::LONGEST)
            && let Some(mut glance) = self.glance.take()
        {
            let found = glance.finds(|| self.take_events(Some(Duration::ZERO)));
            self.glance = Some(glance);
            if found? {
                return Ok(());
            }
        }
        self.take_events(limit)?;
        Ok(())
    }

    /// Waits for events, and tells how many there were.
    fn take_events(&mut self, limit: Option<Duration>) -> io::Result<usize> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let (ready, _) = match epoll::wait(&self.epoll, &mut self.events[..], limit.as_ref()) {
            Err(Errno::INTR) => return Ok(0),
            other => other?,
        };
        let count = ready.len();
        for event in ready {
            let (data, flags) = (event.data, event.flags);
            let key = Key::of(data);
            if let Some(slot) = self.slots.get_mut(key.index as usize)
                && slot.generation == key.generation
            {
                slot.take(flags);
            }
        }
        Ok(count)
    }
}

impl Slot {
    /// Notes what has become ready and wakes those who wait for it.
    fn take(&mut self, flags: epoll::EventFlags) {
        use epoll::EventFlags as E;
        let has = |any: E| flags.intersects(any);
        // An error is told by the next call in either direction.
        if has(E::IN | E::RDHUP | E::HUP | E::ERR | E::PRI) {
            self.ready |= READABLE | if has(E::RDHUP | E::HUP) { READ_CLOSED } else { 0 };
            self.ready |= if has(E::PRI) { URGENT } else { 0 };
            if let Some(reader) = &self.reader {
                reader.wake_by_ref();
            }
        }
        if has(E::OUT | E::HUP | E::ERR) {
            self.ready |= WRITABLE | if has(E::HUP) { WRITE_CLOSED } else { 0 };
            self.ready |= if has(E::ERR) { FAILED } else { 0 };
            if let Some(writers) = &mut self.writers {
                writers.0.drain(..).for_each(Waker::wake);
            }
        }
    }

    fn poll_readable(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.ready & (READABLE | READ_CLOSED) != 0 {
            return Poll::Ready(());
        }
        // Kept after it was used: it is mostly the same one that waits again.
        if !self.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            self.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Ready when one of `bits` is known; woken by whatever changes the writing side.
    fn poll_any(&mut self, cx: &Context<'_>, bits: u8) -> Poll<()> {
        if self.ready & bits != 0 {
            return Poll::Ready(());
        }
        let writers = &mut self.writers.get_or_insert_default().0;
        if !writers.iter().any(|writer| writer.will_wake(cx.waker())) {
            writers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Where the slot of a descriptor is.
#[derive(Clone, Copy)]
struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    fn data(self) -> epoll::EventData {
        epoll::EventData::new_u64(u64::from(self.generation) << 32 | u64::from(self.index))
    }

    fn of(data: epoll::EventData) -> Key {
        let number = data.u64();
        Key { index: number as u32, generation: (number >> 32) as u32 }
    }
}

/// A descriptor whose readiness is watched, until it is dropped and closed.
///
/// It must be non-blocking, or be used with calls that do not block. Use it on the thread that made it.
pub struct Watched<T> {
    key: Key,
    owner: T,
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        let _ = REACTOR.try_with(|reactor| {
            if let Some(reactor) = &mut *reactor.borrow_mut() {
                reactor.remove(self.key);
            }
        });
    }
}

impl<T: AsFd> Watched<T> {
    /// Watches `owner`'s descriptor. On failure it is handed back beside the reason; epoll answers EPERM for
    /// what is always ready (regular files, /dev/null).
    pub fn new(owner: T) -> Result<Watched<T>, (T, io::Error)> {
        match with(|reactor| reactor.add(&owner)).flatten() {
            Ok(key) => Ok(Watched { key, owner }),
            Err(why) => Err((owner, why)),
        }
    }
}

impl<T> Watched<T> {
    /// What is watched.
    pub fn get_ref(&self) -> &T {
        &self.owner
    }

    /// Ready when reading is worth a try. One task at a time may wait: the last one that asked is woken.
    pub fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        self.slot(|slot| slot.poll_readable(cx)).unwrap_or(Poll::Pending)
    }

    /// Ready when writing is worth a try. Any number of tasks may wait.
    pub fn poll_writable(&self, cx: &Context<'_>) -> Poll<()> {
        self.slot(|slot| slot.poll_any(cx, WRITABLE | WRITE_CLOSED)).unwrap_or(Poll::Pending)
    }

    /// Ready when an error has come that nobody asked for; a reset after the peer's end is told in no other way
    /// to who does not write.
    pub fn poll_failed(&self, cx: &Context<'_>) -> Poll<()> {
        self.slot(|slot| slot.poll_any(cx, FAILED)).unwrap_or(Poll::Pending)
    }

    /// Ready when the peer is gone altogether: it has closed a Unix socket, or reset a connection.
    pub fn poll_hung_up(&self, cx: &Context<'_>) -> Poll<()> {
        self.slot(|slot| slot.poll_any(cx, FAILED | WRITE_CLOSED)).unwrap_or(Poll::Pending)
    }

    /// Told after EAGAIN. Even a peer that has gone may be followed by another: on a terminal, on a fifo.
    pub fn clear_readable(&self) {
        self.slot(|slot| slot.ready &= !(READABLE | READ_CLOSED));
    }

    /// Told after a read of fewer bytes than were asked for: it saves the call that would answer EAGAIN. Not after
    /// urgent data, where a read stops in the middle of the queue (tcp(7)).
    pub fn clear_emptied(&self) {
        self.slot(|slot| {
            if slot.ready & URGENT == 0 {
                slot.ready &= !READABLE;
            }
        });
    }

    /// Told after EAGAIN, or a write that did not fit.
    pub fn clear_writable(&self) {
        self.slot(|slot| slot.ready &= !(WRITABLE | WRITE_CLOSED));
    }

    /// Waits until reading is worth a try.
    pub async fn readable(&self) {
        poll_fn(|cx| self.poll_readable(cx)).await;
    }

    /// Waits until writing is worth a try.
    pub async fn writable(&self) {
        poll_fn(|cx| self.poll_writable(cx)).await;
    }

    /// `None` on a thread that watches nothing.
    fn slot<R>(&self, work: impl FnOnce(&mut Slot) -> R) -> Option<R> {
        REACTOR.with_borrow_mut(|reactor| Some(work(&mut reactor.as_mut()?.slots[self.key.index as usize])))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::super::run;
    use super::*;

    fn pair() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (ours, theirs)
    }

    #[test]
    fn what_was_ready_before_it_was_watched_is_seen() {
        use std::io::{Read, Write};
        let (ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        let watched = Watched::new(ours).map_err(|(_, why)| why).unwrap();
        run(async {
            watched.readable().await;
            assert_eq!(watched.get_ref().read(&mut [0; 2]).unwrap(), 1);
        })
        .unwrap();
    }

    #[test]
    fn the_end_stays_readable_however_often_it_is_cleared() {
        let (ours, theirs) = pair();
        let watched = Watched::new(ours).map_err(|(_, why)| why).unwrap();
        drop(theirs);
        run(async {
            for _ in 0..3 {
                watched.readable().await;
                watched.clear_emptied();
            }
        })
        .unwrap();
    }

    #[test]
    fn a_new_descriptor_does_not_inherit_the_events_of_its_place() {
        let (first, peer) = pair();
        let old = Watched::new(first).map_err(|(_, why)| why).unwrap();
        drop(peer); // its events are queued in the kernel
        drop(old);
        let (second, _peer) = pair();
        let new = Watched::new(second).map_err(|(_, why)| why).unwrap();
        turn(Some(Duration::ZERO)).unwrap();
        assert!(new.poll_readable(&Context::from_waker(Waker::noop())).is_pending());
        assert!(new.poll_writable(&Context::from_waker(Waker::noop())).is_ready());
    }

    #[test]
    fn files_are_refused_and_handed_back() {
        let null = std::fs::File::open("/dev/null").unwrap();
        let Err((_, why)) = Watched::new(null) else { panic!("epoll took /dev/null") };
        assert_eq!(Errno::from_io_error(&why), Some(Errno::PERM));
    }
}
