"""What promises may cost, and how soon Ctrl-C is heard, by the clock.

    python tests/trust_times.py integers | guard | interrupt

Prints its figures, and fails where one is beyond what is promised. For a machine that does nothing
else; tests/trust.py runs it.
"""

import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

import integers as by_dtype  # first: one thread, whatever else is imported
import numpy as np
from test_threads import INTERRUPTED, LONG_CALLS

from fastconv import _core

LONG = ((100_000,), (100_000,))
SOUND_AND_PICTURES = (((1_000_000,), (1_000,)), ((1080, 1920), (15, 15)), ((1080, 1920), (31, 31)))
WIDE, NARROW = 8, 1.5  # times as long as float64: int64 of full range; int8 and int16
SAFETY = 1.1  # times as long as without
LATE_S = 1.0
# Where transforms are the method, short of caches and beyond them.
JUDGED = (
    ((10_000,), (2_000,)),
    ((100_000,), (2_000,)),
    ((1_000_000,), (1_000,)),
    ((300_000,), (300_000,)),
    ((512, 512), (15, 15)),
    ((1080, 1920), (31, 31)),
    ((64, 64, 64), (9, 9, 9)),
    ((128, 128, 64), (15, 15, 15)),
)
# Whose corners and edges are much of the call: printed, not promised.
SMALL = (((61, 67), (15, 15)), ((64, 64), (31, 31)), ((256, 256), (31, 31)), ((20,) * 3, (20,) * 3))
# Rows under a low-pass filter, whose taps fade towards both ends: printed as well.
FADING = (((64, 4_096), (1, 1_023)), ((64, 1_024), (1, 257)))
# Lost nearly everywhere in single precision: by transforms in double, sooner than by direct sums.
BESIDE_LOUD = ((((200_000,), (1000,)), 10_000), (((600, 600), (30, 30)), 100))
ROUNDS = 40


def integers():
    best = by_dtype.best_times(LONG, 30)
    yield "int64 of full range, 100,000 * 100,000", best["int64"] / best["float64"], WIDE
    for shapes in SOUND_AND_PICTURES:
        best = by_dtype.best_times(shapes, 10)
        for dtype in ("int8", "int16"):
            yield f"{dtype}, {named(shapes)}", best[dtype] / best["float64"], NARROW


def named(shapes):
    return " * ".join("x".join(f"{n:,}" for n in shape) for shape in shapes)


def low_pass(shape):
    """A windowed sinc."""
    taps = np.prod(shape)
    return np.reshape(np.sinc(np.linspace(-25, 25, taps)) * np.hamming(taps), shape)


def guarded(shapes, dtype, fading=False):
    """What a call on ordinary data takes in units of one that does not look for small values.

    NaN has no figure of its own: the pass that finds it gives every transform its magnitudes.
    """
    rng = np.random.default_rng(0)
    a, v = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    if fading:
        v = low_pass(v.shape).astype(dtype)
    full = [n + m - 1 for n, m in zip(*shapes, strict=True)]
    windows = [(0, outputs) for outputs in full]
    jobs = [
        _core.Job(a.shape, v.shape, dtype, dtype, windows, accuracy=accuracy)
        for accuracy in ("auto", "normwise")
    ]
    out = np.empty(full, dtype)
    plan = jobs[1].choose()
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for k, job in enumerate(jobs):
            start = time.thread_time_ns()
            job.run(a, v, out, plan)
            best[k] = min(best[k], time.thread_time_ns() - start)
    return best[0] / best[1]


def beside_loud(shapes, apart):
    """Float32, quiet but for some samples, in units of direct sums in float32."""
    rng = np.random.default_rng(0)
    a, v = (rng.standard_normal(shape).astype("f4") for shape in shapes)
    a *= np.float32(2.0**-14)
    a[(slice(apart // 2, None, apart),) * a.ndim] = 1
    windows = [(m - 1, n) for n, m in zip(*shapes, strict=True)]
    job = _core.Job(a.shape, v.shape, a.dtype, v.dtype, windows)
    out = np.empty([n - m + 1 for n, m in zip(*shapes, strict=True)], a.dtype)
    direct = next(plan for plan in job.plans() if plan["method"] == "direct")
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS // 4):
        for k, plan in enumerate((job.choose(), direct)):
            best[k] = min(best[k], job.time_ns(a, v, out, plan))
    return best[0] / best[1]


def guard():
    for shapes in JUDGED:
        for dtype in ("float32", "float64"):
            yield f"small values, {dtype}, {named(shapes)}", guarded(shapes, dtype), SAFETY
    for shapes in FADING:
        for dtype in ("float32", "float64"):
            figure = guarded(shapes, dtype, fading=True)
            yield f"under a filter that fades, {dtype}, {named(shapes)}", figure, float("inf")
    for shapes, apart in BESIDE_LOUD:
        yield f"float32 between loud samples, {named(shapes)}", beside_loud(shapes, apart), 1.0
    for shapes in SMALL:
        for dtype in ("float32", "float64"):
            yield f"of small arrays, {dtype}, {named(shapes)}", guarded(shapes, dtype), float("inf")


def interrupt():
    for name, call in LONG_CALLS.items():
        script = [sys.executable, "-P", "-c", INTERRUPTED.format(call=call)]
        done = subprocess.run(script, capture_output=True, text=True, check=True)
        yield f"Ctrl-C in {name}, s", float(done.stdout.split()[-1]), LATE_S


CHECKS = {check.__name__: check for check in (integers, guard, interrupt)}


def main(name):
    beyond = 0
    for what, figure, limit in CHECKS[name]():
        print(f"{what}: {figure:.2f} of {limit:g}", flush=True)
        beyond += figure > limit
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
