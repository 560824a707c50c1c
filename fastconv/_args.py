"""The arguments of the public functions: what is taken, and what is said of the rest.

With _kernel_args the only module that raises for a bad argument. Where numpy or scipy has the
same mistake, the message begins with their text.
"""

import operator
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import NDArray

from . import _core

# Bound before anyone can put fastconv's functions in their place.
numpy_convolve = np.convolve
numpy_correlate = np.correlate

MODES = frozenset(("full", "same", "valid"))
MODES_TAKEN = "'full', 'same', 'valid' or 2, 1, 0"
# warnings.warn's stacklevel where no line of the caller's has to do with the warning: beyond any
# stack, which is told in one line.
NOBODYS_LINE = 1_000_000
# The type numbers of all that the engine computes in; float16 is a conversion
# before and after.
ENGINE_TYPES = frozenset(np.dtype(char).num for char in "?bBhHiIlLqQefdFD")
# And of what the engine does not know but plain sums can give.
GENERIC_TYPES = frozenset(np.dtype(char).num for char in "gGO")
# scipy's words differ with the function that looks at the mode first.
MODE_REFUSALS = {
    "convolve": "Acceptable mode flags are 'valid', 'same', or 'full', not mode={}",
    "fftconvolve": "acceptable mode flags are 'valid', 'same', or 'full': got {!r}",
}
SCIPY_BOUNDARIES = {
    "fill": "fill",
    "pad": "fill",
    "wrap": "wrap",
    "circular": "wrap",
    "symm": "symm",
    "symmetric": "symm",
}


def engine_dtype(a: NDArray[Any], v: NDArray[Any]) -> np.dtype[Any] | None:
    """The dtype of the result, or None where the engine does not know it."""
    dtype = a.dtype
    if dtype is not v.dtype:  # most are: one object stands for each native dtype
        try:
            dtype = np.result_type(dtype, v.dtype)
        except TypeError:
            return None
    dtype = dtype.newbyteorder("=")
    return dtype if dtype.num in ENGINE_TYPES else None


def check_options(method: object, accuracy: object) -> None:
    check_choice("method", method, _core.METHODS)
    check_choice("accuracy", accuracy, _core.ACCURACIES)


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Refuse a `value` of the argument `name` that is none of `choices`."""
    if isinstance(value, str) and value in choices:
        return
    takes = f"got {value!r}, takes {', '.join(map(repr, choices))}"
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string: {takes}")
    raise ValueError(f"{name} not understood: {takes}")


def check_separable(
    separable: object, v: NDArray[Any], is_outer_product: Callable[[], bool]
) -> None:
    """Refuse what is no choice, and True for a kernel that is no outer product."""
    if not (separable is True or separable is False or separable == "auto"):
        raise ValueError(
            f"separable not understood: got {separable!r}, takes 'auto', True or False"
        )
    if separable is True and not is_outer_product():
        raise ValueError(
            "separable=True takes a real kernel that is an outer product of a column and a row: "
            f"got one of {v.dtype}, shape {v.shape}, that is none, nor rounds to one"
        )


def check_switch(name: str, value: object) -> None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name}: got {value!r}, takes True, False or None")


def worker_count(workers: Any, cpus: int) -> int:
    """How many threads `workers` stands for: negative numbers count down from the CPUs."""
    takes = f"got {workers!r}, takes 1 or more, or -1 for all CPUs"
    try:
        number = operator.index(workers)
    except TypeError:
        raise TypeError(f"workers must be an integer: {takes}") from None
    if number == 0:
        raise ValueError(f"workers must not be zero: {takes}")
    if number < -cpus:
        raise ValueError(
            f"workers value out of range; got {workers!r}, must not be less than {-cpus}: "
            "takes 1 or more, or -1 for all CPUs"
        )
    return number if number > 0 else number + 1 + cpus


def check_out(out: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse an `out` that cannot take a result of this shape and dtype."""
    if out is None:
        return
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an ndarray: got {type(out).__name__}")
    if out.dtype.newbyteorder("=") != dtype:
        raise TypeError(f"out must have the result's dtype: got {out.dtype}, takes {dtype}")
    if out.shape != shape:
        raise ValueError(f"out must have the result's shape: got {out.shape}, takes {shape}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable: got a read-only array")


