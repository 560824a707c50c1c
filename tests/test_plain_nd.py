"""The short way and the general one: the same answers, whichever a call takes."""

import numpy as np
import oracle
import pytest
import scipy.signal

import fastconv
from fastconv import signal

DTYPES = ["float32", "float64", "complex64", "complex128", "int16", "uint8", "int64", "bool"]
MODES = ["full", "same", "valid"]
EXTENSIONS = [{}, {"fillvalue": 0.0}, {"fillvalue": 3}, {"boundary": "wrap"}, {"boundary": "symm"}]
HOW = [{}, {"accuracy": "normwise"}, {"method": "direct", "accuracy": "componentwise"}]


class Unlike(np.ndarray):
    """No plain array, but all that it holds is one's."""


def generally(function, a, v, *args, **keywords):
    """The result by the way that any array_like takes."""
    return np.asarray(function(a.view(Unlike), v.view(Unlike), *args, **keywords))


def draw_pair(rng, n, m, dtype, other=None):
    return oracle.draw_small(rng, n, dtype), oracle.draw_small(rng, m, other or dtype)


def assert_alike(function, a, v, *args, **keywords):
    expected = generally(function, a, v, *args, **keywords)
    got = function(a, v, *args, **keywords)
    assert type(got) is np.ndarray
    assert got.dtype == expected.dtype
    oracle.assert_same_bits(got, expected)
    out = np.empty_like(expected)
    assert function(a, v, *args, **keywords, out=out) is out
    oracle.assert_same_bits(out, expected)
    return expected


@pytest.mark.parametrize("function", [fastconv.convolve, fastconv.correlate])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("extension", EXTENSIONS, ids=str)
def test_lines(function, dtype, extension, rng):
    for mode in MODES:
        for shape, axis in (((20,), None), ((20,), -1), ((3, 9), 1), ((9, 3), 0), ((2, 9, 4), -2)):
            for m in (1, 4, 7, 12):
                a, v = draw_pair(rng, shape, m, dtype)
                assert_alike(function, a, v, mode, axis=axis, **extension)


@pytest.mark.parametrize("function", [fastconv.convolve, fastconv.correlate])
@pytest.mark.parametrize("how", HOW, ids=str)
def test_how_lines_are_summed(function, how, rng):
    a, v = oracle.draw(rng, (3, 700), "float64"), oracle.draw(rng, 90, "float64")
    for axis, x in ((1, a), (0, np.ascontiguousarray(a.T))):
        assert_alike(function, x, v, "same", axis=axis, **how)
        assert_alike(function, x, v, "same", axis=axis, boundary="symm", **how)


@pytest.mark.parametrize("function", [fastconv.convolve2d, fastconv.correlate2d])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("extension", EXTENSIONS, ids=str)
def test_pictures(function, dtype, extension, rng):
    for mode in MODES:
        for kernel in ((1, 1), (2, 3), (4, 4), (9, 11)):
            a, v = draw_pair(rng, (7, 10), kernel, dtype)
            assert_alike(function, a, v, mode, **extension)


@pytest.mark.parametrize("function", [signal.convolve, signal.correlate])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_volumes(function, dtype, ndim, rng):
    for mode in MODES:
        for m in (1, 2, 4, 8):
            assert_alike(function, *draw_pair(rng, (6, 5, 4, 7)[:ndim], (m,) * ndim, dtype), mode)


@pytest.mark.parametrize("function", [signal.fftconvolve, signal.oaconvolve])
@pytest.mark.parametrize("dtype", [*DTYPES, "float16"])
def test_in_floats(function, dtype, rng):
    for shape, kernel in (((20,), 6), ((5, 6), (2, 3)), ((3, 4), (3, 4)), ((1, 6), (5, 1))):
        for mode in MODES:
            if mode != "valid" or (shape, kernel) != ((1, 6), (5, 1)):
                assert_alike(function, *draw_pair(rng, shape, kernel, dtype), mode)


PROMOTED = [("float32", "float64"), ("int8", "uint16"), ("uint8", "float32")]


@pytest.mark.parametrize(("dtype", "other"), [*PROMOTED, ("float32", "complex128"), *oracle.MIXED])
def test_two_dtypes(dtype, other, rng):
    a, v = draw_pair(rng, (4, 9), (2, 3), dtype, other)
    for extension in EXTENSIONS:
        assert_alike(fastconv.convolve2d, a, v, "same", **extension)
        assert_alike(fastconv.correlate, a, v[0], "same", axis=1, **extension)
    assert_alike(signal.convolve, a, v, "same")
    assert_alike(signal.fftconvolve, a, v, "same")


def test_fill_values_are_read_alike(rng):
    for dtype in DTYPES:
        a, v = draw_pair(rng, (4, 9), (2, 3), dtype)
        for fillvalue in (1, -1, 127, 128, 255, -129, 10**30, 0.1, 1e39, np.inf, np.nan, True, 2j):
            said = []
            for call in (
                fastconv.convolve2d,
                lambda *x, **k: generally(fastconv.convolve2d, *x, **k),
            ):
                with np.errstate(all="ignore"):
                    try:
                        said.append(call(a, v, "full", fillvalue=fillvalue))
                    except (TypeError, ValueError, OverflowError) as error:
                        said.append(str(error))
            assert type(said[0]) is type(said[1])
            if isinstance(said[0], str):
                assert said[0] == said[1]
            else:
                np.testing.assert_array_equal(*said)


