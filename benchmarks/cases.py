"""The one grid that every benchmark runs over, as data.

1-D: signal length * taps * mode * dtype. 2-D: picture * kernel * dtype, mode 'same', which is what
a picture is filtered with. Batched: every line of a 2-D array along one axis, with the same taps.
Inputs are random, the same in every run, and like what the dtype carries in life:

    float32, float64   standard normal
    complex128         standard normal in both parts
    int16              audio: Gaussian, rms 2000, clipped to the type; results wrap, as numpy's do
    int64              counts: uniform within +-1000; results stay far from wrapping
"""

import re
import zlib
from argparse import Namespace
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import product
from math import prod

import numpy as np

MODES = ("full", "same", "valid")
DTYPES = ("float32", "float64", "complex128", "int16", "int64")

TAPS_OF_LENGTH = {
    8: (3,),
    64: (8,),
    100: (100,),
    1_000: (3, 16, 64, 1_000),
    10_000: (5, 31, 127, 1_000, 10_000),
    100_000: (5, 31, 255, 2_047, 100_000),
    1_000_000: (15, 127, 1_023, 10_000, 1_000_000),
}
PICTURES = ((61, 67), (64, 64), (512, 512), (1080, 1920))
KERNEL_SIDES = (3, 5, 7, 9, 11, 15, 31, 63, 101, 201)  # and a kernel as large as the picture
# Shape, taps, axis, order in memory.
BATCHES = (
    ((16, 64), 5, 0, "C"),
    ((16, 64), 5, 1, "C"),
    ((100, 256), 9, 0, "C"),
    ((100, 256), 9, 1, "C"),
    ((1_000, 1_000), 31, 0, "C"),
    ((1_000, 1_000), 31, 0, "F"),
    ((1_000, 1_000), 31, 1, "C"),
    ((1_000, 1_000), 31, 1, "F"),
    ((2_000, 256), 9, 1, "C"),
    ((5_000, 1_664), 65, 1, "C"),  # scipy/scipy#26012
    ((64, 100_000), 1_023, 1, "C"),
    ((48_000, 32), 257, 0, "C"),  # a second of 32 channels, interleaved
)
BATCH_MODES = ("full", "same")  # 'valid' is 'full' without its edges, short beside these lines
BATCH_DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Case:
    """One row: convolve an array of shape `a` with a kernel of shape `v`.

    With an `axis`, every line of the array along it; `order` is how the array lies in memory.
    """

    a: tuple[int, ...]
    v: tuple[int, ...]
    mode: str
    dtype: str
    axis: int | None = None
    order: str = "C"

    @property
    def family(self) -> str:
        """'1-D', '2-D' or 'batched': means are taken within it, and it has its own table."""
        return f"{len(self.a)}-D" if self.axis is None else "batched"

    @property
    def size(self) -> str:
        """'10000*31', '512x512*7x7', '1000x1000*31 axis 0 F'."""
        size = "*".join("x".join(map(str, shape)) for shape in (self.a, self.v))
        return size if self.axis is None else f"{size} axis {self.axis} {self.order}"

    @property
    def name(self) -> str:
        return f"{self.size} {self.mode} {self.dtype}"

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        a, v = _sample(rng, self.a, self.dtype), _sample(rng, self.v, self.dtype)
        return (np.asfortranarray(a) if self.order == "F" else a), v


def cases_1d() -> list[Case]:
    return [
        Case((n,), (m,), mode, dtype)
        for n, taps in TAPS_OF_LENGTH.items()
        for m, mode, dtype in product(taps, MODES, DTYPES)
    ]


def cases_2d() -> list[Case]:
    return [
        Case(shape, kernel, "same", dtype)
        for shape in PICTURES
        for kernel in [(side, side) for side in KERNEL_SIDES if side <= min(shape)] + [shape]
        for dtype in DTYPES
    ]


def cases_batched() -> list[Case]:
    return [
        Case(shape, (taps,), mode, dtype, axis, order)
        for (shape, taps, axis, order), mode, dtype in product(BATCHES, BATCH_MODES, BATCH_DTYPES)
    ]


def curves() -> list[Case]:
    """Lengths for a curve: a kernel of 127 taps, and one as long as the signal."""
    lengths = [round(10 ** (k / 4)) for k in range(8, 25)]  # 100 to 1,000,000
    return [
        Case((n,), (m,), "same", "float64")
        for n in lengths
        for m in dict.fromkeys((127, n))
        if m <= n
    ]


def wanted(case: Case, options: Namespace) -> bool:
    """Whether `--quick`, `--dtype` and `--only` leave it in."""
    return (
        (not options.quick or quick(case))
        and (not options.dtype or case.dtype in options.dtype)
        and (not options.only or fnmatch(case.name, _pattern(options.only)))
    )


def _pattern(only: str) -> str:
    """The star of a size, between two digits, stands for itself; all that begins so is meant."""
    return re.sub(r"(?<=\d)\*(?=\d)", "[*]", only).rstrip("*") + "*"


def quick(case: Case) -> bool:
    """The part of the grid that `--quick` keeps."""
    if case.family == "2-D":
        return case.a[0] <= 512 and case.v[0] <= 15
    return case.mode == "same" and prod(case.a) <= (100_000 if case.axis is None else 1_000_000)


def _sample(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    if dtype == "int16":
        return np.clip(rng.normal(0, 2000, shape), -32768, 32767).astype(np.int16)
    if dtype == "int64":
        return rng.integers(-1000, 1000, shape, endpoint=True)
    x = rng.standard_normal(shape)
    if dtype == "complex128":
        return x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)
