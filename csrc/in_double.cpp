// Single precision through transforms in double: what these lose of small values is below what
// single precision keeps, and no product of floats leaves the range. They take twice the time of
// those in single precision, which is less than direct sums of much that would be lost: where both
// operands of 'full' are long, corners and edges meet but a few products each.
#include "costs.h"
#include "engine.h"
#include "runtime.h"

namespace fastconv {
namespace {

fc_dtype wider(fc_dtype dtype) { return is_complex(dtype) ? FC_C128 : FC_F64; }

struct Picture {
  const char* data;
  Index row;
};

Picture widened(Scratch& scratch, fc_dtype dtype, Picture from, Index rows, Index cols) {
  const Index reals = cols * (is_complex(dtype) ? 2 : 1);
  double* copy = scratch.take<double>(rows * reals);
  for (Index r = 0; r < rows; ++r) {
    const float* x = reinterpret_cast<const float*>(from.data + r * from.row);
    for (Index i = 0; i < reals; ++i) copy[r * reals + i] = x[i];
  }
  return {reinterpret_cast<const char*>(copy), reals * Index(sizeof(double))};
}

void narrow(const double* from, Index reals, float* to, bool accumulate) {
  if (accumulate) {
    for (Index i = 0; i < reals; ++i) to[i] += float(from[i]);
  } else {
    for (Index i = 0; i < reals; ++i) to[i] = float(from[i]);
  }
}

bool changes_roles(const Problem& p) {
  return swaps({p.rows, p.kh, p.row_lo, p.row_hi}, {p.cols, p.kw, p.col_lo, p.col_hi});
}

}  // namespace

// Is that sooner done than so many direct multiply-adds?
bool pays_in_double(const Problem& p, double macs, Context& context) {
  constexpr double kLeastMacs = 1e5;  // of which choosing is a tenth
  if (!is_single(p.a_dtype) || macs < kLeastMacs) return false;
  fc_job job = job_of(p, context.workers());
  const Costs& costs = costs_of(fc_level());
  const Pair pair = pair_of(job.a_dtype, job.v_dtype);
  const bool flat = p.kh == 1 || p.kw == 1;
  job.a_dtype = wider(job.a_dtype), job.v_dtype = wider(job.v_dtype);
  fc_plan plan;
  fc_choose(&job, &plan);
  return plan.chosen.method != FC_DIRECT &&
         plan.chosen.predicted_ns * (flat ? costs.direct_rate : costs.direct2d_rate)[pair] < macs;
}

void in_double(const Problem& p, Context& context) {
  Scratch scratch;
  Problem q = p;
  const Picture a = widened(scratch, p.a_dtype, {p.a, p.a_row}, p.rows, p.cols);
  const Picture v = widened(scratch, p.v_dtype, {p.v, p.v_row}, p.kh, p.kw);
  q.a = a.data, q.a_row = a.row, q.a_dtype = wider(p.a_dtype);
  q.v = v.data, q.v_row = v.row, q.v_dtype = wider(p.v_dtype);
  const fc_dtype result = result_dtype(p.a_dtype, p.v_dtype);
  const Index rows = p.row_hi - p.row_lo;
  const Index reals = (p.col_hi - p.col_lo) * (is_complex(result) ? 2 : 1);
  double* out = scratch.take<double>(rows * reals);
  q.out = reinterpret_cast<char*>(out), q.out_row = reals * Index(sizeof(double));
  q.accumulate = false;
  q.spectra = nullptr;
  fc_job job = job_of(q, context.workers());
  fc_plan plan;
  fc_choose(&job, &plan);
  guarded(changes_roles(q) ? swapped(q) : q, plan.chosen, FC_ACCURACY_AUTO, context);
  for (Index r = 0; r < rows; ++r) {
    narrow(out + r * reals, reals, reinterpret_cast<float*>(p.out + r * p.out_row), p.accumulate);
  }
}

}  // namespace fastconv
