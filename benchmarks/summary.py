"""What a run of compare.py comes to: means, worst rows, the README's table, the stamp."""

import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from cases import DTYPES, Case

from fastconv.cli import ratios
from fastconv.cli import stamp as made_on
from fastconv.cli.race import Result

WORST_ROWS = 10
BEGIN = "<!-- benchmark table: written by make readme-table -->"
END = "<!-- end of benchmark table -->"


@dataclass
class Row:
    case: Case
    result: Result

    @property
    def ratio(self) -> float:
        return self.result.ratio

    @property
    def has_rival(self) -> bool:
        """Without one the ratio is a lower bound, and has no place in a mean."""
        return bool(self.result.best)

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self.case), "best": self.result.best, **asdict(self.result)}


def stamp() -> list[str]:
    """Machine, versions, level and commit, a line each."""
    return [
        f"machine   {made_on.machine()}",
        f"python    {made_on.versions('numpy', 'scipy')}",
        f"fastconv  {made_on.own()}, commit {_commit()}",
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
    return "\n".join(parts).rstrip()


def beside_each(rows: list[Row]) -> str:
    """A table for each family: every rival alone."""
    return "\n\n".join(
        ratios.beside_each(
            title, [(row.case.name, row.result.ours_s, row.result.times) for row in family]
        )
        for title, family in _families(rows)
    )


def markdown(rows: list[Row], stamps: list[str], command: str, peers: bool = False) -> str:
    """The README's table. A cell holds the lowest ratio of the modes that were run."""
    whose = "numpy, scipy or peer" if peers else "numpy or scipy"
    parts = [
        f"Time of the fastest {whose} function that gives the same answer, divided by",
        "fastconv's: above 1 fastconv is faster. One thread each; a cell is the lowest of the",
        "modes `full`, `same` and `valid` in 1-D, `same` in 2-D, `full` and `same` in batches.",
        "",
        "```",
        *stamps,
        f"command   {command}",
        "```",
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
    if peers:
        parts += ["", "```", beside_each(rows), "```"]
    return "\n".join(parts)


def write_between_markers(path: Path, text: str) -> None:
    """Replaces what stands between the two markers in `path`; a file without them is all ours."""
    old = path.read_text() if path.exists() else ""
    head, begin, rest = old.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if begin and end:
        text = f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}"
    else:
        text += "\n"
    path.write_text(text)


def _families(rows: list[Row]) -> Iterable[tuple[str, list[Row]]]:
    for title in dict.fromkeys(row.case.family for row in rows):
        yield title, [row for row in rows if row.case.family == title]


def _mean(rows: list[Row]) -> float:
    return ratios.geometric_mean(row.ratio for row in rows if row.has_rival)


def _worst(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.ratio)[:WORST_ROWS]


def _commit() -> str:
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
