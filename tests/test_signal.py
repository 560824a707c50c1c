"""fastconv.signal by scipy's rules; scipy itself is the judge of all but values."""

import inspect
import itertools
import warnings

import numpy as np
import oracle
import pytest
from numpy.testing import assert_array_equal

import fastconv
from fastconv import signal

scipys = pytest.importorskip("scipy.signal")

MODES = ["full", "same", "valid"]
METHODS = ["auto", "direct", "fft", "overlap"]
IN_DTYPE = ["convolve", "correlate"]
IN_FLOATS = ["fftconvolve", "oaconvolve"]
ALL = [*IN_DTYPE, *IN_FLOATS]
each = pytest.mark.parametrize("name", ALL)


def whole(shape, dtype, start=1):
    """Numbers so small that scipy's transforms round them right."""
    values = ((np.arange(np.prod(shape)) + start) * 5 % 7).reshape(shape)
    if np.dtype(dtype).kind == "c":
        values = values * (1 + 2j) - 3j
    return values.astype(dtype)


def scipys_answer(name, *args, **kwargs):
    with warnings.catch_warnings(action="ignore"):
        return getattr(scipys, name)(*args, **kwargs)


def assert_refused_alike(name, *args):
    with pytest.raises((TypeError, ValueError)) as expected:
        scipys_answer(name, *args)
    with pytest.raises(type(expected.value)) as got:
        getattr(signal, name)(*args)
    assert str(got.value).startswith(str(expected.value).removesuffix("."))


# --- names and signatures ----------------------------------------------------------------


def test_the_names():
    assert set(signal.__all__) == {
        *ALL, "convolve2d", "correlate2d", "choose_conv_method", "correlation_lags"
    }  # fmt: skip


