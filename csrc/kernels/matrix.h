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

// The columns from `column` on of one plane, by groups of W. Items are reals or pairs.
template <class T>
class Columns {
 public:
  Columns(const Plane& plane, ptrdiff_t column, bool interleaved)
      : row_(plane.row),
        item_(interleaved ? 2 : 1),
        skip_(column - plane.first),
        to_(plane.row ? plane.end - column : -skip_) {}

  bool none(int g) const { return first(g) >= end(g); }

  // Of row r all groups.
  template <int Groups>
  FC_INLINE void ask_for(ptrdiff_t r) const {
    constexpr int kBytes = Groups * int(sizeof(Vec<T>));
    if (!row_ || !row_[r]) return;
    prefetch<kBytes>(at(r, 0));
    if (item_ == 2) prefetch<kBytes>(at(r, 0) + Groups * kLanes<T>);
  }

  FC_INLINE Vec<T> read(ptrdiff_t r, int g) const {
    if (none(g) || !row_[r]) return broadcast<T>(T(0));
    if (whole(g)) return load(at(r, g));
    T lanes[kLanes<T>] = {};
    for (ptrdiff_t l = first(g); l < end(g); ++l) lanes[l] = at(r, g)[l];
    return load(lanes);
  }

  FC_INLINE Complex<Vec<T>> read_pairs(ptrdiff_t r, int g) const {
    Complex<Vec<T>> x = {broadcast<T>(T(0)), broadcast<T>(T(0))};
    if (none(g) || !row_[r]) return x;
    if (whole(g)) {
      load_pairs(at(r, g), x.re, x.im);
    } else {
      T lanes[2 * kLanes<T>] = {};
      for (ptrdiff_t l = 2 * first(g); l < 2 * end(g); ++l) lanes[l] = at(r, g)[l];
      load_pairs(lanes, x.re, x.im);
    }
    return x;
  }

  FC_INLINE void write(ptrdiff_t r, int g, Vec<T> x, bool accumulate) const {
    if (none(g) || !row_[r]) return;
    T* y = at(r, g);
    if (whole(g)) return store<T>(y, accumulate ? load(y) + x : x);
    T lanes[kLanes<T>];
    store<T>(lanes, x);
    write_some(y, lanes, first(g), end(g), accumulate);
  }

  FC_INLINE void write_pairs(ptrdiff_t r, int g, Complex<Vec<T>> x, bool accumulate) const {
    if (none(g) || !row_[r]) return;
    constexpr int W = kLanes<T>;
    T* y = at(r, g);
    if (whole(g) && !accumulate) return store_pairs(y, x.re, x.im);
    T lanes[2 * W];
    store_pairs(lanes, x.re, x.im);
    write_some(y, lanes, 2 * first(g), 2 * end(g), accumulate);
  }

 private:
  // The columns of group g that exist.
  ptrdiff_t first(int g) const {
    const ptrdiff_t l = -skip_ - g * kLanes<T>;
    return l > 0 ? l : 0;
  }
  ptrdiff_t end(int g) const {
    const ptrdiff_t l = to_ - g * kLanes<T>;
    return l < kLanes<T> ? l : kLanes<T>;
  }
  bool whole(int g) const { return first(g) == 0 && end(g) == kLanes<T>; }

  FC_INLINE T* at(ptrdiff_t r, int g) const {
    return static_cast<T*>(row_[r]) + (skip_ + g * kLanes<T>)*item_;
  }

  static void write_some(T* y, const T* x, ptrdiff_t l, ptrdiff_t end, bool accumulate) {
    for (; l < end; ++l) y[l] = accumulate ? y[l] + x[l] : x[l];
  }

  void* const* row_;
  ptrdiff_t item_, skip_, to_;
};

// The twist of W neighbouring columns, row by row: the group's factor s times the
// lanes' factors 1 + d. As s + s d it is rounded about once, d being small.
template <class T>
struct Twist {
  const T* group;
  const T* lane;

