"""What kernels that are prepared, and blocks of their streams, may be; `_args` for these alone."""

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _args


def kernel(given: Any) -> NDArray[Any]:
    """A copy of one or two axes, in native byte order, that nobody can write to."""
    x = np.array(given, order="C", ndmin=1)
    if x.ndim > 2 or x.size == 0:
        raise ValueError(f"kernel must be 1-D or 2-D and not empty: got shape {x.shape}")
    if x.dtype.num not in _args.ENGINE_TYPES | _args.GENERIC_TYPES:
        raise TypeError(f"kernel must be of numbers: got {x.dtype}")
    x = x.astype(x.dtype.newbyteorder("="), copy=False)
    x.flags.writeable = False
    return x.view()  # not even by its owner, who might allow it again


def kernel_axes(kernel: NDArray[Any], axis: Any, axes: Any) -> tuple[int, tuple[int, int] | None]:
    """`axis` for a 1-D kernel; for a 2-D one `axes`, the last two where they are None."""
    if kernel.ndim == 1:
        if axes is not None:
            raise ValueError(f"axes is for a 2-D kernel: got {axes!r} beside shape {kernel.shape}")
        try:
            return operator.index(axis), None
        except TypeError:
            raise TypeError(f"axis must be an integer: got {axis!r}") from None
    if axis != -1:
        raise ValueError(f"axis is for a 1-D kernel: got {axis!r} beside shape {kernel.shape}")
    try:
        first, second = (-2, -1) if axes is None else map(operator.index, axes)
    except (TypeError, ValueError):
        raise ValueError(f"axes must be two integers: got {axes!r}") from None
    if first == second:
        raise ValueError(f"axes must be unique: got {axes!r}")
    return -1, (first, second)


def check_fillvalue(extension: Mapping[str, Any], kernel: NDArray[Any]) -> None:
    """Refuse what no signal can go on with, whatever its dtype."""
    if "fillvalue" in extension:
        widest = object if kernel.dtype == object else np.clongdouble
        _args.scipy_fillvalue(extension["fillvalue"], np.dtype(widest))


def check_separable(separable: Any, kernel: NDArray[Any]) -> None:
    _args.check_separable(separable, kernel, lambda: True)
    if kernel.ndim == 1 and separable != "auto":
        raise ValueError(
            f"separable is for a 2-D kernel: got {separable!r} beside shape {kernel.shape}"
        )


def check_planes(x: NDArray[Any], axes: tuple[int, int]) -> None:
    if x.ndim < 2 or len(_args.axes_nd(axes, x.ndim)) < 2:
        raise ValueError(f"a 2-D kernel takes arrays of two axes or more: got shape {x.shape}")


def check_streams(kernel: NDArray[Any], extension: Mapping[str, Any]) -> None:
    """Refuse a stream where there is none."""
    if kernel.ndim != 1:
        raise ValueError(f"a stream takes a 1-D kernel: got shape {kernel.shape}")
    for name, value in extension.items():
        raise ValueError(f"a stream has zeros before and behind it: got {name}={value!r}")


def stream_dtype(x: NDArray[Any], kernel: NDArray[Any]) -> np.dtype[Any]:
    dtype = _args.engine_dtype(x, kernel)
    if dtype is None:
        raise TypeError(
            f"a stream takes bool, integers and floats up to complex128: got {x.dtype} with "
            f"{kernel.dtype}"
        )
    return dtype


def check_block(x: NDArray[Any], first: tuple[int, ...], axis: int, takes: np.dtype[Any]) -> None:
    """Refuse a block that does not go with the first one of its stream."""
    if not np.can_cast(x.dtype, takes, "safe"):
        raise TypeError(f"the first block made this a stream of {takes}: got {x.dtype}")
    lengths = list(x.shape)
    if x.ndim == len(first):
        lengths[axis] = first[axis]
    if tuple(lengths) != first:
        raise ValueError(f"the first block had shape {first}: got {x.shape} along axis {axis}")
