"""Lines along one axis: both arrays seen with that axis last, results put where it was."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _args


@dataclass(slots=True)
class Lines:
    """Pairs of lines, on the last axis of `a` and of `v`; the other axes broadcast."""

    a: NDArray[Any]
    v: NDArray[Any]
    batch: tuple[int, ...] = ()  # their lengths in the result
    place: int = -1  # of the axis in the result, counted from its end

    @property
    def lengths(self) -> tuple[int, int]:
        return self.a.shape[-1], self.v.shape[-1]

    @property
    def after(self) -> int:
        """How many axes of the result follow the one of the lines."""
        return -1 - self.place

    @property
    def axes(self) -> dict[str, Any]:
        """What a Call is told of them."""
        return {"batch": self.a.ndim - 1, "after": self.after}

    def shape(self, length: int) -> tuple[int, ...]:
        """Of a result whose lines have this length."""
        shape = list(self.batch)
        shape.insert(len(shape) - self.after, length)
        return tuple(shape)

    def seen(self, result: NDArray[Any]) -> NDArray[Any]:
        """A result as a plain array with the axis last."""
        return _with_last(np.asarray(result), self.place)

    def each(
        self,
        function: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]],
        length: int,
        out: NDArray[Any] | None,
    ) -> NDArray[Any]:
        """The result where `function` has to answer line by line."""
        if not self.batch and out is None:
            return function(self.a, self.v)
        n, m = self.lengths
        a = np.broadcast_to(self.a, (*self.batch, n), subok=True)
        v = np.broadcast_to(self.v, (*self.batch, m), subok=True)
        rows = [function(a[i], v[i]) for i in np.ndindex(self.batch)]
        dtype = rows[0].dtype if rows else np.result_type(self.a, self.v).newbyteorder("=")
        result = np.empty(self.shape(length), dtype) if out is None else out
        if rows:
            target = self.seen(result)
            np.copyto(target, np.stack(rows).reshape(target.shape))
        return result


def lines(a: NDArray[Any], v: NDArray[Any], axis: Any) -> Lines:
    """The lines of `a` along `axis` and their kernels: a 1-D `v` serves all of them."""
    if axis is None:
        return Lines(a, v)
    a, v = np.asarray(a), np.asarray(v)
    place = _args.place(axis, a.shape, v.shape)
    ndim = max(a.ndim, v.ndim)
    a = _with_last(_of_ndim(a, ndim), place)
    v = _with_last(_of_ndim(v, ndim), place) if v.ndim > 1 else _of_ndim(v, ndim)
    return Lines(a, v, _args.batch_shape(a.shape[:-1], v.shape[:-1]), place)


def _with_last(x: NDArray[Any], place: int) -> NDArray[Any]:
    """numpy.moveaxis to the end, which takes seven times as long, the last axis 80 times."""
    if place == -1:
        return x
    axes = list(range(x.ndim))
    axes.append(axes.pop(place))
    return x.transpose(axes)


def _of_ndim(x: NDArray[Any], ndim: int) -> NDArray[Any]:
    return x if x.ndim == ndim else x[(np.newaxis,) * (ndim - x.ndim)]
