"""How far off results are: every method, level and dtype, beside numpy, scipy and FFTW.

    python benchmarks/accuracy.py                          all of it to 10^6 samples, minutes
    python benchmarks/accuracy.py --quick                  to 10^4, seconds
    python benchmarks/accuracy.py --level avx2 --json FILE
    python benchmarks/accuracy.py --draw docs/accuracy.svg --table float64
    python benchmarks/accuracy.py --short                  the README's table, seconds

An error is told in u |a| |v|, u the unit roundoff and |x| the root of a sum of squares (where that
is less than the smallest denormal number, in those), by its root mean square over five draws (one
of long ones) and the outputs judged: all of them, or sixteen runs spread over the result, the ends
among them. Forced methods run without the guard, as accuracy='normwise' has them; `parts`
are those of 'componentwise'.

It fails where a call that chooses for itself is more than 1.25 times as far off as scipy's
fftconvolve on noise: the families of NOISE. On the others the page says what it is.
"""

import argparse
import itertools
import json
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from math import isqrt
from pathlib import Path

import numpy as np
import scipy.signal
from rich.box import MARKDOWN
from rich.console import Console
from rich.progress import track
from rich.table import Table

import fastconv
from fastconv import _core

DTYPES = ("float32", "float64", "complex64", "complex128")
LENGTHS = (100, 300, 1000, 3000, 10_000, 100_000, 1_000_000)
QUICK = 10_000
TAPS = 8  # a is so many times as long as v
RUNS, RUN = 16, 32  # outputs judged
DRAWS, LONG_DRAWS = 5, 1
SUMS_TO = 10_000  # longer direct sums are run where they are judged alone
PICTURES_TO = 10_000
TOLD = 100_000  # the length of the tables
PROMISED = 1.25
# Where roundings are as good as random in every method. Of a constant a transform rounds but one
# number, and direct sums all of theirs one way; a spike leaves its roundings in every later partial
# sum; and of denormal numbers each is off by up to a half whatever the method.
NOISE = ("random", "loud and quiet", "exponential")


