# The plain case along axes: lines of an array, pictures and volumes, whatever lies beyond them.
# Included by _core.pyx.

cdef enum Rules:
    NUMPYS  # the longer input is the first
    SCIPYS
    OF_2D  # scipy's, where correlate2d centres even kernels a sample later

# These fit every integer dtype.
cdef int MOST_FILL = 127


cdef bint set_window_by(Rules rules, Mode mode, bint later, fc_axis *axis) noexcept:
    """False where the general path has to cut, or to complain."""
    if rules == NUMPYS:
        set_window(mode, later, axis)
        return mode != IS_OTHER
    if mode == IS_FULL:
        axis.lo, axis.hi = 0, axis.n + axis.m - 1
    elif mode == IS_SAME:
        axis.lo = axis.m // 2 if later and rules == OF_2D else (axis.m - 1) // 2
        axis.hi = axis.lo + axis.n
    else:
        axis.lo, axis.hi = axis.m - 1, axis.n
    return mode != IS_OTHER and axis.lo < axis.hi


cdef bint set_options(fc_job *job, method, accuracy) except -1:
    cdef int asked = asked_method(method)
    if asked < 0 or type(accuracy) is not str or accuracy not in ACCURACIES:
        return False
    job.method, job.accuracy = <fc_method>asked, ACCURACIES[accuracy]
    return True


cdef bint set_boundary(fc_job *job, int type_num, boundary, fillvalue) except -1:
    """What lies beyond, for every axis; False where the general path has to read it."""
    cdef int d
    cdef double number
    if type(boundary) is not str or boundary not in BOUNDARIES:
        return False
    for d in range(job.ndim):
        job.axis[d].boundary = BOUNDARIES[boundary]
    if job.axis[0].boundary != FC_FILL or fillvalue is ZERO:
        return True
    if np.PyTypeNum_ISINTEGER(type_num):
        if type(fillvalue) is not int or not 0 <= fillvalue <= MOST_FILL:
            return False
        job.fill_bits = fillvalue
        return True
    if type_num == np.NPY_BOOL or not (
        type(fillvalue) is float or type(fillvalue) is int and abs(fillvalue) <= MOST_FILL
    ):
        return False
    number = fillvalue
    if type_num == np.NPY_FLOAT or type_num == np.NPY_CFLOAT:
        number = <float>number
    job.fill[0] = number
    # What is finite, but not in float32, is numpy's to warn of.
    return number - number == 0 or fillvalue - fillvalue != 0


# The order in which a job has the axes of an array: those carried along, then the convolved ones.
# False where these are no axes of it, or one is there twice.
cdef bint order_axes(int ndim, const int *axes, int count, int *order) noexcept:
    cdef int d, k, at, carried = 0
    cdef bint convolved, fits = True
    if count > ndim:
        return False
    for d in range(ndim):
        convolved = False
        for k in range(count):
            at = axes[k] if axes[k] >= 0 else axes[k] + ndim
            if at == d:
                fits = fits and not convolved
                convolved = True
                order[ndim - count + k] = d
        if not convolved:
            if carried < ndim - count:
                order[carried] = d
            carried += 1
    return fits and carried == ndim - count


cdef void view_in_order(np.ndarray x, const int *order, fc_array *array) noexcept:
    cdef int d
    array.data = np.PyArray_DATA(x)
    for d in range(np.PyArray_NDIM(x)):
        array.stride[d] = np.PyArray_STRIDE(x, order[d])


# v, or for correlation v from its end, the same for all that is carried along.
cdef void view_taps(np.ndarray v, const fc_job *job, fc_array *array) noexcept:
    cdef int d
    view(v, array)
    if job.conjugate:
        reverse(v, array)
    for d in range(job.ndim - 1, -1, -1):
        array.stride[job.nbatch + d] = array.stride[d]
    for d in range(job.nbatch):
        array.stride[d] = 0


cdef bint is_plain_nd(np.ndarray x) noexcept:
    cdef int d, ndim = np.PyArray_NDIM(x)
    cdef bint plain = 0 < ndim <= FC_MAX_NDIM and is_plain(x, ndim)
    for d in range(1, ndim - 1):
        plain = plain and is_length(np.PyArray_DIM(x, d))
    return plain


