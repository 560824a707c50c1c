"""More than two axes: transforms beside ducc0's, small kernels, and colour images.

    python benchmarks/volumes.py [--seconds 1]

One thread each, checked and timed as in compare.py. Above, 'full' by transforms: ducc0's run one
pass an axis, and `auto` is ours with accuracy='auto', which `convolve` has and `fftconvolve` has
not. Between, 'same' by whatever each chooses: ducc0's transforms, scipy.ndimage's sums, with zeros
beyond the ends, and scipy.signal.convolve. Below, 'same' of images whose three colours lie side by
side, all under one kernel: `convolve(image, kernel[..., np.newaxis])` beside OpenCV's filter2D.
"""

import argparse
import os

os.environ["FASTCONV_NUM_THREADS"] = "1"  # read when fastconv is imported, below

import cv2
import numpy as np
import scipy.ndimage
import scipy.signal

from fastconv import signal
from fastconv.cli.libraries import PEERS, load
from fastconv.cli.race import Runner, race

LARGE_KERNELS = (
    ((64, 64, 64), (9, 9, 9)),
    ((128, 128, 64), (15, 15, 15)),
    ((100, 100, 100), (31, 31, 31)),
    ((41, 61, 33), (41, 61, 33)),
    ((20, 20, 20), (20, 20, 20)),
    ((200, 40, 40), (5, 5, 5)),
    ((300, 300, 3), (15, 15, 3)),
    ((30, 40, 50, 4), (7, 7, 7, 3)),
)
SMALL_KERNELS = (
    ((64, 64, 64), (3, 3, 3)),
    ((128, 128, 128), (3, 3, 3)),
    ((30, 40, 50), (5, 5, 5)),
    ((10, 10, 10), (5, 5, 5)),
    ((300, 300, 3), (3, 3, 3)),
    ((300, 300, 3), (7, 7, 3)),
    ((20, 20, 20, 20), (3, 3, 3, 3)),
)
IMAGE = (540, 960, 3)
COLOUR_KERNELS = tuple((IMAGE, (size, size, 1)) for size in (3, 5, 9, 15, 31))


def auto(a, v, mode):
    return signal.fftconvolve(a, v, mode, accuracy="auto")


def sums(a, v, mode):
    return scipy.ndimage.convolve(a, v, mode="constant")


def filtered(a, v, mode):
    return cv2.filter2D(a, -1, v[::-1, ::-1, 0], borderType=cv2.BORDER_CONSTANT)


def compare(function, rivals_of, sizes, mode, seconds):
    """A row for each size and dtype: our milliseconds, then each rival's."""
    for shapes in sizes:
        for dtype in ("float64", "float32"):
            rng = np.random.default_rng(0)
            a, v = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
            result = race(function, rivals_of(a, v), a, v, mode, seconds)
            name = " * ".join("x".join(map(str, shape)) for shape in shapes)
            times = (result.ours_s, *result.times.values())
            print(f"{name:28}{dtype:9}" + "".join(f"{1e3 * s:12.3f}" for s in times), flush=True)


def header(*columns):
    print(f"{'a * v, ms':28}{'dtype':9}" + "".join(f"{name:>12}" for name in columns))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row")
    asked = parser.parse_args()
    (ducc0,), _ = load(peer for peer in PEERS if peer.name == "ducc0")

    def transforms(a, v):
        return [Runner("auto", auto), *ducc0.runners(a, v, "full")]

    def all_kinds(a, v):
        others = [Runner("ndimage", sums), Runner("scipy", scipy.signal.convolve)]
        return [*ducc0.runners(a, v, "same"), *others]

    def of_colours(a, v):
        return [Runner("OpenCV", filtered), Runner("scipy", scipy.signal.convolve)]

    cv2.setNumThreads(1)
    header("fftconvolve", "auto", "ducc0")
    compare(signal.fftconvolve, transforms, LARGE_KERNELS, "full", asked.seconds)
    print()
    header("convolve", "ducc0", "ndimage", "scipy")
    compare(signal.convolve, all_kinds, SMALL_KERNELS, "same", asked.seconds)
    print()
    header("convolve", "OpenCV", "scipy")
    compare(signal.convolve, of_colours, COLOUR_KERNELS, "same", asked.seconds)


if __name__ == "__main__":
    main()
