"""Signals that come block by block: the stream of a prepared kernel."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike, NDArray

from . import _core, _kernel_args
from ._call import Call, readable


class Stream:
    """
    A signal that comes block by block, convolved as it comes.

    Made by `Convolver.stream`. Each push returns as many samples as it was given:
    all that the inputs so far determine. What a stream remembers of each channel is
    about twice as long as the kernel and, where that is long, twice as long again in
    double precision, whatever was pushed. For one thread.
    """

    def __init__(
        self, taps: NDArray[Any], mode: str, axis: int, method: str, accuracy: str, workers: int
    ) -> None:
        self._taps, self._mode, self._axis = taps, mode, axis
        self._method, self._accuracy, self._workers = method, accuracy, workers
        # The first output of the mode, counted as in 'full'.
        self._first = {"full": 0, "same": (taps.size - 1) // 2, "valid": taps.size - 1}[mode]
        self._call: Call | None = None  # what every push is like, once there was one
        self._lines: _core.LineStream | None = None
        self._shape: tuple[int, ...] = (0,)  # of a block
        self._begun = False
        # The engine's stream, once blocks like the first may go there as they are.
        self._plain: _core.LineStream | None = None

    def push(self, block: ArrayLike) -> NDArray[Any]:
        """
        Take the next samples.

        Parameters
        ----------
        block : array_like
            Any number of samples on the Convolver's axis, 0 and 1 included, and
            on the other axes the channels, as many as in the first push.

        Returns
        -------
        ndarray
            As many samples. With mode 'same' and 'valid' the first pushes
            return less: (M - 1) // 2 and M - 1 samples less in all.

        Raises
        ------
        ValueError
            If the block has other channels than the first one.
        TypeError
            If its dtype cannot be cast safely to that of the first one.
        """
        lines = self._plain
        before = lines.samples if lines else 0
        y = lines.push_plain(block) if lines else None
        if y is None:
            return self._push_any(np.array(block, copy=None, ndmin=1))
        return y if before >= self._first else self._without_start(y, before)

    def _push_any(self, x: NDArray[Any]) -> NDArray[Any]:
        if not self._begun:
            self._begin(x)
        assert self._call is not None
        assert self._lines is not None
        _kernel_args.check_block(x, self._shape, self._axis, self._takes())
        before = self._lines.samples
        y = np.empty(x.shape, self._call.computed_in)
        self._lines.push(readable(x, self._call.operand_dtypes[0]), y)
        return self._delivered(self._without_start(y, before))

    def flush(self) -> NDArray[Any]:
        """
        End the signal.

        Returns
        -------
        ndarray
            What the last samples leave behind them: M - 1 samples in mode 'full'.
            The stream begins anew with the next push, which may have other
            channels and another dtype.
        """
        if self._call is None or self._lines is None:
            return np.empty(0, self._taps.dtype)
        lo, hi = self._rest(self._lines.samples)
        shape = list(self._shape)
        shape[self._axis] = hi - lo
        y = np.empty(shape, self._call.computed_in)
        self._lines.tail(lo, hi, y)
        self._begun, self._plain = False, None
        return self._delivered(y)

    def _begin(self, x: NDArray[Any]) -> None:
        """The first block fixes the channels and the dtypes."""
        axis = normalize_axis_index(self._axis, x.ndim)
        dtype = _kernel_args.stream_dtype(x, self._taps)
        channels = np.moveaxis(x, axis, -1).shape[:-1]
        batch = len(channels)
        like = Call(
            np.broadcast_to(np.zeros((), x.dtype), (*channels, 1)),
            self._taps[(np.newaxis,) * batch],
            dtype,
            ((0, self._taps.size),),
            method=self._method,
            accuracy=self._accuracy,
            batch=batch,
        )
        if not (self._call and self._is_like(self._call, like)):
            v, of = like.operands()[1], like.computed_in
            self._lines = _core.LineStream(like.job(), v, of, axis, self._workers)
        self._call, self._shape, self._begun = like, x.shape, True
        self._plain = self._lines if dtype == like.computed_in else None

    def _is_like(self, before: Call, now: Call) -> bool:
        """Whether the engine's stream serves both."""
        return before.a.shape == now.a.shape and before.operand_dtypes == now.operand_dtypes

    def _takes(self) -> np.dtype[Any]:
        assert self._call is not None
        dtype = self._call.dtype
        return dtype if dtype.char == "e" else self._call.operand_dtypes[0]

    def _rest(self, n: int) -> tuple[int, int]:
        """The outputs of the mode that n samples have not given yet."""
        m = self._taps.size
        if n == 0:
            return 0, 0
        if self._mode == "full":
            return n, n + m - 1
        if self._mode == "same":
            return max(n, self._first), self._first + n
        # A signal shorter than the kernel exchanges the two, as numpy does.
        return (n, n) if n >= m else (n - 1, m)

    def _without_start(self, y: NDArray[Any], before: int) -> NDArray[Any]:
        """What the mode has of a block that `before` outputs came before."""
        missing = slice(max(0, self._first - before), None)
        return y[(*(slice(None),) * (self._axis % y.ndim), missing)]

    def _delivered(self, y: NDArray[Any]) -> NDArray[Any]:
        assert self._call is not None
        with np.errstate(over="ignore", under="ignore"):  # float16 overflows to inf in silence
            return y.astype(self._call.dtype, copy=False)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a stream cannot be pickled: pickle its Convolver")

    def __repr__(self) -> str:
        of = f"{self._taps.dtype} kernel ({self._taps.size},)"
        samples = self._lines.samples if self._lines else 0
        return f"Stream({of}, mode={self._mode!r}, axis={self._axis}: {samples} so far)"
