"""What all drawings share: words that stay words, colours for both of GitHub's themes, a stamp."""

import matplotlib as mpl
from matplotlib.figure import Figure
from summary import stamp

GREY = "#808080"  # read on white and on black


def blank(width, height):
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "fastconv"
    for what in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
        mpl.rcParams[what] = GREY
    mpl.rcParams["legend.framealpha"] = 0
    return Figure(figsize=(width, height), layout="constrained")


def save(figure, path, more=()):
    """With the machine, the versions and the commit below, and more lines."""
    lines = [" ".join(line.split()) for line in (*stamp(), *more)]
    figure.supxlabel("\n".join(lines), size=7, x=0.01, ha="left")
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    figure.savefig(path, transparent=True, metadata={"Date": None})
