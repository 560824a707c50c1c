"""numpy.convolve and numpy.correlate by numpy's rules, for whatever is not the plain case.

The public functions are those of _core: they answer two plain arrays at once
and hand every other call to the functions here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _args, _core, _numpys, _sums, _workers
from ._args import numpy_convolve, numpy_correlate
from ._call import Call
from ._core import convolve, correlate
from ._extended import extended_call
from ._lines import Lines, lines

__all__ = ["convolve", "correlate"]


def any_convolve(
    a: Any,
    v: Any,
    mode: Any,
    axis: Any,
    boundary: Any,
    fillvalue: Any,
    method: str,
    accuracy: str,
    out: Any,
    workers: Any,
) -> NDArray[Any]:
    if workers is not None:
        beyond = {"axis": axis, "boundary": boundary, "fillvalue": fillvalue}
        how = {"method": method, "accuracy": accuracy, "out": out}
        with _workers.asked(workers):
            return convolve(a, v, mode, **beyond, **how)
    _args.check_options(method, accuracy)
    extension = _args.extension(boundary, fillvalue)
    if _args.is_foreign(a) or _args.is_foreign(v):
        _args.check_numpys_own("foreign arrays", axis=axis, **extension, out=out)
        return numpy_convolve(a, v, mode)
    x, y = np.array(a, copy=None, ndmin=1), np.array(v, copy=None, ndmin=1)
    if axis is None and not (_args.is_line(x) and _args.is_line(y)):
        return _args.numpys_answer(numpy_convolve, a, v, mode)
    pairs = lines(x, y, axis)
    _args.check_lengths(numpy_convolve, pairs.lengths)
    mode = _args.numpy_mode(mode)
    if extension:
        return _run_extended(pairs, mode, boundary, fillvalue, False, method, accuracy, out)
    lo, hi = _core.window(mode, *pairs.lengths, False)
    shape = pairs.shape(hi - lo)
    call = convolve_call(pairs, (lo, hi), method, accuracy)
    if call is None:
        _args.check_numpys_out(out, x, y, shape)
        return pairs.each(lambda p, q: _numpys.convolve(p, q, mode), hi - lo, out)
    return _sums.delivered(call, shape, pairs.seen, out)


def any_correlate(
    a: Any,
    v: Any,
    mode: Any,
    axis: Any,
    boundary: Any,
    fillvalue: Any,
    max_lag: Any,
    method: str,
    accuracy: str,
    out: Any,
    workers: Any,
) -> NDArray[Any]:
    if workers is not None:
        beyond = {"axis": axis, "boundary": boundary, "fillvalue": fillvalue, "max_lag": max_lag}
        how = {"method": method, "accuracy": accuracy, "out": out}
        with _workers.asked(workers):
            return correlate(a, v, mode, **beyond, **how)
    _args.check_options(method, accuracy)
    extension = _args.extension(boundary, fillvalue)
    if _args.is_foreign(a) or _args.is_foreign(v):
        keywords = {"axis": axis, **extension, "max_lag": max_lag, "out": out}
        _args.check_numpys_own("foreign arrays", **keywords)
        return numpy_correlate(a, v, mode)
    x, y = np.asanyarray(a), np.asanyarray(v)
    has_lines = x.ndim and y.ndim if axis is not None else _args.is_line(x) and _args.is_line(y)
    if not has_lines:
        return _args.numpys_answer(numpy_correlate, a, v, mode)
    pairs = lines(x, y, axis)
    n, m = pairs.lengths
    _args.check_lengths(numpy_correlate, (n, m))
    if max_lag is None:
        mode = _args.numpy_mode(mode)
        lo, hi = _core.window(mode, n, m, True)
    else:
        lag = _args.lags(max_lag, mode, extension)
        lo, hi = m - 1 - lag, m + lag
    if extension:
        return _run_extended(pairs, mode, boundary, fillvalue, True, method, accuracy, out)
    # Lags at which the two do not meet are zeros around what is computed.
    inner = max(lo, 0), min(hi, n + m - 1)
    part = slice(inner[0] - lo, inner[1] - lo)
    shape = pairs.shape(hi - lo)
    call = correlate_call(pairs, inner, method, accuracy)
    if call is None:
        _args.check_numpys_out(out, x, y, shape)
        if max_lag is None:
            return pairs.each(lambda p, q: _numpys.correlate(p, q, mode), hi - lo, out)
        return pairs.each(lambda p, q: _numpys_lags(p, q, inner, part, hi - lo), hi - lo, out)
    if max_lag is None and type(x) is type(y) is np.ndarray:
        return _sums.delivered(call, shape, pairs.seen, out)
    _args.check_size(shape, call.dtype)
    _args.check_out(out, shape, call.dtype)
    result = _empty_like_numpys(x, y, n >= m, shape, call.dtype) if out is None else out
    base = pairs.seen(result)
    if base.size:
        call.run(base[..., part])
    base[..., : part.start] = 0
    base[..., part.stop :] = 0
    return result


def convolve_call(
    pairs: Lines, window: tuple[int, int], method: str = "auto", accuracy: str = "auto"
) -> Call | None:
    """The call for these lines; None where numpy's own function has to serve."""
    dtype = _args.engine_dtype(pairs.a, pairs.v)
    if dtype is None:
        return None
    how: dict[str, Any] = {"method": method, "accuracy": accuracy}
    return Call(pairs.a, pairs.v, dtype, (window,), **how, **pairs.axes)


