"""Integers of the whole range of their dtype, in units of the float64 call of that size.

    python benchmarks/integers.py [--rounds 30]

One thread; integers and floats interleaved, the best of each. Lines by 'full', pictures by 'same'.
"""

import argparse
import os
import time

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import numpy as np

import fastconv

DTYPES = ("int8", "int16", "int32", "int64")
SIZES = (
    ((100_000,), (100_000,)),
    ((10_000,), (10_000,)),
    ((1_000_000,), (1_000,)),
    ((100_000,), (2_000,)),
    ((1080, 1920), (15, 15)),
    ((1080, 1920), (31, 31)),
)


def operands(shapes, dtype):
    rng = np.random.default_rng(0)
    if dtype == "float64":
        return [rng.standard_normal(shape) for shape in shapes]
    info = np.iinfo(dtype)
    return [rng.integers(info.min, info.max, shape, dtype, endpoint=True) for shape in shapes]


def best_times(shapes, rounds):
    """Of each dtype the best of so many calls, in seconds."""
    convolve, mode = (
        (fastconv.convolve, "full") if len(shapes[0]) == 1 else (fastconv.convolve2d, "same")
    )
    given = {dtype: operands(shapes, dtype) for dtype in ("float64", *DTYPES)}
    best = dict.fromkeys(given, float("inf"))
    for _ in range(rounds):
        for dtype, (a, v) in given.items():
            start = time.perf_counter()
            convolve(a, v, mode)
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    print(f"{'a * v':24}{'float64':>12}" + "".join(f"{dtype:>8}" for dtype in DTYPES))
    for shapes in SIZES:
        best = best_times(shapes, asked.rounds)
        name = " * ".join("x".join(f"{n:,}" for n in shape) for shape in shapes)
        ratios = "".join(f"{best[dtype] / best['float64']:8.2f}" for dtype in DTYPES)
        print(f"{name:24}{best['float64'] * 1e3:9.2f} ms{ratios}", flush=True)


if __name__ == "__main__":
    main()
