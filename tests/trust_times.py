"""What promises may cost, and how soon Ctrl-C is heard, by the clock.

    python tests/trust_times.py integers | guard | interrupt

Prints its figures, and fails where one is beyond what is promised. Times are the best of many,
taken in turns; tests/trust.py runs it, on a machine that does nothing else.
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
JUDGED = ((10_000, 2_000), (100_000, 2_000), (1_000_000, 1_000), (300_000, 300_000))
ROUNDS = 40


def integers():
    best = by_dtype.best_times(LONG, 30)
    yield "int64 of full range, 100,000 * 100,000", best["int64"] / best["float64"], WIDE
    for shapes in SOUND_AND_PICTURES:
        best = by_dtype.best_times(shapes, 10)
        for dtype in ("int8", "int16"):
            name = " * ".join("x".join(f"{n:,}" for n in shape) for shape in shapes)
            yield f"{dtype}, {name}", best[dtype] / best["float64"], NARROW


def guarded(n, m, dtype):
    """Ordinary data, in units of a call without: small values guarded, and NaN looked for."""
    rng = np.random.default_rng(0)
    a, v = (rng.standard_normal(size).astype(dtype) for size in (n, m))
    jobs = [
        _core.Job(a.shape, v.shape, dtype, dtype, [(0, n + m - 1)], accuracy=accuracy)
        for accuracy in ("auto", "normwise")
    ]
    out = np.empty(n + m - 1, dtype)
    plan = jobs[1].choose()
    auto = normwise = scan = float("inf")
    for _ in range(ROUNDS):
        auto = min(auto, jobs[0].time_ns(a, v, out, plan))
        normwise = min(normwise, jobs[1].time_ns(a, v, out, plan))
        start = time.perf_counter_ns()
        jobs[1].scan(a, v)
        scan = min(scan, time.perf_counter_ns() - start)
    return auto / normwise, 1 + scan / normwise


def guard():
    for n, m in JUDGED:
        for dtype in ("float32", "float64"):
            small, bad = guarded(n, m, dtype)
            yield f"small values, {dtype}, {n:,} * {m:,}", small, SAFETY
            yield f"NaN, {dtype}, {n:,} * {m:,}", bad, SAFETY


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
