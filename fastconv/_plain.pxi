# The plain case: arrays that the engine can read as they are, straight to its C face.
# Included by _core.pyx.

cdef enum Mode:
    IS_VALID, IS_SAME, IS_FULL, IS_OTHER


cdef inline Mode mode_of(mode) noexcept:
    if mode is FULL:
        return IS_FULL
    if mode is VALID or mode is NO_MODE:
        return IS_VALID
    return IS_SAME if mode is SAME else IS_OTHER


cdef inline void set_window(Mode mode, bint correlating, fc_axis *axis) noexcept:
    # numpy swaps the inputs so that the first is the longer, and turns the
    # result round again after correlating: hence the other centre for even
    # kernels where a is the shorter.
    cdef ptrdiff_t shorter = min(axis.n, axis.m), longer = max(axis.n, axis.m)
    cdef bint turned = correlating and axis.n < axis.m
    if mode == IS_FULL:
        axis.lo, axis.hi = 0, axis.n + axis.m - 1
    elif mode == IS_VALID:
        axis.lo, axis.hi = shorter - 1, longer
    else:
        axis.lo = shorter // 2 if turned else (shorter - 1) // 2
        axis.hi = axis.lo + longer


cdef inline bint is_plain(np.ndarray x, int ndim=1) noexcept:
    return (
        np.PyArray_NDIM(x) == ndim
        and np.PyArray_CHKFLAGS(x, np.NPY_ARRAY_ALIGNED)
        and np.PyArray_ISNOTSWAPPED(x)
        and np.PyArray_DIM(x, 0) > 0
        and np.PyArray_DIM(x, ndim - 1) > 0
    )


cdef inline bint is_dense(np.ndarray x) noexcept:
    return np.PyArray_CHKFLAGS(x, np.NPY_ARRAY_C_CONTIGUOUS)


cdef inline bint apart(np.ndarray x, np.ndarray y) noexcept:
    cdef char *x_data = <char *>np.PyArray_DATA(x)
    cdef char *y_data = <char *>np.PyArray_DATA(y)
    return x_data + np.PyArray_NBYTES(x) <= y_data or y_data + np.PyArray_NBYTES(y) <= x_data


cdef inline bint can_take(np.ndarray out, ptrdiff_t size, np.ndarray a, np.ndarray v) noexcept:
    return (
        is_plain(out) and is_dense(out) and is_dense(a) and is_dense(v)
        and np.PyArray_DIM(out, 0) == size
        and np.PyArray_TYPE(out) == np.PyArray_TYPE(a)
        and np.PyArray_ISWRITEABLE(out)
        and apart(out, a)
        and apart(out, v)
    )


cdef object as_array(x, bint correlating):
    """Python's numbers and lists as numpy reads them; what is none, or refused, as it is.

    convolve takes a number for a sequence of one, correlate does not.
    """
    cdef bint number = type(x) is int or type(x) is float
    if number and correlating or not (number or type(x) is list or type(x) is tuple):
        return x
    try:
        return np.PyArray_FROM_O((x,) if number else x)
    except (OverflowError, TypeError, ValueError):
        return x


cdef inline bint is_real(np.ndarray x) noexcept:
    return np.PyArray_ISFLOAT(x) or np.PyArray_ISINTEGER(x)


