// A long transform as a matrix, so that lanes lie inside one transform. With
// point c + n2 r at row r, column c, and frequency k1 + n1 k2,
//
//   X[k1 + n1 k2] = sum_c w_{n2}^{c k2}  w_N^{c k1}  sum_r w_{n1}^{r k1} x[r, c]:
//                   rows                 twist       columns                (N = n1 n2)
//
// Columns: W neighbours are the lanes, and rows of the input are read as they lie.
// Rows: each W of them are transposed into lanes on the way, so that a band of W
// rows is one contiguous transform of lanes, in which the product with the other
// operand and the way back are fused. Without the twist the same passes are the
// transform of a picture. The permuted order of both axes is never undone.
//
// Weights: the right-angle transform multiplies point j by e^{i pi j / 2N}, which makes
// x^N = i, so that the two halves of a real signal ride as re and im. For j = c + n2 r
// the row's part is a factor at the load, the column's part is in the twist.
#pragma once
#include "fft.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

// Groups of columns that are read and written together, so that a row of the input gives
// whole runs of cache lines: at a stride of one line a row, memory is 3 times slower.
constexpr int kColumnGroups = 4;
// Rows, and the next band, are asked for ahead of time: 1e5 * 1e5 takes 0.83 of the time so in f64,
// 1e6 * 1e6 in f32 and 1080x1920 * 25x25 three quarters.
constexpr ptrdiff_t kRowsAhead = 8;

// What rows that are not there are read as.
template <class T>
constexpr T kZeros[kColumnGroups * 2 * kLanes<T>] = {};

// The columns from `column` on of one plane, by groups of W. Items are reals or pairs.
template <class T, int item>
class Columns {
 public:
  Columns(const Plane& plane, ptrdiff_t column)
      : row_(plane.row),
        skip_(column - plane.first),
        to_(plane.row ? plane.end - column : -skip_) {}

  bool none(int g) const { return first(g) >= end(g); }
  bool whole_to(int g) const { return !row_ || (whole(0) && whole(g)); }

  template <int Groups>
  FC_INLINE void ask_for(ptrdiff_t r) const {
    if (const T* x = row(r)) prefetch<Groups * item* int(sizeof(Vec<T>))>(x);
  }

  // Calls take(g, x) for each group of row r, x being its items, with zeros where it has none.
  template <int Groups, bool all_whole, class Take>
  FC_INLINE void read(ptrdiff_t r, Take take) const {
    static_assert(Groups <= kColumnGroups && item <= 2, "no more than kZeros holds");
    const T* x = row(r);
    const bool there = x;
    if (!there) x = kZeros<T>;
#pragma GCC unroll 4
    for (int g = 0; g < Groups; ++g, x += item * W) {
      if (all_whole || !there || whole(g)) {
        take(g, x);
      } else {
        T items[item * W] = {};
        for (ptrdiff_t l = item * first(g); l < item * end(g); ++l) items[l] = x[l];
        take(g, items);
      }
    }
  }

  // Calls give(g, y) for each group of row r, which has to store its items at y.
  template <int Groups, bool all_whole, class Give>
  FC_INLINE void write(ptrdiff_t r, bool accumulate, Give give) const {
    T* y = row(r);
    if (!y) return;
#pragma GCC unroll 4
    for (int g = 0; g < Groups; ++g, y += item * W) {
      if (!accumulate && (all_whole || whole(g))) {
        give(g, y);
      } else {
        T items[item * W];
        give(g, items);
        const ptrdiff_t lo = all_whole ? 0 : item * first(g);
        const ptrdiff_t hi = item * (all_whole ? W : end(g));
        for (ptrdiff_t l = lo; l < hi; ++l) y[l] = accumulate ? y[l] + items[l] : items[l];
      }
    }
  }

 private:
  static constexpr ptrdiff_t W = kLanes<T>;

  bool whole(int g) const { return first(g) == 0 && end(g) == W; }

  FC_INLINE T* row(ptrdiff_t r) const {
    return row_ && row_[r] ? static_cast<T*>(row_[r]) + skip_ * item : nullptr;
  }

