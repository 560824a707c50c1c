"""What means of blocks do not show: zeros and quiet samples at ends, in corners, beside a block."""

import itertools

import numpy as np
import oracle
import pytest
import scipy.signal

METHODS = pytest.mark.parametrize("method", ["auto", "fft", "overlap"])


def click(x):
    x[tuple(n // 3 for n in x.shape)] = 1e5
    return x


TAILS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.random(shape),
    "Laplace": lambda rng, shape: rng.laplace(size=shape),
    "lognormal": lambda rng, shape: np.exp(1.5 * rng.standard_normal(shape)),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "a click": lambda rng, shape: click(rng.standard_normal(shape)),
}


def assert_kept(got, a, v):
    """What 'auto' promises of single precision, by scipy's own sums in double."""
    a, v = a.astype(float), v.astype(float)
    exact = scipy.signal.convolve(a, v, method="direct")
    s = scipy.signal.convolve(abs(a), abs(v), method="direct")
    assert (abs(got - exact) <= oracle.ACCURACY[got.itemsize] * s).all()


@pytest.mark.parametrize("of_v", list(TAILS))
@pytest.mark.parametrize("of_a", list(TAILS))
def test_edges_of_few_products(level, of_a, of_v, rng):
    """By chance an output of few terms is smaller than most: more so where few terms are large."""
    for shape, taps in [((64, 90), (31, 20)), ((14, 20, 25), (9, 8, 11))]:
        a, v = TAILS[of_a](rng, shape), TAILS[of_v](rng, taps)
        a, v = a.astype(np.float32), v.astype(np.float32)
        assert_kept(level.signal.convolve(a, v, method="fft"), a, v)


@pytest.mark.parametrize(
    ("shape", "taps", "low"),
    [
        ((200, 220), (25, 25), 0),
        ((200, 220), (25, 25), 1e-4),
        ((40, 40, 40), (9, 9, 9), 1e-4),  # zeros among so few products are the heuristic's gap
    ],
)
def test_edges_of_few_loud_samples(level, shape, taps, low, rng):
    """What most of the data is like says nothing of a frame around it."""
    a, v = rng.standard_normal(shape), rng.standard_normal(taps)
    frame = np.ones(shape, bool)
    frame[(slice(1, -1),) * len(shape)] = False
    a[frame] *= np.where(rng.random(frame.sum()) < 0.05, 20, low)
    a, v = a.astype(np.float32), v.astype(np.float32)
    assert_kept(level.signal.convolve(a, v, method="fft"), a, v)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "taps", "corner"),
    [((300, 310), (31, 31), (6, 20)), ((40, 44, 48), (9, 9, 9), (3, 3, 10))],
)
def test_empty_corners(level, shape, taps, corner, dtype, rng):
    """Of less than a block, in every corner: what no product falls on is zero."""
    a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, taps, dtype)
    ends = list(itertools.product([1, -1], repeat=len(shape)))
    inside = tuple(slice(0, n) for n in corner)
    for turns in ends:
        a[tuple(slice(None, None, turn) for turn in turns)][inside] = 0
    full = level.signal.convolve(a, v, method="fft")
    for turns in ends:
        assert not full[tuple(slice(None, None, turn) for turn in turns)][inside].any()


def ball(shape):
    """Ones in the ellipse, or ellipsoid, that fills the array."""
    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    return (sum(x**2 for x in axes) < 1).astype(float)


