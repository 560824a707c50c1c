// One pass over floats, block by block: what the guard needs to know before a
// transform may be trusted.
//
//   sum[b] = sum |x_i|,  peak[b] = max |x_i|,  i in [b * block, (b + 1) * block)
//
// From these ||x||_2^2 <= sum * peak, without squares that could overflow, and
// a sum that is not finite tells of a NaN or Inf (or of values so large that a
// transform is no place for them). Cost: ~0.05 ns a float in cache, and memory's beyond.
#pragma once
#include "lanes.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <class V>
FC_INLINE V larger(V x, V y) {
  return x > y ? x : y;
}

// All lanes as one, by halves: their sum and their maximum.
template <int S, class V, int... I>
FC_INLINE V turned(V x, Indices<I...>) {
  return __builtin_shufflevector(x, x, ((I + S) % int(sizeof...(I)))...);
}
template <class T, int S = kLanes<T> / 2>
FC_INLINE void reduce(Vec<T>& sum, Vec<T>& peak) {
  if constexpr (S > 0) {
    sum = sum + turned<S>(sum, LaneIndices<T>());
    peak = larger(peak, turned<S>(peak, LaneIndices<T>()));
    reduce<T, S / 2>(sum, peak);
  }
}
template <class T>
FC_INLINE T first_lane(Vec<T> x) {
  if constexpr (kLanes<T> == 1) {
    return x;
  } else {
    return x[0];
  }
}

template <class T>
void scan_block(const T* x, ptrdiff_t count, double* sum, double* peak) {
  using V = Vec<T>;
  constexpr int W = kLanes<T>;
  V sum0 = {}, sum1 = {}, peak0 = {}, peak1 = {};
  ptrdiff_t i = 0;
  for (; i + 2 * W <= count; i += 2 * W) {
    const V x0 = load<T>(x + i), x1 = load<T>(x + i + W);
    const V m0 = larger(x0, -x0), m1 = larger(x1, -x1);
    sum0 = sum0 + m0;
    sum1 = sum1 + m1;
    peak0 = larger(m0, peak0);
    peak1 = larger(m1, peak1);
  }
  sum0 = sum0 + sum1;
  peak0 = larger(peak0, peak1);
  reduce<T>(sum0, peak0);
  double s = first_lane<T>(sum0), p = first_lane<T>(peak0);
  for (; i < count; ++i) {
    const T m = larger(x[i], -x[i]);
    s += m;
    p = larger<double>(m, p);
  }
  *sum = s;
  *peak = p;
}

template <class T>
void scan(const void* data, ptrdiff_t count, ptrdiff_t block, double* sum, double* peak) {
  const T* x = static_cast<const T*>(data);
  for (ptrdiff_t b = 0; b * block < count; ++b) {
    const ptrdiff_t left = count - b * block;
    scan_block(x + b * block, left < block ? left : block, sum + b, peak + b);
  }
}

// A vector of columns at a time down all rows, so that sums stay in registers.
template <class T>
void scan_columns(const void* data, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count, double* sum,
                  double* peak) {
  using V = Vec<T>;
  constexpr int W = kLanes<T>;
  const char* base = static_cast<const char*>(data);
  ptrdiff_t c = 0;
  for (; c + W <= count; c += W) {
    V sums = {}, peaks = {};
    for (ptrdiff_t r = 0; r < rows; ++r) {
      const V x = load<T>(reinterpret_cast<const T*>(base + r * stride) + c);
      const V m = larger(x, -x);
      sums = sums + m;
      peaks = larger(m, peaks);
    }
    T s[W], p[W];
    store<T>(s, sums);
    store<T>(p, peaks);
    for (int l = 0; l < W; ++l) sum[c + l] = s[l], peak[c + l] = p[l];
  }
  for (; c < count; ++c) {
    T s = 0, p = 0;
    for (ptrdiff_t r = 0; r < rows; ++r) {
      const T x = reinterpret_cast<const T*>(base + r * stride)[c], m = larger(x, -x);
      s += m;
      p = larger(m, p);
    }
    sum[c] = s;
    peak[c] = p;
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
