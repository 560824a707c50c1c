# Jobs: what is wanted, chosen and run. Included by _core.pyx.

# Of both operands on one axis. Arrays without memory behind them, all strides zero, may have
# more; indices of their full convolution, and those a block beyond, would not fit.
MOST_SAMPLES = 2**62


cdef int check_lengths(n, m) except -1:
    if n + m > MOST_SAMPLES:
        raise ValueError(f"array is too big: {n} and {m} samples on one axis")
    return 0

cdef int poll(void *context) noexcept with gil:
    # Nonzero where a signal handler raised; its exception stays pending and
    # check() lets it out.
    return check_signals() != 0


cdef void set_defaults(fc_job *job) noexcept:
    job.nbatch = job.after = job.in_order = 0
    job.conjugate = 0
    job.fill[0] = job.fill[1] = 0
    job.fill_bits = 0
    job.method = FC_AUTO
    job.accuracy = FC_ACCURACY_AUTO
    job.separable = FC_SEPARABLE_AUTO
    job.workers = fc_workers()
    job.spectra = NULL
    memset(&job.facts, 0, sizeof(fc_facts))
    job.poll = poll
    job.poll_context = NULL


cdef void view(np.ndarray x, fc_array *array) noexcept:
    cdef int d
    array.data = np.PyArray_DATA(x)
    for d in range(np.PyArray_NDIM(x)):
        array.stride[d] = np.PyArray_STRIDE(x, d)


cdef void reverse(np.ndarray x, fc_array *array) noexcept:
    cdef int d
    for d in range(np.PyArray_NDIM(x)):
        array.data = <char *>array.data + (np.PyArray_DIM(x, d) - 1) * array.stride[d]
        array.stride[d] = -array.stride[d]


cdef fc_status run_job(
    const fc_job *job, const fc_plan *plan, const fc_array *a, const fc_array *v,
    const fc_array *out
) noexcept:
    cdef fc_status status
    with nogil:
        status = fc_run(job, plan, a, v, out)
    return status


cdef int check(fc_status status) except -1:
    if status == FC_NO_MEMORY:
        raise MemoryError("not enough memory for the working space of this convolution")
    return -1 if status == FC_INTERRUPTED else 0


cdef fc_dtype engine_dtype(dtype) except FC_DTYPES:
    dtype = numpy.dtype(dtype)
    cdef int found = dtype_of(dtype.num)
    if found < 0 or not dtype.isnative:
        raise TypeError(f"the engine does not compute in {dtype}")
    return <fc_dtype>found


cdef bint go_together(fc_dtype a, fc_dtype v) noexcept:
    cdef fc_dtype real = min(a, v), other = max(a, v)
    return a == v or (real == FC_F32 and other == FC_C64) or (real == FC_F64 and other == FC_C128)


