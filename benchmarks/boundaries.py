"""What lies beyond the ends: 'wrap' and 'symm' beside scipy, OpenCV, and numpy.pad by hand.

    python benchmarks/boundaries.py [--seconds 1]

One thread each, 'same', checked and timed as in compare.py: the definition is that of 'valid' on
the signal with its margins. Lines by `convolve`, pictures by `convolve2d`; rows of many lines by
`convolve(axis=-1)`. OpenCV's filter2D does not wrap.
"""

import argparse
import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

from functools import partial

import cv2
import numpy as np
from scipy import ndimage, signal

import fastconv
from fastconv.cli.race import Runner, race

NUMPYS = {"wrap": "wrap", "symm": "symmetric"}
NDIMAGES = {"wrap": "wrap", "symm": "reflect"}
COLUMNS = ("numpy.pad", "ndimage", "convolve2d", "OpenCV")
# Of an array and of the kernel, which lies along the last of its axes.
SIZES = (
    ((100,), (5,)),
    ((1_000,), (5,)),
    ((1_000,), (31,)),
    ((100_000,), (31,)),
    ((100_000,), (1_023,)),
    ((16, 64), (5,)),
    ((1_000, 1_000), (31,)),
    ((16, 16), (3, 3)),
    ((64, 64), (3, 3)),
    ((64, 64), (15, 15)),
    ((512, 512), (5, 5)),
    ((512, 512), (31, 31)),
    ((1_080, 1_920), (9, 9)),
)


def ours(a, v, boundary, *judged):
    if v.ndim == 2:
        return fastconv.convolve2d(a, v, "same", boundary)
    return fastconv.convolve(a, v, "same", axis=-1, boundary=boundary)


def padded(a, v, boundary):
    margins = [(m // 2, m // 2) for m in np.atleast_2d(v).shape][-a.ndim :]
    return np.pad(a, margins, NUMPYS[boundary])


def by_hand(a, v, boundary, *judged):
    convolve = np.convolve if v.ndim == 1 and a.ndim == 1 else signal.convolve
    return convolve(padded(a, v, boundary), v if v.ndim == a.ndim else v[None], "valid")


def by_ndimage(a, v, boundary, *judged):
    convolve = ndimage.convolve1d if v.ndim == 1 else ndimage.convolve
    return convolve(a, v, mode=NDIMAGES[boundary])


def by_scipy(a, v, boundary, *judged):
    rows = signal.convolve2d(np.atleast_2d(a), np.atleast_2d(v), "same", boundary)
    return rows.reshape(a.shape)


def by_opencv(a, v, boundary, *judged):
    kernel = np.atleast_2d(v)[::-1, ::-1]
    filtered = cv2.filter2D(np.atleast_2d(a), -1, kernel, borderType=cv2.BORDER_REFLECT)
    return filtered.reshape(a.shape)


def compare(shape, kernel, boundary, dtype, seconds):
    """Our microseconds, then each rival's."""
    rng = np.random.default_rng(0)
    a, v = (rng.standard_normal(size).astype(dtype) for size in (shape, kernel))
    ways = dict(zip(COLUMNS, (by_hand, by_ndimage, by_scipy, by_opencv), strict=True))
    if boundary == "wrap":
        del ways["OpenCV"]
    rivals = [Runner(name, partial(way, a, v, boundary)) for name, way in ways.items()]
    taps = v if v.ndim == a.ndim else v[None]
    result = race(
        partial(ours, a, v, boundary), rivals, padded(a, v, boundary), taps, "valid", seconds
    )
    return (result.ours_s, *(result.times.get(name) for name in COLUMNS))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    columns = "".join(f"{name:>12}" for name in ("fastconv", *COLUMNS))
    print(f"{'a * v, us':22}{'boundary':10}{'dtype':8}{columns}")
    for shape, kernel in SIZES:
        size = " * ".join("x".join(map(str, x)) for x in (shape, kernel))
        for boundary in NUMPYS:
            for dtype in ("float64", "float32"):
                times = compare(shape, kernel, boundary, dtype, asked.seconds)
                told = "".join(f"{'-' if s is None else f'{1e6 * s:.1f}':>12}" for s in times)
                print(f"{size:22}{boundary:10}{dtype:8}{told}", flush=True)


if __name__ == "__main__":
    main()
