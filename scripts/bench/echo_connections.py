"""echo-connections: new connections per second with an echo server, and its CPU time for each."""

import time

import arguments
import peers
import relay
import rounds
from echo_requests import SPILE_ARGUMENTS
from table import Column, Table, at_least

NAME = "echo-connections"
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


def _table(options, concurrency):
    def measure(tool, site):
        words = [concurrency, options.seconds]
        with relay.under_load(options, tool, site, "connections", *words, answers_itself=True) as (server, load):
            before = server.cpu_seconds()
            result = load.run(options.seconds + 30)
            time.sleep(REAPING_SECONDS)
            cpu = server.cpu_seconds() - before
        return {
            RATE: result["per_s"],
            MEDIAN: result["p50_us"],
            SLOWEST: result["p99_us"],
            CPU: cpu / max(1, result["connections"]) * 1e6,
            FAILED: result["failed"],
        }

    tools = peers.select(options, SPILE_ARGUMENTS, peers.echo_peers(options.loadgen))
    runs = rounds.interleave(tools, options, 1000, measure)
    title = f"{NAME}, {concurrency} at a time, {options.seconds:g} s"
    return Table(title, [RATE, MEDIAN, SLOWEST, CPU, FAILED], [at_least(RATE, 0.98, peers.C_LOOP)], runs)
