// One pass over floats, block by block: what the guard needs to know before a
// transform may be trusted.
//
//   sum[b] = sum |x_i|,  peak[b] = max |x_i|,  i in [b * block, (b + 1) * block)
//
// and, of lines, how quiet its quietest part is, lane by lane: no more than that.
// From these ||x||_2^2 <= sum * peak, without squares that could overflow, and
// a sum that is not finite tells of a NaN or Inf (or of values so large that a
// transform is no place for them). Cost in cache, blocks of 128 (Zen 4): 0.056 ns an f32, and
// 0.08 an f64, which is what reading it takes.
#pragma once
#include "lanes.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <class V>
FC_INLINE V larger(V x, V y) {
  return x > y ? x : y;
}

template <class V>
FC_INLINE V smaller(V x, V y) {
  return x < y ? x : y;
}

// |x| by its sign bit: any pipe does that, where a maximum has but two on Zen 4.
FC_INLINE float magnitude(float x) { return __builtin_fabsf(x); }
FC_INLINE double magnitude(double x) { return __builtin_fabs(x); }
#if defined(FC_VECTORS)
FC_INLINE Vec<float> magnitude(Vec<float> x) {
  return (Vec<float>)((Vec<int32_t>)x & broadcast(int32_t(0x7fffffff)));
}
FC_INLINE Vec<double> magnitude(Vec<double> x) {
  return (Vec<double>)((Vec<int64_t>)x & broadcast(int64_t(0x7fffffffffffffff)));
}
#endif

// All lanes as one, by halves, of which each is a narrower vector.
struct Sum {
  template <class V>
  FC_INLINE V operator()(V x, V y) const {
    return x + y;
  }
};
struct Peak {
  template <class V>
  FC_INLINE V operator()(V x, V y) const {
    return larger(x, y);
  }
};
#if defined(FC_VECTORS)
template <int From, class V, int... I>
FC_INLINE auto some_lanes(V x, Lanes<I...>) {
  return __builtin_shufflevector(x, x, (From + I)...);
}
template <class T, int Bytes = kVectorBytes, class Join>
FC_INLINE double reduce(Vec<T, Bytes> x, Join join) {
  constexpr int half = kLanes<T, Bytes> / 2;
  if constexpr (half == 1) {
    return double(join(x[0], x[1]));
  } else {
    constexpr LaneList<half> lanes;
    return reduce<T, Bytes / 2>(join(some_lanes<0>(x, lanes), some_lanes<half>(x, lanes)), join);
  }
}
#else
template <class T, class Join>
FC_INLINE double reduce(T x, Join) {
  return double(x);
}
#endif

// Sums over all lanes in double, where more is finite.
FC_INLINE double total(Vec<double> x) { return reduce<double>(x, Sum{}); }
FC_INLINE double products(Vec<double> x, Vec<double> y) { return total(x * y); }
#if defined(FC_VECTORS)
template <int From>
FC_INLINE Vec<double> half_of(Vec<float> x) {
  constexpr LaneList<kLanes<double>> lanes;
  return __builtin_convertvector(some_lanes<From>(x, lanes), Vec<double>);
}
constexpr int kHalf = kLanes<double>;
FC_INLINE double total(Vec<float> x) { return total(half_of<0>(x) + half_of<kHalf>(x)); }
FC_INLINE double products(Vec<float> x, Vec<float> y) {
  return total(half_of<0>(x) * half_of<0>(y) + half_of<kHalf>(x) * half_of<kHalf>(y));
}
#else
FC_INLINE double total(float x) { return double(x); }
FC_INLINE double products(float x, float y) { return double(x) * double(y); }
#endif

// Bytes asked for ahead: what lies beyond L2 costs half as much so (Zen 3, 1e6 * 1,000 in f64: 6
// in place of 10 % of the call).
constexpr ptrdiff_t kScanAhead = 2048;

// GCC would else redo |x| under a mask in place of the maximum.
template <class T>
FC_INLINE Vec<T> magnitudes(const T* x) {
  Vec<T> m = magnitude(load<T>(x));
  pin(m);
  return m;
}

// Of fewer numbers than lanes.
template <class T>
FC_INLINE Vec<T> magnitudes(const T* x, ptrdiff_t count) {
  T some[kLanes<T>] = {};
  for (ptrdiff_t k = 0; k < count; ++k) some[k] = x[k];
  return magnitudes<T>(some);
}

