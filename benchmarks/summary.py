"""What a run of compare.py comes to: means, worst rows, the README's table; the stamp."""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from cases import DTYPES, Case

from fastconv.cli import ratios
from fastconv.cli import stamp as made_on
from fastconv.cli.libraries import library_of
from fastconv.cli.race import Result

WORST_ROWS = 10
COMMIT = "FASTCONV_COMMIT"  # in the environment: what figures.py stamps all of a run with
MB = 1e6
TOLD_BYTES = 1_000_000  # rows in which scipy takes less are not in means of memory
MEMORY = (
    "Peak memory beyond the inputs, the result in it, over that of scipy's fastest function, where "
    "this takes over 1 MB:"
)


@dataclass
class Row:
    case: Case
    result: Result
    peak: int | None = None  # bytes beyond the inputs, the result in them
    scipy_peak: int | None = None

    @property
    def ratio(self) -> float:
        return self.result.ratio

    @property
    def has_rival(self) -> bool:
        """Without one the ratio is a lower bound, and has no place in a mean."""
        return bool(self.result.best)

    @property
    def best_of_scipy(self) -> str:
        """The fastest of scipy's functions, or ''."""
        times = {n: t for n, t in self.result.times.items() if library_of(n) == "scipy"}
        return min(times, key=times.__getitem__, default="")

    @property
    def memory(self) -> str:
        """Both peaks in MB."""
        if self.peak is None or self.scipy_peak is None:
            return ""
        return f"{self.peak / MB:.1f}, {self.scipy_peak / MB:.1f}"

    def as_dict(self) -> dict[str, object]:
        peaks = {"peak_bytes": self.peak, "scipy_peak_bytes": self.scipy_peak}
        return {**asdict(self.case), "best": self.result.best, **asdict(self.result), **peaks}


def stamp() -> list[str]:
    """Machine, versions, level and commit, a line each."""
    return [
        f"machine   {made_on.machine()}",
        f"python    {made_on.versions('numpy', 'scipy')}",
        f"fastconv  {made_on.own()}, commit {commit()}",
    ]


def summary(rows: list[Row]) -> str:
    parts = []
    for title, family in _families(rows):
        parts.append(f"{title}: {len(family)} rows, geometric mean {_mean(family):.2f}")
        for dtype in DTYPES:
            if some := [row for row in family if row.case.dtype == dtype]:
                low = min(row.ratio for row in some)
                parts.append(f"  {dtype:10} mean {_mean(some):6.2f}  worst {low:6.2f}")
        parts.append("  worst rows:")
        for row in _worst(family):
            parts.append(f"  {row.ratio:6.2f}  {row.case.name} (best: {row.result.best})")
        slower = sum(row.ratio < 0.97 for row in family)
        parts.append(f"  {slower} of {len(family)} rows below 0.97")
        if alone := [row.case.name for row in family if not row.has_rival]:
            parts.append(f"  no rival in reach, so not in the means: {', '.join(alone)}")
        parts.append("")
    if told := memory(rows):
        parts += [MEMORY, *(f"  {line}" for line in told)]
    return "\n".join(parts).rstrip()


def memory(rows: list[Row]) -> list[str]:
    """Peaks over those of scipy's fastest function, a line for each family; none if none were
    taken."""
    lines = []
    for title, family in _families(rows):
        told = [row for row in family if (row.scipy_peak or 0) >= TOLD_BYTES]
        if told:
            mean = ratios.geometric_mean(max(1, row.peak) / row.scipy_peak for row in told)
            most = max(told, key=lambda row: row.peak / row.scipy_peak)
            lines.append(
                f"{title}: {mean:.2f} in the mean of {len(told)} rows, at most "
                f"{most.peak / most.scipy_peak:.2f}: {most.case.name}, {most.memory} MB "
                f"({most.best_of_scipy})"
            )
    return lines


def beside_each(rows: list[Row]) -> str:
    """A table for each family: every rival alone."""
    return "\n\n".join(
        ratios.beside_each(
            title, [(row.case.name, row.result.ours_s, row.result.times) for row in family]
        )
        for title, family in _families(rows)
    )


def markdown(rows: list[Row], peers: bool = False) -> str:
    """The README's table. A cell holds the lowest ratio of the modes that were run."""
    whose = "numpy, scipy or peer" if peers else "numpy or scipy"
    parts = [
        f"Time of the fastest {whose} function that gives the same answer, divided by",
        "fastconv's: above 1 fastconv is faster. One thread each; a cell is the lowest of the",
        "modes that were run.",
    ]
    for title, family in _families(rows):
        dtypes = [d for d in DTYPES if any(row.case.dtype == d for row in family)]
        parts += ["", f"| {title} | " + " | ".join(dtypes) + " |", "|---" * (len(dtypes) + 1) + "|"]
        for size in dict.fromkeys(row.case.size for row in family):
            cells = []
            for dtype in dtypes:
                key = (size, dtype)
                ratios = [r.ratio for r in family if (r.case.size, r.case.dtype) == key]
                cells.append(f"{min(ratios):.2f}" if ratios else "")
            parts.append(f"| {size.replace('*', ' * ')} | " + " | ".join(cells) + " |")
        means = [_mean([r for r in family if r.case.dtype == d]) for d in dtypes]
        parts.append("| **geometric mean** | " + " | ".join(f"**{x:.2f}**" for x in means) + " |")
    for title, family in _families(rows):
        parts += ["", f"The lowest of the {len(family)} rows in {title}:", ""]
        parts += [f"- {r.ratio:.2f}: {r.case.name} (best: {r.result.best})" for r in _worst(family)]
    if told := memory(rows):
        parts += ["", MEMORY, "", *(f"- {line}" for line in told)]
    if peers:
        parts += ["", "```", beside_each(rows), "```"]
    return "\n".join(parts)


def _families(rows: list[Row]) -> Iterable[tuple[str, list[Row]]]:
    for title in dict.fromkeys(row.case.family for row in rows):
        yield title, [row for row in rows if row.case.family == title]


def _mean(rows: list[Row]) -> float:
    return ratios.geometric_mean(row.ratio for row in rows if row.has_rival)


def _worst(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.ratio)[:WORST_ROWS]


def commit() -> str:
    """What $FASTCONV_COMMIT says, else git of this checkout."""
    if COMMIT in os.environ:
        return os.environ[COMMIT]
    here = Path(__file__).parent
    try:
        return subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
