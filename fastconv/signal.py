"""scipy.signal's names, by scipy's rules.

``from fastconv import signal`` stands in for ``from scipy import signal``.
"""

from functools import partial
from timeit import Timer
from typing import Any, Literal, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _args, _nd
from ._signal2d import convolve2d, correlate2d

__all__ = [
    "choose_conv_method",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "correlation_lags",
    "fftconvolve",
    "oaconvolve",
]


def convolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    method: str = "auto",
    *,
    accuracy: str = "auto",
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> Any:
    """
    Convolve two N-dimensional arrays.

    Takes the place of `scipy.signal.convolve`: the same dtypes, shapes and
    errors, and the same values; those of integers are exact in every method.

    Parameters
    ----------
    in1 : array_like
        The first input.
    in2 : array_like
        The second input, of as many dimensions.
    mode : {'full', 'valid', 'same'}, optional
        Which part of the full convolution is computed:

        * 'full', the default: all of it, N + M - 1 along an axis.
        * 'valid': where one input lies wholly within the other, which has to be
          at least as large along every axis.
        * 'same': the middle, of the shape of `in1` (`numpy.convolve` has that of
          the longer input).
    method : {'auto', 'direct', 'fft', 'overlap'}, optional
        'auto' takes what is predicted to be fastest. 'direct' sums products,
        'fft' transforms everything at once, 'overlap' (which scipy does not
        have here) transforms block by block. A method that would be wrong on
        the data at hand, or is not there for it, is replaced by 'direct'.
    accuracy : {'auto', 'normwise', 'componentwise'}, optional
        As for `fastconv.convolve`.
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
        Of dtype ``numpy.result_type(in1, in2)``; `out` if that was given; a
        scalar where both inputs are. Integers wrap around; booleans give the OR
        of ANDs; float16 is computed in float32 and rounded once. longdouble,
        clongdouble and object work, slowly.

    Raises
    ------
    ValueError
        If the inputs differ in their number of dimensions, if neither is large
        enough for 'valid', if one is empty, if `mode`, `method` or `accuracy`
        is none of the names above, if `out` has another shape or cannot be
        written, or if `workers` is zero.
    TypeError
        If `out` is not an ndarray of the result's dtype, or `workers` not an
        integer.

    See Also
    --------
    correlate : the same without reversing `in2`, which is conjugated.
    fftconvolve : in floating point, along some of the axes.
    fastconv.convolve : in one dimension, by numpy's rules.

    Notes
    -----
    ::

        C[i] = sum over k of  B[k] A[i - k]

    with i and k running over all indices of an array. A NaN or Inf stays where
    the sum puts it, in every method.

    References
    ----------
    .. [1] `scipy.signal.convolve
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.convolve.html>`_

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import signal
    >>> signal.convolve([1, 2], [1, 2, 3], 'same')
    array([4, 7])

    How many neighbours has each cell of a cube?

    >>> cube = np.ones((3, 3, 3), int)
    >>> signal.convolve(cube, cube, 'same')[1] - 1
    array([[11, 17, 11],
           [17, 26, 17],
           [11, 17, 11]])
    """
    return _nd.convolved("convolve", in1, in2, mode, method, accuracy, out, workers)


