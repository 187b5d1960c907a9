//! The one place that makes a process: clone(2) with CLONE_VM and CLONE_VFORK, as posix_spawn(3) does, so that the
//! cost does not grow with our memory. The child works off a list of steps that was made beforehand.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;

use super::status::{Status, Usage};

/// One thing the child does before it becomes the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// setsid(2).
    Session,
    /// setpgid(2): 0 for a new group.
    Group(i32),
    /// Makes the terminal its controlling one (TIOCSCTTY).
    Terminal(RawFd),
    /// Makes its group the terminal's foreground one; all signals are blocked, so TTOU does not stop it.
    Foreground(RawFd),
    /// umask(2).
    Umask(u32),
    /// setpriority(2), the new value.
    Priority(i32),
    /// setrlimit(2): resource, soft, hard.
    Limit(u32, u64, u64),
    /// setgroups(2).
    Groups(Vec<u32>),
    /// setresgid(2).
    GroupId(u32),
    /// setresuid(2).
    UserId(u32),
    /// chdir(2).
    Directory(CString),
    /// dup2(2), or only keeping it open where both numbers are the same.
    Descriptor(RawFd, RawFd),
    /// close_range(2) at the exec: these are not inherited unless a later step says so.
    Seal(u32, u32),
    /// The signal for the parent's death, and the parent, who may be dead already.
    ParentDeath(i32, i32),
    /// A signal's disposition.
    Disposition(i32, libc::sighandler_t),
    /// What asks to stop is put off until the exec: see `put_off`.
    PutOff,
    /// The mask of blocked signals.
    Mask(u64),
}

/// Everything the child needs, ready to use: it may not allocate.
pub struct Order<'a> {
    /// In this order.
    pub steps: &'a [Step],
    /// Where the program may be, tried in order as execvp(3) does.
    pub paths: &'a [CString],
    /// Null-terminated.
    pub argv: &'a [*const c_char],
    /// Null-terminated.
    pub envp: *const *const c_char,
    answer: Answer,
}

/// What the child tells through the memory it shares with us.
#[derive(Default)]
struct Answer {
    errno: AtomicI32,
    at: AtomicUsize,
}

/// Why there is no program running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// clone(2) itself.
    Clone(Errno),
    /// The step with this index.
    Step(usize, Errno),
    /// execve(2); the index of the path that it is about.
    Exec(usize, Errno),
}

/// A process that has become the program.
pub struct Launched {
    /// Its id.
    pub pid: i32,
    /// Index of the path that was run.
    pub path: usize,
}

