"""Transforms: overlap-save, one-shot and tiles, at every size, within their bounds."""

import numpy as np
import oracle
import pytest
from test_direct import growing

METHODS = pytest.mark.parametrize("method", ["fft", "overlap"])
FLOAT_PAIRS = [(t, t) for t in oracle.FLOATS] + oracle.MIXED
TYPES = pytest.mark.parametrize("types", FLOAT_PAIRS, ids="-".join)


def assert_nearly_whole(got, expected):
    """Whole numbers below 2^14 come back from a transform to within 2^-8."""
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert abs(got - expected).max() < 2.0**-8


@METHODS
@TYPES
def test_every_short_length(level, types, method, rng):
    longest = 72
    a, v = (oracle.draw_small(rng, longest, t) for t in types)
    for n in range(1, longest + 1):
        for m, expected in growing(a[:n], v):
            got = level.convolve(a[:n], v[:m], method=method)
            assert_nearly_whole(got, expected)


@METHODS
@TYPES
def test_noise(level, types, method, rng):
    sizes = [(3000, 2000), (5000, 100), (100, 5000), (1023, 1025), (9999, 333), (20000, 64)]
    for n, m in sizes:
        a, v = oracle.draw(rng, n, types[0]), oracle.draw(rng, m, types[1])
        reference = oracle.reference(a, v)
        for mode in ("full", "same", "valid"):
            reference.assert_within(level.convolve(a, v, mode, method=method), mode)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_around_block_lengths(level, dtype, method, rng):
    """One block more or less, a block exactly full, for even and odd numbers of blocks."""
    v = oracle.draw(rng, 65, dtype)
    whole = oracle.draw(rng, 5000, dtype)
    for block in (128, 192, 256, 320, 512, 640, 960, 1024, 2048, 4096):
        step = block - len(v) + 1
        for blocks in (1, 2, 3, 4, 7):
            for n in {blocks * step + d for d in (-1, 0, 1)} | {
                blocks * step - len(v) + 1 + d for d in (-1, 0, 1)
            }:
                if 1 <= n <= 5000:
                    a = whole[:n]
                    oracle.assert_within(level.convolve(a, v, method=method), a, v)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equal_lengths(level, dtype, method, rng):
    for n in [*range(73, 300, 13), 511, 512, 513, 1000, 1023, 1024, 1025, 1500, 2047, 2048, 3001]:
        a, v = oracle.draw(rng, n, dtype), oracle.draw(rng, n, dtype)
        oracle.assert_within(level.convolve(a, v, method=method), a, v)


@METHODS
@pytest.mark.parametrize("types", [("float32",) * 2, ("float64",) * 2, ("complex128",) * 2])
def test_long(level, types, method, rng):
    for n, m in [(50_000, 20_000), (200_000, 1_000)]:
        a, v = oracle.draw(rng, n, types[0]), oracle.draw(rng, m, types[1])
        reference = oracle.reference(a, v)
        reference.assert_within(level.convolve(a, v, method=method), accuracy="auto")


IMAGES = [
    ((1, 1), (1, 1)),
    ((1, 300), (1, 40)),
    ((300, 1), (40, 1)),
    ((1, 60), (60, 1)),
    ((9, 7), (20, 31)),
    ((64, 64), (15, 15)),
    ((61, 67), (31, 9)),
    ((100, 50), (50, 100)),
    ((128, 129), (33, 32)),
]


@METHODS
@TYPES
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_images(level, types, mode, method, rng):
    for a_shape, v_shape in IMAGES:
        larger = [n >= m for n, m in zip(a_shape, v_shape, strict=True)]
        if mode == "valid" and any(larger) and not all(larger):
            continue
        a, v = oracle.draw(rng, a_shape, types[0]), oracle.draw(rng, v_shape, types[1])
        got = level.convolve2d(a, v, mode, method=method)
        oracle.assert_within(got, a, v, mode)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_every_small_image(level, dtype, method, rng):
    for h in range(1, 12):
        for w in range(1, 12):
            a = oracle.draw_small(rng, (h, w), dtype)
            v = oracle.draw_small(rng, (rng.integers(1, 12), rng.integers(1, 12)), dtype)
            expected = oracle.full(a, v).astype(dtype)
            assert_nearly_whole(level.convolve2d(a, v, method=method), expected)


@METHODS
def test_correlate(level, method, rng):
    for dtype in oracle.FLOATS:
        for n, m in [(2000, 300), (300, 2000), (301, 2000), (1000, 1000)]:
            a, v = oracle.draw(rng, n, dtype), oracle.draw(rng, m, dtype)
            reference = oracle.reference(a, v[::-1].conj())
            full = level.correlate(a, v, "full", method=method)
            reference.assert_within(full, "full")
            for mode in ("same", "valid"):
                got = level.correlate(a, v, mode, method=method)
                reference.assert_within(got, mode, correlate=True)