def check_size(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse a result that could not be indexed."""
    if min(shape) < 0:
        raise ValueError(f"negative dimensions are not allowed: the result would have {shape}")
    bytes_ = dtype.itemsize
    for length in shape:
        bytes_ *= length
    if bytes_ > sys.maxsize:
        raise ValueError(f"array is too big: the result would have shape {shape}")


def shape_or_data(name: str, given: object, dtype: Any, any_ndim: bool = False) -> NDArray[Any]:
    """An ndarray as it is; for an int or a tuple of ints an array of that shape, without memory."""
    if isinstance(given, np.ndarray):
        return given if given.ndim else given.reshape(1)
    try:
        shape = tuple(operator.index(n) for n in (given if isinstance(given, tuple) else (given,)))
    except TypeError:
        raise TypeError(
            f"{name} must be an int or a tuple of ints (a shape) or an ndarray (data): "
            f"got {type(given).__name__}"
        ) from None
    if not shape or min(shape) < 1 or not (any_ndim or len(shape) <= 2):
        several = "" if any_ndim else "one or two "
        raise ValueError(f"{name} must have {several}lengths of 1 or more: got {shape}")
    return np.broadcast_to(np.zeros((), dtype), shape)


# ---------------------------------------------------------------- numpy's rules


def is_foreign(x: object) -> bool:
    """Whether an array has taken numpy's functions into its own hands (NEP 18)."""
    ours = np.ndarray.__array_function__
    return getattr(type(x), "__array_function__", ours) is not ours


def check_numpys_own(why: str, **keywords: object) -> None:
    """Refuse keywords that numpy's function, where this call has to go, does not have."""
    for name, value in keywords.items():
        if value is not None:
            raise TypeError(f"{name} is not taken for {why}, which numpy's own function serves")


def check_numpys_out(out: object, a: NDArray[Any], v: NDArray[Any], shape: tuple[int, ...]) -> None:
    """check_out for a dtype that the engine does not know."""
    if out is not None:
        check_out(out, shape, np.result_type(a, v).newbyteorder("="))


def is_line(x: NDArray[Any]) -> bool:
    return x.ndim == 1 and x.size > 0


def check_lines(a: NDArray[Any], v: NDArray[Any]) -> None:
    """is_line for both, or numpy's complaint."""
    if not (is_line(a) and is_line(v)):
        numpys_answer(numpy_convolve, a, v, "full")


def check_lengths(function: Callable[..., NDArray[Any]], lengths: tuple[int, int]) -> None:
    """Refuse lines without samples, as this function of numpy's does."""
    if 0 in lengths:
        a, v = (np.broadcast_to(0.0, length) for length in lengths)
        numpys_answer(function, a, v, "full")


def place(axis: Any, a_shape: tuple[int, ...], v_shape: tuple[int, ...]) -> int:
    """`axis` counted from the end, where the axes of `a` and `v` meet."""
    try:
        axis = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis must be an integer: got {axis!r}") from None
    ndim = max(len(a_shape), len(v_shape))
    from_start = normalize_axis_index(axis, ndim)
    if axis >= 0 and 1 < len(v_shape) != len(a_shape):
        raise ValueError(
            "axis must be negative where a and v have different numbers of axes and v more than "
            f"one: got axis={axis}, a of shape {a_shape} and v of shape {v_shape}"
        )
    return from_start - ndim


def batch_shape(a_batch: tuple[int, ...], v_batch: tuple[int, ...]) -> tuple[int, ...]:
    """The lengths that the axes which are not convolved have together."""
    if len(a_batch) == len(v_batch) and (a_batch == v_batch or set(v_batch) <= {1}):
        return a_batch
    try:
        return np.broadcast_shapes(a_batch, v_batch)
    except ValueError:
        raise ValueError(
            "the axes of a and v beside the convolved one must have equal lengths, or 1: got "
            f"{a_batch} and {v_batch}"
        ) from None


def numpy_mode(mode: Any) -> str:
    """'full', 'same' or 'valid' for whatever numpy takes as a mode: it is asked itself."""
    if isinstance(mode, str) and mode in MODES:
        return str(mode)
    try:
        answer = numpy_correlate([1, 1, 1], [1, 1], mode)
    except (TypeError, ValueError) as error:
        raise _refusal(error, f"got mode {mode!r}, takes {MODES_TAKEN}") from None
    return {2: "valid", 3: "same", 4: "full"}[len(answer)]


def numpys_answer(function: Callable[..., NDArray[Any]], a: Any, v: Any, mode: Any) -> NDArray[Any]:
    """What numpy makes of unusual arguments; its complaints go on with what was got."""
    try:
        return function(a, v, mode)
    except (TypeError, ValueError) as error:
        got = f"got a {_described(a)}, v {_described(v)} and mode {mode!r}"
        takes = (
            "takes 1-D arrays that are not empty (for N-D give axis, or see convolve2d and "
            f"correlate2d) and mode {MODES_TAKEN}"
        )
        raise _refusal(error, f"{got}; {takes}") from None


def _refusal(error: Exception, told: str) -> Exception:
    """numpy's complaint, and what it was about."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{error}: {told}")


def _described(x: Any) -> str:
    try:
        return f"of shape {np.shape(x)}"
    except ValueError:  # ragged
        return f"of type {type(x).__name__}"


def lags(max_lag: Any, mode: object, extension: Mapping[str, Any]) -> int:
    """max_lag as an int, none of which goes with a mode or an extension."""
    try:
        lag = operator.index(max_lag)
    except TypeError:
        raise TypeError(f"max_lag must be an integer: got {max_lag!r}") from None
    if lag < 0:
        raise ValueError(f"max_lag must not be negative: got {max_lag}")
    if not _core.is_default_mode(mode):
        raise ValueError(f"max_lag={max_lag} and mode={mode!r} exclude each other: give one")
    for name, value in extension.items():
        raise ValueError(f"max_lag={max_lag} and {name}={value!r} exclude each other: give one")
    return lag


def extension(boundary: Any, fillvalue: Any) -> dict[str, Any]:
    """Those of the two that make `a` go on beyond its ends otherwise than with zeros.

    None does: numpy's rules hold. Any does: scipy's.
    """
    if boundary == "fill" and type(fillvalue) is int and fillvalue == 0:
        return {}
    if SCIPY_BOUNDARIES.get(boundary) != "fill":
        return {"boundary": boundary}
    given = np.asarray(fillvalue)
    is_zero = given.size == 1 and given.dtype.kind in "biufcO" and bool((given == 0).all())
    return {} if is_zero else {"fillvalue": fillvalue}


# ---------------------------------------------------------------- scipy's rules


def pair_2d(name: str, in1: Any, in2: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both inputs as 2-D arrays."""
    in1, in2 = np.asarray(in1), np.asarray(in2)
    if not in1.ndim == in2.ndim == 2:
        raise ValueError(
            f"{name} inputs must both be 2-D arrays: got shapes {in1.shape} and {in2.shape}"
        )
    return in1, in2


def swaps_in_valid(mode: object, shape1: tuple[int, ...], shape2: tuple[int, ...]) -> bool:
    """Whether 'valid' takes the inputs the other way round."""
    if mode != "valid":
        return False
    fits = all(n >= m for n, m in zip(shape1, shape2, strict=True))
    if not fits and any(n > m for n, m in zip(shape1, shape2, strict=True)):
        raise ValueError(
            "For 'valid' mode, one must be at least as large as the other in every dimension: "
            f"got shapes {shape1} and {shape2}"
        )
    return not fits


def check_scipy_mode(mode: object) -> None:
    if mode not in MODES:
        raise ValueError(f"Acceptable mode flags are 'valid', 'same', or 'full'. Got {mode!r}")


def scipy_boundary(boundary: Any, shape1: tuple[int, ...]) -> str:
    """'fill', 'wrap' or 'symm' for any of scipy's names."""
    if boundary not in SCIPY_BOUNDARIES:
        raise ValueError(
            "Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' "
            f"(or 'symm'). Got {boundary!r}"
        )
    name = SCIPY_BOUNDARIES[boundary]
    if name != "fill" and 0 in shape1:
        raise ValueError(f"boundary={boundary!r} needs samples: got shape {shape1}")
    return name


def scipy_fillvalue(fillvalue: Any, dtype: np.dtype[Any]) -> Any:
    """The fill value in the result's dtype, converted no more loosely than scipy does."""
    if type(fillvalue) is int and fillvalue == 0:
        return fillvalue
    given = np.asarray(fillvalue)
    if given.size == 0:
        raise ValueError(f"`fillvalue` cannot be an empty array. Got shape {given.shape}")
    if given.size != 1:
        raise ValueError(
            f"`fillvalue` must be scalar or an array with one element. Got shape {given.shape}"
        )
    too_wide = isinstance(fillvalue, np.ndarray) and not np.can_cast(given.dtype, dtype, "safe")
    if too_wide and given.dtype.kind not in "biufc":
        raise TypeError(f"`fillvalue` must be a number: got an array of {given.dtype}")
    try:
        if not too_wide:
            return np.asarray(fillvalue, dtype).reshape(())[()]
    except (TypeError, ValueError, OverflowError):
        np.asarray(fillvalue, complex)  # what is no number at all has its own error
    raise ValueError(
        "could not cast `fillvalue` directly to the output type (it was first converted to "
        f"complex). Got {fillvalue!r}, takes {dtype}"
    )


def generic_dtype(
    refusal: str, in1: NDArray[Any], in2: NDArray[Any], correlating: bool
) -> np.dtype[Any]:
    """The dtype of a result that plain sums have to give."""
    if correlating:
        in2.conj()  # numpy says so itself where there is no conjugate
    if not {in1.dtype.num, in2.dtype.num} <= ENGINE_TYPES | GENERIC_TYPES:
        raise ValueError(
            f"{refusal}. Got {in1.dtype} and {in2.dtype}, takes numbers, booleans and objects"
        )
    return np.result_type(in1.dtype, in2.dtype).newbyteorder("=")


def pair_nd(names: str, in1: Any, in2: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both inputs as arrays of equally many dimensions."""
    in1, in2 = np.asarray(in1), np.asarray(in2)
    if in1.ndim != in2.ndim:
        raise ValueError(
            f"{names} should have the same dimensionality: got shapes {in1.shape} and {in2.shape}"
        )
    return in1, in2


def check_mode_nd(name: str, mode: object) -> None:
    """check_scipy_mode in the words of the function `name`."""
    if name not in MODE_REFUSALS:
        check_scipy_mode(mode)
    elif not (isinstance(mode, str) and mode in MODES):
        raise ValueError(MODE_REFUSALS[name].format(mode))


def check_method_nd(method: object) -> None:
    if not (isinstance(method, str) and method in _core.METHODS):
        raise ValueError(
            "Acceptable method flags are 'auto', 'direct', or 'fft'. "
            f"Got {method!r}, takes {', '.join(map(repr, _core.METHODS))}"
        )


def check_samples_nd(mode: str, in1: NDArray[Any], in2: NDArray[Any]) -> None:
    """Refuse an input without samples, where scipy does."""
    if in1.size and in2.size:
        return
    if mode == "same" and in2.size:
        return  # nothing is asked for
    if in1.ndim == 1:  # numpy complains; in 'valid' scipy hands it the larger first
        swapped = mode == "valid" and in1.size < in2.size
        numpys_answer(numpy_convolve, *((in2, in1) if swapped else (in1, in2)), mode)
    elif mode != "valid":  # where a sum of nothing lies within the other
        raise ValueError(f"in1 and in2 cannot be empty: got shapes {in1.shape} and {in2.shape}")


def axes_nd(axes: Any, ndim: int) -> tuple[int, ...]:
    """The convolved axes, counted from 0 and in order; all for None."""
    if axes is None:
        return tuple(range(ndim))
    try:
        given = [operator.index(axes)] if not hasattr(axes, "__iter__") else [*axes]
        given = [operator.index(axis) for axis in given]
    except TypeError:
        raise ValueError(f"axes must be a scalar or iterable of integers: got {axes!r}") from None
    if not given:
        raise ValueError(f"when provided, axes cannot be empty: got {axes!r}, takes 1 to {ndim}")
    if not all(-ndim <= axis < ndim for axis in given):
        raise ValueError(f"axes exceeds dimensionality of input: got {axes!r} for {ndim}-D")
    counted = sorted({axis % ndim for axis in given})
    if len(counted) < len(given):
        raise ValueError(f"all axes must be unique: got {axes!r}")
    return tuple(counted)


def check_shapes_nd(
    mode: object, shape1: tuple[int, ...], shape2: tuple[int, ...], axes: tuple[int, ...]
) -> None:
    """Axes that are not convolved must broadcast, the others nest in 'valid'.

    A convolved axis of which one has the length 1 counts as broadcasting.
    """
    long = [d for d in axes if shape1[d] != 1 and shape2[d] != 1]
    if not all(
        shape1[d] == shape2[d] or 1 in (shape1[d], shape2[d])
        for d in range(len(shape1))
        if d not in long
    ):
        raise ValueError(
            f"incompatible shapes for in1 and in2: {shape1} and {shape2}: axes other than {axes} "
            "must broadcast"
        )
    swaps_in_valid(mode, tuple(shape1[d] for d in long), tuple(shape2[d] for d in long))


def as_float(x: NDArray[Any]) -> NDArray[Any]:
    """In the precision that scipy's transforms take it in."""
    if x.dtype.char == "e":
        return x.astype(np.float32)
    if x.dtype.kind in "fc":
        return x
    if x.dtype.kind in "biuO":
        return x.astype(np.float64)
    raise ValueError(f"type {x.dtype} is not supported: takes numbers, booleans and objects")


def lag_range(n: int, m: int, mode: object) -> tuple[int, int]:
    """The lags ``first <= lag < end`` of a correlation, as scipy counts them."""
    if mode == "full":
        return 1 - m, n
    if mode == "valid":
        return min(n - m, 0), max(n - m, 0) + 1
    if mode == "same":
        middle, half = len(range(1 - m, n)) // 2, n // 2
        lags = range(1 - m, n)[middle - half : middle + half + n % 2]
        return lags.start, lags.stop
    raise ValueError(f"Mode {mode} is invalid: takes 'full', 'same' or 'valid'")