/// The stops of job control: all but STOP, which nobody can put off.
const STOPS: [c_int; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// The stops that have come to the child since its mask was set, one bit each as in `Set`.
static PUT_OFF: AtomicU64 = AtomicU64::new(0);

/// Stopped between clone and exec, the child would keep us in CLONE_VFORK, deaf to everything, until somebody
/// continued it. So a stop is only noted there; the exec sets the default again, and then it is sent anew.
extern "C" fn put_off(signal: c_int) {
    PUT_OFF.fetch_or(1 << (signal - 1), Relaxed);
}

/// Room for the child's few frames, until it has its own memory.
const STACK: usize = 64 * 1024;
type Stack = [MaybeUninit<u128>; STACK / 16];

impl<'a> Order<'a> {
    /// `argv` and `envp` must end with a null pointer, and outlive the order.
    pub fn new(
        steps: &'a [Step],
        paths: &'a [CString],
        argv: &'a [*const c_char],
        envp: *const *const c_char,
    ) -> Order<'a> {
        Order { steps, paths, argv, envp, answer: Answer::default() }
    }

    /// Makes the process and waits until it runs the program or has given up.
    pub fn launch(&self) -> Result<Launched, Refusal> {
        let mut stack: Box<Stack> = Box::new([MaybeUninit::uninit(); STACK / 16]);
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        let order = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: the child runs `child` on a stack of its own, of 16-byte items as the ABI wants it aligned, while
        // CLONE_VFORK suspends us, so it has the shared memory to itself; it makes system calls alone, allocates and
        // frees nothing. All signals are blocked, so that no handler runs in it but `put_off`, which does no more
        // than that either.
        let pid = unsafe {
            let mut old = MaybeUninit::<libc::sigset_t>::uninit();
            let mut all = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), old.as_mut_ptr());
            let pid = libc::clone(child, stack.as_mut_ptr_range().end.cast(), flags, order);
            let pid = Errno::result(pid);
            libc::pthread_sigmask(libc::SIG_SETMASK, old.as_ptr(), std::ptr::null_mut());
            pid
        };
        let pid = pid.map_err(Refusal::Clone)?;
        let (errno, at) = (self.answer.errno.load(Relaxed), self.answer.at.load(Relaxed));
        let put_off = PUT_OFF.swap(0, Relaxed);
        if errno == 0 {
            for signal in STOPS.into_iter().filter(|signal| put_off & 1 << (signal - 1) != 0) {
                // SAFETY: no memory is involved; the child is not reaped, so the number is its own.
                unsafe { libc::kill(pid, signal) };
            }
            // Emulators that make a fork of it, such as valgrind, leave us without an answer.
            return Ok(Launched { pid, path: at.saturating_sub(self.steps.len()) });
        }
        let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None);
        let errno = Errno::from_raw(errno);
        Err(match at.checked_sub(self.steps.len()) {
            None => Refusal::Step(at, errno),
            Some(path) => Refusal::Exec(path, errno),
        })
    }

    /// The child's work. Comes back only where it failed.
    fn work(&self) -> Result<(), ()> {
        for (at, step) in self.steps.iter().enumerate() {
            if let Err(errno) = step.perform() {
                return self.refuse(at, errno);
            }
        }
        self.exec()
    }

    /// Tries each path. EACCES is remembered, as execvp(3) does: it says more than a later ENOENT.
    fn exec(&self) -> Result<(), ()> {
        let mut denied = None;
        for (at, path) in self.paths.iter().enumerate() {
            let at = self.steps.len() + at;
            self.answer.at.store(at, Relaxed);
            // SAFETY: path, argv and envp are null-terminated (see `new`).
            unsafe { libc::execve(path.as_ptr(), self.argv.as_ptr(), self.envp) };
            match Errno::last() {
                Errno::EACCES => _ = denied.get_or_insert(at),
                Errno::ENOENT | Errno::ENOTDIR | Errno::ENODEV | Errno::ESTALE | Errno::ETIMEDOUT => {}
                errno => return self.refuse(at, errno),
            }
        }
        match denied {
            Some(at) => self.refuse(at, Errno::EACCES),
            None => self.refuse(self.steps.len(), Errno::ENOENT),
        }
    }

    fn refuse(&self, at: usize, errno: Errno) -> Result<(), ()> {
        self.answer.at.store(at, Relaxed);
        self.answer.errno.store(errno as i32, Relaxed);
        Err(())
    }
}

extern "C" fn child(order: *mut c_void) -> c_int {
    // SAFETY: `launch` passes an order that outlives the child's use of our memory.
    let order = unsafe { &*order.cast::<Order>() };
    let _ = order.work();
    127
}

impl Step {
    /// Async-signal-safe: a system call, no allocation. The identity goes through raw calls, since those of the
    /// C library would ask every thread of ours to follow (nptl(7)).
    fn perform(&self) -> Result<(), Errno> {
        // SAFETY: pointers are to live, initialised memory of the order; numbers are checked by the kernel.
        let done = unsafe {
            match self {
                Step::Session => libc::setsid().min(0),
                Step::Group(group) => libc::setpgid(0, *group),
                Step::Terminal(fd) => libc::ioctl(*fd, libc::TIOCSCTTY, 0),
                Step::Foreground(fd) => libc::tcsetpgrp(*fd, libc::getpgrp()),
                Step::Umask(mask) => {
                    libc::umask(*mask);
                    0
                }
                Step::Priority(value) => libc::setpriority(libc::PRIO_PROCESS, 0, *value),
                Step::Limit(resource, soft, hard) => {
                    let limit = libc::rlimit { rlim_cur: *soft, rlim_max: *hard };
                    libc::setrlimit(*resource, &raw const limit)
                }
                Step::Groups(all) => libc::syscall(libc::SYS_setgroups, all.len(), all.as_ptr()) as c_int,
                Step::GroupId(id) => libc::syscall(libc::SYS_setresgid, *id, *id, *id) as c_int,
                Step::UserId(id) => libc::syscall(libc::SYS_setresuid, *id, *id, *id) as c_int,
                Step::Directory(path) => libc::chdir(path.as_ptr()),
                Step::Descriptor(from, to) if from == to => libc::fcntl(*from, libc::F_SETFD, 0),
                Step::Descriptor(from, to) => libc::dup2(*from, *to).min(0),
                Step::Seal(first, last) => {
                    libc::syscall(libc::SYS_close_range, *first, *last, libc::CLOSE_RANGE_CLOEXEC) as c_int
                }
                Step::ParentDeath(signal, parent) => {
                    let set = libc::prctl(libc::PR_SET_PDEATHSIG, *signal);
                    if set == 0 && libc::getppid() != *parent {
                        return Err(Errno::ESRCH);
                    }
                    set
                }
                Step::Disposition(signal, disposition) => {
                    if libc::signal(*signal, *disposition) == libc::SIG_ERR { -1 } else { 0 }
                }
                Step::PutOff => put_off_stops(),
                Step::Mask(mask) => {
                    let (how, old) = (libc::SIG_SETMASK, std::ptr::null_mut::<u64>());
                    let (mask, size) = (std::ptr::from_ref(mask), size_of::<u64>());
                    libc::syscall(libc::SYS_rt_sigprocmask, how, mask, old, size) as c_int
                }
            }
        };
        Errno::result(done).map(drop)
    }
}

