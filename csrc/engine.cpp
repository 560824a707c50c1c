// fc_run: from a job to methods on dense problems of at most two axes, and the
// one place where exceptions become a status.
#include "engine.h"

#include <string.h>

#include <new>
#include <utility>

#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

// The part of a job that is the same for every batch member: shapes, windows
// and strides of the convolved axes.
struct Member {
  int ndim;
  Index n[FC_MAX_NDIM], m[FC_MAX_NDIM], count[FC_MAX_NDIM];  // count: outputs, hi - lo
  const Index *a_stride, *v_stride, *out_stride;
  Index a_item, v_item, out_item;
};

Index product(int ndim, const Index* shape) {
  Index count = 1;
  for (int d = 0; d < ndim; ++d) count *= shape[d];
  return count;
}

bool rows_are_dense(int ndim, const Index* stride, const Index* shape, Index item) {
  return shape[ndim - 1] == 1 || stride[ndim - 1] == item;
}

bool aligned(const void* p, int ndim, const Index* stride, fc_dtype dtype) {
  const Index item = is_complex(dtype) ? kItemSize[dtype] / 2 : kItemSize[dtype];
  Index bits = reinterpret_cast<intptr_t>(p);
  for (int d = 0; d < ndim; ++d) bits |= stride[d];
  return bits % item == 0;
}

// An array with dense, aligned rows: the caller's where it has them, else a copy.
struct Rows {
  char* data;
  Index stride[FC_MAX_NDIM];

  Rows(Scratch& scratch, char* from, int ndim, const Index* shape, const Index* from_stride,
       fc_dtype dtype, bool writable_copy = false) {
    const Index item = kItemSize[dtype];
    if (!writable_copy && rows_are_dense(ndim, from_stride, shape, item) &&
        aligned(from, ndim, from_stride, dtype)) {
      data = from;
      memcpy(stride, from_stride, sizeof(Index) * size_t(ndim));
      return;
    }
    data = scratch.take<char>(product(ndim, shape) * item);
    dense_strides(ndim, shape, item, stride);
    copy({data, ndim, shape, stride}, {from, ndim, shape, from_stride}, item);
  }
};

// Facts are the job's: of a and v as they stood before they changed roles.
void solve(const Problem& p, bool swapped, const fc_job& job, const fc_candidate& how,
           Context& context) {
  if (how.method == FC_DIRECT) return direct(p, context);
  if (is_float(p.a_dtype)) return guarded(p, how, job.accuracy, context);
  fc_facts facts = job.facts;
  if (swapped) {
    std::swap(facts.a_max, facts.v_max);
    std::swap(facts.a_norm, facts.v_norm);
  }
  exact(p, how, facts, context);
}

// Two axes, and the kernel no longer than the signal.
Problem flat_problem(const fc_job& job, const Extent& row, const Extent& col, const Rows& a,
                     const Rows& v, const Rows& out) {
  const int last = job.ndim - 1;
  Problem p = {};
  p.a_dtype = job.a_dtype;
  p.v_dtype = job.v_dtype;
  p.rows = row.n, p.kh = row.m, p.row_lo = row.lo, p.row_hi = row.hi;
  p.cols = col.n, p.kw = col.m, p.col_lo = col.lo, p.col_hi = col.hi;
  p.a = a.data, p.v = v.data, p.out = out.data;
  if (last > 0) p.a_row = a.stride[last - 1], p.v_row = v.stride[last - 1];
  if (last > 0) p.out_row = out.stride[last - 1];
  return p;
}

