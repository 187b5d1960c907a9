"""echo-connections: new connections per second with an echo server, and its CPU time for each."""

import peers
import rounds
from echo_requests import SPILE_ARGUMENTS
from relay_connections import QUICK, RATE, add_arguments, as_table, measured  # the same load, with nobody behind
from table import at_least

NAME = "echo-connections"


def run(options):
    return [_table(options, concurrency) for concurrency in options.conns]


def _table(options, concurrency):
    def measure(tool, site):
        return measured(options, concurrency, tool, site, answers_itself=True)

    tools = peers.select(options, SPILE_ARGUMENTS, peers.echo_peers(options.loadgen))
    runs = rounds.interleave(tools, options, 1000, measure)
    return as_table(options, NAME, concurrency, [at_least(RATE, 0.98, peers.C_LOOP)], runs)
