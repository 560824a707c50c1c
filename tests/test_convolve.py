"""convolve and correlate by numpy's rules; numpy itself is the judge."""

import decimal
import inspect
import itertools
import pickle
from fractions import Fraction

import numpy as np
import oracle
import pytest
from numpy.testing import assert_array_equal

import fastconv

MODES = ["full", "same", "valid"]
LENGTHS = [(1, 1), (1, 4), (4, 1), (5, 2), (5, 3), (2, 5), (3, 5), (4, 4), (8, 5), (5, 8)]
PAIRS = [
    ("convolve", fastconv.convolve, np.convolve),
    ("correlate", fastconv.correlate, np.correlate),
]
each = pytest.mark.parametrize(
    ("ours", "numpys"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS]
)


def whole(n, dtype, start=1):
    """Small whole numbers, so that sums are exact in every dtype and equality can be asked."""
    values = (np.arange(start, start + n) * 5) % 7
    if np.dtype(dtype).kind == "c":
        values = values * (1 + 2j) - 3j
    return values.astype(dtype)


def same(got, expected):
    assert type(got) is type(expected)
    assert got.dtype == expected.dtype
    assert got.dtype.isnative
    assert_array_equal(got, expected, strict=True)


# --- values, shapes, dtypes ----------------------------------------------------------------


@each
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("n", "m"), LENGTHS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "complex64", "float16"])
def test_windows(ours, numpys, mode, n, m, dtype):
    a, v = whole(n, dtype), whole(m, dtype, 3)
    same(ours(a, v, mode), numpys(a, v, mode))


CHARS = "?bBhHiIlLqQefdgFDG"


@each
@pytest.mark.parametrize(("first", "second"), list(itertools.product(CHARS, CHARS)))
def test_every_pair_of_dtypes(ours, numpys, first, second):
    a, v = whole(6, first), whole(3, second, 2)
    expected = numpys(a, v, "same")
    got = ours(a, v, "same")
    same(got, expected)
    assert got.dtype.char == expected.dtype.char


@each
def test_default_mode(ours, numpys):
    same(ours([1, 2, 3, 4], [0, 1, 0.5]), numpys([1, 2, 3, 4], [0, 1, 0.5]))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int64", "uint64"])
def test_integers_wrap(dtype):
    top = np.iinfo(dtype).max
    a, v = np.full(9, top, dtype), np.full(4, top - 2, dtype)
    same(fastconv.convolve(a, v), np.convolve(a, v))


def test_bool_is_or_of_ands():
    a, v = np.array([True, False, True, False]), np.array([True, True])
    same(fastconv.convolve(a, v), np.convolve(a, v))
    odd = np.array([2, 0, 4, 0], np.uint8).view(bool)  # numpy counts any nonzero byte as True
    for x, y in ((odd, v), (v, odd), (a[::2], v), (odd[::-1], odd)):
        for mode in ("full", "same", "valid"):
            same(fastconv.convolve(x, y, mode), np.convolve(x, y, mode))
            same(fastconv.correlate(x, y, mode), np.correlate(x, y, mode))


def test_float16_is_rounded_once():
    rng = np.random.default_rng(1)
    a, v = (rng.standard_normal(n).astype(np.float16) for n in (300, 40))
    wide = np.convolve(a.astype(np.float64), v.astype(np.float64))
    got = fastconv.convolve(a, v)
    assert got.dtype == np.float16
    ulp = np.spacing(np.abs(wide).astype(np.float16)).astype(float)
    assert (np.abs(got - wide) <= 0.501 * ulp + 1e-4).all()


def test_float16_overflows_in_silence():
    a = np.full(3, 300, np.float16)
    same(fastconv.convolve(a, a), np.convolve(a, a))


@pytest.mark.parametrize("other", ["float16", "int8", "float32"])
def test_float16_beside_others(other):
    a, v = np.arange(9, dtype=np.float16), np.arange(1, 4, dtype=other)
    for mode in ("full", "same", "valid"):
        same(fastconv.convolve(a, v, mode), np.convolve(a, v, mode))
        same(fastconv.correlate(v, a, mode), np.correlate(v, a, mode))
    out = np.empty(11, np.result_type(a, v))
    assert fastconv.convolve(a, v, out=out) is out
    same(out, np.convolve(a, v))


