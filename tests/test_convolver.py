"""Convolver gives what a call of its own gives, for every argument."""

import inspect
import itertools
import pickle
import threading

import numpy as np
import oracle
import pytest
import scipy.signal
from conftest import available_levels

import fastconv
from fastconv import Convolver, _core

MODES = ("full", "same", "valid")
BOUNDARIES = ({}, {"boundary": "wrap"}, {"boundary": "symm"}, {"fillvalue": 3})
SHAPES = [(1, 1), (8, 3), (3, 8), (64, 8), (64, 64), (1000, 127), (3000, 2000), (5000, 31)]


def draw(shape, dtype, seed=0):
    return oracle.draw(np.random.default_rng(seed), shape, dtype)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("a_dtype", "v_dtype"), oracle.PAIRS)
@pytest.mark.parametrize(("n", "m"), SHAPES)
def test_lines(level, n, m, a_dtype, v_dtype, mode):
    x, v = draw(n, a_dtype), draw(m, v_dtype, 1)
    convolver = level.Convolver(v, mode)
    for _ in range(2):  # the second meets kept spectra
        oracle.assert_within(convolver(x), x, v, mode, swap=mode != "same")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int16"])
@pytest.mark.parametrize(("n", "m"), [(100, 9), (1000, 1000), (20_000, 300), (70_000, 9000)])
def test_the_bits_of_the_plain_call(n, m, dtype):
    x, v = draw(n, dtype), draw(m, dtype, 1)
    convolver, expected = Convolver(v), fastconv.convolve(x, v)
    for _ in range(2):
        oracle.assert_same_bits(convolver(x), expected)


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["int16", "complex128", "float16", "bool", "longdouble", object])
@pytest.mark.parametrize(("n", "m"), [(9, 4), (4, 9), (7, 3), (5, 5), (1, 1), (40, 8)])
def test_as_numpy(n, m, dtype, mode, correlate):
    """Where numpy has the mode: 'same' is as long as the longer one there."""
    x, v = (oracle.draw_small(np.random.default_rng(s), k, "int64") for s, k in ((0, n), (1, m)))
    x, v = x.astype(dtype), v.astype(dtype)
    theirs = np.correlate if correlate else np.convolve
    result = Convolver(v, mode, correlate=correlate)(x)
    if mode == "same" and n < m:
        lo = (m - 1) // 2
        expected = theirs(x, v, "full")[lo : lo + n]
    else:
        expected = theirs(x, v, mode)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("boundary", BOUNDARIES[1:])
@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("n", "m"), [(9, 4), (4, 9), (7, 3), (40, 8)])
def test_boundaries_of_lines(n, m, mode, correlate, boundary):
    x, v = draw(n, "int32"), draw(m, "int32", 1)
    theirs = scipy.signal.correlate2d if correlate else scipy.signal.convolve2d
    result = Convolver(v, mode, correlate=correlate, **boundary)(x)
    np.testing.assert_array_equal(result, theirs(x[None], v[None], mode, **boundary)[0])


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "axis"), [((3, 40), -1), ((40, 3), 0), ((2, 40, 3), 1)])
def test_lines_along_an_axis(shape, axis, mode, correlate, boundary):
    x, v = draw(shape, "int32"), draw(7, "int32", 1)
    ours = fastconv.correlate if correlate else fastconv.convolve
    convolver = Convolver(v, mode, axis=axis, correlate=correlate, **boundary)
    expected = ours(x, v, mode, axis=axis, **boundary)
    np.testing.assert_array_equal(convolver(x), expected, strict=True)
    out = np.empty_like(expected.T).T
    assert convolver(x, out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["int32", "complex128", "float64"])
@pytest.mark.parametrize(
    ("shape", "side"), [((9, 11), (3, 4)), ((3, 4), (9, 11)), ((6, 6), (2, 2))]
)
def test_planes(shape, side, dtype, mode, correlate, boundary):
    rng = np.random.default_rng(0)
    x, v = oracle.draw_small(rng, shape, dtype), oracle.draw_small(rng, side, dtype)
    theirs = scipy.signal.correlate2d if correlate else scipy.signal.convolve2d
    result = Convolver(v, mode, correlate=correlate, **boundary)(x)
    np.testing.assert_allclose(result, theirs(x, v, mode, **boundary), rtol=0, atol=1e-9)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axes", [None, (-2, -1), (0, 1), (1, 0), (0, 2), (2, 0), (-1, 0)])
