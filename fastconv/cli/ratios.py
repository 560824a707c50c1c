"""What the ratios of many rows come to."""

from collections.abc import Iterable
from math import exp, log


def geometric_mean(ratios: Iterable[float]) -> float:
    logs = [log(ratio) for ratio in ratios]
    return exp(sum(logs) / max(1, len(logs)))


def beside_each(title: str, rows: Iterable[tuple[str, float, dict[str, float]]]) -> str:
    """A table of rivals, each alone, over the rows where it answered and was timed.

    A row is its name, fastconv's time and those of the others. One far behind keeps the time of
    its first samples, which is near enough for a mean.
    """
    found: dict[str, list[tuple[float, str]]] = {}
    for row, ours_s, times in rows:
        for rival, seconds in times.items():
            found.setdefault(rival, []).append((seconds / ours_s, row))
    table = [(geometric_mean(r for r, _ in f), min(f), len(f), n) for n, f in found.items()]
    lines = [f"{title}: {'rival':22} rows    mean   worst"]
    for mean, (worst, where), count, rival in sorted(table):
        indent = " " * len(title)
        lines.append(f"{indent}  {rival:22} {count:4} {mean:7.2f} {worst:7.2f}  {where}")
    return "\n".join(lines)
