// One pass over floats, block by block: what the guard needs to know before a
// transform may be trusted.
//
//   sum[b] = sum |x_i|,  peak[b] = max |x_i|,  i in [b * block, (b + 1) * block)
//
// From these ||x||_2^2 <= sum * peak, without squares that could overflow, and
// a sum that is not finite tells of a NaN or Inf (or of values so large that a
// transform is no place for them). Cost: memory bound, ~0.1 ns a float.
#pragma once
#include "simd.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <class T>
inline T magnitude(T x) {
  return x < 0 ? -x : x;
}

template <class T>
void scan_block(const T* x, ptrdiff_t count, double* sum, double* peak) {
  using V = Vec<T>;
  constexpr int W = kLanes<T>;
  V sum0 = {}, sum1 = {}, peak0 = {}, peak1 = {};
  ptrdiff_t i = 0;
  for (; i + 2 * W <= count; i += 2 * W) {
    V m0 = load<T>(x + i), m1 = load<T>(x + i + W);
    m0 = m0 < V{} ? -m0 : m0;
    m1 = m1 < V{} ? -m1 : m1;
    sum0 = sum0 + m0;
    sum1 = sum1 + m1;
    peak0 = m0 > peak0 ? m0 : peak0;
    peak1 = m1 > peak1 ? m1 : peak1;
  }
  T sums[W], peaks[W];
  store<T>(sums, sum0 + sum1);
  store<T>(peaks, peak0 > peak1 ? peak0 : peak1);
  double s = 0, p = 0;
  for (int l = 0; l < W; ++l) {
    s += sums[l];
    p = peaks[l] > p ? peaks[l] : p;
  }
  for (; i < count; ++i) {
    const T m = magnitude(x[i]);
    s += m;
    p = m > p ? m : p;
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
      V m = load<T>(reinterpret_cast<const T*>(base + r * stride) + c);
      m = m < V{} ? -m : m;
      sums = sums + m;
      peaks = m > peaks ? m : peaks;
    }
    T s[W], p[W];
    store<T>(s, sums);
    store<T>(p, peaks);
    for (int l = 0; l < W; ++l) sum[c + l] = s[l], peak[c + l] = p[l];
  }
  for (; c < count; ++c) {
    T s = 0, p = 0;
    for (ptrdiff_t r = 0; r < rows; ++r) {
      const T m = magnitude(reinterpret_cast<const T*>(base + r * stride)[c]);
      s += m;
      p = m > p ? m : p;
    }
    sum[c] = s;
    peak[c] = p;
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
