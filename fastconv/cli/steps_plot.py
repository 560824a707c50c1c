"""A convolution by hand as a figure: a panel for every slide, and one for the result."""

from math import ceil
from pathlib import Path
from typing import Any

from .slides import Matrix, Slide, Sliding, shown

ACROSS = 3  # panels side by side: their numbers are still read at the width of a page
SIGNAL, KERNEL, TAP = "tab:blue", "tab:orange", "saddlebrown"


def draw(path: Path, sliding: Sliding) -> None:
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    fill(figure, sliding)
    figure.savefig(path, dpi=120)


def fill(figure: Any, sliding: Sliding) -> None:
    panels = len(sliding.slides) + 1
    down, across = ceil(panels / ACROSS), min(panels, ACROSS)
    figure.set_size_inches(2.4 * across, 1.8 * down + 0.6)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    draw_slide, draw_result = (_line, _stems) if sliding.flat else (_picture, _numbers)
    for axes, slide in zip(grid, sliding.slides, strict=False):
        draw_slide(axes, sliding, slide)
        where = slide.col if sliding.flat else f"{slide.row}, {slide.col}"
        axes.set_title(f"out[{where}] = {shown(slide.sum, sliding.fractions)}", fontsize="small")
    draw_result(grid[panels - 1], sliding.result)
    grid[panels - 1].set_title("result", fontsize="small", fontweight="bold")
    for axes in grid[panels:]:
        axes.set_axis_off()
    how = "the kernel as it is" if sliding.correlate else "the flipped kernel"
    figure.suptitle(f"{how} (orange) over the signal (blue), {sliding.mode}", fontsize="medium")


def _line(axes: Any, sliding: Sliding, slide: Slide) -> None:
    """Both as bars on the same places, what meets side by side."""
    a, slid = ([float(x) for x in matrix[0]] for matrix in (sliding.a, sliding.slid))
    axes.bar([i - 0.2 for i in range(len(a))], a, 0.4, color=SIGNAL)
    axes.bar([slide.left + k + 0.2 for k in range(len(slid))], slid, 0.4, color=KERNEL)
    axes.axvspan(slide.left - 0.5, slide.left + len(slid) - 0.5, color=KERNEL, alpha=0.12, zorder=0)
    axes.axhline(0, color="black", linewidth=0.8)
    first, last = sliding.slides[0].left, sliding.slides[-1].left + len(slid)
    axes.set_xlim(min(0, first) - 0.7, max(len(a), last) - 0.3)
    axes.tick_params(labelsize="small")


def _stems(axes: Any, result: Matrix) -> None:
    values = [float(x) for x in result[0]]
    axes.bar(range(len(values)), values, 0.6, color="tab:green")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.tick_params(labelsize="small")


def _picture(axes: Any, sliding: Sliding, slide: Slide) -> None:
    """The signal's numbers, and in their corners the taps that lie on them."""
    from matplotlib.patches import Rectangle

    _numbers(axes, sliding.a)
    rows, cols = len(sliding.slid), len(sliding.slid[0])
    corner = (slide.left - 0.5, slide.top - 0.5)
    axes.add_patch(Rectangle(corner, cols, rows, fill=False, edgecolor=KERNEL, linewidth=3))
    for i, row in enumerate(sliding.slid, slide.top):
        for j, tap in enumerate(row, slide.left):
            place = {"ha": "left", "va": "top", "fontsize": "x-small", "color": TAP}
            axes.text(j - 0.42, i - 0.4, f"{float(tap):.3g}", **place)
    tops, lefts = ([getattr(s, name) for s in sliding.slides] for name in ("top", "left"))
    axes.set_xlim(min(0, *lefts) - 0.6, max(len(sliding.a[0]), max(lefts) + cols) - 0.4)
    axes.set_ylim(max(len(sliding.a), max(tops) + rows) - 0.4, min(0, *tops) - 0.6)


def _numbers(axes: Any, matrix: Matrix) -> None:
    axes.imshow([[float(x) for x in row] for row in matrix], cmap="Blues", alpha=0.4)
    for i, row in enumerate(matrix):
        for j, x in enumerate(row):
            axes.text(j, i, f"{float(x):.4g}", ha="center", va="center", fontsize="small")
    axes.set_xticks([])
    axes.set_yticks([])
