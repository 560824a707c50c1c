"""Two builds of fastconv against each other over the grid of cases.py.

    python benchmarks/between.py HEAD~20                    that commit, and the tree as it is
    python benchmarks/between.py v0.1 main --only '10000*'  two commits, some rows
    make compare BASE=HEAD~20 ONLY='512x512*' QUICK=1

Each is built once, by pip, into build/between/<its tree>; numpy and all else are those of the
environment. Three processes are asked in turns for a short sample of the same call: one of the new
build and two of BASE. They are started anew for every round, so that where a process happens to lie
in memory is drawn again.

A row's ratio is the median over the rounds of BASE's best time over the new one's. BASE beside
itself is the noise: a difference counts where it is beyond what BASE differed from itself by in
95 of 100 rows, beyond its largest difference from itself in any round of that row, beyond 1 %, and
where every round has it on the same side.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from statistics import median, quantiles

import numpy as np
from cases import Case, cases_1d, cases_2d, cases_batched, wanted

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / "build" / "between"
ROUNDS = 5
LAPS_AT_LEAST = 3
SAMPLE_NS = 300_000
FLOOR = math.log(1.01)


# --- builds --------------------------------------------------------------------------------


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True).stdout


def tree_of(revision: str | None) -> str:
    """What git calls the files of a revision, or where None those of this folder that it knows."""
    if revision is None:
        revision = git("stash", "create").decode().strip() or "HEAD"
    return git("rev-parse", "--verify", f"{revision}^{{tree}}").decode().strip()


def built(tree: str) -> Path:
    """A folder that holds the package of these files."""
    target = BUILDS / tree[:12]
    if not target.exists():
        print(f"building {target.name}", file=sys.stderr)
        source = target.with_suffix(".source")
        with tarfile.open(fileobj=BytesIO(git("archive", tree))) as archive:
            archive.extractall(source, filter="data")
        making = target.with_suffix(".making")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        subprocess.run([*pip, "--target", making, source], check=True)
        making.rename(target)
    return target


# --- one process of a build ------------------------------------------------------------------


def serve() -> None:
    """Reads [case, its arrays' files, loops] by lines and answers the ns of a call: the best of
    three samples, after a call that warms the caches."""
    from ours import ours

    asked = None
    for line in sys.stdin:
        fields, loops = json.loads(line)
        if fields != asked:
            asked, case = fields, Case(**{k: as_tuple(x) for k, x in fields.items()})
            a, v = case.arrays()
            call = ours(case)
        call(a, v, case.mode)
        best = math.inf
        for _ in range(3):
            start = time.perf_counter_ns()
            for _ in range(loops):
                call(a, v, case.mode)
            best = min(best, (time.perf_counter_ns() - start) / loops)
        print(best, flush=True)


def as_tuple(field: object) -> object:
    return tuple(field) if isinstance(field, list) else field


class Worker:
    def __init__(self, build: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(build), "FASTCONV_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--serve"]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def sample_ns(self, case: Case, loops: int) -> float:
        fields = {name: getattr(case, name) for name in Case.__dataclass_fields__}
        print(json.dumps([fields, loops]), file=self.process.stdin, flush=True)
        told = self.process.stdout.readline()
        if not told:
            raise SystemExit(f"between.py: {case.name}: the process ended")
        return float(told)

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


# --- rounds ----------------------------------------------------------------------------------


def best_times(workers: list[Worker], case: Case, seconds: float) -> list[float]:
    """Of each worker the best of samples taken in turns, for about so many seconds."""
    first = max(worker.sample_ns(case, 1) for worker in workers)
    loops = max(1, round(SAMPLE_NS / 3 / first))
    best = [math.inf] * len(workers)
    laps, end = 0, time.perf_counter() + seconds
    while laps < LAPS_AT_LEAST or time.perf_counter() < end:
        # Whoever comes first meets the caches as the last left them: take turns at that, too.
        for k in range(len(workers)):
            place = (laps + k) % len(workers)
            best[place] = min(best[place], workers[place].sample_ns(case, loops))
        laps += 1
    return best


@dataclass
class Row:
    """The logarithms of BASE / new and of BASE / BASE of each round."""

    case: Case
    base_ns: float
    changes: list[float]
    noises: list[float]

    @property
    def change(self) -> float:
        return median(self.changes)

    @property
    def noise(self) -> float:
        return abs(median(self.noises))


def rows_of(cases: list[Case], base: Path, new: Path, seconds: float, rounds: int) -> list[Row]:
    times = {case: [] for case in cases}
    tell = partial(print, end="", file=sys.stderr if sys.stderr.isatty() else StringIO())
    for number in range(rounds):
        workers = [Worker(base), Worker(new), Worker(base)]
        for place, case in enumerate(cases):
            tell(f"\rround {number + 1}, {place + 1} of {len(cases)} ")
            times[case].append(best_times(workers, case, seconds / rounds))
        for worker in workers:
            worker.end()
    tell("\r" + " " * 40 + "\r")
    return [row_of(case, times[case]) for case in cases]


def row_of(case: Case, times: list[list[float]]) -> Row:
    base, new, again = np.log(times).T
    # The new build is held against both of BASE, so that neither's luck is its own.
    return Row(
        case,
        math.exp(min(base.min(), again.min())),
        list((base + again) / 2 - new),
        list(base - again),
    )


def noise_of_all(rows: list[Row]) -> float:
    """What 95 of 100 rows of BASE stay below beside itself; of few rows the largest."""
    noises = [row.noise for row in rows]
    return quantiles(noises, n=20)[-1] if len(noises) >= 20 else max(noises)


def differs(row: Row, everyones: float) -> bool:
    needed = max(FLOOR, everyones, *map(abs, row.noises))
    same_side = len({change > 0 for change in row.changes}) == 1
    return abs(row.change) > needed and same_side


def report(rows: list[Row]) -> str:
    everyones = noise_of_all(rows)
    beyond = [row for row in rows if differs(row, everyones)]
    lines = [
        f"{row.case.name:40} {row.base_ns / 1e3:12.2f} us  {math.exp(row.change):6.3f} "
        f"{'faster' if row.change > 0 else 'slower'}  beside itself "
        f"{math.exp(max(map(abs, row.noises))):.3f}"
        for row in sorted(beyond, key=lambda row: row.change)
    ]
    mean = math.exp(sum(row.change for row in rows) / len(rows))
    faster = sum(row.change > 0 for row in beyond)
    return "\n".join(
        [
            *lines,
            f"{len(rows)} rows: {faster} faster, {len(beyond) - faster} slower, the others within "
            f"the noise, which is {math.exp(everyones) - 1:.1%}; geometric mean {mean:.3f}",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", nargs="?", help="a commit")
    parser.add_argument("new", nargs="?", help="another (default: the files as they are)")
    parser.add_argument("--quick", action="store_true", help="'same' up to 100,000, small pictures")
    parser.add_argument("--dtype", action="append", help="only this dtype; may be repeated")
    parser.add_argument("--only", metavar="PATTERN", help="only names that match, e.g. '512x512*'")
    parser.add_argument("--seconds", type=float, default=0.5, help="for a row, in all rounds")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}, 2 or more")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return 0
    if not options.base:
        parser.error("which commit?")
    grid = cases_1d() + cases_2d() + cases_batched()
    cases = [case for case in grid if wanted(case, options)]
    if not cases:
        parser.error("no case of the grid matches")
    base, new = (built(tree_of(revision)) for revision in (options.base, options.new))
    print(f"{options.base} ({base.name}), and {options.new or 'these files'} ({new.name})")
    print(report(rows_of(cases, base, new, options.seconds, max(2, options.rounds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
