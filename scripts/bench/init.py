"""init: what it costs to have a program run under an init: from spawn to exit of `true`, and memory beside one that runs."""

import os
import time

import arguments
import machine
import peers
import processes
import rounds
import startup
from table import Column, Table, at_most

NAME = "init"
QUICK = ["--rounds", "1", "--times", "5"]
SPILE_ARGUMENTS = "trap -- true"
SPILE_SLEEPS = "trap -- sleep 60"
REST_SECONDS = 1.0

TARGETS = [at_most(startup.MEDIAN, 1.05, "tini -s")]
PSS = Column("PSS KiB", 0)
ANONYMOUS = Column("of it anon", 0)
MEMORY_TARGETS = [at_most(PSS, 1024)]


def add_arguments(parser):
    parser.add_argument("--times", type=int, default=25, help="starts per round (25)")
    arguments.add_common(parser, rounds=9)


def run(options):
    starting = peers.select(options, SPILE_ARGUMENTS, peers.INIT_PEERS)
    tables = [startup.starts(NAME, starting, TARGETS, options)]
    if options.tools is None and not options.add:
        sleeping = peers.select(options, SPILE_SLEEPS, peers.SLEEPING_INITS)
        runs = rounds.interleave(sleeping, options, 1, _memory)
        tables.append(Table(f"{NAME}, while its program sleeps", [PSS, ANONYMOUS], MEMORY_TARGETS, runs))
    return tables


def _memory(tool, site):
    """The init alone: the program is its child, and not counted."""
    null = os.open(os.devnull, os.O_RDWR)
    process = processes.start(tool.command(site), stdin=null, stdout=null, stderr=null)
    os.close(null)
    try:
        time.sleep(REST_SECONDS)
        pss, anonymous = machine.pss_kib_of(process.pid)
        return {PSS: pss, ANONYMOUS: anonymous}
    finally:
        processes.end(process)
