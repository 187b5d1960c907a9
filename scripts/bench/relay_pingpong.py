"""relay-pingpong: requests and replies of 64 B through a relay, and the relay's CPU time for each."""

import arguments
import machine
import relay
import rounds
from table import Best, Column, Table, at_most

NAME = "relay-pingpong"
QUICK = ["--rounds", "1", "--seconds", "0.3"]

RATE = Column("requests/s", 0)
MEDIAN = Column("p50 us", 1)
SLOWEST = Column("p99 us", 1)
CPU = Column("cpu us/request", 2)


def add_arguments(parser):
    parser.add_argument("--conns", type=arguments.numbers, default=[1], help="conversations at a time (1)")
    parser.add_argument("--size", type=int, default=64, help="bytes of a request (64)")
    parser.add_argument("--seconds", type=float, default=1, help="length of a run (1)")
    parser.add_argument("--pin", default="0", metavar="CPUS", help="CPUs for relay and load; '' for all (0)")
    arguments.add_common(parser, rounds=5)


def run(options):
    with machine.pinned(options.pin):
        return [_table(options, conversations) for conversations in options.conns]


def _table(options, conversations):
    def measure(tool, site):
        words = [conversations, options.size, options.seconds]
        with relay.under_load(options, tool, site, "pingpong", *words) as (server, load):
            before = server.cpu_seconds()
            result = load.run(options.seconds + 30)
            cpu = server.cpu_seconds() - before
        row = {RATE: result["per_s"], MEDIAN: result["p50_us"], SLOWEST: result["p99_us"]}
        if server.process:
            row[CPU] = cpu / max(1, result["requests"]) * 1e6
        return row

    runs = rounds.interleave(relay.tools(options), options, 1000, measure)
    where = f"on CPU {options.pin}" if options.pin else "on all CPUs"
    title = f"{NAME}, {options.size} B, {conversations} at a time, {where}"
    return Table(title, [RATE, MEDIAN, SLOWEST, CPU], [at_most(CPU, 0.97, Best)], runs)
