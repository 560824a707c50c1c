"""What the engine does not compute in: longdouble, clongdouble and object, by plain sums."""

from fractions import Fraction

import numpy as np
import oracle
import pytest
from numpy.testing import assert_array_equal

from fastconv import signal

MODES = ["full", "same", "valid"]
SHAPES = [
    ((7,), (3,)),
    ((3,), (6,)),
    ((5, 4), (2, 3)),
    ((4, 3, 5), (2, 3, 1)),
    ((2, 3, 2), (3, 4, 2)),
]


def whole(rng, shape, dtype):
    """Whole numbers, of which no sum here is rounded."""
    values = rng.integers(-9, 10, shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.integers(-9, 10, shape)
    return values.astype(dtype)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape1", "shape2"), SHAPES)
@pytest.mark.parametrize("dtype", ["longdouble", "clongdouble"])
@pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap"])
def test_long_doubles(shape1, shape2, dtype, mode, method, rng):
    in1, in2 = whole(rng, shape1, dtype), whole(rng, shape2, dtype)
    got = signal.convolve(in1, in2, mode, method)
    assert_array_equal(got, oracle.convolve(in1, in2, mode, swap=False), strict=True)
    got = signal.correlate(in1, in2, mode, method)
    mirror = in2[(slice(None, None, -1),) * in2.ndim].conj()
    assert_array_equal(got, oracle.convolve(in1, mirror, mode, swap=False), strict=True)
    got = signal.fftconvolve(in1, in2, mode)
    assert_array_equal(got, oracle.convolve(in1, in2, mode, swap=False), strict=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape1", "shape2"), SHAPES)
def test_fractions(shape1, shape2, mode, rng):
    in1, in2 = whole(rng, shape1, "int64"), whole(rng, shape2, "int64")
    thirds = np.empty(shape1, object)
    thirds.flat = [Fraction(int(x), 3) for x in in1.flat]
    got = signal.convolve(thirds, in2.astype(object), mode)
    assert got.dtype == object
    expected = oracle.convolve(in1, in2, mode, swap=False)
    assert_array_equal((got * 3).astype("int64"), expected)
    assert_array_equal(got * 3, expected)


def test_beyond_64_bits():
    got = signal.convolve(np.array([[2**70, 1]], object), np.array([[3, 0]], object))
    assert got.tolist() == [[3 * 2**70, 3, 0]]


@pytest.mark.parametrize("mode", MODES)
def test_carried_axes(mode, rng):
    in1, in2 = whole(rng, (1, 6, 2), "longdouble"), whole(rng, (3, 4, 1), "longdouble")
    got = signal.oaconvolve(in1, in2, mode, axes=1)
    assert got.shape[::2] == (3, 2)
    for i, j in np.ndindex(3, 2):
        expected = oracle.convolve(in1[0, :, j], in2[i, :, 0], mode, swap=False)
        assert_array_equal(got[i, :, j], expected, strict=True)


def test_into_out(rng):
    in1, in2 = whole(rng, (5, 4), "longdouble"), whole(rng, (3, 3), "longdouble")
    expected = oracle.convolve(in1, in2, "same", swap=False)
    assert signal.convolve(in1, in2, "same", out=in1) is in1
    assert_array_equal(in1, expected)


def test_a_float_beside_a_long_double(rng):
    in1, in2 = whole(rng, (5, 4), "float32"), whole(rng, (3, 3), "clongdouble")
    assert_array_equal(
        signal.convolve(in1, in2), oracle.convolve(in1, in2, swap=False), strict=True
    )


# numpy before 2.1 warns where it later raises.
@pytest.mark.filterwarnings("ignore:attempting to conjugate:DeprecationWarning")
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
@pytest.mark.parametrize("dtype", ["U1", "M8[s]", "V4"])
def test_what_is_no_number(name, dtype):
    rows = np.zeros((3, 2), dtype)
    with pytest.raises((TypeError, ValueError)):
        getattr(signal, name)(rows, rows)
