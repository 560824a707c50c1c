/* fastconv: the C face of the engine.
 *
 * One primitive stands behind every public name: the window [lo, hi) of the
 * full convolution of a with v, per axis,
 *
 *     full[i] = sum_k v[k] a[i - k],   0 <= i < n + m - 1.
 *
 * full, same and valid are three windows; correlation is convolution with v
 * reversed (a negative stride) and, for complex data, conjugated.
 *
 * The caller promises legal arguments: user mistakes are found before this
 * wall is reached. What can still go wrong comes back as an fc_status.
 */
#ifndef FASTCONV_H
#define FASTCONV_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FC_MAX_NDIM 64 /* numpy's own limit */
#define FC_MAX_CANDIDATES 12
/* More threads help nobody on a machine of today; it keeps workers=10**6 from using up those
 * that a process may have. */
#define FC_MOST_WORKERS 256

typedef enum { FC_OK = 0, FC_NO_MEMORY = 1, FC_INTERRUPTED = 2 } fc_status;

/* Unsigned integers share the bits of the signed ones: sums and products wrap
 * alike. Complex types are pairs (re, im). bool is one byte, 0 or 1. */
typedef enum {
  FC_F32,
  FC_F64,
  FC_C64,
  FC_C128,
  FC_I8,
  FC_I16,
  FC_I32,
  FC_I64,
  FC_BOOL,
  FC_DTYPES
} fc_dtype;

/* What a is beyond its ends: a constant, its own period, its mirror image
 * (the edge sample repeated). */
typedef enum { FC_FILL, FC_WRAP, FC_SYMM } fc_boundary;

/* Separable: two passes in two dimensions, where v is an outer product; chosen, never asked for. */
typedef enum { FC_AUTO, FC_DIRECT, FC_OVERLAP, FC_ONESHOT, FC_SEPARABLE, FC_METHODS } fc_method;

/* Two passes where they pay, wherever v is an outer product, or nowhere. */
typedef enum { FC_SEPARABLE_AUTO, FC_SEPARABLE_ALWAYS, FC_SEPARABLE_NEVER } fc_separable;

/* Which operand does not change along a batch axis (its stride is 0 there). */
typedef enum { FC_SHARES_NONE, FC_SHARES_V, FC_SHARES_A } fc_sharing;

/* Where a transform computes: in the dtype itself, or integers in f64 whose
 * proven error bound lets them be rounded. */
typedef enum { FC_NATIVE, FC_ROUNDED, FC_RINGS } fc_ring;

/* The promise on small values (docs/accuracy.md). */
typedef enum { FC_ACCURACY_AUTO, FC_NORMWISE, FC_COMPONENTWISE } fc_accuracy;

typedef struct {
  ptrdiff_t n, m;   /* lengths of a and of v, both >= 1 */
  ptrdiff_t lo, hi; /* outputs lo <= i < hi, 0 <= lo <= hi <= n + m - 1 */
  fc_boundary boundary;
} fc_axis;

/* What a scan learned of the data. */
typedef struct {
  int known;             /* 0: nothing below is filled in */
  int v_finite;          /* no NaN or Inf in v */
  ptrdiff_t a_bad;       /* how many non-finite samples a has */
  double a_max, v_max;   /* largest finite magnitude (of re and im) */
  double a_norm, v_norm; /* l2 norms of the finite samples */
  double repair_macs;    /* multiply-adds to redo what a transform would lose */
  int in_double;         /* so much of float32 that it is transformed in double */
  int outer_product;     /* v is one: 1, is none: -1, not looked at: 0, whatever is known */
} fc_facts;

/* Spectra of kernels, kept between calls (below). */
typedef struct fc_spectra fc_spectra;

/* Called without the GIL every few tens of milliseconds; nonzero stops. */
typedef int (*fc_poll)(void *context);

typedef struct {
  int ndim;                       /* convolved axes, 1 .. */
  int nbatch;                     /* axes that are only carried along */
  fc_axis axis[FC_MAX_NDIM];      /* one for each convolved axis */
  ptrdiff_t batch[FC_MAX_NDIM];   /* their lengths */
  fc_sharing shared[FC_MAX_NDIM]; /* by batch axis: what is the same all along it */
  /* So many batch axes, the last, follow the convolved axes in the caller's order. */
  int after;
  int in_order;              /* axes are taken in the order given, whichever is the longest */
  fc_dtype a_dtype, v_dtype; /* equal, or real and complex of one precision */
  int conjugate;             /* v is conjugated */
  double fill[2];            /* FC_FILL: re, im; integers in fill_bits */
  long long fill_bits;
  fc_method method; /* FC_AUTO, or the one to use wherever it is right */
  fc_accuracy accuracy;
  fc_separable separable;
  int workers;         /* at most so many */
  fc_spectra *spectra; /* where those of v are kept, or NULL */
  fc_facts facts;
  fc_poll poll; /* may be NULL */
  void *poll_context;
} fc_job;

/* Strides in bytes, batch axes first, then the convolved ones. */
typedef struct {
  void *data;
  ptrdiff_t stride[FC_MAX_NDIM];
} fc_array;

typedef struct {
  fc_method method;
  fc_ring ring;
  ptrdiff_t block[2]; /* transform lengths, complex points: rows, columns (1-D: 1, L), of
                         narrow strips columns, rows */
  int lanes;          /* 1: one transform a vector lane; 0: lanes inside one transform */
  int digits[2];      /* FC_ROUNDED: digits that a and v are split into */
  double predicted_ns;
} fc_candidate;

