"""`fastconv selftest`: the installed package held against exact integers, on every level.

Each level is checked in an interpreter of its own, by what users have for it, FASTCONV_ISA: one
that crashes is found and told like one that is wrong.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import fastconv

from . import checks
from .terminal import GREEN, RED, styled

CHILD = """
import sys
if sys.argv[1] not in sys.path:
    sys.path.insert(0, sys.argv[1])
from fastconv.cli import main
sys.exit(main(["selftest", "--here"]))
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "check the installed package on every level of this processor, in seconds"
    parser = commands.add_parser("selftest", help=about, description=about)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.here:
        print(json.dumps(check_here()))
        return 0
    start = perf_counter()
    results = []
    for level in levels():
        results.append(check(level))
        if not options.json:
            print(line(results[-1]), flush=True)
    wrong = [result for result in results if result["wrong"]]
    if options.json:
        record = {"version": fastconv.__version__, "right": not wrong, "levels": results}
        print(json.dumps(record, indent=1))
    else:
        seconds = perf_counter() - start
        total = sum(result["checks"] for result in results)
        print(f"fastconv {fastconv.__version__}: {total:,} checks in {seconds:.1f} s")
    if wrong:
        print(
            "fastconv: selftest failed; please report what is said above together with what "
            "`fastconv info` prints",
            file=sys.stderr,
        )
    return int(bool(wrong))


def levels() -> list[str]:
    config = fastconv.show_config("dict")
    assert config is not None
    available: list[str] = config["levels_available"]
    return available


def check_here() -> dict[str, Any]:
    """All checks on the level in use; the first that fails ends them."""
    start, count, wrong = perf_counter(), 0, ""
    for found in checks.all_checks():
        count += 1
        if found:
            wrong = found
            break
    return {
        "level": fastconv.explain(8, 3).level,
        "checks": count,
        "seconds": perf_counter() - start,
        "wrong": wrong,
    }


def check(level: str) -> dict[str, Any]:
    """The same in another interpreter, which finds the package where this one did."""
    package = str(Path(fastconv.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-P", "-c", CHILD, package],
        env=os.environ | {"FASTCONV_ISA": level},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return {"level": level, "checks": 0, "seconds": 0.0, "wrong": _death(done)}
    result: dict[str, Any] = json.loads(done.stdout)
    if result["level"] != level and not result["wrong"]:
        result["wrong"] = f"ran on {result['level']} in its place"
    return result | {"level": level}


def line(result: dict[str, Any]) -> str:
    right = styled("right", GREEN)
    verdict = f"{styled('WRONG', RED)}: {result['wrong']}" if result["wrong"] else right
    return f"{result['level']:10}{result['checks']:6,} checks {result['seconds']:6.2f} s  {verdict}"


def _death(done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode < 0:
        return f"the process was ended by {signal.Signals(-done.returncode).name}"
    last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    return last[0]
