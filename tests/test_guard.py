"""The Values: NaN and Inf stay local, small values survive, blocks do not leak.

Each family is a signal that some transform gets wrong. The default call must stay
within accuracy='auto' on all of them, whichever method it takes, and so must every
method that is asked for by name.
"""

import numpy as np
import oracle
import pytest
import scipy.signal

import fastconv

METHODS = pytest.mark.parametrize("method", ["auto", "fft", "overlap"])
DTYPES = pytest.mark.parametrize("dtype", oracle.FLOATS)


def reals(n, m, dtype):
    """(a, v) of each family, as float64; tiny and huge are relative to the dtype."""
    rng = np.random.default_rng(n + m)
    noise, taps = rng.standard_normal(n), rng.standard_normal(m)
    info = np.finfo(dtype)
    ramp = np.linspace(0, 1, n)
    spikes = 1e-6 * noise
    spikes[rng.integers(0, n, 3)] = 1e9
    runs = noise.copy()
    runs[n // 5 : n // 2] = 0
    runs[-n // 8 :] = 0
    blocks = noise * np.repeat([1, 1e-9, 1e9, 1e-3, 1, 1e-12], n // 6 + 1)[:n]
    step = np.where(np.arange(n) < n // 2, 1e10, 1e-10) * noise
    return {
        "noise": (noise, taps),
        "constant": (np.full(n, 3.3), np.full(m, 0.7)),
        "alternating": ((-1.0) ** np.arange(n), (-1.0) ** np.arange(m)),
        "exponential tail": (noise * np.exp(-60 * ramp), taps),
        "exponential tails": (np.exp(-40 * ramp), np.exp(-30 * np.linspace(0, 1, m))),
        "decaying kernel": (noise, taps * np.exp(-50 * np.linspace(0, 1, m))),
        "spikes beside noise": (spikes, taps),
        "spike in the kernel": (noise, np.r_[1e8, 1e-8 * taps[1:]]),
        "one sample": (np.eye(1, n, n // 3)[0], taps),
        "runs of zeros": (runs, taps),
        "zeros at both ends": (np.where((ramp > 0.4) & (ramp < 0.6), noise, 0), taps),
        "loud and quiet blocks": (blocks, taps),
        "loud, then quiet": (step, taps),
        "quiet, then loud": (step[::-1], taps),
        "denormal": (noise * (64 * float(info.smallest_subnormal)), taps),
        "tiny": (noise * (8 * float(info.tiny)), taps),
        "tiny by large": (noise * (8 * float(info.tiny)), taps / (1024 * float(info.tiny))),
        "huge": (noise * (float(info.max) / 2.0**20), taps / 2.0**6),
        "near overflow": (noise * (float(info.max) / 16), np.abs(taps) / np.abs(taps).sum()),
        "overflowing": (noise * (float(info.max) / 8), taps),
        "zero": (np.zeros(n), taps),
    }


FAMILIES = list(reals(12, 6, "float32"))


def family(name, n, m, dtype):
    a, v = reals(n, m, dtype)[name]
    if np.dtype(dtype).kind == "c":
        a, v = a * np.exp(1j * np.arange(n)), v * np.exp(2j * np.arange(m))
    with np.errstate(over="ignore", under="ignore"):
        return a.astype(dtype), v.astype(dtype)


@METHODS
@DTYPES
@pytest.mark.parametrize("name", FAMILIES)
def test_families(level, name, dtype, method):
    for n, m in [(2000, 2000), (6000, 900)]:
        a, v = family(name, n, m, dtype)
        reference = oracle.reference(a, v)
        for mode in ("full", "same", "valid"):
            reference.assert_within(level.convolve(a, v, mode, method=method), mode)


@DTYPES
@pytest.mark.parametrize(("n", "m"), [(188, 310), (310, 188), (100_000, 190), (190, 966)])
@pytest.mark.parametrize("mode", ["full", "same"])
def test_ends_that_fade_within_a_block(level, n, m, mode, dtype, rng):
    """The last products fall on a part of a block, beside louder ones."""
    for which in range(2):
        a, v = rng.standard_normal(n), rng.standard_normal(m)
        (a, v)[which][:] *= 0.5 ** np.minimum(np.arange((n, m)[which]), 100)
        a, v = a.astype(dtype), v.astype(dtype)
        for x, y in ((a, v), (a[::-1], v[::-1])):
            oracle.reference(x, y).assert_within(level.convolve(x, y, mode), mode)


@DTYPES
@pytest.mark.parametrize("method", ["fft", "overlap"])
@pytest.mark.parametrize(
    ("n", "m", "pause"),
    [(1800, 187, 330), (4000, 90, 220), (187, 1800, 330), (1800, 10, 150), (5000, 64, 200)],
)
def test_a_pause_between_loud_parts(level, n, m, pause, method, dtype, rng):
    """Outputs that meet the pause alone are fewer than a block, beside loud ones."""
    for first in (70, 600, 1111):
        a, v = rng.standard_normal((3, n)), rng.standard_normal(m)
        longer = a[1] if n > m else v
        longer[first : first + pause] *= 1e-12
        a, v = a.astype(dtype), v.astype(dtype)
        reference = oracle.reference(a[1], v)
        for lines, axis in ((a[1:2], 1), (a, 1), (a.T, 0)):
            y = level.convolve(lines, v, axis=axis, method=method)
            rows = np.moveaxis(y, axis, 1)
            reference.assert_within(rows[len(rows) // 2])


@DTYPES
def test_zeros_that_are_padded_with_stay_zeros(level, dtype, rng):
    for n, m, before, behind in [(300, 150, 0, 138), (500, 283, 250, 40), (6000, 900, 333, 777)]:
        a, v = oracle.draw(rng, n, dtype), oracle.draw(rng, m, dtype)
        a[:before] = 0
        v[m - min(behind, m - 1) :] = 0
        rows = level.convolve(np.stack([a, a[::-1], np.zeros(n, dtype)]), v, axis=-1)
        columns = level.convolve(np.stack([a] * 20, axis=1), v, axis=0)
        empty = min(behind, m - 1)
        for line in (level.convolve(a, v), rows[0], columns[:, 3]):
            assert not line[:before].any()
            assert not line[n + m - 1 - empty :].any()
        assert not rows[1][n + m - 1 - before - empty :].any()
        assert not rows[2].any()


def test_lines_whose_squares_are_none(level, rng):
    x, k = rng.standard_normal((4, 3000)), rng.standard_normal(300)
    x[1] *= 1e-200 * np.exp(-0.1 * np.arange(3000))
    x[2] *= np.exp(-0.2 * np.arange(3000))
    for taps in (k, k * 1e-190):
        result = level.convolve(x, taps, axis=1)
        for line, signal in zip(result, x, strict=True):
            oracle.reference(signal, taps).assert_within(line, "full")


@pytest.mark.parametrize(("n", "m", "apart"), [((200_000,), 1000, 10_000), ((600, 600), 30, 100)])
@pytest.mark.parametrize("quiet", [2.0**-24, 2.0**-34])
def test_floats_in_double(level, n, m, apart, quiet, rng):
    """Quiet nearly everywhere, between loud samples that every transform in single meets."""
    a = rng.standard_normal(n) * quiet
    a[(slice(apart // 2, None, apart),) * len(n)] = 1
    a, v = a.astype("f4"), rng.standard_normal((m,) * len(n)).astype("f4")
    result = (level.convolve if a.ndim == 1 else level.convolve2d)(a, v, "valid")
    some, taps = a[: 20 * m if a.ndim == 1 else 2 * m].astype("f8"), v.astype("f8")
    exact = scipy.signal.convolve(some, taps, "valid", "direct")
    terms = scipy.signal.convolve(np.abs(some), np.abs(taps), "valid", "direct")
    assert np.max(np.abs(result[: len(exact)] - exact) / terms) < 2.0**-8
    told = fastconv.explain(a, v, "valid").reasons
    assert any("double precision" in reason for reason in told), told


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [f for f in FAMILIES if f not in ("huge", "overflowing")])
def test_families_at_length(level, name, dtype):
    """Where auto surely takes a transform; the numbers of a reference must not overflow."""
    a, v = family(name, 50_000, 5_000, dtype)
    if name == "near overflow":
        a = a / np.asarray(16, a.dtype)
    oracle.assert_within(level.convolve(a, v, "same"), a, v, "same")


@pytest.mark.parametrize(
    "name", ["noise", "exponential tail", "loud and quiet blocks", "spikes beside noise"]
)
def test_swapped_and_correlated(level, name):
    a, v = family(name, 6000, 900, "float64")
    oracle.assert_within(level.convolve(v, a), v, a)
    reference = oracle.reference(a, v[::-1])
    reference.assert_within(level.correlate(a, v, "full"), "full")


# --- two dimensions ----------------------------------------------------------------


def turned_to(dtype, a, v):
    """Of a complex dtype, neither real nor imaginary."""
    if np.dtype(dtype).kind == "c":
        a, v = a * (0.6 + 0.8j), v * (0.8 - 0.6j)
    with np.errstate(under="ignore"):
        return a.astype(dtype), v.astype(dtype)


def pictures():
    rng = np.random.default_rng(11)
    a, v = rng.standard_normal((120, 130)), rng.standard_normal((33, 35))
    loud_rows = a * np.where(np.arange(120) % 40 < 20, 1e9, 1e-9)[:, None]
    loud_columns = a * np.where(np.arange(130) < 65, 1e-8, 1e8)
    tiles = a * np.kron(10.0 ** rng.integers(-10, 10, (4, 5)), np.ones((30, 26)))
    spike = 1e-7 * a
    spike[60, 60] = 1e9
    framed = np.zeros_like(a)
    framed[50:70, 40:90] = a[50:70, 40:90]
    tail = a * np.exp(-np.linspace(0, 50, 120))[:, None]
    bump = np.exp(-(np.linspace(-6, 6, 33)[:, None] ** 2) - np.linspace(-6, 6, 35) ** 2)
    return {
        "noise": (a, v),
        "loud rows": (loud_rows, v),
        "loud columns": (loud_columns, v),
        "tiles": (tiles, v),
        "spike": (spike, v),
        "framed": (framed, v),
        "tail": (tail, v),
        "bump": (np.abs(a), bump),
        "constant": (np.full_like(a, 0.1), np.full_like(v, 0.3)),
        "overflowing": (a * 1e307, v),
    }


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("name", list(pictures()))
def test_pictures(level, name, dtype, method):
    a, v = pictures()[name]
    if name == "overflowing":
        a = a * (float(np.finfo(dtype).max) / 1e308 / 8)
    a, v = turned_to(dtype, a, v)
    reference = oracle.reference(a, v)
    for mode in ("full", "same", "valid"):
        reference.assert_within(level.convolve2d(a, v, mode, method=method), mode)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_corners_of_large_pictures(level, dtype, rng):
    """Bells that fade towards their borders: what is lost there is enough to be transformed again.

    A corner of the result is the corner of the convolution of two corners.
    """
    bell = np.exp(-(np.linspace(-3.5, 3.5, 400) ** 2))
    a, v = ((rng.standard_normal((400, 400)) * bell * bell[:, None]).astype(dtype) for _ in "av")
    got, quick = (level.convolve2d(a, v, accuracy=accuracy) for accuracy in ("auto", "normwise"))
    wrong = lost = 0
    for k, turn in [(40, 1), (40, -1)]:
        corner = oracle.reference(a[::turn, ::turn][:k, :k], v[::turn, ::turn][:k, :k])
        exact, s = corner.full[:k, :k], corner.s[:k, :k]
        bound = oracle.ACCURACY[a.itemsize] * s
        wrong += (abs(got[::turn, ::turn][:k, :k] - exact) > bound).sum()
        lost += (abs(quick[::turn, ::turn][:k, :k] - exact) > bound).sum()
    assert wrong == 0
    assert lost > 0, "there is nothing to repair: the test shows nothing"


# --- more dimensions ----------------------------------------------------------------


def volumes():
    rng = np.random.default_rng(12)
    a, v = rng.standard_normal((22, 26, 40)), rng.standard_normal((6, 7, 9))
    i, j, k = np.ogrid[:22, :26, :40]
    spike = 1e-7 * a
    spike[11, 13, 20] = 1e9
    framed = np.zeros_like(a)
    framed[7:15, 9:20, 12:30] = a[7:15, 9:20, 12:30]
    tiles = a * np.kron(10.0 ** rng.integers(-10, 10, (2, 2, 4)), np.ones((11, 13, 10)))
    return {
        "noise": (a, v),
        "positive": (abs(a), abs(v)),
        "as long": (abs(a[:11, :12, :18]), rng.random((11, 10, 14))),
        "loud slabs": (a * np.where(i < 11, 1e9, 1e-9), v),
        "loud rows": (a * np.where(j < 13, 1e-8, 1e8), v),
        "loud columns": (a * np.where(k < 21, 1e-8, 1e8), v),
        "tiles": (tiles, v),
        "spike": (spike, v),
        "framed": (framed, v),
        "tails": (a * np.exp(-2.0 * i - j - 0.5 * k), v),
        "bump": (a, v * np.exp(-((i[:6] - 3) ** 2) - (j[:, :7] - 3) ** 2 - (k[..., :9] - 4) ** 2)),
        "zero": (np.zeros_like(a), v),
        "four axes": (a.reshape(22, 13, 2, 40), rng.standard_normal((5, 4, 2, 7))),
        "one slice": (a, v[:1]),
    }


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("name", list(volumes()))
def test_volumes(level, name, dtype, method):
    a, v = turned_to(dtype, *volumes()[name])
    reference = oracle.reference(a, v)
    for mode in ("full", "same", "valid"):
        got = level.signal.convolve(a, v, mode, method=method)
        reference.assert_within(got, mode)
        if mode == "full":
            turned = level.signal.convolve(v, a, mode, method=method)
            reference.assert_within(turned, mode)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("count", [1, 30, 6000])
def test_non_finite_volumes(level, dtype, method, count, rng):
    """Few are added at the end, many make it direct; either operand may hold them."""
    a, v = oracle.draw(rng, (20, 24, 30), dtype), oracle.draw(rng, (5, 6, 7), dtype)
    v[1, 2, 3] = 0
    where = rng.choice(a.size, count, replace=False)
    a.flat[where] = rng.choice([np.nan, np.inf, -np.inf], count)
    for pair in ((a, v), (v, a)):
        got = level.signal.convolve(*pair, method=method)
        oracle.assert_within(got, *pair)


@pytest.mark.parametrize("scale", [1e-120, 1e-90, 1e80, 1e100])
def test_pictures_far_from_one(level, scale, rng):
    a, v = oracle.draw(rng, (90, 100), "float64"), oracle.draw(rng, (31, 30), "float64")
    oracle.assert_within(level.convolve2d(a * scale, v * scale, method="fft"), a * scale, v * scale)


@pytest.mark.parametrize(
    ("shape", "taps"), [((2000, 500), (20, 9)), ((4000, 8), (1000, 3)), ((4000, 64), (1000, 32))]
)
def test_a_quiet_column_of_taps(level, shape, taps, rng):
    """The first column of the result, which alone has none but quiet terms, is redone by itself."""
    a, v = rng.random(shape).astype("float32"), rng.random(taps).astype("float32")
    v[:, 0] *= 1e-6
    got = level.signal.convolve(a, v)
    first = np.convolve(a[:, 0].astype(float), v[:, 0].astype(float))
    np.testing.assert_allclose(got[:, 0], first, rtol=oracle.ACCURACY[4])


# --- NaN and Inf -------------------------------------------------------------------

BAD = {
    "one nan": [(0.3, np.nan)],
    "one inf": [(0.7, np.inf)],
    "nan at the start": [(0.0, np.nan)],
    "inf at the end": [(1.0, -np.inf)],
    "opposite infs near": [(0.5, np.inf), (0.5005, -np.inf)],
    "many": [(x, (np.nan, np.inf, -np.inf)[i % 3]) for i, x in enumerate(np.linspace(0, 1, 41))],
}


def spoil(x, bad):
    x = x.copy()
    for where, value in bad:
        x.flat[round(where * (x.size - 1))] = value
    return x


@METHODS
@DTYPES
@pytest.mark.parametrize("bad", list(BAD))
def test_non_finite(level, bad, dtype, method, rng):
    for n, m in [(3000, 400), (2000, 2000)]:
        a, v = oracle.draw(rng, n, dtype), oracle.draw(rng, m, dtype)
        v[m // 2] = 0  # Inf * 0 is NaN
        for pair in ((spoil(a, BAD[bad]), v), (a, spoil(v, BAD[bad]))):
            reference = oracle.reference(*pair)
            for mode in ("full", "same", "valid"):
                reference.assert_within(level.convolve(*pair, mode, method=method), mode)


@METHODS
@pytest.mark.parametrize("types", oracle.MIXED, ids="-".join)
def test_non_finite_mixed(level, types, method, rng):
    a, v = oracle.draw(rng, 3000, types[0]), oracle.draw(rng, 500, types[1])
    bad = spoil(a, BAD["many"])
    oracle.assert_within(level.convolve(bad, v, method=method), bad, v)
    if types[0].startswith("complex"):
        a[1000] = complex(1, np.inf)
        oracle.assert_within(level.convolve(a, v, method=method), a, v)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_non_finite_pictures(level, dtype, method, rng):
    a, v = oracle.draw(rng, (90, 100), dtype), oracle.draw(rng, (30, 25), dtype)
    v[3, 4] = 0
    for value in (np.nan, np.inf):
        for at in ((0, 0), (45, 50), (89, 99)):
            bad = a.copy()
            bad[at] = value
            for mode in ("full", "same", "valid"):
                oracle.assert_within(level.convolve2d(bad, v, mode, method=method), bad, v, mode)
    bad = a.copy()
    bad[rng.integers(0, 90, 30), rng.integers(0, 100, 30)] = np.nan
    oracle.assert_within(level.convolve2d(bad, v, method=method), bad, v)
    oracle.assert_within(level.convolve2d(v, bad, method=method), v, bad)


@METHODS
@pytest.mark.parametrize("name", ["exponential tail", "loud and quiet blocks"])
def test_small_values_beside_nan(level, name, method):
    """The rest is as accurate as without the NaN."""
    a, v = family(name, 6000, 900, "float64")
    a[4000] = np.nan
    oracle.assert_within(level.convolve(a, v, method=method), a, v)


@METHODS
def test_all_nan(level, method):
    a, v = np.full(3000, np.nan), np.ones(700)
    assert np.isnan(level.convolve(a, v, method=method)).all()
    assert np.isnan(level.convolve(v, a, method=method)).all()


# --- the other promises ----------------------------------------------------------------


@DTYPES
def test_normwise(level, dtype):
    """Faster, within its own bound; zeros and NaN are as in every other method."""
    for name in ("noise", "exponential tail", "runs of zeros", "loud and quiet blocks"):
        a, v = family(name, 6000, 900, dtype)
        got = level.convolve(a, v, method="fft", accuracy="normwise")
        reference = oracle.reference(a, v)
        bound = reference.bound("normwise")
        error = abs(got - reference.full)
        assert (error <= np.maximum(bound, bound.max())).all()


@METHODS
@DTYPES
def test_componentwise(level, dtype, method):
    """|err_i| <= c u s_i, as direct sums have it."""
    for name in ("noise", "exponential tail", "spikes beside noise", "runs of zeros"):
        a, v = family(name, 3000, 900, dtype)
        got = level.convolve(a, v, method=method, accuracy="componentwise")
        oracle.assert_within(got, a, v, "full", "direct")
