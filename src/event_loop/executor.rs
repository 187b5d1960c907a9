//! Tasks: futures that are polled when somebody woke them, in the order of waking.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use super::readiness::{self, Watched};
use super::timer;

/// The future that `run` was given; it has no place in the list of tasks.
const MAIN: Id = Id { index: u32::MAX, generation: 0 };

/// A task, told apart from an earlier one in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Id {
    index: u32,
    generation: u32,
}

type Job = Pin<Box<dyn Future<Output = ()>>>;

/// The place of a task, one line of the cache. Its job is out while it is being polled.
#[derive(Default)]
#[repr(align(64))]
struct Place {
    generation: u32,
    queued: bool,
    task: Option<(Job, Waker)>,
}

#[derive(Default)]
struct Executor {
    places: Vec<Place>,
    free: Vec<u32>,
    queue: VecDeque<Id>,
    main_is_queued: bool,
    /// Where other threads leave their wake-ups; `None` outside of `run`.
    mailbox: Option<Arc<Mailbox>>,
}

thread_local! {
    static EXECUTOR: RefCell<Executor> = RefCell::default();
}

/// Wake-ups from other threads.
struct Mailbox {
    letters: Mutex<Vec<Id>>,
    bell: OwnedFd,
}

impl AsFd for Mailbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

/// What a waker of ours holds.
struct Handle {
    id: Id,
    mailbox: Arc<Mailbox>,
}

impl Wake for Handle {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let is_ours = |executor: &RefCell<Executor>| {
            let mut executor = executor.borrow_mut();
            let here = executor.mailbox.as_ref().is_some_and(|own| Arc::ptr_eq(own, &self.mailbox));
            if here {
                executor.queue(self.id);
            }
            here
        };
        if !EXECUTOR.try_with(is_ours).unwrap_or(false) {
            self.mailbox.letters.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
            let _ = rustix::io::write(&self.mailbox.bell, &1_u64.to_ne_bytes());
        }
    }
}

impl Executor {
    fn queue(&mut self, id: Id) {
        if id == MAIN {
            if !std::mem::replace(&mut self.main_is_queued, true) {
                self.queue.push_back(id);
            }
            return;
        }
        if let Some(place) = self.places.get_mut(id.index as usize)
            && place.generation == id.generation
            && !std::mem::replace(&mut place.queued, true)
        {
            self.queue.push_back(id);
        }
    }

    /// Hands the job back outside of `run`, where nothing would ever poll it.
    fn place(&mut self, job: Job) -> Option<Job> {
        let Some(mailbox) = self.mailbox.clone() else { return Some(job) };
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        let id = Id { index, generation: place.generation };
        place.task = Some((job, Waker::from(Arc::new(Handle { id, mailbox }))));
        place.queued = true;
        self.queue.push_back(id);
        None
    }

    /// The next task to poll; its job is out of its place until it is put back.
    fn next(&mut self) -> Option<Next> {
        loop {
            let id = self.queue.pop_front()?;
            if id == MAIN {
                self.main_is_queued = false;
                return Some(Next::Main);
            }
            let place = &mut self.places[id.index as usize];
            place.queued = false;
            if let Some((job, waker)) = place.task.take() {
                return Some(Next::Task(id, job, waker));
            }
        }
    }

    fn vacate(&mut self, id: Id) {
        let place = &mut self.places[id.index as usize];
        *place = Place { generation: place.generation.wrapping_add(1), ..Place::default() };
        self.free.push(id.index);
    }
}

/// What is to be polled next.
enum Next {
    Main,
    Task(Id, Job, Waker),
}

/// Starts a task beside the one that calls. It ends with `run`, finished or not.
pub fn spawn(job: impl Future<Output = ()> + 'static) {
    // Boxed outside of the borrow: a destructor may spawn or wake.
    let job: Job = Box::pin(job);
    drop(EXECUTOR.with_borrow_mut(|executor| executor.place(job)));
}

/// Drops every task, finished or not: the work that `run` was given is alone from then on.
pub fn drop_tasks() {
    // Dropped outside of the borrow: a destructor may spawn or wake.
    drop(EXECUTOR.with_borrow_mut(|executor| {
        // The first one delivers the mail of other threads.
        let dropped: Vec<_> =
            executor.places.iter_mut().skip(1).filter_map(|place| place.task.take()).collect();
        executor.free = (1..executor.places.len() as u32).collect();
        executor
            .places
            .iter_mut()
            .skip(1)
            .for_each(|place| place.generation = place.generation.wrapping_add(1));
        dropped
    }));
}

/// Lets the other tasks have a turn.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs `work` to its end, and the tasks that it starts until then. Fails when epoll or eventfd do.
pub fn run<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let mailbox = Arc::new(Mailbox { letters: Mutex::default(), bell });
    let bell = Watched::new(mailbox.clone()).map_err(|(_, why)| why)?;
    let _guard = Running::begin(mailbox.clone());
    spawn(deliver_mail(bell));
    let main = Waker::from(Arc::new(Handle { id: MAIN, mailbox }));
    main.wake_by_ref();
    let mut work = pin!(work);
    loop {
        // What is woken from here on waits for the next round, so that events are looked for in between.
        for _ in 0..EXECUTOR.with_borrow(|executor| executor.queue.len()) {
            match EXECUTOR.with_borrow_mut(Executor::next) {
                Some(Next::Task(id, job, waker)) => poll_task(id, job, waker),
                Some(Next::Main) => {
                    if let Poll::Ready(output) = work.as_mut().poll(&mut Context::from_waker(&main)) {
                        return Ok(output);
                    }
                }
                None => break,
            }
        }
        let is_idle = EXECUTOR.with_borrow(|executor| executor.queue.is_empty());
        readiness::turn(if is_idle { timer::next() } else { Some(Duration::ZERO) })?;
        timer::fire();
    }
}

