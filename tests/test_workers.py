"""Work shared between threads: the same bits, who is woken, how many are asked for."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import oracle
import pytest

import fastconv
from fastconv import _core, signal

STUCK_SECONDS = 120
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
THREADS = 'len(os.listdir("/proc/self/task"))'


# --- the same bits ----------------------------------------------------------------------------


def drawn(seed, shape, dtype, what="noise"):
    x = oracle.draw(np.random.default_rng(seed), shape, dtype)
    if what == "bad":
        x.flat[[7, x.size // 2]] = np.nan, np.inf
    elif what == "quiet":
        x.flat[: x.size // 3] *= 1e-13
    return x


# Every place that shares work: each large enough for several helpers.
CASES = {
    "one line, direct": ((300_000,), (31,), {"method": "direct"}, "noise"),
    "one long kernel, direct": ((30_000,), (5000,), {"method": "direct"}, "noise"),
    "rows, direct": ((301, 5000), (31,), {"method": "direct", "axis": -1}, "noise"),
    "short rows, direct": ((9001, 40), (9,), {"method": "direct", "axis": -1}, "noise"),
    "rows side by side": ((3001, 240), (9,), {"method": "direct", "axis": -1}, "noise"),
    "columns, direct": ((5000, 301), (31,), {"method": "direct", "axis": 0}, "noise"),
    "few outputs": ((900_000,), (900_003,), {"mode": "valid"}, "noise"),
    "rows shorter than the kernel": ((99, 50), (3000,), {"method": "direct", "axis": -1}, "noise"),
    "lanes": ((200_000,), (127,), {"method": "overlap"}, "noise"),
    "lanes, rows": ((301, 3001), (127,), {"method": "overlap", "axis": -1}, "noise"),
    "columns of lanes": ((3001, 301), (127,), {"method": "overlap", "axis": 0}, "noise"),
    "long blocks": ((300_000,), (9000,), {"method": "overlap"}, "noise"),
    "one transform": ((200_000,), (150_000,), {"method": "fft"}, "noise"),
    "bank": ((40_000,), (7, 300), {"method": "overlap", "axis": -1}, "noise"),
    "scattered lines": ((70, 600, 4), (65,), {"axis": 1}, "noise"),
    "not finite": ((200_000,), (127,), {"method": "overlap"}, "bad"),
    "quiet beside loud": ((200_000,), (127,), {}, "quiet"),
    "normwise": ((200_000,), (300,), {"accuracy": "normwise"}, "quiet"),
    "componentwise": ((100_000,), (100,), {"accuracy": "componentwise"}, "quiet"),
    "wrapped": ((200_000,), (127,), {"boundary": "wrap", "mode": "same"}, "noise"),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int16"])
@pytest.mark.parametrize("case", list(CASES))
def test_bits_do_not_depend_on_workers(level, case, dtype):
    shape, taps, options, what = CASES[case]
    if dtype == "int16" and what != "noise":
        pytest.skip("integers are finite, and as loud as each other")
    a, v = drawn(1, shape, dtype, what), drawn(2, taps, dtype)
    alone = level.convolve(a, v, **options, workers=1)
    for workers in (2, 3, 8):
        oracle.assert_same_bits(level.convolve(a, v, **options, workers=workers), alone)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int16"])
@pytest.mark.parametrize(
    ("shape", "taps", "method"),
    [
        ((500, 700), (5, 5), "direct"),
        ((500, 700), (41, 9), "direct"),
        ((500, 700), (25, 25), "overlap"),
        ((200, 300), (190, 170), "fft"),
        ((500, 700), (1, 31), "auto"),
    ],
)
def test_bits_of_pictures(level, shape, taps, method, dtype):
    a, v = drawn(3, shape, dtype), drawn(4, taps, dtype)
    alone = level.convolve2d(a, v, "same", method=method, workers=1)
    for workers in (2, 3, 8):
        got = level.convolve2d(a, v, "same", method=method, workers=workers)
        oracle.assert_same_bits(got, alone)


@pytest.mark.parametrize("shapes", [((30, 40, 50), (3, 4, 5)), ((40, 64, 64), (1, 9, 9))])
@pytest.mark.parametrize("method", ["direct", "fft"])
def test_bits_of_volumes(level, shapes, method):
    a, v = (drawn(seed, shape, "float64") for seed, shape in enumerate(shapes))
    alone = level.signal.convolve(a, v, method=method, workers=1)
    for workers in (2, 3, 8):
        oracle.assert_same_bits(level.signal.convolve(a, v, method=method, workers=workers), alone)


def test_members_of_a_batch():
    a, v = drawn(5, (60, 70, 80), "float64"), drawn(6, (60, 9, 9), "float64")
    alone = signal.fftconvolve(a, v, axes=(1, 2), workers=1)
    oracle.assert_same_bits(signal.fftconvolve(a, v, axes=(1, 2), workers=3), alone)
    got = [signal.fftconvolve(x, y, workers=1) for x, y in zip(a[::20], v[::20], strict=True)]
    oracle.assert_same_bits(alone[::20], np.array(got))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_right_however_many(level, workers):
    """The judge is the oracle, not one worker."""
    a, v = drawn(7, 60_000, "float64"), drawn(8, 40, "float64")
    for method in ("direct", "overlap"):
        oracle.assert_within(level.convolve(a, v, method=method, workers=workers), a, v)
    i, k = drawn(7, 40_000, "int64"), drawn(8, 30, "int64")
    expected = np.convolve(i, k)
    for method in ("direct", "overlap"):
        got = level.convolve(i, k, method=method, workers=workers)
        np.testing.assert_array_equal(got, expected)


def test_a_forced_plan_says_how_many():
    a, v = drawn(9, 300_000, "float64"), drawn(10, 63, "float64")
    windows = [(0, 300_062)]
    plan = _core.choose((a.shape, v.shape), (a.dtype, v.dtype), windows)
    results = [_core.run(a, v, windows, plan=plan | {"workers": n}) for n in (1, 2, 10**6)]
    for got in results:
        oracle.assert_same_bits(got, results[0])


# --- how many ---------------------------------------------------------------------------------


def test_set_workers_nests_and_is_undone():
    before = fastconv.get_workers()
    with fastconv.set_workers(3):
        assert fastconv.get_workers() == 3
        with fastconv.set_workers(1):
            assert fastconv.get_workers() == 1
        assert fastconv.get_workers() == 3
        with pytest.raises(KeyError), fastconv.set_workers(2):
            raise KeyError
        assert fastconv.get_workers() == 3
    assert fastconv.get_workers() == before


def test_negative_workers_count_down_from_the_cpus():
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for workers in range(-cpus, 0):
        with fastconv.set_workers(workers):
            assert fastconv.get_workers() == cpus + 1 + workers
    for wrong, message in [
        (0, "workers must not be zero: got 0, takes 1 or more"),
        (-cpus - 1, f"workers value out of range; got {-cpus - 1}, must not be less than {-cpus}"),
    ]:
        with pytest.raises(ValueError, match="^" + message), fastconv.set_workers(wrong):
            pass
        with pytest.raises(ValueError, match="^" + message):
            fastconv.convolve([1.0], [1.0], workers=wrong)
    for wrong in (None, 1.5, "2"):
        with (
            pytest.raises(TypeError, match=r"^workers must be an integer: got "),
            fastconv.set_workers(wrong),
        ):
            pass


def test_a_thread_sets_workers_for_itself():
    with fastconv.set_workers(5), ThreadPoolExecutor(1) as other:
        assert other.submit(fastconv.get_workers).result() == _core.default_workers()


def test_workers_of_a_call_hold_for_the_call():
    with fastconv.set_workers(5):
        fastconv.convolve([1, 2], [3, 4], workers=2)
        with pytest.raises(ValueError, match="empty"):
            fastconv.convolve([], [3, 4], workers=2)
        assert fastconv.get_workers() == 5


def test_explain_and_show_config_tell():
    with fastconv.set_workers(3):
        assert fastconv.explain(1_000_000, 1_000_000).workers == 3
        assert fastconv.explain(1000, 10).workers == 1
        assert fastconv.show_config("dict")["workers"] == 3


@pytest.mark.parametrize(
    ("word", "told"), [("3", "3"), ("0", "cpus"), ("-1", "cpus"), ("many", "cpus"), ("", "cpus")]
)
def test_environment(python, word, told):
    code = (
        "import os, warnings\n"
        f"os.environ['FASTCONV_NUM_THREADS'] = {word!r}\n"
        "warnings.simplefilter('always')\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    import fastconv\n"
        "cpus = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else "
        "os.cpu_count()\n"
        f"print(fastconv.get_workers() == {told}, len(seen), *[w.message for w in seen])"
    )
    done = python(code)
    ignored = word not in ("3", "")
    assert done.stdout.startswith(f"True {int(ignored)}"), done.stdout + done.stderr
    assert (f"FASTCONV_NUM_THREADS={word!r} is ignored" in done.stdout) == ignored


# --- who is woken -----------------------------------------------------------------------------


@LINUX
def test_small_calls_start_no_thread(python):
    done = python(
        f"""
