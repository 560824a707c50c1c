// The ends of 'full', where s (survey.cpp) rises from a single product: looked at output by
// output, by the sums of whole rows and columns or, of lines beside each other, by s itself.
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "survey.h"

namespace fastconv {
namespace {

// |re + i im| is no less than this share of |re| + |im|, whose sums are had for nothing.
constexpr double kLeastShare = 0.70710678;

// Of a complex number no more than |x|, and at least 0.92 of it: hypot takes ten times as long.
template <class T>
T magnitude(const T* x, bool complex) {
  const T re = std::fabs(x[0]), im = complex ? std::fabs(x[1]) : 0;
  return complex ? std::max({re, im, (re + im) * T(kLeastShare)}) : re;
}

template <class T, class To>
void magnitudes_as(const char* at, Index step, Index count, bool complex, To* to) {
  const T* x = reinterpret_cast<const T*>(at);
  if (!complex && step == sizeof(T)) {
    for (Index i = 0; i < count; ++i) to[i] = To(fabs(x[i]));
    return;
  }
  for (Index i = 0; i < count; ++i, at += step) {
    to[i] = To(magnitude(reinterpret_cast<const T*>(at), complex));
  }
}

// line[t] = sum of |x| over row t (along_rows) or column t, counted from the end where `trailing`;
// of complex numbers no more than that.
void marginal(const KernelTable& kernels, fc_dtype dtype, const char* data, Index rows, Index cols,
              Index stride, bool along_rows, bool trailing, Index count, double* line) {
  const Index parts = is_complex(dtype) ? 2 : 1, length = along_rows ? rows : cols;
  const double share = parts == 2 ? kLeastShare : 1;
  const char* first =
      data + (trailing ? length - count : 0) * (along_rows ? stride : kItemSize[dtype]);
  Scratch scratch;
  double* sum = scratch.take<double>(count * parts);
  double* top = scratch.take<double>(count * parts);
  if (along_rows) {
    const Scan scan = is_single(dtype) ? kernels.scan_f32 : kernels.scan_f64;
    for (Index t = 0; t < count; ++t) {
      scan(first + t * stride, cols * parts, cols * parts, sum, top);
      line[t] = share * sum[0];
    }
  } else {
    const ScanColumns scan = is_single(dtype) ? kernels.scan_columns_f32 : kernels.scan_columns_f64;
    scan(first, stride, rows, count * parts, sum, top);
    for (Index t = 0; t < count; ++t) {
      line[t] = share * (parts == 2 ? sum[2 * t] + sum[2 * t + 1] : sum[t]);
    }
  }
  if (trailing) std::reverse(line, line + count);
}

// out = the first `count` outputs of a * v, dense.
template <class T>
void first_sums(const T* a, Index n, const T* v, Index m, T* out, Index count, Context& context) {
  Problem q = {};
  q.a_dtype = q.v_dtype = sizeof(T) == 4 ? FC_F32 : FC_F64;
  q.rows = q.row_hi = q.kh = 1;
  q.cols = n, q.kw = m, q.col_hi = count;
  q.a = reinterpret_cast<const char*>(a);
  q.v = reinterpret_cast<const char*>(v);
  q.out = reinterpret_cast<char*>(out);
  direct(q, context);
}

// Four at a time.
template <class T>
T least_of(const T* x, Index count) {
  T least[4] = {x[0], x[0], x[0], x[0]};
  Index i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int k = 0; k < 4; ++k) least[k] = x[i + k] < least[k] ? x[i + k] : least[k];
  }
  for (; i < count; ++i) least[0] = std::min(least[0], x[i]);
  return std::min({least[0], least[1], least[2], least[3]});
}

// How far in the ends of 'full' are looked at; where s has not recovered by then, the
// whole first block is redone.
constexpr Index kLook = 32;

Index at_most(Index x, Index limit) { return x < limit ? x : limit; }

// One end of lines beside each other: |a| and |v| of the first `count` outputs from there.
template <class T>
class Ends {
 public:
  Ends(const Problem& p, bool trailing, Index count, Context& context)
      : p_(p),
        columns_(p.kw == 1 && p.kh > 1),
        trailing_(trailing),
        count_(count),
        n_(columns_ ? p.rows : p.cols),
        m_(columns_ ? p.kh : p.kw),
        samples_(at_most(count, n_)),
        context_(context) {}

  Index taps() const { return at_most(count_, m_); }
  Index pitch(Index taps) const { return count_ + taps - 1; }

