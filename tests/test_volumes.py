"""Convolutions of more than two axes: whichever is the longest, however the arrays lie."""

import itertools

import numpy as np
import oracle
import pytest

from fastconv import _core

METHODS = pytest.mark.parametrize("method", ["direct", "fft", "overlap"])
# The longest axis last, first and between; rows of few and of many vectors; tall kernels; pieces.
SHAPES = [
    ((5, 6, 40), (2, 3, 5)),
    ((90, 7, 3), (9, 2, 3)),
    ((60, 70, 3), (5, 4, 2)),
    ((4, 150, 5), (3, 8, 1)),
    ((12, 30, 17), (11, 25, 6)),
    ((3, 4, 5), (9, 20, 6)),
    ((2, 20, 30), (90, 3, 3)),
    ((20, 4, 30), (3, 15, 6)),
    ((40, 3, 4, 2), (7, 2, 2, 2)),
    ((3, 2, 4, 30), (2, 2, 3, 9)),
]


@pytest.fixture
def run(level):
    """_core.run at every level."""
    return type(level)(level.name, _core, level.ran).run


def whole(a, v):
    return [(0, n + m - 1) for n, m in zip(a.shape, v.shape, strict=True)]


def layouts(x):
    """The same numbers in every order of memory, backwards, with gaps and off by a byte."""
    for axes in itertools.permutations(range(x.ndim)):
        yield np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
    backwards = (slice(None, None, -1),) * x.ndim
    yield x[backwards].copy()[backwards]
    yield np.repeat(x, 2, axis=-1)[..., ::2]
    room = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    room[...] = x
    yield room


