"""What the kernel knows: CPU time and memory of a process tree, other load, affinity, file limits."""

import contextlib
import os
import resource
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
QUIET_PERCENT = 5
READ_ATTEMPTS = 50
SPARE_FILES = 600  # descriptors a process needs besides its connections (haproxy reserves 400 for pipes)


def _stat(pid):
    """The fields of /proc/PID/stat from the third on (state, parent, group, session, ...), or None."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def session(leader):
    """The ids of the processes in the session that `leader` leads or led: orphans stay in it.

    A tree by parents would lose the orphans, and once the leader is gone its id may be another's parent.
    """
    members = set()
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else None
        if fields is not None and int(fields[3]) == leader:
            members.add(int(name))
    return members


def own_cpu_seconds(pid):
    """CPU time of a process, all its threads included, in nanosecond steps; also of one that nobody has waited for yet.

    This is the process's CPU-time clock (clock_getcpuclockid(3), whose number is made from the pid).
    utime + stime of /proc/PID/stat are the same sum cut off to ticks, at HZ=100 up to 20 ms short per
    process, which is 5 % of a run. /proc/PID/schedstat has nanoseconds, but of one thread: the sum over
    /proc/PID/task loses the threads that have ended (a thread per connection would look free), and a
    running thread is only brought up to date at its next tick.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _reaped_ticks(leader):
    """For each process of a session, the CPU ticks of the children it has waited for (cutime + cstime)."""
    fields = {pid: _stat(pid) for pid in session(leader)}
    return {pid: int(words[13]) + int(words[14]) for pid, words in fields.items() if words is not None}


def cpu_seconds(leader):
    """CPU time used so far by a session, children that have ended and were waited for included.

    The kernel adds those up exactly and rounds to ticks when it prints, so forking servers lose at most
    20 ms per waiting parent. A parent that ignores SIGCHLD hides its children's time; no peer here does.
    A child that is waited for while we read would be counted twice or not at all: then all is read again.
    """
    before = _reaped_ticks(leader)
    for _ in range(READ_ATTEMPTS):
        own = sum(own_cpu_seconds(pid) for pid in before)
        after = _reaped_ticks(leader)
        if after == before:
            break
        before = after
        time.sleep(0.01)
    return own + sum(before.values()) / TICKS_PER_SECOND


def pss_kib(leader):
    """Memory of a session, pages shared by several processes counted in shares: (all, anonymous only).

    The shares of file pages (program and libraries) change when somebody else starts a program that uses
    the same libraries, by up to some MiB; the anonymous part does not.
    """
    of_all = [pss_kib_of(pid) for pid in session(leader)]
    return sum(total for total, _ in of_all), sum(anonymous for _, anonymous in of_all)


def pss_kib_of(pid):
    """The same of one process; nothing of one that has just ended, or is a zombie."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            sizes = {line.split(":")[0]: int(line.split()[1]) for line in file if line.startswith("Pss")}
    except OSError:
        sizes = {}
    return sizes.get("Pss", 0), sizes.get("Pss_Anon", 0)


def peak_kib(pid):
    """The most that has been resident of a process since its exec; nothing of one that has ended.

    ru_maxrss will not do: it begins with what was resident of whoever spawned it.
    """
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def kernel_kib():
    """Kernel memory that follows sockets, threads and processes. MemAvailable is far too noisy for this."""
    with open("/proc/meminfo") as file:
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return sizes["SUnreclaim"] + sizes["KernelStack"] + sizes["PageTables"]


def _busy_and_total_ticks():
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)


def foreign_load(seconds=0.25):
    """Percent of the machine that is busy while nothing of ours runs."""
    busy_before, total_before = _busy_and_total_ticks()
    time.sleep(seconds)
    busy, total = _busy_and_total_ticks()
    return 100 * (busy - busy_before) / max(1, total - total_before)


def settle(patience):
    """Waits up to `patience` seconds for a quiet machine; returns the load the run will start under."""
    deadline = time.monotonic() + patience
    while True:
        load = foreign_load()
        if load < QUIET_PERCENT or time.monotonic() >= deadline:
            return load


@contextlib.contextmanager
def pinned(cpus):
    """Keeps this process and what it starts meanwhile on the CPUs of a list such as "0" or "0,2"."""
    before = os.sched_getaffinity(0)
    if cpus:
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def more_open_files(wanted):
    """Raises the limit of open files, which children inherit, as far as it goes, and gives what was reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, wanted))
            hard = wanted
    reached = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    reached = max(soft, reached)
    resource.setrlimit(resource.RLIMIT_NOFILE, (reached, hard))
    try:
        yield reached
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
