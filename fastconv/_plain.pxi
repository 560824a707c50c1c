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


# Longer ones, made of strides of zero, are refused where there is time for it.
cdef inline bint is_length(np.npy_intp n) noexcept:
    return 0 < n <= (<np.npy_intp>1 << 60)


cdef inline bint is_plain(np.ndarray x, int ndim=1) noexcept:
    return (
        np.PyArray_NDIM(x) == ndim
        and np.PyArray_CHKFLAGS(x, np.NPY_ARRAY_ALIGNED)
        and np.PyArray_ISNOTSWAPPED(x)
        and is_length(np.PyArray_DIM(x, 0))
        and is_length(np.PyArray_DIM(x, ndim - 1))
    )


cdef inline bint is_dense(np.ndarray x) noexcept:
    return np.PyArray_CHKFLAGS(x, np.NPY_ARRAY_C_CONTIGUOUS)


cdef inline bint apart(np.ndarray x, np.ndarray y) noexcept:
    cdef char *x_data = <char *>np.PyArray_DATA(x)
    cdef char *y_data = <char *>np.PyArray_DATA(y)
    return x_data + np.PyArray_NBYTES(x) <= y_data or y_data + np.PyArray_NBYTES(y) <= x_data


# Fewer bytes than there are addresses, of items of 16; what is more is refused elsewhere.
cdef inline bint can_be(int ndim, const np.npy_intp *shape) noexcept:
    cdef int d
    cdef double items = 1
    for d in range(ndim):
        items *= <double>shape[d]
    return items <= <double>(<np.npy_intp>1 << 58)


# A new array for the result; or `out`, where the engine can write there itself; or None.
cdef object target(
    out, int ndim, np.npy_intp *shape, int type_num, np.ndarray a, np.ndarray v
):
    if out is None:
        return np.PyArray_SimpleNew(ndim, shape, type_num) if can_be(ndim, shape) else None
    if not np.PyArray_CheckExact(out):
        return None
    cdef np.ndarray y = out
    cdef int d
    cdef bint fits = (
        is_plain(y, ndim) and is_dense(y) and is_dense(a) and is_dense(v)
        and np.PyArray_TYPE(y) == type_num
        and np.PyArray_ISWRITEABLE(y)
        and apart(y, a)
        and apart(y, v)
    )
    for d in range(ndim if fits else 0):
        fits = fits and np.PyArray_DIM(y, d) == shape[d]
    return out if fits else None


cdef int asked_method(method) except -2:
    """The fc_method of that name; -1 where there is none."""
    if method is AUTO:
        return FC_AUTO
    return METHODS[method] if type(method) is str and method in METHODS else -1


# The engine takes a bool for 0 or 1, where numpy takes any byte but 0 for True. False of arrays
# that are not dense, which the general path reads.
cdef inline bint is_zero_or_one(np.ndarray x) noexcept:
    if not is_dense(x):
        return False
    cdef const unsigned char *bits = <const unsigned char *>np.PyArray_DATA(x)
    cdef unsigned char seen = 0
    cdef np.npy_intp i
    for i in range(np.PyArray_SIZE(x)):
        seen |= bits[i]
    return seen <= 1


# numpy's type number of what two arrays make that the engine can read together; -1 where it
# cannot, and the general path has to.
cdef int result_type(np.ndarray a, np.ndarray v) noexcept:
    cdef int a_type = np.PyArray_TYPE(a), v_type = np.PyArray_TYPE(v)
    cdef int a_dtype = dtype_of(a_type), v_dtype = dtype_of(v_type)
    if a_dtype < 0 or v_dtype < 0:
        return -1
    if a_type == v_type:
        if a_dtype == FC_BOOL and not (is_zero_or_one(a) and is_zero_or_one(v)):
            return -1
        return a_type
    if not (np.PyArray_ISCOMPLEX(a) or np.PyArray_ISCOMPLEX(v)):
        return -1
    if not go_together(<fc_dtype>a_dtype, <fc_dtype>v_dtype):
        return -1
    return a_type if np.PyArray_ISCOMPLEX(a) else v_type


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