// More than two axes: each 2-D slice of the result is the sum of the 2-D
// convolutions of those slices of a and v whose leading indices add up to its own.
void sum_of_slices(Problem p, const Extent* extent, int leading, const Index* a_stride,
                   const Index* v_stride, const Index* out_stride, int d, Context& context) {
  if (d == leading) return direct(p, context);
  const Problem base = p;
  for (Index i = extent[d].lo; i < extent[d].hi; ++i) {
    for (Index k = 0; k < extent[d].m; ++k) {
      if (i - k < 0 || i - k >= extent[d].n) continue;
      p.a = base.a + (i - k) * a_stride[d];
      p.v = base.v + k * v_stride[d];
      p.out = base.out + (i - extent[d].lo) * out_stride[d];
      sum_of_slices(p, extent, leading, a_stride, v_stride, out_stride, d + 1, context);
    }
  }
}

void fill_item(const fc_job& job, char* item) {
  if (is_complex(job.a_dtype) || is_float(job.a_dtype)) {
    const float singles[2] = {float(job.fill[0]), float(job.fill[1])};
    if (is_single(job.a_dtype)) {
      memcpy(item, singles, sizeof singles);
    } else {
      memcpy(item, job.fill, sizeof job.fill);
    }
  } else {
    memcpy(item, &job.fill_bits,
           sizeof job.fill_bits);  // little-endian: the low bytes are the item
  }
}

// One batch member: brings its arrays into shape, lets act(problem, swapped) do the work
// and brings the result home.
template <class Act>
void with_problem(const fc_job& job, char* a_data, const Index* a_stride, char* v_data,
                  const Index* v_stride, char* out_data, const Index* out_stride, Act act,
                  Context& context) {
  Scratch scratch;
  const int ndim = job.ndim;
  Extent extent[FC_MAX_NDIM];
  Index n[FC_MAX_NDIM], m[FC_MAX_NDIM], count[FC_MAX_NDIM];
  for (int d = 0; d < ndim; ++d) {
    extent[d] = resolve(job, d);
    n[d] = job.axis[d].n;
    m[d] = job.axis[d].m;
    count[d] = extent[d].hi - extent[d].lo;
  }
  const fc_dtype out_dtype = result_dtype(job.a_dtype, job.v_dtype);
  const Index item = kItemSize[job.a_dtype], out_item = kItemSize[out_dtype];

  const bool conjugates = job.conjugate && is_complex(job.v_dtype);
  const Rows v(scratch, v_data, ndim, m, v_stride, job.v_dtype, conjugates);
  if (conjugates) conjugate(job.v_dtype, v.data, product(ndim, m));

  Index extended_stride[FC_MAX_NDIM];
  if (extends(job)) {
    Index first[FC_MAX_NDIM], extended[FC_MAX_NDIM];
    fc_boundary boundary[FC_MAX_NDIM];
    for (int d = 0; d < ndim; ++d) {
      first[d] = job.axis[d].lo - (m[d] - 1);
      extended[d] = extent[d].n;
      boundary[d] = job.axis[d].boundary;
    }
    char fill[16];
    fill_item(job, fill);
    char* dense = scratch.take<char>(product(ndim, extended) * item);
    extend(dense, extended, {a_data, ndim, n, a_stride}, first, boundary, fill, item);
    memcpy(n, extended, sizeof(Index) * size_t(ndim));
    dense_strides(ndim, n, item, extended_stride);
    a_data = dense;
    a_stride = extended_stride;
  }
  const Rows a(scratch, a_data, ndim, n, a_stride, job.a_dtype);

  const bool in_place = rows_are_dense(ndim, out_stride, count, out_item) &&
                        aligned(out_data, ndim, out_stride, out_dtype);
  Index own_stride[FC_MAX_NDIM];
  dense_strides(ndim, count, out_item, own_stride);
  char* own = in_place ? out_data : scratch.take<char>(product(ndim, count) * out_item);
  const Rows out(scratch, own, ndim, count, in_place ? out_stride : own_stride, out_dtype);

  const Extent one_row = {1, 1, 0, 1};
  const Extent row = ndim > 1 ? extent[ndim - 2] : one_row, col = extent[ndim - 1];
  Problem p = flat_problem(job, row, col, a, v, out);
  if (ndim > 2) {
    for (Index r = 0; r < product(ndim - 1, count); ++r) {
      Index offset = 0, rest = r;
      for (int d = ndim - 2; d >= 0; --d) {
        offset += rest % count[d] * out.stride[d];
        rest /= count[d];
      }
      memset(out.data + offset, 0, size_t(count[ndim - 1] * out_item));
    }
    p.accumulate = true;
    sum_of_slices(p, extent, ndim - 2, a.stride, v.stride, out.stride, 0, context);
  } else {
    const bool swap = swaps(row, col);
    act(swap ? swapped(p) : p, swap);
  }
  if (!in_place) {
    copy({out_data, ndim, count, out_stride}, {out.data, ndim, count, out.stride}, out_item);
  }
}

