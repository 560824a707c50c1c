"""fastconv against numpy and scipy over the grid of cases.py, one thread each, every row printed.

    python benchmarks/compare.py                        the whole grid, about 20 minutes
    python benchmarks/compare.py --quick                a part of it, a few minutes
    python benchmarks/compare.py --dtype float64 --only '10000*'
    python benchmarks/compare.py --only '*axis*'        the batched rows
    python benchmarks/compare.py --peers                beside FFTW, IPP, MKL and more
    python benchmarks/compare.py --memory               peak memory beside scipy's, minutes more
    python benchmarks/compare.py --json rows.json --markdown

How answers are checked, times taken and hopeless rivals left out: fastconv/cli/race.py.
A ratio is the best rival's time over fastconv's: above 1 fastconv is faster.
"""

import os

# One thread for everyone; read when numpy is imported, below.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["FASTCONV_NUM_THREADS"] = "1"

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

import entrants
from cases import Case, cases_1d, cases_2d, cases_batched, wanted
from ours import ours
from peak import Peaks
from summary import Row, beside_each, markdown, stamp, summary

from fastconv import _core
from fastconv.cli.libraries import PEERS, Library
from fastconv.cli.race import WrongAnswer, race

LEVELS = [level["name"] for level in _core.levels() if level["available"]]


def main() -> int:
    options = parse()
    if options.level:
        _core.use_level(options.level)
    grid = cases_1d() + cases_2d() + cases_batched()
    cases = [case for case in grid if wanted(case, options)]
    if not cases:
        return stop("no case of the grid matches", status=2)
    peaks = Peaks() if options.memory else None
    here, missing = entrants.peers() if options.peers else ([], {})
    if complaint := entrants.too_few(options.require_peers, (peer.name for peer in here), missing):
        return stop(complaint)
    start = time.perf_counter()
    rows = []
    stamps = stamp() + (entrants.stamp(here, missing) if options.peers else [])
    tell = partial(print, file=sys.stderr if options.markdown else sys.stdout, flush=True)
    tell(*stamps, "", HEADER, sep="\n")
    for case in cases:
        try:
            rows.append(run(case, here, options.seconds, peaks))
        except WrongAnswer as wrong:
            return stop(f"{case.name}: {wrong}")
        tell(line(rows[-1]))
    tell(f"\n{summary(rows)}")
    if options.peers:
        tell(f"\n{beside_each(rows)}")
    tell(f"\n{len(rows)} rows in {(time.perf_counter() - start) / 60:.1f} minutes")
    if options.json:
        record = {"stamp": stamps, "rows": [row.as_dict() for row in rows]}
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    if options.markdown:
        print(markdown(rows, options.peers))
    answered = {name for row in rows for name in row.result.times}
    complaint = entrants.too_few(options.require_peers, answered, missing)
    return stop(complaint) if complaint else 0


def stop(complaint: str, status: int = 1) -> int:
    print(f"compare.py: {complaint}", file=sys.stderr)
    return status


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="'same' up to 100,000, small pictures")
    parser.add_argument("--dtype", action="append", help="only this dtype; may be repeated")
    parser.add_argument("--only", metavar="PATTERN", help="only names that match, e.g. '512x512*'")
    parser.add_argument(
        "--peers", action="store_true", help="beside the libraries of the extra `peers` too"
    )
    parser.add_argument(
        "--require-peers",
        type=int,
        default=0,
        choices=range(1 + len(PEERS)),
        metavar="N",
        help="--peers, and status 1 where fewer than N of them gave a right answer",
    )
    parser.add_argument("--level", choices=LEVELS, help="fastconv's (default: the highest)")
    parser.add_argument("--memory", action="store_true", help="peak memory beside scipy's")
    parser.add_argument("--seconds", type=float, default=1.0, help="spent timing a row")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every time taken")
    parser.add_argument("--markdown", action="store_true", help="print the README's table alone")
    options = parser.parse_args()
    options.peers = options.peers or options.require_peers > 0
    if options.quick:
        options.seconds = min(options.seconds, 0.3)
    return options


def run(case: Case, here: list[Library], seconds: float, peaks: Peaks | None = None) -> Row:
    a, v = case.arrays()
    others = entrants.others(case, a, v, here)
    row = Row(case, race(ours(case), others, a, v, case.mode, seconds, case.axis))
    if peaks and row.best_of_scipy:
        row.peak, row.scipy_peak = (peaks.of(case, f) for f in ("fastconv", row.best_of_scipy))
    return row


HEADER = (
    f"{'n*m':>22} {'mode':5} {'dtype':10} {'fastconv us':>11} {'best us':>11} "
    f"{'ratio':>8}  {'best rival':22} {'peak MB, scipy':>14}  left out"
)


def line(row: Row) -> str:
    case, result = row.case, row.result
    best_us = f"{result.times[result.best] * 1e6:.2f}" if row.has_rival else "-"
    ratio = f"{'' if row.has_rival else '>'}{row.ratio:.2f}"
    left_out = []
    for kind in ("hopeless", "differs", "refuses"):
        names = [name for name, why in result.left_out.items() if why.startswith(kind)]
        if names:
            left_out.append(f"{kind}: {', '.join(names)}")
    return (
        f"{case.size:>22} {case.mode:5} {case.dtype:10} {result.ours_s * 1e6:>11.2f} "
        f"{best_us:>11} {ratio:>8}  {result.best or 'none in reach':22} "
        f"{row.memory:>14}  {'; '.join(left_out)}"
    ).rstrip()


if __name__ == "__main__":
    sys.exit(main())