  // s of some lines as far as so many taps make it, a pitch apart. The lines lie in one, with
  // zeros between.
  const T* sums(Index line, Index lines, Index taps, T* a, T* s) const {
    const Index a_item = kItemSize[p_.a_dtype], v_item = kItemSize[p_.v_dtype];
    const Index step = columns_ ? p_.a_row : a_item, next = columns_ ? a_item : p_.a_row;
    const Index tap_step = columns_ ? p_.v_row : v_item, all = lines * pitch(taps);
    const char* first = p_.a + line * next + (trailing_ ? n_ - samples_ : 0) * step;
    T v[kLook];
    magnitudes_as<T>(p_.v + (trailing_ ? m_ - taps : 0) * tap_step, tap_step, taps,
                     is_complex(p_.v_dtype), v);
    std::fill_n(a, all, T(0));
    T* to = a + (trailing_ ? count_ - samples_ : taps - 1);
    for (Index l = 0; l < lines; ++l, to += pitch(taps), first += next) {
      magnitudes_as<T>(first, step, samples_, is_complex(p_.a_dtype), to);
    }
    first_sums(a, all, v, taps, s, all, context_);
    return s + taps - 1;
  }

  // Outputs up to the last that falls short.
  Index weak(const T* s, double loss) const {
    Index weak = 0;
    for (Index i = 0; i < count_; ++i) {
      if (double(s[trailing_ ? count_ - 1 - i : i]) < loss) weak = i + 1;
    }
    return weak;
  }

 private:
  const Problem& p_;
  const bool columns_, trailing_;
  const Index count_, n_, m_, samples_;
  Context& context_;
};

}  // namespace

// Sums of whole rows (columns) of |a| convolved with those of |v| are those of s. As
// many outputs at each end as fall short are weak.
Survey::Edge Survey::edge_of(bool along_rows, Context& context) const {
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
    marginal(context.kernels, p_.a_dtype, p_.a, p_.rows, p_.cols, p_.a_row, along_rows, trailing,
             samples, a);
    marginal(context.kernels, p_.v_dtype, p_.v, p_.kh, p_.kw, p_.v_row, along_rows, trailing, taps,
             v);
    first_sums(a, samples, v, taps, s, count, context);
    Index& weak = trailing ? edge.trailing : edge.leading;
    const Index at = trailing ? (n + m - 2) / grain : 0;
    Bound worst = {0, 0};
    for (Index other = 0; other < (along_rows ? cols_ : rows_);) {
      const Bound b = along_rows ? bound_at(at, other) : bound_at(other, at);
      if (b.loss > worst.loss) worst = b;
      other += along_rows ? wide_ : tall_;
    }
    for (Index i = 0; i < count; ++i) {
      if (is_weak(s[i] / across, worst)) weak = i + 1;
    }
    if (weak == count) weak = whole;
  }
  return edge;
}

// The same for lines beside each other, where s itself is had, of each by itself. Most are
// past all loss by their first taps alone, than whose sums s is no less; and of outputs that
// meet no others those are s.
template <class T>
void Survey::edges_of_lines(Context& context) {
  constexpr Index kFirstTaps = 8, kTogether = 128;
  const bool columns = cols_apart();
  const Index grain = columns ? grain_.rows : grain_.cols, lines = columns ? p_.cols : p_.rows;
  const Index end = columns ? height() : width();
  const Index lo = columns ? p_.row_lo : p_.col_lo, hi = columns ? p_.row_hi : p_.col_hi;
  const Index whole = at_most(grain, end), count = at_most(whole, kLook);
  std::fill_n(line_edge_, lines, Edge());
  for (const bool trailing : {false, true}) {
    if (trailing ? hi <= end - whole : lo >= whole) continue;
    const Ends<T> ends(p_, trailing, count, context);
    const Index at = trailing ? (end - 1) / grain : 0, taps = at_most(ends.taps(), kFirstTaps);
    const Index room = at_most(lines, kTogether) * ends.pitch(taps);
    T one[2][2 * kLook];
    Scratch scratch;
    T* a = scratch.take<T>(room);
    T* sums = scratch.take<T>(room);
    for (Index first = 0; first < lines; first += kTogether) {
      const Index last = at_most(lines, first + kTogether);
      const T* s = ends.sums(first, last - first, taps, a, sums);
      for (Index line = first; line < last; ++line, s += ends.pitch(taps)) {
        if (double(least_of(s, count)) >= most_.loss) continue;
        const double loss = (columns ? bound_at(at, line) : bound_at(line, at)).loss;
        Index weak = ends.weak(s, loss);
        if (weak > taps) weak = ends.weak(ends.sums(line, 1, ends.taps(), one[0], one[1]), loss);
        Edge& edge = line_edge_[line];
        (trailing ? edge.trailing : edge.leading) = weak == count ? whole : weak;
      }
    }
  }
}

template void Survey::edges_of_lines<float>(Context&);
template void Survey::edges_of_lines<double>(Context&);

}  // namespace fastconv