fn poll_task(id: Id, mut job: Job, waker: Waker) {
    match job.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Pending => EXECUTOR.with_borrow_mut(|executor| {
            executor.places[id.index as usize].task = Some((job, waker));
        }),
        Poll::Ready(()) => {
            drop(job);
            EXECUTOR.with_borrow_mut(|executor| executor.vacate(id));
        }
    }
}

/// Passes on the wake-ups of other threads.
async fn deliver_mail(bell: Watched<Arc<Mailbox>>) {
    let mailbox = bell.get_ref();
    loop {
        bell.readable().await;
        bell.clear_readable();
        let _ = rustix::io::read(&mailbox.bell, &mut [0; 8]);
        let letters = std::mem::take(&mut *mailbox.letters.lock().unwrap_or_else(PoisonError::into_inner));
        EXECUTOR.with_borrow_mut(|executor| letters.into_iter().for_each(|id| executor.queue(id)));
    }
}

/// While it lives, this thread's wakers reach it. Tasks that have not ended are dropped with it.
struct Running;

impl Running {
    fn begin(mailbox: Arc<Mailbox>) -> Running {
        EXECUTOR.with_borrow_mut(|executor| executor.mailbox = Some(mailbox));
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Taken out first: a task's destructor may wake others.
        let left = EXECUTOR.with_borrow_mut(|executor| {
            executor.mailbox = None;
            executor.queue.clear();
            executor.main_is_queued = false;
            executor.free.clear();
            std::mem::take(&mut executor.places)
        });
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::super::{blocking, sleep};
    use super::*;

    #[test]
    fn tasks_take_turns() {
        let log = Rc::new(RefCell::new(String::new()));
        let seen = log.clone();
        run(async move {
            for name in ["a", "b"] {
                let log = log.clone();
                spawn(async move {
                    for _ in 0..3 {
                        log.borrow_mut().push_str(name);
                        yield_now().await;
                    }
                });
            }
            sleep(Duration::from_millis(5)).await;
        })
        .unwrap();
        assert_eq!(*seen.borrow(), "ababab");
    }

    #[test]
    fn a_task_that_never_rests_does_not_starve_timers() {
        run(async {
            spawn(async {
                loop {
                    yield_now().await;
                }
            });
            sleep(Duration::from_millis(5)).await;
        })
        .unwrap();
    }

    #[test]
    fn unfinished_tasks_are_dropped_at_the_end() {
        struct Flag(Rc<Cell<bool>>);
        impl Drop for Flag {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let dropped = Rc::new(Cell::new(false));
        let flag = Flag(dropped.clone());
        run(async {
            spawn(async move {
                let _flag = flag;
                std::future::pending::<()>().await;
            });
            yield_now().await;
        })
        .unwrap();
        assert!(dropped.get());
    }

    #[test]
    fn tasks_can_be_dropped_and_others_started() {
        run(async {
            let count: Rc<Cell<u32>> = Rc::default();
            for _ in 0..3 {
                let count = count.clone();
                spawn(async move {
                    loop {
                        yield_now().await;
                        count.set(count.get() + 1);
                    }
                });
            }
            yield_now().await;
            drop_tasks();
            let before = count.get();
            yield_now().await;
            assert_eq!((count.get(), Rc::strong_count(&count)), (before, 1));
            let again = count.clone();
            spawn(async move { again.set(100) });
            yield_now().await;
            assert_eq!(count.get(), 100);
            assert_eq!(blocking(|| 6 * 7).await.unwrap(), 42);
        })
        .unwrap();
    }

    #[test]
    fn a_waker_of_a_finished_task_wakes_nobody() {
        let late: Rc<RefCell<Option<Waker>>> = Rc::default();
        let keep = late.clone();
        run(async move {
            let first = keep.clone();
            spawn(poll_fn(move |cx| {
                *first.borrow_mut() = Some(cx.waker().clone());
                Poll::Ready(())
            }));
            yield_now().await;
            yield_now().await;
            let polls = Rc::new(Cell::new(0));
            let counted = polls.clone();
            spawn(poll_fn(move |_| {
                counted.set(counted.get() + 1);
                Poll::<()>::Pending
            }));
            yield_now().await;
            yield_now().await;
            keep.borrow().as_ref().unwrap().wake_by_ref();
            sleep(Duration::from_millis(1)).await;
            assert_eq!(polls.get(), 1);
        })
        .unwrap();
        drop(late);
    }

    #[test]
    fn other_threads_wake_tasks() {
        let answer = run(async { blocking(|| 6 * 7).await }).unwrap();
        assert_eq!(answer.unwrap(), 42);
    }
}
