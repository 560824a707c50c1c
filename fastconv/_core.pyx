# cython: language_level=3, binding=True, embedsignature=False
# cython: boundscheck=False, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False
"""Between Python and the engine: the plain case of convolve and correlate, and
jobs, plans and levels for the modules above.
"""

cimport cython
cimport numpy as np
from libc.stddef cimport ptrdiff_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastconv._engine cimport *

from time import perf_counter_ns

import numpy

np.import_array()

cdef extern from "Python.h":
    int check_signals "PyErr_CheckSignals"() noexcept

# numpy's type numbers -> fc_dtype, and -1 for what the engine does not know.
cdef int[32] DTYPE_OF_TYPE
DTYPE_OF_TYPE[:] = [-1] * 32
for _char, _dtype in zip("fdFD?", (FC_F32, FC_F64, FC_C64, FC_C128, FC_BOOL)):
    DTYPE_OF_TYPE[numpy.dtype(_char).num] = _dtype
for _char in "bBhHiIlLqQ":
    DTYPE_OF_TYPE[numpy.dtype(_char).num] = {1: FC_I8, 2: FC_I16, 4: FC_I32, 8: FC_I64}[
        numpy.dtype(_char).itemsize
    ]


cdef inline int dtype_of(int type_num) noexcept:
    return DTYPE_OF_TYPE[type_num] if 0 <= type_num < 32 else -1


METHODS = {"auto": FC_AUTO, "direct": FC_DIRECT, "fft": FC_ONESHOT, "overlap": FC_OVERLAP}
RINGS = {"native": FC_NATIVE, "rounded": FC_ROUNDED}
ACCURACIES = {
    "auto": FC_ACCURACY_AUTO,
    "normwise": FC_NORMWISE,
    "componentwise": FC_COMPONENTWISE,
}
BOUNDARIES = {"fill": FC_FILL, "wrap": FC_WRAP, "symm": FC_SYMM}
SEPARABLE = {"auto": FC_SEPARABLE_AUTO, True: FC_SEPARABLE_ALWAYS, False: FC_SEPARABLE_NEVER}
# What a plan may say: one more than may be asked for.
cdef dict PLANNED = METHODS | {"separable": FC_SEPARABLE}
cdef dict METHOD_NAMES = {code: name for name, code in PLANNED.items()}
cdef dict RING_NAMES = {code: name for name, code in RINGS.items()}

# Strings that callers write in their source are interned, so that the plain
# case need only compare addresses.
cdef str AUTO = "auto", FULL = "full", SAME = "same", VALID = "valid", FILL = "fill"
cdef object ZERO = 0  # one object as well: fillvalue's default
cdef int HALF = numpy.dtype("e").num

# correlate's default mode, equal to "valid" but not the same object: that is
# how a mode given beside max_lag is told from none given.
cdef str NO_MODE = "".join(["val", "id"])

# What takes the calls that are not plain; fastconv._convolve puts it here.
cdef object general_convolve = None, general_correlate = None


def take_over(convolve, correlate):
    """Name the functions that answer the calls which are not plain."""
    global general_convolve, general_correlate
    general_convolve, general_correlate = convolve, correlate


def is_default_mode(mode):
    """True where `mode` is what correlate has when the caller gave none."""
    return mode is NO_MODE


# ---------------------------------------------------------------- the plain case

