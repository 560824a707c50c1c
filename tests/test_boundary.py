"""boundary= and fillvalue= of numpy's names; scipy's convolve2d on one row is the judge."""

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

import fastconv
from fastconv import _core

MODES = ["full", "same", "valid"]
METHODS = ["auto", "direct", "fft", "overlap"]
PAIRS = [(fastconv.convolve, signal.convolve2d), (fastconv.correlate, signal.correlate2d)]
each = pytest.mark.parametrize(("ours", "scipys"), PAIRS, ids=["convolve", "correlate"])
# From kernels of one tap to those of many periods.
LENGTHS = [(1, 1), (1, 4), (4, 1), (5, 2), (5, 3), (2, 5), (3, 5), (4, 4), (3, 17), (9, 4)]
LENGTHS += [(1, 40), (2, 50), (3, 100)]
EXTENSIONS = [
    {"boundary": "wrap"},
    {"boundary": "circular"},
    {"boundary": "symm"},
    {"boundary": "symmetric"},
    {"fillvalue": 3},
    {"boundary": "fill", "fillvalue": 1},
    {"boundary": "pad", "fillvalue": 2},
    {"boundary": "wrap", "fillvalue": 2},
]


@each
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("n", "m"), LENGTHS)
@pytest.mark.parametrize("extension", EXTENSIONS, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "int64", "uint8", "complex64"])
def test_one_row_of_scipys(ours, scipys, mode, n, m, extension, dtype, rng):
    a, v = oracle.draw_small(rng, n, dtype), oracle.draw_small(rng, m, dtype)
    expected = scipys(a[np.newaxis], v[np.newaxis], mode, **extension)[0]
    oracle.assert_exact(ours(a, v, mode, **extension), expected)
    if mode == "same":
        assert expected.size == n


@each
@pytest.mark.parametrize("extension", EXTENSIONS[::2], ids=str)
@pytest.mark.parametrize("dtype", ["bool", "float16", "longdouble", "clongdouble", "object"])
@pytest.mark.parametrize("mode", MODES)
def test_dtypes_that_scipy_has_not(ours, scipys, extension, dtype, mode, rng):
    """The whole numbers are the same in float64, or as an OR of ANDs."""
    for n, m in LENGTHS:
        a, v = oracle.draw_small(rng, n, dtype), oracle.draw_small(rng, m, dtype)
        wide = "complex128" if dtype == "clongdouble" else "float64"
        x, y = a.astype(wide)[np.newaxis], v.astype(wide)[np.newaxis]
        same = extension | {"fillvalue": bool(extension.get("fillvalue"))}
        how = same if dtype == "bool" else extension
        expected = scipys(x, y, mode, **how)[0].astype(dtype)
        oracle.assert_exact(ours(a, v, mode, **extension), expected)


@each
def test_nothing_given_are_numpys_rules(ours, scipys, rng):
    a, v = oracle.draw_small(rng, 3, "int64"), oracle.draw_small(rng, 8, "int64")
    for zero in ({"fillvalue": 0.0}, {"boundary": "pad"}, {"fillvalue": np.int8(0)}, {}):
        for mode in MODES:
            expected = getattr(np, ours.__name__)(a, v, mode)
            oracle.assert_exact(ours(a, v, mode, **zero), expected)


@each
def test_modes_are_numpys(ours, scipys, rng):
    a, v = oracle.draw_small(rng, 7, "int64"), oracle.draw_small(rng, 4, "int64")
    for number, mode in enumerate(["valid", "same", "full"]):
        got = ours(a, v, number, boundary="wrap")
        oracle.assert_exact(got, ours(a, v, mode, boundary="wrap"))
    default = "full" if ours is fastconv.convolve else "valid"
    oracle.assert_exact(ours(a, v, boundary="wrap"), ours(a, v, default, boundary="wrap"))
    with pytest.raises(ValueError, match=r"^mode must be one of 'valid', 'same', or 'full'"):
        ours(a, v, "bogus", boundary="wrap")


