"""Calls so short that the way in is most of their time: a third of numpy's at most."""

from functools import partial
from statistics import median
from timeit import Timer

import numpy as np
import pytest
from scipy import signal

import fastconv

SIZES = ((8, 3), (64, 8))
DTYPES = ("float64", "float32", "int64")
FUNCTIONS = ("convolve", "correlate")
ROUNDS, LAPS, LOOPS = 3, 200, 200


def arrays(n, m, dtype):
    rng = np.random.default_rng(n)
    return tuple(rng.integers(-100, 100, size).astype(dtype) for size in (n, m))


@pytest.mark.parametrize("library", [fastconv, np, signal], ids=lambda library: library.__name__)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_small(benchmark, name, n, m, dtype, library):
    a, v = arrays(n, m, dtype)
    function = getattr(library, name)
    if library is signal and name == "correlate":
        function = partial(function, mode="valid")  # numpy's default
    ours, theirs = getattr(fastconv, name)(a, v), function(a, v)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-2)
    assert ours.dtype == theirs.dtype
    benchmark.group = f"{name} {n}*{m} {dtype}"
    benchmark(function, a, v)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_at_most_a_third_of_numpy(name, n, m, dtype):
    """Interleaved; the median of three ratios of best times."""
    a, v = arrays(n, m, dtype)
    timers = [
        Timer("f(a, v)", globals={"f": getattr(library, name), "a": a, "v": v})
        for library in (fastconv, np)
    ]
    ratios = []
    for _ in range(ROUNDS):
        laps = [[timer.timeit(LOOPS) for timer in timers] for _ in range(LAPS)]
        ours, numpys = (min(times) for times in zip(*laps, strict=True))
        ratios.append(ours / numpys)
    assert median(ratios) <= 1 / 3
