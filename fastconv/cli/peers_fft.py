"""FFTW and ducc0: convolution as the inverse transform of a product of transforms.

The libraries have transforms only; what is around them is written once, below, and as someone
would who cares for speed: buffers are made once and keep the zeros they are padded with, and lines
are taken in blocks that stay in the cache.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from math import prod

import numpy as np

from .race import Array, Runner
from .rivals import window

BLOCK_POINTS = 2**15  # of lines together: 256 kB of float64, in the second cache
# Measured plans for more points than these take FFTW seconds each.
MEASURED_POINTS = 300_000
# A shape is asked for in every mode and dtype, then never again; its buffers may be 100 MB.
PLANS_KEPT = 4

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Size:
    """What buffers are made for: a block of so many items, and one kernel, both padded.

    Shapes before padding count too: where the last ones were longer, the padding is not zero.
    """

    block: int
    item: Shape
    kernel: Shape
    padded: Shape
    dtype: str

    @property
    def axes(self) -> Shape:
        return tuple(range(1, 1 + len(self.padded)))

    @property
    def spectrum(self) -> Shape:
        if self.is_complex:
            return self.padded
        return (*self.padded[:-1], self.padded[-1] // 2 + 1)

    @property
    def is_complex(self) -> bool:
        return self.dtype.startswith("complex")


@dataclass(frozen=True)
class Buffers:
    """Of one size; `a` and `v` are zero where nothing is ever copied to. A leading axis counts
    the items of the block."""

    a: Array
    v: Array
    out: Array
    a_spectrum: Array
    v_spectrum: Array

    @classmethod
    def make(cls, size: Size, empty: Callable[[Shape, str], Array]) -> "Buffers":
        spectral = np.result_type(size.dtype, "complex64").name
        return cls(
            empty((size.block, *size.padded), size.dtype),
            empty((1, *size.padded), size.dtype),
            empty((size.block, *size.padded), size.dtype),
            empty((size.block, *size.spectrum), spectral),
            empty((1, *size.spectrum), spectral),
        )


@dataclass(frozen=True)
class Transforms:
    """From one buffer to the next; unnormalized."""

    buffers: Buffers
    a: Callable[[], object]
    v: Callable[[], object]
    back: Callable[[], object]


class BySpectra(ABC):
    """A library that has `good_length` and `transforms`."""

    name: str
    package: str
    module: str

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self.library = import_module(self.module)
        self.prepared = lru_cache(PLANS_KEPT)(self.transforms)

    @abstractmethod
    def good_length(self, n: int, real: bool) -> int:
        """The least length of at least n that it transforms fast."""

    @abstractmethod
    def transforms(self, size: Size) -> Transforms:
        """Planned, with buffers of their own."""

    def runners(self, a: Array, v: Array, mode: str, axis: int | None = None) -> Iterator[Runner]:
        dtype = np.result_type(a, v)
        if dtype.kind not in "fc":
            return
        items = _items(a, axis)
        full = [n + m - 1 for n, m in zip(items.shape[1:], v.shape, strict=True)]
        real_axis = len(full) - 1 if dtype.kind == "f" else None
        padded = tuple(self.good_length(n, i == real_axis) for i, n in enumerate(full))
        block = min(len(items), max(1, BLOCK_POINTS // prod(padded)))
        transforms = self.prepared(Size(block, items.shape[1:], v.shape, padded, dtype.name))
        kept = window(items[0], v, mode)
        yield Runner(self.name, partial(_convolve, transforms, kept, axis))


class FFTW(BySpectra):
    name = "FFTW"
    package = module = "pyfftw"

    def good_length(self, n: int, real: bool) -> int:
        step = 2 if real else 1  # its real transforms are fast where the length is even
        return step * int(self.library.next_fast_len(-(-n // step)))

    def transforms(self, size: Size) -> Transforms:
        buffers = Buffers.make(size, self.library.empty_aligned)
        effort = "MEASURE" if buffers.a.size < MEASURED_POINTS else "ESTIMATE"
        plan = partial(self.library.FFTW, axes=size.axes, threads=self.workers)
        flags = (f"FFTW_{effort}",)
        backward = {"direction": "FFTW_BACKWARD", "flags": (*flags, "FFTW_DESTROY_INPUT")}
        transforms = Transforms(
            buffers,
            plan(buffers.a, buffers.a_spectrum, flags=flags).execute,
            plan(buffers.v, buffers.v_spectrum, flags=flags).execute,
            plan(buffers.a_spectrum, buffers.out, **backward).execute,
        )
        buffers.a[:] = buffers.v[:] = 0  # measuring writes into them
        return transforms


class Ducc0(BySpectra):
    name = "ducc0"
    package = "ducc0"
    module = "ducc0.fft"

    def good_length(self, n: int, real: bool) -> int:
        return int(self.library.good_size(n, real))

    def transforms(self, size: Size) -> Transforms:
        buffers = Buffers.make(size, np.zeros)
        one = {"axes": size.axes, "nthreads": self.workers}
        if size.is_complex:
            forward = partial(self.library.c2c, **one)
            back = partial(self.library.c2c, **one, forward=False)
        else:
            forward = partial(self.library.r2c, **one)
            back = partial(
                self.library.c2r,
                **one,
                forward=False,
                lastsize=size.padded[-1],
                allow_overwriting_input=True,
            )
        return Transforms(
            buffers,
            partial(forward, buffers.a, out=buffers.a_spectrum),
            partial(forward, buffers.v, out=buffers.v_spectrum),
            partial(back, buffers.a_spectrum, out=buffers.out),
        )


def _items(a: Array, axis: int | None) -> Array:
    """The lines along `axis`, or all of `a` as the one item, along a leading axis."""
    return a[None] if axis is None else np.moveaxis(a, axis, -1)


def _convolve(
    transforms: Transforms,
    kept: tuple[slice, ...],
    axis: int | None,
    a: Array,
    v: Array,
    mode: str,
) -> Array:
    buffers = transforms.buffers
    items = _items(a, axis)
    scale = buffers.out.dtype.type(1 / buffers.out[0].size)
    out = np.empty((len(items), *(w.stop - w.start for w in kept)), buffers.out.dtype)
    buffers.v[0][_corner(v.shape)] = v
    transforms.v()
    for low in range(0, len(items), len(buffers.a)):
        part = items[low : low + len(buffers.a)]
        buffers.a[(slice(len(part)), *_corner(part.shape[1:]))] = part
        transforms.a()
        np.multiply(buffers.a_spectrum, buffers.v_spectrum, out=buffers.a_spectrum)
        transforms.back()
        result = buffers.out[(slice(len(part)), *kept)]
        np.multiply(result, scale, out=out[low : low + len(part)])
    return out[0] if axis is None else np.moveaxis(out, -1, axis)


def _corner(shape: Shape) -> tuple[slice, ...]:
    return tuple(map(slice, shape))
