"""A call's result in the array that its caller sees: by the engine, or by plain sums.

Plain sums are for what the engine does not compute in (longdouble, clongdouble,
object) and for inputs without samples.
"""

from collections.abc import Callable
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _args, _numpys
from ._call import Call


def delivered(
    call: Call,
    shape: tuple[int, ...],
    view: Callable[[NDArray[Any]], NDArray[Any]],
    out: NDArray[Any] | None,
) -> NDArray[Any]:
    """
    The result, in `out` where that is given.

    It has the caller's `shape`; seen through `view` it has the call's, with the
    axes turned or exchanged.
    """
    _args.check_size(shape, call.dtype)
    _args.check_out(out, shape, call.dtype)
    result = np.empty(shape, call.dtype) if out is None else out
    target = view(result)
    if call.a.size == 0 or call.v.size == 0:
        target[...] = _constant(call)
    elif call.dtype.num in _args.ENGINE_TYPES:
        call.run(target)
    else:
        target[...] = _sum_of_shifts(call)
    return result


def _taps(call: Call) -> NDArray[Any]:
    return call.v.conj() if call.conjugate else call.v


def _constant(call: Call) -> NDArray[Any]:
    """No taps add up to nothing; no samples are nothing but the fill value."""
    axes = tuple(range(call.batch, call.v.ndim))
    constant: NDArray[Any] = _taps(call).sum(axes, call.dtype, keepdims=True) * call.fill
    return constant


def _sum_of_shifts(call: Call) -> NDArray[Any]:
    """Every tap adds its multiple of the extended, shifted input; 1-D is left to numpy."""
    axes = len(call.windows)
    lows, counts = zip(*((lo, hi - lo) for lo, hi in call.windows), strict=True)
    if call.a.ndim == 1 and call.boundary == "fill" and call.fill == 0:
        full = _numpys.convolve(call.a, _taps(call), "full")
        return full[lows[0] : lows[0] + counts[0]]
    lengths, taps = call.a.shape[call.batch :], _taps(call).astype(call.dtype)
    before = [max(0, m - 1 - lo) for m, lo in zip(taps.shape[call.batch :], lows, strict=True)]
    after = [max(0, hi - n) for n, (_, hi) in zip(lengths, call.windows, strict=True)]
    beyond: dict[str, dict[str, Any]] = {
        # Not a bare 0, of which pad would make an int64 among Python's own integers.
        "fill": {"mode": "constant", "constant_values": np.asarray(call.fill, call.dtype)},
        "wrap": {"mode": "wrap"},
        "symm": {"mode": "symmetric"},
    }
    margins = [(0, 0)] * call.batch + list(zip(before, after, strict=True))
    extended: NDArray[Any] = np.pad(call.a.astype(call.dtype), margins, **beyond[call.boundary])
    total = np.zeros(call.shape, call.dtype)
    for tap in np.ndindex(taps.shape[call.batch :]):
        first = [b + lo - k for b, lo, k in zip(before, lows, tap, strict=True)]
        window: tuple[Any, ...] = tuple(map(slice, first, map(add, first, counts)))
        factor = taps[..., *tap][..., *(None,) * axes]  # one for each of the batch
        total += factor * extended[(..., *window)]
    return total
