"""scipy's rules in N-D: axes, broadcasting and modes. The oracle is the judge of values."""

import itertools

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastconv import signal

scipys = pytest.importorskip("scipy.signal")


def nests(shape1, shape2):
    pairs = list(zip(shape1, shape2, strict=True))
    return all(n >= m for n, m in pairs) or all(n <= m for n, m in pairs)


MODES = ["full", "same", "valid"]
METHODS = ["auto", "direct", "fft", "overlap"]
SHAPES = [
    ((9,), (4,)),
    ((4,), (9,)),
    ((6, 7), (3, 2)),
    ((3, 7), (5, 2)),
    ((1, 6), (4, 3)),
    ((5, 4, 6), (2, 3, 1)),
    ((2, 3, 4), (5, 4, 7)),
    ((4, 3, 5), (4, 3, 5)),
    ((3, 2, 4, 3), (2, 1, 3, 2)),
    ((2, 1, 1, 2), (3, 2, 1, 4)),
]


def flipped(v):
    return v[(slice(None, None, -1),) * v.ndim].conj()


def assert_along(result, in1, in2, mode, axes, accuracy):
    """Every slice of what is carried along, against the oracle."""
    axes = [axis % in1.ndim for axis in axes]
    carried = [d for d in range(in1.ndim) if d not in axes]
    order = (*carried, *axes)
    result, in1, in2 = (x.transpose(order) for x in (result, in1, in2))
    batch = len(carried)
    shape = np.broadcast_shapes(in1.shape[:batch], in2.shape[:batch])
    assert result.shape[:batch] == shape
    a, v = (np.broadcast_to(x, (*shape, *x.shape[batch:])) for x in (in1, in2))
    for at in np.ndindex(shape):
        oracle.assert_within(result[at], a[at], v[at], mode, accuracy, swap=False)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("shape1", "shape2", "mode"),
    [(*pair, mode) for pair in SHAPES for mode in MODES if mode != "valid" or nests(*pair)],
)
def test_along_every_axis(shape1, shape2, mode, method, level, rng):
    for first, second in oracle.PAIRS:
        in1, in2 = oracle.draw(rng, shape1, first), oracle.draw(rng, shape2, second)
        got = level.signal.convolve(in1, in2, mode, method)
        oracle.assert_within(got, in1, in2, mode, swap=False)
        got = level.signal.correlate(in1, in2, mode, method)
        oracle.assert_within(got, in1, flipped(in2), mode, swap=False)


def some_axes(ndim):
    return [
        axes for count in range(1, ndim + 1) for axes in itertools.combinations(range(ndim), count)
    ]


@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axes", some_axes(3), ids=str)
def test_some_axes(name, mode, axes, level, rng):
    """The others are equal or one of both is 1; either input may be the longer."""
    for n, m in ((6, 3), (4, 7), (5, 5), (2, 1)):
        for ones in itertools.product([(3, 3), (1, 3), (3, 1), (1, 1)], repeat=3 - len(axes)):
            ones = iter(ones)
            lengths = [(n + d, m) if d in axes else next(ones) for d in range(3)]
            shape1, shape2 = zip(*lengths, strict=True)
            if mode == "valid" and not nests(
                *(tuple(s[d] for d in axes) for s in (shape1, shape2))
            ):
                continue
            for first, second in (("float64", "float64"), ("complex64", "float32")):
                in1, in2 = oracle.draw(rng, shape1, first), oracle.draw(rng, shape2, second)
                got = getattr(level.signal, name)(in1, in2, mode, axes)
                assert_along(got, in1, in2, mode, axes, "normwise")
                assert got.flags.c_contiguous


shapes = st.integers(1, 4).flatmap(
    lambda ndim: st.tuples(*[st.tuples(*[st.integers(1, 6)] * ndim)] * 2)
)


def outcome(function, *args):
    """The result, or what a ValueError says."""
    try:
        return function(*args), None
    except ValueError as error:
        return None, str(error)


@given(shapes, st.sampled_from(MODES), st.data())
def test_shapes_and_refusals_are_scipys(shapes, mode, data):
    """But for the batch that scipy drops from 'same' (scipy/scipy#21876)."""
    shape1, shape2 = shapes
    ndim = len(shape1)
    axes = data.draw(
        st.none()
        | st.integers(-ndim - 1, ndim)
        | st.lists(st.integers(-ndim, ndim - 1), max_size=ndim)
    )
    in1, in2 = np.ones(shape1), np.ones(shape2)
    for name in ("fftconvolve", "oaconvolve"):
        expected, refusal = outcome(getattr(scipys, name), in1, in2, mode, axes)
        got, ours = outcome(getattr(signal, name), in1, in2, mode, axes)
        if refusal is not None:
            assert ours is not None
            assert ours.startswith(refusal)
            continue
        if mode == "same" and got.shape != expected.shape:
            convolved = range(ndim) if axes is None else [d % ndim for d in np.atleast_1d(axes)]
            for d in range(ndim):
                longest = max(shape1[d], shape2[d])
                assert got.shape[d] == (shape1[d] if d in convolved else longest)
            got = got[tuple(slice(n) for n in shape1)]
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9, strict=True)


