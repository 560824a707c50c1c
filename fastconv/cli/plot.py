"""Ratios as bars, on a logarithmic axis around 1."""

from importlib.util import find_spec
from pathlib import Path
from textwrap import fill


class CannotDraw(Exception):
    """--plot was asked for without matplotlib, or of a kind that it does not write."""


def require(path: Path) -> None:
    """Found wrong before the work is done, not after."""
    if find_spec("matplotlib") is None:
        raise CannotDraw("--plot needs matplotlib: pip install matplotlib")
    from matplotlib.backend_bases import FigureCanvasBase

    if path.suffix[1:].lower() not in FigureCanvasBase.get_supported_filetypes():
        raise CannotDraw(f"--plot: got {path.name!r}, takes a name that ends in .png, .svg or .pdf")


def ratios(path: Path, rows: list[tuple[str, float]], title: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.2 + 0.32 * len(rows)), layout="constrained")
    axes = figure.subplots()
    names, values = zip(*rows, strict=True)
    places = range(len(rows))
    colours = ["tab:blue" if value >= 1 else "tab:red" for value in values]
    bars = axes.barh(places, [value - 1 for value in values], left=1, color=colours)
    axes.bar_label(bars, [f"{value:.2f}" for value in values], padding=3)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(places, names, fontsize="small")
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_xlabel("best other / fastconv, above 1 fastconv is faster")
    lines = [fill(line, 100) for line in title.splitlines()]
    axes.set_title("\n".join(lines), fontsize="small")
    figure.savefig(path, dpi=150)
