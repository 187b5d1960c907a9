"""chat-skip: much that is of no interest, heard and thrown away up to what a regular expression looks for."""

import os
import shlex

import arguments
import chat_peers
import machine
import peers
import processes
import rounds
from table import Column, Table, at_least, at_most

NAME = "chat-skip"
QUICK = ["--rounds", "1", "--mib", "8"]
LONGEST_RUN_SECONDS = 600

RATE = Column("MiB/s", 0)
CPU = Column("cpu s/GiB", 2)
PEAK = Column("peak KiB", 0)
TARGETS = [at_least(RATE, 10, "expect"), at_most(PEAK, 16 * 1024)]

# What is said before the last line, of which there is so much: {BYTES} and {MIB}.
CONTENTS = {
    "lines": "yes 'a line of text that is of no use to anybody' | head -c {BYTES}",
    "no line ends": "{LOADGEN} produce {MIB}",
}
# The step that finds the last line: among lines, or among bytes.
STEPS = {"lines": r"~ the end is (?<n>\d+)$", "no line ends": r"~~ the end is (?<n>\d+)\n"}

EXPECT_ENDS = "expect -re {the end is (\\d+)} {exit 0}\nexit 5\n"
EXPECT = f"log_user 0\nset timeout -1\nspawn -noecho sh -c {{WORDS}}\n{EXPECT_ENDS}"
EXPECT_PIPE = (
    "log_user 0\nset timeout -1\nset pipe [open [list |sh -c {WORDS}] r]\n"
    f"fconfigure $pipe -translation binary\nspawn -noecho -open $pipe\n{EXPECT_ENDS}"
)


def add_arguments(parser):
    parser.add_argument("--mib", type=int, default=1024, help="what is skipped (1024)")
    arguments.add_common(parser, rounds=3)


def run(options):
    return [_table(options, name) for name in CONTENTS]


def _table(options, name):
    null = os.open(os.devnull, os.O_RDWR)
    content = CONTENTS[name].format(BYTES=options.mib << 20, MIB=options.mib, LOADGEN=shlex.quote(options.loadgen))
    says = f"{content}; echo; echo the end is 42"
    own = f"chat --step-timeout {LONGEST_RUN_SECONDS}s {shlex.quote('sh:' + says)} -e {shlex.quote(STEPS[name])}"
    expects = [
        chat_peers.expect(EXPECT.replace("WORDS", says)),
        chat_peers.expect(EXPECT_PIPE.replace("WORDS", says), "expect, pipe"),
    ]

    def measure(tool, site):
        peaks = []
        with processes.Spawned(tool.command(site), null) as spawned:
            seconds, cpu = spawned.ends(LONGEST_RUN_SECONDS, lambda pid: peaks.append(machine.peak_kib(pid)))
        return {RATE: options.mib / seconds, CPU: cpu / options.mib * 1024, PEAK: max(peaks, default=0)}

    runs = rounds.interleave(peers.select(options, own, expects), options, 1, measure)
    os.close(null)
    return Table(f"{NAME}: {name}, {options.mib} MiB", [RATE, CPU, PEAK], TARGETS, runs)
