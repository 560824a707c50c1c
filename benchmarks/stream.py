"""What a sample of a stream costs, by the length of the blocks, and whether memory stays flat.

    python benchmarks/stream.py
    python benchmarks/stream.py --samples 1e7          # the memory alone, over so many samples

Nanoseconds a sample, lowest of a few runs over the same signal, one thread each:
`Convolver.stream`, `scipy.signal.lfilter` with its state `zi` carried from block to block, and
`scipy.signal.oaconvolve` of the whole signal at once, which no block length can beat that has to
answer at once. lfilter is timed on fewer blocks where all would take some seconds.
"""

import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import signal

import fastconv

TAPS = (64, 1_000, 20_000)
BLOCKS = (1, 64, 512, 4_096)
RUNS = 5
MOST_MACS = 2e8  # of lfilter, a fifth of a second a run


def best_ns(run: Callable[[], object], samples: int, runs: int = RUNS) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times) / samples * 1e9


def cut(x: NDArray[np.float64], block: int) -> list[NDArray[np.float64]]:
    return [x[i : i + block] for i in range(0, x.size, block)]


def ours(v: NDArray[np.float64], blocks: list[NDArray[np.float64]]) -> Callable[[], None]:
    stream = fastconv.Convolver(v).stream()

    def run() -> None:
        for block in blocks:
            stream.push(block)

    run()  # the kernel's spectra are made by the first push
    return run


def theirs(v: NDArray[np.float64], blocks: list[NDArray[np.float64]]) -> Callable[[], None]:
    def run() -> None:
        state = np.zeros(v.size - 1)
        for block in blocks:
            _, state = signal.lfilter(v, 1.0, block, zi=state)

    return run


def table(dtype: str) -> None:
    print(f"{dtype}, ns a sample")
    print(f"{'taps':>8}{'block':>8}{'stream':>10}{'lfilter':>10}{'oaconvolve, at once':>22}")
    rng = np.random.default_rng(0)
    for m in TAPS:
        v = (rng.standard_normal(m) / m**0.5).astype(dtype)
        whole = rng.standard_normal(1_000_000).astype(dtype)
        at_once = best_ns(lambda v=v, whole=whole: signal.oaconvolve(whole, v), whole.size, 3)
        for block in BLOCKS:
            n = 8_000 if block == 1 else 131_072
            blocks = cut(whole[:n], block)
            stream = best_ns(ours(v, blocks), n)
            few = blocks[: max(2, int(MOST_MACS / m / block))]
            lfilter = best_ns(theirs(v, few), sum(map(len, few)), 2)
            print(f"{m:>8}{block:>8}{stream:>10.1f}{lfilter:>10.1f}{at_once:>22.1f}", flush=True)


def memory(samples: int) -> None:
    def peak_mib() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    print(f"peak memory of the process in MiB, before and after {samples:,} samples")
    block = np.random.default_rng(1).standard_normal(4_096)
    for m in TAPS:
        stream = fastconv.Convolver(np.random.default_rng(2).standard_normal(m)).stream()
        for _ in range(10):
            stream.push(block)
        before = peak_mib()
        for _ in range(samples // block.size):
            stream.push(block)
        print(f"{m:>8} taps: {before:.1f}, {peak_mib():.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=float, help="measure the memory over so many samples")
    chosen = parser.parse_args()
    if chosen.samples:
        return memory(int(chosen.samples))
    memory(10_000_000)  # before anything larger has been in memory
    for dtype in ("float64", "float32"):
        table(dtype)


if __name__ == "__main__":
    main()
