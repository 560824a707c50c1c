"""Two workers beside one, interleaved, on calls that are long enough to share.

    python benchmarks/workers.py [--rounds 15] [--workers 2] [word of a case ..]

Each round calls with one worker, then with more; the best of each is compared. `out`: the
result's memory is there already; `new`: it is made by the call, whose first touch of every
page the kernel of the system serves. `apart`: as many threads that each call with one worker and
`out`, on arrays of their own, do so much more than one of them alone: what the machine gives, by
memory and by who else is on it, to calls that need not wait for each other.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

import fastconv

# name: shape of a, shape of v, options of convolve, or None for convolve2d
CASES = {
    "1e6 * 127": ((1_000_000,), (127,), {}),
    "1080x1920 * 9x9": ((1080, 1920), (9, 9), None),
    "1080x1920 * 25x25": ((1080, 1920), (25, 25), None),
    "2000 rows of 256 * 9": ((2000, 256), (9,), {"axis": -1}),
    "2000 rows of 4096 * 65": ((2000, 4096), (65,), {"axis": -1}),
    "1e6 * 1e6": ((1_000_000,), (1_000_000,), {"method": "fft"}),
}


def best_times(call, counts, rounds):
    """The best of so many calls with each number of workers, in seconds."""
    best = dict.fromkeys(counts, float("inf"))
    for _ in range(rounds):
        for workers in counts:
            start = time.perf_counter()
            call(workers)
            best[workers] = min(best[workers], time.perf_counter() - start)
    return best


def apart(case, dtype, threads, rounds):
    """What so many threads do in the time of one, each with a call of its own: at best."""
    times = 8
    start = Barrier(threads)

    def one_after_another(call):
        begun = time.perf_counter()
        for _ in range(times):
            call(1)
        return time.perf_counter() - begun

    def together(call):
        start.wait()
        return one_after_another(call)

    own = [calls(*case, dtype)["out"] for _ in range(threads)]
    alone = at_once = float("inf")
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            alone = min(alone, one_after_another(own[0]))
            at_once = min(at_once, max(pool.map(together, own)))
    return threads * alone / at_once


def calls(shape, taps, options, dtype):
    """The case with `out` and without, as functions of the number of workers."""
    rng = np.random.default_rng(0)
    a, v = rng.standard_normal(shape).astype(dtype), rng.standard_normal(taps).astype(dtype)
    function, mode = (fastconv.convolve, "full") if options is not None else (
        fastconv.convolve2d, "same"
    )  # fmt: skip
    options = options or {}
    out = function(a, v, mode, **options)
    return {
        "out": lambda workers: function(a, v, mode, out=out, workers=workers, **options),
        "new": lambda workers: function(a, v, mode, workers=workers, **options),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("words", nargs="*", help="cases whose name holds one of these")
    asked = parser.parse_args()
    print(
        f"{'case':24}{'dtype':9}{'result':8}{'one':>10}{asked.workers:>10}{'ratio':>8}{'apart':>8}"
    )
    for name, case in CASES.items():
        if asked.words and not any(word in name for word in asked.words):
            continue
        for dtype in ("float32", "float64"):
            most = apart(case, dtype, asked.workers, asked.rounds)
            for result, call in calls(*case, dtype).items():
                best = best_times(call, (1, asked.workers), asked.rounds)
                one, more = best[1], best[asked.workers]
                times = f"{one * 1e6:>7.0f} us{more * 1e6:>7.0f} us{one / more:>8.2f}{most:>8.2f}"
                print(f"{name:24}{dtype:9}{result:8}{times}", flush=True)


if __name__ == "__main__":
    main()
