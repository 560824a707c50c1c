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

// Rows of doubles, one behind another.
struct Doubles {
  double* data;
  Index numbers;  // in each

  Doubles(Scratch& scratch, fc_dtype dtype, Index rows, Index cols)
      : numbers(cols * (is_complex(dtype) ? 2 : 1)) {
    data = scratch.take<double>(rows * numbers);
  }
  double* operator[](Index r) const { return data + r * numbers; }
  char* bytes() const { return reinterpret_cast<char*>(data); }
  Index row() const { return numbers * Index(sizeof(double)); }
};

void widen(const char* row, Index step, Index cols, fc_dtype dtype, double* to) {
  for_each_run(row, step, cols, dtype, kRun, [&](const char* run, Index count) {
    const float* x = reinterpret_cast<const float*>(run);
    for (Index left = count * (is_complex(dtype) ? 2 : 1); left > 0; --left) *to++ = *x++;
  });
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
  p.a_step = p.out_step = kDense;
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
  const fc_dtype result = result_dtype(p.a_dtype, p.v_dtype);
  const Index cols = p.col_hi - p.col_lo;
  const Doubles a(scratch, p.a_dtype, p.rows, p.cols), v(scratch, p.v_dtype, p.kh, p.kw);
  const Doubles out(scratch, result, p.row_hi - p.row_lo, cols);
  LyingRows samples = rows_of_a(p), results = rows_of_out(p);
  for (Index r = 0; r < p.rows; ++r) {
    const char* row = samples(r);
    if (row) widen(row, a_step(p), p.cols, p.a_dtype, a[r]);
  }
  for (Index r = 0; r < p.kh; ++r) {
    widen(p.v + r * p.v_row, kItemSize[p.v_dtype], p.kw, p.v_dtype, v[r]);
  }
  Leading own;
  Problem q = in_wider(p);
  put_a_in_rows(q, a.bytes(), a.row(), own);
  put_out_in_rows(q, out.bytes(), out.row(), own);
  q.v = v.bytes(), q.v_row = v.row();
  q.accumulate = false;
  q.of_floats = true;
  alone(q, context);
  for (Index r = p.row_lo; r < p.row_hi; ++r) {
    char* row = results(r);
    if (row) narrow(out[r - p.row_lo], cols, out.numbers / cols, row, out_step(p), p.accumulate);
  }
}

}  // namespace fastconv
