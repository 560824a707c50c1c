"""Workers across fork and spawn, beside joblib and under threadpoolctl."""

import functools
import importlib.util
import multiprocessing
import os

import numpy as np
import oracle
import pytest

import fastconv

STUCK_SECONDS = 120


def operands():
    rng = np.random.default_rng(3)
    return rng.standard_normal(300_000), rng.standard_normal(150)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_another_thread_is_at_work(python):
    """The child has none of the parent's helpers, whatever they held when it was made."""
    done = python(
        """
import os, threading, time, numpy as np, fastconv
a, v = np.random.default_rng(0).standard_normal(300_000), np.ones(150)
want = fastconv.convolve(a, v, workers=2).tobytes()
stop = False
def work():
    while not stop:
        fastconv.convolve(a, v, workers=3)
threads = [threading.Thread(target=work) for _ in range(2)]
[t.start() for t in threads]
codes = []
for _ in range(40):
    child = os.fork()
    if child == 0:
        right = fastconv.convolve(a, v, workers=2).tobytes() == want
        started = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 2
        os._exit(0 if right and started == 2 else 1)
    codes.append(os.waitpid(child, 0)[1])
stop = True
[t.join() for t in threads]
print(sum(codes), fastconv.convolve(a, v, workers=2).tobytes() == want)
"""
    )
    assert done.stdout.split() == ["0", "True"], done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_other_threads_fill_what_is_shared(python):
    """A prepared kernel, its spectra and the tables of roots, half made when the child begins."""
    done = python(
        """
import os, threading, numpy as np, fastconv
rng = np.random.default_rng(0)
v, signals = rng.standard_normal(900), [rng.standard_normal(5000 * k) for k in range(1, 9)]
want = [fastconv.Convolver(v)(x) for x in signals]
shared, stop = [fastconv.Convolver(v)], False
def work(i):
    while not stop:
        shared[0](signals[i % 8])
        i += 1
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in threads]
codes = []
for turn in range(24):
    shared[0] = fastconv.Convolver(v)
    child = os.fork()
    if child == 0:
        right = all(np.array_equal(shared[0](x), y) for x, y in zip(signals, want))
        stream = shared[0].stream()
        pushed = np.concatenate([stream.push(signals[0]), stream.flush()])
        os._exit(0 if right and np.allclose(pushed, want[0]) else 1)
    codes.append(os.waitpid(child, 0)[1])
stop = True
[t.join() for t in threads]
print(codes.count(0), all(np.array_equal(shared[0](x), y) for x, y in zip(signals, want)))
"""
    )
    assert done.stdout.split() == ["24", "True"], done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    a, v = operands()
    call = functools.partial(fastconv.convolve, a, workers=2)
    want = call(v)
    with multiprocessing.get_context(method).Pool(2) as pool:
        for got in pool.map_async(call, [v] * 4).get(STUCK_SECONDS):
            oracle.assert_same_bits(got, want)


def test_a_process_ends_while_helpers_sleep(python):
    done = python(
        """
import atexit, numpy as np, fastconv
a, v = np.ones(3_000_000), np.ones(200)
fastconv.convolve(a, v, workers=4)
atexit.register(lambda: print(fastconv.convolve(a, v, workers=4)[5].round()))
"""
    )
    assert (done.stdout.strip(), done.returncode) == ("6.0", 0), done.stderr


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib(backend):
    joblib = pytest.importorskip("joblib")
    a, v = operands()
    call = joblib.delayed(fastconv.convolve)
    got = joblib.Parallel(2, backend=backend)(call(a, v, workers=2) for _ in range(4))
    want = fastconv.convolve(a, v, workers=1)
    for one in got:
        oracle.assert_same_bits(one, want)


# --- threadpoolctl ----------------------------------------------------------------------------


@pytest.mark.skipif(not importlib.util.find_spec("threadpoolctl"), reason="not installed here")
@pytest.mark.parametrize(
    "first", ["import fastconv, threadpoolctl", "import threadpoolctl, fastconv"]
)
def test_threadpoolctl_limits_us(python, first):
    done = python(
        f"""
import os
os.environ["FASTCONV_NUM_THREADS"] = "4"
{first}
import numpy as np
def threads():
    tasks = os.scandir("/proc/self/task")
    return [open(t.path + "/comm").read().strip() for t in tasks].count("fastconv")
def told():
    info = threadpoolctl.threadpool_info()
    return [x["num_threads"] for x in info if x["user_api"] == "fastconv"]
a, v = np.ones(3_000_000), np.ones(200)
print(told(), fastconv.get_workers())
with threadpoolctl.threadpool_limits(1):
    print(told(), fastconv.get_workers())
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        print(told())
    fastconv.convolve(a, v)
    fastconv.convolve(a, v, workers=4)
    print(threads())
    with fastconv.set_workers(3), threadpoolctl.threadpool_limits(2):
        print(told(), fastconv.get_workers())
        fastconv.convolve(a, v)
        print(threads())
    print(told())
print(told(), fastconv.get_workers())
with fastconv.set_workers(6):
    print(fastconv.get_workers())
"""
    )
    expected = ["[4] 4", "[1] 1", "[1]", "0", "[2] 2", "1", "[1]", "[4] 4", "6"]
    assert done.stdout.splitlines() == expected, done.stdout + done.stderr
