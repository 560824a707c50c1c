"""numpy's and scipy's functions replaced, found by the code that calls them, and put back."""

import copy
import inspect
import multiprocessing
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import oracle
import pytest

import fastconv
from fastconv import _patch

scipy_signal = pytest.importorskip("scipy.signal")

STUCK_SECONDS = 120
NUMPYS = [("numpy", name) for name in ("convolve", "correlate")]
SCIPYS = [("scipy.signal", name) for name in fastconv.signal.__all__]
A = np.array([3, -1, 4, 1, -5])
V = np.array([2, 7, 1])


def found(module, name):
    return vars(sys.modules[module])[name]


ORIGINALS = {(module, name): found(module, name) for module, name in NUMPYS + SCIPYS}


def everything():
    """Whatever any module of numpy and scipy holds."""
    return {
        (name, attribute): value
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in ("numpy", "scipy") and inspect.ismodule(module)
        for attribute, value in list(vars(module).items())
    }


@pytest.fixture(autouse=True)
def before():
    """What stands in all modules, which has to stand there afterwards."""
    expected = everything()
    assert not fastconv.is_patched()
    yield expected
    assert not fastconv.is_patched()
    for key, value in everything().items():
        assert key not in expected or value is expected[key], key
        assert not isinstance(value, _patch.Replacement), key


class Seen(list):
    """The calls of replaced functions."""

    def __call__(self, name, taken_over, seconds):
        assert seconds >= 0
        self.append((name, taken_over))


# --- where they stand ------------------------------------------------------------------


@pytest.mark.parametrize(("module", "name"), NUMPYS + SCIPYS)
def test_every_function_is_replaced_and_restored(module, name):
    original = found(module, name)
    holders = [key for key, value in everything().items() if value is original]
    assert len(holders) >= 2  # the public module and that of the definition
    with fastconv.patched():
        for holder, attribute in holders:
            assert repr(found(holder, attribute)) == f"<fastconv in place of {module}.{name}>"
        assert not [key for key, value in everything().items() if value is original]
    assert all(found(*key) is original for key in holders)


def test_calls_nest():
    original = np.convolve
    fastconv.patch()
    replaced = np.convolve
    with fastconv.patched():
        fastconv.patch()
        assert np.convolve is replaced
        fastconv.unpatch()
        assert np.convolve is replaced
    assert fastconv.is_patched()
    fastconv.unpatch()
    assert np.convolve is original


def test_unpatching_what_is_not_patched_does_nothing():
    fastconv.unpatch()
    fastconv.patch()
    fastconv.unpatch()
    fastconv.unpatch()
    with fastconv.patched():
        fastconv.unpatch()
        assert np.convolve is ORIGINALS["numpy", "convolve"]


def test_an_error_in_the_block_restores():
    with pytest.raises(ZeroDivisionError), fastconv.patched(watch=Seen()):
        raise ZeroDivisionError
    assert not _patch._watches


def test_somebody_elses_replacement_is_restored(monkeypatch):
    def theirs(a, v, mode="full"):
        raise AssertionError("called")

    monkeypatch.setattr(np, "convolve", theirs)
    with fastconv.patched():
        assert np.convolve is not theirs
        oracle.assert_exact(np.convolve(A, V), oracle.full(A, V))
    assert np.convolve is theirs


def test_a_replacement_since_is_left_alone():
    """Theirs calls ours, which is numpy's once unpatched, and ours again when patched again."""
    original, seen = np.convolve, Seen()
    fastconv.patch()
    ours = np.convolve

    def theirs(*args):
        return ours(*args)

    np.convolve = theirs
    fastconv.unpatch()
    assert np.convolve is theirs
    oracle.assert_exact(np.convolve(A, V), original(A, V))
    with fastconv.patched(watch=seen):
        oracle.assert_exact(np.convolve(A, V), original(A, V))
    assert set(seen) == {("numpy.convolve", True)}
    assert np.convolve is theirs
    np.convolve = ours  # as they found it
    with fastconv.patched():
        assert np.convolve is ours
    assert np.convolve is original


def test_scipy_is_not_needed(python):
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "import numpy as np, fastconv\n"
        "before = np.convolve\n"
        "with fastconv.patched(): print(np.convolve, np.polymul([1, 2], [1, 3]))\n"
        "print(np.convolve is before)"
    )
    done = python(code)
    assert done.stdout == "<fastconv in place of numpy.convolve> [1 5 6]\nTrue\n", done.stderr


