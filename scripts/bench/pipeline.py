"""pipeline: two stages without a shell against bash's, started and bulk; and a stage that only copies."""

import os
import shlex
import subprocess
import time

import arguments
import peers
import processes
import rounds
from table import Column, Table, at_least, at_most

NAME = "pipeline"
QUICK = ["--rounds", "1", "--mib", "64", "--times", "3"]
LONGEST_RUN_SECONDS = 90

RATE = Column("MiB/s", 0)
START = Column("start us", 0)
CPU = Column("cpu s/GiB", 3)
# "As fast as the shell's" with what two equal rows differ by on a quiet machine.
STAGES_TARGETS = [at_least(RATE, 0.97, "bash"), at_most(START, 1.0, "bash")]
COPYING_TARGETS = [at_least(RATE, 1.2, "pv -q"), at_least(RATE, 1.5, "tee")]


def add_arguments(parser):
    parser.add_argument("--mib", type=int, default=4096, help="data per run (4096)")
    parser.add_argument("--times", type=int, default=15, help="starts per round (15)")
    arguments.add_common(parser, rounds=7)


def run(options):
    null = os.open(os.devnull, os.O_RDWR)
    spile = shlex.quote(options.spile)

    def tool(name, template):
        kind = peers.Kind.SPILE if name.startswith("spile") else peers.Kind.PEER
        return peers.Tool(name, kind, peers.words(template))

    def stages(tool, site):
        argv = tool.command(site)
        bulk = _with_stages(argv, [f"{options.loadgen} produce {options.mib}", "cat"])
        seconds, cpu = processes.timed(bulk, null)
        short = _with_stages(argv, ["true", "cat"])
        starts = sorted(processes.timed(short, null)[0] for _ in range(options.times))
        return {RATE: options.mib / seconds, CPU: cpu / options.mib * 1024, START: starts[len(starts) // 2] * 1e6}

    def copying(tool, site):
        return {RATE: options.mib / _copied(options, tool.command(site), null)}

    two = [
        tool("bash", "bash -c 'STAGES; exit 0'"),
        tool("spile --meter", f"{spile} pipe --meter=always STAGES"),
    ]
    one = [
        tool("pv -q", "pv -q"),
        tool("tee", "tee /dev/null"),
        tool("cat", "cat"),
        tool("spile @tee", f"{spile} pipe @tee=/dev/null"),
    ]
    tables = []
    for title, columns, targets, own, rows, measure in [
        ("two stages", [RATE, START, CPU], STAGES_TARGETS, "pipe STAGES", two, stages),
        ("a stage that copies", [RATE], COPYING_TARGETS, "pipe @meter", one, copying),
    ]:
        runs = rounds.interleave(peers.select(options, own, rows), options, 1, measure)
        tables.append(Table(f"{NAME}: {title}, {options.mib} MiB", columns, targets, runs))
    os.close(null)
    return tables


def _with_stages(argv, stages):
    """STAGES is a word of spile's command line, or a part of the shell's."""
    if "STAGES" not in argv:
        return [word.replace("STAGES", " | ".join(stages)) for word in argv]
    at = argv.index("STAGES")
    return argv[:at] + " :: ".join(stages).split() + argv[at + 1:]


def _copied(options, argv, null):
    """Seconds of `produce | TOOL | cat`."""
    started, pipe = [], subprocess.PIPE

    def begin(words, **ends):
        started.append(processes.start(list(words), stderr=null, **ends))
        return started[-1]

    begun = time.perf_counter()
    try:
        producer = begin([options.loadgen, "produce", str(options.mib)], stdin=null, stdout=pipe)
        tool = begin(argv, stdin=producer.stdout, stdout=pipe)
        reader = begin(["cat"], stdin=tool.stdout, stdout=null)
        producer.stdout.close()
        tool.stdout.close()
        reader.wait(LONGEST_RUN_SECONDS)
        seconds = time.perf_counter() - begun
        if tool.wait(LONGEST_RUN_SECONDS):
            raise processes.Failed(f"ended with status {tool.returncode}")
        return seconds
    except subprocess.TimeoutExpired:
        raise processes.Failed(f"no end after {LONGEST_RUN_SECONDS} s") from None
    finally:
        for process in reversed(started):
            processes.end(process, patience=0.2)
