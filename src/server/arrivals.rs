//! Peers that have connected and cannot be served yet: they have a PROXY header to send, or a handshake to make.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::endpoint::{Incoming, Witness};
use crate::error::Failure;

/// All of them, in the order in which they came. Where there are too many the first one makes room: whoever stalls
/// cannot lock others out.
pub struct Arrivals {
    most: usize,
    waiting: RefCell<VecDeque<Rc<Notify>>>,
}

impl Arrivals {
    /// Nobody yet, and so many at once at most.
    pub fn new(most: usize) -> Rc<Arrivals> {
        Rc::new(Arrivals { most: most.max(1), waiting: RefCell::default() })
    }

    /// One more has come.
    pub fn enter(self: &Rc<Self>, incoming: &Incoming) -> Arrival {
        let gives_way = Rc::new(Notify::new());
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= self.most
            && let Some(first) = waiting.pop_front()
        {
            first.notify_one();
        }
        waiting.push_back(gives_way.clone());
        Arrival { all: self.clone(), gives_way, witness: incoming.witness() }
    }
}

/// One of them; it makes no room any more once this is dropped.
pub struct Arrival {
    all: Rc<Arrivals>,
    gives_way: Rc<Notify>,
    witness: Witness,
}

impl Arrival {
    /// Waits until the peer begins with what costs us something.
    pub async fn first_word(&self, incoming: &mut Incoming) -> Result<(), Failure> {
        self.unless_it_gives_way(async {
            incoming.first_word().await.inspect_err(|failure| self.witness.tell(failure))
        })
        .await
    }

    /// Makes the handshake.
    pub async fn establish(&self, incoming: Incoming) -> Result<Incoming, Failure> {
        self.unless_it_gives_way(incoming.establish()).await
    }

    async fn unless_it_gives_way<T>(
        &self,
        step: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            done = step => done,
            () = self.gives_way.notified() => {
                let why = format!("it was not done, and made room for others (--max-handshakes {})", self.all.most);
                let failure = Failure::timeout(self.witness.name(), why);
                self.witness.tell(&failure);
                Err(failure)
            }
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut waiting = self.all.waiting.borrow_mut();
        if let Some(at) = waiting.iter().position(|other| Rc::ptr_eq(other, &self.gives_way)) {
            waiting.remove(at);
        }
    }
}