import os, numpy as np, fastconv
from fastconv import signal
before = {THREADS}
with fastconv.set_workers(4):
    for n, m in [(10, 3), (1000, 64), (10_000, 31), (30_000, 9)]:
        fastconv.convolve(np.ones(n), np.ones(m))
        fastconv.correlate(np.ones(n), np.ones(m), "same", workers=4)
    signal.convolve2d(np.ones((64, 64)), np.ones((3, 3)))
print({THREADS} - before)
fastconv.convolve(np.ones(3_000_000), np.ones(200), workers=4)
print({THREADS} - before)
fastconv.convolve(np.ones(3_000_000), np.ones(200), workers=2)
print({THREADS} - before)
"""
    )
    assert done.stdout.split() == ["0", "3", "3"], done.stderr


@LINUX
def test_sixteen_callers_share_one_helper(python):
    done = python(
        f"""
import os, threading, numpy as np, fastconv
from concurrent.futures import ThreadPoolExecutor
a, v = np.random.default_rng(0).standard_normal(400_000), np.ones(200)
most = 0
def call(_):
    global most
    got = fastconv.convolve(a, v, workers=2)
    most = max(most, {THREADS})
    return got.tobytes()
before = {THREADS}
with ThreadPoolExecutor(16) as callers:
    got = set(callers.map(call, range(64)))