@pytest.mark.parametrize("swap", [False, True])
@each
def test_real_beside_complex(ours, numpys, swap):
    a, v = whole(9, "complex128"), whole(4, "float64")
    a, v = (v, a) if swap else (a, v)
    for mode in MODES:
        same(ours(a, v, mode), numpys(a, v, mode))


@pytest.mark.parametrize("call", [fastconv.convolve, fastconv.correlate])
@pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap"])
@pytest.mark.parametrize("accuracy", ["auto", "normwise", "componentwise"])
def test_methods_and_accuracies(call, method, accuracy):
    a, v = np.arange(500.0), np.arange(40.0)
    expected = getattr(np, call.__name__)(a, v, "same")
    got = call(a, v, "same", method=method, accuracy=accuracy)
    np.testing.assert_allclose(got, expected, rtol=1e-11)


@pytest.mark.parametrize("method", ["direct", "fft", "overlap"])
def test_integers_are_exact_by_every_method(method):
    rng = np.random.default_rng(2)
    a, v = (rng.integers(-(2**62), 2**62, n) for n in (400, 90))
    same(fastconv.convolve(a, v, method=method), np.convolve(a, v))


# --- what counts as an array ---------------------------------------------------------------


def test_scalars_are_taken_by_convolve_alone():
    same(fastconv.convolve(3, [1, 2]), np.convolve(3, [1, 2]))
    same(fastconv.convolve(3, 4.5), np.convolve(3, 4.5))
    same(fastconv.convolve(np.array(3), np.float32(2)), np.convolve(np.array(3), np.float32(2)))
    with pytest.raises(ValueError, match=r"^object of too small depth for desired array"):
        fastconv.correlate(3, [1, 2])


@each
def test_lists_tuples_ranges(ours, numpys):
    for a in ([1, 2, 3], (1.5, 2, 3), range(4), [True, False], [1 + 2j, 3]):
        same(ours(a, [1, 2]), numpys(a, [1, 2]))


@each
def test_layouts(ours, numpys):
    base = np.arange(60.0)
    packed = np.zeros(9, [("pad", "i1"), ("x", "f8")])["x"]
    packed[:] = np.arange(9)
    frozen = np.arange(8.0)
    frozen.flags.writeable = False
    a_of = {
        "reversed": base[::-1],
        "strided": base[3:40:4],
        "backwards": base[40:3:-5],
        "broadcast": np.broadcast_to(2.0, 12),
        "unaligned": packed,
        "big endian": base.astype(">f8"),
        "little endian": base.astype("<f8"),
        "read-only": frozen,
        "a column": base.reshape(12, 5)[:, 2],
    }
    for (_, a), (_, v), mode in itertools.product(a_of.items(), a_of.items(), MODES):
        same(ours(a, v, mode), numpys(a, v, mode))
    assert_array_equal(base, np.arange(60.0))


@each
@pytest.mark.parametrize("dtype", ["longdouble", "clongdouble"])
def test_long_doubles_go_to_numpy(ours, numpys, dtype):
    a, v = whole(7, dtype), whole(3, dtype)
    same(ours(a, v, "same"), numpys(a, v, "same"))


@each
def test_objects_go_to_numpy(ours, numpys):
    for one in (Fraction(1, 3), decimal.Decimal("0.1"), 10**30):
        a, v = np.array([one, 2 * one, 3 * one]), np.array([one, one])
        same(ours(a, v, "same"), numpys(a, v, "same"))


@each
def test_what_numpy_makes_of_dates_and_strings(ours, numpys):
    spans = np.array([1, 2, 3], "m8[s]")
    same(ours(spans, [2, 1]), numpys(spans, [2, 1]))
    for a in (["a", "b"], np.array(["2000-01-01"], "M8[D]"), [None, 1], {}, [b"x"]):
        with pytest.raises((TypeError, ValueError)) as expected:
            numpys(a, [1])
        with pytest.raises(type(expected.value)) as got:
            ours(a, [1])
        assert str(got.value).startswith(str(expected.value))