@METHODS
@TYPES
def test_bits_do_not_depend_on_memory(level, types, method, rng):
    a, v = oracle.draw(rng, 3000, types[0]), oracle.draw(rng, 700, types[1])
    expected = level.convolve(a, v, method=method)
    room = np.full(6001, np.nan, a.dtype)
    room[1::2] = a
    oracle.assert_same_bits(level.convolve(room[1::2], v, method=method), expected)
    oracle.assert_same_bits(level.convolve(a, v[::-1].copy()[::-1], method=method), expected)
    out = np.full(expected.shape[0] + 1, np.nan, expected.dtype)[1:]
    level.convolve(a, v, method=method, out=out)
    oracle.assert_same_bits(out.copy(), expected)
    level.convolve(np.full(5000, np.nan, a.dtype), v, method=method)  # leaves scratch dirty
    oracle.assert_same_bits(level.convolve(a, v, method=method), expected)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_dirty_scratch(level, dtype, method, rng):
    bad = np.full(20_000, np.nan, dtype)
    for n, m in [(20, 9), (700, 130), (5000, 800)]:
        a, v = oracle.draw(rng, n, dtype), oracle.draw(rng, m, dtype)
        level.convolve(bad, v, method=method)
        oracle.assert_within(level.convolve(a, v, method=method), a, v)
    bad = np.full((150, 150), np.inf, dtype)
    a, v = oracle.draw(rng, (50, 60), dtype), oracle.draw(rng, (20, 20), dtype)
    level.convolve2d(bad, v, method=method)
    oracle.assert_within(level.convolve2d(a, v, method=method), a, v)


@pytest.mark.parametrize("dtype", oracle.FLOATS)
@pytest.mark.parametrize("factor", [1, 1e-12, 1e15])
def test_a_signal_with_itself(level, dtype, factor, rng):
    """One transform forward does, in one dimension and two, wherever the signal lies."""
    for n in (30, 700, 2500):
        apart = (oracle.draw(rng, (n, 2), dtype) * factor).astype(dtype)[:, 0]
        a = apart.copy()
        for mode in ("full", "same", "valid"):
            result = level.convolve(a, a, mode, method="fft")
            oracle.assert_within(result, a, a, mode)
            oracle.assert_same_bits(level.convolve(apart, apart, mode, method="fft"), result)
            oracle.assert_same_bits(level.convolve(a, a, mode, method="fft", workers=2), result)
    p = (oracle.draw(rng, (40, 33), dtype) * factor).astype(dtype)
    oracle.assert_within(level.convolve2d(p, p, method="fft"), p, p)
    bad = a.copy()
    bad[n // 3] = np.nan
    oracle.assert_within(level.convolve(bad, bad, method="fft"), bad, bad)


@pytest.mark.parametrize("dtype", ["int16", "uint8", "int64"])
def test_integers_with_themselves(level, dtype, rng):
    for n in (3000, 40):
        a = oracle.draw(rng, n, dtype)
        oracle.assert_within(level.convolve(a, a, method="fft"), a, a)


@pytest.mark.parametrize("dtype", oracle.FLOATS)
def test_methods_agree(level, dtype, rng):
    """Every method within the sum of two bounds of every other, 1-D and 2-D."""
    for a_shape, v_shape, call in [
        ((2500,), (401,), "convolve"),
        ((70, 80), (25, 30), "convolve2d"),
    ]:
        a, v = oracle.draw(rng, a_shape, dtype), oracle.draw(rng, v_shape, dtype)
        bound = oracle.reference(a, v).bound("auto")
        results = [
            getattr(level, call)(a, v, method=method)
            for method in ("auto", "direct", "fft", "overlap")
        ]
        for one in results:
            for two in results:
                assert (abs(one - two) <= 2 * bound).all()


def rms(x):
    return np.sqrt(np.mean(abs(x.astype(np.clongdouble)) ** 2))


@pytest.mark.parametrize("dtype", oracle.FLOATS)
@pytest.mark.parametrize(("n", "m"), [(4000, 4000), (20000, 500)])
def test_no_worse_than_scipy(level, dtype, n, m, rng):
    """rms error at most 1.25 of scipy's pocketfft, the contract's figure."""
    signal = pytest.importorskip("scipy.signal")
    a, v = oracle.draw(rng, n, dtype), oracle.draw(rng, m, dtype)
    exact = oracle.reference(a, v).full
    theirs = signal.oaconvolve(a, v) if n > 2 * m else signal.fftconvolve(a, v)
    ours = level.convolve(a, v, method="overlap" if n > 2 * m else "fft")
    assert rms(ours - exact) <= 1.25 * rms(theirs - exact)
