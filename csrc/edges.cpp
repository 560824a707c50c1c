// The ends of 'full', where s (survey.cpp) rises from a single product: looked at output by
// output, by the sums of whole rows and columns or, of lines beside each other, by s itself.
#include <math.h>

#include <initializer_list>

#include "survey.h"

namespace fastconv {
namespace {

template <class T>
double magnitude(const char* at, bool complex) {
  const T* x = reinterpret_cast<const T*>(at);
  return complex ? hypot(double(x[0]), double(x[1])) : fabs(double(x[0]));
}

template <class T>
void magnitudes_as(const char* at, Index step, Index count, bool complex, double* to) {
  for (Index i = 0; i < count; ++i, at += step) to[i] = magnitude<T>(at, complex);
}

// to[i] = |x[i]|, x `step` bytes apart.
void magnitudes(fc_dtype dtype, const char* at, Index step, Index count, double* to) {
  is_single(dtype) ? magnitudes_as<float>(at, step, count, is_complex(dtype), to)
                   : magnitudes_as<double>(at, step, count, is_complex(dtype), to);
}

// line[t] = sum of |x| over row t (along_rows) or column t, counted from the end
// where `trailing`.
void marginal(fc_dtype dtype, const char* data, Index rows, Index cols, Index stride,
              bool along_rows, bool trailing, Index count, double* line) {
  const Index item = kItemSize[dtype];
  const Index length = along_rows ? rows : cols, others = along_rows ? cols : rows;
  const Index step = along_rows ? stride : item, next = along_rows ? item : stride;
  Scratch scratch;
  double* one = scratch.take<double>(count);
  for (Index t = 0; t < count; ++t) line[t] = 0;
  const char* first = trailing ? data + (length - 1) * step : data;
  for (Index other = 0; other < others; ++other) {
    magnitudes(dtype, first + other * next, trailing ? -step : step, count, one);
    for (Index t = 0; t < count; ++t) line[t] += one[t];
  }
}

// s[line] = the first `count` outputs of a[line] * v, for every line.
void first_sums(const double* a, Index lines, Index n, const double* v, Index m, double* s,
                Index count, Context& context) {
  Problem q = {};
  q.a_dtype = q.v_dtype = FC_F64;
  q.rows = q.row_hi = lines, q.kh = 1;
  q.cols = n, q.kw = m, q.col_hi = count;
  q.a = reinterpret_cast<const char*>(a), q.a_row = n * 8;
  q.v = reinterpret_cast<const char*>(v);
  q.out = reinterpret_cast<char*>(s), q.out_row = count * 8;
  direct(q, context);
}

// How far in the ends of 'full' are looked at; where s has not recovered by then, the
// whole first block is redone.
constexpr Index kLook = 32;

Index at_most(Index x, Index limit) { return x < limit ? x : limit; }

}  // namespace

// Sums of whole rows (columns) of |a| convolved with those of |v| are those of s. As
// many outputs at each end as fall short are weak.
Survey::Edge Survey::edge_of(bool along_rows, double v_peak, Context& context) const {
  const Index grain = along_rows ? grain_.rows : grain_.cols;
  const Index n = along_rows ? p_.rows : p_.cols, m = along_rows ? p_.kh : p_.kw;
  const Index lo = along_rows ? p_.row_lo : p_.col_lo, hi = along_rows ? p_.row_hi : p_.col_hi;
  const Index whole = at_most(grain, n + m - 1), count = at_most(whole, kLook);
  const double across = double(along_rows ? width() : height());
  Edge edge;
  for (const bool trailing : {false, true}) {
    if (trailing ? hi <= n + m - 1 - whole : lo >= whole) continue;
    Scratch scratch;
    const Index samples = at_most(count, n), taps = at_most(count, m);
    double* a = scratch.take<double>(samples);
    double* v = scratch.take<double>(taps);
    double* s = scratch.take<double>(count);
    marginal(p_.a_dtype, p_.a, p_.rows, p_.cols, p_.a_row, along_rows, trailing, samples, a);
    marginal(p_.v_dtype, p_.v, p_.kh, p_.kw, p_.v_row, along_rows, trailing, taps, v);
    first_sums(a, 1, samples, v, taps, s, count, context);
    Index& weak = trailing ? edge.trailing : edge.leading;
    const Index at = !trailing ? 0 : (n + m - 2) / grain;
    Index worst = along_rows ? at * cols_ : at;
    for (Index other = 0; other < (along_rows ? cols_ : rows_); ++other) {
      const Index b = along_rows ? at * cols_ + other : other * cols_ + at;
      if (loss_[b] > loss_[worst]) worst = b;
    }
    for (Index i = 0; i < count; ++i) {
      if (is_weak(s[i] / across, worst, v_peak)) weak = i + 1;
    }
    if (weak == count) weak = whole;
  }
  return edge;
}

// The same for lines beside each other, where s itself is had, of each by itself.
void Survey::edges_of_lines(bool along_rows, Context& context) {
  const Index grain = along_rows ? grain_.rows : grain_.cols;
  const Index n = along_rows ? p_.rows : p_.cols, m = along_rows ? p_.kh : p_.kw;
  const Index lo = along_rows ? p_.row_lo : p_.col_lo, hi = along_rows ? p_.row_hi : p_.col_hi;
  const Index lines = along_rows ? p_.cols : p_.rows;
  const Index whole = at_most(grain, n + m - 1), count = at_most(whole, kLook);
  const Index samples = at_most(count, n), taps = at_most(count, m);
  const Index step = along_rows ? p_.a_row : kItemSize[p_.a_dtype];
  const Index next = along_rows ? kItemSize[p_.a_dtype] : p_.a_row;
  for (Index line = 0; line < lines; ++line) line_edge_[line] = Edge();
  for (const bool trailing : {false, true}) {
    if (trailing ? hi <= n + m - 1 - whole : lo >= whole) continue;
    Scratch scratch;
    double* a = scratch.take<double>(lines * samples);
    double* v = scratch.take<double>(taps);
    double* s = scratch.take<double>(lines * count);
    for (Index line = 0; line < lines; ++line) {
      const char* first = p_.a + line * next + (trailing ? (n - 1) * step : 0);
      magnitudes(p_.a_dtype, first, trailing ? -step : step, samples, a + line * samples);
    }
    marginal(p_.v_dtype, p_.v, p_.kh, p_.kw, p_.v_row, along_rows, trailing, taps, v);
    first_sums(a, lines, samples, v, taps, s, count, context);
    const Index at = !trailing ? 0 : (n + m - 2) / grain;
    for (Index line = 0; line < lines; ++line) {
      Index& weak = trailing ? line_edge_[line].trailing : line_edge_[line].leading;
      const double loss = loss_[along_rows ? at * cols_ + line : line * cols_ + at];
      for (Index i = 0; i < count; ++i) {
        if (s[line * count + i] < loss) weak = i + 1;
      }
      if (weak == count) weak = whole;
    }
  }
}

}  // namespace fastconv