def test_scipys_wrappers_for_other_libraries_are_replaced_too(python):
    """With SCIPY_ARRAY_API set scipy.signal.convolve is another object than that of its module."""
    code = (
        "import scipy.signal, scipy.signal._signaltools as home, fastconv\n"
        "names = fastconv.signal.__all__\n"
        "pairs = [(m, n, getattr(m, n)) for m in (scipy.signal, home) for n in names]\n"
        "with fastconv.patched():\n"
        "    print(all('fastconv in place' in repr(getattr(m, n)) for m, n, _ in pairs))\n"
        "    print(scipy.signal.convolve([1, 2], [1, 3]), home.convolve([1, 2], [1, 3]))\n"
        "    print(scipy.signal.convolve is home.convolve)\n"
        "print(all(getattr(m, n) is f for m, n, f in pairs))"
    )
    done = python(code, SCIPY_ARRAY_API="1")
    lines = done.stdout.splitlines()
    assert (lines[0], lines[1], lines[3]) == ("True", "[1 5 6] [1 5 6]", "True"), done.stderr


# --- library code that calls them ----------------------------------------------------------

LIBRARY = {
    "numpy.convolve": [
        lambda: np.polymul([1, 2, 3], [4, 5]),
        lambda: np.poly([1, 2, 3]),
        lambda: (np.polynomial.Polynomial([1, 2]) * np.polynomial.Polynomial([3, 4])).coef,
        lambda: np.polynomial.chebyshev.chebmul([1, 2], [3, 4]),
        lambda: np.ma.convolve([1, 2, 3], [1, 1]),
    ],
    "numpy.correlate": [lambda: np.ma.correlate([1, 2, 3], [1, 1])],
    "scipy.signal.correlate": [lambda: scipy_signal.wiener(np.arange(20.0), 5)],
    "scipy.signal.convolve": [
        lambda: scipy_signal.deconvolve([1.0, 5, 6, 1], [1.0, 2])[1],
    ],
}


@pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, calls in LIBRARY.items() for call in calls]
)
def test_library_code_arrives_here(name, call):
    expected, seen = call(), Seen()
    with fastconv.patched(watch=seen):
        result = call()
    assert (name, True) in seen
    assert type(result) is type(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12, strict=True)


@pytest.mark.parametrize("mode", ["interp", "mirror"])
def test_savgol_filter_is_of_ndimage_and_stays_as_it_was(mode):
    x, seen = np.random.default_rng(1).standard_normal(50), Seen()
    expected = scipy_signal.savgol_filter(x, 7, 2, mode=mode)
    with fastconv.patched(watch=seen):
        oracle.assert_same_bits(scipy_signal.savgol_filter(x, 7, 2, mode=mode), expected)
    assert not seen


def test_positional_and_named_arguments_and_ours():
    seen = Seen()
    with fastconv.patched(watch=seen):
        for result in (np.convolve(v=V, a=A, mode="full"), np.convolve(A, mode="full", v=V)):
            oracle.assert_exact(result, oracle.full(A, V))
        rows = np.stack([A, A])
        oracle.assert_exact(np.convolve(rows, V, axis=1)[1], oracle.full(A, V))
        assert len(scipy_signal.correlation_lags(in1_len=4, in2_len=3)) == 6
    assert all(taken_over for _, taken_over in seen)
    assert len(seen) == 4


@pytest.mark.parametrize("arguments", [(), ([1],), ([1], [2], "full", "x", "y")])
def test_the_wrong_number_of_arguments_is_a_type_error(arguments):
    with fastconv.patched(), pytest.raises(TypeError):
        np.convolve(*arguments)


# --- what is handed back --------------------------------------------------------------------


@pytest.mark.parametrize(
    "a",
    [
        np.array([10**30, -1, 7], object),
        np.array([1, 2, 3], np.longdouble) / 3,
        np.array([1, 2, 3j], np.clongdouble),
        np.array([1, 2, 3], "m8[s]"),
    ],
    ids=["object", "longdouble", "clongdouble", "timedelta64"],
)
def test_dtypes_that_the_originals_keep(a):
    expected, seen = np.convolve(a, [1, 2]), Seen()
    with fastconv.patched(watch=seen):
        oracle.assert_exact(np.convolve(a, [1, 2]), expected)
    assert seen == [("numpy.convolve", False)]


def test_lists_are_taken_over_whatever_they_hold():
    numbers, seen = [10**30, -1, 7], Seen()
    theirs = [scipy_signal.convolve, np.convolve]
    expected = [convolve(numbers, [1, 2]) for convolve in theirs]
    with fastconv.patched(watch=seen):
        for convolve, right in zip((scipy_signal.convolve, np.convolve), expected, strict=True):
            oracle.assert_exact(convolve(numbers, (1, 2)), right)
    assert seen == [("scipy.signal.convolve", True), ("numpy.convolve", True)]


@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
def test_scipys_longdouble_is_scipys(name):
    a, v = np.arange(40, dtype=np.longdouble) / 3, np.ones(3, np.longdouble)
    expected, seen = getattr(scipy_signal, name)(a, v), Seen()
    with fastconv.patched(watch=seen):
        oracle.assert_exact(getattr(scipy_signal, name)(a, v), expected)
    assert seen[-1] == (f"scipy.signal.{name}", False)  # after what it calls itself


def implementing(table):
    """A class that looks up numpy's functions in a table."""

    class Dispatching:
        def __array_function__(self, function, types, args, kwargs):
            return table[function]

    return Dispatching()