class Tagged(np.ndarray):
    def __array_finalize__(self, parent):
        self.tag = getattr(parent, "tag", None)


class Eager(np.ndarray):
    __array_priority__ = 5


@each
def test_subclasses(ours, numpys):
    tagged = np.arange(6.0).view(Tagged)
    tagged.tag = "kept"
    eager = np.arange(6).view(Eager)
    short = np.arange(3.0).view(Tagged)
    for a, v in itertools.product((tagged, eager, short, [1.0, 2, 3, 4]), repeat=2):
        for mode in MODES:
            got, expected = ours(a, v, mode), numpys(a, v, mode)
            same(got, expected)
            assert getattr(got, "tag", 0) == getattr(expected, "tag", 0)


@each
def test_masked_arrays(ours, numpys):
    masked = np.ma.array([1, 2, 3], mask=[0, 1, 0])
    for v in ([1, 2], [1.0, 2, 3, 4], masked):
        for mode in MODES:
            for pair in ((masked, v), (v, masked)):
                got, expected = ours(*pair, mode), numpys(*pair, mode)
                assert type(got) is type(expected)
                assert_array_equal(np.ma.getmaskarray(got), np.ma.getmaskarray(expected))
                assert_array_equal(np.ma.getdata(got), np.ma.getdata(expected), strict=True)


def test_a_memmap_is_an_array(tmp_path):
    a = np.memmap(tmp_path / "a", "f8", "w+", shape=50)
    a[:] = np.arange(50)
    for ours, numpys in ((fastconv.convolve, np.convolve), (fastconv.correlate, np.correlate)):
        got, expected = ours(a, [1.0, 2]), numpys(a, [1.0, 2])
        assert_array_equal(got, expected, strict=True)
    assert type(fastconv.convolve(a, [1.0, 2])) is np.ndarray


class Foreign:
    """An array of another library: it answers numpy's functions itself."""

    def __array_function__(self, function, types, args, kwargs):
        return function, args, kwargs


@each
def test_foreign_arrays_go_to_numpys_original(ours, numpys):
    foreign = Foreign()
    assert ours(foreign, [1, 2], "same") == (numpys, (foreign, [1, 2], "same"), {})
    assert ours([1, 2], foreign)[0] is numpys
    with pytest.raises(TypeError, match=r"^out is not taken for foreign arrays"):
        ours(foreign, [1, 2], out=np.empty(2))


@each
def test_patching_numpy_never_recurses(ours, numpys, monkeypatch):
    """Even where fastconv's functions stand in numpy's place, numpy's own are reached."""
    expected = numpys(np.arange(5, dtype=object), [1, 2])
    monkeypatch.setattr(np, ours.__name__, ours)
    monkeypatch.setattr(np._core.numeric, ours.__name__, ours)
    assert_array_equal(ours(np.arange(5, dtype=object), [1, 2]), expected)
    with pytest.raises(ValueError, match=r"mode"):
        ours([1.0], [1.0], "bogus")


# --- modes ---------------------------------------------------------------------------------


@each
def test_numpys_other_modes(ours, numpys):
    a, v = [1, 2, 3, 4], [1.0, 1]
    for mode in (0, 1, 2, np.int64(1), np.array(2), np.str_("same"), "".join(["fu", "ll"])):
        same(ours(a, v, mode), numpys(a, v, mode))
        same(ours(np.array(a, float), np.array(v), mode), numpys(a, v, mode))


@each
@pytest.mark.parametrize(
    "mode",
    [3, -1, True, 1.0, None, "sa", "f", "FULL", "Same", "", "x", "valid ", b"full", [1], 2**40],
)
@pytest.mark.parametrize("plain", [False, True])
def test_bad_modes(ours, numpys, mode, plain):
    a, v = (np.ones(3), np.ones(2)) if plain else ([1, 2, 3], [1, 1])
    with pytest.raises((TypeError, ValueError, DeprecationWarning)) as expected:
        numpys(a, v, mode)
    with pytest.raises(expected.type) as got:
        ours(a, v, mode)
    assert str(got.value).startswith(str(expected.value))
    # Some of these numpy 2.0 takes, with a warning: so do we, in its words.
    assert repr(mode) in str(got.value) or expected.type is DeprecationWarning


