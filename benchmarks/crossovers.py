"""Where one method overtakes another: measured, and as the selector has it, in one picture.

Drawn by `selector.py --draw FILE.svg`. A dot's colour is the method that was fastest there, its
border the one that `auto` takes; where the two differ the time lost stands beside it.
"""

import itertools

import numpy as np
from cases import Case
from drawing import blank, save
from selector import Timed, compete, job_of, result_of

COLOURS = {"direct": "#4477aa", "overlap": "#ccbb44", "fft": "#aa3377"}
LENGTHS = [2**k for k in range(5, 21)]
TAPS = [2**k for k in range(2, 21)]
PICTURES = [32, 64, 128, 256, 512, 1024]
SIDES = [3, 5, 7, 9, 11, 15, 19, 25, 31, 47, 63, 127]
LARGEST_MACS = 4e8  # direct beyond it is not run: it is never the best there
TOLD = 1.10  # a loss from which on it is written beside the dot
SECONDS = 0.06  # of each dot


def panels():
    """(title, labels, cases), the cases by their place."""
    for dtype in ("float32", "float64", "int16"):
        cases = {
            (n, m): Case((n,), (m,), "full", dtype)
            for n, m in itertools.product(LENGTHS, TAPS)
            if m <= n and (n.bit_length() + m.bit_length()) % 2
        }
        yield f"1-D, {dtype}", ("n, samples of the longer input", "m, taps"), cases
    cases = {
        (n, k): Case((n, n), (k, k), "same", "float64")
        for n, k in itertools.product(PICTURES, SIDES)
        if k <= n
    }
    yield "2-D, float64", ("side of the picture", "side of the kernel"), cases


def fastest(case):
    """The method that is fastest, the one that is chosen, and what that loses."""
    a, v = case.arrays()
    job, a, v = job_of(case, a, v)
    out = result_of(case, job, np.result_type(a, v))
    chosen = job.choose()
    entrants = {}
    for plan in job.plans():  # best first: of each method the one of the best block
        macs = float(np.prod(job.shape)) * float(np.prod(v.shape))
        if plan["method"] != "direct" or macs < LARGEST_MACS:
            entrants.setdefault(plan["method"], Timed(plan))
    compete(lambda plan, times: job.time_ns(a, v, out, plan, times), [*entrants.values()], SECONDS)
    best = min(entrants, key=lambda method: entrants[method].ns)
    taken = entrants.get(chosen["method"])
    loss = taken.ns / entrants[best].ns if taken else np.inf
    return best, chosen["method"], loss


def draw(path):
    figure = blank(10, 9)
    for axes, (title, (along, up), cases) in zip(figure.subplots(2, 2).flat, panels(), strict=True):
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.set(title=title, xlabel=along, ylabel=up)
        for (x, y), case in cases.items():
            best, chosen, loss = fastest(case)
            axes.scatter(x, y, s=46, color=COLOURS[best], edgecolor=COLOURS[chosen], linewidth=2)
            if best != chosen and loss > TOLD:
                axes.annotate(f"{loss:.2f}", (x, y), (4, 4), textcoords="offset points", size=6)
    for method, colour in COLOURS.items():
        figure.axes[0].scatter([], [], color=colour, label=method)
    figure.axes[0].legend(title="fastest (border: chosen)", loc="upper left")
    figure.suptitle("one thread")
    save(figure, path)