/// Sets the handler where a stop would stop: not where it is ignored.
fn put_off_stops() -> c_int {
    // SAFETY: plain system calls on local, initialised memory; the handler is async-signal-safe.
    unsafe {
        for signal in STOPS {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut action);
            if action.sa_sigaction == libc::SIG_DFL {
                action.sa_sigaction = put_off as extern "C" fn(c_int) as libc::sighandler_t;
                action.sa_flags = libc::SA_RESTART;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            }
        }
    }
    0
}

/// The environment as we got it, also entries that are no `NAME=VALUE`.
pub fn environ() -> *const *const c_char {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: the C library sets it before `main`, and spile never changes its own environment.
    unsafe { environ }
}

/// The entries of `environ`.
pub fn environment() -> Vec<&'static CStr> {
    let mut entries = Vec::new();
    let mut at = environ();
    // SAFETY: a null-terminated array of strings that live as long as the program; see `environ`.
    unsafe {
        while !at.is_null() && !(*at).is_null() {
            entries.push(CStr::from_ptr(*at));
            at = at.add(1);
        }
    }
    entries
}

/// What wait4(2) found.
pub enum Waited {
    /// A child has changed its state.
    Changed(i32, Status, Usage),
    /// There are children; none has anything to tell.
    Nothing,
    /// There are no children at all.
    NoChildren,
}

/// Asks for any child's change of state: its end (which reaps it), a stop, a continuation. Does not block.
pub fn wait_any() -> Result<Waited, Errno> {
    wait_for(-1)
}

/// The child of whose change `wait_any` would tell; it is not told yet, and an ended one not reaped.
pub fn next_to_tell() -> Option<i32> {
    let options = libc::WEXITED | libc::WSTOPPED | libc::WCONTINUED | libc::WNOHANG | libc::WNOWAIT;
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: `info` is local and writable, and valid when zeroed; waitid(2) sets si_pid, or leaves it 0.
    let pid = unsafe {
        libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options);
        info.assume_init().si_pid()
    };
    (pid != 0).then_some(pid)
}

/// True while we have children, ended ones that are not reaped included.
pub fn has_children() -> bool {
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: `info` is local and writable; nothing is read of it.
    unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) == 0 }
}

/// As `wait_any`, but of this child alone.
pub fn wait_for(child: i32) -> Result<Waited, Errno> {
    let options = libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED;
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both are local and writable; a zeroed rusage is valid.
    let (pid, usage) = unsafe {
        let pid = libc::wait4(child, &raw mut status, options, usage.as_mut_ptr());
        (Errno::result(pid), usage.assume_init())
    };
    match pid {
        Ok(0) => Ok(Waited::Nothing),
        Ok(pid) => Ok(Waited::Changed(pid, Status::from_raw(status), resources(&usage))),
        Err(Errno::ECHILD) => Ok(Waited::NoChildren),
        Err(Errno::EINTR) => wait_for(child),
        Err(errno) => Err(errno),
    }
}

fn resources(usage: &libc::rusage) -> Usage {
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        max_resident: usage.ru_maxrss as u64 * 1024,
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
        voluntary_switches: usage.ru_nvcsw as u64,
        involuntary_switches: usage.ru_nivcsw as u64,
    }
}
