"""Command-line arguments that the benchmarks share."""

import pathlib

import build


def numbers(text):
    """`1,8` as [1, 8]."""
    return [int(word) for word in text.split(",")]


def names(text):
    return [word for word in text.split(",") if word]


def add_common(parser, rounds):
    parser.add_argument("--rounds", type=int, default=rounds, help=f"interleaved rounds ({rounds})")
    parser.add_argument("--add", action="append", default=[], metavar="NAME=COMMAND",
                        help="one more row; {L} and {B} stand for the port to listen on and the one to connect to")
    parser.add_argument("--tools", type=names, metavar="NAMES", help="only these rows, separated by commas")
    add_shared(parser)


def add_shared(parser):
    """What makes sense for a single benchmark as well as for all of them together."""
    parser.add_argument("--settle", type=float, default=10, metavar="SECONDS",
                        help="wait so long at most for other load to fall below 5 %% before each run (10)")
    parser.add_argument("--spile", default=str(build.DEFAULT_SPILE), metavar="PATH",
                        help="the spile to measure (target/release/spile)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write every round's figures there")
