"""numpy's own sums, some at a time: the answers of one call of numpy's."""

from fractions import Fraction

import numpy as np
import oracle
import pytest

import fastconv

MODES = pytest.mark.parametrize("mode", ["full", "same", "valid"])
SIZES = [(3000, 900), (900, 3000), (1601, 1601), (4000, 700), (1_000_000, 3)]


def same(got, want):
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    if got.dtype == object:
        assert [type(x) for x in got[:5]] == [type(x) for x in want[:5]]
        assert (got == want).all()
    else:
        np.testing.assert_array_equal(np.signbit(got.real), np.signbit(want.real))
        np.testing.assert_array_equal(got, want)


@MODES
@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("dtypes", ["gg", "Gd", "gD", "GG", "eg"])
def test_long_doubles(dtypes, n, m, mode, rng):
    a, v = (
        oracle.draw(rng, (size,), "complex128" if dtype in "DG" else "float64").astype(dtype)
        for size, dtype in zip((n, m), dtypes, strict=True)
    )
    a[5] = np.nan
    same(fastconv.convolve(a, v, mode), np.convolve(a, v, mode))
    same(fastconv.correlate(a, v, mode), np.correlate(a, v, mode))


@MODES
@pytest.mark.parametrize(("n", "m"), [(410, 300), (300, 410)])
def test_objects(n, m, mode, rng):
    """Python's integers, which have no end, and fractions."""
    a = np.array([int(x) << 70 for x in rng.integers(-9, 10, n)], object)
    v = np.array([Fraction(int(x), 7) for x in rng.integers(-9, 10, m)], object)
    same(fastconv.convolve(a, v, mode), np.convolve(a, v, mode))
    same(fastconv.correlate(a, v, mode), np.correlate(a, v, mode))


def test_lines_and_lags(rng):
    a = oracle.draw(rng, (2, 3000), "float64").astype("g")
    v = oracle.draw(rng, (900,), "float64").astype("g")
    got = fastconv.convolve(a, v, "same", axis=1)
    for line, result in zip(a, got, strict=True):
        same(result, np.convolve(line, v, "same"))
    middle = fastconv.correlate(a[0], v, max_lag=10)
    same(middle, np.correlate(a[0], v, "full")[v.size - 11 : v.size + 10])