def correlate_call(
    pairs: Lines, window: tuple[int, int], method: str = "auto", accuracy: str = "auto"
) -> Call | None:
    """The same for their correlation: convolution with v reversed and conjugated."""
    dtype = _args.engine_dtype(pairs.a, pairs.v)
    if dtype is None:
        return None
    a, v, window = _within_reach(np.asarray(pairs.a), np.asarray(pairs.v)[..., ::-1], window)
    how: dict[str, Any] = {"method": method, "accuracy": accuracy}
    return Call(a, v, dtype, (window,), conjugate=True, **how, **pairs.axes)


def _within_reach(
    x: NDArray[Any], y: NDArray[Any], window: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any], tuple[int, int]]:
    """The samples and taps that a window of a few lags touches, and where it then lies."""
    lo, hi = window
    first_x, first_y = max(0, lo - y.shape[-1] + 1), max(0, lo - x.shape[-1] + 1)
    shift = first_x + first_y
    return x[..., first_x:hi], y[..., first_y:hi], (lo - shift, hi - shift)


def _numpys_lags(
    x: NDArray[Any], y: NDArray[Any], inner: tuple[int, int], part: slice, size: int
) -> NDArray[Any]:
    """`size` zeros, and in one part of them the inner window of numpy's correlation."""
    full = _numpys.correlate(x, y, "full")
    result = np.zeros_like(full, shape=(size,))
    result[part] = full[slice(*inner)]
    return result


def _empty_like_numpys(
    x: NDArray[Any],
    y: NDArray[Any],
    x_is_longer: bool,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """An array of the class that numpy gives a correlation: the longer one's, or by priority."""
    longer, shorter = (x, y) if x_is_longer else (y, x)
    model = shorter if shorter.__array_priority__ > longer.__array_priority__ else longer
    return np.empty_like(model, dtype=dtype, shape=shape, order="C")


def _run_extended(
    pairs: Lines,
    mode: str,
    boundary: Any,
    fillvalue: Any,
    correlating: bool,
    method: str,
    accuracy: str,
    out: Any,
) -> NDArray[Any]:
    """The result by the rules of convolve2d and correlate2d, which extend `a`."""
    call, turned = extended_call(
        np.asarray(pairs.a),
        np.asarray(pairs.v),
        mode,
        boundary,
        fillvalue,
        correlating=correlating,
        method=method,
        accuracy=accuracy,
        **pairs.axes,
    )
    step = -1 if turned else 1
    shape = pairs.shape(call.shape[-1])
    return _sums.delivered(call, shape, lambda result: pairs.seen(result)[..., ::step], out)


_core.take_over(any_convolve, any_correlate)