typedef struct {
  fc_candidate chosen;
  int level; /* index for fc_level_name */
  int workers;
  int candidates;
  fc_candidate candidate[FC_MAX_CANDIDATES]; /* what was compared, best first */
} fc_plan;

/* One pass over a and v; fills job->facts. Nothing is convolved. */
fc_status fc_scan(fc_job *job, const fc_array *a, const fc_array *v);

/* Is v, of a job with two convolved axes, an outer product? Fills facts.outer_product. */
fc_status fc_factor(fc_job *job, const fc_array *v);

/* Pure: no clock, no memory, no data; the same job gives the same plan. */
void fc_choose(const fc_job *job, fc_plan *plan);

/* Every plan that could do the job, by predicted time; at most so many, the best. Returns how
 * many. For measuring the choice. */
int fc_list_plans(const fc_job *job, fc_candidate *plans, int most);

/* Can the job be done so, at the level in use? What fc_run is given has to be such a plan. */
int fc_is_plan(const fc_job *job, const fc_candidate *how);

/* Writes the window of a * v to out, which overlaps neither. plan NULL: chosen
 * here, scanning the data where the choice turns on it; a plan that the data
 * forbids (an unproven rounding, lost small values) is replaced by direct. */
fc_status fc_run(const fc_job *job, const fc_plan *plan, const fc_array *a, const fc_array *v,
                 const fc_array *out);

/* The plain case without a plan, a job or facts: one axis, contiguous f32,
 * f64 or integers, few enough multiply-adds that direct is certain. Returns 0
 * and does nothing where it is not. reverse: v is taken from its end, as
 * correlation does. */
int fc_small(fc_dtype dtype, const void *a, ptrdiff_t n, const void *v, ptrdiff_t m, int reverse,
             ptrdiff_t lo, ptrdiff_t hi, void *out);

/* A store of kernels' spectra and whatever else is known of them alone, at most max_bytes, for
 * calls with the same v: each is made once, found again by the taps and the transform, and
 * lives as long as the store, which threads may share. Taps among the bytes from `fixed` on
 * (or NULL, 0) must not change in that time: nothing of them is compared or copied. NULL: no
 * memory. full: something has not fitted any more. */
fc_spectra *fc_spectra_new(size_t max_bytes, const void *fixed, size_t fixed_bytes);
void fc_spectra_free(fc_spectra *spectra);
size_t fc_spectra_bytes(const fc_spectra *spectra);
int fc_spectra_full(const fc_spectra *spectra);

/* A convolution whose a comes bit by bit: lines (of a job's batch axes, if any) that have
 * no end yet. The job is as for fc_run, on one axis; of axis[0] m alone counts, and v is
 * copied. A stream remembers O(m) samples a line. One thread at a time; of job->workers 0
 * stands for as many as each pushing thread's calls have. NULL: no memory. */
typedef struct fc_stream fc_stream;
fc_stream *fc_stream_new(const fc_job *job, const fc_array *v);
void fc_stream_free(fc_stream *stream);

/* n more samples of every line, and the n outputs that they complete. After a status other
 * than FC_OK the stream has to be reset. */
fc_status fc_stream_push(fc_stream *stream, const fc_array *x, ptrdiff_t n, const fc_array *out);

/* Outputs lo .. hi - 1, counted from the stream's first, with zeros behind the last sample;
 * they meet only samples that are remembered, the last m - 1. */
fc_status fc_stream_tail(fc_stream *stream, ptrdiff_t lo, ptrdiff_t hi, const fc_array *out);

/* As if nothing had been pushed. */
void fc_stream_reset(fc_stream *stream);

/* How many threads a call may use: fc_workers() is what the calling thread set for itself or,
 * where that is 0, the number for all, neither above the limit, which caps every call. */
int fc_workers(void);
void fc_set_workers(int workers);       /* for all */
int fc_set_thread_workers(int workers); /* for this thread; returns what it was */
int fc_default_workers(void);           /* what a thread has that set nothing */
void fc_limit_workers(int workers);     /* as many as for all, or more: no limit */
/* Seen from outside, unlike the rest: threadpoolctl knows the library by it. */
__attribute__((visibility("default"))) int fc_worker_limit(void);

/* Instruction-set levels, in order; level 0 is always built. */
int fc_levels(void);                  /* how many this build holds */
const char *fc_level_name(int level); /* "sse2", "avx2", "avx512", "neon", "plain" */
int fc_level_available(int level);    /* can this CPU run it */
int fc_level(void);                   /* in use */
int fc_use_level(int level);          /* steps to an available one; returns the level in use */
const char *fc_compiler(void);

/* What the choice believes of a level, as fields of one or more numbers. A level begins with
 * what the build ships; what is set holds for choices made from then on, of any thread.
 * values NULL: the shipped ones again. */
int fc_cost_fields(void);
const char *fc_cost_name(int field);
int fc_cost_size(int field);
void fc_get_costs(int level, double *values); /* all fields, one after another */
fc_status fc_set_costs(int level, const double *values);

/* Multiply-adds a nanosecond of independent FMA chains at the widest vector:
 * the ceiling that benchmarks state their share of. */
double fc_peak(int level, fc_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