# --- max_lag -------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m"), [*LENGTHS, (30, 7), (7, 30)])
@pytest.mark.parametrize("lag", [0, 1, 2, 5, 40])
@pytest.mark.parametrize(
    "dtype", ["float64", "int32", "complex128", "bool", "object", "longdouble"]
)
def test_max_lag(n, m, lag, dtype):
    a, v = whole(n, dtype), whole(m, dtype, 4)
    full = np.correlate(a, v, "full")
    expected = np.zeros(2 * lag + 1, full.dtype)
    for k in range(-lag, lag + 1):
        if 0 <= m - 1 + k < full.size:
            expected[lag + k] = full[m - 1 + k]
    same(fastconv.correlate(a, v, max_lag=lag), expected)
    out = np.empty_like(expected)
    assert fastconv.correlate(a, v, max_lag=lag, out=out) is out
    same(out, expected)


@pytest.mark.parametrize("method", ["direct", "fft", "overlap"])
@pytest.mark.parametrize("shift", [-700, -1, 0, 1, 3, 700])
@pytest.mark.parametrize("over", ["a", "v"])
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_out_over_an_input(level, rng, method, shift, over, dtype):
    """Wherever it lies, as if it lay elsewhere; what is beside it in memory stays."""
    n, m = 3000, 2500
    memory = oracle.draw_small(rng, 10_000, dtype)
    at = 2000
    operand = memory[at : at + (n if over == "a" else m)]
    other = oracle.draw_small(rng, m if over == "a" else n, dtype)
    a, v = (operand, other) if over == "a" else (other, operand)
    own_a, own_v, before = a.copy(), v.copy(), memory.copy()
    out = memory[at + shift : at + shift + n]
    assert level.convolve(a, v, "same", method=method, out=out) is out
    oracle.assert_within(out, own_a, own_v, "same")
    memory[at + shift : at + shift + n] = before[at + shift : at + shift + n]
    assert_array_equal(memory, before)


@pytest.mark.parametrize("k", [3, 31])
def test_out_over_a_picture(level, rng, k):
    a, v = oracle.draw_small(rng, (90, 100), "float64"), oracle.draw_small(rng, (k, k), "float64")
    expected = level.convolve2d(a, v, "same")
    for out in (a, a[::-1], a[:, ::-1]):
        again = a.copy()
        target = again if out is a else again[::-1] if out.strides[0] < 0 else again[:, ::-1]
        assert level.convolve2d(again, v, "same", out=target) is target
        assert_array_equal(target, expected)


def test_max_lag_over_its_own_input():
    a, v = np.arange(21.0), np.arange(5.0)
    expected = fastconv.correlate(a, v, max_lag=10)
    assert fastconv.correlate(a, v, max_lag=10, out=a) is a
    same(a, expected)


def test_max_lag_computes_no_more_than_asked():
    """The full correlation of these would not fit into any memory."""
    a, v = np.broadcast_to(1.0, 2**45), np.broadcast_to(1.0, 1)
    assert_array_equal(fastconv.correlate(a, v, max_lag=1), [0, 1, 1])


# --- the functions as objects ----------------------------------------------------------------


def test_signatures():
    assert str(inspect.signature(fastconv.convolve)) == (
        "(a, v, mode='full', *, axis=None, boundary='fill', fillvalue=0, "
        "method='auto', accuracy='auto', out=None, workers=None)"
    )
    assert str(inspect.signature(fastconv.correlate)) == (
        "(a, v, mode='valid', *, axis=None, boundary='fill', fillvalue=0, max_lag=None, "
        "method='auto', accuracy='auto', out=None, workers=None)"
    )


@pytest.mark.parametrize("call", [fastconv.convolve, fastconv.correlate])
def test_they_pickle_and_take_names(call):
    assert pickle.loads(pickle.dumps(call)) is call
    assert_array_equal(call(v=[1], a=[2, 3], mode="full"), [2, 3])
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'foo'"):
        call([1], [2], foo=1)
    with pytest.raises(TypeError, match=r"positional argument"):
        call([1], [2], "full", "auto")
    with pytest.raises(TypeError, match=r"argument"):
        call([1])
