"""Other ways to the same answer: every numpy and scipy function that may give it.

Each takes (a, v, mode) with `a` at least as long as `v` on every axis. Whether it does give the
same answer on an input, dtype included, is for `race` to find out.

A way that sums directly carries a floor: the time it would take at a ceiling of at least three
times the best rate it was seen to reach (Zen 4, numpy 2.4.6, scipy 1.17.1, one
thread, n = 10,000 with 1,000 taps and 512x512 with 31x31), in multiply-adds per second.
"""

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from .race import Array, Function, Runner, along

try:
    from scipy import ndimage, signal

    HAVE_SCIPY = True
except ImportError:
    HAVE_SCIPY = False

# Seen: float32 18.6e9, float64 8.7e9, complex128 4.3e9, int16 1.7e9, int64 1.9e9.
NUMPY_MACS_PER_S = {"float32": 60e9, "float64": 30e9, "complex64": 30e9, "complex128": 15e9}
NUMPY_INTEGER_MACS_PER_S = 6e9
NDIMAGE_MACS_PER_S = 5e9  # seen: 1.4e9
CONVOLVE2D_MACS_PER_S = 4e9  # seen: 0.9e9
SIGNAL_DIRECT_2D_MACS_PER_S = 0.4e9  # seen: 0.1e9
UPFIRDN_MACS_PER_S = 4e9  # seen: 1.0e9


class Numpy:
    name = package = "numpy"

    def __init__(self, workers: int = 1) -> None:
        """Its sums run on the threads of its BLAS, which `threads` limits."""

    def runners(self, a: Array, v: Array, mode: str, axis: int | None = None) -> Iterator[Runner]:
        numpy_s = _numpy_s(a, v, mode, axis)
        if axis is not None:
            yield Runner("numpy.convolve loop", partial(line_by_line, np.convolve, axis), numpy_s)
        elif a.ndim == 1:
            yield Runner("numpy.convolve", np.convolve, numpy_s)


class Scipy:
    """The functions whose documented answer is this one."""

    name = package = "scipy"

    def __init__(self, workers: int = 1) -> None:
        """Its transforms run on as many threads as `threads` sets."""
        if not HAVE_SCIPY:
            raise ImportError("No module named 'scipy'")

    def runners(self, a: Array, v: Array, mode: str, axis: int | None = None) -> Iterator[Runner]:
        along_axis: dict[str, Any] = {} if axis is None else {"axis": axis}
        every = a.size * v.size  # multiply-adds of a function that pads
        if axis is None:
            yield from self.by_methods(a, v, mode)
        if np.result_type(a, v).kind in "fc":  # on integers these give float64
            for function in (signal.fftconvolve, signal.oaconvolve):
                call = function if axis is None else partial(_with_axes, function, axis)
                yield Runner(function.__name__, call)
            if v.ndim == 1 and mode == "full":
                call = partial(_upfirdn, **along_axis)
                yield Runner("upfirdn", call, every / UPFIRDN_MACS_PER_S)
        if mode == "same" and all(m % 2 for m in v.shape):
            own = ndimage.convolve1d if v.ndim == 1 else ndimage.convolve
            call = partial(_zero_extended, own, **along_axis)
            yield Runner(f"ndimage.{own.__name__}", call, every / NDIMAGE_MACS_PER_S)

    def by_methods(self, a: Array, v: Array, mode: str) -> Iterator[Runner]:
        """signal.convolve as it chooses and as it is told to, and convolve2d."""
        needed = _macs(a.shape, v.shape, mode)
        direct_s = needed / SIGNAL_DIRECT_2D_MACS_PER_S
        if a.ndim == 1:
            direct_s = _numpy_s(a, v, mode, None)
        auto_s = direct_s if signal.choose_conv_method(a, v, mode) == "direct" else 0.0
        yield Runner("signal.convolve", signal.convolve, auto_s)
        yield Runner("signal.convolve direct", partial(signal.convolve, method="direct"), direct_s)
        yield Runner("signal.convolve fft", partial(signal.convolve, method="fft"))
        if a.ndim == 2:
            yield Runner("convolve2d", signal.convolve2d, needed / CONVOLVE2D_MACS_PER_S)


