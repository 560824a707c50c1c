// Direct sums where the compiler has no vector types: plain loops. `X` elements
// of x and `G` of a tap make up one number (1 real, 2 complex).
#pragma once
#include "simd.h"
#include "table.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <class T, int X, int G, bool is_bool = false>
struct Plain {
  using Element = T;
  static constexpr int x_parts = X, g_parts = G;
  static constexpr int Y = X > G ? X : G;

  static FC_INLINE void add(T (&sum)[2], const T* x, const T* g) {
    if constexpr (is_bool) {
      sum[0] = T(sum[0] | (x[0] & g[0]));
    } else {
      sum[0] = T(fma(x[0], g[0], sum[0]));
      if constexpr (X == 2) sum[1] = T(fma(x[1], g[0], sum[1]));
      if constexpr (G == 2) sum[1] = T(fma(x[0], g[1], sum[1]));
      if constexpr (X == 2 && G == 2) sum[0] = T(fma(T(-x[1]), g[1], sum[0]));
    }
  }
  static FC_INLINE void put(const T (&sum)[2], T* y, bool accumulate) {
    for (int p = 0; p < Y; ++p) {
      const T before = accumulate ? y[p] : T(0);
      if constexpr (is_bool) {
        y[p] = T(before | sum[p]);
      } else {
        y[p] = T(before + sum[p]);
      }
    }
  }
};

template <class A>
constexpr int kTileRows = 1;
template <class A>
constexpr bool kSpreads = true;

template <class A>
void direct2d(const void* x_data, ptrdiff_t x_row, const Taps2D& taps, void* y_data,
              ptrdiff_t y_row, ptrdiff_t rows, ptrdiff_t cols, bool accumulate) {
  using T = typename A::Element;
  constexpr int X = A::x_parts, G = A::g_parts;
  const T* x = static_cast<const T*>(x_data);
  const T* g = static_cast<const T*>(taps.data);
  T* y = static_cast<T*>(y_data);
  for (ptrdiff_t r = 0; r < rows; ++r) {
    for (ptrdiff_t c = 0; c < cols; ++c) {
      T total[2] = {};
      for (ptrdiff_t i = 0; i < taps.rows;) {
        T sum[2] = {};
        const ptrdiff_t begin = i, close = (taps.above + i) / taps.sweep * taps.sweep + taps.sweep;
        for (; i < taps.rows && taps.above + i < close; ++i) {
          const T* from = x + ((r + i) * x_row + c) * X;
          for (ptrdiff_t j = 0; j < taps.cols; ++j) {
            A::add(sum, from + j * taps.spread * X, g + (i * taps.cols + j) * G);
          }
        }
        A::put(sum, total, begin > 0);
      }
      A::put(total, y + (r * y_row + c) * A::Y, accumulate);
    }
  }
}

template <class A>
void direct1d(const void* x_data, const void* g_data, void* y_data, ptrdiff_t count, ptrdiff_t m,
              bool accumulate) {
  using T = typename A::Element;
  constexpr int X = A::x_parts, G = A::g_parts;
  const T* x = static_cast<const T*>(x_data);
  const T* g = static_cast<const T*>(g_data);
  T* y = static_cast<T*>(y_data);
  for (ptrdiff_t i = 0; i < count; ++i, x += X, y += A::Y) {
    T total[2] = {};
    for (ptrdiff_t k = 0; k < m; k += kSweep) {
      T sum[2] = {};
      const ptrdiff_t end = m - k < kSweep ? m : k + kSweep;
      for (ptrdiff_t j = k; j < end; ++j) A::add(sum, x + j * X, g + j * G);
      A::put(sum, total, k > 0);
    }
    A::put(total, y, accumulate);
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv

#define FC_DIRECT_ROWS(kernel)                                                                     \
  kernel<Plain<float, 1, 1>>, kernel<Plain<double, 1, 1>>, kernel<Plain<float, 2, 1>>,             \
      kernel<Plain<double, 2, 1>>, kernel<Plain<float, 1, 2>>, kernel<Plain<double, 1, 2>>,        \
      kernel<Plain<float, 2, 2>>, kernel<Plain<double, 2, 2>>, kernel<Plain<uint8_t, 1, 1>>,       \
      kernel<Plain<uint16_t, 1, 1>>, kernel<Plain<uint32_t, 1, 1>>, kernel<Plain<uint64_t, 1, 1>>, \
      kernel<Plain<uint8_t, 1, 1, true>>
