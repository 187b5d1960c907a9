"""chat-steps: a conversation of many steps, saying and hearing by turns, with an echo on this machine."""

import os
import shlex

import arguments
import chat_peers
import peers
import processes
import rounds
from table import Column, Table, at_least

NAME = "chat-steps"
QUICK = ["--rounds", "1", "--steps", "100"]
SPILE_ARGUMENTS = "chat run:cat {S}"
SPILE_ON_A_TERMINAL = "chat pty:cat {S}"
LONGEST_RUN_SECONDS = 60

RATE = Column("steps/s", 0)
CPU = Column("cpu us/step", 1)
TARGETS = [at_least(RATE, 5, "expect")]

# The same lines in the tongues of both; what is written to a terminal comes back with CR LF.
EXPECT_SPAWNS = {
    "expect": 'set stty_init -echo\nspawn -noecho cat\n',
    "expect, pipe": 'set echo [open "|cat" r+]\nfconfigure $echo -buffering none\nspawn -noecho -open $echo\n',
}
EXPECT_ENDS = {"expect": ("\\r", "\\r\\n"), "expect, pipe": ("\\n", "\\n")}


def add_arguments(parser):
    parser.add_argument("--steps", type=int, default=1000, help="steps of a conversation (1000)")
    arguments.add_common(parser, rounds=9)


def run(options):
    null = os.open(os.devnull, os.O_RDWR)
    pairs = range(options.steps // 2)
    script = chat_peers.scripted("".join(f"> line {n}\n= line {n}\n" for n in pairs))
    tools = peers.select(options, SPILE_ARGUMENTS, [_expect(name, pairs) for name in EXPECT_SPAWNS], script)
    if options.tools is None:
        on_a_terminal = script(f"{shlex.quote(options.spile)} {SPILE_ON_A_TERMINAL}")
        tools.append(peers.Tool("spile pty", peers.Kind.SPILE, on_a_terminal))

    def measure(tool, site):
        with processes.Spawned(tool.command(site), null) as spawned:
            seconds, cpu = spawned.ends(LONGEST_RUN_SECONDS)
        return {RATE: options.steps / seconds, CPU: cpu / options.steps * 1e6}

    runs = rounds.interleave(tools, options, 1, measure)
    os.close(null)
    return [Table(f"{NAME}, {options.steps} steps", [RATE, CPU], TARGETS, runs)]


def _expect(name, pairs):
    said, heard = EXPECT_ENDS[name]
    steps = "".join(f'send "line {n}{said}"\nexpect "line {n}{heard}"\n' for n in pairs)
    last = f'send "end{said}"\nexpect "end{heard}" {{exit 0}}\nexit 5\n'
    return chat_peers.expect(f"log_user 0\n{EXPECT_SPAWNS[name]}{steps}{last}", name)
