"""Operands that fade: what each accuracy takes, and what is left of the smallest outputs.

    python benchmarks/fading.py [--rounds 5]

One thread; milliseconds, the best of each, interleaved. Pictures and volumes fade along every axis,
in corners as much as lines at their ends. The error is the largest of 64 outputs, the ends and
corners among them, against sums in longdouble, as a share of the sum of magnitudes behind the
output. Direct sums of a million by a million are left out: they take a minute.
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
    "auto": fastconv.signal.convolve,
    "componentwise": partial(fastconv.signal.convolve, accuracy="componentwise"),
    "normwise": partial(fastconv.signal.convolve, accuracy="normwise"),
    "direct": partial(fastconv.signal.convolve, method="direct"),
    "fftconvolve": signal.fftconvolve,
}
SHAPES = (
    ((10_000,), (10_000,)),
    ((100_000,), (100_000,)),
    ((1_000_000,), (1_000_000,)),
    ((512, 512), (101, 101)),
    ((512, 512), (512, 512)),
    ((64, 64, 64), (32, 32, 32)),
)
MOST_MACS = 1e11


def along(shape, first, last):
    """An even run along each axis, shorter the more there are: corners lie as far out as the ends
    of a line."""
    axes = len(shape)
    return np.meshgrid(
        *(np.linspace(first, last, n) / np.sqrt(axes) for n in shape), indexing="ij", sparse=True
    )


def distribution(shape, rng):
    """A normal one, as far as nine standard deviations; of several numbers, correlated."""
    x = along(shape, -9, 9)
    return np.exp(-(sum(x) ** 2 + 2 * sum(y**2 for y in x)) / (2 * (len(x) + 2)))


def response(shape, rng):
    """Noise that fades by 174 dB, as that of a room does by and by; in all directions."""
    return rng.standard_normal(shape) * np.exp(-np.sqrt(sum(y**2 for y in along(shape, 0, 20))))


def noise(shape, rng):
    return rng.standard_normal(shape)


PAIRS = {
    "distributions": (distribution, distribution),
    "noise * response": (noise, response),
    "responses": (response, response),
    "noise": (noise, noise),
}


def worst_error(result, a, v, rng):
    """Of an output, in units of the sum of magnitudes behind it."""
    last = np.array(result.shape) - 1
    some = [0 * last, 0 * last + 1, last // 2, last - 1, last]
    worst = 0
    for at in (*some, *rng.integers(0, last, (59, a.ndim))):
        first = np.maximum(0, at - np.array(a.shape) + 1)
        end = np.minimum(np.array(v.shape), at + 1)
        taps = v[tuple(map(slice, first, end))].astype(np.longdouble)
        samples = a[tuple(map(slice, at - end + 1, at - first + 1))]
        terms = taps * np.flip(samples)
        worst = max(worst, abs(result[tuple(at)] - terms.sum()) / abs(terms).sum())
    return float(worst)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print("| full | " + " | ".join(ENTRANTS) + " | error of auto | of fftconvolve |")
    print("|---" * (len(ENTRANTS) + 3) + "|")
    for dtype in ("float64", "float32"):
        for name, (of_a, of_v) in PAIRS.items():
            for shapes in SHAPES:
                rng = np.random.default_rng(0)
                a, v = of_a(shapes[0], rng).astype(dtype), of_v(shapes[1], rng).astype(dtype)
                best = dict.fromkeys(ENTRANTS, float("inf"))
                if float(a.size) * v.size > MOST_MACS:
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
                sizes = " * ".join("x".join(f"{n:,}" for n in shape) for shape in shapes)
                print(f"| {name}, {sizes}, {dtype} | " + " | ".join(times + errors) + " |")


if __name__ == "__main__":
    main()
