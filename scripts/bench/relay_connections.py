"""relay-connections: new connections per second through a relay, and the relay's CPU time for each."""

import time

import arguments
import relay
import rounds
from table import Best, Column, Table, at_least, at_most

NAME = "relay-connections"
QUICK = ["--rounds", "1", "--seconds", "0.3"]
REAPING_SECONDS = 0.1  # forked children end after their connection, and count once they were waited for

RATE = Column("conn/s", 0)
MEDIAN = Column("p50 us", 0)
SLOWEST = Column("p99 us", 0)
CPU = Column("cpu us/conn", 1)
FAILED = Column("failed", 0)


def add_arguments(parser):
    parser.add_argument("--conns", type=arguments.numbers, default=[64], help="connections under way at a time (64)")
    parser.add_argument("--seconds", type=float, default=1, help="length of a run (1); long ones run out of ports")
    arguments.add_common(parser, rounds=7)


def run(options):
    return [_table(options, concurrency) for concurrency in options.conns]


def measured(options, concurrency, tool, site, answers_itself=False):
    """One run: the figures of all columns, but the CPU time where there is no server."""
    words = [concurrency, options.seconds]
    with relay.under_load(options, tool, site, "connections", *words, answers_itself=answers_itself) as (server, load):
        before = server.cpu_seconds()
        result = load.run(options.seconds + 30)
        time.sleep(REAPING_SECONDS)
        cpu = server.cpu_seconds() - before
    row = {
        RATE: result["per_s"],
        MEDIAN: result["p50_us"],
        SLOWEST: result["p99_us"],
        FAILED: result["failed"],
    }
    if server.process:
        row[CPU] = cpu / max(1, result["connections"]) * 1e6
    return row


def as_table(options, name, concurrency, rules, runs):
    """What the runs at this concurrency come to."""
    title = f"{name}, {concurrency} at a time, {options.seconds:g} s"
    return Table(title, [RATE, MEDIAN, SLOWEST, CPU, FAILED], rules, runs)


def _table(options, concurrency):
    def measure(tool, site):
        return measured(options, concurrency, tool, site)

    runs = rounds.interleave(relay.tools(options), options, 1000, measure)
    return as_table(options, NAME, concurrency, [at_least(RATE, 1.05, Best), at_most(CPU, 1.0, Best)], runs)
