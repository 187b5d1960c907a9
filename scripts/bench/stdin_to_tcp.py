"""stdin-to-tcp: `produce | TOOL` into a TCP sink, its rate and the tool's CPU seconds per GiB."""

import os
import subprocess

import arguments
import peers
import processes
import rounds
from table import Column, Table, at_least

NAME = "stdin-to-tcp"
QUICK = ["--rounds", "1", "--mib", "64"]
LONGEST_RUN_SECONDS = 90
SPILE_ARGUMENTS = "connect 127.0.0.1 {P}"

RATE = Column("MiB/s", 0)
CPU = Column("cpu s/GiB", 3)
TARGETS = [at_least(RATE, 1.4, "nc -N"), at_least(RATE, 1.0, "socat -b 262144")]


def add_arguments(parser):
    parser.add_argument("--mib", type=int, default=2048, help="data per run (2048)")
    arguments.add_common(parser, rounds=7)


def run(options):
    def measure(tool, site):
        return _measure(options, tool.command(site), site.backend)

    tools = peers.select(options, SPILE_ARGUMENTS, peers.STDIN_PEERS)
    runs = rounds.interleave(tools, options, 1, measure)
    return [Table(f"{NAME}, {options.mib} MiB", [RATE, CPU], TARGETS, runs)]


def _measure(options, argv, port):
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    started = []

    def begin(*words, **ends):
        started.append(processes.start(list(words), **ends))
        return started[-1]

    try:
        sink = begin(options.loadgen, "sink", str(port), stdin=nothing, stdout=pipe, stderr=nothing, text=True)
        processes.wait_until_listening(port, sink)
        producer = begin(options.loadgen, "produce", str(options.mib), stdin=nothing, stdout=pipe)
        tool = begin(*argv, stdin=producer.stdout, stdout=nothing, stderr=nothing)
        producer.stdout.close()  # the tool's now: without this its end would not reach the producer
        result = _result(sink)
        cpu = _cpu_seconds_at_end(tool)
    finally:
        for process in reversed(started):
            processes.end(process, patience=0.2)
    if abs(result["mib"] - options.mib) > 0.01:
        raise processes.Failed(f"only {result['mib']:.1f} of {options.mib} MiB arrived")
    return {RATE: result["mib_per_s"], CPU: cpu / (options.mib / 1024)}


def _result(sink):
    try:
        line, _ = sink.communicate(timeout=LONGEST_RUN_SECONDS)
    except subprocess.TimeoutExpired:
        raise processes.Failed(f"no end after {LONGEST_RUN_SECONDS} s") from None
    if not line.startswith("result"):
        raise processes.Failed("nothing arrived at the sink")
    return processes.parse_result(line)


def _cpu_seconds_at_end(process):
    """The kernel's sum for the ended process and the children it waited for, in steps of a microsecond."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime
