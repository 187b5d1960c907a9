"""echo-requests: requests and replies of 64 B with an echo server, and its CPU time for each."""

import arguments
import machine
import peers
import relay
import rounds
from table import Column, Table, at_least, at_most

NAME = "echo-requests"
QUICK = ["--rounds", "1", "--seconds", "0.3"]
SPILE_ARGUMENTS = "echo-server tcp-l:127.0.0.1:{L},backlog=4096"
TIMES_SOCAT = {1: 1.3, 1000: 3}  # by connections

RATE = Column("requests/s", 0)
MEDIAN = Column("p50 us", 1)
SLOWEST = Column("p99 us", 1)
CPU = Column("cpu us/request", 2)


def add_arguments(parser):
    parser.add_argument("--conns", type=arguments.numbers, default=[1, 64, 1000],
                        help="connections at a time (1,64,1000)")
    parser.add_argument("--size", type=int, default=64, help="bytes of a request (64)")
    parser.add_argument("--seconds", type=float, default=1, help="length of a run (1)")
    parser.add_argument("--pin", default="0", metavar="CPUS",
                        help="CPUs for server and load where there is one connection; '' for all (0)")
    arguments.add_common(parser, rounds=7)


def run(options):
    return [_table(options, connections) for connections in options.conns]


def _table(options, connections):
    def measure(tool, site):
        words = [connections, options.size, options.seconds]
        with relay.under_load(options, tool, site, "pingpong", *words, answers_itself=True) as (server, load):
            before = server.cpu_seconds()
            result = load.run(options.seconds + 30)
            cpu = server.cpu_seconds() - before
        return {
            RATE: result["per_s"],
            MEDIAN: result["p50_us"],
            SLOWEST: result["p99_us"],
            CPU: cpu / max(1, result["requests"]) * 1e6,
        }

    pinned = options.pin if connections == 1 else ""
    tools = peers.select(options, SPILE_ARGUMENTS, peers.echo_peers(options.loadgen))
    with machine.pinned(pinned):
        runs = rounds.interleave(tools, options, 1000, measure)
    where = f"on CPU {pinned}" if pinned else "on all CPUs"
    targets = [at_least(RATE, 0.95, peers.C_LOOP), at_most(CPU, 1.1, peers.C_LOOP)]
    if connections in TIMES_SOCAT:
        targets.append(at_least(RATE, TIMES_SOCAT[connections], peers.SOCAT_PIPE))
    title = f"{NAME}, {options.size} B, {connections} at a time, {where}"
    return Table(title, [RATE, MEDIAN, SLOWEST, CPU], targets, runs)
