"""N-D convolution by scipy's rules: its axes, what broadcasts, and what each mode keeps."""

from timeit import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _args, _core, _sums, _workers
from ._call import Call


@_workers.taken_last
def convolved(
    name: str, in1: Any, in2: Any, mode: Any, method: Any, accuracy: Any, out: NDArray[Any] | None
) -> NDArray[Any]:
    """convolve and correlate: in the dtype of the inputs, along every axis."""
    correlating = name == "correlate"
    how = ("fill", 0, method, accuracy, out)
    plain = _core.plain_nd(in1, in2, mode, *how, correlating=correlating, of_2d=False)
    if plain is not None:
        return plain
    _args.check_choice("accuracy", accuracy, _core.ACCURACIES)
    in1, in2 = _args.pair_nd("in1 and in2" if correlating else "volume and kernel", in1, in2)
    if in1.ndim == 0:
        complex_taps = correlating and in2.dtype.kind == "c"
        return _product(in1, in2.conj() if complex_taps else in2, out)
    _args.swaps_in_valid(mode, in1.shape, in2.shape)
    _args.check_mode_nd(name, mode)
    _args.check_method_nd(method)
    _args.check_samples_nd(mode, in1, in2)
    if in1.ndim == 1 and (mode != "same" or in1.size >= in2.size):
        # Here numpy's rules are the same, and its short way is there for lists.
        function = _core.correlate if correlating else _core.convolve
        return function(in1, in2, mode, method=method, accuracy=accuracy, out=out)
    call = _call(in1, in2, mode, tuple(range(in1.ndim)), correlating, method, accuracy)
    return _sums.delivered(call, call.shape, lambda result: result, out)


@_workers.taken_last
def convolved_in_floats(
    in1: Any, in2: Any, mode: Any, axes: Any, accuracy: Any, out: NDArray[Any] | None
) -> NDArray[Any]:
    """fftconvolve and oaconvolve: in floating point, along some axes; the others broadcast."""
    if axes is None and _are_floats(in1, in2):
        how = ("fill", 0, "auto", accuracy, out)
        plain = _core.plain_nd(in1, in2, mode, *how, correlating=False, of_2d=False)
        if plain is not None:
            return plain
    _args.check_choice("accuracy", accuracy, _core.ACCURACIES)
    in1, in2 = _args.pair_nd("in1 and in2", in1, in2)
    if in1.ndim == 0:
        return _product(in1, in2, out)
    if in1.size == 0 or in2.size == 0:
        _args.check_out(out, (0,), np.dtype(float))
        return np.empty(0) if out is None else out
    axes = _args.axes_nd(axes, in1.ndim)
    _args.check_shapes_nd(mode, in1.shape, in2.shape, axes)
    _args.check_mode_nd("fftconvolve", mode)
    # Where every convolved axis only broadcasts, scipy multiplies in the dtype given.
    if any(in1.shape[d] != 1 and in2.shape[d] != 1 for d in axes):
        in1, in2 = _args.as_float(in1), _args.as_float(in2)
    call = _call(in1, in2, mode, axes, False, "auto", accuracy)
    order = _carried_first(in1.ndim, axes)
    lengths = dict(zip(order, call.shape, strict=True))
    shape = tuple(lengths[d] for d in range(in1.ndim))
    return _sums.delivered(call, shape, lambda result: result.transpose(order), out)


def _are_floats(in1: Any, in2: Any) -> bool:
    return all(type(x) is np.ndarray and x.dtype.kind in "fc" for x in (in1, in2))


def _product(in1: NDArray[Any], in2: NDArray[Any], out: NDArray[Any] | None) -> NDArray[Any]:
    """Of two arrays without axes."""
    product: NDArray[Any] = in1 * in2
    if out is None:
        return product
    _args.check_out(out, (), np.result_type(in1, in2))
    out[...] = product
    return out


def _carried_first(ndim: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that a Call takes: those carried along, then the convolved ones."""
    return (*(d for d in range(ndim) if d not in axes), *axes)


def _call(
    in1: NDArray[Any],
    in2: NDArray[Any],
    mode: str,
    axes: tuple[int, ...],
    correlating: bool,
    method: str,
    accuracy: str,
) -> Call:
    dtype = _args.engine_dtype(in1, in2) or _args.generic_dtype(
        "Unsupported type", in1, in2, correlating
    )
    order = _carried_first(in1.ndim, axes)
    batch = in1.ndim - len(axes)
    a, v = in1.transpose(order), in2.transpose(order)
    windows = tuple(map(_window, (mode,) * len(axes), a.shape[batch:], v.shape[batch:]))
    return Call(
        a,
        v[(slice(None, None, -1),) * v.ndim] if correlating else v,
        dtype,
        windows,
        conjugate=correlating,
        method=method,
        accuracy=accuracy,
        batch=batch,
        after=in1.ndim - 1 - max(axes),
    )


def _window(mode: str, n: int, m: int) -> tuple[int, int]:
    """What a mode keeps of the full convolution along one axis: 'same' has in1's length."""
    if mode == "full":
        return 0, n + m - 1
    if mode == "valid":
        return min(n, m) - 1, max(n, m)
    lo = (m - 1) // 2
    return lo, lo + n


# ---------------------------------------------------------------- choosing


def chosen_method(in1: Any, in2: Any, mode: Any) -> str:
    """'direct' or 'fft', as the selector would have it on this data."""
    in1, in2 = _args.pair_nd("volume and kernel", in1, in2)
    _args.check_mode_nd("convolve", mode)
    if 0 in (in1.ndim, in1.size, in2.size):
        return "direct"
    _args.swaps_in_valid(mode, in1.shape, in2.shape)
    call = _call(in1, in2, mode, tuple(range(in1.ndim)), False, "auto", "auto")
    if call.dtype.num not in _args.ENGINE_TYPES:
        return "direct"
    return "direct" if call.job(call.facts()).choose()["method"] == "direct" else "fft"


def seconds(timer: Timer) -> float:
    """The best of three times of one call, each over 5 ms or more where a call is shorter."""
    number = 1
    while (took := timer.timeit(number)) < 5e-3:
        number *= 10
    if number == 1 and took > 1:  # macroscopic: not again
        return took
    return min(took, *timer.repeat(2, number)) / number