template <class V>
FC_INLINE void take(V m, V& sum, V& peak) {
  sum = sum + m;
  peak = larger(m, peak);
}

template <class T>
FC_INLINE void scan_block(const T* x, ptrdiff_t count, double& sum, double& peak, double& least) {
  constexpr int W = kLanes<T>, kVectors = 4;
  Vec<T> sums = {}, peaks[2] = {}, quietest = broadcast<T>(T(__builtin_inf()));
  ptrdiff_t i = 0;
  for (; i + kVectors * W <= count; i += kVectors * W) {
    prefetch<kVectors * W* int(sizeof(T))>(x + i + kScanAhead / sizeof(T));
    Vec<T> part[2] = {};
    FC_UNROLL
    for (int k = 0; k < kVectors; ++k) take(magnitudes(x + i + k * W), part[k % 2], peaks[k % 2]);
    const Vec<T> all = part[0] + part[1];
    sums = sums + all;
    quietest = smaller(all, quietest);
  }
  for (; i + W <= count; i += W) take(magnitudes(x + i), sums, peaks[0]);
  if (i < count) take(magnitudes(x + i, count - i), sums, peaks[1]);
  sum = reduce<T>(sums, Sum{});
  peak = reduce<T>(larger(peaks[0], peaks[1]), Peak{});
  least = reduce<T>(quietest, Sum{}) * (double(count) / (kVectors * W));
}

template <class T>
void scan(const void* data, ptrdiff_t count, ptrdiff_t block, double* sum, double* peak,
          double* least) {
  const T* x = static_cast<const T*>(data);
  double unwanted;
  for (ptrdiff_t b = 0; b * block < count; ++b) {
    const ptrdiff_t left = count - b * block;
    scan_block(x + b * block, left < block ? left : block, sum[b], peak[b],
               least ? least[b] : unwanted);
  }
}

// C vectors of columns down all rows, so that sums stay in registers; the first `count` are wanted.
template <class T, int C, class MagnitudesOf>
FC_INLINE void scan_vectors(const char* base, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count,
                            MagnitudesOf magnitudes_of, double* sum, double* peak, double* least) {
  constexpr int W = kLanes<T>, kRows = 16;
  Vec<T> sums[C] = {}, peaks[C] = {}, quietest[C];
  FC_UNROLL
  for (int c = 0; c < C; ++c) quietest[c] = broadcast<T>(T(__builtin_inf()));
  const auto add_row = [&](Vec<T>* to) FC_LAMBDA {
    const T* x = reinterpret_cast<const T*>(base);
    FC_UNROLL
    for (int c = 0; c < C; ++c) take(magnitudes_of(x + c * W), to[c], peaks[c]);
    base += stride;
  };
  ptrdiff_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    Vec<T> part[C] = {};
    for (int k = 0; k < kRows; ++k) add_row(part);
    FC_UNROLL
    for (int c = 0; c < C; ++c) {
      sums[c] = sums[c] + part[c];
      quietest[c] = smaller(part[c], quietest[c]);
    }
  }
  for (; r < rows; ++r) add_row(sums);
  const double parts = double(rows) / kRows;
  FC_UNROLL
  for (int c = 0; c < C; ++c) {
    T s[W], p[W], q[W];
    store<T>(s, sums[c]), store<T>(p, peaks[c]), store<T>(q, quietest[c]);
    for (int l = 0; l < W && c * W + l < count; ++l) {
      *sum++ = s[l], *peak++ = p[l], *least++ = parts * q[l];
    }
  }
}

// Vectors side by side do not wait for each other's sums.
template <class T>
void scan_columns(const void* data, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count, double* sum,
                  double* peak, double* least) {
  constexpr int W = kLanes<T>, C = 2;
  const char* base = static_cast<const char*>(data);
  const auto at = [&](ptrdiff_t c) { return base + c * ptrdiff_t(sizeof(T)); };
  const auto whole = [](const T* x) FC_LAMBDA { return magnitudes(x); };
  ptrdiff_t c = 0;
  for (; c + C * W <= count; c += C * W) {
    scan_vectors<T, C>(at(c), stride, rows, C * W, whole, sum + c, peak + c, least + c);
  }
  for (; c + W <= count; c += W) {
    scan_vectors<T, 1>(at(c), stride, rows, W, whole, sum + c, peak + c, least + c);
  }
  if (c == count) return;
  const auto some = [&](const T* x) FC_LAMBDA { return magnitudes(x, count - c); };
  scan_vectors<T, 1>(at(c), stride, rows, count - c, some, sum + c, peak + c, least + c);
}

