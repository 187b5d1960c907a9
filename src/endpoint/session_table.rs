//! The sessions of a shared datagram socket: what has come for each, and which was silent for the longest time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use socket2::SockAddr;

/// Datagrams kept for a session that does not read; what comes beyond is dropped, as the kernel would, and counted.
const QUEUE: usize = 256;

/// A peer, and the one of our addresses that it speaks to: answers come from there.
pub type Pair = (SockAddr, Option<IpAddr>);

/// Locks what cannot be left half done, whoever has panicked meanwhile.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What has come from one peer and is not read yet.
pub struct Queue {
    datagrams: VecDeque<(Vec<u8>, usize)>,
    waker: Option<Waker>,
    /// The number of its last datagram, among all.
    last: u64,
    /// Its place in `Sessions::order`: the number of its last datagram, or of an earlier one.
    place: u64,
    evicted: bool,
}

/// What has become of a datagram.
pub enum Sorted {
    /// It is the first one of a new session.
    New(Arc<Mutex<Queue>>),
    /// Its session has it.
    Kept,
    /// Its session has no room for it.
    Lost,
}

/// All sessions.
#[derive(Default)]
pub struct Sessions {
    queues: HashMap<Pair, Arc<Mutex<Queue>>>,
    /// Every session once, none later than its last datagram: a datagram of a known peer moves nothing here.
    order: BTreeMap<u64, Pair>,
    /// How many datagrams have come.
    count: u64,
}

impl Sessions {
    /// Puts a datagram into its session, of which there are `max` at most: beyond that, the one that was silent for
    /// the longest time makes room. `full` is its true length.
    pub fn sort(&mut self, pair: &Pair, bytes: &[u8], full: usize, max: usize) -> Sorted {
        self.count += 1;
        if let Some(queue) = self.queues.get(pair) {
            return match lock(queue).push(bytes, full, self.count) {
                true => Sorted::Kept,
                false => Sorted::Lost,
            };
        }
        if self.queues.len() >= max {
            self.evict();
        }
        let mut queue = Queue::new(self.count);
        queue.push(bytes, full, self.count);
        let queue = Arc::new(Mutex::new(queue));
        self.queues.insert(pair.clone(), queue.clone());
        self.order.insert(self.count, pair.clone());
        Sorted::New(queue)
    }

    /// Takes a session out, if it is still the one of its peer.
    pub fn forget(&mut self, pair: &Pair, ended: &Arc<Mutex<Queue>>) {
        if self.queues.get(pair).is_some_and(|queue| Arc::ptr_eq(queue, ended)) {
            self.queues.remove(pair);
            self.order.remove(&lock(ended).place);
        }
    }

    /// Ends the session that was silent for the longest time. Whoever has spoken since it got its place gets a later
    /// one on the way: once for each time that it has spoken, at most. Answers how many it has looked at.
    fn evict(&mut self) -> usize {
        let mut looks = 0;
        while let Some((place, pair)) = self.order.pop_first() {
            looks += 1;
            let Some(queue) = self.queues.get(&pair) else { continue };
            let mut queue = lock(queue);
            if queue.last > place {
                queue.place = queue.last;
                self.order.insert(queue.last, pair);
                continue;
            }
            queue.evicted = true;
            queue.wake();
            drop(queue);
            self.queues.remove(&pair);
            break;
        }
        looks
    }
}

impl Queue {
    fn new(place: u64) -> Queue {
        Queue { datagrams: VecDeque::new(), waker: None, last: place, place, evicted: false }
    }

    /// False where there is no room for it.
    fn push(&mut self, bytes: &[u8], full: usize, number: u64) -> bool {
        self.last = number;
        let has_room = self.datagrams.len() < QUEUE;
        if has_room {
            self.datagrams.push_back((bytes.to_vec(), full));
        }
        self.wake();
        has_room
    }

    /// The next datagram, with its true length.
    pub fn take(&mut self) -> Option<(Vec<u8>, usize)> {
        self.datagrams.pop_front()
    }

    /// Wakes this task with the next datagram; ready when the session has made room for another one.
    pub fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.evicted {
            return Poll::Ready(());
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn pair(port: u16) -> Pair {
        (SocketAddr::from(([127, 0, 0, 1], port)).into(), None)
    }

    /// A table with a session for each of these datagrams' ports, `max` at most.
    fn after(ports: impl IntoIterator<Item = u16>, max: usize) -> (Sessions, Vec<Arc<Mutex<Queue>>>) {
        let (mut sessions, mut made) = (Sessions::default(), Vec::new());
        for port in ports {
            if let Sorted::New(queue) = sessions.sort(&pair(port), b"x", 1, max) {
                made.push(queue);
            }
        }
        (sessions, made)
    }

    fn left(sessions: &Sessions) -> Vec<u16> {
        let mut ports: Vec<u16> =
            sessions.queues.keys().filter_map(|(peer, _)| Some(peer.as_socket()?.port())).collect();
        ports.sort_unstable();
        ports
    }

    #[test]
    fn whoever_was_silent_for_the_longest_time_makes_room() {
        let (sessions, made) = after([1, 2, 3, 1, 4, 2, 5], 3);
        assert_eq!(left(&sessions), [2, 4, 5]);
        let evicted: Vec<bool> = made.iter().map(|queue| lock(queue).evicted).collect();
        assert_eq!(evicted, [true, true, true, false, false, false]);
    }

    #[test]
    fn who_has_ended_leaves_nothing_behind_and_takes_nothing_of_who_came_again() {
        let (mut sessions, made) = after([1, 2, 1, 3, 2], 2);
        // 2 has made room for 3, and come again in the place of 1.
        assert_eq!(left(&sessions), [2, 3]);
        sessions.forget(&pair(2), &made[1]);
        assert_eq!(left(&sessions), [2, 3]);
        sessions.forget(&pair(2), &made[3]);
        sessions.forget(&pair(3), &made[2]);
        assert!(sessions.queues.is_empty() && sessions.order.is_empty());
    }

    #[test]
    fn many_peers_that_all_speak_and_come_and_go_cost_no_more_than_their_datagrams() {
        let (many, rounds) = (2_000, 4);
        let (mut sessions, _) = after((0..rounds).flat_map(|_| 0..many), usize::from(many));
        assert_eq!((sessions.queues.len(), sessions.order.len()), (usize::from(many), usize::from(many)));
        let looks: usize = (0..many).map(|_| sessions.evict()).sum();
        // Each once for its place, and once more for all that it has said since.
        assert_eq!(looks, 2 * usize::from(many));
        assert!(sessions.queues.is_empty() && sessions.order.is_empty());
    }
}
