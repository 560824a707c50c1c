"""How fast transforms run inside a convolution, for every level this CPU has.

    python benchmarks/transforms.py [--level avx2] [--seconds 0.5]

Nominal GFLOPS: 2.5 L log2 L operations for a real transform of L points, as FFT benchmarks count
them, whatever is really computed. Overlap-save with a forced block length L and L/4 + 1 taps
counts two transforms a block, the kernel's not; one-shot counts three of n + m - 1 points. Whole
calls, gathering, products, the kernel's transform and scattering in their time, with guards
('auto') and without ('normwise'); result preallocated, one thread, best of many.
"""

import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

import numpy as np

from fastconv import _core

BLOCKS = (512, 4096)
OUTPUTS = 200_000  # about, in whole groups of blocks: in L2 and L3
FILLS_ANY_LANES = 32  # blocks
ONE_SHOT = 1_000_000
AVAILABLE = [level["name"] for level in _core.levels() if level["available"]]


@dataclass(frozen=True)
class Problem:
    name: str
    n: int
    m: int
    method: str
    block: int  # 0: as the selector has it
    operations: float


def nominal(points: int) -> float:
    """Operations of a real transform."""
    return 2.5 * points * log2(points)


def problems() -> Iterator[Problem]:
    for length in BLOCKS:
        taps = length // 4 + 1
        step = length - taps + 1
        blocks = max(1, OUTPUTS // (FILLS_ANY_LANES * step)) * FILLS_ANY_LANES
        n = blocks * step - taps + 1
        yield Problem(
            f"overlap {length:,}", n, taps, "overlap", length, 2 * blocks * nominal(length)
        )
    n = ONE_SHOT
    yield Problem(f"one-shot {n:,} * {n:,}", n, n, "fft", 0, 3 * nominal(2 * n - 1))


def gflops(problem: Problem, dtype: str, accuracy: str, seconds: float) -> float:
    rng = np.random.default_rng(0)
    a, v = (rng.standard_normal(size).astype(dtype) for size in (problem.n, problem.m))
    window = (0, problem.n + problem.m - 1)
    job = _core.Job(a.shape, v.shape, a.dtype, v.dtype, [window], accuracy=accuracy)
    out = np.empty(job.shape, dtype)
    plan = next(
        plan
        for plan in job.plans()
        if plan["method"] == problem.method
        and (not problem.block or (plan["block"] == (1, problem.block) and plan["lanes"]))
    )
    end = time.perf_counter() + seconds
    best = job.time_ns(a, v, out, plan)
    while time.perf_counter() < end:
        best = min(best, job.time_ns(a, v, out, plan))
    return problem.operations / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--level", choices=AVAILABLE, help="this one alone")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure")
    asked = parser.parse_args()
    print(f"{'level':8}{'method':32}{'dtype':9}{'guarded':>9}{'without':>9}  nominal GFLOPS")
    for level in [asked.level] if asked.level else AVAILABLE:
        _core.use_level(level)
        for problem in problems():
            for dtype in ("float64", "float32"):
                guarded, without = (
                    gflops(problem, dtype, accuracy, asked.seconds)
                    for accuracy in ("auto", "normwise")
                )
                row = f"{level:8}{problem.name:32}{dtype:9}{guarded:9.1f}{without:9.1f}"
                print(row, flush=True)


if __name__ == "__main__":
    main()