def test_planes_of_a_stack(axes, mode, boundary):
    x, v = draw((6, 7, 8), "int32"), draw((3, 4), "int32", 1)
    result = Convolver(v, mode, axes=axes, **boundary)(x)
    planes, results = (np.moveaxis(y, axes or (-2, -1), (-2, -1)) for y in (x, result))
    for plane, ours in zip(planes, results, strict=True):
        np.testing.assert_array_equal(ours, scipy.signal.convolve2d(plane, v, mode, **boundary))


def test_big_planes_meet_kept_spectra(level):
    x, v = draw((200, 180), "float64"), draw((40, 30), "float64", 1)
    convolver = level.Convolver(v, "same")
    for _ in range(2):
        oracle.assert_within(convolver(x), x, v, "same")
    assert convolver.nbytes > 0


@pytest.mark.parametrize("method", ["direct", "fft", "overlap"])
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int16"])
def test_methods(method, dtype):
    x, v = draw(5000, dtype), draw(300, dtype, 1)
    convolver = Convolver(v, method=method)
    for n in (5000, 2000, 100, 5000):
        oracle.assert_within(convolver(x[:n]), x[:n], v)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("separable", ["auto", True, False])
def test_separable(separable, correlate, boundary):
    """The bits of the plain call, which was made to choose alike."""
    x, v = draw((180, 160), "float64"), np.outer(draw(9, "float64", 1), draw(11, "float64", 2))
    ours = fastconv.correlate2d if correlate else fastconv.convolve2d
    how = {"separable": separable, **boundary}
    convolver, expected = (
        Convolver(v, "same", correlate=correlate, **how),
        ours(x, v, "same", **how),
    )
    for _ in range(2):
        oracle.assert_same_bits(convolver(x), expected)
    stack = np.stack([x, x[::-1]])
    np.testing.assert_array_equal(convolver(stack)[0], expected)
    assert convolver.separable == separable
    assert pickle.loads(pickle.dumps(convolver)).separable == separable


def test_separable_is_of_the_kernel_that_the_call_takes():
    x = draw((50, 40), "float64")
    rounds = np.outer([0.1, 0.7, 0.2], [0.3, 0.6, 0.1]).astype("float32")
    convolver = Convolver(rounds, separable=True)
    assert convolver(x.astype("float32")).dtype == np.float32
    for kernel in (rounds, np.eye(3), np.outer([1, 2], [1j, 3])):
        with pytest.raises(ValueError, match="separable=True takes a real kernel"):
            Convolver(kernel, separable=True)(x)
    # 'valid' exchanges the two: the smaller is looked at.
    assert Convolver(x, "valid", separable=True)(np.outer([1.0, 2], [3, 4])).shape == (49, 39)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int16", "int64"])
@pytest.mark.parametrize("shape", [(4000,), (120, 110)])
def test_what_is_kept_changes_no_bit(level, dtype, shape):
    """Lengths in turns, levels of their own: plan, weight and spectra are those of each call."""
    v = draw(300 if len(shape) == 1 else (20, 21), dtype, 1)
    plain = level.convolve if len(shape) == 1 else level.convolve2d
    convolver = level.Convolver(v)
    for k in (1, 2, 1, 1, 3, 2):
        x = draw(shape, dtype, k)[: shape[0] - 50 * (k % 3)]
        oracle.assert_same_bits(convolver(x), plain(x, v))


def test_the_last_plan_heeds_level_and_costs():
    x, v = draw(20_000, "float64"), draw(700, "float64", 1)
    convolver, before, found = Convolver(v), _core.level(), {}
    try:
        for level in (*available_levels(), *available_levels()):
            _core.use_level(level)
            y = found.setdefault(level, fastconv.convolve(x, v))
            oracle.assert_same_bits(fastconv.convolve(x, v), y)
            oracle.assert_same_bits(convolver(x), y)
        costs = {name: [1e9 * y for y in ys] for name, ys in _core.costs(level).items()}
        costs["direct_rate"] = [1e9] * len(costs["direct_rate"])
        _core.set_costs(level, costs)
        direct = fastconv.convolve(x, v, method="direct")
        oracle.assert_same_bits(fastconv.convolve(x, v), direct)
        oracle.assert_same_bits(convolver(x), direct)
    finally:
        _core.set_costs(level, None)
        _core.use_level(before)