@METHODS
@pytest.mark.parametrize("dtype", [*oracle.FLOATS, "int8", "uint16", "int32", "int64", "bool"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_axis_may_be_the_longest(run, rng, shape, dtype, method):
    a, v = (oracle.draw(rng, s, dtype) for s in shape)
    got = run(a, v, whole(a, v), method=method)
    oracle.assert_within(got, a, v)
    part = [(hi // 4, hi - hi // 3) for _, hi in whole(a, v)]
    inner = tuple(slice(*window) for window in part)
    if np.dtype(dtype).kind in "iub":
        cut = run(a, v, part, method=method)
        oracle.assert_exact(cut, np.ascontiguousarray(oracle.exact(a, v)[inner]))


@pytest.mark.parametrize("types", oracle.MIXED, ids="-".join)
@pytest.mark.parametrize("shape", SHAPES[:5], ids=str)
def test_volumes_of_mixed_types(run, rng, shape, types):
    a, v = (oracle.draw(rng, s, dtype) for s, dtype in zip(shape, types, strict=True))
    oracle.assert_within(run(a, v, whole(a, v), method="direct"), a, v)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int16"])
def test_no_bit_depends_on_how_the_arrays_lie(run, rng, dtype, method):
    a, v = oracle.draw(rng, (20, 9, 4), dtype), oracle.draw(rng, (5, 3, 2), dtype)
    expected = run(a, v, whole(a, v), method=method)
    for lying in layouts(a):
        oracle.assert_same_bits(run(lying, v, whole(a, v), method=method), expected)
    for lying in layouts(v):
        oracle.assert_same_bits(run(a, lying, whole(a, v), method=method), expected)
    for lying in layouts(expected):
        lying[...] = 77
        run(a, v, whole(a, v), lying, method=method)
        oracle.assert_same_bits(np.ascontiguousarray(lying), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_taps_that_are_not_finite(run, rng, shape, dtype):
    """0 * Inf is nowhere: not beyond the ends of a, which lies as it may."""
    a, v = (oracle.draw(rng, s, dtype) for s in shape)
    larger = a if a.size >= v.size else v
    smaller = v if larger is a else a
    smaller[(-1,) * v.ndim] = np.inf
    smaller[(0,) * v.ndim] = np.nan
    for lying in (a, np.asfortranarray(a)):
        oracle.assert_within(run(lying, v, whole(a, v), method="direct"), a, v)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("shape", [((40, 60, 50), (3, 2, 4)), ((300, 90, 3), (9, 2, 3))], ids=str)
def test_pieces(level, rng, shape, dtype):
    """Larger than one, and shared out: no bit depends on how many threads there are."""
    a, v = (oracle.draw(rng, s, dtype) for s in shape)
    got = level.signal.convolve(a, v, method="direct", workers=1)
    oracle.assert_within(got, a, v)
    for workers in (2, 3):
        again = level.signal.convolve(a, v, method="direct", workers=workers)
        oracle.assert_same_bits(again, got)


# --- colours: channels side by side under one kernel ---------------------------------------


@pytest.mark.parametrize("dtype", [*oracle.FLOATS, "uint8", "int16", "int32", "int64", "bool"])
@pytest.mark.parametrize(
    "shape",
    [
        ((30, 41, 3), (5, 4)),
        ((7, 6, 2), (9, 8)),
        ((20, 50, 40), (3, 3)),
        ((9, 12, 20, 3), (2, 3, 5)),
    ],
    ids=str,
)
def test_colours(run, rng, shape, dtype):
    a, v = (oracle.draw(rng, s, dtype) for s in shape)
    windows = [*whole(a[..., 0], v), (0, a.shape[-1])]
    got = run(a, v[..., None], windows, method="direct")
    for c in range(a.shape[-1]):
        one = np.ascontiguousarray(a[..., c])
        oracle.assert_within(np.ascontiguousarray(got[..., c]), one, v)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64"])
def test_more_channels_than_fit(run, rng, dtype):
    """They come some at a time."""
    a, v = oracle.draw(rng, (4, 5, 3001), dtype), oracle.draw(rng, (3, 2, 1), dtype)
    oracle.assert_exact(run(a, v, whole(a, v), method="direct"), oracle.exact(a, v))


@pytest.mark.parametrize("dtype", ["float32", "complex128", "uint8", "int16"])
def test_no_bit_of_a_colour_depends_on_how_they_lie(run, rng, dtype):
    a, v = oracle.draw(rng, (12, 21, 3), dtype), oracle.draw(rng, (5, 3, 1), dtype)
    windows = whole(a, v)
    expected = run(a, v, windows, method="direct")
    for lying in layouts(a):
        oracle.assert_same_bits(run(lying, v, windows, method="direct"), expected)
    for lying in layouts(expected):
        lying[...] = 77
        run(a, v, windows, lying, method="direct")
        oracle.assert_same_bits(np.ascontiguousarray(lying), expected)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_colours_under_taps_that_are_not_finite(run, rng, dtype):
    a, v = oracle.draw(rng, (12, 21, 3), dtype), oracle.draw(rng, (5, 3), dtype)
    v[1, 2], a[4, 5, 1], a[0, 0, 2] = np.inf, np.nan, np.inf
    got = run(a, v[..., None], [*whole(a[..., 0], v), (0, 3)], method="direct")
    for c in range(3):
        one = np.ascontiguousarray(a[..., c])
        oracle.assert_within(np.ascontiguousarray(got[..., c]), one, v)


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
@pytest.mark.parametrize("dtype", ["float64", "uint8"])
def test_a_convolver_of_colours(level, rng, dtype, method, boundary):
    """Each colour as it is by itself, on two threads and in `out` as well."""
    a, v = oracle.draw(rng, (40, 31, 4), dtype), oracle.draw(rng, (5, 3), dtype)
    options = {"mode": "same", "method": method, "boundary": boundary}
    got = level.Convolver(v, axes=(0, 1), **options)(a)
    out = np.empty((4, 31, 40), dtype).transpose(2, 1, 0)
    level.Convolver(v, axes=(0, 1), workers=2, **options)(a, out=out)
    oracle.assert_same_bits(np.ascontiguousarray(out), got)
    for c in range(4):
        one = level.convolve2d(a[..., c], v, "same", boundary, method="direct")
        np.testing.assert_allclose(
            got[..., c], one, rtol=0, atol=1e-12 if dtype == "float64" else 0
        )
