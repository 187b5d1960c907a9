"""tls-throughput: bulk data through a program that ends TLS, its rate and the program's CPU seconds per GiB."""

import arguments
import build
import processes
import relay
import rounds
import tls_peers
from table import Best, Column, Table, at_least, at_most

NAME = "tls-throughput"
QUICK = ["--rounds", "1", "--mib", "64"]
LONGEST_RUN_SECONDS = 90
DIRECTIONS = {"up": "decrypted", "down": "encrypted"}

RATE = Column("MiB/s", 0)
CPU = Column("cpu s/GiB", 3)


def add_arguments(parser):
    parser.add_argument("--streams", type=arguments.numbers, default=[1, 4], help="connections at a time (1,4)")
    parser.add_argument("--directions", type=arguments.names, default=list(DIRECTIONS), metavar="NAMES",
                        help="up (the client sends), down (it receives), or both (up,down)")
    parser.add_argument("--mib", type=int, default=1024, help="data per run, over all streams (1024)")
    arguments.add_common(parser, rounds=7)


def run(options):
    options.loadgen = build.tlsgen()
    return [_table(options, direction, streams) for direction in options.directions for streams in options.streams]


def _table(options, direction, streams):
    def measure(tool, site):
        with relay.under_load(options, tool, site, "throughput", streams, options.mib, direction) as (server, load):
            before = server.cpu_seconds()
            result = load.run(LONGEST_RUN_SECONDS)
            cpu = server.cpu_seconds() - before
        if result["faults"]:
            raise processes.Failed("data was lost")
        return {RATE: result["mib_per_s"], CPU: cpu / (result["mib"] / 1024)}

    runs = rounds.interleave(tls_peers.tools(options, tls_peers.BULK_PEERS), options, 1000, measure)
    what = f"{streams} stream{'s' * (streams > 1)} {DIRECTIONS[direction]}"
    title = f"{NAME}, {what}, {options.mib} MiB"
    return Table(title, [RATE, CPU], [at_least(RATE, 1.6, Best), at_most(CPU, 0.5, Best)], runs, tls_peers.versions())
