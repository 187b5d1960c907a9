"""startup: from spawn to exit of a command that only says its version."""

import os
import statistics

import arguments
import peers
import processes
import rounds
from table import Column, Table, at_most

NAME = "startup"
QUICK = ["--rounds", "1", "--times", "5"]
SPILE_ARGUMENTS = "--version"

MEDIAN = Column("us", 0)
LEAST = Column("least us", 0)
TARGETS = [at_most(MEDIAN, 1.3, "nc -h")]


def add_arguments(parser):
    parser.add_argument("--times", type=int, default=15, help="starts per round (15)")
    arguments.add_common(parser, rounds=7)


def run(options):
    return [starts(NAME, peers.select(options, SPILE_ARGUMENTS, peers.STARTUP_PEERS), TARGETS, options)]


def starts(name, tools, targets, options):
    """The table of how long each of `tools` takes from spawn to exit."""
    null = os.open(os.devnull, os.O_RDWR)

    def measure(tool, site):
        argv = tool.command(site)
        seconds = [once(argv, null) for _ in range(options.times)]
        return {MEDIAN: statistics.median(seconds) * 1e6, LEAST: min(seconds) * 1e6}

    runs = rounds.interleave(tools, options, 1, measure)
    os.close(null)
    return Table(f"{name}, {options.times} times per round", [MEDIAN, LEAST], targets, runs)


def once(argv, null):
    seconds, _ = processes.timed(argv, null, good=(0, 1))  # `nc -h` may end with 1
    return seconds
