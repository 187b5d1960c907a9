"""Starting and ending what is measured: servers, the load generator, and the ports between them."""

import ctypes
import os
import re
import select
import signal
import socket
import subprocess
import time

import machine

START_SECONDS = 5
LOOK_SECONDS = 0.02
FIRST_PORT, LAST_PORT = 20000, 31999  # below the ephemeral range
LISTEN = "0A"
PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    """One run did not work; its text goes into the table."""


def adopt_orphans():
    """Children of a killed forking server become ours, to be waited for by `end`.

    Left to process 1 they would stay for ever as zombies in a container whose first process is no init.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def ports():
    """Ports nobody listens on, each given out once: a fresh pair per run keeps TIME_WAIT out of the way."""
    start = os.getpid() * 7 % (LAST_PORT - FIRST_PORT)
    step = 0
    while True:
        port = FIRST_PORT + (start + step) % (LAST_PORT - FIRST_PORT)
        step += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


def is_listening(port):
    """Looked up, not tried: a connection would make systemd-socket-activate and forking servers start work."""
    wanted = f":{port:04X}"
    with open("/proc/net/tcp") as file:
        next(file)
        for line in file:
            _, local, _, state = line.split()[:4]
            if state != LISTEN:
                return False  # listening sockets come first, then thousands in TIME_WAIT
            if local.endswith(wanted):
                return True
    return False


def wait_until_listening(port, process, why_not=lambda: ""):
    deadline = time.monotonic() + START_SECONDS
    while not is_listening(port):
        if process.poll() is not None:
            raise Failed(f"ended with status {process.returncode} at start {why_not()}".strip())
        if time.monotonic() > deadline:
            raise Failed(f"not listening after {START_SECONDS} s {why_not()}".strip())
        time.sleep(0.005)


def start(argv, **options):
    """Popen in a session of its own, so that `end` finds all of it; a missing program is a Failed."""
    try:
        return subprocess.Popen(argv, start_new_session=True, **options)
    except FileNotFoundError:
        raise Failed(f"{argv[0]} not found") from None
    except PermissionError:
        raise Failed(f"{argv[0]} cannot be executed") from None


def end(process, patience=2):
    """Ends what `start` started: asked first, then killed, only by ids that are in its session."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        _wait(process, patience)
    for _ in range(5):  # a forking server may have made one more while we looked
        left = machine.session(process.pid)
        if not left:
            return
        for pid in left:
            _signal(pid, signal.SIGKILL)
        _wait(process, patience)
        for pid in left - {process.pid}:
            _reap(pid)


def _wait(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def _reap(pid):
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # its parent, now killed as well, was faster or is next: the next look finds it


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _signal_group(leader, number):
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        pass


class Spawned:
    """A program with nothing at its three ends, timed from its start: running inside the `with`, gone after it.

    posix_spawn and not subprocess: there the fork of a large Python would be part of the figure.
    """

    def __init__(self, argv, null):
        self.argv, self.null = argv, null
        self.pid = None

    def __enter__(self):
        silence = [(os.POSIX_SPAWN_DUP2, self.null, fd) for fd in (0, 1, 2)]
        self.started = time.perf_counter()
        try:
            self.pid = os.posix_spawnp(self.argv[0], self.argv, os.environ, file_actions=silence)
        except OSError as error:
            raise Failed(f"{self.argv[0]}: {error.strerror}") from None
        return self

    def __exit__(self, *_):
        if self.pid:
            _signal(self.pid, signal.SIGKILL)
            _reap(self.pid)

    def seconds(self):
        """Since its start."""
        return time.perf_counter() - self.started

    def ends(self, longest, look=lambda pid: None):
        """Looks at it again and again until it has ended: seconds since its start, and CPU seconds of it alone."""
        fd = os.pidfd_open(self.pid)
        try:
            while not select.select([fd], [], [], LOOK_SECONDS)[0]:
                look(self.pid)
                if self.seconds() > longest:
                    raise Failed(f"no end after {longest} s")
        finally:
            os.close(fd)
        cpu = machine.own_cpu_seconds(self.pid)
        seconds, _ = self.wait()
        return seconds, cpu

    def wait(self, good=(0,)):
        """Waits for its end: seconds since its start, and CPU seconds of it and of all children it waited for."""
        _, status, usage = os.wait4(self.pid, 0)
        seconds, self.pid = self.seconds(), None
        if os.waitstatus_to_exitcode(status) not in good:
            raise Failed(f"ended with status {os.waitstatus_to_exitcode(status)}")
        return seconds, usage.ru_utime + usage.ru_stime


def timed(argv, null, good=(0,)):
    """Seconds from spawn to exit, and CPU seconds."""
    with Spawned(argv, null) as spawned:
        return spawned.wait(good)


class Server:
    """A relay under test: running inside the `with`, gone after it. `argv` None is no server at all."""

    def __init__(self, argv, port, log):
        self.argv, self.port, self.log = argv, port, log
        self.process = None

    def __enter__(self):
        if self.argv is None:
            return self
        with open(self.log, "w") as log:
            self.process = start(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until_listening(self.port, self.process, self._last_words)
        except BaseException:
            end(self.process)
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            end(self.process)

    def _last_words(self):
        with open(self.log, errors="replace") as log:
            lines = log.read().strip().splitlines()
        return f"({lines[-1].strip()[:100]})" if lines else ""

    def cpu_seconds(self):
        return machine.cpu_seconds(self.process.pid) if self.process else 0.0

    def pss_kib(self):
        return machine.pss_kib(self.process.pid) if self.process else (0, 0)


class Load:
    """The load generator in one of its modes that say "ready", wait, and say "result ..."."""

    def __init__(self, loadgen, *words):
        self.argv = [loadgen, *map(str, words)]

    def __enter__(self):
        pipe = subprocess.PIPE
        self.process = start(self.argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        try:
            self._read("ready", 30)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        end(self.process, patience=0.2)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def run(self, timeout):
        """Lets it go and returns its result; afterwards its connections are still open."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return parse_result(self._read("result", timeout))

    def _read(self, expected, timeout):
        readable, _, _ = select.select([self.process.stdout], [], [], timeout)
        if not readable:
            raise Failed(f"no {expected} after {timeout:.0f} s")
        line = self.process.stdout.readline()
        if line.startswith(expected):
            return line
        _wait(self.process, 2)
        words = [] if line else self.process.stderr.read().strip().splitlines()
        raise Failed(words[-1] if words else f"the load generator said {line!r}, not {expected}")


def parse_result(line):
    """`result a 1 b 2.5` as {"a": 1.0, "b": 2.5}."""
    return {name: float(value) for name, value in re.findall(r"(\w+) ([\d.]+)", line.removeprefix("result"))}
