"""tls-idle: what an established TLS connection costs in memory while nothing is said on it."""

import arguments
import build
import relay_idle
import tls_peers
from table import Best, at_most

NAME = "tls-idle"
QUICK = ["--rounds", "1", "--conns", "100"]


def add_arguments(parser):
    parser.add_argument("--conns", type=arguments.numbers, default=[1000], help="connections (1000)")
    arguments.add_common(parser, rounds=3)


def run(options):
    options.loadgen = build.tlsgen()
    tools = tls_peers.tools(options, tls_peers.IDLE_PEERS)
    targets = [at_most(relay_idle.PSS, 1.0, Best)]
    return [relay_idle.table(options, NAME, wanted, tools, targets) for wanted in options.conns]