// Columns side by side, in vectors; what rows add to them stays in the nearest cache.
template <class T>
struct ColumnSums {
  static constexpr ptrdiff_t kVectors = 64, kColumns = kVectors * kLanes<T>;
  Vec<T> sum[kVectors], peak[kVectors];
};

// R rows at once: where they begin, and where their sums go.
template <class T, int R>
struct SomeRows {
  const T* x[R];
  double* sum[R];
};

// Rows that lie so many further on are wanted next, and asked for.
constexpr int kRowsAtOnce = 4;

template <class T, int R>
FC_INLINE void add_rows(const SomeRows<T, R>& rows, ptrdiff_t stride, ptrdiff_t count, bool first,
                        ColumnSums<T>& columns) {
  constexpr int W = kLanes<T>;
  Vec<T> whole[R] = {};
  const auto add = [&](ptrdiff_t v, auto magnitudes_of) FC_LAMBDA {
    Vec<T> sum = {}, peak = {};
    if (!first) sum = columns.sum[v], peak = columns.peak[v];
    FC_UNROLL
    for (int k = 0; k < R; ++k) {
      const Vec<T> m = magnitudes_of(rows.x[k]);
      whole[k] = whole[k] + m;
      take(m, sum, peak);
    }
    columns.sum[v] = sum;
    columns.peak[v] = peak;
  };
  ptrdiff_t i = 0, v = 0;
  for (; i + W <= count; i += W, ++v) {
    add(v, [&](const T* x) FC_LAMBDA {
      prefetch<int(sizeof(Vec<T>))>(reinterpret_cast<const char*>(x + i) + kRowsAtOnce * stride);
      return magnitudes(x + i);
    });
  }
  if (i < count) add(v, [&](const T* x) FC_LAMBDA { return magnitudes(x + i, count - i); });
  FC_UNROLL
  for (int k = 0; k < R; ++k) *rows.sum[k] += total(whole[k]);
}

// Blocks are whole vectors. sum |x| max |x| bounds the energy of a column's part, and so of all.
template <class T>
void scan_rows(const void* const* data, ptrdiff_t stride, const ptrdiff_t* row, ptrdiff_t rows,
               ptrdiff_t count, ptrdiff_t block, ptrdiff_t ends, const ScannedRows& out) {
  constexpr int W = kLanes<T>, R = kRowsAtOnce;
  ColumnSums<T> columns;
  for (ptrdiff_t r = 0; r < rows; ++r) out.row_sum[row[r]] = 0;
  for (ptrdiff_t b = 0; b * block < count; ++b) out.sum[b] = out.peak[b] = out.energy[b] = 0;
  for (ptrdiff_t from = 0, to; from < count; from = to) {
    to = count - from < columns.kColumns ? count : from + columns.kColumns;
    const auto point_at = [&](ptrdiff_t r, const T*& x, double*& sum) FC_LAMBDA {
      x = static_cast<const T*>(data[r]) + from;
      sum = out.row_sum + row[r];
    };
    ptrdiff_t r = 0;
    for (SomeRows<T, R> some; r + R <= rows; r += R) {
      FC_UNROLL
      for (int k = 0; k < R; ++k) point_at(r + k, some.x[k], some.sum[k]);
      add_rows(some, stride, to - from, r == 0, columns);
    }
    for (SomeRows<T, 1> one; r < rows; ++r) {
      point_at(r, one.x[0], one.sum[0]);
      add_rows(one, stride, to - from, r == 0, columns);
    }
    for (ptrdiff_t v = 0, b = from / block; from + v * W < to; ++v) {
      b += from + v * W == (b + 1) * block;
      out.sum[b] += total(columns.sum[v]);
      out.peak[b] = larger(reduce<T>(columns.peak[v], Peak{}), out.peak[b]);
      out.energy[b] += products(columns.sum[v], columns.peak[v]);
    }
    const T* column = reinterpret_cast<const T*>(columns.sum);
    for (ptrdiff_t c = from; c < to && c < ends; ++c) out.first[c] = column[c - from];
    for (ptrdiff_t c = from > count - ends ? from : count - ends; c < to; ++c) {
      out.last[c - (count - ends)] = column[c - from];
    }
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