print(len(got), most - before <= 17)
"""
    )
    assert done.stdout.split() == ["1", "True"], done.stderr


def test_sixteen_threads_with_shared_inputs():
    inputs = [
        (drawn(11, 200_000, "float64"), drawn(12, 127, "float64"), "auto"),
        (drawn(13, 100_000, "float32"), drawn(14, 30_000, "float32"), "fft"),
        (drawn(15, 100_000, "int32"), drawn(16, 500, "int32"), "auto"),
    ]
    alone = [fastconv.convolve(a, v, method=method, workers=1) for a, v, method in inputs]
    start = threading.Barrier(16)

    def work(number):
        start.wait(STUCK_SECONDS)
        workers = 1 + number % 4
        return [fastconv.convolve(a, v, method=how, workers=workers) for a, v, how in inputs]

    with ThreadPoolExecutor(16) as pool:
        for results in pool.map(work, range(32)):
            for got, want in zip(results, alone, strict=True):
                oracle.assert_same_bits(got, want)


def test_out_of_memory_comes_back_from_a_helper(python):
    """No room for a kernel's spectrum or a thread's buffers; the next call is right."""
    pytest.importorskip("resource")
    done = python(
        """
import resource, numpy as np, fastconv
fastconv.convolve(np.ones(3_000_000), np.ones(200), workers=2)
a, v = np.ones(4_000_000), np.ones(3_000_000)
out = np.empty(a.size + v.size - 1)
with open("/proc/self/statm") as f:
    now = int(f.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (16 << 20), resource.RLIM_INFINITY))
try:
    fastconv.convolve(a, v, method="fft", workers=2, out=out)
except MemoryError as error:
    print("refused")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(fastconv.convolve(np.ones(300_000), np.ones(200), workers=2)[:3].round().tolist())
"""
    )
    assert done.stdout.split("\n")[:2] == ["refused", "[1.0, 2.0, 3.0]"], done.stderr


def test_ctrl_c_is_heard_while_others_work(python):
    for call in (
        "fastconv.convolve(np.ones(20_000_000), np.ones(1_000_000), method='direct', workers=2)",
        "fastconv.convolve(big(20_000_000), big(1_000_000), workers=2)",
    ):
        done = python(
            f"""
import os, signal, threading, numpy as np, fastconv
def big(n):
    return np.random.default_rng(0).integers(-2**63, 2**63, n)
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {call}
except KeyboardInterrupt:
    got = fastconv.convolve(np.ones(300_000), np.ones(200), workers=2)
    print("interrupted", got[:3].round().tolist())
"""
        )
        assert done.stdout.strip() == "interrupted [1.0, 2.0, 3.0]", done.stderr
