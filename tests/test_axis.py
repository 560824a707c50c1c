"""axis=: every line gives what numpy gives for it alone; banks of kernels; max_lag; workers."""

import itertools
from fractions import Fraction

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastconv
from fastconv import _core

MODES = ["full", "same", "valid"]
METHODS = ["auto", "direct", "fft", "overlap"]
PAIRS = [(fastconv.convolve, np.convolve), (fastconv.correlate, np.correlate)]
each = pytest.mark.parametrize(("ours", "numpys"), PAIRS, ids=["convolve", "correlate"])


def line_pairs(a, v, axis):
    """(index, line of a, line of v): the axis last, the rest broadcast; by plain loops."""
    ndim = max(a.ndim, v.ndim)
    a = np.moveaxis(a.reshape((1,) * (ndim - a.ndim) + a.shape), axis, -1)
    if v.ndim > 1:
        v = np.moveaxis(v.reshape((1,) * (ndim - v.ndim) + v.shape), axis, -1)
    batch = np.broadcast_shapes(a.shape[:-1], v.shape[:-1])
    a = np.broadcast_to(a, batch + a.shape[-1:])
    v = np.broadcast_to(v, batch + v.shape[-1:])
    for index in np.ndindex(batch):
        yield index, a[index], v[index]


def by_lines(function, a, v, mode, axis):
    """numpy's function on every line."""
    rows = {index: function(x, y, mode) for index, x, y in line_pairs(a, v, axis)}
    batch = tuple(k + 1 for k in max(rows))
    some = next(iter(rows.values()))
    result = np.empty((*batch, some.size), some.dtype)
    for index, row in rows.items():
        result[index] = row
    return np.ascontiguousarray(np.moveaxis(result, -1, axis))


def assert_lines_within(got, function, a, v, mode, axis, accuracy="auto"):
    """Every line against the oracle."""
    correlating = function is np.correlate
    rows = np.moveaxis(got, axis, -1)
    for index, x, y in line_pairs(a, v, axis):
        y = y[::-1].conj() if correlating else y
        oracle.assert_within(rows[index], x, y, mode, accuracy, correlate=correlating)


def numbers(rng, shape, dtype):
    return oracle.draw_small(rng, shape, dtype)


# --- values and shapes ---------------------------------------------------------------------

SHAPES = [
    ((7,), (3,), 0),
    ((7,), (3,), -1),
    ((5, 7), (3,), 0),
    ((5, 7), (3,), 1),
    ((5, 7), (9,), -2),
    ((2, 5, 3), (4,), 1),
    ((2, 5, 3), (4,), -3),
    ((2, 1, 3, 4), (2,), 2),
    ((5, 7), (5, 3), 1),
    ((5, 7), (3, 7), 0),
    ((5, 7), (1, 3), 1),
    ((1, 7), (6, 3), -1),
    ((7,), (4, 3), -1),
    ((7,), (2, 4, 3), -1),
    ((5, 7), (4, 1, 3), -1),
    ((5, 7), (4, 3, 1), -2),
    ((2, 5, 7), (5, 3), -1),
    ((4, 3), (4, 8), 1),
    ((6, 5), (6,), 1),
]


@each
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("a_shape", "v_shape", "axis"), SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "int16", "complex64", "bool"])
def test_every_line_is_numpys(ours, numpys, mode, a_shape, v_shape, axis, dtype, rng):
    a, v = numbers(rng, a_shape, dtype), numbers(rng, v_shape, dtype)
    got = ours(a, v, mode, axis=axis)
    oracle.assert_exact(got, by_lines(numpys, a, v, mode, axis))
    assert got.flags.c_contiguous
    assert type(got) is np.ndarray


@each
def test_default_modes(ours, numpys, rng):
    a, v = numbers(rng, (4, 9), "int64"), numbers(rng, 3, "int64")
    mode = "full" if numpys is np.convolve else "valid"
    oracle.assert_exact(ours(a, v, axis=1), by_lines(numpys, a, v, mode, 1))
    for other in (0, 1, 2, np.str_("same")):
        oracle.assert_exact(ours(a, v, other, axis=1), by_lines(numpys, a, v, other, 1))