def test_accuracy():
    x, v = draw(20_000, "float64"), draw(2000, "float64", 1)
    x[10_000:] *= 1e-14
    for accuracy in ("auto", "normwise", "componentwise"):
        result = Convolver(v, accuracy=accuracy)(x)
        bound = "direct" if accuracy == "componentwise" else accuracy
        oracle.assert_within(result, x, v, accuracy=bound)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_local(bad):
    x, v = draw(20_000, "float64"), draw(500, "float64", 1)
    x[700] = bad
    convolver = Convolver(v)
    for _ in range(2):
        oracle.assert_within(convolver(x), x, v)


def test_other_inputs():
    smooth = Convolver([0.25, 0.5, 0.25], "same")
    assert smooth([0, 4, 0]).tolist() == [1, 2, 1]
    assert smooth(4).tolist() == [2]
    assert smooth(np.array([0, 4, 0], ">i2")[::-1]).tolist() == [1, 2, 1]
    assert Convolver(2)([1, 2]).tolist() == [2, 4]
    assert Convolver([1, 2], 0)([1, 2, 3]).tolist() == [4, 7]
    x = np.arange(6.0)
    assert smooth(x, x[:]).tolist() == smooth(np.arange(6.0)).tolist()


def test_the_kernel_is_a_copy():
    v = np.ones(3)
    convolver = Convolver(v)
    v[:] = 7
    assert convolver([1.0]).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        convolver.kernel[0] = 7
    with pytest.raises(AttributeError):
        convolver.mode = "same"


def test_attributes_are_the_arguments():
    given = {
        "axis": 0, "axes": None, "boundary": "wrap", "fillvalue": 2, "correlate": True,
        "method": "direct", "accuracy": "componentwise", "separable": "auto", "workers": 2,
    }  # fmt: skip
    convolver = Convolver([1, 2], "same", **given)
    assert convolver.mode == "same"
    assert {name: getattr(convolver, name) for name in given} == given
    names = set(inspect.signature(Convolver.__init__).parameters) - {"self", "kernel", "mode"}
    assert names == set(given)


@pytest.mark.parametrize(
    "convolver",
    [
        Convolver([1.5, 2, 3]),
        Convolver([1, 2, 3], "valid", axis=0, correlate=True, boundary="symm"),
        Convolver(np.ones((2, 3)), "same", axes=(0, 1), fillvalue=5, method="direct"),
    ],
)
def test_pickle(convolver):
    x = draw((20, 21), "float64")
    again = pickle.loads(pickle.dumps(convolver))
    assert repr(again) == repr(convolver)
    np.testing.assert_array_equal(again(x), convolver(x), strict=True)


def test_a_pickle_carries_no_spectra():
    convolver = Convolver(draw(500, "float64"))
    convolver(draw(100_000, "float64"))
    assert convolver.nbytes > 0
    assert len(pickle.dumps(convolver)) < 500 * 8 + 1000
    assert pickle.loads(pickle.dumps(convolver)).nbytes == 0


def test_spectra_are_bounded():
    v = draw(20_000, "float64")
    convolver = Convolver(v, method="fft")
    x = draw(700_000, "float64")
    for n in range(400_000, 700_000, 30_000):
        convolver(x[:n])
        assert convolver.nbytes <= 64 << 20
    oracle.assert_within(convolver(x[:50_000]), x[:50_000], v)


def test_repr_tells_the_choice():
    convolver = Convolver(np.ones(127), "same")
    first = fastconv.explain(1270, 127, "same").method
    assert repr(convolver).startswith(
        f"Convolver(float64 kernel (127,), mode='same', axis=-1: {first} at n=1270"
    )
    convolver(np.ones(1_000_000))
    assert "at n=1000000" in repr(convolver)
    long = Convolver(np.ones(20_000, "float32"))
    long(np.ones(1_000_000, "float32"))
    told = fastconv.explain(1_000_000, 20_000, dtype="float32")
    assert told.method in repr(long)
    if told.method == "overlap":
        assert f"blocks of {told.block}" in repr(long)
    assert repr(Convolver(np.ones((3, 3)))).startswith(
        "Convolver(float64 kernel (3, 3), mode='full': direct at n=30x30"
    )
    assert "plain sums" in repr(Convolver(np.ones(3, "longdouble")))
    steep = Convolver(np.outer([1, 2, 1], [1, 0, -1]), separable=True)
    assert repr(steep).endswith("separable=True: separable at n=30x30)")


