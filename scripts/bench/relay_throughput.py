"""relay-throughput: bulk data one way through a relay, its rate and the relay's CPU seconds per GiB."""

import arguments
import processes
import relay
import rounds
from table import Best, Column, Table, at_least, at_most

NAME = "relay-throughput"
QUICK = ["--rounds", "1", "--mib", "64"]
LONGEST_RUN_SECONDS = 90

RATE = Column("MiB/s", 0)
CPU = Column("cpu s/GiB", 3)
CPU_BOUND_ONE_STREAM, CPU_BOUND_MORE = 0.95, 0.85


def add_arguments(parser):
    parser.add_argument("--streams", type=arguments.numbers, default=[1, 8], help="connections at a time (1,8)")
    parser.add_argument("--mib", type=int, default=2048, help="data per run, over all streams (2048)")
    parser.add_argument("--check", action="store_true", help="compare every byte (slow; for correctness)")
    arguments.add_common(parser, rounds=9)


def run(options):
    return [_table(options, streams) for streams in options.streams]


def _table(options, streams):
    def measure(tool, site):
        words = [streams, options.mib] + (["check"] if options.check else [])
        with relay.under_load(options, tool, site, "throughput", *words) as (server, load):
            before = server.cpu_seconds()
            result = load.run(LONGEST_RUN_SECONDS)
            cpu = server.cpu_seconds() - before
        if result["faults"]:
            raise processes.Failed("data was lost or changed")
        if result["ends"] < streams:
            raise processes.Failed("the end of the stream did not come back after a half-close")
        row = {RATE: result["mib_per_s"]}
        if server.process:
            row[CPU] = cpu / (result["mib"] / 1024)
        return row

    runs = rounds.interleave(relay.tools(options), options, 1000, measure)
    cpu_bound = CPU_BOUND_ONE_STREAM if streams == 1 else CPU_BOUND_MORE
    title = f"{NAME}, {streams} stream{'s' * (streams > 1)}, {options.mib} MiB"
    return Table(title, [RATE, CPU], [at_least(RATE, 1.15, Best), at_most(CPU, cpu_bound, Best)], runs)
