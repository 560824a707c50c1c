"""A kernel prepared for many signals: Convolver. Its spectra are made once."""

from functools import partial
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _args, _core, _kernel_args, _sums, _workers
from ._args import numpy_convolve
from ._call import Call
from ._convolve import convolve_call
from ._extended import extended_call
from ._lines import Lines, lines
from ._stream import Stream


class Convolver(_core.Prepared):
    r"""
    A kernel that is prepared once and convolved with many signals.

    ``Convolver(v)(x)`` is ``convolve(x, v)``; what can be known of the kernel
    alone, its spectra foremost, is kept for the next signal of the same length.

    Parameters
    ----------
    kernel : array_like
        The taps, 1-D or 2-D; copied.
    mode : {'full', 'same', 'valid'}, optional
        Which part of the full convolution is computed, as for `convolve` and
        (2-D) `convolve2d`, but that 'same' always has the length of the signal.
    axis : int, optional
        Where the lines of the signal lie that a 1-D kernel is convolved with;
        by default the last.
    axes : (int, int), optional
        Where the planes of the signal lie that a 2-D kernel is convolved with; by
        default the last two. The kernel's axes are in the same order.
    boundary : {'fill', 'wrap', 'symm'}, optional
        What the signal is beyond its ends, as for `convolve`.
    fillvalue : scalar, optional
        For boundary 'fill'; 0 by default.
    correlate : bool, optional
        Correlate: the kernel is not reversed, and conjugated where it is complex.
    method : {'auto', 'direct', 'fft', 'overlap'}, optional
        As for `convolve`.
    accuracy : {'auto', 'normwise', 'componentwise'}, optional
        As for `convolve`.
    separable : {'auto', True, False}, optional
        As for `convolve2d`; of a 1-D kernel nothing but 'auto'.
    workers : int, optional
        As for `convolve`.

    Attributes
    ----------
    kernel : ndarray
        The copy of the taps, read-only, as are all attributes.
    mode, axis, axes, boundary, fillvalue, correlate, method, accuracy, separable, workers
        As given; `axes` of a 2-D kernel are a tuple.
    nbytes : int
        How much memory the spectra take, and what else is known of the kernel, 64
        MiB at the most.

    Methods
    -------
    __call__(x, out=None)
        The convolution of `x`, an array_like with as many axes as the kernel or
        more, in `out` where that is given.
    stream()
        Take a signal block by block.

    Raises
    ------
    ValueError
        If `kernel` is empty or has more than two dimensions, `axis` or `axes` do
        not go with it, or another argument is none of those above. What the
        signal cannot be is told by the call, as `convolve` does.
    TypeError
        If the kernel is not of numbers, or `axis` or `workers` not an integer.

    See Also
    --------
    convolve, correlate, convolve2d, correlate2d : for a single call.

    Notes
    -----
    Safe for any number of threads, and picklable: what travels are the arguments,
    spectra are made again where they are wanted. The `repr` tells which method
    was chosen last.

    Examples
    --------
    >>> import numpy as np
    >>> import fastconv
    >>> smooth = fastconv.Convolver([0.25, 0.5, 0.25], 'same')
    >>> smooth([0, 4, 0, 0])
    array([1., 2., 1., 0.])
    >>> smooth(np.eye(3) * 4)
    array([[2., 1., 0.],
           [1., 2., 1.],
           [0., 1., 2.]])

    A kernel of two dimensions, over each picture of a stack:

    >>> edges = fastconv.Convolver([[1, 0, -1]] * 3, 'valid')
    >>> edges(np.arange(32).reshape(2, 4, 4)).shape
    (2, 2, 2)
    """

    def __init__(
        self,
        kernel: ArrayLike,
        mode: str | SupportsIndex = "full",
        *,
        axis: SupportsIndex = -1,
        axes: tuple[SupportsIndex, SupportsIndex] | None = None,
        boundary: str = "fill",
        fillvalue: ArrayLike = 0,
        correlate: bool = False,
        method: str = "auto",
        accuracy: str = "auto",
        separable: str | bool = "auto",
        workers: SupportsIndex | None = None,
    ) -> None:
        _args.check_options(method, accuracy)
        self._kernel = _kernel_args.kernel(kernel)
        _kernel_args.check_separable(separable, self._kernel)
        self._axis, self._axes = _kernel_args.kernel_axes(self._kernel, axis, axes)
        self._mode = _args.numpy_mode(mode)
        self._boundary = _args.scipy_boundary(boundary, self._kernel.shape)
        self._fillvalue, self._correlate = fillvalue, bool(correlate)
        self._method, self._accuracy = method, accuracy
        self._separable, self._workers = separable, workers
        self._extension = _args.extension(boundary, fillvalue)
        _kernel_args.check_fillvalue(self._extension, self._kernel)
        taps = np.ascontiguousarray(np.flip(self._kernel).conj()) if correlate else self._kernel
        taps.flags.writeable = False
        self._taps = taps
        # scipy's centre of an even kernel lies a sample later when correlating; numpy's does not.
        scipys = taps.ndim == 2 or bool(self._extension)
        super().__init__(
            taps,
            self._mode,
            method,
            accuracy,
            axes=self._axes or (self._axis,),
            boundary=self._boundary,
            fillvalue=fillvalue if "fillvalue" in self._extension else 0,
            ahead=scipys and self._correlate,
            plain=separable is not True or self._is_separable(),
            separable=separable,
            workers=_workers.number_asked(workers),
        )

    @property
    def kernel(self) -> NDArray[Any]:
        return self._kernel

    @property
    def mode(self) -> str:
        return self._mode

    @property
    def axis(self) -> int:
        return self._axis

    @property
    def axes(self) -> tuple[int, int] | None:
        return self._axes

    @property
    def boundary(self) -> str:
        return self._boundary

    @property
    def fillvalue(self) -> ArrayLike:
        return self._fillvalue

    @property
    def correlate(self) -> bool:
        return self._correlate

    @property
    def method(self) -> str:
        return self._method

    @property
    def accuracy(self) -> str:
        return self._accuracy

    @property
    def separable(self) -> str | bool:
        return self._separable

    @property
    def workers(self) -> SupportsIndex | None:
        return self._workers

    @property
    def nbytes(self) -> int:
        return self.spectra.nbytes

    def stream(self) -> Stream:
        """
        State for a signal that comes block by block and need not end.

        Returns
        -------
        Stream
            With ``push(block)`` and ``flush()``; for one thread.

        Raises
        ------
        ValueError
            If the kernel is 2-D, or anything but zeros lies beyond the signal.

        Examples
        --------
        >>> import fastconv
        >>> stream = fastconv.Convolver([1, 1]).stream()
        >>> stream.push([1, 2, 3])
        array([1, 3, 5])
        >>> stream.push([4])
        array([7])
        >>> stream.flush()
        array([4])
        """
        _kernel_args.check_streams(self._kernel, self._extension)
        how = (self._mode, self._axis, self._method, self._accuracy)
        return Stream(self._taps, *how, _workers.number_asked(self._workers))

    def general(self, x: Any, out: NDArray[Any] | None) -> NDArray[Any]:
        x = np.array(x, copy=None, ndmin=1)
        if self._axes is not None:
            return self._planes(x, self._axes, out)
        kernel = self._kernel if self._extension else self._taps
        pairs = lines(x, kernel, self._axis)
        _args.check_lengths(numpy_convolve, pairs.lengths)
        if self._extension:
            call, step = self._extended(np.asarray(pairs.a), np.asarray(pairs.v), **pairs.axes)
            shape = pairs.shape(call.shape[-1])
            return _sums.delivered(call, shape, lambda y: pairs.seen(y)[..., ::step], out)
        lo, hi = self._window(*pairs.lengths)
        call_or_none = self._line_call(pairs, (lo, hi))
        shape = pairs.shape(hi - lo)
        if call_or_none is None:
            _args.check_numpys_out(out, x, kernel, shape)
            return pairs.each(lambda p, q: numpy_convolve(p, q)[lo:hi], hi - lo, out)
        return _sums.delivered(call_or_none, shape, pairs.seen, out)

    def _line_call(self, pairs: Lines, window: tuple[int, int]) -> Call | None:
        call = convolve_call(pairs, window, self._method, self._accuracy)
        if call is not None:
            call.spectra = self.spectra
        return call

    def _window(self, n: int, m: int) -> tuple[int, int]:
        lo, hi = _core.window(self._mode, max(n, m), m, False)
        if self._mode == "valid":
            return _core.window(self._mode, n, m, False)
        return lo, hi - max(n, m) + n

    def _planes(
        self, x: NDArray[Any], axes: tuple[int, int], out: NDArray[Any] | None
    ) -> NDArray[Any]:
        _kernel_args.check_planes(x, axes)
        batch, after = x.ndim - 2, x.ndim - 1 - max(axis % x.ndim for axis in axes)
        x = np.moveaxis(x, axes, (-2, -1))
        kernel = self._kernel[(np.newaxis,) * batch]
        call, step = self._extended(x, kernel, batch=batch, after=after)
        moved = np.moveaxis(np.broadcast_to(np.zeros(()), call.shape), (-2, -1), axes)
        return _sums.delivered(
            call,
            moved.shape,
            lambda y: np.moveaxis(y, axes, (-2, -1))[..., ::step, ::step],
            out,
        )

    def _extended(self, x: NDArray[Any], kernel: NDArray[Any], **axes: int) -> tuple[Call, int]:
        """The call by scipy's rules, and the step at which its result is read."""
        call, turned = extended_call(
            x,
            kernel,
            self._mode,
            self._boundary,
            self._fillvalue,
            correlating=self._correlate,
            method=self._method,
            accuracy=self._accuracy,
            separable=self._separable,
            **axes,
        )
        call.spectra = self.spectra
        return call, -1 if turned else 1

    def _is_separable(self) -> bool:
        if self._taps.dtype.num not in _args.ENGINE_TYPES:
            return False
        call, _ = extended_call(self._taps, self._taps, "full")
        return call.is_separable()

    def _options(self) -> dict[str, Any]:
        """What was given besides the kernel and the mode, and is no default."""
        given = {
            "axis": (self._axis, -1),
            "axes": (self._axes, (-2, -1) if self._axes else None),
            "boundary": (self._boundary, "fill"),
            "correlate": (self._correlate, False),
            "method": (self._method, "auto"),
            "accuracy": (self._accuracy, "auto"),
            "separable": (self._separable, "auto"),
            "workers": (self._workers, None),
        }
        options: dict[str, Any] = {k: x for k, (x, usual) in given.items() if x != usual}
        if "fillvalue" in self._extension:
            options["fillvalue"] = self._fillvalue
        return options

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self._options()), (self._kernel, self._mode)

    def __repr__(self) -> str:
        options = {"mode": self._mode, "axis": self._axis} | self._options()
        if self._axes is not None:
            del options["axis"]
        words = ", ".join(f"{name}={value!r}" for name, value in options.items())
        of = f"{self._kernel.dtype} kernel {self._kernel.shape}"
        return f"Convolver({of}, {words}{self._choice()})"

    def _choice(self) -> str:
        """The method for the last plain signal or, before any, for one ten times the kernel."""
        dtype = np.result_type(
            self._taps.dtype, np.asarray(self._extension.get("fillvalue", False)).dtype
        )
        if dtype.num not in _args.ENGINE_TYPES:
            return ": plain sums"
        lengths = self.last if all(self.last) else tuple(10 * m for m in self._taps.shape)
        x = np.broadcast_to(np.zeros((), dtype), lengths)
        if self._axes is None and not self._extension:
            call = self._line_call(Lines(x, self._taps), self._window(lengths[0], self._taps.size))
        else:
            call, _ = self._extended(x, self._kernel)
        if call is None:
            return ": plain sums"
        job = call.job()
        if self._separable is True:
            job.is_separable(call.operands()[1])
        plan = job.choose()
        n = "x".join(map(str, lengths))
        rows, cols = plan["block"]
        block = {"overlap": f", blocks of {cols if rows == 1 else f'{rows}x{cols}'}"}
        return f": {plan['method']} at n={n}{block.get(plan['method'], '')}"