def families(shape, part, rng):
    """(a, v) of each family by name, v of the shape `part`, as float64."""
    n, m = np.prod(shape), np.prod(part)
    noise, taps = rng.standard_normal(n), rng.standard_normal(m)
    x, y = rng.uniform(1, 2, 2)
    ramp, sign, signs = np.linspace(0, 1, n), (-1.0) ** np.arange(n), (-1.0) ** np.arange(m)
    spikes = 1e-6 * noise
    spikes[rng.integers(0, n, 3)] = 1e3
    loud = noise * np.where(np.arange(n) // (n // 8 + 1) % 2, 1e-6, 1e6)
    made = {
        "random": (noise, taps),
        "constant": (np.full(n, x), np.full(m, y)),
        "alternating": (x * sign, y * signs),
        "spike and noise": (spikes, taps),
        "loud and quiet": (loud, taps),
        "exponential": (x * np.exp(-40 * ramp), y * np.exp(-30 * np.linspace(0, 1, m))),
        "denormal": (noise, taps),
    }
    return {name: (a.reshape(shape), v.reshape(part)) for name, (a, v) in made.items()}


def operands(family, n, dtype, ndim, seed):
    """The two of one family: lines, or pictures of about as many samples."""
    side, taps = isqrt(n), max(2, n // TAPS)
    shape, part = ((n,), (taps,)) if ndim == 1 else ((side, side), (max(2, isqrt(taps)),) * 2)
    a, v = families(shape, part, np.random.default_rng([n, seed]))[family]
    if np.dtype(dtype).kind == "c":
        a, v = (
            x * np.exp(1j * s * np.arange(x.size)).reshape(x.shape) for s, x in ((1, a), (2, v))
        )
    if family == "denormal":
        a = a * (64 * float(np.finfo(dtype).smallest_subnormal))
    return a.astype(dtype), v.astype(dtype)


# --- what is right -----------------------------------------------------------------------------


def judged_runs(size):
    """Where the last axis of a result of so many samples is judged: [lo, hi) of each run."""
    if size <= RUNS * RUN:
        return [(0, size)]
    starts = np.linspace(0, size - RUN, RUNS).astype(int)
    return [(int(lo), int(lo) + RUN) for lo in starts]


def judged_rows(size):
    return range(size) if size <= RUNS else np.linspace(0, size - 1, RUNS).astype(int)


def places(full):
    """The index of every output that is judged."""
    rows = [()] if len(full) == 1 else [(int(r),) for r in judged_rows(full[0])]
    return [(*row, i) for row in rows for lo, hi in judged_runs(full[-1]) for i in range(lo, hi)]


def reference(a, v, at):
    """Those outputs by the definition, in longdouble: products and pairwise sums of a unit
    roundoff of 2^-64, so off by less than 2^-64 (10 + log2 m) of the sum of magnitudes."""
    wide = np.clongdouble if a.dtype.kind == "c" else np.longdouble
    a, flipped = a.astype(wide), np.flip(v).astype(wide)
    values = np.empty(len(at), wide)
    for k, index in enumerate(at):
        of_a, of_v = [], []
        for i, n, m in zip(index, a.shape, v.shape, strict=True):
            lo, hi = max(0, i - m + 1), min(n, i + 1)
            of_a.append(slice(lo, hi))
            of_v.append(slice(m - 1 - i + lo, m - 1 - i + hi))
        values[k] = (a[tuple(of_a)] * flipped[tuple(of_v)]).sum()
    return values


# --- who is asked ------------------------------------------------------------------------------


def by_fftw(a, v):
    """The inverse of a product of FFTW's transforms."""
    import pyfftw

    full = [n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)]
    shape = [pyfftw.next_fast_len(n) for n in full]
    fft = pyfftw.interfaces.scipy_fft
    complex_valued = a.dtype.kind == "c"
    forward, back = (fft.fftn, fft.ifftn) if complex_valued else (fft.rfftn, fft.irfftn)
    product = back(forward(a, shape) * forward(v, shape), shape)
    return product[tuple(slice(n) for n in full)]


def forced(a, v, of_kind, windows=None, accuracy="normwise"):
    """The cheapest plan of a kind that can be had, and what it gives; None: there is none."""
    windows = windows or [(0, n + m - 1) for n, m in zip(a.shape, v.shape, strict=True)]
    job = _core.Job(a.shape, v.shape, a.dtype, v.dtype, windows, accuracy=accuracy)
    plan = next(filter(of_kind, job.plans()), None)
    if plan is None:
        return None
    out = np.empty(job.shape, np.result_type(a, v))
    job.run(a, v, out, plan)
    return out


def is_blocks(plan):
    return plan["method"] == "overlap" and not plan["lanes"]


KINDS = {
    "direct": lambda plan: plan["method"] == "direct",
    "lanes": lambda plan: plan["method"] == "overlap" and plan["lanes"],
    "blocks": is_blocks,
    "one-shot": lambda plan: plan["method"] == "fft",
}


def picked(whole, at):
    return whole[tuple(np.array(at).T)]


def sums_at(a, v, at, sums):
    """Direct sums of the whole, or, where that is too long, of the runs judged alone."""
    size = a.shape[-1] + v.shape[-1] - 1
    if a.ndim > 1 or len(a) <= SUMS_TO:
        return picked(sums(a, v, None), at)
    return np.concatenate([sums(a, v, [run]) for run in judged_runs(size)])


def numpys(a, v, windows):
    if windows is None:
        return np.convolve(a, v)
    ((lo, hi),) = windows
    first = lo - len(v) + 1
    piece = a[max(0, first) : hi]
    padded = np.concatenate([np.zeros(max(0, -first), a.dtype), piece])
    padded = np.concatenate([padded, np.zeros(hi - max(0, first) - len(piece), a.dtype)])
    return np.convolve(padded, v, "valid")


def answers(a, v, at):
    """(who, outputs) of all who can answer, ours first."""
    if a.ndim == 1:
        yield "fastconv", picked(fastconv.convolve(a, v), at)
    else:
        yield "fastconv", picked(fastconv.convolve2d(a, v), at)
    for kind, is_one in KINDS.items():
        if kind == "direct":
            yield kind, sums_at(a, v, at, lambda a, v, w: forced(a, v, KINDS["direct"], w))
        elif (whole := forced(a, v, is_one)) is not None:
            yield "tiles" if a.ndim > 1 and kind == "blocks" else kind, picked(whole, at)
    if (whole := forced(a, v, is_blocks, accuracy="componentwise")) is not None:
        yield "parts", picked(whole, at)


def rivals(a, v, at):
    if a.ndim == 1:
        yield "numpy", sums_at(a, v, at, numpys)
    yield "scipy", picked(scipy.signal.fftconvolve(a, v), at)
    if find_spec("pyfftw"):
        yield "FFTW", picked(by_fftw(a, v), at)


# --- what is measured --------------------------------------------------------------------------


@dataclass
class Measured:
    family: str
    ndim: int
    dtype: str
    n: int
    level: str  # "" of others
    who: str
    rms: float  # in u |a| |v|
    largest: float


def norm(x):
    """As a longdouble: squares of denormals are none."""
    return np.sqrt((abs(x.astype(np.clongdouble)) ** 2).sum())


def errors(family, ndim, dtype, n, levels, seed):
    """(level, who, error of each output judged) for one draw."""
    a, v = operands(family, n, dtype, ndim, seed)
    at = places([n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)])
    right = reference(a, v, at)
    info = np.finfo(dtype)
    unit = max(info.eps / 2 * norm(a) * norm(v), np.longdouble(info.smallest_subnormal))
    found = [("", who, outputs) for who, outputs in rivals(a, v, at)]
    for level in levels:
        _core.use_level(level)
        found += [(level, who, outputs) for who, outputs in answers(a, v, at)]
    for level, who, outputs in found:
        yield level, who, (abs(outputs.astype(right.dtype) - right) / unit).astype(float)


