"""The command line: a thin layer on public functions.

Exit status: 0 done, 1 a wrong answer, output that cannot be written or too little memory, 2 bad
arguments, 130 interrupted. `run` has that of the program it runs.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import fastconv

from . import explain, program, selfcheck, steps
from .files import output
from .shapes import SIZES, dtypes, sizes, words, workers
from .terminal import flush

__all__ = ["main"]


class Parser(argparse.ArgumentParser):
    """Complains in a line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="fastconv", description="Fast, exact convolution under numpy's and scipy's names."
    )
    parser.add_argument("--version", action="version", version=f"fastconv {fastconv.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    about = "print the version, the levels and what is in use"
    info = commands.add_parser("info", help=about, description=about)
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_info)

    about = "measure this machine, so that methods are chosen by its own speed"
    tune = commands.add_parser("tune", help=about, description=about)
    instead = tune.add_mutually_exclusive_group()
    instead.add_argument("--show", action="store_true", help="print what is in use")
    instead.add_argument("--reset", action="store_true", help="go back to the shipped constants")
    tune.add_argument("--json", action="store_true", help="print what was measured, every constant")
    tune.set_defaults(run=_tune)

    about = "filter recordings and pictures, or noise of any size, beside other libraries"
    bench = commands.add_parser("bench", help=about, description=about)
    bench.add_argument("--quick", action="store_true", help="the shorter inputs; under a minute")
    bench.add_argument("--vs", type=words, metavar="NAMES", help="numpy,scipy,opencv: beside these")
    bench.add_argument("--sizes", type=sizes, help=f"noise of these sizes instead: {SIZES}")
    bench.add_argument(
        "--dtype", type=dtypes, metavar="NAMES", help="float32,int16: in these alone"
    )
    bench.add_argument(
        "--workers", type=workers, default=1, metavar="N", help="up to N threads each; 1 by default"
    )
    bench.add_argument("--json", type=output, metavar="FILE", help="write every time taken")
    bench.add_argument("--plot", type=output, metavar="FILE.png", help="draw them, by matplotlib")
    bench.set_defaults(run=_bench, parser=bench)

    for command in (explain, steps, selfcheck, program):
        command.add_to(commands)

    options = parser.parse_args(argv)
    try:
        status: int = options.run(options) or 0
        if options.run is not program.run:  # whose output is the program's
            flush()
        return status
    except OSError as error:
        with suppress(OSError):
            flush()
        if not isinstance(error, BrokenPipeError):  # who reads has enough, as `head` has
            print(f"fastconv: {error}", file=sys.stderr)
        return 1
    except MemoryError as error:
        print(f"fastconv: {str(error) or 'out of memory'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _info(options: argparse.Namespace) -> None:
    config = fastconv.show_config("dict" if options.json else "stdout")
    if options.json:
        print(json.dumps(config, indent=1))


def _tune(options: argparse.Namespace) -> int:
    action = "show" if options.show else "reset" if options.reset else "measure"
    tuning = fastconv.tune(action)
    print(json.dumps(dataclasses.asdict(tuning), indent=1) if options.json else tuning)
    return 0


def _bench(options: argparse.Namespace) -> int:
    from . import bench, libraries, plot, race  # late: they import scipy, which takes a second

    try:
        return bench.run(options)
    except (libraries.NotHere, plot.CannotDraw, bench.NothingToDo) as error:
        options.parser.error(str(error))
    except race.WrongAnswer as error:
        print(f"fastconv: wrong answer: {error}", file=sys.stderr)
    return 1
