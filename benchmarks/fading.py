"""Operands that fade: what each accuracy takes, and what is left of the smallest outputs.

    python benchmarks/fading.py [--rounds 5]

One thread; milliseconds, the best of each, interleaved. The error is the largest of 64 outputs, the
ends among them, against sums in longdouble, as a share of the sum of magnitudes behind the output.
Direct sums of a million by a million are left out: they take a minute.
"""

import argparse
import os
import time
from functools import partial

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import numpy as np
from scipy import signal

import fastconv

ENTRANTS = {
    "auto": fastconv.convolve,
    "componentwise": partial(fastconv.convolve, accuracy="componentwise"),
    "normwise": partial(fastconv.convolve, accuracy="normwise"),
    "direct": partial(fastconv.convolve, method="direct"),
    "fftconvolve": signal.fftconvolve,
}
SIZES = (10_000, 100_000, 1_000_000)
MOST_MACS = 1e11


def distribution(n, rng):
    """A normal one, as far as nine standard deviations."""
    return np.exp(-(np.linspace(-9, 9, n) ** 2) / 2)


def response(n, rng):
    """Noise that fades by 174 dB, as that of a room does by and by."""
    return rng.standard_normal(n) * np.exp(-np.linspace(0, 20, n))


def noise(n, rng):
    return rng.standard_normal(n)


PAIRS = {
    "distributions": (distribution, distribution),
    "noise * response": (noise, response),
    "responses": (response, response),
    "noise": (noise, noise),
}


def worst_error(result, a, v, rng):
    """Of an output, in units of the sum of magnitudes behind it."""
    last = len(result) - 1
    worst = 0
    for i in {0, 1, last // 2, last - 1, last, *rng.integers(0, last, 59)}:
        first = max(0, i - len(a) + 1)
        k = np.arange(first, min(len(v) - 1, i) + 1)
        terms = v[k].astype(np.longdouble) * a[i - k]
        worst = max(worst, abs(result[i] - terms.sum()) / abs(terms).sum())
    return float(worst)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print("| full, n by n | " + " | ".join(ENTRANTS) + " | error of auto | of fftconvolve |")
    print("|---" * (len(ENTRANTS) + 3) + "|")
    for dtype in ("float64", "float32"):
        for name, (of_a, of_v) in PAIRS.items():
            for n in SIZES:
                rng = np.random.default_rng(0)
                a, v = of_a(n, rng).astype(dtype), of_v(n, rng).astype(dtype)
                best = dict.fromkeys(ENTRANTS, float("inf"))
                if float(n) ** 2 > MOST_MACS:
                    del best["direct"]
                for _ in range(asked.rounds):
                    for entrant in best:
                        start = time.perf_counter()
                        ENTRANTS[entrant](a, v)
                        best[entrant] = min(best[entrant], time.perf_counter() - start)
                times = [f"{best[e] * 1e3:.3g}" if e in best else "" for e in ENTRANTS]
                errors = [
                    f"{worst_error(ENTRANTS[e](a, v), a, v, rng):.1g}"
                    for e in ("auto", "fftconvolve")
                ]
                print(f"| {name}, {n:,}, {dtype} | " + " | ".join(times + errors) + " |")


if __name__ == "__main__":
    main()