def convolve(
    a, v, mode="full", *, axis=None, boundary="fill", fillvalue=0, method="auto",
    accuracy="auto", out=None, workers=None
):
    """
    Discrete, linear convolution of two one-dimensional sequences.

    Takes the place of `numpy.convolve`: the same values (exactly so for
    integers), dtype, shape and errors. With `axis` it does so for every line of
    an array along that axis.

    Parameters
    ----------
    a : (N,) array_like
        The first sequence; a scalar counts as one of length 1. N >= 1. With
        `axis`, an array of any number of dimensions.
    v : (M,) array_like
        The second sequence, by the same rules. M >= 1. With `axis`, one
        sequence for all lines of `a`, or an array of them, a bank.
    mode : {'full', 'same', 'valid'}, optional
        Which part of the full convolution is computed:

        * 'full', the default: all N + M - 1 samples.
        * 'same': the middle max(N, M) samples.
        * 'valid': the max(N, M) - min(N, M) + 1 samples where the shorter lies
          wholly within the longer.

        numpy's numbers 2, 1 and 0 stand for the same.
    axis : int, optional
        Where the lines of `a` lie; each is convolved as it would be alone. A
        1-D `v` lies on this axis. A `v` of more dimensions has its kernels
        there and its other axes broadcast with those of `a`; if one of the two
        has fewer dimensions, axes of length 1 are put before its own, and
        `axis` has to be negative. By default both inputs are 1-D.
    boundary : {'fill', 'wrap', 'symm'}, optional
        What `a` is beyond its ends: 'fill' for `fillvalue`, 'wrap' for its
        periodic continuation, 'symm' for its mirror image. If this is not
        'fill', or `fillvalue` not 0, the rules are no longer numpy's but those
        of `convolve2d`: `a` and `v` keep their parts whichever is longer, so
        that 'same' has the length of `a`; only 'valid' exchanges them where
        `v` is the longer.
    fillvalue : scalar, optional
        For boundary 'fill'; 0 by default.
    method : {'auto', 'direct', 'fft', 'overlap'}, optional
        'auto' takes what is predicted to be fastest. 'direct' sums products,
        'fft' transforms everything at once, 'overlap' transforms block by
        block. Transforms that would be wrong on the data at hand (taps that are not
        finite; most outputs small beside loud ones) are replaced by 'direct', or
        by transforms of parts of the kernel.
    accuracy : {'auto', 'normwise', 'componentwise'}, optional
        How small values beside large ones are treated by methods that use the
        FFT: 'normwise' bounds errors by the norms of the inputs, 'auto' also
        keeps small outputs alive, 'componentwise' bounds the error of each
        output by its own sum of magnitudes.
    out : ndarray, optional
        Where the result goes: writeable, of the result's shape and dtype. It
        may be strided and may overlap `a` or `v`.
    workers : int, optional
        Use at most so many threads, where the work pays for waking them;
        negative numbers count from the CPUs, -1 being all. By default as many
        as `get_workers` tells. The result does not depend on it.

    Returns
    -------
    ndarray
        Of dtype ``numpy.result_type(a, v)``; `out` if that was given. Integers
        wrap around as numpy's do; booleans give the OR of ANDs; float16 is
        computed in float32 and rounded once. With `axis` it has the axes of `a`,
        broadcast with those of `v`.

    Raises
    ------
    ValueError
        If an input is empty or, without `axis`, has more than one dimension, if
        `axis` is out of range or the other axes do not broadcast, if `mode`,
        `boundary`, `method` or `accuracy` is none of the names above, if
        `fillvalue` does not fit the dtype, if `out` has another shape or cannot
        be written, or if `workers` is zero.
    TypeError
        If `mode` is not a string or integer, `method` or `accuracy` not a string,
        `axis` or `workers` not an integer, or `out` not an ndarray of the result's dtype.

    See Also
    --------
    correlate : the same without reversing `v`.
    convolve2d : for two-dimensional arrays.
    explain : which method a call takes, and why.

    Notes
    -----
    ::

        (a * v)[i] = sum over k of  v[k] a[i - k],  0 <= i < N + M - 1

    Arrays of other libraries (those with ``__array_function__``), and dtypes
    such as longdouble and object, are passed on to numpy's own function, the
    latter line by line; for the former `axis`, `boundary`, `fillvalue` and `out` are
    not taken.

    References
    ----------
    .. [1] `numpy.convolve
       <https://numpy.org/doc/stable/reference/generated/numpy.convolve.html>`_

    Examples
    --------
    >>> import fastconv
    >>> fastconv.convolve([1, 2, 3], [0, 1, 0.5])
    array([0. , 1. , 2.5, 4. , 1.5])
    >>> fastconv.convolve([1, 2, 3], [0, 1, 0.5], 'same')
    array([1. , 2.5, 4. ])
    >>> fastconv.convolve([1, 2, 3], [0, 1, 0.5], 'valid')
    array([2.5])

    The same kernel along the rows of an array:

    >>> import numpy as np
    >>> a = np.array([[1, 2, 3], [0, 5, 0]])
    >>> fastconv.convolve(a, [0, 1, 0.5], 'same', axis=-1)
    array([[1. , 2.5, 4. ],
           [0. , 5. , 2.5]])

    A bank of kernels, each along all rows: sums and differences of neighbours.

    >>> bank = np.array([[1, 1], [1, -1]])
    >>> fastconv.convolve(a, bank[:, np.newaxis], 'valid', axis=-1)
    array([[[ 3,  5],
            [ 5,  5]],
    <BLANKLINE>
           [[ 1,  1],
            [ 5, -5]]])

    A running sum around a circle, and one with the ends mirrored:

    >>> fastconv.convolve([1, 2, 3, 4], [1, 1, 1], 'same', boundary='wrap')
    array([7, 6, 9, 8])
    >>> fastconv.convolve([1, 2, 3, 4], [1, 1, 1], 'same', boundary='symm')
    array([ 4,  6,  9, 11])
    """
    if is_default(axis, boundary, fillvalue, workers) and accuracy is AUTO:
        result = plain(a, v, mode, False, method, out)
        if result is not None:
            return result
    elif workers is None:
        result = plain_lines(
            a, v, axis, mode, False, boundary, fillvalue, method, accuracy, out
        )
        if result is not None:
            return result
    return general_convolve(
        a, v, mode, axis, boundary, fillvalue, method, accuracy, out, workers
    )


