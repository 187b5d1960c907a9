"""One relay between the two ends of the load generator: common to the four relay benchmarks."""

import contextlib
import os

import peers
import processes

SPILE_ARGUMENTS = "relay tcp-l:127.0.0.1:{L} tcp:127.0.0.1:{B}"


def tools(options):
    return peers.select(options, SPILE_ARGUMENTS, peers.RELAY_PEERS)


@contextlib.contextmanager
def under_load(options, tool, site, mode, *words, answers_itself=False):
    """The relay's server and the load generator, warmed up by one connection and ready to go.

    A server that `answers_itself` needs no backend behind it.
    """
    argv = tool.command(site) if tool.command else None
    front = site.listen if argv else site.backend
    backend = 0 if answers_itself else site.backend
    log = os.path.join(site.directory, "log")
    with processes.Server(argv, site.listen, log) as server:
        with processes.Load(options.loadgen, mode, front, backend, *words) as load:
            yield server, load
