"""Integers and bool: exact modulo 2^bits at every size, whatever method is asked for."""

import numpy as np
import oracle
import pytest

METHODS = pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap"])
DTYPES = pytest.mark.parametrize("dtype", [*oracle.INTEGERS, "bool"])


@METHODS
@DTYPES
def test_full_range(level, dtype, method, rng):
    a, v = oracle.draw(rng, 3000, dtype), oracle.draw(rng, 2000, dtype)
    expected = oracle.exact(a, v)
    oracle.assert_exact(level.convolve(a, v, method=method), expected)
    for mode in ("same", "valid"):
        got = level.convolve(a, v, mode, method=method)
        oracle.assert_exact(got, oracle.crop(expected, a.shape, v.shape, mode))


@METHODS
@DTYPES
def test_at_the_ends_of_the_range(level, dtype, method):
    corners = [False, True] if dtype == "bool" else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    for x in corners:
        for y in corners:
            a, v = np.full(1500, x, dtype), np.full(700, y, dtype)
            oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))


@METHODS
@pytest.mark.parametrize("bits", [1, 4, 8, 12, 16, 20, 24, 31, 40, 63])
def test_magnitudes_around_the_rounding_bound(level, bits, method, rng):
    """Where a double still proves its rounding, and where it no longer does."""
    a = rng.integers(-(2**bits), 2**bits, 4000)
    v = rng.integers(-(2**bits), 2**bits, 1500)
    oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))


@METHODS
def test_one_large_among_small(level, method, rng):
    """The bound must see the largest value, wherever it is."""
    for dtype, large in (("int32", -(2**31)), ("int64", 2**62), ("int64", -(2**63))):
        for at in (0, 1, 1234, 2999):
            a = rng.integers(-9, 9, 3000).astype(dtype)
            a[at] = large
            v = rng.integers(-9, 9, 1000).astype(dtype)
            v[-1 - at // 4] = large
            oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))


@METHODS
def test_alternating_and_aligned(level, method):
    """Sums as large as they get: constant, and of alternating sign."""
    signs = (-1) ** np.arange(3000)
    for dtype, x in (("int8", 127), ("int16", 32767), ("int32", 2**31 - 1), ("int64", 2**53 + 1)):
        a, v = np.full(3000, x, dtype), (signs[:1000] * x).astype(dtype)
        oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))
        oracle.assert_exact(level.convolve(v, v, method=method), oracle.exact(v, v))


@METHODS
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "bool"])
def test_images(level, dtype, method, rng):
    for a_shape, v_shape in [((60, 70), (25, 31)), ((5, 200), (5, 150)), ((9, 9), (30, 30))]:
        a, v = oracle.draw(rng, a_shape, dtype), oracle.draw(rng, v_shape, dtype)
        for mode in ("full", "same", "valid"):
            got = level.convolve2d(a, v, mode, method=method)
            oracle.assert_exact(got, oracle.convolve(a, v, mode))


@METHODS
def test_mostly_false(level, method, rng):
    """One true pair in a sea of false, and the OR of many."""
    a, v = np.zeros(5000, bool), np.zeros(3000, bool)
    a[4321] = v[17] = True
    oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))
    ones = np.ones(5000, bool)
    oracle.assert_exact(level.convolve(ones, ones[:3000], method=method), np.ones(7999, bool))


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_long_audio(level, dtype, rng):
    """Sizes where a transform is chosen, and taken only when it is proven."""
    a, v = oracle.draw(rng, 100_000, dtype), oracle.draw(rng, 1_000, dtype)
    oracle.assert_exact(level.convolve(a, v), oracle.exact(a, v))


@pytest.mark.parametrize(
    "types", [("int8", "int64"), ("uint8", "int16"), ("bool", "int32"), ("int32", "uint32")]
)
def test_promotion(level, types, rng):
    a, v = oracle.draw(rng, 2000, types[0]), oracle.draw(rng, 900, types[1])
    oracle.assert_exact(level.convolve(a, v, method="fft"), oracle.exact(a, v))


@METHODS
def test_bits_do_not_depend_on_memory(level, method, rng):
    a, v = oracle.draw(rng, 2000, "int32"), oracle.draw(rng, 700, "int32")
    expected = oracle.exact(a, v)
    spread = np.empty(6000, "int32")
    spread[1::3] = a
    oracle.assert_exact(level.convolve(spread[1::3], v[::-1].copy()[::-1], method=method), expected)
    swapped = a.astype(a.dtype.newbyteorder())
    oracle.assert_exact(level.convolve(swapped, v, method=method), expected)