def correlate(
    a, v, mode=NO_MODE, *, axis=None, boundary="fill", fillvalue=0, max_lag=None,
    method="auto", accuracy="auto", out=None, workers=None
):
    """
    Cross-correlation of two one-dimensional sequences.

    Takes the place of `numpy.correlate`: the same values (exactly so for
    integers), dtype, shape, subclass and errors. With `axis` it does so for
    every line of an array along that axis.

    Parameters
    ----------
    a : (N,) array_like
        The first sequence, N >= 1. With `axis`, an array of any number of
        dimensions.
    v : (M,) array_like
        The second sequence, M >= 1; conjugated where it is complex. With
        `axis`, one for all lines of `a` or a bank of them.
    mode : {'valid', 'same', 'full'}, optional
        As for `convolve`; the default is 'valid'.
    axis : int, optional
        As for `convolve`.
    boundary, fillvalue
        As for `convolve`: other than the defaults they have the rules of
        `correlate2d` hold in place of numpy's.
    max_lag : int, optional
        Gives the 2 * max_lag + 1 values for the lags -max_lag .. max_lag and
        computes no others. A lag at which `a` and `v` do not meet has the
        value 0. Not to be given together with `mode`, `boundary` or
        `fillvalue`.
    method, accuracy, out, workers
        As for `convolve`.

    Returns
    -------
    ndarray
        Of dtype ``numpy.result_type(a, v)``; `out` if that was given. An input
        of a subclass makes the result one too, as in numpy.

    Raises
    ------
    ValueError
        If an input is empty or, without `axis`, not one-dimensional, if
        `max_lag` is negative or given beside `mode` or another boundary than zeros, and as for
        `convolve`.
    TypeError
        If `max_lag` is not an integer, and as for `convolve`.

    See Also
    --------
    convolve : the same with `v` reversed and not conjugated.
    correlate2d : for two-dimensional arrays.

    Notes
    -----
    ::

        c[k] = sum over i of  a[i + k] conj(v[i])

    'full' holds the lags -(M - 1) .. N - 1, so that lag 0 stands at index
    M - 1. With `max_lag`, lag 0 stands at index `max_lag`.

    References
    ----------
    .. [1] `numpy.correlate
       <https://numpy.org/doc/stable/reference/generated/numpy.correlate.html>`_

    Examples
    --------
    >>> import fastconv
    >>> fastconv.correlate([1, 2, 3], [0, 1, 0.5])
    array([3.5])
    >>> fastconv.correlate([1, 2, 3], [0, 1, 0.5], 'full')
    array([0.5, 2. , 3.5, 3. , 0. ])
    >>> fastconv.correlate([1, 2, 3], [0, 1, 0.5], max_lag=1)
    array([2. , 3.5, 3. ])

    By how much is each row behind the first?

    >>> import numpy as np
    >>> rows = np.array([[0, 3, 1, 0, 0], [0, 0, 3, 1, 0], [3, 1, 0, 0, 0]])
    >>> fastconv.correlate(rows, rows[0], axis=-1, max_lag=2).argmax(axis=-1) - 2
    array([ 0,  1, -1])
    """
    if is_default(axis, boundary, fillvalue, workers) and max_lag is None and accuracy is AUTO:
        result = plain(a, v, mode, True, method, out)
        if result is not None:
            return result
    elif workers is None and max_lag is None:
        result = plain_lines(a, v, axis, mode, True, boundary, fillvalue, method, accuracy, out)
        if result is not None:
            return result
    return general_correlate(
        a, v, mode, axis, boundary, fillvalue, max_lag, method, accuracy, out, workers
    )


cdef inline bint is_default(axis, boundary, fillvalue, workers) noexcept:
    return axis is None and boundary is FILL and fillvalue is ZERO and workers is None


def window(mode, ptrdiff_t n, ptrdiff_t m, bint correlating):
    """The part ``(lo, hi)`` of the full convolution that numpy's `mode` means."""
    cdef fc_axis axis
    axis.n, axis.m = n, m
    check_lengths(n, m)
    set_window({"full": IS_FULL, "same": IS_SAME, "valid": IS_VALID}[mode], correlating, &axis)
    return axis.lo, axis.hi


include "_plain.pxi"
include "_plain_nd.pxi"
include "_jobs.pxi"
include "_prepared.pxi"
include "_levels.pxi"
include "_threads.pxi"
