"""Calls on an `a` that goes on beyond its ends: scipy's rules, whatever the number of axes."""

from typing import Any

from numpy.typing import NDArray

from . import _args
from ._call import Call


def extended_call(
    in1: NDArray[Any],
    in2: NDArray[Any],
    mode: Any,
    boundary: Any = "fill",
    fillvalue: Any = 0,
    *,
    correlating: bool = False,
    batch: int = 0,
    after: int = 0,
    method: str = "auto",
    accuracy: str = "auto",
    separable: str | bool = "auto",
) -> tuple[Call, bool]:
    """The call for these arguments, and whether its result is to be read from its end.

    The first `batch` axes are only carried along, as a Call's are. `separable` is for two
    others.
    """
    swapped = _args.swaps_in_valid(mode, in1.shape[batch:], in2.shape[batch:])
    if swapped:
        in1, in2 = in2, in1
    _args.check_scipy_mode(mode)
    boundary = _args.scipy_boundary(boundary, in1.shape[batch:])
    dtype = _args.engine_dtype(in1, in2) or _args.generic_dtype(
        "convolve2d not available for this type", in1, in2, correlating
    )
    fill = _args.scipy_fillvalue(fillvalue, dtype) if boundary == "fill" else 0
    lengths = zip(in1.shape[batch:], in2.shape[batch:], strict=True)
    call = Call(
        in1,
        _reversed(in2, batch) if correlating else in2,
        dtype,
        tuple(_window(mode, n, m, correlating) for n, m in lengths),
        conjugate=correlating,
        boundary=boundary,
        fill=fill,
        method=method,
        accuracy=accuracy,
        separable=separable,
        batch=batch,
        after=after,
    )
    in_engine = call.dtype.num in _args.ENGINE_TYPES
    nothing = call.a.size == 0 or call.v.size == 0
    _args.check_separable(separable, call.v, lambda: in_engine and (nothing or call.is_separable()))
    return call, swapped and correlating


def _window(mode: str, n: int, m: int, correlating: bool) -> tuple[int, int]:
    if mode == "full":
        return 0, n + m - 1
    if mode == "valid":
        return m - 1, n
    # scipy's centre for an even kernel lies one sample later when correlating.
    lo = m // 2 if correlating else (m - 1) // 2
    return lo, lo + n


def _reversed(x: NDArray[Any], batch: int = 0) -> NDArray[Any]:
    """x with all axes but the first `batch` reversed."""
    return x[(slice(None),) * batch + (slice(None, None, -1),) * (x.ndim - batch)]