CHARS = "?bBhHiIlLqQefdgFDG"


@each
@pytest.mark.parametrize(("first", "second"), list(itertools.product(CHARS, CHARS)))
def test_every_pair_of_dtypes(ours, numpys, first, second, rng):
    a, v = numbers(rng, (4, 6), first), numbers(rng, 3, second)
    expected = by_lines(numpys, a, v, "same", 0)
    got = ours(a, v, "same", axis=0)
    oracle.assert_exact(got, expected)
    assert got.dtype.char == expected.dtype.char


@each
@pytest.mark.parametrize("dtype", [*oracle.FLOATS, *oracle.INTEGERS, "bool"])
@pytest.mark.parametrize("method", METHODS)
def test_methods(ours, numpys, dtype, method, rng):
    a, v = oracle.draw(rng, (3, 400, 2), dtype), oracle.draw(rng, 70, dtype)
    for mode in MODES:
        got = ours(a, v, mode, axis=1, method=method)
        assert_lines_within(got, numpys, a, v, mode, 1)


@pytest.mark.parametrize("method", METHODS)
def test_on_every_level(level, method, rng):
    a, bank = oracle.draw(rng, (5, 300), "float64"), oracle.draw(rng, (3, 1, 40), "float64")
    got = level.convolve(a, bank, "same", axis=-1, method=method)
    assert got.shape == (3, 5, 300)
    assert_lines_within(got, np.convolve, a, bank, "same", -1)


@pytest.mark.parametrize("accuracy", ["auto", "normwise", "componentwise"])
def test_loud_lines_beside_quiet_ones(accuracy, rng):
    """Each line keeps its own accuracy, whatever its neighbours."""
    a = oracle.draw(rng, (6, 700), "float64") * 10.0 ** np.array([[0, 20, -20, 8, 0, -8]]).T
    v = oracle.draw(rng, 90, "float64")
    for method in METHODS:
        got = fastconv.convolve(a, v, axis=1, method=method, accuracy=accuracy)
        promise = "normwise" if accuracy == "normwise" else "auto"
        assert_lines_within(got, np.convolve, a, v, "full", 1, promise)


def test_a_nan_stays_in_its_line(rng):
    a, v = oracle.draw(rng, (4, 500), "float64"), oracle.draw(rng, 60, "float64")
    a[2, 100] = np.nan
    got = fastconv.convolve(a, v, axis=1, method="fft")
    assert_lines_within(got, np.convolve, a, v, "full", 1)
    assert np.isnan(got).sum() == 60


@each
def test_generic_dtypes(ours, numpys, rng):
    for dtype in ("longdouble", "clongdouble"):
        a, v = numbers(rng, (2, 5, 3), dtype), numbers(rng, 4, dtype)
        for mode in MODES:
            expected = by_lines(numpys, a, v, mode, 1)
            oracle.assert_exact(ours(a, v, mode, axis=1), expected)
            out = np.empty_like(expected)
            assert ours(a, v, mode, axis=1, out=out) is out
            oracle.assert_exact(out, expected)
    a = np.array([[Fraction(1, 3), 2, 3], [4, 5, Fraction(1, 7)]], object)
    v = np.array([Fraction(1, 2), 1], object)
    for axis in (0, 1):
        oracle.assert_exact(ours(a, v, "full", axis=axis), by_lines(numpys, a, v, "full", axis))
    spans = np.array([[1, 2, 3]], "m8[s]")
    oracle.assert_exact(ours(spans, [2, 1], axis=1), ours(spans[0], [2, 1])[np.newaxis])


def test_lists_and_scalars():
    np.testing.assert_array_equal(
        fastconv.convolve([[1, 2], [3, 4]], 3, axis=0), [[3, 6], [9, 12]], strict=True
    )
    assert fastconv.convolve(3, [1, 2], axis=0).tolist() == [3, 6]
    with pytest.raises(ValueError, match=r"^object of too small depth for desired array"):
        fastconv.correlate(3, [1, 2], axis=0)


