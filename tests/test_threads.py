"""Many threads, forked and spawned children, and Ctrl-C."""

import multiprocessing
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import oracle
import pytest

import fastconv

STUCK_SECONDS = 120


def material():
    rng = np.random.default_rng(8)
    sizes = [
        ("float64", 3000, 50, "auto"),
        ("float64", 5000, 3000, "fft"),
        ("float64", 30000, 500, "overlap"),
        ("float32", 30000, 500, "auto"),
        ("complex64", 3000, 700, "fft"),
        ("int64", 2000, 900, "auto"),
        ("int16", 5000, 900, "fft"),
        ("float64", (90, 80), (30, 20), "fft"),
        ("float64", (90, 80), (5, 5), "auto"),
    ]
    for dtype, n, m, method in sizes:
        call = fastconv.convolve2d if isinstance(n, tuple) else fastconv.convolve
        yield call, oracle.draw(rng, n, dtype), oracle.draw(rng, m, dtype), method


def everything():
    return [call(a, v, method=method) for call, a, v, method in material()]


def test_eight_threads_at_once():
    """First use of every shared table included, when this test runs alone."""
    start = threading.Barrier(8)

    def work(_):
        start.wait(STUCK_SECONDS)
        return [everything() for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        results = [run for runs in pool.map(work, range(8)) for run in runs]
    expected = everything()
    for run in results:
        for got, want in zip(run, expected, strict=True):
            oracle.assert_same_bits(got, want)
    for (_, a, v, _), got in zip(material(), expected, strict=True):
        oracle.assert_within(got, a, v)


FIRST_USE = """
import threading
import numpy as np, fastconv
rng = np.random.default_rng(0)
a, v = rng.standard_normal(20000), rng.standard_normal(3000)
start, results = threading.Barrier(8), []
def work():
    start.wait()
    for method in ("overlap", "fft"):
        results.append((method, fastconv.convolve(a, v, method=method).tobytes()))
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(results), len(set(results)))
"""


def test_first_use_by_eight_threads(python):
    """A fresh interpreter, whose tables eight threads make at once."""
    done = python(FIRST_USE)
    assert done.stdout.split() == ["16", "2"], done.stderr


CHILD = """
import multiprocessing, sys
import numpy as np, fastconv
def work(method):
    rng = np.random.default_rng(0)
    a, v = rng.standard_normal(20000), rng.standard_normal(3000)
    return fastconv.convolve(a, v, method=method).tobytes()
if __name__ == "__main__":
    methods = ["fft", "overlap", "direct"] * 2
    here = [work(method) for method in methods]
    with multiprocessing.get_context({how!r}).Pool(2) as pool:
        there = pool.map(work, methods)
    print(here == there, len(set(here)))
"""


@pytest.mark.parametrize("how", multiprocessing.get_all_start_methods())
def test_children_after_the_parent_has_computed(python, how):
    done = python(CHILD.format(how=how))
    assert done.stdout.split() == ["True", "3"], done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_in_the_middle_of_another_threads_call(python):
    """The child must not inherit a lock that nobody in it will open."""
    done = python(
        """
import os, threading, numpy as np, fastconv, warnings
warnings.simplefilter("ignore")
a, v = np.ones(200000), np.ones(30000)
stop = False
def work():
    while not stop:
        fastconv.convolve(a, v)
threads = [threading.Thread(target=work) for _ in range(3)]
[t.start() for t in threads]
codes = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        os._exit(0 if fastconv.convolve(a[:5000], v[:3000], method="fft")[2999] > 2999 else 1)
    codes.append(os.waitpid(child, 0)[1])
stop = True
[t.join() for t in threads]
print(sum(codes))
"""
    )
    assert done.stdout.split() == ["0"], done.stderr


# At the fastest rate these calls would outlast the stuck-guard (direct sums many times over),
# so that coming back at all is the proof. Integers alone take but seconds: that they hear it within
# the call is the native program's to tell.
LONG_CALLS = {
    "direct": "fastconv.convolve(ones(20_000_000), ones(1_000_000), method='direct')",
    "integers": "fastconv.convolve(big(20_000_000), big(1_000_000))",
    "stream": "fastconv.Convolver(ones(4_000_000)).stream().push(ones(7_900_000))",
    "images": "fastconv.convolve2d(ones(5000, 5000), ones(1000, 1000), method='direct')",
    "longdouble": "fastconv.convolve(ones(4_000_000).astype('g'), ones(500_000).astype('g'))",
    "objects": "fastconv.correlate(ones(400_000).astype(object), ones(50_000).astype(object))",
    "correlate": "fastconv.correlate(ones(20_000_000), ones(1_000_000), 'same', method='direct')",
}


# Prints what fastconv gives afterwards, and the seconds from the signal to the exception, which
# trust_times.py judges: here a machine may be as busy as it likes.
INTERRUPTED = """
import os, signal, threading, time, numpy as np, fastconv
# A shell's background jobs are started with it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
def ones(*shape):
    return np.ones(shape)
def big(n):
    return np.random.default_rng(0).integers(-2**63, 2**63, n)
def interrupt():
    global sent
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(1.0, interrupt).start()
try:
    {call}
except KeyboardInterrupt:
    late = time.monotonic() - sent
    print("interrupted", fastconv.convolve([1, 2, 3], [2, 3, 4]).tolist())
    print(late)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals to oneself are POSIX")
@pytest.mark.parametrize("call", list(LONG_CALLS))
def test_ctrl_c(python, call):
    done = python(INTERRUPTED.format(call=LONG_CALLS[call]))
    told, late = done.stdout.splitlines() or ("", "")
    assert told == "interrupted [2, 7, 16, 17, 12]", done.stderr
    assert float(late) >= 0


def test_the_gil_is_free(python):
    """Another thread runs Python while a long call computes."""
    done = python(
        """
import os, signal, threading, numpy as np, fastconv
signal.signal(signal.SIGINT, signal.default_int_handler)
ticks = 0
def tick():
    global ticks
    for _ in range(20):
        ticks += 1
        threading.Event().wait(0.01)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=tick).start()
try:
    fastconv.convolve(np.ones(20_000_000), np.ones(1_000_000), method="direct")
except KeyboardInterrupt:
    print(ticks)
"""
    )
    assert done.stdout.split() == ["20"], done.stderr


def test_an_exception_of_a_signal_handler_comes_through(python):
    done = python(
        """
import signal, numpy as np, fastconv
class Mine(Exception): pass
def handler(*_): raise Mine("from the handler")
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.5)
try:
    fastconv.convolve(np.ones(20_000_000), np.ones(1_000_000), method="direct")
except Mine as error:
    print(error)
"""
    )
    assert done.stdout.strip() == "from the handler", done.stderr
