"""Integers and bool: exact modulo 2^bits at every size, whatever method is asked for."""

import numpy as np
import oracle
import pytest

from fastconv import _core

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


LONG = pytest.mark.parametrize("dtype", ["int16", "uint32", "int64"])


def at_most(width, count, dtype):
    """The number whose balanced digits of this width are all at their largest magnitude."""
    x = sum(-(2 ** (width - 1)) << (width * i) for i in range(count))
    return np.array([x % 2**64], np.uint64).astype(dtype)[0]


@pytest.mark.parametrize("method", ["fft", "overlap"])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_digits_at_their_largest(level, method, dtype):
    """Where sums of products come closest to the bound: constant, and of alternating sign."""
    bits = np.iinfo(dtype).bits
    signs = (-1) ** np.arange(3000)
    for width in (8, 11, 13, 14, 16, 22):
        x = at_most(width, -(-bits // width), dtype)
        a, v = np.full(3000, x), np.full(1200, x)
        oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))
        a, v = (a * signs).astype(dtype), (v * signs[:1200]).astype(dtype)
        oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))


@pytest.mark.parametrize("method", ["fft", "overlap"])
@pytest.mark.parametrize("dtype", ["int16", "int32", "int64", "uint64"])
def test_small_with_large(level, method, dtype, rng):
    """One operand in a single digit, of any width, the other in several, and the reverse."""
    for bits in (1, 5, 9, 14):
        large = oracle.draw(rng, 4000, dtype)
        small = rng.integers(0, 2**bits, 1500).astype(dtype)
        for a, v in [(large, small), (small, large[:1500]), (large[:1500], small)]:
            oracle.assert_exact(level.convolve(a, v, method=method), oracle.exact(a, v))


@LONG
def test_around_block_lengths(level, dtype, rng):
    """Every way to transform, one block more or less, of digits that fill some blocks alone."""
    run = type(level)(level.name, _core, level.ran).run
    v = oracle.draw(rng, 100, dtype)
    whole = oracle.draw(rng, 7000, dtype)
    for block, lanes in [(160, 1), (256, 1), (320, 1), (256, 0), (512, 0), (1024, 0)]:
        step = block - len(v) + 1
        plan = {"method": "overlap", "block": (1, block), "lanes": lanes, "ring": "rounded"}
        for n in [blocks * step + d for blocks in (1, 2, 16, 33) for d in (-100, -99, -1, 0, 1)]:
            if 1 <= n <= len(whole):
                a = whole[:n]
                got = run(a, v, [(0, n + len(v) - 1)], plan=plan)
                oracle.assert_exact(got, oracle.full(a, v))


@METHODS
@LONG
def test_lines_and_banks(level, method, dtype, rng):
    """Digits of every line, of every kernel and of every result, in rows and in columns."""
    a, v = oracle.draw(rng, (5, 900), dtype), oracle.draw(rng, (3, 1, 400), dtype)
    expected = np.stack([[oracle.full(x, k[0]) for x in a] for k in v])
    oracle.assert_exact(level.convolve(a, v, axis=-1, method=method), expected)
    one = level.convolve(a[:1], v, axis=-1, method=method)
    oracle.assert_exact(one, np.ascontiguousarray(expected[:, :1]))
    columns = level.convolve(np.ascontiguousarray(a.T), v[0, 0], axis=0, method=method)
    oracle.assert_exact(columns, np.ascontiguousarray(expected[0].T))


@METHODS
@LONG
def test_workers_and_prepared_kernels(level, method, dtype, rng):
    a, v = oracle.draw(rng, 60_000, dtype), oracle.draw(rng, 3_000, dtype)
    expected = oracle.exact(a, v)
    oracle.assert_exact(level.convolve(a, v, method=method, workers=3), expected)
    kernel = level.Convolver(v, method=method)
    for _ in range(2):
        oracle.assert_exact(kernel(a), expected)


@METHODS
def test_wide_pictures(level, method, rng):
    for dtype in ("int32", "uint64"):
        a, v = oracle.draw(rng, (200, 310), dtype), oracle.draw(rng, (31, 20), dtype)
        for mode in ("full", "same", "valid"):
            got = level.convolve2d(a, v, mode, method=method)
            oracle.assert_exact(got, oracle.convolve(a, v, mode))


def test_digits_are_as_few_as_proven(rng):
    """Whose products have one weight are added before they come back: 15 transforms for int64."""
    a, v = oracle.draw(rng, 100_000, "int64"), oracle.draw(rng, 100_000, "int64")
    job = _core.Job(a.shape, v.shape, "int64", "int64", [(0, 199_999)], method="fft")
    job.scan(a, v)
    assert job.choose()["digits"] == (5, 5)