# --- memory: in and out --------------------------------------------------------------------


def layouts(x):
    """The same numbers, laid out in memory in every way."""
    yield "C", np.ascontiguousarray(x)
    yield "F", np.asfortranarray(x)
    yield "reversed", np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    wide = np.zeros([3 * n for n in x.shape], x.dtype)
    wide[::3, ::3] = x
    yield "strided", wide[::3, ::3]
    yield "swapped", x.astype(x.dtype.newbyteorder("S"))
    packed = np.zeros(x.shape, [("pad", "i1"), ("x", x.dtype)])
    packed["x"] = x
    yield "unaligned", packed["x"]
    frozen = x.copy()
    frozen.flags.writeable = False
    yield "read-only", frozen


@each
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float64", "complex64", "int32", "float16"])
def test_bits_do_not_depend_on_memory(ours, numpys, axis, method, dtype, rng):
    a, v = (oracle.draw(rng, shape, dtype) for shape in ((130, 90), 40))
    expected = ours(a, v, "same", axis=axis, method=method)
    for name, there in layouts(a):
        got = ours(there, v, "same", axis=axis, method=method)
        oracle.assert_same_bits(got, expected)
        assert got.flags.c_contiguous, name


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("columns", [7, 34, 37, 65, 103, 1030])
@pytest.mark.parametrize(("n", "m"), [(300, 200), (1000, 100)])
def test_bits_do_not_depend_on_how_many_columns_are_copied_at_once(n, m, columns, dtype, rng):
    a, v = oracle.draw(rng, (n, columns), dtype), oracle.draw(rng, m, dtype)
    for method in ("direct", "auto"):
        expected = fastconv.convolve(a, v, axis=0, method=method)
        for there in (np.asfortranarray(a), a[:, ::-1].copy()[:, ::-1]):
            got = fastconv.convolve(there, v, axis=0, method=method)
            oracle.assert_same_bits(got, expected)


@each
@pytest.mark.parametrize("dtype", ["float64", "int16", "float16", "longdouble", "object"])
def test_out_of_any_layout(ours, numpys, dtype, rng):
    a, v = numbers(rng, (4, 9), dtype), numbers(rng, 3, dtype)
    expected = ours(a, v, "same", axis=0)
    for name, out in layouts(np.zeros_like(expected)) if dtype != "object" else []:
        if out.flags.writeable:
            assert ours(a, v, "same", axis=0, out=out) is out, name
            np.testing.assert_array_equal(out, expected, err_msg=name)
    out = np.zeros_like(expected, order="F").view(np.ma.MaskedArray)
    assert ours(a, v, "same", axis=0, out=out) is out
    np.testing.assert_array_equal(np.asarray(out), expected)
    for wrong in (np.empty(4, dtype), np.empty((9, 4), dtype)):
        with pytest.raises(ValueError, match=r"^out must have the result's shape"):
            ours(a, v, "same", axis=0, out=wrong)


@each
@pytest.mark.parametrize("dtype", ["float64", "int16", "longdouble"])
@pytest.mark.parametrize("axis", [0, 1])
def test_out_may_be_an_input(ours, numpys, dtype, axis, rng):
    a, v = numbers(rng, (6, 6), dtype), numbers(rng, 3, dtype)
    expected = ours(a, v, "same", axis=axis)
    for turn in (lambda x: x, lambda x: x[::-1], lambda x: x.T):
        own = a.copy()
        out = turn(own)
        assert ours(own, v, "same", axis=axis, out=out) is out
        oracle.assert_exact(np.ascontiguousarray(out), expected)


