"""Gaussians as outer products in two passes, beside the same kernels in one.

    python benchmarks/two_passes.py [--seconds 0.5]

convolve2d in 'same' on 512x512, one thread, interleaved, in ms; `one pass` by the best other way:
direct sums or tiles.
"""

import argparse
import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

from functools import partial

import numpy as np

import fastconv
from fastconv.cli.filters import gaussian
from fastconv.cli.race import Runner, race

SIDE = 512
TAPS = (5, 9, 15, 31, 63)


def operands(taps, dtype):
    rng = np.random.default_rng(0)
    kernel = gaussian(taps / 8, taps // 2)
    if dtype == "int32":  # a row of whole numbers keeps the product one
        row = np.rint(100 * kernel[taps // 2] / kernel.max())
        return rng.integers(-1000, 1000, (SIDE, SIDE), dtype), np.outer(row, row).astype(dtype)
    return rng.standard_normal((SIDE, SIDE)).astype(dtype), kernel.astype(dtype)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.5, help="for each row")
    asked = parser.parse_args()
    print(f"{'taps':8}{'dtype':9}{'two passes':>12}{'one pass':>12}{'by':>9}")
    for taps in TAPS:
        for dtype in ("float32", "float64", "int32"):
            a, v = operands(taps, dtype)
            two, one = (partial(fastconv.convolve2d, separable=way) for way in (True, False))
            result = race(two, [Runner("one", one)], a, v, "same", asked.seconds)
            by = fastconv.explain(a.shape, v.shape, "same", dtype=dtype).method
            times = (1e3 * s for s in (result.ours_s, result.times["one"]))
            told = "".join(f"{ms:12.3f}" for ms in times)
            print(f"{f'{taps}x{taps}':8}{dtype:9}{told}{by:>9}", flush=True)


if __name__ == "__main__":
    main()
