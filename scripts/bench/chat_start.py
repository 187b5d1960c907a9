"""chat-start: from spawn to the first byte that is said, to a server on this machine."""

import os
import shlex
import socket
import statistics

import arguments
import chat_peers
import peers
import processes
import rounds
from table import Column, Table, at_most

NAME = "chat-start"
QUICK = ["--rounds", "1", "--times", "3"]
SPILE_ARGUMENTS = f"chat 127.0.0.1:{{B}} -e {shlex.quote('> x')}"
LONGEST_START_SECONDS = 10

MEDIAN = Column("us", 0)
LEAST = Column("least us", 0)
TARGETS = [at_most(MEDIAN, 0.4, "expect")]

EXPECT = chat_peers.expect('spawn -noecho -open [socket 127.0.0.1 {B}]\nsend "x\\r"\n')
SHELL = peers.Tool("bash", peers.Kind.SHOWN, peers.words("bash --norc -c 'echo x >/dev/tcp/127.0.0.1/{B}'"))


def add_arguments(parser):
    parser.add_argument("--times", type=int, default=15, help="starts per round (15)")
    arguments.add_common(parser, rounds=7)


def run(options):
    null = os.open(os.devnull, os.O_RDWR)

    def measure(tool, site):
        argv = tool.command(site)
        with socket.create_server(("127.0.0.1", site.backend)) as server:
            server.settimeout(LONGEST_START_SECONDS)
            seconds = [_to_first_byte(argv, server, null) for _ in range(options.times)]
        return {MEDIAN: statistics.median(seconds) * 1e6, LEAST: min(seconds) * 1e6}

    tools = peers.select(options, SPILE_ARGUMENTS, [EXPECT, SHELL])
    runs = rounds.interleave(tools, options, 1, measure)
    os.close(null)
    return [Table(f"{NAME}, {options.times} times per round", [MEDIAN, LEAST], TARGETS, runs)]


def _to_first_byte(argv, server, null):
    with processes.Spawned(argv, null) as spawned:
        try:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(LONGEST_START_SECONDS)
                if not connection.recv(1):
                    raise processes.Failed("said nothing")
                seconds = spawned.seconds()
        except TimeoutError:
            raise processes.Failed(f"said nothing within {LONGEST_START_SECONDS} s") from None
    return seconds
