"""Single precision that a transform would lose much of: computed again, or all of it, in double.

Samples fade towards the ends of every axis, so that the corners of a result are a millionth of
what lies between them. References are scipy's transforms in double, which of such data err by less
than a thousandth of what is allowed.
"""

import numpy as np
import oracle
import pytest
import scipy.signal

ALLOWED = oracle.ACCURACY[4]
FLOATS = pytest.mark.parametrize("dtype", ["float32", "complex64"])


def faded(rng, shape, dtype):
    x = rng.standard_normal(shape)
    if dtype == "complex64":
        x = x + 1j * rng.standard_normal(shape)
    for axis, n in enumerate(shape):
        bell = np.exp(-(np.linspace(-1.5, 1.5, n) ** 2) * 3 / len(shape))
        x = x * np.expand_dims(bell, [d for d in range(len(shape)) if d != axis])
    return x.astype(dtype)


def errors(got, a, v, mode="full"):
    """|error| as a share of s = sum |v| |a|, output by output."""
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    exact = scipy.signal.fftconvolve(a.astype(wide), v.astype(wide), mode)
    s = scipy.signal.fftconvolve(np.abs(a).astype(float), np.abs(v).astype(float), mode)
    return np.abs(got - exact) / s


@FLOATS
@pytest.mark.parametrize(
    "shapes",
    [((24, 20, 16), (24, 20, 16)), ((40, 9, 30), (12, 9, 30)), ((12, 11, 10, 9), (12, 11, 10, 9))],
    ids=["cubes", "plates", "four axes"],
)
def test_volumes(level, shapes, dtype, rng):
    """Each plane of the result ends in sums of few products, among sums of thousands."""
    a, v = (faded(rng, shape, dtype) for shape in shapes)
    assert errors(level.signal.convolve(a, v), a, v).max() <= ALLOWED
    quick = level.signal.convolve(a, v, accuracy="normwise")
    assert errors(quick, a, v).max() > ALLOWED, "nothing is lost: the test shows nothing"


@FLOATS
@pytest.mark.parametrize("mode", ["full", "same"])
def test_pictures(level, mode, dtype, rng):
    a, v = faded(rng, (150, 170), dtype), faded(rng, (140, 150), dtype)
    assert errors(level.convolve2d(a, v, mode), a, v, mode).max() <= ALLOWED


@FLOATS
def test_products_are_within_range_where_samples_are_not(level, dtype, rng):
    """Beyond the magnitudes that a transform in single precision may see."""
    a, v = faded(rng, (30_000,), dtype), faded(rng, (3_000,), dtype)
    loud, quiet = a * np.float32(2.0**100), v * np.float32(2.0**-110)
    got = level.convolve(loud, quiet) * np.float32(2.0**10)
    assert errors(got, a, v).max() <= ALLOWED


def test_added_to_what_is_there(level, rng):
    """A period's images are added up: the second into the first."""
    a, v = faded(rng, (64, 48), "float32"), faded(rng, (64, 48), "float32")
    got = level.convolve2d(a, v, "same", boundary="wrap")
    around = np.pad(a, [(64, 64), (48, 48)], mode="wrap").astype(float)
    exact = scipy.signal.fftconvolve(around, v.astype(float), "same")[64:128, 48:96]
    s = scipy.signal.fftconvolve(np.abs(around), np.abs(v).astype(float), "same")[64:128, 48:96]
    assert (np.abs(got - exact) <= ALLOWED * s).all()


def test_one_nan_stays_local(level, rng):
    a, v = faded(rng, (24, 20, 16), "float32"), faded(rng, (20, 18, 16), "float32")
    a[3, 4, 5] = np.nan
    got = level.signal.convolve(a, v)
    touched = np.zeros(got.shape, bool)
    touched[3 : 3 + 20, 4 : 4 + 18, 5 : 5 + 16] = True
    np.testing.assert_array_equal(np.isnan(got), touched)
    whole = np.nan_to_num(a)
    assert errors(got, whole, v)[~touched].max() <= ALLOWED
