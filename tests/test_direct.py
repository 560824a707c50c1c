"""The direct kernels: every length near their vectors and blocks, every dtype and level."""

import numpy as np
import oracle
import pytest

TYPES = pytest.mark.parametrize("types", oracle.PAIRS, ids="-".join)
LONGEST = 130  # two vectors of 64 bytes of int8, and two more


def growing(a, v):
    """(m, a * v[:m]) for every m, each from the one before by one shifted copy of a."""
    dtype = np.result_type(a, v)
    wide = np.complex128 if dtype.kind == "c" else np.int64
    full = np.zeros(len(a) + len(v) - 1, wide)
    for k, tap in enumerate(v.astype(wide)):
        full[k : k + len(a)] += tap * a.astype(wide)
        so_far = full[: len(a) + k]
        yield k + 1, (so_far != 0) if dtype.kind == "b" else so_far.astype(dtype)


@TYPES
def test_every_short_length(level, types, rng):
    a, v = (oracle.draw_small(rng, LONGEST, t) for t in types)
    for n in range(1, LONGEST + 1):
        for m, expected in growing(a[:n], v):
            got = level.convolve(a[:n], v[:m], method="direct")
            if not np.array_equal(got, expected):
                oracle.assert_exact(got, expected)  # says where
    assert got.dtype == expected.dtype


@TYPES
@pytest.mark.parametrize("mode", ["same", "valid"])
def test_windows_of_short_lengths(level, types, mode, rng):
    a, v = (oracle.draw_small(rng, 70, t) for t in types)
    for n in range(1, 70, 3):
        for m, full in growing(a[:n], v):
            expected = oracle.crop(full, (n,), (m,), mode)
            got = level.convolve(a[:n], v[:m], mode, method="direct")
            if not np.array_equal(got, expected):
                oracle.assert_exact(got, expected)


# Around register blocks (8 and 16 vectors), chunks and tap tiles (1024, 2048).
SIZES = [
    *[(n + d, 31) for n in (128, 256, 512, 1024) for d in (-1, 0, 1)],
    *[(5000, m + d) for m in (64, 127, 256, 1024, 2048) for d in (-1, 0, 1)],
    (200, 3000),
    (4096, 4096),
    (100_003, 5),
]


@TYPES
def test_noise(level, types, rng):
    for n, m in SIZES:
        a, v = oracle.draw(rng, n, types[0]), oracle.draw(rng, m, types[1])
        got = level.convolve(a, v, method="direct")
        oracle.assert_within(got, a, v, "full", "direct")
        for mode in ("same", "valid"):
            part = level.convolve(a, v, mode, method="direct")
            oracle.assert_within(part, a, v, mode, "direct")
            if len(part) > 16 or min(n, m) <= 128:  # else dot products, in another order
                oracle.assert_same_bits(part, oracle.crop(got, a.shape, v.shape, mode))


@pytest.mark.parametrize("m", [100, 250, 1000])
def test_roundings_that_pull_one_way_grow_with_a_sweep(level, m):
    """Of like terms: through one accumulator 100 are off by up to 23 u s, 1,000 by 245 u s."""
    for x, y in zip(np.linspace(1, 2, 40), np.linspace(1.9, 1.1, 40), strict=True):
        a, v = np.full(2 * m + 300, x, np.float32), np.full(m, y, np.float32)
        got = level.convolve(a, v, "valid", method="direct")
        s = m * np.longdouble(a[0]) * np.longdouble(v[0])
        assert abs(got - s).max() <= 8 * 2.0**-24 * s