def measure(family, ndim, dtype, n, levels):
    """Every draw together: what one pair of numbers rounds to is chance in some families."""
    together = {}
    for seed in range(DRAWS if n <= SUMS_TO else LONG_DRAWS):
        for level, who, error in errors(family, ndim, dtype, n, levels, seed):
            together.setdefault((level, who), []).append(error)
    for (level, who), draws in together.items():
        error = np.concatenate(draws)
        rms = float(np.sqrt((error**2).mean()))
        yield Measured(family, ndim, dtype, n, level, who, rms, float(error.max()))


def worse_than_scipy(found):
    """[(ratio, measured)] of ours beside scipy's, the largest first; where scipy's is exact, so
    has ours to be."""
    scipys = {(x.family, x.ndim, x.dtype, x.n): x.rms for x in found if x.who == "scipy"}
    ours = [x for x in found if x.level]
    ratios = [(x.rms, scipys[x.family, x.ndim, x.dtype, x.n], x) for x in ours]
    judged = [
        (rms / of_scipy if of_scipy else float("inf") if rms else 1.0, x)
        for rms, of_scipy, x in ratios
    ]
    return sorted(judged, key=lambda pair: -pair[0])


# --- what is told ------------------------------------------------------------------------------

COLUMNS = ("fastconv", "direct", "lanes", "blocks", "one-shot", "tiles", "numpy", "scipy", "FFTW")


def table(found, dtype, n, ndim):
    """Its title, and one row a family: the rms of each, the worst of the levels."""
    rows = [x for x in found if (x.dtype, x.n, x.ndim) == (dtype, n, ndim)]
    columns = [who for who in COLUMNS if any(x.who == who for x in rows)]
    what = f"{n:,} * {n // TAPS:,}" if ndim == 1 else "pictures of as many samples"
    shown = Table("family", *columns, box=MARKDOWN)
    for family in dict.fromkeys(x.family for x in rows):
        cells = []
        for who in columns:
            rms = [x.rms for x in rows if (x.family, x.who) == (family, who)]
            cells.append(f"{max(rms):.3g}" if rms else "")
        shown.add_row(family, *cells)
    return f"{dtype}, {what}: rms error in u |a| |v|", shown


def short(levels):
    """The README's table: three families by those whom a user knows, and wrong integers."""
    yield "| | | `fastconv` | `numpy.convolve` | scipy's `fftconvolve` |"
    yield "|---|---|---|---|---|"
    for dtype in ("float64", "float32"):
        for family in ("random", "constant", "exponential"):
            rms = {}
            for x in measure(family, 1, dtype, TOLD, levels):
                rms[x.who] = max(x.rms, rms.get(x.who, 0))
            cells = [f"{rms[who]:#.2g}".rstrip(".") for who in ("fastconv", "numpy", "scipy")]
            yield f"| {dtype} | {family} | {' | '.join(cells)} |"
    a, v = np.full(10_000, 2_000_000), np.full(1_000, 2_000_000)
    right = v.size * 2_000_000**2  # wherever all taps meet the signal
    ours, numpys, scipys = (
        np.count_nonzero(convolve(a, v, "valid") != right)
        for convolve in (fastconv.convolve, np.convolve, scipy.signal.convolve)
    )
    yield (
        f"| int64 | large | {ours:,} wrong | {numpys:,} wrong | "
        f"{scipys:,} wrong by `signal.convolve` |"
    )


