# Kernels that many signals meet: their spectra kept, and streams. Included by _core.pyx.

# Of one kernel. A transform of 2^20 points in complex128 takes 16 MiB, so that four of the longest
# fit that are common; a store that is full is put away with all that it holds.
cdef size_t SPECTRA_BYTES = 64 << 20

# More than any array has; Python's integers have no bound.
cdef object MOST_AXES = 1 << 20

# Of the shorter operand in fc_small.
cdef int MOST_TAPS = 128


@cython.final
cdef class Spectra:
    """A store of what is known of these taps, which nobody can write to, for jobs with them."""

    cdef fc_spectra *store
    cdef np.ndarray taps

    def __cinit__(self, np.ndarray taps):
        self.taps = taps
        self.store = fc_spectra_new(SPECTRA_BYTES, np.PyArray_DATA(taps), np.PyArray_NBYTES(taps))
        if self.store == NULL:
            raise MemoryError("not enough memory for a store of spectra")

    def __dealloc__(self):
        if self.store != NULL:
            fc_spectra_free(self.store)

    @property
    def nbytes(self):
        """How much it holds."""
        return fc_spectra_bytes(self.store)


cdef class Prepared:
    """
    A kernel on the shortest way to the engine; what is not plain goes to `general`.

    Parameters
    ----------
    taps : ndarray
        As they are convolved with, C-contiguous. One or two axes.
    mode : {'full', 'same', 'valid'}
        'same' has the signal's length.
    method, accuracy : str
        As the public functions take them.
    axes : tuple of int
        Those of a signal that the taps lie along.
    boundary, fillvalue
        As `convolve2d` takes them.
    ahead : bool
        'same' has its centre a sample later where the number of taps is even.
    plain : bool
        Whether a plain signal may be taken here.
    separable : {'auto', True, False}
        As `convolve2d` takes it; True promises that the taps are an outer product.
    workers : int
        At most so many threads a call; 0: as many as calls of the thread have.
    """

    cdef np.ndarray taps
    cdef Spectra store
    cdef Mode mode
    cdef fc_method method
    cdef fc_accuracy accuracy
    cdef fc_separable separable
    cdef int[2] axes
    cdef Rules rules
    cdef object boundary, fillvalue
    cdef bint ahead, plain
    cdef int workers
    cdef int small_type  # of signals that fc_small may take, or -1
    cdef np.ndarray mirrored  # taps as direct sums read them, or None
    cdef ptrdiff_t too_long  # so long, signals are no small ones any more
    cdef ptrdiff_t[2] seen

    def __init__(
        self, np.ndarray taps, mode, method, accuracy, *, axes, boundary, fillvalue, ahead, plain,
        separable, workers
    ):
        cdef int d
        cdef int[2] places
        cdef bint line = np.PyArray_NDIM(taps) == 1 and boundary == "fill" and fillvalue is ZERO
        for d in range(np.PyArray_NDIM(taps)):
            # No array has so many.
            places[d] = max(-MOST_AXES, min(MOST_AXES, axes[d]))
        store = Spectra(taps)
        real = line and is_real(taps) and dtype_of(np.PyArray_TYPE(taps)) >= 0
        few = real and taps.size <= MOST_TAPS
        mirrored = numpy.ascontiguousarray(taps[::-1]) if few else None
        # All that may fail is done.
        self.taps, self.store, self.mirrored = taps, store, mirrored
        self.mode = {"full": IS_FULL, "same": IS_SAME, "valid": IS_VALID}[mode]
        # 'valid' exchanges a line with a longer kernel; 'same' has the line's length.
        self.rules = NUMPYS if line and self.mode == IS_VALID else OF_2D
        self.method, self.accuracy = METHODS[method], ACCURACIES[accuracy]
        self.separable = SEPARABLE[separable]
        self.axes = places
        self.boundary, self.fillvalue = boundary, fillvalue
        self.ahead, self.plain = ahead, plain and is_plain(taps, np.PyArray_NDIM(taps))
        self.workers = workers
        self.seen[0] = self.seen[1] = 0
        along = self.plain and self.method <= FC_DIRECT and self.axes[0] in (0, -1)
        self.small_type = np.PyArray_TYPE(taps) if real and along else -1
        self.too_long = <ptrdiff_t>numpy.iinfo(numpy.intp).max

    def __call__(self, x, out=None):
        """The signal with the kernel."""
        if self.plain and np.PyArray_CheckExact(x):
            if (
                out is None
                and np.PyArray_TYPE(<np.ndarray>x) == self.small_type
                and is_plain(<np.ndarray>x)
            ):
                result = self.small(<np.ndarray>x)
                if result is not None:
                    return result
        if self.workers == 0:
            return self.answer(x, out)
        cdef int before = fc_set_thread_workers(self.workers)
        try:
            return self.answer(x, out)
        finally:
            fc_set_thread_workers(before)

    @cython.final
    cdef object answer(self, x, out):
        if self.plain and np.PyArray_CheckExact(x):
            result = self.at_once(<np.ndarray>x, out)
            if result is not None:
                return result
        return self.general(x, out)

    # A signal that direct sums serve best: no job, no store. What fc_small declines it declines
    # of longer signals as well, and is not asked again.
    @cython.final
    cdef object small(self, np.ndarray x):
        cdef fc_axis axis
        axis.n, axis.m = np.PyArray_DIM(x, 0), np.PyArray_DIM(self.taps, 0)
        if axis.n >= self.too_long or not is_dense(x):
            return None
        if not set_window_by(self.rules, self.mode, self.ahead, &axis):
            return None
        cdef np.npy_intp size = axis.hi - axis.lo
        cdef bint turned = axis.n >= axis.m and self.mirrored is not None
        out = np.PyArray_SimpleNew(1, &size, self.small_type)
        if not fc_small(
            <fc_dtype>dtype_of(self.small_type), np.PyArray_DATA(x), axis.n,
            np.PyArray_DATA(self.mirrored if turned else self.taps), axis.m, turned,
            axis.lo, axis.hi, np.PyArray_DATA(<np.ndarray>out)
        ):
            self.too_long = axis.n
            return None
        self.seen[0] = axis.n
        return out

    @cython.final
    cdef object at_once(self, np.ndarray x, out):
        cdef int d, axes = np.PyArray_NDIM(self.taps)
        cdef fc_job job
        cdef Spectra store = self.kept()
        if not share_dtype(x, self.taps):
            return None
        set_defaults(&job)
        job.method, job.accuracy, job.separable = self.method, self.accuracy, self.separable
        job.spectra = store.store
        result = solve_axes(
            &job, x, self.taps, self.axes, self.rules, self.mode, self.ahead, self.boundary,
            self.fillvalue, out
        )
        for d in range(axes if result is not None else 0):
            self.seen[d] = job.axis[d].n
        return result

    @cython.final
    cdef Spectra kept(self):
        if self.store is None:
            raise AttributeError("there is no kernel: __init__ did not succeed")
        # Other threads may still read from a full store: it lives as long as they hold it.
        if fc_spectra_full(self.store.store):
            self.store = Spectra(self.taps)
        return self.store

    @property
    def spectra(self):
        """The store, for jobs that are made elsewhere."""
        return self.kept()

    def general(self, x, out):
        """The answer where the signal is not plain."""
        raise NotImplementedError

    @property
    def last(self):
        """The lengths of the last plain signal; zeros before it."""
        if self.taps is None:
            return ()
        return tuple([self.seen[d] for d in range(np.PyArray_NDIM(self.taps))])