@pytest.mark.parametrize("name", signal.__all__)
def test_signatures_begin_with_scipys(name):
    """Ours have keyword-only parameters beyond those."""
    ours = inspect.signature(getattr(signal, name)).parameters.values()
    theirs = inspect.signature(getattr(scipys, name)).parameters.values()
    positional = [p for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [(p.name, p.default) for p in positional] == [(p.name, p.default) for p in theirs]


# --- dtypes ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IN_DTYPE)
@pytest.mark.parametrize("shapes", [((6,), (3,)), ((4, 5), (2, 3))], ids=str)
@pytest.mark.parametrize(("first", "second"), list(itertools.product("?bBhHilQefdgFDG", repeat=2)))
def test_dtypes(name, shapes, first, second):
    """Where scipy refuses one (bool and float16 in N-D sums) its transforms give it."""
    in1, in2 = whole(shapes[0], first), whole(shapes[1], second, 3)
    try:
        expected = scipys_answer(name, in1, in2, "same", "direct")
    except ValueError:
        expected = scipys_answer(name, in1, in2, "same", "fft")
    for method in METHODS:
        got = getattr(signal, name)(in1, in2, "same", method)
        assert got.dtype == expected.dtype == np.result_type(in1, in2)
        np.testing.assert_allclose(got, expected, rtol=1e-3 if "e" in first + second else 1e-5)


@pytest.mark.parametrize("name", IN_FLOATS)
@pytest.mark.parametrize(("first", "second"), list(itertools.product("?bHqefdgFDGO", repeat=2)))
def test_dtypes_in_floats(name, first, second):
    in1, in2 = whole((4, 5), first), whole((2, 3), second, 3)
    expected = scipys_answer(name, in1, in2)
    got = getattr(signal, name)(in1, in2)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    assert got.dtype == expected.dtype


@pytest.mark.parametrize("name", IN_FLOATS)
@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "object", "float64"])
def test_a_product_keeps_the_dtype(name, dtype):
    """scipy transforms nothing where each convolved axis has the length 1 in one input."""
    for shape1, shape2 in (((1, 4), (3, 1)), ((1, 1), (3, 3)), ((1, 3), (4, 1))):
        in1, in2 = whole(shape1, dtype), whole(shape2, dtype)
        expected = scipys_answer(name, in1, in2)
        assert_array_equal(getattr(signal, name)(in1, in2), expected, strict=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", oracle.INTEGERS)
@pytest.mark.parametrize(
    "shapes", [((700,), (90,)), ((40, 50), (9, 8)), ((9, 8, 7), (3, 4, 2))], ids=str
)
def test_integers_are_exact(shapes, dtype, method, rng):
    in1, in2 = (oracle.draw(rng, shape, dtype) for shape in shapes)
    for mode in MODES:
        got = signal.convolve(in1, in2, mode, method)
        oracle.assert_within(got, in1, in2, mode, swap=False)
        got = signal.correlate(in1, in2, mode, method)
        mirror = in2[(slice(None, None, -1),) * in2.ndim]
        oracle.assert_within(got, in1, mirror, mode, swap=False)


def test_float16_is_rounded_once():
    in1, in2 = np.full((40, 40), 0.1, "e"), np.full((9, 9), 0.3, "e")
    exact = oracle.full(in1, in2)
    got = signal.convolve(in1, in2).astype(float)
    assert (abs(got - exact) <= exact * 2.0**-11 * 1.01).all()


# --- without axes ------------------------------------------------------------------------


@each
@pytest.mark.parametrize("pair", [(2, 3), (2j, 1 + 1j), (True, True), (np.float16(2), np.int8(3))])
def test_two_scalars_are_multiplied(name, pair):
    expected, got = scipys_answer(name, *pair), getattr(signal, name)(*pair)
    assert got == expected
    assert type(got) is type(expected)
    assert getattr(signal, name)(*pair, "no mode at all") == expected
    out = np.zeros((), got.dtype)
    assert getattr(signal, name)(*pair, out=out) is out
    assert out == expected


# --- empty inputs ------------------------------------------------------------------------


EMPTY = [((0,), (1,)), ((1,), (0,)), ((0,), (0,)), ((0,), (3,)), ((3,), (0,))]
EMPTY_2D = [((0, 2), (2, 2)), ((2, 2), (0, 2)), ((0, 2), (0, 2)), ((2, 0), (2, 2))]


@each
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape1", "shape2"), EMPTY)
def test_empty_lines(name, mode, shape1, shape2):
    in1, in2 = np.ones(shape1), np.ones(shape2)
    if name in IN_FLOATS or (mode == "same" and in2.size):
        expected = scipys_answer(name, in1, in2, mode)
        assert_array_equal(getattr(signal, name)(in1, in2, mode), expected, strict=True)
    else:
        assert_refused_alike(name, in1, in2, mode)


@each
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape1", "shape2"), EMPTY_2D)
def test_empty_planes(name, mode, shape1, shape2):
    """Where scipy stumbles over a shape it made itself, there are words of ours."""
    in1, in2 = np.ones(shape1), np.ones(shape2)
    try:
        expected = scipys_answer(name, in1, in2, mode)
    except ValueError:
        with pytest.raises(ValueError, match=r"^in1 and in2 cannot be empty: got shapes"):
            getattr(signal, name)(in1, in2, mode)
    else:
        assert_array_equal(getattr(signal, name)(in1, in2, mode), expected, strict=True)


def test_empty_into_out():
    out = np.empty(0)
    assert signal.fftconvolve([], [1.0], out=out) is out
    with pytest.raises(ValueError, match=r"^out must have the result's shape"):
        signal.fftconvolve([], [1.0], out=np.empty(1))


# --- mistakes ----------------------------------------------------------------------------


ONES = np.ones((2, 3))
MISTAKES = [
    ([1], 2), (1, [2]), ([3], [[2]]), (ONES, ONES[0]), (ONES, ONES.T, "valid"),
    ([1], [2], "bogus"), ([1], [2], None), ([1], [2], 1), ([1], [2], ["full"]),
    (ONES, ONES, "bogus"), ([[1, 2], [3]], [1]),
]  # fmt: skip


@each
@pytest.mark.parametrize("args", MISTAKES, ids=lambda args: str(args).replace("\n", ""))
def test_mistakes(name, args):
    assert_refused_alike(name, *args)


@pytest.mark.parametrize("name", IN_DTYPE)
@pytest.mark.parametrize("method", ["bogus", None, 1, ["fft"]])
def test_no_method(name, method):
    assert_refused_alike(name, [1], [2], "full", method)


@pytest.mark.parametrize("name", IN_FLOATS)
@pytest.mark.parametrize(
    "axes", [[], -1, (0, 0), [0, -2], 2, -3, [0, 2], 1.0, [1.0], "a", np.array(1), [[0]], True, {}]
)
def test_no_axes(name, axes):
    assert_refused_alike(name, np.ones((4, 5)), np.ones((2, 4)), "full", axes)


@pytest.mark.parametrize("name", [*ALL, "convolve2d", "correlate2d"])
def test_our_own_keywords(name):
    function = getattr(signal, name)
    right = {"accuracy": "componentwise", "workers": np.int8(2), "out": np.zeros((3, 5))}
    assert function(ONES, ONES, **right) is right["out"]
    wrong = [
        ({"accuracy": "bogus"}, ValueError, "accuracy not understood: got 'bogus', takes"),
        ({"accuracy": 1}, TypeError, "accuracy must be a string: got 1, takes"),
        ({"workers": 0}, ValueError, "workers must not be zero: got 0, takes"),
        ({"workers": -99999}, ValueError, "workers value out of range; got -99999, must not"),
        ({"workers": 1.5}, TypeError, "workers must be an integer: got 1.5, takes"),
        ({"workers": "2"}, TypeError, "workers must be an integer: got '2', takes"),
        ({"out": [[0.0] * 5] * 3}, TypeError, "out must be an ndarray"),
        ({"out": np.zeros((3, 5), int)}, TypeError, "out must have the result's dtype"),
        ({"out": np.zeros((5, 3))}, ValueError, "out must have the result's shape"),
        ({"out": np.broadcast_to(0.0, (3, 5))}, ValueError, "out must be writeable"),
    ]
    for keywords, kind, words in wrong:
        with pytest.raises(kind, match=f"^{words}".replace("(", r"\(")):
            function(ONES, ONES, **keywords)


# --- kinds of input ----------------------------------------------------------------------


class Plain(np.ndarray):
    pass


@each
def test_subclasses_and_lists_become_arrays(name):
    function = getattr(signal, name)
    with warnings.catch_warnings(action="ignore"):
        matrix = np.matrix([[1.0, 2], [3, 4]])
    masked = np.ma.array(whole((3, 3), "f8"), mask=np.eye(3))
    for in1 in (masked, matrix, np.eye(3).view(Plain), [[1, 2], [3, 4]], ((1, 2.5),)):
        got, expected = function(in1, [[1.0, 2]]), scipys_answer(name, in1, [[1.0, 2]])
        assert type(got) is type(expected) is np.ndarray
        np.testing.assert_allclose(got, expected, atol=1e-12, strict=True)


def layouts(shape):
    """One array seen in many ways: each view has the same values."""
    values = whole(shape, "f8")
    wide = np.zeros([2 * n for n in shape])
    every_second = wide[tuple(slice(None, None, 2) for _ in shape)]
    every_second[...] = values
    backwards = values[(slice(None, None, -1),) * len(shape)].copy()
    frozen = values.copy()
    frozen.flags.writeable = False
    unaligned = np.zeros(values.nbytes + 1, "u1")[1:].view("f8").reshape(shape)
    unaligned[...] = values
    return [values, np.asfortranarray(values), every_second, frozen, unaligned,
            backwards[(slice(None, None, -1),) * len(shape)], values.astype(">f8")]  # fmt: skip


@each
@pytest.mark.parametrize(
    "shapes", [((7,), (4,)), ((5, 6), (3, 4)), ((3, 4, 5), (2, 3, 3))], ids=str
)
def test_layouts_make_no_difference(name, shapes):
    function = getattr(signal, name)
    for mode in MODES:
        expected = function(*(whole(shape, "f8") for shape in shapes), mode)
        for in1, in2 in itertools.product(*map(layouts, shapes)):
            oracle.assert_same_bits(function(in1, in2, mode), expected)


@each
def test_strides_of_zero(name):
    in1 = np.broadcast_to(np.arange(5.0), (4, 5))
    in2 = np.broadcast_to(2.0, (3, 2))
    expected = scipys_answer(name, in1, in2, "same")
    np.testing.assert_allclose(getattr(signal, name)(in1, in2, "same"), expected, atol=1e-12)


@each
def test_inputs_are_left_alone(name):
    in1, in2 = whole((5, 6), "f8"), whole((3, 2), "f8")
    before = in1.copy(), in2.copy()
    getattr(signal, name)(in1, in2)
    assert_array_equal(in1, before[0])
    assert_array_equal(in2, before[1])


@each
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i4", "e", "?"])
def test_out(name, dtype):
    function = getattr(signal, name)
    in1, in2 = whole((4, 5, 3), dtype), whole((2, 3, 1), dtype)
    expected = function(in1, in2, "same")
    for out in (
        np.zeros(expected.shape, expected.dtype),
        np.zeros(expected.shape, expected.dtype, order="F"),
        np.zeros(expected.shape[::-1], expected.dtype).T[:, ::-1],
        np.zeros(expected.shape, expected.dtype.newbyteorder()),
    ):
        assert function(in1, in2, "same", out=out) is out
        assert_array_equal(out, expected)


@each
@pytest.mark.parametrize("axes", [None, 1])
def test_out_may_be_an_input(name, axes):
    function = getattr(signal, name)
    how = {"axes": axes} if name in IN_FLOATS else {}
    in1, in2 = whole((6, 7), "f8"), whole((1, 3), "f8")
    expected = function(in1, in2, "same", **how)
    memory = np.zeros((7, 8))
    memory[1:, 1:] = in1
    assert_array_equal(function(memory[1:, 1:], in2, "same", out=memory[:-1, :-1], **how), expected)
    assert_array_equal(memory[:-1, :-1], expected)
    assert_array_equal(function(in1, in2, "same", out=in1, **how), expected)


# --- correlate ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", METHODS)
def test_the_centre_of_a_correlation(mode, method):
    """Odd and even, the kernel shorter and longer, the second conjugated either way."""
    for n, m in itertools.product(range(1, 9), repeat=2):
        in1, in2 = whole((n,), "D"), whole((m,), "D", 4)
        expected = scipys_answer("correlate", in1, in2, mode)
        np.testing.assert_allclose(
            signal.correlate(in1, in2, mode, method), expected, atol=1e-9, strict=True
        )


# --- the lags ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_lags_are_scipys(mode):
    for n, m in itertools.product(range(1, 12), repeat=2):
        expected = scipys.correlation_lags(n, m, mode)
        assert_array_equal(signal.correlation_lags(n, m, mode), expected, strict=True)
        assert len(expected) == len(signal.correlate(np.ones(n), np.ones(m), mode))
    for n, m in itertools.product(range(-1, 8), repeat=2):
        assert_array_equal(
            signal.correlation_lags(n, m, mode), scipys.correlation_lags(n, m, mode), strict=True
        )


def test_lags_are_those_of_the_values():
    """But for 'same' with n odd and m even, where scipy's are one too many."""
    for n, m, mode in itertools.product(range(1, 9), range(1, 9), MODES):
        full = signal.correlate(np.arange(1, n + 1), 10 ** np.arange(m))
        values = dict(zip(range(1 - m, n), full.tolist(), strict=True))
        flaw = mode == "same" and n % 2 == 1 and m % 2 == 0
        part = signal.correlate(np.arange(1, n + 1), 10 ** np.arange(m), mode)
        told = [values[lag - flaw] for lag in signal.correlation_lags(n, m, mode).tolist()]
        assert told == part.tolist()


def test_no_mode_for_lags():
    with pytest.raises(
        ValueError, match=r"^Mode bogus is invalid: takes 'full', 'same' or 'valid'"
    ):
        signal.correlation_lags(3, 2, "bogus")


# --- the choice --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape1", "shape2"), [((100,), (5,)), ((200_000,), (50_000,)), ((64, 64), (3, 3))]
)
@pytest.mark.parametrize("mode", MODES)
def test_the_choice_is_the_one_explained(shape1, shape2, mode, rng):
    in1, in2 = oracle.draw(rng, shape1, "float64"), oracle.draw(rng, shape2, "float64")
    told = fastconv.explain(in1, in2, mode).method
    assert signal.choose_conv_method(in1, in2, mode) == ("direct" if told == "direct" else "fft")


