"""How near the direct kernels come to the core's ceiling, for every level this CPU runs.

    python benchmarks/peak_share.py
    python benchmarks/peak_share.py --level avx2 --only 'float*'

The ceiling is measured in the same run: independent chains of fused multiply-adds at the widest
vector of the level, in GMAC/s (1e9 multiply-adds a second), next to each row so that both saw
the same clock. A complex product counts as four real multiply-adds, a half-complex one as two;
products with what lies beyond an array's ends are not counted. Integers have no ceiling of
their own here: they are set against that of the float of the same width (int8 and int16:
float32). Whole Python calls with a preallocated `out`, one thread, best of many. `method` is
given, except in 1-D where direct is chosen anyway: there the plain call is the quick one.
"""

import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

import numpy as np
from numpy.typing import NDArray

import fastconv
from fastconv import _core

N = 10_000
SIDE = 512
FLOAT_TAPS = (3, 5, 7, 15, 16, 31, 64, 127, 1023)
OTHER_TAPS = (5, 31, 127, 1023)
SIDES = (3, 5, 7, 11, 15)
LIKE_FLOAT32 = ("float32", "complex64", "int8", "int16", "int32")


@dataclass(frozen=True)
class Case:
    a_dtype: str
    v_dtype: str
    a: tuple[int, ...]
    v: tuple[int, ...]

    @property
    def name(self) -> str:
        pair = " * ".join(dict.fromkeys((self.a_dtype, self.v_dtype)))
        shapes = ("x".join(map(str, shape)) for shape in (self.a, self.v))
        return f"{pair}  {' * '.join(shapes)}"

    @property
    def ceiling_dtype(self) -> str:
        return "float32" if self.a_dtype in LIKE_FLOAT32 else "float64"

    @property
    def macs(self) -> float:
        """True products, in real multiply-adds: 1-D 'full', 2-D 'same'."""
        if len(self.a) == 1:
            products = self.a[0] * self.v[0]
        else:
            products = np.prod([products_same(n, m) for n, m in zip(self.a, self.v, strict=True)])
        parts = [2 if dtype.startswith("complex") else 1 for dtype in (self.a_dtype, self.v_dtype)]
        return float(products) * parts[0] * parts[1]


def products_same(n: int, m: int) -> int:
    return sum(n - abs(k - (m - 1) // 2) for k in range(m))


def cases() -> Iterator[Case]:
    for dtype in ("float64", "float32"):
        yield from (Case(dtype, dtype, (N,), (m,)) for m in FLOAT_TAPS)
    pairs = [("complex128", "complex128"), ("complex128", "float64"), ("float64", "complex128")]
    pairs += [("complex64", "complex64"), ("complex64", "float32"), ("float32", "complex64")]
    pairs += [(dtype, dtype) for dtype in ("int8", "int16", "int32", "int64")]
    for a_dtype, v_dtype in pairs:
        yield from (Case(a_dtype, v_dtype, (N,), (m,)) for m in OTHER_TAPS)
    for dtype in ("float64", "float32", "complex128", "complex64", "int16", "int32", "int64"):
        yield from (Case(dtype, dtype, (SIDE, SIDE), (k, k)) for k in SIDES)


def sample(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> NDArray:
    if dtype.startswith("int"):
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


def best_seconds(call: Callable[[], object], budget: float) -> float:
    """The fastest of as many calls as the budget allows, ten at least."""
    call()
    best, end, calls = float("inf"), time.perf_counter() + budget, 0
    while calls < 10 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        calls += 1
    return best


def gmacs(case: Case, budget: float) -> float:
    rng = np.random.default_rng(0)
    a, v = sample(rng, case.a_dtype, case.a), sample(rng, case.v_dtype, case.v)
    if a.ndim == 1:
        convolve, mode, shape = fastconv.convolve, "full", (a.size + v.size - 1,)
    else:
        convolve, mode, shape = fastconv.convolve2d, "same", a.shape
    out = np.empty(shape, np.result_type(a, v))
    quick = a.ndim == 1 and fastconv.explain(a, v, mode).method == "direct"
    keywords = {"out": out} if quick else {"out": out, "method": "direct"}
    seconds = best_seconds(lambda: convolve(a, v, mode, **keywords), budget)
    return case.macs / seconds / 1e9


def main() -> None:
    available = [level["name"] for level in _core.levels() if level["available"]]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--level", choices=available, help="this one alone")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="rows whose name matches")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each row (0.05)")
    options = parser.parse_args()
    before = _core.level()
    try:
        for level in [options.level] if options.level else available:
            _core.use_level(level)
            print(f"\n{level:<44} {'GMAC/s':>8} {'peak':>8} {'share':>7}")
            for case in cases():
                if fnmatch(case.name, options.only):
                    peak = _core.peak(level, case.ceiling_dtype)
                    speed = gmacs(case, options.seconds)
                    share = speed / peak
                    print(f"{case.name:<44} {speed:8.1f} {peak:8.1f} {share:7.0%}", flush=True)
    finally:
        _core.use_level(before)


if __name__ == "__main__":
    main()