BACKGROUNDS = {
    "around": ball,
    "stripes": lambda shape: (np.indices(shape).sum(0) // 15 % 2).astype(float),
    "clipped": lambda shape: np.clip(np.sin(np.indices(shape).sum(0) / 9) * 2 - 0.5, 0, 1),
    "few": lambda shape: (np.random.default_rng(8).random(shape) < 0.002).astype(float),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("of_v", ["noise", "ball"])
@pytest.mark.parametrize("name", list(BACKGROUNDS))
@pytest.mark.parametrize(("shape", "taps"), [((110, 120), (15, 17)), ((24, 28, 33), (6, 7, 5))])
def test_empty_backgrounds(level, shape, taps, name, of_v, dtype, rng):
    """Beside what is empty all is kept; what no product falls on is zero, whatever the strides."""
    if name == "clipped" and dtype == "float32":
        pytest.skip("shades within a block are the heuristic's gap in single precision")
    a = oracle.draw(rng, shape, dtype) * BACKGROUNDS[name](shape)
    v = oracle.draw(rng, taps, dtype) * (ball(taps) if of_v == "ball" else 1)
    a, v = a.astype(dtype), v.astype(dtype)
    wide = "complex128" if dtype[0] == "c" else "float64"
    exact = scipy.signal.convolve(a.astype(wide), v.astype(wide), method="direct")
    s = scipy.signal.convolve(abs(a).astype(float), abs(v).astype(float), method="direct")
    for method in ("fft", "overlap"):
        got = level.signal.convolve(a, v, method=method)
        tolerance = oracle.ACCURACY[got.real.itemsize]
        assert (abs(got - exact) <= tolerance * s).all()
        backwards = np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1]
        turned = level.signal.convolve(backwards, v, method=method)
        np.testing.assert_array_equal(got, turned)
    apart = np.zeros((*shape, 2), dtype)
    apart[..., 1] = a
    np.testing.assert_array_equal(level.signal.convolve(apart[..., 1], v, method="overlap"), got)


def rounded(shape, radius):
    """Which samples of a picture whose corners are quarters of a disc there are."""
    inside = [np.maximum(radius - x, x - (n - radius)) for n, x in centres(shape)]
    return np.maximum(inside[0], 0)[:, None] ** 2 + np.maximum(inside[1], 0) ** 2 <= radius**2


def centres(shape):
    return [(n, np.arange(n) + 0.5) for n in shape]


def edge_strip(shape, factor):
    """The first few samples of the first row and of the first column are quiet."""
    scale = np.ones(shape)
    scale[:4, 0] = scale[0, :16] = factor
    return scale


CORNERS = {
    "rounded, 5": rounded((90, 120), 5),
    "rounded, 8": rounded((90, 120), 8),
    "a quiet strip": edge_strip((90, 120), 1e-9),
    "an empty strip": edge_strip((90, 120), 0),
    "one empty sample": 1 - np.eye(90, 120) * (np.arange(90) == 0)[:, None],
    "even": np.ones((90, 120)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("name", list(CORNERS))
def test_corners_finer_than_a_block(level, name, dtype, rng):
    """Of either operand, at any corner, under kernels that fade and that do not."""
    discs = rounded((15, 15), 7.5)
    fading = np.hanning(17)[1:-1, None] * np.hanning(17)[1:-1]
    turns = [(1, 1), (-1, 1), (1, -1), (-1, -1)]
    for i, taps in enumerate((np.ones((15, 15)), discs, fading, CORNERS[name][:15, :21])):
        a = oracle.draw(rng, (90, 120), dtype) * CORNERS[name].astype(dtype)
        v = oracle.draw(rng, taps.shape, dtype) * taps.astype(dtype)
        for turn in (turns[i], turns[i - 1]):
            turned = a[:: turn[0], :: turn[1]]
            reference = oracle.reference(turned, v)
            for method in ("fft", "overlap"):
                reference.assert_within(level.convolve2d(turned, v, method=method), "full")


def with_a_click(rng):
    """And a gap longer than the kernel, both in one block, in middling noise."""
    a = 1e-4 * rng.standard_normal(20000)
    a[8960:8968], a[8968:9086] = 1, a[8968:9086] * 1e-9
    return a, rng.standard_normal(64)


def with_a_quiet_end(rng):
    """Quiet, then a few samples, under a kernel that ends with an echo."""
    a, v = (rng.uniform(0.5, 1, n) * rng.choice([-1, 1], n) for n in (6430, 354))
    a *= 1e-2
    a[6000:6020], a[6302:6400], v[256:316] = 100, a[6302:6400] * 1e-10, v[256:316] * 1e-10
    return a, v


def under_a_low_pass(rng):
    return rng.standard_normal(4096), np.sinc(np.linspace(-25, 25, 1023)) * np.hamming(1023)


HIDDEN = {f.__name__: f for f in (with_a_click, with_a_quiet_end, under_a_low_pass)}


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("name", list(HIDDEN))
def test_what_lies_beside_blocks_that_are_sound(level, name, dtype, method, rng):
    a, v = (x.astype(dtype) for x in HIDDEN[name](rng))
    for line in (a, a[::-1]):
        oracle.assert_within(level.convolve(line, v, method=method), line, v)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("rows", [17, 24])
def test_columns_of_long_rows(level, rows, dtype, rng):
    """Longer than what is added up at once: quiet at an end or within, or not finite somewhere."""
    shape, taps = (rows, 2507), oracle.draw(rng, (9, 23), dtype)
    for first in (0, 970, 1267, 2387):
        a = oracle.draw(rng, shape, dtype)
        a[:, first : first + 120] *= 1e-9
        oracle.assert_within(level.convolve2d(a, taps, method="overlap"), a, taps)
    for at in ((0, 0), (rows - 1, 1023), (3, 1024), (rows - 1, 2506)):
        a = oracle.draw(rng, shape, dtype)
        a[at] = np.nan
        oracle.assert_within(level.convolve2d(a, taps, method="overlap"), a, taps)


def test_a_quiet_spot_on_the_edge_of_an_even_corner(level, rng):
    a, v = rng.uniform(0.5, 1, (200, 200)), rng.uniform(0.5, 1, (30, 5))
    a[0, 10:15] = 1e-12
    oracle.assert_within(level.convolve2d(a, v, method="fft"), a, v)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize(
    ("shape", "size"), [((200, 210), 25), ((300, 150), 61), ((40, 36, 44), 13)], ids=str
)
def test_outputs_around_a_disc_are_zero(level, shape, size, dtype, rng):
    """Or a ball; what it leaves empty reaches beyond a block. Turned, it is the picture."""
    axes = np.ogrid[tuple(slice(0.5 - size / 2, size / 2) for _ in shape)]
    disc = sum(x**2 for x in axes) <= (size / 2) ** 2
    a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, disc.shape, dtype) * disc
    empty = level.signal.convolve(np.ones(shape, int), disc.astype(int)) == 0
    assert empty.sum() > 100
    for got in (
        level.signal.convolve(a, v, method="fft"),
        level.signal.convolve(v, a, method="fft"),
    ):
        assert not got[empty].any()
        assert np.count_nonzero(got[~empty]) > 0.99 * np.count_nonzero(~empty)


GAPS = {
    "rows": (slice(70, 150), slice(None)),
    "columns": (slice(None), slice(60, 170)),
    "a hole": (slice(40, 150), slice(50, 180)),
    "all behind": (slice(100, None), slice(None)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("gap", list(GAPS))
@pytest.mark.parametrize(("shape", "taps"), [((230, 240), (31, 23)), ((300, 30), (33, 9))])
def test_gaps_in_pictures(level, shape, taps, gap, mode, dtype, rng):
    """Zeros up to the last sample that none but zeros reach, where they are a block or more."""
    a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, taps, dtype)
    a[GAPS[gap]] = 0
    there = scipy.signal.fftconvolve((a != 0).astype(float), np.ones(taps), mode) > 0.5
    got = level.signal.convolve(a, v, mode, method="fft")
    assert not got[~there].any()
    assert got[there].all()
    want = scipy.signal.fftconvolve(a.astype(complex), v, mode)
    unit = np.finfo(dtype).eps * np.linalg.norm(a) * np.linalg.norm(v)
    np.testing.assert_allclose(got, want, rtol=0, atol=8 * unit)