@pytest.mark.parametrize("dtype", [*oracle.FLOATS, "int16", "int64", "bool"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_correlate(level, dtype, mode, rng):
    for n, m in [(1, 1), (40, 7), (7, 40), (8, 40), (40, 8), (300, 129), (64, 64)]:
        a, v = oracle.draw_small(rng, n, dtype), oracle.draw_small(rng, m, dtype)
        got = level.correlate(a, v, mode, method="direct")
        oracle.assert_exact(got, oracle.correlate(a, v, mode).astype(dtype))


# --- two dimensions ----------------------------------------------------------------


@TYPES
def test_every_small_kernel(level, types, rng):
    image = oracle.draw_small(rng, (13, 37), types[0])
    for kh in range(1, 9):
        for kw in range(1, 18):
            kernel = oracle.draw_small(rng, (kh, kw), types[1])
            expected = oracle.full(image, kernel).astype(np.result_type(*types))
            got = level.convolve2d(image, kernel, method="direct")
            oracle.assert_exact(got, expected)


IMAGES = [
    ((1, 1), (1, 1)),
    ((1, 200), (1, 9)),
    ((200, 1), (9, 1)),
    ((1, 50), (50, 1)),
    ((50, 1), (1, 50)),
    ((3, 4), (7, 9)),
    ((4, 90), (7, 5)),
    ((64, 64), (3, 3)),
    ((65, 63), (5, 5)),
    ((31, 130), (7, 7)),
    ((70, 71), (11, 11)),
    ((40, 41), (15, 31)),
    ((16, 16), (16, 16)),
]


@TYPES
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_images(level, types, mode, rng):
    for a_shape, v_shape in IMAGES:
        larger = [n >= m for n, m in zip(a_shape, v_shape, strict=True)]
        if mode == "valid" and any(larger) and not all(larger):
            continue  # neither contains the other
        a, v = oracle.draw(rng, a_shape, types[0]), oracle.draw(rng, v_shape, types[1])
        got = level.convolve2d(a, v, mode, method="direct")
        oracle.assert_within(got, a, v, mode, "direct")


NARROW = [((40, 2), (7, 2)), ((90, 3), (100, 2)), ((33, 7), (5, 5)), ((64, 19), (3, 2))]


@TYPES
@pytest.mark.parametrize(("shape", "kernel"), NARROW)
def test_narrow_images(level, types, shape, kernel, rng):
    a, v = oracle.draw(rng, shape, types[0]), oracle.draw(rng, kernel, types[1])
    for mode in ("full", "same", "valid") if shape[0] >= kernel[0] else ("full", "same"):
        got = level.convolve2d(a, v, mode, method="direct")
        oracle.assert_within(got, a, v, mode, "direct")
        out = np.zeros((*got.shape, 2), got.dtype)[..., 0]
        level.convolve2d(a, v, mode, method="direct", out=out)
        np.testing.assert_array_equal(out, got)


@pytest.mark.parametrize("kernel", [(60, 60), (40, 18), (600, 1), (300, 2)])
def test_roundings_of_a_picture_grow_with_a_sweep(level, kernel):
    """Of eight rows or 128 taps, and as many again: one accumulator is off by 0.24 taps u s."""
    taps = kernel[0] * kernel[1]
    sweep = 2 * max(8 * kernel[1], 128)
    shape = kernel[0] + 7, kernel[1] + 40
    for x, y in zip(np.linspace(1, 2, 40), np.linspace(1.9, 1.1, 40), strict=True):
        a, v = np.full(shape, x, np.float32), np.full(kernel, y, np.float32)
        got = level.convolve2d(a, v, "valid", method="direct")
        s = taps * np.longdouble(a[0, 0]) * np.longdouble(v[0, 0])
        assert abs(got - s).max() <= (0.25 * sweep + 8) * 2.0**-24 * s < 0.24 * taps * 2.0**-24 * s


# Kernels of several sweeps: rows near the ends of a picture meet some of them, and a part of one.
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [((60, 70), (19, 19)), ((90, 70), (50, 3)), ((400, 150), (300, 1)), ((700, 300), (26, 7))],
)
def test_bits_do_not_depend_on_the_window(level, dtype, shape, kernel, rng):
    a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, kernel, dtype)
    whole = level.convolve2d(a, v, method="direct", workers=1)
    for mode in ("full", "same", "valid"):
        for workers in (1, 3):
            part = level.convolve2d(a, v, mode, method="direct", workers=workers)
            oracle.assert_same_bits(part, oracle.crop(whole, shape, kernel, mode))