def test_subclasses(rng):
    """As in 1-D: convolve gives a plain array, correlate one of the longer input's class."""

    class Tagged(np.ndarray):
        pass

    a, v = numbers(rng, (3, 6), "float64"), numbers(rng, 4, "float64")
    assert type(fastconv.convolve(a.view(Tagged), v, axis=1)) is np.ndarray
    got = fastconv.correlate(a.view(Tagged), v, axis=1)
    assert type(got) is Tagged
    oracle.assert_exact(got.view(np.ndarray), fastconv.correlate(a, v, axis=1))
    assert type(fastconv.correlate(a, v.view(Tagged), axis=0)) is Tagged
    masked = np.ma.array(a, mask=a > 3)
    got = fastconv.correlate(masked, v, "full", axis=1)
    assert type(got) is np.ma.MaskedArray
    oracle.assert_exact(np.ma.getdata(got), fastconv.correlate(a, v, "full", axis=1))


# --- max_lag -------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [0, 1, 3, 30])
@pytest.mark.parametrize(("n", "m"), [(9, 4), (4, 9), (5, 5), (1, 3)])
@pytest.mark.parametrize("dtype", ["int32", "complex128", "longdouble"])
def test_max_lag(n, m, lag, dtype, rng):
    a, v = numbers(rng, (n, 3), dtype), numbers(rng, (2, m, 1), dtype)
    expected = np.empty((2, 2 * lag + 1, 3), dtype)
    for i, j in np.ndindex(2, 3):
        expected[i, :, j] = fastconv.correlate(a[:, j], v[i, :, 0], max_lag=lag)
    got = fastconv.correlate(a, v, axis=-2, max_lag=lag)
    oracle.assert_exact(got, expected)
    out = np.empty_like(expected)
    assert fastconv.correlate(a, v, axis=-2, max_lag=lag, out=out) is out
    oracle.assert_exact(out, expected)


def test_max_lag_computes_no_more_than_asked():
    """The full correlation of these would not fit into any memory."""
    a, v = np.broadcast_to(1.0, (3, 2**45)), np.broadcast_to(1.0, 1)
    got = fastconv.correlate(a, v, axis=1, max_lag=1)
    np.testing.assert_array_equal(got, [[0, 1, 1]] * 3)


@pytest.mark.parametrize("extension", [{"boundary": "wrap"}, {"fillvalue": 2}])
def test_what_excludes_max_lag(extension):
    with pytest.raises(ValueError, match=f"max_lag=1 and {next(iter(extension))}=.* exclude"):
        fastconv.correlate([1, 2], [1], max_lag=1, **extension)
    with pytest.raises(ValueError, match=r"exclude each other"):
        fastconv.correlate([[1, 2]], [1], "same", axis=1, max_lag=1)


# --- no lines, and bad arguments -------------------------------------------------------------


@each
def test_no_lines_give_an_empty_result(ours, numpys):
    for dtype in ("float64", "object"):
        got = ours(np.ones((0, 5), dtype), np.ones(2, dtype), "same", axis=1)
        assert (got.shape, got.dtype) == ((0, 5), np.dtype(dtype))
        assert ours(np.ones((5, 0), dtype), np.ones(2, dtype), "full", axis=0).shape == (6, 0)
    assert ours(np.ones((1, 5)), np.ones((0, 2)), "same", axis=1).shape == (0, 5)
    assert ours(np.ones((5, 0)), np.ones(2), "full", axis=0, boundary="wrap").shape == (6, 0)
    out = np.ones((0, 5))
    assert ours(np.ones((0, 5)), np.ones(2), "same", axis=1, out=out) is out


@each
@pytest.mark.parametrize("extension", [{}, {"boundary": "wrap"}])
def test_empty_lines(ours, numpys, extension):
    for n, m in ((0, 2), (2, 0), (0, 0)):
        expected = oracle.refusal(numpys, np.ones(n), np.ones(m))
        for a, v, axis in ((np.ones((n, 3)), np.ones(m), 0), (np.ones(n), np.ones((2, m)), -1)):
            got = oracle.refusal(ours, a, v, axis=axis, **extension)
            assert str(got).startswith(str(expected))