  // The columns of group g that exist.
  ptrdiff_t first(int g) const {
    const ptrdiff_t l = -skip_ - g * W;
    return l > 0 ? l : 0;
  }
  ptrdiff_t end(int g) const {
    const ptrdiff_t l = to_ - g * W;
    return l < W ? l : W;
  }

  void* const* row_;
  ptrdiff_t skip_, to_;
};

// The twist of W neighbouring columns, row by row: the factor s that they share with those
// around them times the lanes' own factors 1 + d. As s + s d it is rounded about once, d
// being small.
template <class T>
struct Twist {
  const T* shared;
  const T* lane;

  Twist(const Matrix& m, ptrdiff_t group)
      : shared(static_cast<const T*>(m.twist)), lane(static_cast<const T*>(m.twist_lane)) {
    if (!shared) return;
    shared += 2 * m.column->length * (group / m.twist_groups);
    lane += 2 * m.column->length * (group % m.twist_groups) * kLanes<T>;
  }

  FC_INLINE Complex<Vec<T>> operator[](ptrdiff_t r) const {
    const Complex<Vec<T>> s = broadcast_point<T>(shared + 2 * r);
    const Complex<Vec<T>> d = load_point<T, false>(lane + 2 * kLanes<T> * r);
    return {fma(s.re, d.re, fma(-s.im, d.im, s.re)), fma(s.re, d.im, fma(s.im, d.re, s.im))};
  }
};

template <class V>
FC_INLINE Complex<V> times_conjugate(Complex<V> x, Complex<V> w) {
  return {fma(x.im, w.im, x.re * w.re), fma(-x.re, w.im, x.im * w.re)};
}

template <class T>
double sum_of_lanes(Vec<T> x) {
  T lanes[kLanes<T>];
  store<T>(lanes, x);
  double sum = 0;
  for (T lane : lanes) sum += double(lane);
  return sum;
}

// Neighbouring groups of columns of two planes, or of one of pairs, row by row. Where all groups
// are whole, as they are of a line, rows are read without a question about each.
template <class T, int Groups, bool pairs>
class Rows {
 public:
  Rows(const Matrix& m, const Planes& planes, ptrdiff_t column)
      : re_(planes.re, column),
        im_(planes.im, column),
        scale_re_(broadcast<T>(T(planes.re.scale))),
        scale_im_(broadcast<T>(T(pairs ? planes.re.scale : planes.im.scale))),
        weight_(static_cast<const T*>(m.weight)),
        rows_(m.column->length),
        accumulate_(planes.accumulate) {}

  bool all_whole() const { return re_.whole_to(Groups - 1) && im_.whole_to(Groups - 1); }

  template <bool all_whole>
  void read(T* z, double* squares) const {
    Complex<V> sum = {};
    for (ptrdiff_t r = 0; r < rows_; ++r, z += 2 * W) {
      V re[Groups], im[Groups];
      ask_ahead(r);
      if constexpr (pairs) {
        re_.template read<Groups, all_whole>(
            r, [&](int g, const T* x) { load_pairs(x, re[g], im[g]); });
      } else {
        re_.template read<Groups, all_whole>(r, [&](int g, const T* x) { re[g] = load(x); });
        im_.template read<Groups, all_whole>(r, [&](int g, const T* x) { im[g] = load(x); });
      }
#pragma GCC unroll 4
      for (int g = 0; g < Groups; ++g) {
        if (!pairs) sum = {fma(re[g], re[g], sum.re), fma(im[g], im[g], sum.im)};
        Complex<V> x = {re[g] * scale_re_, im[g] * scale_im_};
        if (weight_) x = x * broadcast_point<T>(weight_ + 2 * r);
        store_point<T, false>(z + 2 * W * rows_ * g, x);
      }
    }
    squares[0] += sum_of_lanes<T>(sum.re);
    squares[1] += sum_of_lanes<T>(sum.im);
  }

