"""Volumes flattened into two axes, beside ducc0's transforms, one pass an axis.

    python benchmarks/volumes.py [--seconds 1]

'full', one thread each, checked and timed as in compare.py. `auto`: with accuracy='auto', which
`convolve` has and `fftconvolve` has not.
"""

import argparse
import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import numpy as np

from fastconv import signal
from fastconv.cli.libraries import PEERS, load
from fastconv.cli.race import Runner, race

SIZES = (
    ((64, 64, 64), (9, 9, 9)),
    ((128, 128, 64), (15, 15, 15)),
    ((100, 100, 100), (31, 31, 31)),
    ((41, 61, 33), (41, 61, 33)),
    ((20, 20, 20), (20, 20, 20)),
    ((200, 40, 40), (5, 5, 5)),
    ((30, 40, 50, 4), (7, 7, 7, 3)),
)


def auto(a, v, mode):
    return signal.fftconvolve(a, v, mode, accuracy="auto")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row")
    asked = parser.parse_args()
    (ducc0,), _ = load(peer for peer in PEERS if peer.name == "ducc0")
    print(f"{'a * v, ms':28}{'dtype':9}{'fftconvolve':>12}{'auto':>9}{'ducc0':>9}")
    for shapes in SIZES:
        for dtype in ("float64", "float32"):
            rng = np.random.default_rng(0)
            a, v = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
            others = [*ducc0.runners(a, v, "full"), Runner("auto", auto)]
            result = race(signal.fftconvolve, others, a, v, "full", asked.seconds)
            name = " * ".join("x".join(map(str, shape)) for shape in shapes)
            ours, autos, theirs = (
                1e3 * s for s in (result.ours_s, result.times["auto"], result.times["ducc0"])
            )
            print(f"{name:28}{dtype:9}{ours:12.2f}{autos:9.2f}{theirs:9.2f}", flush=True)


if __name__ == "__main__":
    main()
