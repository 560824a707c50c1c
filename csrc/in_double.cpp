// Single precision through transforms in double: what these lose of small values is mostly below
// what single precision keeps, which is all that their guard asks for, and no product of floats
// leaves the range. They take twice the time of those in single precision, which is less than
// direct sums of much that would be lost: where both operands of 'full' are long, corners and edges
// meet but a few products each.
#include "engine.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

fc_dtype wider(fc_dtype dtype) { return is_complex(dtype) ? FC_C128 : FC_F64; }

struct Picture {
  const char* data;
  Index row, step;
};

Picture widened(Scratch& scratch, fc_dtype dtype, Picture from, Index rows, Index cols) {
  const Index parts = is_complex(dtype) ? 2 : 1, row = cols * parts;
  double* copy = scratch.take<double>(rows * row);
  for (Index r = 0; r < rows; ++r) {
    for_each_run(from.data + r * from.row, from.step, cols, dtype, cols,
                 [&](const char* run, Index) {
                   const float* x = reinterpret_cast<const float*>(run);
                   for (Index i = 0; i < row; ++i) copy[r * row + i] = x[i];
                 });
  }
  return {reinterpret_cast<const char*>(copy), row * Index(sizeof(double)), 0};
}

// A row of `count` items of so many parts, which lie `step` bytes apart.
void narrow(const double* from, Index count, Index parts, char* to, Index step, bool accumulate) {
  for (Index i = 0; i < count; ++i, to += step) {
    float* y = reinterpret_cast<float*>(to);
    for (Index part = 0; part < parts; ++part, ++from) {
      y[part] = accumulate ? y[part] + float(*from) : float(*from);
    }
  }
}

// The dtypes alone: to choose by.
Problem in_wider(Problem p) {
  p.a_dtype = wider(p.a_dtype), p.v_dtype = wider(p.v_dtype);
  p.a_step = p.out_step = 0;
  return p;
}

}  // namespace

// Is that sooner done than so many direct multiply-adds?
bool pays_in_double(const Problem& p, double macs) {
  if (!is_single(p.a_dtype) || macs < kWorthChoosing) return false;
  const fc_candidate how = chosen_for(in_wider(p));
  return how.method != FC_DIRECT && macs_in(how.predicted_ns, p) < macs;
}

void in_double(const Problem& p, Context& context) {
  Scratch scratch;
  Problem q = in_wider(p);
  const Picture a = widened(scratch, p.a_dtype, {p.a, p.a_row, a_step(p)}, p.rows, p.cols);
  const Picture v = widened(scratch, p.v_dtype, {p.v, p.v_row, kItemSize[p.v_dtype]}, p.kh, p.kw);
  const Index rows = p.row_hi - p.row_lo, cols = p.col_hi - p.col_lo;
  const Index parts = is_complex(result_dtype(p.a_dtype, p.v_dtype)) ? 2 : 1;
  double* out = scratch.take<double>(rows * cols * parts);
  q.a = a.data, q.a_row = a.row;
  q.v = v.data, q.v_row = v.row;
  q.out = reinterpret_cast<char*>(out), q.out_row = cols * parts * Index(sizeof(double));
  q.accumulate = false;
  q.of_floats = true;
  alone(q, context);
  for (Index r = 0; r < rows; ++r) {
    narrow(out + r * cols * parts, cols, parts, p.out + r * p.out_row, out_step(p), p.accumulate);
  }
}

}  // namespace fastconv
