"""One checked call, ready to be run or explained: arrays, the window wanted, and how."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core


@dataclass(slots=True)
class Call:
    """The window of the full convolution of `a` with `v`, per axis, in `dtype`.

    The first `batch` axes are only carried along; the operand that is the same all along
    one has length 1 there. The last `after` of them follow the convolved axes in the
    order of axes that the caller sees.
    """

    a: NDArray[Any]
    v: NDArray[Any]
    dtype: np.dtype[Any]
    windows: tuple[tuple[int, int], ...]
    conjugate: bool = False
    boundary: str = "fill"
    fill: Any = 0
    method: str = "auto"
    accuracy: str = "auto"
    separable: str | bool = "auto"
    spectra: _core.Spectra | None = None
    batch: int = 0
    after: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        carried = zip(self.a.shape[: self.batch], self.v.shape[: self.batch], strict=True)
        return (*map(_either, carried), *(hi - lo for lo, hi in self.windows))

    @property
    def computed_in(self) -> np.dtype[Any]:
        return np.dtype(np.float32) if self.dtype.char == "e" else self.dtype

    def job(self, facts: dict[str, Any] | None = None) -> _core.Job:
        """What the engine is told; no data is looked at."""
        a_dtype, v_dtype = self.operand_dtypes
        return _core.Job(
            self.a.shape,
            self.v.shape,
            a_dtype,
            v_dtype,
            self.windows,
            batch=self.batch,
            after=self.after,
            boundary=self.boundary,
            fill=self.fill,
            conjugate=self.conjugate,
            method=self.method,
            accuracy=self.accuracy,
            separable=self.separable,
            spectra=self.spectra,
            facts=facts,
        )

    def facts(self) -> dict[str, Any]:
        """What one pass over the data tells; nothing is convolved."""
        return self.job().scan(*self.operands())

    def is_separable(self) -> bool:
        """Whether the kernel is an outer product, which the engine can take in two passes."""
        return self.job().is_separable(self.operands()[1])

    def run(self, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The result: in `out`, any array of the right shape and dtype, where that is given."""
        job, dtype = self.job(), self.computed_in
        a, v = self.operands()
        if out is None or not _can_take(out, dtype, a, v):
            result = np.empty(job.shape, dtype)
        else:
            result = out
        job.run(a, v, result)
        if result is out or (out is None and dtype == self.dtype):
            return result
        if out is None:
            out = np.empty(job.shape, self.dtype)
        with np.errstate(over="ignore", under="ignore"):  # float16 overflows to inf in silence
            np.copyto(out, result, casting="same_kind")
        return out

    @property
    def operand_dtypes(self) -> tuple[np.dtype[Any], np.dtype[Any]]:
        dtype = self.computed_in
        if dtype.kind != "c":
            return dtype, dtype
        real = np.dtype(dtype.char.lower())
        a_is_real = self.a.dtype.kind != "c" and np.imag(self.fill) == 0
        v_is_real = self.v.dtype.kind != "c" and not a_is_real
        return real if a_is_real else dtype, real if v_is_real else dtype

    def operands(self) -> tuple[NDArray[Any], NDArray[Any]]:
        a_dtype, v_dtype = self.operand_dtypes
        return readable(self.a, a_dtype), readable(self.v, v_dtype)


def _either(lengths: tuple[int, int]) -> int:
    return lengths[1] if lengths[0] == 1 else lengths[0]


def _can_take(out: NDArray[Any], dtype: np.dtype[Any], a: NDArray[Any], v: NDArray[Any]) -> bool:
    """Whether the engine can write there itself."""
    overlaps = np.may_share_memory(out, a) or np.may_share_memory(out, v)
    return out.dtype == dtype and out.flags.aligned and not overlaps


def readable(x: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """x in this dtype, native and aligned: itself where it is so already."""
    if dtype.kind == "b":
        return np.not_equal(x.view(np.uint8), 0)  # numpy takes any nonzero byte as True
    return x if x.dtype == dtype and x.flags.aligned else x.astype(dtype)
