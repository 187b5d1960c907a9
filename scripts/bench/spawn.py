"""spawn: from spawn to exit of a command that runs `true` under its care; and spawning beside a large heap."""

import json
import os
import shlex

import arguments
import build
import peers
import rounds
import startup
from table import Column, Table, at_most

NAME = "spawn"
QUICK = ["--rounds", "1", "--times", "5"]
SPILE_ARGUMENTS = "run -- true"
HEAP_MIB = 512
ATTEMPTS = 200

TARGETS = [at_most(startup.MEDIAN, 1.1, "timeout 5")]
EACH = Column("us each", 0)
# As fast as without a heap, with what two equal rows differ by; a fork would take 20 times as long.
HEAP_TARGETS = [at_most(EACH, 1.1, "spile")]


def add_arguments(parser):
    parser.add_argument("--times", type=int, default=25, help="starts per round (25)")
    arguments.add_common(parser, rounds=9)


def run(options):
    tools = peers.select(options, SPILE_ARGUMENTS, peers.SPAWN_PEERS)
    tables = [startup.starts(NAME, tools, TARGETS, options)]
    if options.tools is None and not options.add:
        tables.append(_beside_a_heap(options))
    return tables


def _beside_a_heap(options):
    """From the first to the last start of many attempts: the making of the heap is not part of it."""
    null = os.open(os.devnull, os.O_RDWR)

    def attempts(tool, site):
        events = os.path.join(site.directory, "events")
        startup.once([*tool.command(site), "--events", events, "--", "false"], null)
        with open(events) as file:
            starts = [event["at"] for event in map(json.loads, file) if event["ev"] == "start"]
        return {EACH: (starts[-1] - starts[0]) / (len(starts) - 1) * 1e6}

    runs = rounds.interleave(_with_and_without_heap(options), options, 1, attempts)
    os.close(null)
    return Table(f"{NAME} again and again, beside a heap", [EACH], HEAP_TARGETS, runs)


def _with_and_without_heap(options):
    repeat = f"{shlex.quote(options.spile)} run --backoff 0 --retries {ATTEMPTS}"
    heap = f"env LD_PRELOAD={shlex.quote(build.heap())} SPILE_BENCH_HEAP={HEAP_MIB}"
    return [
        peers.Tool("spile", peers.Kind.SHOWN, peers.words(repeat)),
        peers.Tool(f"spile, {HEAP_MIB} MiB", peers.Kind.SPILE, peers.words(f"{heap} {repeat}")),
    ]