def test_the_choice_looks_at_the_data():
    small, large = np.full(200_000, 3), np.full(50_000, 2**40)
    assert signal.choose_conv_method(small, small[:50_000]) == "fft"
    told = fastconv.explain(small, large).method
    assert signal.choose_conv_method(small, large) == ("direct" if told == "direct" else "fft")


@pytest.mark.parametrize("args", [(2, 3), ([], []), ([1], [2]), (ONES[:0], ONES)])
def test_nothing_to_choose(args):
    assert signal.choose_conv_method(*args) == "direct"


def test_long_doubles_are_summed():
    many = np.ones(5000, np.longdouble)
    assert signal.choose_conv_method(many, many) == "direct"


def test_the_choice_by_measuring():
    in1, in2 = np.ones(60_000), np.ones(20_000)
    method, times = signal.choose_conv_method(in1, in2, "same", measure=True)
    assert set(times) == {"fft", "direct"}
    assert all(isinstance(s, float) and s > 0 for s in times.values())
    assert method == min(times, key=times.get)


@pytest.mark.parametrize("mode", ["bogus", None, 1, ["full"]])
def test_no_mode_to_choose_for(mode):
    assert_refused_alike("choose_conv_method", [1], [2], mode)


def test_what_convolve_refuses_is_no_choice():
    with pytest.raises(ValueError, match=r"^volume and kernel should have the same dim"):
        signal.choose_conv_method([1], 2)
    with pytest.raises(ValueError, match=r"^For 'valid' mode"):
        signal.choose_conv_method(ONES, ONES.T, "valid")