def test_a_class_that_dispatches_has_its_way():
    earlier, seen = {np.convolve: "theirs"}, Seen()
    with fastconv.patched(watch=seen):
        later = {np.convolve: "theirs"}
        for table in (earlier, later):
            assert np.convolve(implementing(table), [1]) == "theirs"
            assert np.convolve([1], v=implementing(table)) == "theirs"
    assert set(seen) == {("numpy.convolve", False)}
    assert np.convolve(implementing(later), [1]) == "theirs"
    assert np.convolve in later


def test_arrays_of_other_libraries_go_back():
    class Theirs:
        def __dlpack__(self):
            raise AssertionError("not asked for")

        def __array__(self, dtype=None, copy=None):
            return np.array([1, 2])

    seen = Seen()
    with fastconv.patched(watch=seen):
        oracle.assert_exact(np.convolve(Theirs(), [1, 1]), np.array([1, 3, 2]))
    assert seen == [("numpy.convolve", False)]


def test_subclasses_are_taken_over():
    masked, seen = np.ma.array([1, 2, 3], mask=[0, 1, 0]), Seen()
    expected = np.convolve(masked, [1, 1])
    with fastconv.patched(watch=seen):
        result = np.convolve(masked, [1, 1])
    assert type(result) is type(expected)
    oracle.assert_exact(np.asarray(result), np.asarray(expected))
    assert seen == [("numpy.convolve", True)]


def test_a_failed_call_is_seen_too():
    seen = Seen()
    with fastconv.patched(watch=seen), pytest.raises(ValueError, match="a cannot be empty"):
        np.convolve([], [1])
    assert seen == [("numpy.convolve", True)]


# --- replacements that were kept -----------------------------------------------------------


def test_a_name_taken_while_patched_is_the_original_afterwards():
    with fastconv.patched():
        kept = np.convolve
    seen = Seen()
    oracle.assert_exact(kept(A, V), oracle.full(A, V))
    assert kept == np.convolve
    assert np.convolve == kept
    assert len({kept, np.convolve}) == 1
    with fastconv.patched(watch=seen):
        kept(A, V)
    assert seen == [("numpy.convolve", True)]


def test_it_passes_for_the_original():
    original = np.convolve
    with fastconv.patched():
        assert np.convolve.__name__ == "convolve"
        assert np.convolve.__module__ == "numpy"
        assert np.convolve.__doc__ == original.__doc__
        assert inspect.signature(np.convolve) == inspect.signature(original)
        assert np.convolve._implementation is original._implementation
        assert pickle.loads(pickle.dumps(np.convolve)) is np.convolve
        assert copy.deepcopy(np.convolve) is np.convolve
        pickled = pickle.dumps(scipy_signal.fftconvolve)
    assert pickle.loads(pickled) is scipy_signal.fftconvolve


def test_as_a_method_it_binds_like_a_function():
    with fastconv.patched():
        array = type("Array", (np.ndarray,), {"with_kernel": scipy_signal.convolve})
        oracle.assert_exact(np.asarray(A.view(array).with_kernel(V)), oracle.full(A, V))


# --- threads and processes --------------------------------------------------------------------


def test_watches_that_are_equal_are_told_apart():
    first, second = Seen(), Seen()
    with fastconv.patched(watch=first):
        np.convolve(A, V)
        with fastconv.patched(watch=second):
            second[:] = first
        np.convolve(A, V)
    assert first == [("numpy.convolve", True)] * 2
    assert second == first[:1]


def test_threads_that_patch_while_others_convolve():
    """Whoever calls gets an answer, and each watch its own block's calls at least."""
    done = threading.Event()

    def convolving():
        calls = 0
        while not done.is_set() or calls < 10:
            oracle.assert_exact(np.convolve(A, V), oracle.full(A, V))
            calls += 1

    def patching(_):
        for _ in range(50):
            seen = Seen()
            with fastconv.patched(watch=seen):
                assert fastconv.is_patched()
                np.convolve(A, V)
            assert ("numpy.convolve", True) in seen

    others = [threading.Thread(target=convolving) for _ in range(2)]
    for thread in others:
        thread.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(patching, range(4)))
    done.set()
    for thread in others:
        thread.join(STUCK_SECONDS)
    assert np.convolve is ORIGINALS["numpy", "convolve"]
    assert not _patch._watches


@pytest.mark.parametrize("way", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_children(way):
    """A forked one is patched, a spawned one is not; either can be sent the function."""
    with fastconv.patched(), multiprocessing.get_context(way).Pool(1) as pool:
        patched = pool.apply_async(fastconv.is_patched).get(STUCK_SECONDS)
        product = pool.apply_async(np.convolve, ([1, 2], [1, 3])).get(STUCK_SECONDS)
        for change in (fastconv.patch, fastconv.unpatch):
            pool.apply_async(change).get(STUCK_SECONDS)
    assert patched == (way == "fork")
    oracle.assert_exact(product, np.array([1, 5, 6]))