def line_by_line(convolve: Function, axis: int, a: Array, v: Array, mode: str) -> Array:
    """What is written where a function takes one line at a time."""
    lines = [convolve(line, v, mode) for line in np.moveaxis(a, axis, -1)]
    return np.moveaxis(np.stack(lines), -1, axis)


def numpy_recipes(a: Array, v: Array) -> Iterator[Runner]:
    """What is written by hand where numpy is all there is."""
    dtype = np.result_type(a, v)
    if dtype.kind == "f":
        yield Runner("numpy.fft by hand", _product_of_spectra)
    if a.ndim == 2:
        floor_s = a.size * v.size / _numpy_macs_per_s(dtype)
        yield Runner("numpy, a sum of shifts", _sum_of_shifts, floor_s)


def gaussian_filter(sigma: float, radius: int) -> Runner:
    """scipy's own Gaussian blur: two 1-D passes."""
    return Runner(
        "ndimage.gaussian_filter",
        lambda a, v, mode: ndimage.gaussian_filter(a, sigma, mode="constant", radius=radius),
    )


def sobel(axis: int) -> Runner:
    return Runner("ndimage.sobel", lambda a, v, mode: ndimage.sobel(a, axis, mode="constant"))


def _numpy_s(a: Array, v: Array, mode: str, axis: int | None) -> float:
    macs = _macs(a.shape, along(v, a.ndim, axis).shape, mode)
    return macs / _numpy_macs_per_s(np.result_type(a, v))


def _numpy_macs_per_s(dtype: np.dtype[Any]) -> float:
    return NUMPY_MACS_PER_S.get(dtype.name, NUMPY_INTEGER_MACS_PER_S)


def _with_axes(convolve: Callable[..., Array], axis: int, a: Array, v: Array, mode: str) -> Array:
    return convolve(a, along(v, a.ndim, axis), mode, axes=axis)


def _upfirdn(a: Array, v: Array, mode: str, axis: int = -1) -> Array:
    return np.asarray(signal.upfirdn(v, a, axis=axis))


def _zero_extended(
    convolve: Callable[..., Array], a: Array, v: Array, mode: str, **keywords: int
) -> Array:
    return convolve(a, v, mode="constant", **keywords)


def _product_of_spectra(a: Array, v: Array, mode: str) -> Array:
    full = [n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)]
    axes = range(a.ndim)
    spectrum = np.fft.rfftn(a, full, axes) * np.fft.rfftn(v, full, axes)
    return np.asarray(np.fft.irfftn(spectrum, full, axes)[window(a, v, mode)])


def _sum_of_shifts(a: Array, v: Array, mode: str) -> Array:
    padded = np.pad(a, [(m - 1, m - 1) for m in v.shape])
    full = [n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)]
    kept = window(a, v, mode)
    low = [w.start for w in kept]
    shape = [len(range(*w.indices(n))) for w, n in zip(kept, full, strict=True)]
    out = np.zeros(shape, np.result_type(a, v))
    for k in np.ndindex(v.shape):
        # full[i] takes v[k] a[i - k], and a[i - k] is padded[i - k + m - 1].
        start = [lo + m - 1 - j for lo, m, j in zip(low, v.shape, k, strict=True)]
        part = tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))
        out += v[k] * padded[part]
    return out


def window(a: Array, v: Array, mode: str) -> tuple[slice, ...]:
    """What `mode` keeps of the full convolution."""

    def kept(n: int, m: int) -> slice:
        if mode == "full":
            return slice(0, n + m - 1)
        if mode == "same":
            return slice((m - 1) // 2, (m - 1) // 2 + n)
        return slice(m - 1, n)

    return tuple(kept(n, m) for n, m in zip(a.shape, v.shape, strict=True))


def _macs(a_shape: tuple[int, ...], v_shape: tuple[int, ...], mode: str) -> int:
    """Products of the direct sum whose output is kept."""
    pairs = list(zip(a_shape, v_shape, strict=True))
    if mode == "valid":
        return prod((n - m + 1) * m for n, m in pairs)
    if mode == "same":
        return prod(n * m - m * m // 4 for n, m in pairs)
    return prod(n * m for n, m in pairs)