  Twist(const Matrix& m, ptrdiff_t g)
      : group(m.twist ? static_cast<const T*>(m.twist) + 2 * g * m.column->length : nullptr),
        lane(static_cast<const T*>(m.twist_lane)) {}

  FC_INLINE Complex<Vec<T>> operator[](ptrdiff_t r) const {
    const Complex<Vec<T>> s = broadcast_point<T>(group + 2 * r);
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

template <class T, int Groups>
void read_columns(const Matrix& m, const Planes& planes, ptrdiff_t column, T* z, double* squares) {
  const Columns<T> re(planes.re, column, planes.interleaved);
  const Columns<T> im(planes.im, column, false);
  const Vec<T> scale_re = broadcast<T>(T(planes.re.scale));
  const Vec<T> scale_im = broadcast<T>(T(planes.interleaved ? planes.re.scale : planes.im.scale));
  const T* weight = static_cast<const T*>(m.weight);
  const ptrdiff_t n1 = m.column->length;
  Complex<Vec<T>> sum = {};
  for (ptrdiff_t r = 0; r < n1; ++r, z += 2 * kLanes<T>) {
    if (r + kRowsAhead < n1) {
      re.template ask_for<Groups>(r + kRowsAhead);
      im.template ask_for<Groups>(r + kRowsAhead);
    }
#pragma GCC unroll 4
    for (int g = 0; g < Groups; ++g) {
      Complex<Vec<T>> x;
      if (planes.interleaved) {
        x = re.read_pairs(r, g);
      } else {
        x = {re.read(r, g), im.read(r, g)};
        sum = {fma(x.re, x.re, sum.re), fma(x.im, x.im, sum.im)};
      }
      x = {x.re * scale_re, x.im * scale_im};
      if (weight) x = x * broadcast_point<T>(weight + 2 * r);
      store_point<T, false>(z + 2 * kLanes<T> * n1 * g, x);
    }
  }
  squares[0] += sum_of_lanes<T>(sum.re);
  squares[1] += sum_of_lanes<T>(sum.im);
}

template <class T, int Groups>
void write_columns(const Matrix& m, const Planes& planes, ptrdiff_t column, const T* z) {
  const Columns<T> re(planes.re, column, planes.interleaved);
  const Columns<T> im(planes.im, column, false);
  const Vec<T> scale_re = broadcast<T>(T(planes.re.scale));
  const Vec<T> scale_im = broadcast<T>(T(planes.interleaved ? planes.re.scale : planes.im.scale));
  const T* weight = static_cast<const T*>(m.weight);
  const ptrdiff_t n1 = m.column->length;
  for (ptrdiff_t r = 0; r < n1; ++r, z += 2 * kLanes<T>) {
    if (r + kRowsAhead < n1) {
      re.template ask_for<Groups>(r + kRowsAhead);
      im.template ask_for<Groups>(r + kRowsAhead);
    }
#pragma GCC unroll 4
    for (int g = 0; g < Groups; ++g) {
      Complex<Vec<T>> x = load_point<T, false>(z + 2 * kLanes<T> * n1 * g);
      if (weight) x = times_conjugate(x, broadcast_point<T>(weight + 2 * r));
      x = {x.re * scale_re, x.im * scale_im};
      if (planes.interleaved) {
        re.write_pairs(r, g, x, planes.accumulate);
      } else {
        re.write(r, g, x.re, planes.accumulate);
        im.write(r, g, x.im, planes.accumulate);
      }
    }
  }
}

template <class T>
bool untouched(const Planes& planes, ptrdiff_t group) {
  const ptrdiff_t column = group * kLanes<T>;
  return Columns<T>(planes.re, column, false).none(0) &&
         Columns<T>(planes.im, column, false).none(0);
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
      if (twist.group) x = x * twist[r + i];
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
      if (twist.group) x = times_conjugate(x, twist[r + i]);
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
