// fc_run: from a job to methods on dense problems of at most two axes.
#include "engine.h"

#include <inttypes.h>

#include <algorithm>
#include <utility>

#include "arrange.h"
#include "boundary.h"
#include "last_plan.h"
#include "runtime.h"
#include "spectra.h"
#include "status.h"
#include "views.h"

namespace fastconv {
namespace {

// Facts are the job's: of a and v as they stood before they changed roles.
void solve(const Problem& p, bool swapped, const fc_job& job, const fc_candidate& how,
           Context& context) {
  if (how.method == FC_SEPARABLE) return separable(p, context);
  if (how.method == FC_DIRECT) {
    for (Index k = 0; k < p.kernels; ++k) direct(kernel_of(p, k), context);
    return;
  }
  if (is_float(p.a_dtype)) return guarded(p, how, job.accuracy, context);
  fc_facts facts = job.facts;
  if (swapped) {
    std::swap(facts.a_max, facts.v_max);
    std::swap(facts.a_norm, facts.v_norm);
  }
  exact(p, how, facts, context);
}

// v as it is multiplied: conjugated where that is asked for.
fc_array taken(Scratch& scratch, const fc_job& job, const fc_array& v) {
  if (!job.conjugate || !is_complex(job.v_dtype)) return v;
  const int ndim = job.nbatch + job.ndim;
  Index shape[2 * FC_MAX_NDIM];
  fc_array own = {};
  for (int d = 0; d < ndim; ++d) {
    const int x = d - job.nbatch;
    shape[d] = x >= 0 ? job.axis[x].m : v.stride[d] ? job.batch[d] : 1;
  }
  const Index item = kItemSize[job.v_dtype], bytes = bytes_of(ndim, shape, item);
  own.data = scratch.take<char>(bytes);
  dense_strides(ndim, shape, item, own.stride);
  copy({static_cast<char*>(own.data), ndim, shape, own.stride},
       {static_cast<char*>(v.data), ndim, shape, v.stride}, item);
  for (int d = 0; d < job.nbatch; ++d) own.stride[d] = v.stride[d] ? own.stride[d] : 0;
  conjugate(job.v_dtype, static_cast<char*>(own.data), bytes / item);
  return own;
}

// Calls visit(row, count) for every row of an array, dense, in the order of memory;
// batch axes along which it does not change are taken once.
template <class Visit>
void for_each_row(const fc_job& job, const fc_array& array, bool is_a, fc_dtype dtype,
                  Visit visit) {
  Index shape[2 * FC_MAX_NDIM], stride[2 * FC_MAX_NDIM];
  int ndim = 0;
  for (int d = 0; d < job.nbatch + job.ndim; ++d) {
    const fc_axis* axis = d < job.nbatch ? nullptr : &job.axis[d - job.nbatch];
    const Index length = !axis ? job.batch[d] : is_a ? axis->n : axis->m;
    if (length == 1 || (!axis && array.stride[d] == 0)) continue;
    int at = ndim++;
    for (; at > 0 && imaxabs(stride[at - 1]) < imaxabs(array.stride[d]); --at) {
      shape[at] = shape[at - 1], stride[at] = stride[at - 1];
    }
    shape[at] = length, stride[at] = array.stride[d];
  }
  if (ndim == 0) shape[0] = 1, stride[0] = kItemSize[dtype], ndim = 1;
  // Axes through which one stride steps are one: rows are then as long as they can be.
  int last = 0;
  for (int d = 1; d < ndim; ++d) {
    const bool one = stride[last] == shape[d] * stride[d];
    last += !one;
    shape[last] = one ? shape[last] * shape[d] : shape[d], stride[last] = stride[d];
  }
  ndim = last + 1;
  const View view = {static_cast<char*>(array.data), ndim, shape, stride};
  for (Index r = 0; r < product(ndim - 1, shape); ++r) {
    for_each_run(view.data + row_offset(view, r), stride[ndim - 1], shape[ndim - 1], dtype, kRun,
                 visit);
  }
}

Magnitudes measured(const fc_job& job, const fc_array& array, bool is_a, Context& context) {
  const fc_dtype dtype = is_a ? job.a_dtype : job.v_dtype;
  Magnitudes m;
  for_each_row(job, array, is_a, dtype, [&](const char* row, Index count) {
    measure(dtype, row, count, context.kernels, m);
  });
  return m;
}

using SolvePart =
    FunctionRef<void(const Problem&, bool swapped, const fc_job&, const fc_candidate&, Context&)>;

// Where v is one tap long, lines lie across that axis, and all of them are taken: those that the
// window leaves out must be none of them.
Problem of_the_window(Problem p) {
  if (p.kh == 1) {
    p.a += p.row_lo * p.a_row;
    p.rows = p.row_hi -= p.row_lo;
    p.row_lo = 0;
  }
  if (p.kw == 1) {
    p.a += p.col_lo * a_step(p);
    p.cols = p.col_hi -= p.col_lo;
    p.col_lo = 0;
  }
  return p;
}

// Is v a itself? As told by where they lie, so that strides and copies of them change nothing.
bool is_square(const fc_job& job, const fc_array& a, const fc_array& v) {
  bool same = a.data == v.data && job.a_dtype == job.v_dtype && job.nbatch == 0 && job.ndim <= 2 &&
              !job.spectra && !extends(job);
  for (int d = 0; d < job.ndim; ++d) {
    same &= job.axis[d].n == job.axis[d].m && a.stride[d] == v.stride[d];
  }
  return same;
}

// Every dense problem that the job comes to. Borders and turns choose for themselves, within
// what `how` allows.
void for_each_problem(const fc_job& job, const fc_candidate& how, const fc_array& a,
                      const fc_array& v, const fc_array& out, SolvePart solve, Context& context) {
  Scratch scratch;
  const fc_array taps = taken(scratch, job, v);
  const bool square = is_square(job, a, taps);
  const auto arranged = [&](const fc_job& piece, const fc_candidate& way, const fc_array& part,
                            const fc_array& kernel, const fc_array& to) {
    arrange(
        piece, way, part, kernel, to,
        [&](const Problem& p, bool swapped, Context& own) {
          Problem q = of_the_window(p);
          q.square = square;
          solve(q, swapped, piece, way, own);
        },
        context);
  };
  if (!extends(job)) return arranged(job, how, a, taps, out);
  if (!transforms(how.method) && pays_to_pad(job)) {
    const Padded padded(scratch, job, a);
    return arranged(padded.job, how, padded.array, taps, out);
  }
  for_each_piece(job, a, taps, out,
                 [&](const fc_job& piece, const fc_array& part, const fc_array& kernel,
                     const fc_array& to, bool own_way) {
                   if (!own_way) return arranged(piece, how, part, kernel, to);
                   fc_job asked = piece;
                   if (how.method == FC_DIRECT) asked.method = FC_DIRECT;
                   fc_plan own;
                   fc_choose(&asked, &own);
                   arranged(piece, own.chosen, part, kernel, to);
                 });
}

void run(const fc_job& job, const fc_plan& plan, const fc_array& a, const fc_array& v,
         const fc_array& out) {
  Context context(kernels(fc_level()), job.poll, job.poll_context, plan.workers);
  for_each_problem(
      job, plan.chosen, a, v, out,
      [](const Problem& p, bool swapped, const fc_job& piece, const fc_candidate& way,
         Context& own) { solve(p, swapped, piece, way, own); },
      context);
}

// The two axes of a job whose one kernel may be an outer product, whatever a is.
bool may_separate(const fc_job& job, int (&axes)[FC_MAX_NDIM]) {
  if (job.separable == FC_SEPARABLE_NEVER || is_complex(job.v_dtype)) return false;
  if (job.method != FC_AUTO && job.separable == FC_SEPARABLE_AUTO) return false;
  for (int d = 0; d < job.nbatch; ++d) {
    if (job.batch[d] != 1 && job.shared[d] != FC_SHARES_V) return false;
  }
  axes[0] = 0, axes[1] = 1;
  return job.ndim == 2 || convolved_axes(job, axes) == 2;
}

void factor(fc_job& job, const fc_array& v) {
  int axes[FC_MAX_NDIM];
  job.facts.outer_product = -1;
  if (!may_separate(job, axes)) return;
  Scratch scratch;
  Index shape[2], stride[2], dense[2];
  for (int d = 0; d < 2; ++d) {
    shape[d] = job.axis[axes[d]].m, stride[d] = v.stride[job.nbatch + axes[d]];
  }
  const Index item = kItemSize[job.v_dtype];
  dense_strides(2, shape, item, dense);
  char* kernel = scratch.take<char>(bytes_of(2, shape, item));
  copy({kernel, 2, shape, dense}, {static_cast<char*>(v.data), 2, shape, stride}, item);
  if (is_outer_product(job.v_dtype, kernel, shape[0], shape[1])) job.facts.outer_product = 1;
}

// Is a look at the kernel, some 300 ns and 5 a tap, a small part of what is planned?
bool worth_factoring(const fc_job& job, const fc_plan& plan) {
  int axes[FC_MAX_NDIM];
  if (job.ndim < 2 || job.facts.outer_product != 0 || !may_separate(job, axes)) return false;
  if (convolved_axes(job, axes) != 2) return false;
  const double taps = double(job.axis[axes[0]].m) * double(job.axis[axes[1]].m);
  return job.separable == FC_SEPARABLE_ALWAYS || plan.chosen.predicted_ns > 6000 + 200 * taps;
}

// The plan as far as a's data does not matter. Returns facts.outer_product.
int planned(const fc_job& job, const fc_array& v, fc_plan& plan) {
  int outer_product = job.facts.outer_product;
  const bool keeps = job.spectra && job.spectra->is_fixed(v.data) && !job.facts.known;
  if (keeps && job.spectra->last_plan.recall(job, v, plan, outer_product)) return outer_product;
  job.facts.known ? fc_choose(&job, &plan) : choose_again(job, plan);
  if (worth_factoring(job, plan)) {
    fc_job learned = job;
    factor(learned, v);
    fc_choose(&learned, &plan);
    outer_product = learned.facts.outer_product;
  }
  if (keeps) job.spectra->last_plan.keep(job, v, plan, outer_product);
  return outer_product;
}

// On one thread: sums must not depend on how many there are.
void scan(fc_job& job, const fc_array& a, const fc_array& v) {
  Context context(kernels(fc_level()), job.poll, job.poll_context, 1);
  const Magnitudes of_a = measured(job, a, true, context);
  const Magnitudes of_v = measured(job, v, false, context);
  fc_facts& facts = job.facts;
  facts.a_bad = of_a.bad;
  facts.v_finite = of_v.bad == 0;
  facts.a_max = of_a.max, facts.a_norm = of_a.norm();
  facts.v_max = of_v.max, facts.v_norm = of_v.norm();
  facts.repair_macs = 0;
  facts.in_double = 0;
  facts.known = !is_float(job.a_dtype);
  if (facts.known) return;
  fc_plan plan;
  fc_choose(&job, &plan);
  if (transforms(plan.chosen.method)) {
    fc_array nowhere = {};
    Index count[2 * FC_MAX_NDIM];
    for (int d = 0; d < job.nbatch; ++d) count[d] = job.batch[d];
    for (int d = 0; d < job.ndim; ++d) count[job.nbatch + d] = job.axis[d].hi - job.axis[d].lo;
    dense_strides(job.nbatch + job.ndim, count, kItemSize[result_dtype(job.a_dtype, job.v_dtype)],
                  nowhere.stride);
    Repair repair;
    for_each_problem(
        job, plan.chosen, a, v, nowhere,
        [&](const Problem& p, bool, const fc_job&, const fc_candidate& way, Context& own) {
          if (!transforms(way.method)) return;
          repair.add(repair_of(p, way, job.accuracy, own));
        },
        context);
    facts.repair_macs = repair.macs;
    facts.in_double = repair.in_double;
  }
  facts.known = 1;
}

}  // namespace

void run_within(const Volume& w, Context& context) {
  fc_job job = {};
  job.a_dtype = w.a_dtype, job.v_dtype = w.v_dtype;
  job.ndim = w.axes;
  job.workers = 1;
  fc_array a = {const_cast<char*>(w.a), {}}, v = {const_cast<char*>(w.v), {}}, out = {w.out, {}};
  for (int d = 0; d < w.axes; ++d) {
    const Convolved& axis = w.axis[d];
    job.axis[d] = {axis.extent.n, axis.extent.m, axis.extent.lo, axis.extent.hi, FC_FILL};
    a.stride[d] = axis.a, v.stride[d] = axis.v, out.stride[d] = axis.out;
  }
  fc_plan plan;
  fc_choose(&job, &plan);
  arrange(
      job, plan.chosen, a, v, out,
      [&](const Problem& p, bool swapped, Context& own) {
        solve(of_the_window(p), swapped, job, plan.chosen, own);
      },
      context);
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

}  // namespace fastconv

extern "C" {

using namespace fastconv;

fc_status fc_scan(fc_job* job, const fc_array* a, const fc_array* v) {
  return caught([&] {
    if (job->facts.outer_product == 0) factor(*job, *v);
    scan(*job, *a, *v);
  });
}

fc_status fc_factor(fc_job* job, const fc_array* v) {
  return caught([&] { factor(*job, *v); });
}

fc_status fc_run(const fc_job* job, const fc_plan* plan, const fc_array* a, const fc_array* v,
                 const fc_array* out) {
  return caught([&] {
    if (plan) return run(*job, *plan, *a, *v, *out);
    fc_plan own;
    const int outer_product = planned(*job, *v, own);
    const bool scans = own.chosen.ring == FC_ROUNDED && !job->facts.known;
    if (outer_product == job->facts.outer_product && !scans) return run(*job, own, *a, *v, *out);
    fc_job learned = *job;
    learned.facts.outer_product = outer_product;
    if (scans) scan(learned, *a, *v), choose_scanned(learned, own);
    run(learned, own, *a, *v, *out);
  });
}
}
