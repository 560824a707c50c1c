"""How much faster a prepared kernel is than the same call again and again.

    python benchmarks/convolver.py
    python benchmarks/convolver.py --dtype float64

The time of `convolve(x, v)` (2-D: `convolve2d`) divided by that of `Convolver(v)(x)`, lowest of
runs taken in turns, one thread each; behind it the method, d(irect), o(verlap) or f(ft). What
there is to save is the kernel's own transform. Of three transforms of one length that is a third,
where n and m are alike and one transform takes all; of the n / L blocks of overlap-save it is one
block's half, next to nothing where the signal is a hundred times as long as the kernel.
"""

import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastconv

DTYPES = ("float32", "float64", "complex128", "int16")
SIGNALS = (256, 1_000, 10_000, 100_000, 1_000_000)
TAPS = (3, 31, 128, 1_000, 10_000, 100_000, 1_000_000)
PLANES = ((64, 3), (64, 15), (64, 31), (512, 7), (512, 15), (512, 31), (512, 63))
SECONDS = 0.2  # a pair of calls, timed in turns


def draw(shape: Any, dtype: str, seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * (100 if dtype.startswith("int") else 1)
    return (x + 1j * rng.standard_normal(shape) if dtype.startswith("c") else x).astype(dtype)


def ratio(again: Callable[[], Any], prepared: Callable[[], Any]) -> float:
    """Best of many, in turns; calls so short that the clock would count are repeated."""
    best, repeats = [np.inf, np.inf], 1
    while timed(prepared, repeats) < 2e-4:
        repeats *= 2
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for i, run in enumerate((again, prepared)):
            best[i] = min(best[i], timed(run, repeats))
    return best[0] / best[1]


def timed(run: Callable[[], Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return time.perf_counter() - start


def cell(x: NDArray[Any], v: NDArray[Any]) -> str:
    convolver = fastconv.Convolver(v)
    plain = fastconv.convolve if x.ndim == 1 else fastconv.convolve2d
    convolver(x)
    method = fastconv.explain(x, v).method
    return f"{ratio(lambda: plain(x, v), lambda: convolver(x)):.2f} {method[0]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=DTYPES, action="append")
    for dtype in parser.parse_args().dtype or DTYPES:
        print(f"{dtype}: samples down, taps across, times as fast")
        print(" " * 9 + "".join(f"{m:>10}" for m in TAPS))
        for n in SIGNALS:
            x = draw(n, dtype, 0)
            cells = [cell(x, draw(m, dtype, 1)) for m in TAPS if m <= n]
            print(f"{n:>9}" + "".join(f"{it:>10}" for it in cells), flush=True)
        for side, of in PLANES:
            told = cell(draw((side, side), dtype, 0), draw((of, of), dtype, 1))
            print(f"{side} x {side} by {of} x {of}: {told}", flush=True)


if __name__ == "__main__":
    main()