// Calls act for every batch member.
template <class Act>
void for_each_problem(const fc_job& job, const fc_array& a, const fc_array& v, const fc_array& out,
                      Act act, Context& context) {
  for (int d = 0; d < job.ndim; ++d) {
    if (job.axis[d].lo == job.axis[d].hi) return;
  }
  Index index[FC_MAX_NDIM] = {};
  char *a_data = static_cast<char*>(a.data), *v_data = static_cast<char*>(v.data),
       *out_data = static_cast<char*>(out.data);
  const int nb = job.nbatch;
  for (Index left = product(nb, job.batch); left > 0; --left) {
    with_problem(job, a_data, a.stride + nb, v_data, v.stride + nb, out_data, out.stride + nb, act,
                 context);
    for (int d = nb - 1; d >= 0; --d) {
      a_data += a.stride[d], v_data += v.stride[d], out_data += out.stride[d];
      if (++index[d] < job.batch[d]) break;
      a_data -= a.stride[d] * index[d], v_data -= v.stride[d] * index[d];
      out_data -= out.stride[d] * index[d];
      index[d] = 0;
    }
  }
}

void run(const fc_job& job, const fc_candidate& how, const fc_array& a, const fc_array& v,
         const fc_array& out) {
  Context context(kernels(fc_level()), job.poll, job.poll_context);
  const auto act = [&](const Problem& p, bool swapped) { solve(p, swapped, job, how, context); };
  for_each_problem(job, a, v, out, act, context);
}

template <class Work>
fc_status caught(Work work) {
  try {
    work();
    return FC_OK;
  } catch (const std::bad_alloc&) {
    return FC_NO_MEMORY;
  } catch (const Interrupted&) {
    return FC_INTERRUPTED;
  }
}

// Calls visit(row, count) for every dense row of an array, batch axes included.
template <class Visit>
void for_each_row(const fc_job& job, const fc_array& array, bool is_a, fc_dtype dtype,
                  Visit visit) {
  Index shape[2 * FC_MAX_NDIM];
  const int ndim = job.nbatch + job.ndim;
  for (int d = 0; d < ndim; ++d) {
    const fc_axis& axis = job.axis[d - job.nbatch];
    shape[d] = d < job.nbatch ? (array.stride[d] ? job.batch[d] : 1) : is_a ? axis.n : axis.m;
  }
  Scratch scratch;
  const Rows rows(scratch, static_cast<char*>(array.data), ndim, shape, array.stride, dtype);
  for (Index r = 0; r < product(ndim - 1, shape); ++r) {
    Index offset = 0, rest = r;
    for (int d = ndim - 2; d >= 0; --d) {
      offset += rest % shape[d] * rows.stride[d];
      rest /= shape[d];
    }
    visit(rows.data + offset, shape[ndim - 1]);
  }
}