@cython.final
cdef class Job:
    """
    What is wanted of the engine: the window of the full convolution of a with v.

    Parameters
    ----------
    a_shape, v_shape : tuple of int
        Batch axes first, then the convolved ones. A batch axis has length 1 in
        the one of them that is the same all along it.
    a_dtype, v_dtype : dtype_like
        Equal but for sign, or real and complex of one precision.
    windows : sequence of (int, int)
        For each convolved axis the outputs ``lo <= i < hi``.
    batch : int
        So many leading axes are only carried along.
    after : int
        So many of them, the last, follow the convolved axes in the caller's order:
        lines lie side by side, or the colours of an image.
    boundary, fill
        What a is beyond its ends: 'fill', 'wrap' or 'symm', and the fill value.
    conjugate : bool
        Conjugate v.
    method, accuracy, separable
        As the public functions take them.
    spectra : Spectra, optional
        Where those of v are kept.
    facts : dict, optional
        What `scan` would return; without it the data counts as unknown.
    """

    cdef fc_job job
    cdef object spectra  # which the job points to
    cdef readonly tuple shape

    def __init__(
        self, a_shape, v_shape, a_dtype, v_dtype, windows, *, batch=0, after=0, boundary="fill",
        fill=0, conjugate=False, method="auto", accuracy="auto", separable="auto", spectra=None,
        facts=None
    ):
        cdef fc_job *job = &self.job
        cdef double complex number
        set_defaults(job)
        job.a_dtype, job.v_dtype = engine_dtype(a_dtype), engine_dtype(v_dtype)
        if not go_together(job.a_dtype, job.v_dtype):
            raise TypeError(f"the engine does not combine {a_dtype} with {v_dtype}")
        self.set_axes(tuple(a_shape), tuple(v_shape), windows, batch, BOUNDARIES[boundary])
        if job.a_dtype <= FC_C128:
            number = fill
            job.fill[0], job.fill[1] = number.real, number.imag
        else:
            job.fill_bits = <long long><unsigned long long>(int(fill) & 0xFFFFFFFFFFFFFFFF)
        job.conjugate, job.after = conjugate, after
        job.method, job.accuracy = METHODS[method], ACCURACIES[accuracy]
        job.separable = SEPARABLE[separable]
        self.spectra = spectra
        if spectra is not None:
            job.spectra = (<Spectra?>spectra).store
        if facts is not None:
            job.facts = facts

    cdef int set_axes(
        self, tuple a_shape, tuple v_shape, windows, int batch, int boundary
    ) except -1:
        cdef int d, ndim = len(windows)
        cdef fc_axis *axis
        if not (1 <= ndim and batch + ndim == len(a_shape) == len(v_shape) <= FC_MAX_NDIM):
            raise ValueError(f"{batch} batch axes and {ndim} windows for {a_shape} and {v_shape}")
        self.job.ndim, self.job.nbatch = ndim, batch
        for d in range(batch):
            self.set_batch_axis(d, a_shape[d], v_shape[d])
        for d in range(ndim):
            axis = &self.job.axis[d]
            axis.n, axis.m = a_shape[batch + d], v_shape[batch + d]
            check_lengths(a_shape[batch + d], v_shape[batch + d])
            axis.lo, axis.hi = windows[d]
            axis.boundary = <fc_boundary>boundary
            if min(axis.n, axis.m) < 1 or not 0 <= axis.lo <= axis.hi <= axis.n + axis.m - 1:
                raise ValueError(f"window {windows[d]} for lengths {axis.n} and {axis.m}")
        self.shape = tuple([self.job.batch[d] for d in range(batch)])
        self.shape += tuple([hi - lo for lo, hi in windows])
        return 0

    cdef int set_batch_axis(self, int d, ptrdiff_t a, ptrdiff_t v) except -1:
        if a != v and a != 1 and v != 1:
            raise ValueError(f"batch axis {d} has length {a} in a and {v} in v")
        self.job.batch[d] = v if a == 1 else a
        self.job.shared[d] = (
            FC_SHARES_NONE if a == v else FC_SHARES_V if v == 1 else FC_SHARES_A
        )
        return 0

    def scan(self, np.ndarray a, np.ndarray v):
        """One pass over the data; remembers and returns what it learned."""
        cdef fc_array from_a, from_v
        self.take(a, v, &from_a, &from_v)
        cdef fc_status status
        with nogil:
            status = fc_scan(&self.job, &from_a, &from_v)
        check(status)
        return self.job.facts

    def is_separable(self, np.ndarray v):
        """Whether v, of two convolved axes, is an outer product; remembers it."""
        cdef fc_array from_v
        cdef fc_status status
        self.check_operand(v, self.job.v_dtype, False)
        view(v, &from_v)
        with nogil:
            status = fc_factor(&self.job, &from_v)
        check(status)
        return self.job.facts.outer_product == 1

    def choose(self):
        """
        The plan as plain data; nothing is computed.

        Returns
        -------
        dict
            method, ring, block, lanes, digits, predicted_ns; level, workers;
            candidates: what was compared, best first, as dicts of the first six.
        """
        cdef fc_plan plan
        fc_choose(&self.job, &plan)
        return candidate_dict(&plan.chosen) | {
            "level": fc_level_name(plan.level).decode(),
            "workers": plan.workers,
            "candidates": [candidate_dict(&plan.candidate[i]) for i in range(plan.candidates)],
        }

    def plans(self, int most=4096):
        """Every plan that could do the job, as `choose` has its candidates: the best `most`."""
        cdef fc_candidate *found = <fc_candidate *>malloc(most * sizeof(fc_candidate))
        if found == NULL:
            raise MemoryError()
        cdef int i, count = fc_list_plans(&self.job, found, most)
        try:
            return [candidate_dict(&found[i]) for i in range(count)]
        finally:
            free(found)

    def choosing_ns(self, int times):
        """What one choice takes, the mean of so many in a row without Python between."""
        cdef fc_plan plan
        cdef int i
        start = perf_counter_ns()
        for i in range(times):
            fc_choose(&self.job, &plan)
        return (perf_counter_ns() - start) / times

    def run(self, np.ndarray a, np.ndarray v, np.ndarray out, plan=None):
        """Fill `out`, which overlaps neither input, by `plan` or the engine's own choice."""
        self.repeat(a, v, out, plan, 1)

    def time_ns(self, np.ndarray a, np.ndarray v, np.ndarray out, plan=None, int times=1):
        """What one `run` takes, the mean of so many in a row without Python between."""
        return self.repeat(a, v, out, plan, times) / times

    cdef long long repeat(
        self, np.ndarray a, np.ndarray v, np.ndarray out, plan, int times
    ) except -1:
        cdef fc_array from_a, from_v, to
        cdef fc_plan given
        cdef fc_plan *forced = NULL
        cdef int i
        self.take(a, v, &from_a, &from_v)
        if out.dtype != numpy.result_type(a, v) or (<object>out).shape != self.shape:
            raise ValueError(f"out is {out.dtype} of shape {(<object>out).shape}")
        view(out, &to)
        if plan is not None:
            read_plan(plan, &given)
            if given.workers < 1 or not fc_is_plan(&self.job, &given.chosen):
                level = fc_level_name(fc_level()).decode()
                raise ValueError(f"on {level} there is no such plan for this job: {plan}")
            forced = &given
        cdef long long start = perf_counter_ns()
        for i in range(times):
            check(run_job(&self.job, forced, &from_a, &from_v, &to))
        return perf_counter_ns() - start

    cdef int take(self, np.ndarray a, np.ndarray v, fc_array *to_a, fc_array *to_v) except -1:
        cdef int d
        self.check_operand(a, self.job.a_dtype, True)
        self.check_operand(v, self.job.v_dtype, False)
        view(a, to_a)
        view(v, to_v)
        for d in range(self.job.nbatch):
            if np.PyArray_DIM(a, d) != self.job.batch[d]:
                to_a.stride[d] = 0
            if np.PyArray_DIM(v, d) != self.job.batch[d]:
                to_v.stride[d] = 0
        return 0

    cdef int check_operand(self, np.ndarray x, fc_dtype dtype, bint is_a) except -1:
        cdef int d, batch = self.job.nbatch
        cdef ptrdiff_t length
        cdef bint fits = np.PyArray_NDIM(x) == batch + self.job.ndim
        for d in range(np.PyArray_NDIM(x) if fits else 0):
            if d >= batch:
                length = self.job.axis[d - batch].n if is_a else self.job.axis[d - batch].m
            elif self.job.shared[d] == (FC_SHARES_A if is_a else FC_SHARES_V):
                length = 1
            else:
                length = self.job.batch[d]
            fits = fits and np.PyArray_DIM(x, d) == length
        if not fits or engine_dtype(x.dtype) != dtype:
            raise ValueError(f"the job is for other arrays than {x.dtype}, {(<object>x).shape}")
        return 0


