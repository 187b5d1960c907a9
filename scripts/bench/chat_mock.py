"""chat-mock: many clients at once with a mock server, all of whom must pass."""

import contextlib
import os
import selectors
import socket
import subprocess
import time

import arguments
import chat_peers
import machine
import peers
import processes
import rounds
from table import Column, Table, at_least

NAME = "chat-mock"
QUICK = ["--rounds", "1", "--clients", "100"]
SPILE_ARGUMENTS = "chat --quiet listen:127.0.0.1:{L} --concurrent --clients {N} {S}"
SCRIPT = "> hello\n~1 ^n(?<n>\\d+)$\n> bye ${n}\n<$\n"
LONGEST_RUN_SECONDS = 60

PASSED = Column("passed", 0)
RATE = Column("clients/s", 0)
CPU = Column("cpu us/client", 1)
PSS = Column("PSS KiB/client", 1)


def add_arguments(parser):
    parser.add_argument("--clients", type=int, default=1000, help="clients at once (1000)")
    arguments.add_common(parser, rounds=3)


def run(options):
    tools = peers.select(options, SPILE_ARGUMENTS, [], chat_peers.scripted(SCRIPT))
    with machine.more_open_files(options.clients + machine.SPARE_FILES):
        runs = rounds.interleave(tools, options, options.clients, lambda tool, site: _measure(options, tool, site))
    targets = [at_least(PASSED, options.clients)]
    return [Table(f"{NAME}, {options.clients} clients at once", [PASSED, RATE, CPU, PSS], targets, runs)]


def _measure(options, tool, site):
    """All are connected before the first one says a word, and all stay until the last one has its answer."""
    with processes.Server(tool.command(site), site.listen, os.path.join(site.directory, "log")) as server:
        (at_start, _), cpu_at_start, started = server.pss_kib(), server.cpu_seconds(), time.perf_counter()
        with contextlib.ExitStack() as connections:
            try:
                clients = [connections.enter_context(_connect(site.listen)) for _ in range(options.clients)]
                answers = _answers(clients)
            except OSError as error:
                raise processes.Failed(f"a client failed: {error.strerror or error}") from None
            seconds, cpu = time.perf_counter() - started, server.cpu_seconds() - cpu_at_start
            pss, _ = server.pss_kib()
        status = _status(server)
    if status:
        raise processes.Failed(f"ended with status {status}")
    return {
        PASSED: sum(answer == b"hello\r\nbye %d\r\n" % number for number, answer in enumerate(answers)),
        RATE: options.clients / seconds,
        CPU: cpu / options.clients * 1e6,
        PSS: (pss - at_start) / options.clients,
    }


def _connect(port):
    return socket.create_connection(("127.0.0.1", port), LONGEST_RUN_SECONDS)


def _status(server):
    """0 only if every client has passed."""
    try:
        return server.process.wait(LONGEST_RUN_SECONDS)
    except subprocess.TimeoutExpired:
        raise processes.Failed(f"no end after {LONGEST_RUN_SECONDS} s") from None


def _answers(clients):
    """Says a number on each connection; what was heard there up to the second line."""
    answers = [b""] * len(clients)
    with selectors.DefaultSelector() as selector:
        for number, client in enumerate(clients):
            selector.register(client, selectors.EVENT_READ, number)
            client.sendall(b"n%d\r\n" % number)
        left, deadline = len(clients), time.monotonic() + LONGEST_RUN_SECONDS
        while left:
            for key, _ in selector.select(max(0, deadline - time.monotonic())):
                heard = key.fileobj.recv(256)
                answers[key.data] += heard
                if not heard or answers[key.data].count(b"\n") == 2:
                    selector.unregister(key.fileobj)
                    left -= 1
            if time.monotonic() >= deadline:
                raise processes.Failed(f"{left} clients have no answer after {LONGEST_RUN_SECONDS} s")
    return answers