def correlate(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    method: str = "auto",
    *,
    accuracy: str = "auto",
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> Any:
    """
    Cross-correlate two N-dimensional arrays.

    Takes the place of `scipy.signal.correlate`: the same dtypes, shapes and
    errors, and the same values; those of integers are exact in every method.

    Parameters
    ----------
    in1 : array_like
        The first input.
    in2 : array_like
        The second input, of as many dimensions; conjugated where it is complex.
    mode : {'full', 'valid', 'same'}, optional
        As for `convolve`.
    method, accuracy, out, workers
        As for `convolve`.

    Returns
    -------
    ndarray
        As `convolve` gives it. Which lag stands where, `correlation_lags` tells.

    Raises
    ------
    ValueError, TypeError
        As `convolve` does.

    See Also
    --------
    correlation_lags : the lags along an axis of the result.
    convolve : the same with `in2` reversed and not conjugated.
    fastconv.correlate : in one dimension, by numpy's rules.

    Notes
    -----
    ::

        C[k] = sum over i of  A[i + k] conj(B[i])

    with i and k running over all indices of an array.

    References
    ----------
    .. [1] `scipy.signal.correlate
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlate.html>`_

    Examples
    --------
    By how much is the second signal late?

    >>> import numpy as np
    >>> from fastconv import signal
    >>> first = np.array([0, 1, 3, 1, 0, 0, 0])
    >>> second = np.array([0, 0, 0, 1, 3, 1, 0])
    >>> score = signal.correlate(second, first)
    >>> int(signal.correlation_lags(7, 7)[score.argmax()])
    2
    """
    return _nd.convolved("correlate", in1, in2, mode, method, accuracy, out, workers)


def fftconvolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    axes: Any = None,
    *,
    accuracy: str = "normwise",
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> Any:
    """
    Convolve two N-dimensional arrays along some axes, in floating point.

    Takes the place of `scipy.signal.fftconvolve`: the same dtypes and errors,
    and the same shapes but for one case (see Notes).

    Parameters
    ----------
    in1 : array_like
        The first input.
    in2 : array_like
        The second input, of as many dimensions.
    mode : {'full', 'valid', 'same'}, optional
        As for `convolve`, along each convolved axis.
    axes : int or iterable of int, optional
        The axes to convolve; all of them by default. Along the others the
        inputs broadcast: there they are equally long, or one has the length 1.
    accuracy : {'normwise', 'auto', 'componentwise'}, optional
        As for `convolve`; 'normwise' by default, which is what scipy's
        transforms give.
    out, workers
        As for `convolve`.

    Returns
    -------
    ndarray
        float64 for integers and booleans, float32 for float16, else of dtype
        ``numpy.result_type(in1, in2)``; `out` if that was given. An empty input
        makes it an empty array. Where no axis is convolved, since along each
        one input has the length 1, it is the product of the inputs in their own
        dtype.

    Raises
    ------
    ValueError
        If `axes` are not integers, out of range, repeated or none, if the other
        axes do not broadcast, and as `convolve` does.
    TypeError
        As `convolve` does.

    See Also
    --------
    oaconvolve : the same.
    convolve : in the dtype of the inputs, exactly for integers.

    Notes
    -----
    Transforms are used where they are predicted to be faster than sums. A NaN
    or Inf spoils only those outputs whose sum it is part of; in scipy it spoils
    all.

    In 'same' only the convolved axes have the length of `in1`; the others
    broadcast: ``(1, 100)`` by ``(7, 10)`` along the last axis gives
    ``(7, 100)``. scipy gives one of these seven rows [2]_.

    References
    ----------
    .. [1] `scipy.signal.fftconvolve
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.fftconvolve.html>`_
    .. [2] `scipy/scipy#21876 <https://github.com/scipy/scipy/issues/21876>`_

    Examples
    --------
    Two smoothings of one signal:

    >>> import numpy as np
    >>> from fastconv import signal
    >>> x = np.array([[0, 0, 4, 0, 0]])
    >>> kernels = np.array([[1, 0, 1], [1, 2, 1]]) / 4
    >>> signal.fftconvolve(x, kernels, 'same', axes=1).round(6) + 0.0
    array([[0., 1., 0., 1., 0.],
           [0., 1., 2., 1., 0.]])
    """
    return _nd.convolved_in_floats(in1, in2, mode, axes, accuracy, out, workers)


def oaconvolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    axes: Any = None,
    *,
    accuracy: str = "normwise",
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> Any:
    """
    Convolve two N-dimensional arrays along some axes, in floating point.

    Takes the place of `scipy.signal.oaconvolve`. It does what `fftconvolve`
    does: both transform block by block where that is predicted to be fastest.

    Parameters
    ----------
    in1 : array_like
        The first input.
    in2 : array_like
        The second input, of as many dimensions.
    mode : {'full', 'valid', 'same'}, optional
        As for `fftconvolve`.
    axes : int or iterable of int, optional
        As for `fftconvolve`.
    accuracy, out, workers
        As for `fftconvolve`.

    Returns
    -------
    ndarray
        As `fftconvolve` gives it.

    Raises
    ------
    ValueError, TypeError
        As `fftconvolve` does.

    See Also
    --------
    fftconvolve : the same.
    convolve : in the dtype of the inputs, exactly for integers.

    References
    ----------
    .. [1] `scipy.signal.oaconvolve
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.oaconvolve.html>`_

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import signal
    >>> signal.oaconvolve(np.ones(1000), np.ones(30), 'valid').round(6)[:3]
    array([30., 30., 30.])
    """
    return _nd.convolved_in_floats(in1, in2, mode, axes, accuracy, out, workers)


@overload
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: str = "full", measure: Literal[False] = False
) -> str: ...
@overload
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: str = "full", *, measure: Literal[True]
) -> tuple[str, dict[str, float]]: ...
@overload
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: str, measure: Literal[True]
) -> tuple[str, dict[str, float]]: ...
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: str = "full", measure: bool = False
) -> str | tuple[str, dict[str, float]]:
    """
    Tell whether `convolve` sums or transforms.

    Takes the place of `scipy.signal.choose_conv_method`, and tells of this
    library's choice, which is often another than scipy's.

    Parameters
    ----------
    in1 : array_like
        The first input. Its values count: they are looked at, as `convolve`
        would.
    in2 : array_like
        The second input, of as many dimensions.
    mode : {'full', 'valid', 'same'}, optional
        As for `convolve`.
    measure : bool, optional
        Whether to time both methods on these inputs instead of predicting.

    Returns
    -------
    method : str
        'direct' or 'fft'; the latter also where transforms would go block by
        block.
    times : dict
        The seconds that 'fft' and 'direct' took; only with ``measure=True``.

    Raises
    ------
    ValueError
        As `convolve` does, but not for empty inputs.

    See Also
    --------
    convolve : what is chosen for.
    fastconv.explain : the choice with its reasons.

    References
    ----------
    .. [1] `scipy.signal.choose_conv_method
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.choose_conv_method.html>`_

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import signal
    >>> signal.choose_conv_method(np.ones(1000), np.ones(3))
    'direct'
    >>> signal.choose_conv_method(np.ones(200_000), np.ones(50_000))
    'fft'
    """
    if not measure:
        return _nd.chosen_method(in1, in2, mode)
    first, second = np.asarray(in1), np.asarray(in2)
    times = {
        method: _nd.seconds(Timer(partial(convolve, first, second, mode, method)))
        for method in ("fft", "direct")
    }
    return ("fft" if times["fft"] < times["direct"] else "direct"), times


