"""convolve2d and correlate2d by scipy's rules; scipy itself is the judge."""

import itertools
import re
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fastconv

signal = pytest.importorskip("scipy.signal")

MODES = ["full", "same", "valid"]
BOUNDARIES = ["fill", "wrap", "symm"]
SHAPES = [
    ((1, 1), (1, 1)),
    ((5, 6), (3, 3)),
    ((5, 6), (2, 4)),
    ((6, 5), (1, 4)),
    ((4, 4), (4, 4)),
    ((3, 2), (5, 6)),
    ((3, 7), (5, 2)),
]
FUNCTIONS = ["convolve2d", "correlate2d"]
each = pytest.mark.parametrize("name", FUNCTIONS)


def both(name):
    return getattr(fastconv, name), getattr(signal, name)


def whole(shape, dtype, start=1):
    values = ((np.arange(np.prod(shape)) + start) * 5 % 7).reshape(shape)
    if np.dtype(dtype).kind == "c":
        values = values * (1 + 2j) - 3j
    return values.astype(dtype)


def fits(mode, shape1, shape2):
    larger = all(n >= m for n, m in zip(shape1, shape2, strict=True))
    smaller = all(n <= m for n, m in zip(shape1, shape2, strict=True))
    return mode != "valid" or larger or smaller


@each
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("shape1", "shape2"), SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "int32", "complex128", "longdouble"])
def test_windows_and_boundaries(name, mode, boundary, shape1, shape2, dtype):
    ours, scipys = both(name)
    in1, in2 = whole(shape1, dtype), whole(shape2, dtype, 4)
    if not fits(mode, shape1, shape2):
        with pytest.raises(ValueError, match=r"^For 'valid' mode, one must be at least as large"):
            ours(in1, in2, mode, boundary)
        return
    expected = scipys(in1, in2, mode, boundary)
    assert_array_equal(ours(in1, in2, mode, boundary), expected, strict=True)


@each
@pytest.mark.parametrize(("first", "second"), list(itertools.product("bBhHiIlLqQfdgFDG", repeat=2)))
def test_every_pair_of_dtypes(name, first, second):
    ours, scipys = both(name)
    in1, in2 = whole((5, 4), first), whole((2, 3), second, 3)
    expected = scipys(in1, in2, "same", "fill", 2)
    assert_array_equal(ours(in1, in2, "same", "fill", 2), expected, strict=True)


@each
@pytest.mark.parametrize("dtype", ["bool", "float16"])
def test_dtypes_that_scipy_refuses(name, dtype):
    ours, scipys = both(name)
    in1, in2 = whole((6, 5), dtype), whole((3, 2), dtype)
    expected = scipys(in1.astype(float), in2.astype(float), "full")
    got = ours(in1, in2)
    assert got.dtype == dtype
    assert_array_equal(got, expected != 0 if dtype == "bool" else expected)


@each
def test_any_byte_but_zero_is_true(name):
    ours, _ = both(name)
    odd = np.array([[2, 0, 255], [0, 4, 0]], np.uint8).view(bool)
    for in1, in2 in ((odd, odd[:, :2]), (odd[:, ::-1], odd[:, ::2])):
        clean1, clean2 = (x.view(np.uint8) != 0 for x in (in1, in2))
        assert_array_equal(ours(in1, in2), ours(clean1, clean2), strict=True)


@each
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_objects(name, boundary):
    ours, scipys = both(name)
    in1, in2 = whole((4, 5), int), whole((3, 2), int)
    expected = scipys(in1, in2, "full", boundary, 5 if boundary == "fill" else 0)
    thirds = np.array([[Fraction(int(x), 3) for x in row] for row in in1])
    got = ours(thirds, in2.astype(object), "full", boundary, Fraction(5, 3))
    assert got.dtype == object
    assert_array_equal(got * 3, expected)


@each
@pytest.mark.parametrize(
    "fill", [0, 2.5, -1, [3], [[4]], np.array(7, "i1"), np.float32(1), "3", True]
)
@pytest.mark.parametrize("dtype", ["float64", "int64", "complex64"])
def test_fill_values(name, fill, dtype):
    ours, scipys = both(name)
    in1, in2 = whole((4, 4), dtype), whole((3, 3), dtype)
    expected = scipys(in1, in2, "same", "fill", fill)
    assert_array_equal(ours(in1, in2, "same", "fill", fill), expected, strict=True)


@each
@pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap"])
def test_a_complex_fill_beside_real_data(name, method):
    ours, scipys = both(name)
    in1, in2 = whole((4, 4), "float64"), whole((3, 3), "complex128")
    expected = scipys(in1, in2, "same", "fill", 2 - 1j)
    got = ours(in1, in2, "same", "fill", 2 - 1j, method=method)
    np.testing.assert_allclose(got, expected, atol=1e-10)


@each
@pytest.mark.parametrize(
    ("fill", "dtype"),
    [(1j, "f8"), (1j, "i8"), (np.nan, "i8"), (300, "u1"), (-1, "u1"), (2**70, "i8"), (None, "i8"),
     ([1, 2], "f8"), ([], "f8"), ("a", "f8"), (object(), "f8")],
)  # fmt: skip
def test_fill_values_that_do_not_fit(name, fill, dtype):
    ours, scipys = both(name)
    in1, in2 = whole((4, 4), dtype), whole((3, 3), dtype)
    with (
        pytest.raises((TypeError, ValueError)) as expected,
        warnings.catch_warnings(action="ignore"),
    ):
        scipys(in1, in2, "same", "fill", fill)
    with pytest.raises(type(expected.value)) as got:
        ours(in1, in2, "same", "fill", fill)
    assert str(got.value).startswith(str(expected.value).removesuffix("."))