def draw(found, path):
    from drawing import blank, save

    figure = blank(10, 8)
    styles = {"numpy": "#999999", "scipy": "#ee7733", "FFTW": "#009988", "direct": "#4477aa",
              "lanes": "#ccbb44", "blocks": "#228833", "one-shot": "#aa3377"}  # fmt: skip
    cases = [("float64", "random"), ("float64", "constant"),
             ("float32", "random"), ("float32", "loud and quiet")]  # fmt: skip
    for axes, (dtype, family) in zip(figure.subplots(2, 2).flat, cases, strict=True):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set(title=f"{family}, {dtype}", xlabel="n, of n * n/8", ylabel="rms error, u |a| |v|")
        for who, colour in styles.items():
            rms = {}
            for x in found:
                if (x.dtype, x.family, x.ndim, x.who) == (dtype, family, 1, who) and x.rms:
                    rms[x.n] = max(x.rms, rms.get(x.n, 0))
            theirs = who in ("numpy", "scipy", "FFTW")
            axes.plot(*zip(*sorted(rms.items()), strict=True), "--" if theirs else "-",
                      color=colour, label=who, marker=".")  # fmt: skip
    figure.axes[0].legend()
    figure.suptitle("error against length, the worst of the levels")
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"lengths to {QUICK:,}")
    parser.add_argument("--level", action="append", help="of these levels (default: all)")
    parser.add_argument("--json", type=Path, help="every figure, into this file")
    parser.add_argument("--table", action="append", help="print those of this dtype (default: all)")
    parser.add_argument("--draw", type=Path, help="error against length, into this file")
    parser.add_argument("--short", action="store_true", help="nothing but the README's table")
    args = parser.parse_args()
    here = [x["name"] for x in _core.levels() if x["available"]]
    if args.short:
        print(*short(args.level or here), sep="\n")
        return 0
    before = _core.level()
    lengths = [n for n in LENGTHS if n <= QUICK or not args.quick]
    names = families((100,), (10,), np.random.default_rng(0))
    jobs = [
        (family, ndim, dtype, n)
        for n in lengths for ndim in ((1, 2) if n <= PICTURES_TO else (1,))
        for dtype in DTYPES for family in names
    ]  # fmt: skip
    console = Console(width=140, highlight=False)
    found = []
    for job in track(jobs, console=Console(stderr=True), transient=True):
        found += measure(*job, args.level or here)
    _core.use_level(before)
    for ndim, dtype in itertools.product((1, 2), args.table or DTYPES):
        told = max(n for n in lengths if n <= (PICTURES_TO if ndim == 2 else TOLD))
        console.print(*table(found, dtype, told, ndim), sep="\n")
    if args.json:
        args.json.write_text(json.dumps([asdict(x) for x in found]))
    if args.draw:
        draw(found, args.draw)
    ratios = worse_than_scipy(found)
    own = [pair for pair in ratios if pair[1].who == "fastconv"]
    print(f"rms beside scipy's fftconvolve, {len(own)} calls: at most {own[0][0]:.2f}\n")
    for who in KINDS | {"tiles": None}:
        of_kind = [pair for pair in ratios if pair[1].who == who]
        beyond = [pair for pair in of_kind if pair[0] > PROMISED]
        worst, x = of_kind[0]
        print(f"- {who}, forced: at most {worst:.2f} ({x.family}, {x.dtype}, {x.n}, {x.ndim}-D,"
              f" {x.level}), {len(beyond)} of {len(of_kind)} beyond {PROMISED}")  # fmt: skip
    for family, ndim in dict.fromkeys((x.family, x.ndim) for _, x in own):
        of_family = [pair for pair in own if (pair[1].family, pair[1].ndim) == (family, ndim)]
        ratio, x = of_family[0]
        print(
            f"- fastconv, {family}: at most {ratio:.2f} ({x.dtype}, {x.n}, {x.ndim}-D, {x.level})"
        )
    wrong = [x for ratio, x in own if not ratio <= PROMISED and x.family in NOISE]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