  template <bool all_whole>
  void write(const T* z) const {
    for (ptrdiff_t r = 0; r < rows_; ++r, z += 2 * W) {
      V re[Groups], im[Groups];
      ask_ahead(r);
#pragma GCC unroll 4
      for (int g = 0; g < Groups; ++g) {
        Complex<V> x = load_point<T, false>(z + 2 * W * rows_ * g);
        if (weight_) x = times_conjugate(x, broadcast_point<T>(weight_ + 2 * r));
        re[g] = x.re * scale_re_;
        im[g] = x.im * scale_im_;
      }
      if constexpr (pairs) {
        re_.template write<Groups, all_whole>(r, accumulate_,
                                              [&](int g, T* y) { store_pairs(y, re[g], im[g]); });
      } else {
        re_.template write<Groups, all_whole>(r, accumulate_,
                                              [&](int g, T* y) { store<T>(y, re[g]); });
        im_.template write<Groups, all_whole>(r, accumulate_,
                                              [&](int g, T* y) { store<T>(y, im[g]); });
      }
    }
  }

 private:
  static constexpr ptrdiff_t W = kLanes<T>;
  using V = Vec<T>;

  FC_INLINE void ask_ahead(ptrdiff_t r) const {
    if (r + kRowsAhead >= rows_) return;
    re_.template ask_for<Groups>(r + kRowsAhead);
    if (!pairs) im_.template ask_for<Groups>(r + kRowsAhead);
  }

  const Columns<T, pairs ? 2 : 1> re_;
  const Columns<T, 1> im_;
  const V scale_re_, scale_im_;
  const T* const weight_;  // of each row, or NULL
  const ptrdiff_t rows_;
  const bool accumulate_;
};

template <class T, int Groups, bool pairs>
void read_rows(const Rows<T, Groups, pairs>& rows, T* z, double* squares) {
  rows.all_whole() ? rows.template read<true>(z, squares) : rows.template read<false>(z, squares);
}
template <class T, int Groups, bool pairs>
void write_rows(const Rows<T, Groups, pairs>& rows, const T* z) {
  rows.all_whole() ? rows.template write<true>(z) : rows.template write<false>(z);
}

template <class T, int Groups>
void read_columns(const Matrix& m, const Planes& planes, ptrdiff_t column, T* z, double* squares) {
  planes.interleaved ? read_rows(Rows<T, Groups, true>(m, planes, column), z, squares)
                     : read_rows(Rows<T, Groups, false>(m, planes, column), z, squares);
}
template <class T, int Groups>
void write_columns(const Matrix& m, const Planes& planes, ptrdiff_t column, const T* z) {
  planes.interleaved ? write_rows(Rows<T, Groups, true>(m, planes, column), z)
                     : write_rows(Rows<T, Groups, false>(m, planes, column), z);
}

template <class T>
bool untouched(const Planes& planes, ptrdiff_t group) {
  const ptrdiff_t column = group * kLanes<T>;
  return Columns<T, 1>(planes.re, column).none(0) && Columns<T, 1>(planes.im, column).none(0);
}

// One group's columns to the bands and back: twist, and W x W transpositions.
template <class T>
void to_bands(const Matrix& m, ptrdiff_t group, const T* z, T* bands) {
  constexpr int W = kLanes<T>;
  const Twist<T> twist(m, group);
  T* to = bands + 2 * W * W * group;
  for (ptrdiff_t r = 0; r < m.column->length; r += W, z += 2 * W * W, to += m.band) {
    Vec<T> re[W], im[W];
    prefetch<2 * W * W* int(sizeof(T))>(to + m.band);
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) {
      Complex<Vec<T>> x = load_point<T, false>(z + 2 * W * i);
      if (twist.shared) x = x * twist[r + i];
      re[i] = x.re;
      im[i] = x.im;
    }
    store_transposed<T>(re, [&](int i) { return to + 2 * W * i; }, Stored<T>());
    store_transposed<T>(im, [&](int i) { return to + 2 * W * i + W; }, Stored<T>());
  }
}