def correlation_lags(in1_len: int, in2_len: int, mode: str = "full") -> NDArray[Any]:
    """
    The lags of a 1-D cross-correlation, in the order of its values.

    Takes the place of `scipy.signal.correlation_lags`, with the same values.

    Parameters
    ----------
    in1_len, in2_len : int
        The lengths of the first and the second input.
    mode : {'full', 'valid', 'same'}, optional
        As it was given to `correlate`.

    Returns
    -------
    ndarray
        How far the second input was moved to the right, for each value.

    Raises
    ------
    ValueError
        If `mode` is none of the names above.

    See Also
    --------
    correlate : what the lags belong to.

    Notes
    -----
    For 'same' with an odd `in1_len` and an even `in2_len` scipy's lags are all
    greater by one than those of the values that `correlate` gives, in scipy and
    here; a drop-in replacement has to copy that. The other two modes do not
    have this flaw.

    References
    ----------
    .. [1] `scipy.signal.correlation_lags
       <https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlation_lags.html>`_

    Examples
    --------
    >>> from fastconv import signal
    >>> signal.correlation_lags(4, 3)
    array([-2, -1,  0,  1,  2,  3])
    >>> signal.correlation_lags(4, 3, 'valid')
    array([0, 1])
    """
    return np.arange(*_args.lag_range(in1_len, in2_len, mode))
