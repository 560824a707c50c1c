"""numpy.convolve and numpy.correlate by numpy's rules, for whatever is not the plain case.

The public functions are those of _core: they answer two plain arrays at once
and hand every other call to the functions here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _args, _core
from ._args import numpy_convolve, numpy_correlate
from ._call import Call
from ._core import convolve, correlate

__all__ = ["convolve", "correlate"]


def any_convolve(a: Any, v: Any, mode: Any, method: str, accuracy: str, out: Any) -> NDArray[Any]:
    _args.check_options(method, accuracy)
    if _args.is_foreign(a) or _args.is_foreign(v):
        _args.check_numpys_own("foreign arrays", out=out)
        return numpy_convolve(a, v, mode)
    x, y = np.array(a, copy=None, ndmin=1), np.array(v, copy=None, ndmin=1)
    if not (_args.is_line(x) and _args.is_line(y)):
        return _args.numpys_answer(numpy_convolve, a, v, mode)
    window = _core.window(_args.numpy_mode(mode), x.size, y.size, False)
    call = convolve_call(x, y, window, method, accuracy)
    if call is None:
        _args.check_numpys_out(out, x, y, window)
        return _delivered(numpy_convolve(x, y, mode), out)
    _args.check_size(call.shape, call.dtype)
    _args.check_out(out, call.shape, call.dtype)
    return call.run(out)


def any_correlate(
    a: Any, v: Any, mode: Any, max_lag: Any, method: str, accuracy: str, out: Any
) -> NDArray[Any]:
    _args.check_options(method, accuracy)
    if _args.is_foreign(a) or _args.is_foreign(v):
        _args.check_numpys_own("foreign arrays", max_lag=max_lag, out=out)
        return numpy_correlate(a, v, mode)
    x, y = np.asanyarray(a), np.asanyarray(v)
    if not (_args.is_line(x) and _args.is_line(y)):
        return _args.numpys_answer(numpy_correlate, a, v, mode)
    if max_lag is None:
        lo, hi = _core.window(_args.numpy_mode(mode), x.size, y.size, True)
    else:
        lag = _args.lags(max_lag, mode)
        lo, hi = y.size - 1 - lag, y.size + lag
    # Lags at which the two do not meet are zeros around what is computed.
    inner = max(lo, 0), min(hi, x.size + y.size - 1)
    part = slice(inner[0] - lo, inner[1] - lo)
    call = correlate_call(x, y, inner, method, accuracy)
    if call is None:
        _args.check_numpys_out(out, x, y, (lo, hi))
        if max_lag is None:
            return _delivered(numpy_correlate(x, y, mode), out)
        full = numpy_correlate(x, y, "full")
        result = np.zeros_like(full, shape=(hi - lo,))
        result[part] = full[slice(*inner)]
        return _delivered(result, out)
    _args.check_size((hi - lo,), call.dtype)
    _args.check_out(out, (hi - lo,), call.dtype)
    if out is None and max_lag is None and type(x) is type(y) is np.ndarray:
        return call.run()
    result = _empty_like_numpys(x, y, hi - lo, call.dtype) if out is None else out
    base = result.view(np.ndarray)
    call.run(base[part])
    base[: part.start] = 0
    base[part.stop :] = 0
    return result


def convolve_call(
    x: NDArray[Any],
    y: NDArray[Any],
    window: tuple[int, int],
    method: str = "auto",
    accuracy: str = "auto",
) -> Call | None:
    """The call for two 1-D arrays; None where numpy's own function has to serve."""
    dtype = _args.engine_dtype(x, y)
    if dtype is None:
        return None
    return Call(x, y, dtype, (window,), method=method, accuracy=accuracy)


def correlate_call(
    x: NDArray[Any],
    y: NDArray[Any],
    window: tuple[int, int],
    method: str = "auto",
    accuracy: str = "auto",
) -> Call | None:
    """The same for their correlation: convolution with y reversed and conjugated."""
    dtype = _args.engine_dtype(x, y)
    if dtype is None:
        return None
    x, y, window = _within_reach(np.asarray(x), np.asarray(y)[::-1], window)
    return Call(x, y, dtype, (window,), conjugate=True, method=method, accuracy=accuracy)


def _within_reach(
    x: NDArray[Any], y: NDArray[Any], window: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any], tuple[int, int]]:
    """The samples and taps that a window of a few lags touches, and where it then lies."""
    lo, hi = window
    first_x, first_y = max(0, lo - y.size + 1), max(0, lo - x.size + 1)
    shift = first_x + first_y
    return x[first_x:hi], y[first_y:hi], (lo - shift, hi - shift)


def _delivered(result: NDArray[Any], out: NDArray[Any] | None) -> NDArray[Any]:
    if out is None:
        return result
    np.copyto(out, result)
    return out


def _empty_like_numpys(
    x: NDArray[Any], y: NDArray[Any], size: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """An array of the class that numpy gives a correlation: the longer one's, or by priority."""
    longer, shorter = (x, y) if x.size >= y.size else (y, x)
    model = shorter if shorter.__array_priority__ > longer.__array_priority__ else longer
    return np.empty_like(model, dtype=dtype, shape=(size,))


_core.take_over(any_convolve, any_correlate)