@each
@pytest.mark.parametrize(("ndim", "axis"), [(1, 1), (1, -2), (2, 2), (2, -3), (3, 10**30)])
def test_an_axis_out_of_range(ours, numpys, ndim, axis):
    with pytest.raises((np.exceptions.AxisError, OverflowError)) as expected:
        np.flip(np.ones((2,) * ndim), axis)
    with pytest.raises(type(expected.value)) as got:
        ours(np.ones((2,) * ndim), [1.0], axis=axis)
    assert str(got.value) == str(expected.value)


@each
@pytest.mark.parametrize("axis", [1.0, "0", (0,), [1]])
def test_an_axis_is_an_integer(ours, numpys, axis):
    with pytest.raises(TypeError, match=r"^axis must be an integer: got "):
        ours(np.ones((2, 2)), [1.0], axis=axis)
    assert ours(np.ones((2, 2)), [1.0], axis=np.int8(1)).shape == (2, 2)


@each
def test_banks_that_do_not_fit(ours, numpys):
    with pytest.raises(ValueError, match=r"^axis must be negative where .*: got axis=1"):
        ours(np.ones((4, 5)), np.ones((2, 4, 3)), axis=1)
    with pytest.raises(ValueError, match=r"^axis must be negative"):
        ours(np.ones(5), np.ones((2, 3)), axis=0)
    with pytest.raises(ValueError, match=r"beside the convolved one .* got \(4,\) and \(3,\)"):
        ours(np.ones((4, 5)), np.ones((3, 2)), axis=-1)


@each
def test_without_an_axis_nothing_is_deeper_than_a_line(ours, numpys):
    for a, v in ((np.ones((2, 3)), np.ones(2)), (np.ones(2), np.ones((2, 3)))):
        with pytest.raises(ValueError, match=r"^object too deep .*for N-D give axis"):
            ours(a, v)
        with pytest.raises(ValueError, match=r"^object too deep .*for N-D give axis"):
            ours(a, v, boundary="wrap")


class Foreign:
    def __array_function__(self, function, types, args, kwargs):
        return function, args, kwargs


@each
@pytest.mark.parametrize("keyword", [{"axis": 0}, {"boundary": "wrap"}, {"fillvalue": 1}])
def test_foreign_arrays_have_numpys_keywords_only(ours, numpys, keyword):
    with pytest.raises(TypeError, match=f"^{next(iter(keyword))} is not taken for foreign arrays"):
        ours(Foreign(), [1, 2], **keyword)


@each
def test_workers(ours, numpys):
    a, v = np.arange(9.0), np.arange(3.0)
    for workers in (1, 2, np.int64(7), 10**6, -1):
        oracle.assert_same_bits(ours(a, v, workers=workers), ours(a, v))
    with pytest.raises(ValueError, match=r"^workers must not be zero: got 0, takes 1 or more"):
        ours(a, v, workers=0)
    with pytest.raises(ValueError, match=r"^workers value out of range; got -100000, must not"):
        ours(a, v, workers=-100_000)
    for wrong in (1.0, "2", [2]):
        with pytest.raises(TypeError, match=r"^workers must be an integer: got "):
            ours(a, v, workers=wrong)


def test_results_beyond_any_memory():
    with pytest.raises(ValueError, match=r"^array is too big"):
        fastconv.convolve(np.broadcast_to(1.0, (2**31, 2**31)), [1.0, 2.0], axis=0)


# --- explain -------------------------------------------------------------------------------


def test_explain():
    told = fastconv.explain((3, 4, 1000), (5,), "same", axis=-1)
    assert told.reasons[0] == "3 x 4 lines of 1,000 by 5 in float64, 1,000 outputs each"
    assert fastconv.explain((64, 1000), 300, axis=1, method="fft").method == "fft"
    assert isinstance(fastconv.explain((64, 5000), 600, axis=1, method="overlap").block, int)
    known = fastconv.explain(np.ones((50, 4)), np.ones((2, 3, 1)), axis=-2, correlate=True)
    assert known.reasons[0] == "2 x 4 lines of 50 by 3 in float64, 52 outputs each"
    assert "a is finite" in known.reasons
    assert fastconv.explain((2, 3), 2, axis=1, dtype=object).method == "numpy"