void scan(fc_job& job, const fc_array& a, const fc_array& v) {
  Context context(kernels(fc_level()), job.poll, job.poll_context);
  Magnitudes of_a, of_v;
  for_each_row(job, a, true, job.a_dtype, [&](const char* row, Index count) {
    measure(job.a_dtype, row, count, context.kernels, of_a);
  });
  for_each_row(job, v, false, job.v_dtype, [&](const char* row, Index count) {
    measure(job.v_dtype, row, count, context.kernels, of_v);
  });
  fc_facts& facts = job.facts;
  facts.a_bad = of_a.bad;
  facts.v_finite = of_v.bad == 0;
  facts.a_max = of_a.max, facts.a_norm = of_a.norm();
  facts.v_max = of_v.max, facts.v_norm = of_v.norm();
  facts.repair_macs = 0;
  facts.known = 0;
  fc_plan plan;
  fc_choose(&job, &plan);
  if (is_float(job.a_dtype) && plan.chosen.method != FC_DIRECT) {
    fc_array nowhere = {};
    Index count[2 * FC_MAX_NDIM];
    for (int d = 0; d < job.nbatch; ++d) count[d] = job.batch[d];
    for (int d = 0; d < job.ndim; ++d) count[job.nbatch + d] = job.axis[d].hi - job.axis[d].lo;
    dense_strides(job.nbatch + job.ndim, count, kItemSize[result_dtype(job.a_dtype, job.v_dtype)],
                  nowhere.stride);
    const auto act = [&](const Problem& p, bool) {
      facts.repair_macs += repair_macs(p, plan.chosen, job.accuracy, context);
    };
    for_each_problem(job, a, v, nowhere, act, context);
  }
  facts.known = 1;
}

}  // namespace

void Context::poll() {
  spent_ = 0;
  if (poll_ && poll_(poll_context_)) throw Interrupted{};
}

fc_dtype result_dtype(fc_dtype a, fc_dtype v) { return is_complex(a) ? a : v; }

Pair pair_of(fc_dtype a, fc_dtype v) {
  switch (a) {
    case FC_F32: return v == FC_F32 ? kF32 : kF32_C64;
    case FC_F64: return v == FC_F64 ? kF64 : kF64_C128;
    case FC_C64: return v == FC_C64 ? kC64 : kC64_F32;
    case FC_C128: return v == FC_C128 ? kC128 : kC128_F64;
    case FC_BOOL: return kBool;
    default: return Pair(kI8 + (a - FC_I8));
  }
}

bool extends(const fc_job& job) {
  bool all_fill = true;
  for (int d = 0; d < job.ndim; ++d) all_fill &= job.axis[d].boundary == FC_FILL;
  return !all_fill || job.fill[0] != 0 || job.fill[1] != 0 || job.fill_bits != 0;
}

Extent resolve(const fc_job& job, int d) {
  const fc_axis& axis = job.axis[d];
  if (!extends(job)) return {axis.n, axis.m, axis.lo, axis.hi};
  const Index count = axis.hi - axis.lo;
  return {count + axis.m - 1, axis.m, axis.m - 1, axis.m - 1 + count};
}

Problem swapped(Problem p) {
  std::swap(p.a_dtype, p.v_dtype);
  std::swap(p.rows, p.kh);
  std::swap(p.cols, p.kw);
  std::swap(p.a, p.v);
  std::swap(p.a_row, p.v_row);
  return p;
}

bool swaps(const Extent& row, const Extent& col) { return row.m >= row.n && col.m > col.n; }

}  // namespace fastconv

extern "C" {

using namespace fastconv;

fc_status fc_scan(fc_job* job, const fc_array* a, const fc_array* v) {
  return caught([&] { scan(*job, *a, *v); });
}

fc_status fc_run(const fc_job* job, const fc_plan* plan, const fc_array* a, const fc_array* v,
                 const fc_array* out) {
  return caught([&] {
    if (plan) return run(*job, plan->chosen, *a, *v, *out);
    fc_plan own;
    fc_choose(job, &own);
    if (own.chosen.ring != FC_ROUNDED || job->facts.known) {
      return run(*job, own.chosen, *a, *v, *out);
    }
    fc_job scanned = *job;
    scan(scanned, *a, *v);
    fc_choose(&scanned, &own);
    run(scanned, own.chosen, *a, *v, *out);
  });
}
}