# Or one of them is none that is promoted here: the engine reads real and complex side by side.
cdef inline bint share_dtype(np.ndarray a, np.ndarray v) noexcept:
    return np.PyArray_TYPE(a) == np.PyArray_TYPE(v) or not (is_real(a) and is_real(v))


cdef int promoted_type(a, v) except -2:
    """result_type, also where both are real and of two dtypes: `promoted` makes them one."""
    if share_dtype(<np.ndarray>a, <np.ndarray>v):
        return result_type(<np.ndarray>a, <np.ndarray>v)
    cdef int type_num = numpy.promote_types(a.dtype, v.dtype).num
    return type_num if dtype_of(type_num) >= 0 else -1


cdef tuple promoted(a, v):
    if share_dtype(<np.ndarray>a, <np.ndarray>v):
        return a, v
    dtype_of_both = numpy.promote_types(a.dtype, v.dtype)
    return a.astype(dtype_of_both, copy=False), v.astype(dtype_of_both, copy=False)


cdef object plain(a, v, mode, bint correlating, method, out):
    """The answer for two plain arrays and a plain `out` or none, else None."""
    if not (np.PyArray_CheckExact(a) and np.PyArray_CheckExact(v)):
        a, v = as_array(a, correlating), as_array(v, correlating)
        if not (np.PyArray_CheckExact(a) and np.PyArray_CheckExact(v)):
            return None
    cdef int asked = asked_method(method)
    cdef Mode window = mode_of(mode)
    if asked < 0 or window == IS_OTHER:
        return None
    if not (is_plain(<np.ndarray>a) and is_plain(<np.ndarray>v)):
        return None
    if np.PyArray_TYPE(<np.ndarray>a) == HALF == np.PyArray_TYPE(<np.ndarray>v) and out is None:
        return plain_half(a, v, mode, correlating, method)
    cdef int type_num = promoted_type(a, v)
    if type_num < 0:
        return None
    cdef fc_axis axis
    axis.n, axis.m = np.PyArray_DIM(<np.ndarray>a, 0), np.PyArray_DIM(<np.ndarray>v, 0)
    axis.boundary = FC_FILL
    set_window(window, correlating, &axis)
    cdef np.npy_intp size = axis.hi - axis.lo
    out = target(out, 1, &size, type_num, <np.ndarray>a, <np.ndarray>v)
    if out is not None:
        a, v = promoted(a, v)
        solve_plain(
            <np.ndarray>a, <np.ndarray>v, &axis, correlating, <fc_method>asked, <np.ndarray>out
        )
    return out


# float16 is computed in float32 and rounded once, to infinity in silence.
cdef object plain_half(np.ndarray a, np.ndarray v, mode, bint correlating, method):
    if not (is_dense(a) and is_dense(v)):
        return None
    single = numpy.float32
    result = plain(a.astype(single), v.astype(single), mode, correlating, method, None)
    if result is None:
        return None
    with numpy.errstate(over="ignore", under="ignore"):
        return result.astype(numpy.float16)


cdef int solve_plain(
    np.ndarray a, np.ndarray v, fc_axis *axis, bint correlating, fc_method method, np.ndarray out
) except -1:
    cdef fc_dtype a_dtype = <fc_dtype>dtype_of(np.PyArray_TYPE(a))
    cdef fc_dtype v_dtype = <fc_dtype>dtype_of(np.PyArray_TYPE(v))
    if a_dtype == v_dtype and method <= FC_DIRECT and is_dense(a) and is_dense(v) and fc_small(
        a_dtype, np.PyArray_DATA(a), axis.n, np.PyArray_DATA(v), axis.m, correlating,
        axis.lo, axis.hi, np.PyArray_DATA(out)
    ):
        return 0
    cdef fc_job job
    set_defaults(&job)
    job.ndim = 1
    job.axis[0] = axis[0]
    job.a_dtype, job.v_dtype = a_dtype, v_dtype
    job.conjugate = correlating
    job.method = method
    cdef fc_array from_a, from_v, to
    view(a, &from_a)
    view(v, &from_v)
    view(out, &to)
    if correlating:
        reverse(v, &from_v)
    return check(run_job(&job, NULL, &from_a, &from_v, &to))
