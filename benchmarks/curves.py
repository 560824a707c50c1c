"""How many times as long as fastconv each library takes, against the length of the signal.

    python benchmarks/curves.py --draw docs/speed.svg         minutes, beside all that are installed
    python benchmarks/curves.py --json FILE                   the times alone
    python benchmarks/curves.py --quick --draw FILE

float64, 'same', one thread each, by 127 taps and by as many taps as samples. Of a library with
several functions for it the fastest counts. Checked and timed as in compare.py.
"""

import argparse
import json
from math import inf
from pathlib import Path

import compare  # first: it says how many threads before numpy is imported
import entrants
from cases import curves
from rich.console import Console
from rich.progress import track

from fastconv.cli.libraries import LIBRARIES, library_of

COLOURS = ("#4477aa", "#ee7733", "#009988", "#aa3377", "#ccbb44", "#66ccee", "#cc3311", "#228833")
QUICK = 10_000
LONGEST = 100  # times as long as ours; what is beyond is not drawn


def times_by_library(row):
    """Of each library the best of its functions over fastconv's time."""
    found = {}
    for name, seconds in row.result.times.items():
        library = library_of(name)
        found[library] = min(found.get(library, inf), seconds / row.result.ours_s)
    return found


def draw(rows, path, missing):
    from drawing import GREY, blank, save

    figure = blank(9, 4.2)
    panels = {"127 taps": False, "as many taps as samples": True}
    for axes, (title, alike) in zip(
        figure.subplots(1, 2, sharey=True), panels.items(), strict=True
    ):
        axes.set(title=title, xlabel="samples", xscale="log", yscale="log")
        for library, colour in zip(LIBRARIES, COLOURS, strict=True):
            points = [
                (row.case.a[0], times_by_library(row).get(library.name))
                for row in rows
                if (row.case.a == row.case.v) == alike
            ]
            points = [point for point in points if point[1] and point[1] < LONGEST]
            if points:
                style = {"color": colour, "marker": ".", "label": library.name}
                axes.plot(*zip(*points, strict=True), **style)
        axes.axhline(1, color=GREY, linewidth=2)
        axes.annotate("fastconv", (0.02, 1), (0, -5), xycoords=("axes fraction", "data"),
                      textcoords="offset points", weight="bold", va="top")  # fmt: skip
        axes.set_ylim(0.6, LONGEST)
        axes.grid(color=GREY, alpha=0.2)
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    figure.axes[0].set_ylabel("times as long as fastconv")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.suptitle("convolve(a, v, 'same') in float64, one thread")
    save(figure, path, missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draw", type=Path, metavar="FILE.svg")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every time taken")
    parser.add_argument("--quick", action="store_true", help=f"lengths to {QUICK:,}")
    parser.add_argument("--seconds", type=float, default=0.5, help="spent timing a length")
    options = parser.parse_args()
    here, missing = entrants.peers()
    cases = [case for case in curves() if case.a[0] <= QUICK or not options.quick]
    told = track(cases, console=Console(stderr=True), transient=True)
    rows = [compare.run(case, here, options.seconds) for case in told]
    stamps = entrants.stamp(here, missing)
    if options.json:
        record = {"stamp": stamps, "rows": [row.as_dict() for row in rows]}
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    if options.draw:
        draw(rows, options.draw, stamps)


if __name__ == "__main__":
    main()