@given(shapes, st.sampled_from(MODES), st.sampled_from(METHODS), st.sampled_from(oracle.PAIRS))
def test_any_shapes(shapes, mode, method, dtypes):
    shape1, shape2 = shapes
    if mode == "valid" and not nests(shape1, shape2):
        return
    rng = np.random.default_rng(0)
    in1, in2 = (oracle.draw(rng, s, t) for s, t in zip(shapes, dtypes, strict=True))
    oracle.assert_within(signal.convolve(in1, in2, mode, method), in1, in2, mode, swap=False)
    got = signal.correlate(in1, in2, mode, method)
    oracle.assert_within(got, in1, flipped(in2), mode, swap=False)


def test_same_keeps_the_batch():
    got = signal.fftconvolve(np.ones((1, 100)), np.ones((7, 10)), "same", axes=-1)
    assert got.shape == (7, 100)
    assert scipys.fftconvolve(np.ones((1, 100)), np.ones((7, 10)), "same", axes=-1).shape != (
        7,
        100,
    )


@pytest.mark.parametrize(
    "axes", [(0, 1), (1, 0), [-1, 0], (axis for axis in (1, 0)), np.array([0, 1])]
)
def test_any_order_of_axes(axes, rng):
    in1, in2 = oracle.draw(rng, (6, 7, 3), "float64"), oracle.draw(rng, (3, 2, 1), "float64")
    listed = [0, 2] if isinstance(axes, list) else [0, 1]
    if isinstance(axes, list):
        in2 = in2.reshape(3, 1, 2)
    got = signal.fftconvolve(in1, in2, "same", axes)
    assert_along(got, in1, in2, "same", listed, "normwise")


def test_one_axis_by_its_number(rng):
    in1, in2 = oracle.draw(rng, (6, 7), "float64"), oracle.draw(rng, (6, 3), "float64")
    for axis in (1, -1, np.int8(1)):
        assert_along(signal.fftconvolve(in1, in2, axes=axis), in1, in2, "full", [1], "normwise")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_what_is_not_finite_stays_local(name, value, level, rng):
    in1, in2 = oracle.draw(rng, (40, 300), "float64"), oracle.draw(rng, (3, 40), "float64")
    in1[20, 100] = value
    got = getattr(level.signal, name)(in1, in2)
    oracle.assert_within(got, in1, in2, "full", "normwise")
    assert (~np.isfinite(got)).sum() == in2.size
    got = getattr(level.signal, name)(in1, in2[:1], axes=1)
    assert_along(got, in1, in2[:1], "full", [1], "normwise")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["fft", "overlap"])
@pytest.mark.parametrize(
    ("shape", "taps"),
    [((9, 12, 30), (3, 4, 7)), ((5, 4, 6, 9), (2, 3, 1, 4)), ((4, 4, 9), (2, 5, 4))],
)
def test_what_is_not_finite_meets_no_zeros_between(shape, taps, method, mode, dtype, level, rng):
    """Axes are flattened for a transform: just what each sample's taps reach is not finite."""
    in1, in2 = oracle.draw(rng, shape, dtype), oracle.draw(rng, taps, dtype)
    if mode == "valid" and taps[1] > shape[1]:
        in2 = in2[:, :3]
    for count, bad in ((1, np.nan), (2, np.inf), (in1.size // 2, -np.inf)):
        in1.flat[rng.integers(0, in1.size, count)] = bad
        got = level.signal.convolve(in1, in2, mode, method)
        oracle.assert_within(got, in1, in2, mode, swap=False)
    in2[0, 0, 0] = np.nan
    got = level.signal.convolve(in1, in2, mode, method)
    oracle.assert_within(got, in1, in2, mode, swap=False)


def measured_volume():
    """Part of a magnetic resonance scan of a head, which nibabel ships for its own tests."""
    nibabel = pytest.importorskip("nibabel")
    testing = pytest.importorskip("nibabel.testing")
    image = nibabel.load(f"{testing.data_path}/example4d.nii.gz")
    return np.asarray(image.dataobj)[30:80, 20:60, :20, 0]


def synthetic_volume():
    """Not measured: a ball with a hole, and noise."""
    z, y, x = np.mgrid[-1:1:30j, -1:1:36j, -1:1:20j]
    distance = np.sqrt(x**2 + y**2 + z**2)
    ball = 800 * ((distance < 0.9) & (distance > 0.3))
    return (ball + np.random.default_rng(5).normal(100, 12, ball.shape)).astype("int16")


@pytest.mark.parametrize("volume", [measured_volume, synthetic_volume])
@pytest.mark.parametrize("mode", MODES)
def test_a_volume(volume, mode, level):
    data = volume()
    assert data.ndim == 3
    assert data.dtype == np.int16
    binomial = np.array([1, 2, 1], "int16")
    cube = binomial[:, None, None] * binomial[:, None] * binomial
    oracle.assert_within(level.signal.convolve(data, cube, mode), data, cube, mode, swap=False)
    edges = np.diff(cube, axis=0, append=0)
    got = level.signal.correlate(data, edges, mode)
    oracle.assert_within(got, data, flipped(edges), mode, swap=False)
    soft, ball = data.astype("float32"), (cube / cube.sum()).astype("float32")
    got = level.signal.fftconvolve(soft, ball, mode)
    oracle.assert_within(got, soft, ball, mode, "normwise", swap=False)
    got = level.signal.fftconvolve(soft, ball[:1, :1], mode, axes=2)
    assert_along(got, soft, ball[:1, :1], mode, [2], "normwise")