cdef object plain(a, v, mode, bint correlating, method, out):
    """The answer for two plain arrays and a plain `out` or none, else None."""
    if not (np.PyArray_CheckExact(a) and np.PyArray_CheckExact(v)):
        a, v = as_array(a, correlating), as_array(v, correlating)
        if not (np.PyArray_CheckExact(a) and np.PyArray_CheckExact(v)):
            return None
    if np.PyArray_TYPE(<np.ndarray>a) != np.PyArray_TYPE(<np.ndarray>v):
        # Real and complex stay as they are: the general path multiplies them as such.
        if not (is_real(<np.ndarray>a) and is_real(<np.ndarray>v)):
            return None
        dtype_of_both = numpy.promote_types(a.dtype, v.dtype)
        a, v = a.astype(dtype_of_both), v.astype(dtype_of_both)
    cdef int asked = FC_AUTO
    if method is not AUTO:
        if type(method) is not str or method not in METHODS:
            return None
        asked = METHODS[method]
    cdef Mode window = mode_of(mode)
    cdef int type_num = np.PyArray_TYPE(<np.ndarray>a)
    if window == IS_OTHER:
        return None
    # bool: bytes other than 0 and 1 are dealt with on the general path.
    cdef int dtype = dtype_of(type_num)
    if dtype < 0 or dtype == FC_BOOL or not (is_plain(<np.ndarray>a) and is_plain(<np.ndarray>v)):
        return None
    cdef fc_axis axis
    axis.n, axis.m = np.PyArray_DIM(<np.ndarray>a, 0), np.PyArray_DIM(<np.ndarray>v, 0)
    axis.boundary = FC_FILL
    set_window(window, correlating, &axis)
    cdef np.npy_intp size = axis.hi - axis.lo
    if out is None:
        out = np.PyArray_SimpleNew(1, &size, type_num)
    elif not (
        np.PyArray_CheckExact(out)
        and can_take(<np.ndarray>out, size, <np.ndarray>a, <np.ndarray>v)
    ):
        return None
    solve_plain(
        <np.ndarray>a, <np.ndarray>v, &axis, correlating, <fc_dtype>dtype, <fc_method>asked,
        <np.ndarray>out
    )
    return out


def plain_2d(in1, in2, mode, bint correlating):
    """
    convolve2d's or correlate2d's answer for two plain arrays of one dtype, zeros beyond.

    None where the general path has to answer, or refuse.
    """
    if not (np.PyArray_CheckExact(in1) and np.PyArray_CheckExact(in2)):
        return None
    cdef np.ndarray a = in1, v = in2
    cdef int type_num = np.PyArray_TYPE(a)
    cdef int dtype = dtype_of(type_num)
    if type_num != np.PyArray_TYPE(v) or dtype < 0 or dtype == FC_BOOL:
        return None
    if not (is_plain(a, 2) and is_plain(v, 2)):
        return None
    cdef Mode window = mode_of(mode)
    cdef fc_job job
    cdef fc_axis *axis
    cdef np.npy_intp[2] shape
    cdef int d
    set_defaults(&job)
    for d in range(2):
        axis = &job.axis[d]
        axis.n, axis.m = np.PyArray_DIM(a, d), np.PyArray_DIM(v, d)
        axis.boundary = FC_FILL
        if window == IS_FULL:
            axis.lo, axis.hi = 0, axis.n + axis.m - 1
        elif window == IS_SAME:
            # scipy's centre for an even kernel lies one sample later when correlating.
            axis.lo = axis.m // 2 if correlating else (axis.m - 1) // 2
            axis.hi = axis.lo + axis.n
        elif window == IS_VALID and axis.n >= axis.m:
            axis.lo, axis.hi = axis.m - 1, axis.n
        else:
            return None
        shape[d] = axis.hi - axis.lo
    job.ndim = 2
    job.a_dtype = job.v_dtype = <fc_dtype>dtype
    job.conjugate = correlating
    out = np.PyArray_SimpleNew(2, shape, type_num)
    cdef fc_array from_a, from_v, to
    view(a, &from_a)
    view(v, &from_v)
    view(<np.ndarray>out, &to)
    if correlating:
        reverse(v, &from_v)
    check(run_job(&job, NULL, &from_a, &from_v, &to))
    return out


cdef int solve_plain(
    np.ndarray a, np.ndarray v, fc_axis *axis, bint correlating, fc_dtype dtype,
    fc_method method, np.ndarray out
) except -1:
    if method <= FC_DIRECT and is_dense(a) and is_dense(v) and fc_small(
        dtype, np.PyArray_DATA(a), axis.n, np.PyArray_DATA(v), axis.m, correlating,
        axis.lo, axis.hi, np.PyArray_DATA(out)
    ):
        return 0
    cdef fc_job job
    set_defaults(&job)
    job.ndim = 1
    job.axis[0] = axis[0]
    job.a_dtype = job.v_dtype = dtype
    job.conjugate = correlating
    job.method = method
    cdef fc_array from_a, from_v, to
    view(a, &from_a)
    view(v, &from_v)
    view(out, &to)
    if correlating:
        reverse(v, &from_v)
    return check(run_job(&job, NULL, &from_a, &from_v, &to))