def test_wrap_is_circular_convolution(rng):
    for n, m in ((12, 5), (12, 4), (5, 12)):
        a, v = oracle.draw_small(rng, n, "int64"), oracle.draw_small(rng, m, "int64")
        once_around = np.array([sum(v[k] * a[(i - k) % n] for k in range(m)) for i in range(n)])
        got = fastconv.convolve(a, v, "same", boundary="wrap")
        oracle.assert_exact(got, np.roll(once_around, -((m - 1) // 2)))


@each
@pytest.mark.parametrize("extension", EXTENSIONS[::2], ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("n", "m"), [(9, 4), (4, 9)])
@pytest.mark.parametrize("dtype", ["complex128", "int16", "longdouble"])
def test_along_an_axis(ours, scipys, extension, mode, n, m, dtype, rng):
    a, v = oracle.draw_small(rng, (n, 3), dtype), oracle.draw_small(rng, (2, m, 1), dtype)
    got = ours(a, v, mode, axis=-2, **extension)
    for i, j in np.ndindex(2, 3):
        one = ours(a[:, j], v[i, :, 0], mode, **extension)
        oracle.assert_exact(np.ascontiguousarray(got[i, :, j]), np.ascontiguousarray(one))
    assert got.flags.c_contiguous
    out = np.empty_like(got, order="F")
    assert ours(a, v, mode, axis=-2, out=out, **extension) is out
    oracle.assert_exact(out, got)


@each
@pytest.mark.parametrize("method", METHODS)
def test_methods(ours, scipys, method, rng):
    a, v = oracle.draw(rng, (3, 500), "float64"), oracle.draw(rng, 90, "float64")
    for extension in EXTENSIONS[::2]:
        got = ours(a, v, "same", axis=1, method=method, **extension)
        for line, row in zip(a, got, strict=True):
            expected = scipys(line[np.newaxis], v[np.newaxis], "same", **extension)[0]
            np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-10)


@each
@pytest.mark.parametrize("dtype", ["int32", "longdouble"])
def test_out_may_be_an_input(ours, scipys, dtype, rng):
    a, v = oracle.draw_small(rng, 9, dtype), oracle.draw_small(rng, 9, dtype)
    expected = ours(a, v, "same", boundary="symm")
    for step in (1, -1):
        own = a.copy()
        out = own[::step]
        assert ours(own, v, "same", boundary="symm", out=out) is out
        oracle.assert_exact(np.ascontiguousarray(out), expected)


@each
def test_bad_boundaries(ours, scipys):
    for wrong in ("mirror", None, "", 3):
        with pytest.raises(ValueError, match=r"^Acceptable boundary flags are"):
            ours([1, 2], [1], boundary=wrong)
    with pytest.raises(TypeError):
        ours([1, 2], [1], boundary=["wrap"])


@each
@pytest.mark.parametrize("wrong", ["x", [], [1, 2], "", np.ones(2), {}])
def test_bad_fillvalues(ours, scipys, wrong):
    row = np.ones((1, 2))
    with pytest.raises((TypeError, ValueError)) as expected:
        scipys(row, row, fillvalue=wrong)
    with pytest.raises(type(expected.value)) as got:
        ours(row[0], row[0], fillvalue=wrong)
    assert str(got.value).startswith(str(expected.value)[:40])


@each
def test_subclasses_are_dropped_as_scipy_drops_them(ours, scipys):
    masked = np.ma.array([1, 2, 3], mask=[0, 1, 0])
    got = ours(masked, [1, 2], "same", boundary="wrap")
    assert type(got) is np.ndarray
    expected = scipys(masked[np.newaxis], [[1, 2]], "same", "wrap")[0]
    oracle.assert_exact(got, np.asarray(expected))


@pytest.mark.parametrize(("ours", "scipys"), PAIRS, ids=["convolve", "correlate"])
@settings(max_examples=200)
@given(
    lengths=st.tuples(st.integers(1, 40), st.integers(1, 90)),
    dtypes=st.tuples(*[st.sampled_from([*oracle.INTEGERS, "float64", "complex128"])] * 2),
    extension=st.sampled_from(EXTENSIONS),
    mode=st.sampled_from(MODES),
    method=st.sampled_from(METHODS),
    steps=st.tuples(*[st.sampled_from([1, 2, -1, -2])] * 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_call(ours, scipys, lengths, dtypes, extension, mode, method, steps, seed):
    rng = np.random.default_rng(seed)
    a, v = (
        oracle.draw_small(rng, 2 * n, dtype)[::step][:n]
        for n, dtype, step in zip(lengths, dtypes, steps, strict=True)
    )
    expected = scipys(a[np.newaxis], v[np.newaxis], mode, **extension)[0]
    got = ours(a, v, mode, method=method, **extension)
    if got.dtype.kind in "fc":
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10)
    else:
        oracle.assert_exact(got, expected)


@each
@pytest.mark.parametrize(
    ("shape", "kernel"), [((2, 3), (40, 7)), ((1, 4), (3, 50)), ((3, 2), (60, 70))]
)
@pytest.mark.parametrize("dtype", ["int64", "complex128"])
def test_pictures_much_smaller_than_the_kernel(ours, scipys, shape, kernel, dtype, rng):
    two_d = {fastconv.convolve: fastconv.convolve2d, fastconv.correlate: fastconv.correlate2d}[ours]
    a, v = oracle.draw_small(rng, shape, dtype), oracle.draw_small(rng, kernel, dtype)
    for boundary, fillvalue in (("wrap", 0), ("symm", 0), ("fill", 3)):
        for mode in MODES:
            expected = scipys(a, v, mode, boundary, fillvalue)
            oracle.assert_exact(two_d(a, v, mode, boundary, fillvalue), expected)


@pytest.mark.parametrize("fillvalue", [np.inf, -np.inf, np.nan, 1e300, complex(np.inf, 1)])
def test_products_with_the_fill_value_are_direct_ones(fillvalue, rng):
    """As the padded signal gives them: not finite where a product is not, and only there."""
    dtype = "complex128" if isinstance(fillvalue, complex) else "float64"
    a, v = rng.standard_normal(30).astype(dtype), rng.standard_normal(9).astype(dtype)
    v[3] = 0
    padded = np.concatenate([np.full(8, fillvalue), a, np.full(8, fillvalue)])
    with np.errstate(invalid="ignore", over="ignore"):
        expected = np.convolve(padded, v, "valid")
        got = fastconv.convolve(a, v, fillvalue=fillvalue)
    if dtype == "float64":
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    else:
        np.testing.assert_array_equal(np.isfinite(got), np.isfinite(expected))
        np.testing.assert_allclose(got[8:-8], expected[8:-8], rtol=1e-12)


def reach(a, axis, first, end, boundary, fill):
    """Samples first .. end - 1 of an axis that goes on: index by index, nothing of ours."""
    n, at = a.shape[axis], np.arange(first, end)
    if boundary == "wrap":
        return np.take(a, at % n, axis)
    if boundary == "symm":
        folded = at % (2 * n)
        return np.take(a, np.where(folded < n, folded, 2 * n - 1 - folded), axis)
    inside = (at >= 0) & (at < n)
    samples = np.moveaxis(np.take(a, np.where(inside, at, 0), axis), axis, -1)
    samples[..., ~inside] = fill
    return np.moveaxis(samples, -1, axis)


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("dtype", ["float64", "complex64", "int8", "uint16", "int64", "bool"])
def test_several_axes_and_what_is_carried_along(boundary, dtype, rng):
    fill = {"f": 2, "c": 1 - 2j, "i": -3, "u": 5, "b": True}[np.dtype(dtype).kind]
    for shape, kernel, carried, mode in (
        ((9,), (4,), (), "same"),
        ((4, 9), (4, 3), (4,), "full"),
        ((1, 9), (4, 12), (4,), "full"),
        ((4, 9), (1, 3), (4,), "same"),
        ((9, 7), (4, 3), (), "full"),
        ((3, 9, 7), (1, 20, 3), (3,), "same"),
        ((2, 3, 6, 5), (1, 3, 2, 5), (2, 3), "full"),
        ((5, 6, 4), (2, 3, 4), (), "same"),
        ((5, 6, 4), (2, 3, 4), (), "valid"),
    ):
        a, v = oracle.draw_small(rng, shape, dtype), oracle.draw_small(rng, kernel, dtype)
        b = len(carried)
        windows = [
            oracle.window(n, m, mode, swap=False)
            for n, m in zip(shape[b:], kernel[b:], strict=True)
        ]
        beyond = {"boundary": boundary, "fill": fill if boundary == "fill" else 0}
        x = a
        for d, (m, (lo, hi)) in enumerate(zip(kernel[b:], windows, strict=True)):
            x = reach(x, b + d, lo - m + 1, hi, boundary, fill)
        members = [
            oracle.crop(
                oracle.full(
                    np.broadcast_to(x, (*carried, *x.shape[b:]))[i],
                    np.broadcast_to(v, (*carried, *v.shape[b:]))[i],
                ),
                x.shape[b:],
                v.shape[b:],
                "valid",
            )
            for i in np.ndindex(carried)
        ]
        expected = np.reshape(members, (*carried, *members[0].shape)).astype(dtype)
        for method in ("direct", "auto"):
            got = _core.run(a, v, windows, batch=b, method=method, **beyond)
            oracle.assert_exact(got, expected)
            turned = np.asfortranarray(a)
            oracle.assert_same_bits(
                _core.run(turned, v, windows, batch=b, method=method, **beyond), got
            )


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize(
    ("shape", "kernel", "axis"),
    [((60_000,), (6,), None), ((3, 50_000), (5,), 1), ((700, 500), (4, 3), None)],
    ids=str,
)
def test_of_any_size(boundary, shape, kernel, axis, rng):
    """Beyond the sizes at which a copy with its margins is made."""
    a, v = oracle.draw_small(rng, shape, "float64"), oracle.draw_small(rng, kernel, "float64")
    beyond = {"boundary": boundary, "fillvalue": 2 if boundary == "fill" else 0}
    x = a
    for d in range(len(shape)) if axis is None else [axis]:
        m = kernel[d if axis is None else 0]
        x = reach(x, d, (m - 1) // 2 - m + 1, (m - 1) // 2 + shape[d], boundary, 2)
    if len(kernel) == 2:
        expected = oracle.crop(oracle.shift_add(x, v, "float64"), x.shape, kernel, "valid")
        return oracle.assert_exact(fastconv.convolve2d(a, v, "same", **beyond), expected)
    lines = [np.convolve(line, v, "valid") for line in np.atleast_2d(x)]
    expected = np.reshape(lines, shape)
    oracle.assert_exact(fastconv.convolve(a, v, "same", axis=axis, **beyond), expected)
