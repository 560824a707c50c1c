"""Kernels that are outer products, in two passes; numpy's sums over the whole kernel judge."""

import numpy as np
import oracle
import pytest
from numpy.testing import assert_array_equal

import fastconv
from fastconv import _core

BOUNDARIES = [("fill", 0), ("fill", 2), ("wrap", 0), ("symm", 0)]


def method_of(a, v, **options):
    """What the call comes to, once the kernel has been looked at."""
    windows = [_core.window("full", n, m, False) for n, m in zip(a.shape, v.shape, strict=True)]
    job = _core.Job(a.shape, v.shape, a.dtype, v.dtype, windows, **options)
    job.is_separable(v)
    return job.choose()["method"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 5), (9, 9), (40, 3), (3, 40)])
def test_floats_on_every_level(level, dtype, mode, kernel, rng):
    """Within the bound of direct sums, at each output."""
    a = oracle.draw(rng, (70, 90), dtype)
    column, row = (oracle.draw(rng, m, dtype) for m in kernel)
    v = np.outer(column, row)
    assert v.dtype == dtype
    got = level.convolve2d(a, v, mode, separable=True)
    oracle.assert_within(got, a, v, mode, "componentwise", swap=False)
    turned = level.correlate2d(a, v[::-1, ::-1], mode, separable=True)
    if mode != "same":  # whose middle is another for even kernels
        oracle.assert_same_bits(turned, got)


@pytest.mark.parametrize("dtype", [*oracle.INTEGERS, "bool"])
def test_integers_wrap_exactly(level, dtype, rng):
    a = oracle.draw(rng, (50, 60), dtype)
    column, row = oracle.draw_small(rng, 7, dtype), oracle.draw_small(rng, 4, dtype)
    column[2], row[1] = 1, 1
    v = np.multiply.outer(column, row)
    got = level.convolve2d(a, v, separable=True)
    assert_array_equal(got, level.convolve2d(a, v, method="direct", separable=False), strict=True)
    assert_array_equal(got, oracle.convolve(a, v), strict=True)


@pytest.mark.parametrize(("boundary", "fillvalue"), BOUNDARIES)
@pytest.mark.parametrize("dtype", ["float64", "complex64", "int32"])
def test_boundaries(boundary, fillvalue, dtype, rng):
    a = oracle.draw_small(rng, (40, 50), dtype)
    v = np.outer([1, 2, 1], [1, 4, 6, 4, 1]).astype("int32" if dtype == "int32" else a.real.dtype)
    whole = fastconv.convolve2d(a, v, "same", boundary, fillvalue, separable=False)
    got = fastconv.convolve2d(a, v, "same", boundary, fillvalue, separable=True)
    assert_array_equal(got, whole, strict=True)  # small whole numbers are exact


def test_what_is_and_what_is_not(rng, fast_int64):
    column, row = rng.standard_normal(9), rng.standard_normal(11)
    v = np.outer(column, row)
    a = rng.standard_normal((300, 300))
    assert method_of(a, v) == "separable"
    assert method_of(a, v, separable=False) != "separable"
    assert method_of(a, v, method="direct") == "direct"
    assert method_of(a, v.T[::-1]) == "separable"  # strides as they come
    assert method_of(a, np.ones((15, 15))) == "separable"
    for i, j in ((0, 0), (4, 5), (8, 10)):
        wrong = v.copy()
        wrong[i, j] *= 1 + 1e-14
        assert method_of(a, wrong) != "separable"
    holes = v.copy()
    holes[3, 4] = 0
    assert method_of(a, holes) != "separable"
    for bad in (np.nan, np.inf):
        holes[3, 4] = bad
        assert method_of(a, holes) != "separable"
    assert method_of(a, np.zeros((9, 11))) != "separable"
    assert method_of(a.astype(int), np.outer([2, 4, 6], [3, 9, 3]).repeat(5, 0)) == "separable"
    least = np.full((9, 9), np.iinfo(np.int64).min)
    assert method_of(a.astype(int), least) != "separable"


def test_rounding_of_the_factors_is_allowed(rng):
    """A product rounded tap by tap, of factors that are rounded too."""
    for dtype in ("float32", "float64"):
        found = 0
        for _ in range(50):
            column, row = (rng.standard_normal(n).astype(dtype) for n in (15, 13))
            found += method_of(np.ones((300, 300), dtype), np.outer(column, row)) == "separable"
        assert found >= 45


def test_zeros_among_the_factors_meet_what_is_not_finite(rng):
    """0 * NaN is NaN in direct sums, and so in two passes."""
    a = rng.standard_normal((60, 60))
    a[20, 30], a[40, 10], a[5, 5] = np.nan, np.inf, -np.inf
    v = np.outer([1.0, 0, 2], [0.5, 0, 0, 1])
    for mode in ("full", "same", "valid"):
        got = fastconv.convolve2d(a, v, mode, separable=True)
        whole = fastconv.convolve2d(a, v, mode, method="direct", separable=False)
        np.testing.assert_allclose(got, whole, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("exponent", [-1060, -1000, 1010])
def test_the_ends_of_the_range(exponent, rng):
    """The row carries the magnitude: neither subnormals nor overflow come in between."""
    a = rng.standard_normal((40, 40))
    v = np.outer([0.5, 1, 0.25], [1, 3, 2]) * 2.0**exponent
    got = fastconv.convolve2d(a, v, separable=True)
    whole = fastconv.convolve2d(a, v, method="direct", separable=False)
    size = fastconv.convolve2d(np.abs(a), v, method="direct", separable=False)
    assert np.all(np.abs(got - whole) <= 20 * 2.0**-53 * size + 20 * 2.0**-1074)


def test_bands_are_seamless(rng):
    """More rows than one band holds, wide and narrow."""
    for shape in ((700, 900), (20, 40_000), (3000, 8)):
        a = oracle.draw_small(rng, shape, "int64")
        v = np.outer(np.arange(1, 6), np.arange(1, 4))
        got = fastconv.convolve2d(a, v, separable=True)
        assert_array_equal(got, fastconv.convolve2d(a, v, separable=False, method="direct"))


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1), (7, 6), (0, 3)])
@pytest.mark.parametrize("kernel", [(3, 3), (1, 3), (3, 1), (1, 1)])
def test_the_verdict_is_on_the_kernel_alone(shape, kernel, rng):
    """Axes of one sample, or none, change nothing in what is an outer product."""
    a = oracle.draw_small(rng, shape, "float64")
    v = np.outer(np.arange(1, 1 + kernel[0]), np.arange(2, 2 + kernel[1])).astype(float)
    got = fastconv.convolve2d(a, v, separable=True)
    assert_array_equal(got, fastconv.convolve2d(a, v, separable=False), strict=True)


@pytest.mark.parametrize("function", [fastconv.convolve2d, fastconv.correlate2d])
def test_bad_choices(function, rng):
    a = np.ones((5, 5))
    for wrong in ("yes", None, 1, [True]):
        with pytest.raises(ValueError, match="separable not understood: got"):
            function(a, a, separable=wrong)
    with pytest.raises(ValueError, match="outer product of a column and a row: got one of float64"):
        function(a, np.eye(3), separable=True)
    with pytest.raises(ValueError, match="outer product"):
        function(a, a.astype(np.longdouble), separable=True)


def test_explain_tells(rng):
    told = fastconv.explain((512, 512), (9, 9))
    assert any(reason.startswith("if v is an outer product: separable") for reason in told.reasons)
    told = fastconv.explain(np.ones((512, 512)), np.ones((9, 9)))
    assert told.method == "separable"
    assert told.block is None