@each
def test_fill_values_do_not_matter_elsewhere(name):
    ours, scipys = both(name)
    in1, in2 = whole((4, 4), "f8"), whole((3, 3), "f8")
    assert_array_equal(ours(in1, in2, "same", "wrap", 1j), scipys(in1, in2, "same", "wrap", 1j))


@each
@pytest.mark.parametrize("names", ["circular", "symmetric", "pad"])
def test_scipys_other_names(name, names):
    ours, scipys = both(name)
    in1, in2 = whole((4, 4), "f8"), whole((3, 3), "f8")
    assert_array_equal(ours(in1, in2, "same", names), scipys(in1, in2, "same", names))


# numpy before 2.1 warns where it later raises.
@pytest.mark.filterwarnings("ignore:attempting to conjugate:DeprecationWarning")
@each
@pytest.mark.parametrize(
    ("args", "error"),
    [
        (([1], [1]), ValueError),
        ((1, 2), ValueError),
        ((np.ones((2, 2)), [1]), ValueError),
        ((np.ones((2, 2, 2)), np.ones((2, 2))), ValueError),
        ((np.ones((2, 3)), np.ones((3, 1)), "valid"), ValueError),
        ((np.ones((2, 2)), np.ones((2, 2)), "bogus"), ValueError),
        ((np.ones((2, 2)), np.ones((2, 2)), 1), ValueError),
        ((np.ones((2, 2)), np.ones((2, 2)), None), ValueError),
        ((np.ones((2, 2)), np.ones((2, 2)), "full", "bogus"), ValueError),
        ((np.ones((2, 2)), np.ones((2, 2)), "full", 0), ValueError),
        ((np.ones((2, 2)), np.ones((2, 2)), ["full"]), TypeError),
        ((np.ones((2, 2), "M8[s]"), np.ones((2, 2), "M8[s]")), (TypeError, ValueError)),
        ((np.ones((0, 2)), np.ones((0, 2))), ValueError),
        ((np.ones((0, 3)), np.ones((2, 2)), "valid"), ValueError),
    ],
)
def test_mistakes(name, args, error):
    ours, scipys = both(name)
    with pytest.raises(error) as expected:
        scipys(*args)
    with pytest.raises(type(expected.value)) as got:
        ours(*args)
    assert str(got.value).startswith(str(expected.value).removesuffix("."))


@pytest.mark.filterwarnings("ignore:attempting to conjugate:DeprecationWarning")
@each
def test_strings_are_not_for_convolving(name):
    with pytest.raises((TypeError, ValueError), match=r"not available|non-numeric"):
        getattr(fastconv, name)([["a"]], [["b"]])


EMPTY = [
    ((0, 3), (2, 2)), ((2, 2), (0, 3)), ((2, 2), (0, 0)), ((0, 0), (0, 0)), ((0, 3), (1, 1)),
    ((0, 3), (3, 3)), ((3, 3), (1, 0)),
]  # fmt: skip


@each
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape1", "shape2"), EMPTY)
def test_empty_inputs(name, mode, shape1, shape2):
    ours, scipys = both(name)
    in1, in2 = np.ones(shape1), np.ones(shape2)
    try:
        expected = scipys(in1, in2, mode, "fill", 5)
    except ValueError as error:
        words = re.escape(str(error).removesuffix("."))
        with pytest.raises(ValueError, match=f"^{words}"):
            ours(in1, in2, mode, "fill", 5)
    else:
        assert_array_equal(ours(in1, in2, mode, "fill", 5), expected, strict=True)


@each
@pytest.mark.parametrize("boundary", ["wrap", "symm"])
def test_nothing_to_continue(name, boundary):
    """Here scipy divides by zero and the process dies."""
    with pytest.raises(ValueError, match=f"^boundary='{boundary}' needs samples"):
        getattr(fastconv, name)(np.ones((0, 3)), np.ones((2, 2)), "full", boundary)


class Plain(np.ndarray):
    pass


@each
def test_subclasses_become_arrays(name):
    ours, scipys = both(name)
    masked = np.ma.array(whole((3, 3), "f8"), mask=np.eye(3))
    for in1 in (masked, np.eye(3).view(Plain), [[1, 2], [3, 4]]):
        got, expected = ours(in1, [[1.0, 2]]), scipys(in1, [[1.0, 2]])
        assert type(got) is type(expected) is np.ndarray
        assert_array_equal(got, expected, strict=True)


@each
def test_layouts(name):
    ours, scipys = both(name)
    base = np.arange(120.0).reshape(10, 12)
    views = [base[::-1], base[:, ::-2], base.T, base[1:7:2, 3:9], base.astype(">f8"),
             np.broadcast_to([1.0, 2, 3], (4, 3))]  # fmt: skip
    for in1, in2 in itertools.product(views, repeat=2):
        assert_array_equal(ours(in1, in2, "same"), scipys(in1, in2, "same"), strict=True)


@each
def test_one_object_under_two_names(name):
    assert getattr(fastconv, name) is getattr(fastconv.signal, name)


@each
def test_a_turned_result_in_out(name):
    """correlate2d turns what 'valid' computed the other way round."""
    ours, scipys = both(name)
    in1, in2 = whole((2, 3), "complex128"), whole((4, 7), "complex128")
    expected = scipys(in1, in2, "valid")
    out = np.zeros((3, 5), complex)
    assert ours(in1, in2, "valid", out=out) is out
    assert_array_equal(out, expected)


def test_scipy_is_not_needed():
    code = (
        "import sys; sys.modules['scipy'] = None; import fastconv;"
        "print(fastconv.convolve2d([[1, 2]], [[3, 4]], 'full', 'symm'),"
        "      fastconv.convolve2d([[1, 2]], [[3, 4]]).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("] ")[-1].strip() == "[[3, 10, 8]]"
