# csrc/fastconv.h, declaration for declaration; what they mean is said there.

cdef extern from "fastconv.h" nogil:
    enum:
        FC_MAX_NDIM
        FC_MAX_CANDIDATES
        FC_MOST_WORKERS

    ctypedef enum fc_status:
        FC_OK
        FC_NO_MEMORY
        FC_INTERRUPTED

    ctypedef enum fc_dtype:
        FC_F32
        FC_F64
        FC_C64
        FC_C128
        FC_I8
        FC_I16
        FC_I32
        FC_I64
        FC_BOOL
        FC_DTYPES

    ctypedef enum fc_boundary:
        FC_FILL
        FC_WRAP
        FC_SYMM

    ctypedef enum fc_method:
        FC_AUTO
        FC_DIRECT
        FC_OVERLAP
        FC_ONESHOT
        FC_SEPARABLE
        FC_METHODS

    ctypedef enum fc_sharing:
        FC_SHARES_NONE
        FC_SHARES_V
        FC_SHARES_A

    ctypedef enum fc_ring:
        FC_NATIVE
        FC_ROUNDED
        FC_RINGS

    ctypedef enum fc_accuracy:
        FC_ACCURACY_AUTO
        FC_NORMWISE
        FC_COMPONENTWISE

    ctypedef enum fc_separable:
        FC_SEPARABLE_AUTO
        FC_SEPARABLE_ALWAYS
        FC_SEPARABLE_NEVER

    ctypedef struct fc_axis:
        ptrdiff_t n, m
        ptrdiff_t lo, hi
        fc_boundary boundary

    ctypedef struct fc_facts:
        int known
        int v_finite
        ptrdiff_t a_bad
        double a_max, v_max
        double a_norm, v_norm
        double repair_macs
        int in_double
        int outer_product

    ctypedef struct fc_spectra:
        pass

    ctypedef int (*fc_poll)(void *context) noexcept

    ctypedef struct fc_job:
        int ndim
        int nbatch
        fc_axis axis[FC_MAX_NDIM]
        ptrdiff_t batch[FC_MAX_NDIM]
        fc_sharing shared[FC_MAX_NDIM]
        int after
        int in_order
        fc_dtype a_dtype, v_dtype
        int conjugate
        double fill[2]
        long long fill_bits
        fc_method method
        fc_accuracy accuracy
        fc_separable separable
        int workers
        fc_spectra *spectra
        fc_facts facts
        fc_poll poll
        void *poll_context

    ctypedef struct fc_array:
        void *data
        ptrdiff_t stride[FC_MAX_NDIM]

    ctypedef struct fc_candidate:
        fc_method method
        fc_ring ring
        ptrdiff_t block[2]
        int lanes
        int digits[2]
        double predicted_ns

    ctypedef struct fc_plan:
        fc_candidate chosen
        int level
        int workers
        int candidates
        fc_candidate candidate[FC_MAX_CANDIDATES]

    fc_status fc_scan(fc_job *job, const fc_array *a, const fc_array *v)
    fc_status fc_factor(fc_job *job, const fc_array *v)
    void fc_choose(const fc_job *job, fc_plan *plan)
    int fc_is_plan(const fc_job *job, const fc_candidate *how)
    int fc_list_plans(const fc_job *job, fc_candidate *plans, int most)
    fc_status fc_run(const fc_job *job, const fc_plan *plan, const fc_array *a,
                     const fc_array *v, const fc_array *out)
    fc_spectra *fc_spectra_new(size_t max_bytes, const void *fixed, size_t fixed_bytes)
    void fc_spectra_free(fc_spectra *spectra)
    size_t fc_spectra_bytes(const fc_spectra *spectra)
    int fc_spectra_full(const fc_spectra *spectra)
    int fc_small(fc_dtype dtype, const void *a, ptrdiff_t n, const void *v, ptrdiff_t m,
                 int reverse, ptrdiff_t lo, ptrdiff_t hi, void *out)

    ctypedef struct fc_stream:
        pass

    fc_stream *fc_stream_new(const fc_job *job, const fc_array *v)
    void fc_stream_free(fc_stream *stream)
    fc_status fc_stream_push(fc_stream *stream, const fc_array *x, ptrdiff_t n,
                             const fc_array *out)
    fc_status fc_stream_tail(fc_stream *stream, ptrdiff_t lo, ptrdiff_t hi, const fc_array *out)
    void fc_stream_reset(fc_stream *stream)

    int fc_workers()
    void fc_set_workers(int workers)
    int fc_default_workers()
    int fc_set_thread_workers(int workers)
    void fc_limit_workers(int workers)
    int fc_worker_limit()

    int fc_levels()
    const char *fc_level_name(int level)
    int fc_level_available(int level)
    int fc_level()
    int fc_use_level(int level)
    const char *fc_compiler()
    int fc_cost_fields()
    const char *fc_cost_name(int field)
    int fc_cost_size(int field)
    void fc_get_costs(int level, double *values)
    fc_status fc_set_costs(int level, const double *values)
    double fc_peak(int level, fc_dtype dtype)