@cython.final
cdef class LineStream:
    """
    The engine's stream of lines.

    Parameters
    ----------
    job : Job
        What one push would be: on one axis, after those of its batch. Of its
        window and the signal's length nothing is used.
    v : ndarray
        The job's kernel.
    dtype : numpy.dtype
        Of the results.
    axis : int
        Where the one axis lies in the arrays that are pushed.
    workers : int
        At most so many threads a push; 0: as many as the calling thread's calls have.
    """

    cdef fc_stream *stream
    cdef Job job
    cdef int axis
    cdef fc_dtype dtype
    cdef int type_num  # of the result: fc_dtype knows no sign
    cdef bint busy
    cdef readonly ptrdiff_t samples  # since it began; a push that fails ends the signal

    def __cinit__(self, Job job, np.ndarray v, dtype, int axis, int workers):
        cdef fc_array from_v
        self.type_num = dtype.num
        job.job.workers = workers
        self.job, self.axis = job, axis
        self.dtype = max(job.job.a_dtype, job.job.v_dtype)
        view(v, &from_v)
        self.stream = fc_stream_new(&job.job, &from_v)
        if self.stream == NULL:
            raise MemoryError("not enough memory for the state of this stream")

    def __dealloc__(self):
        if self.stream != NULL:
            fc_stream_free(self.stream)

    def push(self, np.ndarray x, np.ndarray out):
        """Fill `out` with the outputs that the samples `x` complete."""
        cdef ptrdiff_t n = np.PyArray_DIM(x, self.axis)
        if not self.fits(x, n) or engine_dtype(x.dtype) != self.job.job.a_dtype:
            raise ValueError(f"the stream is for other arrays than {x.dtype} {(<object>x).shape}")
        self.check_out(out, n)
        self.run(x, n, out)

    cdef int run(self, np.ndarray x, ptrdiff_t n, np.ndarray out) except -1:
        cdef fc_array from_x, to
        cdef fc_status status
        self.view(x, &from_x)
        self.view(out, &to)
        self.enter()
        with nogil:
            status = fc_stream_push(self.stream, &from_x, n, &to)
            if status != FC_OK:
                fc_stream_reset(self.stream)
        self.samples = self.samples + n if status == FC_OK else 0
        self.busy = False
        return check(status)

    def push_plain(self, x):
        """The outputs for samples that can be read as they are, else None."""
        if not np.PyArray_CheckExact(x):
            return None
        cdef np.ndarray block = x
        cdef int dtype = dtype_of(np.PyArray_TYPE(block))
        cdef bint plain = (
            np.PyArray_TYPE(block) == self.type_num
            and dtype == self.job.job.a_dtype == self.dtype != FC_BOOL
            and self.axis < np.PyArray_NDIM(block)
            and np.PyArray_CHKFLAGS(block, np.NPY_ARRAY_ALIGNED)
            and np.PyArray_ISNOTSWAPPED(block)
            and self.fits(block, np.PyArray_DIM(block, self.axis))
        )
        if not plain:
            return None
        out = np.PyArray_SimpleNew(
            np.PyArray_NDIM(block), np.PyArray_DIMS(block), np.PyArray_TYPE(block)
        )
        self.run(block, np.PyArray_DIM(block, self.axis), <np.ndarray>out)
        return out

    def tail(self, ptrdiff_t lo, ptrdiff_t hi, np.ndarray out):
        """Fill `out` with outputs lo .. hi - 1, zeros behind the last sample, and start anew."""
        cdef fc_array to
        cdef fc_status status
        self.check_out(out, hi - lo)
        self.view(out, &to)
        self.enter()
        with nogil:
            status = fc_stream_tail(self.stream, lo, hi, &to)
            fc_stream_reset(self.stream)
        self.samples = 0
        self.busy = False
        check(status)

    cdef int enter(self) except -1:
        if self.busy:
            raise RuntimeError("a stream is for one thread at a time: another push still runs")
        self.busy = True
        return 0

    cdef int check_out(self, np.ndarray out, ptrdiff_t n) except -1:
        if not self.fits(out, n) or engine_dtype(out.dtype) != self.dtype:
            raise ValueError(f"the result is not {out.dtype} {(<object>out).shape}")
        return 0

    # Has x n samples on the axis, and beside it the batch?
    cdef bint fits(self, np.ndarray x, ptrdiff_t n) noexcept:
        cdef int d, b = 0
        cdef bint good = np.PyArray_NDIM(x) == self.job.job.nbatch + 1
        for d in range(np.PyArray_NDIM(x) if good else 0):
            if d == self.axis:
                good = good and np.PyArray_DIM(x, d) == n
            else:
                good = good and np.PyArray_DIM(x, d) == self.job.job.batch[b]
                b += 1
        return good

    # With the axis last.
    cdef void view(self, np.ndarray x, fc_array *array) noexcept:
        cdef int d, b = 0
        array.data = np.PyArray_DATA(x)
        for d in range(np.PyArray_NDIM(x)):
            if d != self.axis:
                array.stride[b] = np.PyArray_STRIDE(x, d)
                b += 1
        array.stride[b] = np.PyArray_STRIDE(x, self.axis)