@pytest.mark.parametrize("dtype", [*oracle.FLOATS, "int32"])
def test_correlate2d(level, dtype, rng):
    for a_shape, v_shape in IMAGES:
        a, v = oracle.draw(rng, a_shape, dtype), oracle.draw(rng, v_shape, dtype)
        got = level.correlate2d(a, v, "full", method="direct")
        oracle.assert_within(got, a, v[::-1, ::-1].conj(), "full", "direct")


# --- nothing but the values decides the bits -----------------------------------------


@TYPES
@pytest.mark.parametrize(("n", "m"), [(1000, 31), (500, 129), (130, 500), (64, 3)])
def test_bits_do_not_depend_on_memory(level, types, n, m, rng):
    a, v = oracle.draw(rng, n, types[0]), oracle.draw(rng, m, types[1])
    expected = level.convolve(a, v, method="direct")
    for offset in (1, 3, 5):
        room_a, room_v = np.empty(n + offset, a.dtype), np.empty(m + offset, v.dtype)
        room_a[offset:], room_v[offset:] = a, v
        got = level.convolve(room_a[offset:], room_v[offset:], method="direct")
        oracle.assert_same_bits(got, expected)
    spread = np.empty(2 * n, a.dtype)
    spread[::2] = a
    oracle.assert_same_bits(level.convolve(spread[::2], v, method="direct"), expected)
    backwards = a[::-1].copy()[::-1]
    got = level.convolve(backwards, v[::-1].copy()[::-1], method="direct")
    oracle.assert_same_bits(got, expected)
    out = np.empty(3 * len(expected) + 1, expected.dtype)[1::3]
    assert level.convolve(a, v, method="direct", out=out) is out
    oracle.assert_same_bits(out.copy(), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int16"])
def test_bits_do_not_depend_on_memory_2d(level, dtype, rng):
    a, v = oracle.draw(rng, (40, 50), dtype), oracle.draw(rng, (5, 4), dtype)
    expected = level.convolve2d(a, v, method="direct")
    oracle.assert_same_bits(level.convolve2d(np.asfortranarray(a), v, method="direct"), expected)
    padded = np.empty((43, 57), dtype)
    padded[2:42, 3:53] = a
    oracle.assert_same_bits(level.convolve2d(padded[2:42, 3:53], v, method="direct"), expected)
    flipped = a[::-1, ::-1].copy()[::-1, ::-1]
    oracle.assert_same_bits(level.convolve2d(flipped, v, method="direct"), expected)


@TYPES
def test_dirty_scratch(level, types, rng):
    """What an earlier call leaves in working memory never reaches a result."""
    bad = np.full(4000, np.nan if np.result_type(*types).kind in "fc" else 1).astype(types[0])
    for n, m in [(50, 7), (1000, 129), (10, 900)]:
        a, v = oracle.draw(rng, n, types[0]), oracle.draw(rng, m, types[1])
        level.convolve(bad, np.ones(500, types[1]), method="direct")
        got = level.convolve(a, v, method="direct")
        oracle.assert_within(got, a, v, "full", "direct")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_nan_and_inf_stay_where_they_are(level, dtype, rng):
    for n, m in [(200, 5), (300, 64), (50, 150), (900, 130)]:
        for side in (0, 1):
            pair = [oracle.draw(rng, n, dtype), oracle.draw(rng, m, dtype)]
            pair[side][rng.integers(0, len(pair[side]), 2)] = np.nan, np.inf
            pair[1 - side][rng.integers(0, len(pair[1 - side]))] = 0
            oracle.assert_within(level.convolve(*pair, method="direct"), *pair, "full", "direct")