cdef object solve_axes(
    fc_job *job, np.ndarray a, np.ndarray v, const int *axes, Rules rules, Mode mode, bint later,
    boundary, fillvalue, out
):
    """
    The answer along these axes of `a`, as many as `v` has; None where it is not plain.

    Of the job it takes the method and all that stands beside it. `later`: correlation's centre
    in 'same' and the side that 'valid' begins from.
    """
    if not (is_plain_nd(a) and is_plain_nd(v)):
        return None
    cdef int type_num = promoted_type(a, v)
    if type_num < 0:
        return None
    cdef int d, ndim = np.PyArray_NDIM(a)
    cdef int[FC_MAX_NDIM] order
    cdef np.npy_intp[FC_MAX_NDIM] shape
    cdef fc_axis *axis
    job.ndim = np.PyArray_NDIM(v)
    job.nbatch = ndim - job.ndim
    if not (
        order_axes(ndim, axes, job.ndim, order) and set_boundary(job, type_num, boundary, fillvalue)
    ):
        return None
    for d in range(ndim):
        shape[d] = np.PyArray_DIM(a, d)
    job.after = ndim - 1
    for d in range(job.ndim):
        axis = &job.axis[d]
        axis.n, axis.m = shape[order[job.nbatch + d]], np.PyArray_DIM(v, d)
        if not set_window_by(rules, mode, later, axis):
            return None
        shape[order[job.nbatch + d]] = axis.hi - axis.lo
        job.after = min(job.after, ndim - 1 - order[job.nbatch + d])
    for d in range(job.nbatch):
        job.batch[d] = shape[order[d]]
        job.shared[d] = FC_SHARES_NONE if job.batch[d] == 1 else FC_SHARES_V
    out = target(out, ndim, shape, type_num, a, v)
    if out is None:
        return None
    a, v = promoted(a, v)
    job.a_dtype = <fc_dtype>dtype_of(np.PyArray_TYPE(a))
    job.v_dtype = <fc_dtype>dtype_of(np.PyArray_TYPE(v))
    cdef fc_array from_a, from_v, to
    view_in_order(a, order, &from_a)
    view_in_order(<np.ndarray>out, order, &to)
    view_taps(v, job, &from_v)
    check(run_job(job, NULL, &from_a, &from_v, &to))
    return out


cdef object plain_axes(
    a, v, const int *axes, Rules rules, mode, bint correlating, boundary, fillvalue, method,
    accuracy, out
):
    cdef fc_job job
    set_defaults(&job)
    if not set_options(&job, method, accuracy):
        return None
    job.conjugate = correlating
    return solve_axes(
        &job, <np.ndarray>a, <np.ndarray>v, axes, rules, mode_of(mode), correlating, boundary,
        fillvalue, out
    )


cdef object plain_lines(
    a, v, axis, mode, bint correlating, boundary, fillvalue, method, accuracy, out
):
    """numpy's answer along one axis of `a`; where not zeros lie beyond its ends, convolve2d's."""
    if not (np.PyArray_CheckExact(a) and np.PyArray_CheckExact(v)):
        return None
    cdef int ndim = np.PyArray_NDIM(<np.ndarray>a), place = -1
    if np.PyArray_NDIM(<np.ndarray>v) != 1 or (axis is None and ndim != 1):
        return None
    if axis is not None:
        if type(axis) is not int or not -ndim <= axis < ndim:
            return None
        place = axis
    cdef bint zeros = type(boundary) is str and boundary == FILL and (
        fillvalue is ZERO or type(fillvalue) is float and fillvalue == 0
    )
    return plain_axes(
        a, v, &place, NUMPYS if zeros else OF_2D, mode, correlating, boundary,
        ZERO if zeros else fillvalue, method, accuracy, out,
    )


def plain_nd(
    in1, in2, mode, boundary, fillvalue, method, accuracy, out, *, bint correlating, bint of_2d
):
    """
    scipy's answer along all axes of two plain arrays, of 2-D for convolve2d and correlate2d.

    None where the general path has to answer, or refuse.
    """
    if not (np.PyArray_CheckExact(in1) and np.PyArray_CheckExact(in2)):
        return None
    cdef int d, ndim = np.PyArray_NDIM(<np.ndarray>in1)
    if ndim != np.PyArray_NDIM(<np.ndarray>in2) or of_2d and ndim != 2:
        return None
    cdef int[FC_MAX_NDIM] axes
    for d in range(min(ndim, FC_MAX_NDIM)):
        axes[d] = d
    return plain_axes(
        in1, in2, axes, OF_2D if of_2d else SCIPYS, mode, correlating, boundary, fillvalue,
        method, accuracy, out,
    )
