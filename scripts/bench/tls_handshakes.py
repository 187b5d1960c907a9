"""tls-handshakes: new TLS 1.3 connections per second, full and resumed, and the server's CPU time for each."""

import time

import arguments
import build
import processes
import relay
import rounds
import tls_peers
from table import Best, Column, Table, at_most

NAME = "tls-handshakes"
QUICK = ["--rounds", "1", "--seconds", "0.3"]
REAPING_SECONDS = 0.1  # forked children end after their connection, and count once they were waited for
LEAST_RESUMED = 0.95  # a mixture of the two kinds cannot be compared
CPU_BOUNDS = {"full": 0.75, "resumed": 0.85}

RATE = Column("handshakes/s", 0)
MEDIAN = Column("p50 us", 0)
SLOWEST = Column("p99 us", 0)
CPU = Column("cpu us each", 1)
RESUMED = Column("resumed %", 1)
FAILED = Column("failed", 0)


def add_arguments(parser):
    parser.add_argument("--kinds", type=arguments.names, default=list(CPU_BOUNDS), metavar="NAMES",
                        help="full, resumed, or both (full,resumed)")
    parser.add_argument("--conns", type=int, default=8, help="handshakes under way at a time (8)")
    parser.add_argument("--seconds", type=float, default=1, help="length of a run (1); long ones run out of ports")
    arguments.add_common(parser, rounds=7)


def run(options):
    options.loadgen = build.tlsgen()
    return [_table(options, kind) for kind in options.kinds]


def _table(options, kind):
    def measure(tool, site):
        words = [options.conns, options.seconds, kind]
        with relay.under_load(options, tool, site, "handshakes", *words) as (server, load):
            before = server.cpu_seconds()
            result = load.run(options.seconds + 30)
            time.sleep(REAPING_SECONDS)
            cpu = server.cpu_seconds() - before
        return _row(result, cpu, kind)

    runs = rounds.interleave(tls_peers.tools(options, tls_peers.HANDSHAKE_PEERS), options, 1000, measure)
    title = f"{NAME}, {kind}, {options.conns} at a time, {options.seconds:g} s"
    columns = [RATE, MEDIAN, SLOWEST, CPU, RESUMED, FAILED]
    return Table(title, columns, [at_most(CPU, CPU_BOUNDS[kind], Best)], runs, tls_peers.versions())


def _row(result, cpu, kind):
    done = max(1, result["handshakes"])
    resumed = result["resumed"] / done
    if kind == "resumed" and resumed < LEAST_RESUMED:
        raise processes.Failed(f"only {resumed:.0%} were resumed")
    return {
        RATE: result["per_s"],
        MEDIAN: result["p50_us"],
        SLOWEST: result["p99_us"],
        CPU: cpu / done * 1e6,
        RESUMED: 100 * resumed,
        FAILED: result["failed"],
    }
