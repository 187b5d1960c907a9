"""relay-idle: what a relayed connection costs in memory while nothing is said on it."""

import time

import arguments
import machine
import relay
import rounds
from table import Column, Table, at_most

NAME = "relay-idle"
QUICK = ["--rounds", "1", "--conns", "100"]
REST_SECONDS = 1.0
LONGEST_OPENING_SECONDS = 120
PSS_BOUND_KIB = 1.6

PSS = Column("PSS KiB/conn", 2)
ANONYMOUS = Column("of it anon", 2)
KERNEL = Column("kernel KiB/conn", 1)
BASE = Column("PSS KiB at 1", 0)
IDLE_CPU = Column("cpu ms/s", 2)
OPENED = Column("conns", 0)
COLUMNS = [PSS, ANONYMOUS, KERNEL, BASE, IDLE_CPU, OPENED]


def add_arguments(parser):
    parser.add_argument("--conns", type=arguments.numbers, default=[1000, 10000], help="connections (1000,10000)")
    arguments.add_common(parser, rounds=3)


def run(options):
    targets = [at_most(PSS, PSS_BOUND_KIB)]
    return [table(options, NAME, wanted, relay.tools(options), targets) for wanted in options.conns]


def _open_files(connections, per_connection):
    return per_connection * connections + machine.SPARE_FILES


def table(options, name, wanted, tools, targets):
    """Two descriptors a connection are needed, by the relay and by the load generator with both its ends.

    systemd-socket-proxyd needs six: that much is asked for, and it alone fails where there is less.
    """
    with machine.more_open_files(_open_files(wanted, 6)) as limit:
        count, note = wanted, ""
        if _open_files(wanted, 2) > limit:
            count = (limit - machine.SPARE_FILES) // 2
            note = (f"{wanted} connections need {_open_files(wanted, 2)} open files, "
                    f"the hard limit is {limit}: measured with {count}")
        runs = _runs(options, tools, count)
    return Table(f"{name}, {count} connections", COLUMNS, targets, runs, note)


def _runs(options, tools, count):
    def measure(tool, site):
        opened = min(count, tool.most_idle or count)
        with relay.under_load(options, tool, site, "idle", opened) as (server, load):
            return _measure_opened(server, load)

    return rounds.interleave(tools, options, count + 20, measure)


def _measure_opened(server, load):
    """One connection is open already: the difference to it is what each further one costs."""
    (pss_at_one, anonymous_at_one), kernel_at_one = server.pss_kib(), machine.kernel_kib()
    opened = load.run(LONGEST_OPENING_SECONDS)["opened"]
    time.sleep(REST_SECONDS)
    (pss, anonymous), kernel = server.pss_kib(), machine.kernel_kib()
    cpu = server.cpu_seconds()
    time.sleep(REST_SECONDS)
    row = {KERNEL: (kernel - kernel_at_one) / opened, OPENED: opened + 1}
    if server.process:
        row[PSS] = (pss - pss_at_one) / opened
        row[ANONYMOUS] = (anonymous - anonymous_at_one) / opened
        row[BASE] = pss_at_one
        row[IDLE_CPU] = (server.cpu_seconds() - cpu) / REST_SECONDS * 1e3
    return row