def test_strided_and_swapped_arrays(rng):
    a, v = draw_pair(rng, (8, 18), (3, 4), "float64")
    expected = fastconv.convolve2d(a[::2, ::-2].copy(), v, "same", "symm")
    oracle.assert_same_bits(fastconv.convolve2d(a[::2, ::-2], v, "same", "symm"), expected)
    swapped = a[::2, ::-2].astype(">f8")
    oracle.assert_same_bits(fastconv.convolve2d(swapped, v, "same", "symm"), expected)
    by_line = fastconv.convolve(a.copy(), v[1], axis=0, boundary="wrap")
    turned = np.asfortranarray(a)
    oracle.assert_same_bits(
        fastconv.convolve(turned, v[1, ::-1][::-1], axis=0, boundary="wrap"), by_line
    )


def test_out_may_be_an_input(rng):
    a, v = draw_pair(rng, (8, 9), (3, 3), "float64")
    expected = fastconv.convolve2d(a, v, "same", "wrap")
    assert fastconv.convolve2d(a, v, "same", "wrap", out=a) is a
    oracle.assert_same_bits(a, expected)
    lines, taps = draw_pair(rng, (8, 9), 3, "float64")
    expected = fastconv.convolve(lines, taps, "same", axis=0)
    assert fastconv.convolve(lines, taps, "same", axis=0, out=lines) is lines
    oracle.assert_same_bits(lines, expected)


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("extension", EXTENSIONS, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_prepared_kernels(correlate, extension, mode, rng):
    for dtype in ("float64", "complex64", "int16"):
        for shape, kernel, where in (
            ((20,), 4, {}),
            ((20,), 4, {"axis": 0}),
            ((3, 20), 5, {}),
            ((20, 3), 4, {"axis": 0}),
            ((2, 20, 3), 4, {"axis": -2}),
            ((9, 8), (2, 4), {}),
            ((3, 9, 8), (2, 3), {}),
            ((9, 3, 8), (4, 3), {"axes": (0, 2)}),
            ((9, 3, 8), (3, 4), {"axes": (-1, 0)}),
        ):
            x, taps = draw_pair(rng, shape, kernel, dtype)
            prepared = fastconv.Convolver(taps, mode, correlate=correlate, **where, **extension)
            expected = np.asarray(prepared(x.view(Unlike)))
            oracle.assert_same_bits(prepared(x), expected)
            out = np.empty_like(expected)
            assert prepared(x, out) is out
            oracle.assert_same_bits(out, expected)


def test_names_that_are_made_as_the_program_runs(rng):
    """Equal to those that are written, but objects of their own."""
    fill, auto, same = ("".join(x) for x in (("fi", "ll"), ("au", "to"), ("sa", "me")))
    a, v = draw_pair(rng, 3, 6, "float64")
    how = {"boundary": fill, "method": auto, "accuracy": auto}
    oracle.assert_exact(fastconv.convolve(a, v, same, **how), np.convolve(a, v, "same"))
    oracle.assert_exact(fastconv.correlate(v, a, same, **how), np.correlate(v, a, "same"))
    rows = np.stack([a, 2 * a])
    got = fastconv.convolve(rows, v, same, axis=1, **how)
    oracle.assert_exact(got, np.stack([np.convolve(row, v, "same") for row in rows]))


def test_nothing_is_copied_before_all_is_checked():
    """What is refused is not promoted first: there is no memory for these."""
    endless, taps = np.broadcast_to(np.int32(1), (2**44,)), np.ones(3)
    for call, refusal in (
        (lambda: fastconv.convolve(endless, taps, "no mode"), "mode"),
        (lambda: fastconv.convolve(endless, taps, "no mode", axis=0), "mode"),
        (lambda: fastconv.convolve(endless, taps, axis=0, out=np.ones(3)), "out must have"),
        (lambda: signal.convolve(endless, taps, "no mode"), "mode"),
    ):
        with pytest.raises(ValueError, match=refusal):
            call()
    wide = np.broadcast_to(np.int8(1), (2**31, 2**30))
    with pytest.raises(ValueError, match="the result would have"):
        fastconv.convolve2d(wide, np.ones((3, 3)))


def test_fewer_axes_than_the_kernel():
    with pytest.raises(ValueError, match="axes"):
        fastconv.Convolver(np.ones((2, 2)))(np.ones(5))
    for axis in (1, -2, 2**31 - 1, 2**40, -(2**40)):
        with pytest.raises((np.exceptions.AxisError, OverflowError)) as numpys:
            np.flip(np.ones(5), axis)
        prepared = fastconv.Convolver(np.ones(2), axis=axis)
        with pytest.raises(type(numpys.value)) as ours:
            prepared(np.ones(5))
        assert str(ours.value) == str(numpys.value)


def test_objects_are_not_conjugated_in_1d():
    a, v = np.array([1j, 2, 3], object), np.array([1, 2j], object)
    for mode in ("full", "same"):
        for pair in ((a, v), (v, a)) if mode == "full" else ((a, v),):
            expected = scipy.signal.correlate(*pair, mode)
            np.testing.assert_array_equal(signal.correlate(*pair, mode), expected)
