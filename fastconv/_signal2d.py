"""convolve2d and correlate2d, by scipy's rules: boundaries, and 'valid' taken either way round."""

from typing import Any, SupportsIndex

from numpy.typing import ArrayLike, NDArray

from . import _args, _core, _sums, _workers
from ._call import Call
from ._extended import extended_call

__all__ = ["convolve2d", "correlate2d"]


def convolve2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    *,
    method: str = "auto",
    accuracy: str = "auto",
    separable: str | bool = "auto",
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    Convolve two 2-dimensional arrays.

    Takes the place of `scipy.signal.convolve2d`: the same values (exactly so
    for integers), shapes and errors, and in more dtypes.

    Parameters
    ----------
    in1 : (N1, N2) array_like
        The first input.
    in2 : (M1, M2) array_like
        The second input.
    mode : {'full', 'valid', 'same'}, optional
        Which part of the full convolution is computed:

        * 'full', the default: all of it, (N1 + M1 - 1, N2 + M2 - 1).
        * 'valid': where one input lies wholly within the other, which has to be
          at least as large in both dimensions: (N1 - M1 + 1, N2 - M2 + 1), or
          the same with N and M exchanged.
        * 'same': the middle (N1, N2), the shape of `in1`.
    boundary : {'fill', 'wrap', 'symm'}, optional
        What `in1` is beyond its edges: 'fill' for `fillvalue`, 'wrap' for its
        periodic continuation, 'symm' for its mirror image.
    fillvalue : scalar, optional
        For boundary 'fill'; 0 by default.
    method : {'auto', 'direct', 'fft', 'overlap'}, optional
        As for `fastconv.convolve`; 'overlap' works tile by tile.
    accuracy : {'auto', 'normwise', 'componentwise'}, optional
        As for `fastconv.convolve`.
    separable : {'auto', True, False}, optional
        Whether an `in2` that is the outer product of a column and a row is taken
        in two passes, one for each: where that is quicker, always, or never. One
        that is none, to within rounding, is a ValueError for True. (Where 'valid'
        exchanges the inputs it is the smaller that is looked at.)
    out : ndarray, optional
        Where the result goes: writeable, of the result's shape and dtype. It
        may be strided and may overlap an input.
    workers : int, optional
        At most so many threads, where the work pays for waking them; negative
        numbers count from the CPUs, -1 being all. By default as many as
        `fastconv.get_workers` tells. The result does not depend on it.

    Returns
    -------
    ndarray
        Of dtype ``numpy.result_type(in1, in2)``; `out` if that was given.
        Integers wrap around; booleans give the OR of ANDs; float16 is computed
        in float32 and rounded once. longdouble, clongdouble and object work,
        slowly.

    Raises
    ------
    ValueError
        If an input is not 2-D, if neither is large enough for 'valid', if
        `mode`, `boundary`, `method`, `accuracy` or `separable` is none of the
        names above, if `in1` is empty and `boundary` repeats it, if `fillvalue`
        does not fit the dtype, if `out` has another shape or cannot be written,
        or if `workers` is zero.
    TypeError
        If `out` is not an ndarray of the result's dtype, or `workers` not an
        integer.

    See Also
    --------
    correlate2d : the same without reversing `in2`, which is conjugated.
    fastconv.convolve : in one dimension.

    Notes
    -----
    ::

        C[i, j] = sum over k and l of  B[k, l] A[i - k, j - l]

    References
    ----------
    .. [1] `scipy.signal.convolve2d
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.convolve2d.html>`_

    Examples
    --------
    The differences of neighbours in a row, at every place where there are two:

    >>> import numpy as np
    >>> import fastconv
    >>> image = np.array([[1, 2, 4], [3, 3, 5]])
    >>> fastconv.convolve2d(image, [[1, -1]], 'valid')
    array([[1, 2],
           [0, 2]])

    The sum over each sample's neighbourhood, edges mirrored:

    >>> fastconv.convolve2d(image, np.ones((3, 3), int), 'same', 'symm')
    array([[17, 25, 33],
           [22, 29, 36]])
    """
    if workers is None and type(separable) is str and separable == "auto":
        how = (boundary, fillvalue, method, accuracy, out)
        plain = _core.plain_nd(in1, in2, mode, *how, correlating=False, of_2d=True)
        if plain is not None:
            return plain
    _args.check_options(method, accuracy)
    with _workers.asked(workers):
        call, turned = call_2d(
            "convolve2d", in1, in2, mode, boundary, fillvalue, method, accuracy, separable
        )
        return _delivered(call, turned, out)


def correlate2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: ArrayLike = 0,
    *,
    method: str = "auto",
    accuracy: str = "auto",
    separable: str | bool = "auto",
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    Cross-correlate two 2-dimensional arrays.

    Takes the place of `scipy.signal.correlate2d`: the same values (exactly so
    for integers), shapes and errors, and in more dtypes.

    Parameters
    ----------
    in1 : (N1, N2) array_like
        The first input.
    in2 : (M1, M2) array_like
        The second input; conjugated where it is complex.
    mode : {'full', 'valid', 'same'}, optional
        As for `convolve2d`.
    boundary : {'fill', 'wrap', 'symm'}, optional
        As for `convolve2d`.
    fillvalue : scalar, optional
        As for `convolve2d`.
    method, accuracy, separable, out, workers
        As for `convolve2d`.

    Returns
    -------
    ndarray
        Of dtype ``numpy.result_type(in1, in2)``; `out` if that was given.

    Raises
    ------
    ValueError, TypeError
        As `convolve2d` does.

    See Also
    --------
    convolve2d : the same with `in2` reversed and not conjugated.
    fastconv.correlate : in one dimension.

    Notes
    -----
    ::

        C[i, j] = sum over k and l of  A[i + k, j + l] conj(B[k, l])

    Where 'valid' exchanges complex inputs, because `in2` is the larger, scipy
    1.17 conjugates `in1` instead of `in2`; so does this function.

    References
    ----------
    .. [1] `scipy.signal.correlate2d
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlate2d.html>`_

    Examples
    --------
    Where does the pattern lie?

    >>> import numpy as np
    >>> import fastconv
    >>> image = np.array([[0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 3, 4]])
    >>> score = fastconv.correlate2d(image, [[1, 2], [3, 4]], 'valid')
    >>> score
    array([[ 0,  4, 11],
           [ 0, 14, 30]])
    >>> np.argwhere(score == score.max())
    array([[1, 2]])
    """
    if workers is None and type(separable) is str and separable == "auto":
        how = (boundary, fillvalue, method, accuracy, out)
        plain = _core.plain_nd(in1, in2, mode, *how, correlating=True, of_2d=True)
        if plain is not None:
            return plain
    _args.check_options(method, accuracy)
    with _workers.asked(workers):
        call, turned = call_2d(
            "correlate2d", in1, in2, mode, boundary, fillvalue, method, accuracy, separable
        )
        return _delivered(call, turned, out)


def call_2d(
    name: str,
    in1: Any,
    in2: Any,
    mode: Any,
    boundary: Any = "fill",
    fillvalue: Any = 0,
    method: str = "auto",
    accuracy: str = "auto",
    separable: str | bool = "auto",
) -> tuple[Call, bool]:
    """The call for these arguments, and whether its result is to be turned by 180 degrees."""
    in1, in2 = _args.pair_2d(name, in1, in2)
    return extended_call(
        in1,
        in2,
        mode,
        boundary,
        fillvalue,
        correlating=name == "correlate2d",
        method=method,
        accuracy=accuracy,
        separable=separable,
    )


def _delivered(call: Call, turned: bool, out: NDArray[Any] | None) -> NDArray[Any]:
    turn = slice(None, None, -1 if turned else 1)
    return _sums.delivered(call, call.shape, lambda result: result[turn, turn], out)