@pytest.mark.parametrize(
    ("kernel", "fillvalue"), [([1, 2], np.nan), (np.int8([1, 2]), 300), ([1.0], 1j)]
)
def test_repr_with_a_fill_value_that_only_some_signals_hold(kernel, fillvalue):
    assert f"fillvalue={fillvalue!r}: " in repr(Convolver(kernel, fillvalue=fillvalue))


def test_what_no_signal_can_mend_is_refused_at_once():
    for options, message in [
        ({"fillvalue": "x"}, "malformed"),
        ({"fillvalue": [1, 2]}, "fillvalue"),
        ({"axes": (1, 1)}, "unique"),
    ]:
        with pytest.raises(ValueError, match=message):
            Convolver([[1, 2], [3, 4]], **options)


def test_without_a_kernel():
    """As `__new__` alone leaves it, or an `__init__` that failed."""
    empty = Convolver.__new__(Convolver)
    for name in ("nbytes", "spectra", "kernel", "mode"):
        with pytest.raises(AttributeError):
            getattr(empty, name)
    assert empty.last == ()


def test_sixteen_threads_share_one():
    lengths = (100, 5000, 20_000, 60_000)
    v = draw(700, "float64", 1)
    convolver = Convolver(v)
    signals = [draw(n, "float64", n) for n in lengths]
    expected = [Convolver(v)(x) for x in signals]
    wrong = []

    def work(i):
        for j in itertools.islice(itertools.cycle(range(4)), i, i + 8):
            if not np.array_equal(convolver(signals[j]), expected[j]):
                wrong.append((i, j))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "words"),
    [
        (([],), {}, ValueError, r"1-D or 2-D and not empty: got shape \(0,\)"),
        ((np.ones((2, 2, 2)),), {}, ValueError, r"got shape \(2, 2, 2\)"),
        ((["a"],), {}, TypeError, "kernel must be of numbers"),
        (([1], "sa"), {}, ValueError, "sa"),
        (([1], None), {}, TypeError, "mode None"),
        (([1],), {"axis": 1.5}, TypeError, "axis must be an integer: got 1.5"),
        (([1],), {"axes": (0, 1)}, ValueError, "axes is for a 2-D kernel"),
        (([[1]],), {"axis": 0}, ValueError, "axis is for a 1-D kernel"),
        (([[1]],), {"axes": (0, 1, 2)}, ValueError, "axes must be two integers"),
        (([1],), {"boundary": "loop"}, ValueError, "'loop'"),
        (([1],), {"method": "slow"}, ValueError, "method not understood: got 'slow'"),
        (([1],), {"accuracy": 3}, TypeError, "accuracy must be a string: got 3"),
        (([1],), {"separable": False}, ValueError, "separable is for a 2-D kernel"),
        (([[1]],), {"separable": 1.0}, ValueError, "separable not understood: got 1.0"),
        (([1],), {"workers": 0}, ValueError, "workers must not be zero"),
    ],
)
def test_what_is_refused(arguments, keywords, error, words):
    with pytest.raises(error, match=words):
        Convolver(*arguments, **keywords)


def test_signals_that_are_refused():
    with pytest.raises(ValueError, match="a cannot be empty"):
        Convolver([1, 2])([])
    with pytest.raises(ValueError, match="two axes or more"):
        Convolver([[1, 2]])([1, 2])
    with pytest.raises(ValueError, match="exceeds dimensionality"):
        Convolver([[1, 2]], axes=(1, 2))(np.ones((3, 3)))
    with pytest.raises(ValueError, match="out of bounds"):
        Convolver([1, 2], axis=1)([1, 2])
    with pytest.raises(ValueError, match="one must be at least as large"):
        Convolver(np.ones((2, 5)), "valid")(np.ones((5, 2)))
    with pytest.raises(ValueError, match="out must have the result's shape"):
        Convolver([1.0, 2])(np.ones(3), np.empty(3))
    with pytest.raises(TypeError, match="out must have the result's dtype"):
        Convolver([1.0, 2])(np.ones(3), np.empty(4, "float32"))