def test_explain_refuses_what_the_call_refuses():
    with pytest.raises(np.exceptions.AxisError):
        fastconv.explain((8, 8), 3, axis=2)
    with pytest.raises(ValueError, match=r"^a must have lengths of 1 or more"):
        fastconv.explain((8, 0), 3, axis=1)
    with pytest.raises(ValueError, match=r"^a must have one or two lengths"):
        fastconv.explain((8, 8, 8), (3, 3, 3))


# --- whatever hypothesis can think of ----------------------------------------------------------


@st.composite
def calls(draw):
    """(a, v, axis): arrays of any layout; a 1-D kernel, or a bank that broadcasts."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtypes = st.sampled_from([*oracle.FLOATS, *oracle.INTEGERS, "bool"])
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    axis = draw(st.integers(-len(shape), -1))
    shape[axis] = draw(st.integers(1, 60))
    v_shape = [draw(st.integers(1, 60))]
    if draw(st.booleans()):
        v_shape = [draw(st.sampled_from([1, n])) for n in shape]
        if draw(st.booleans()):
            v_shape.insert(0, draw(st.integers(1, 3)))
        v_shape[axis] = draw(st.integers(1, 60))
    arrays = []
    for lengths in (shape, v_shape):
        steps = [draw(st.sampled_from([1, 1, 2, -1, -3])) for _ in lengths]
        room = [abs(s) * n for s, n in zip(steps, lengths, strict=True)]
        order = draw(st.permutations(range(len(room))))
        memory = oracle.draw(rng, [room[d] for d in order], draw(dtypes))
        memory = memory.transpose(np.argsort(order))
        arrays.append(memory[tuple(slice(None, None, s) for s in steps)])
        assert arrays[-1].shape == tuple(lengths)
    return (*arrays, axis)


@pytest.mark.parametrize(("ours", "numpys"), PAIRS, ids=["convolve", "correlate"])
@settings(max_examples=150)
@given(call=calls(), mode=st.sampled_from(MODES), method=st.sampled_from(METHODS))
def test_any_call(ours, numpys, call, mode, method):
    a, v, axis = call
    before = a.copy(), v.copy()
    got = ours(a, v, mode, axis=axis, method=method)
    if got.dtype.kind in "fc":
        promise = "direct" if method == "direct" else "normwise"
        assert_lines_within(got, numpys, a, v, mode, axis, promise)
        assert got.dtype == np.result_type(a, v)
    else:
        oracle.assert_exact(got, by_lines(numpys, a, v, mode, axis))
    if v.ndim in (1, a.ndim):
        oracle.assert_same_bits(got, ours(a, v, mode, axis=axis + a.ndim, method=method))
    oracle.assert_same_bits(a, before[0])
    oracle.assert_same_bits(v, before[1])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int32"])
@pytest.mark.parametrize("plan", [(1, 5, 1), (1, 16, 1), (1, 1024, 0)], ids=str)
def test_one_tap_and_a_part_of_the_window(level, plan, dtype, rng):
    """Lines that the window leaves out are none of the problem's, whatever takes them."""
    a, taps = oracle.draw_small(rng, (4, 40, 40), dtype), oracle.draw_small(rng, (4, 1, 1), dtype)
    *block, lanes = plan
    whole = np.zeros((4, 40, 12), np.result_type(a, taps))
    options = {"batch": 2, "after": 1, "method": "overlap"}
    forced = {"method": "overlap", "ring": "rounded" if dtype == "int32" else "native"}
    forced |= {"block": tuple(block), "lanes": lanes, "digits": (1, 1)}
    out = whole[:, :, 5:7]
    _core.run(a, taps, [(35, 37)], out, plan=forced, **options)
    np.testing.assert_allclose(out, taps * a[:, :, 35:37], rtol=0, atol=1e-4)
    assert not whole[:, :, :5].any()
    assert not whole[:, :, 7:].any()
    assert level.convolve([1, 2], [1]).tolist() == [1, 2]
