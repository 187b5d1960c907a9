"""Interleaved rounds: every tool once per round, so that a slow minute of the machine hits them all."""

import dataclasses
import itertools
import sys
import tempfile

import machine
import peers
import processes


@dataclasses.dataclass
class Runs:
    """What the rounds brought: by tool's name, {round: {column: value}} and the last failure's text."""

    tools: list
    rounds: int
    measured: dict
    failures: dict
    loads: list  # other load before each run, percent of the machine


def interleave(tools, options, capacity, measure):
    """Calls `measure(tool, site)` for each tool in each round; the order turns by one place per round."""
    runs = Runs(tools, options.rounds, {tool.name: {} for tool in tools}, {}, [])
    free_ports = processes.ports()
    for number in range(options.rounds):
        turn = number % len(tools)
        for tool in tools[turn:] + tools[:turn]:
            _progress(f"round {number + 1} of {options.rounds}: {tool.name}")
            runs.loads.append(machine.settle(options.settle))
            with tempfile.TemporaryDirectory(prefix="spile-bench-") as directory:
                listen, backend = itertools.islice(free_ports, 2)
                site = peers.Site(listen, backend, directory, capacity)
                try:
                    runs.measured[tool.name][number] = measure(tool, site)
                except processes.Failed as failure:
                    runs.failures[tool.name] = str(failure)
    _progress("")
    return runs


def _progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
