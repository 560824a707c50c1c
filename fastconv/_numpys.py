"""numpy's own sums for what the engine does not compute in, some outputs at a time.

numpy's loop hears no Ctrl-C. Here it is called again and again, for the same products in the same
order: each output is the dot product of a run of the longer operand and a run of the other,

    full[i] = a[max(0, i - m + 1) : i + 1] . r[max(0, m - 1 - i) :],   r = v reversed,

as far as there is an a. Between its calls Python looks for signals.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _args, _core

# numpy takes a few ms for so many longdoubles, and a quarter of a second for so many fractions.
_PRODUCTS = {"g": 2_000_000, "G": 2_000_000, "O": 100_000}


def convolve(a: NDArray[Any], v: NDArray[Any], mode: Any) -> NDArray[Any]:
    """numpy.convolve's answer for two lines."""
    if not _is_long(a, v):
        return _args.numpy_convolve(a, v, mode)
    longer, shorter = (a, v) if a.size >= v.size else (v, a)
    return _dots(longer, shorter[::-1], *_core.window(mode, longer.size, shorter.size, False))


def correlate(a: NDArray[Any], v: NDArray[Any], mode: Any) -> NDArray[Any]:
    """numpy.correlate's."""
    if not _is_long(a, v):
        return _args.numpy_correlate(a, v, mode)
    dtype = np.result_type(a, v)
    taps = v.astype(dtype).conj() if dtype.kind == "c" else v
    if a.size >= v.size:
        return _dots(a, taps, *_core.window(mode, a.size, v.size, False))
    return _dots(taps, a, *_core.window(mode, v.size, a.size, False))[::-1].copy()


def _is_long(a: NDArray[Any], v: NDArray[Any]) -> bool:
    plain = type(a) is type(v) is np.ndarray and {a.dtype.kind, v.dtype.kind} <= set("biufcO")
    return plain and a.size * v.size > _PRODUCTS.get(np.result_type(a, v).char, np.inf)


def _dots(a: NDArray[Any], taps: NDArray[Any], lo: int, hi: int) -> NDArray[Any]:
    """Outputs `lo` to `hi` - 1 of the full correlation of `a` and no more `taps`."""
    n, m = a.size, taps.size
    dtype = np.result_type(a, taps)
    a, taps = a.astype(dtype), taps.astype(dtype)
    result = np.empty(hi - lo, dtype)
    some = max(1, _PRODUCTS[dtype.char] // m)
    i = lo
    while i < hi:
        if m - 1 <= i < n:
            end = min(i + some, hi, n)
            inside = a[i - m + 1 : end]
            result[i - lo : end - lo] = _args.numpy_convolve(inside, taps[::-1], "valid")
        else:
            end = i + 1
            first, last = max(0, i - m + 1), min(n, end)
            of_taps = slice(m - 1 - i + first, m - 1 - i + last)
            result[i - lo] = np.dot(a[first:last], taps[of_taps])
        i = end
    return result