template <class T>
void from_bands(const Matrix& m, ptrdiff_t group, const T* bands, T* z) {
  constexpr int W = kLanes<T>;
  const Twist<T> twist(m, group);
  const T* from = bands + 2 * W * W * group;
  for (ptrdiff_t r = 0; r < m.column->length; r += W, z += 2 * W * W, from += m.band) {
    Vec<T> re[W], im[W];
    prefetch<2 * W * W* int(sizeof(T))>(from + m.band);
    load_transposed<T>(re, [&](int i) { return from + 2 * W * i; });
    load_transposed<T>(im, [&](int i) { return from + 2 * W * i + W; });
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) {
      Complex<Vec<T>> x = {re[i], im[i]};
      if (twist.shared) x = times_conjugate(x, twist[r + i]);
      store_point<T, false>(z + 2 * W * i, x);
    }
  }
}

template <class T>
void clear_bands(const Matrix& m, ptrdiff_t group, T* bands) {
  constexpr int W = kLanes<T>;
  T* to = bands + 2 * W * W * group;
  for (ptrdiff_t r = 0; r < m.column->length; r += W, to += m.band) {
    memset(to, 0, 2 * W * W * sizeof(T));
  }
}

template <class T, int Groups>
void forward_together(const Matrix& m, const Planes& planes, ptrdiff_t group, T* work, T* bands,
                      double* squares) {
  read_columns<T, Groups>(m, planes, group * kLanes<T>, work, squares);
  const ptrdiff_t n1 = m.column->length;
  for (int g = 0; g < Groups; ++g, work += 2 * kLanes<T> * n1) {
    if (untouched<T>(planes, group + g)) {
      clear_bands(m, group + g, bands);
    } else {
      recurse<T, kForward>(work, *m.column, 0, n1, nullptr);
      to_bands(m, group + g, work, bands);
    }
  }
}

template <class T, int Groups>
void inverse_together(const Matrix& m, const Planes& planes, ptrdiff_t group, T* work,
                      const T* bands) {
  const ptrdiff_t n1 = m.column->length;
  T* z = work;
  for (int g = 0; g < Groups; ++g, z += 2 * kLanes<T> * n1) {
    if (untouched<T>(planes, group + g)) continue;
    from_bands(m, group + g, bands, z);
    recurse<T, kInverse>(z, *m.column, 0, n1, nullptr);
  }
  write_columns<T, Groups>(m, planes, group * kLanes<T>, work);
}

template <class T>
void columns_forward(const Matrix& m, const Planes& planes, ptrdiff_t group, int groups, void* work,
                     void* bands, double* squares) {
  T* z = static_cast<T*>(work);
  T* to = static_cast<T*>(bands);
  for (; groups >= kColumnGroups; groups -= kColumnGroups, group += kColumnGroups) {
    forward_together<T, kColumnGroups>(m, planes, group, z, to, squares);
  }
  for (; groups > 0; --groups, ++group) forward_together<T, 1>(m, planes, group, z, to, squares);
}

template <class T>
void columns_inverse(const Matrix& m, const Planes& planes, ptrdiff_t group, int groups, void* work,
                     const void* bands) {
  T* z = static_cast<T*>(work);
  const T* from = static_cast<const T*>(bands);
  for (; groups >= kColumnGroups; groups -= kColumnGroups, group += kColumnGroups) {
    inverse_together<T, kColumnGroups>(m, planes, group, z, from);
  }
  for (; groups > 0; --groups, ++group) inverse_together<T, 1>(m, planes, group, z, from);
}

template <class T>
constexpr SpectralKernels kSpectral = {kLanes<T>,
                                       kColumnGroups,
                                       transform<T>,
                                       products<T, true>,
                                       products<T, false>,
                                       spectrum<T>,
                                       gather<T>,
                                       scatter<T>,
                                       gather_columns<T>,
                                       scatter_columns<T>,
                                       columns_forward<T>,
                                       columns_inverse<T>,
                                       norm<T>,
                                       peak<T>};

// The rows of KernelTable::spectral, in its order.
#define FC_SPECTRAL_ROWS kSpectral<float>, kSpectral<double>

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
