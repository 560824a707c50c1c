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