cdef dict candidate_dict(const fc_candidate *c):
    return {
        "method": METHOD_NAMES[c.method],
        "ring": RING_NAMES[c.ring],
        "block": (c.block[0], c.block[1]),
        "lanes": c.lanes,
        "digits": (c.digits[0], c.digits[1]),
        "predicted_ns": c.predicted_ns,
    }


cdef int read_plan(plan, fc_plan *to) except -1:
    cdef fc_candidate *chosen = &to.chosen
    memset(to, 0, sizeof(fc_plan))
    chosen.method = PLANNED[plan["method"]]
    chosen.ring = RINGS[plan.get("ring", "native")]
    chosen.block[0], chosen.block[1] = plan.get("block", (1, 1))
    chosen.lanes = plan.get("lanes", 0)
    chosen.digits[0], chosen.digits[1] = plan.get("digits", (0, 0))
    to.level, to.workers = fc_level(), plan.get("workers", 1)
    return 0


def run(a, v, windows, out=None, *, plan=None, **options):
    """
    Execute any legal plan on arrays that the engine can read as they are.

    Parameters
    ----------
    a, v : ndarray
        Of dtypes that the engine knows, native byte order, any strides.
    windows : sequence of (int, int)
        For each convolved axis the outputs ``lo <= i < hi``.
    out : ndarray, optional
        Of the result's shape and dtype, overlapping neither input.
    plan : mapping, optional
        A dict of `choose` or one of its candidates, or as much of one as is
        needed: {'method': 'overlap', 'block': (1, 1024), 'lanes': 1}. Without
        it the engine chooses.
    **options
        Those of `Job`.
    """
    job = Job(a.shape, v.shape, a.dtype, v.dtype, windows, **options)
    if out is None:
        out = numpy.empty(job.shape, numpy.result_type(a, v))
    job.run(a, v, out, plan)
    return out


def choose(shapes, dtypes, windows, method="auto", accuracy="auto", facts=None, **options):
    """The plan for a pair of shapes and of dtypes, as `Job.choose` gives it: no arrays made."""
    (a_shape, v_shape), (a_dtype, v_dtype) = shapes, dtypes
    options |= {"method": method, "accuracy": accuracy, "facts": facts}
    return Job(a_shape, v_shape, a_dtype, v_dtype, windows, **options).choose()
