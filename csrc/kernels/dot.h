// One output of few: y (+)= sum_k v[-k] x[k] with the lanes along the taps, where
// direct1d would leave most lanes empty. Taps are read backwards, as they lie in v: a
// copy turned round would cost more than the products. Four sums in turn hide the latency of
// the addition; they are added in a fixed order at the end. At 10,000 taps, f64, on
// Zen 4 a call takes 1.7 us instead of 18.
#pragma once
#include "simd.h"
#include "table.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

// The vector of items that ends with the one at v, last first.
template <class T, int Item>
FC_INLINE Vec<T> load_back(const T* v) {
#if defined(FC_VECTORS)
  return turn_round<T, Item>(load(v + Item - kLanes<T>));
#else
  return *v;
#endif
}

template <class T>
void dot_floats(const void* x_data, const void* v_data, ptrdiff_t count, void* y_data,
                bool accumulate) {
  constexpr int W = kLanes<T>, U = 4;
  const T* x = static_cast<const T*>(x_data);
  const T* v = static_cast<const T*>(v_data);
  Vec<T> sums[U] = {};
  ptrdiff_t k = 0;
  for (; k + U * W <= count; k += U * W) {
    FC_UNROLL
    for (int u = 0; u < U; ++u) {
      sums[u] = fma(load(x + k + u * W), load_back<T, 1>(v - k - u * W), sums[u]);
    }
  }
  T lanes[W], sum = 0;
  store<T>(lanes, (sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (int l = 0; l < W; ++l) sum += lanes[l];
  for (; k < count; ++k) sum = fma(x[k], v[-k], sum);
  T* y = static_cast<T*>(y_data);
  *y = accumulate ? *y + sum : sum;
}

// Unsigned integers wrap and may be added in any order: the compiler's to choose.
template <class T>
void dot_integers(const void* x_data, const void* v_data, ptrdiff_t count, void* y_data,
                  bool accumulate) {
  const T* x = static_cast<const T*>(x_data);
  const T* v = static_cast<const T*>(v_data);
  T* y = static_cast<T*>(y_data);
  T sum = accumulate ? *y : T(0);
  for (ptrdiff_t k = 0; k < count; ++k) sum = T(sum + x[k] * v[-k]);
  *y = sum;
}

void dot_bools(const void* x_data, const void* v_data, ptrdiff_t count, void* y_data,
               bool accumulate) {
  const uint8_t* x = static_cast<const uint8_t*>(x_data);
  const uint8_t* v = static_cast<const uint8_t*>(v_data);
  uint8_t* y = static_cast<uint8_t*>(y_data);
  uint8_t sum = accumulate ? *y : 0;
  for (ptrdiff_t k = 0; k < count; ++k) sum = uint8_t(sum | (x[k] & v[-k]));
  *y = sum;
}

// Items of x and v are `x_parts` and `v_parts` reals, one of them or both two.
// Two complex streams are multiplied as they lie: x v holds (re re, im im), and x
// times v with its parts changed round (re im, im re).
template <class T, int x_parts, int v_parts>
void dot_complex(const void* x_data, const void* v_data, ptrdiff_t count, void* y_data,
                 bool accumulate) {
  constexpr int U = 4;
  const T* x = static_cast<const T*>(x_data);
  const T* v = static_cast<const T*>(v_data);
  T re[U] = {}, im[U] = {};
  ptrdiff_t k = 0;
#if defined(FC_VECTORS)
  if constexpr (x_parts == 2 && v_parts == 2) {
    constexpr int W = kLanes<T>, items = W / 2;
    Vec<T> straight[U] = {}, across[U] = {};
    for (; k + U * items <= count; k += U * items) {
      FC_UNROLL
      for (int u = 0; u < U; ++u) {
        const Vec<T> xs = load(x + 2 * k + u * W), vs = load_back<T, 2>(v - 2 * k - u * W);
        straight[u] = fma(xs, vs, straight[u]);
        across[u] = fma(xs, swap_pairs<T>(vs), across[u]);
      }
    }
    T same[W], other[W];
    store<T>(same, (straight[0] + straight[1]) + (straight[2] + straight[3]));
    store<T>(other, (across[0] + across[1]) + (across[2] + across[3]));
    for (int l = 0; l < W; l += 2) {
      re[0] += same[l] - same[l + 1];
      im[0] += other[l] + other[l + 1];
    }
  }
#endif
  const auto add = [&](int u, const T* xk, const T* vk) {
    if constexpr (x_parts == 2 && v_parts == 2) {
      re[u] = fma(-xk[1], vk[1], fma(xk[0], vk[0], re[u]));
      im[u] = fma(xk[1], vk[0], fma(xk[0], vk[1], im[u]));
    } else {
      re[u] = fma(xk[0], vk[0], re[u]);
      im[u] = fma(xk[x_parts - 1], vk[v_parts - 1], im[u]);
    }
  };
  for (; k + U <= count; k += U) {
    FC_UNROLL
    for (int u = 0; u < U; ++u) add(u, x + (k + u) * x_parts, v - (k + u) * v_parts);
  }
  for (; k < count; ++k) add(0, x + k * x_parts, v - k * v_parts);
  const T sum_re = (re[0] + re[1]) + (re[2] + re[3]), sum_im = (im[0] + im[1]) + (im[2] + im[3]);
  T* y = static_cast<T*>(y_data);
  y[0] = accumulate ? y[0] + sum_re : sum_re;
  y[1] = accumulate ? y[1] + sum_im : sum_im;
}

// The table's entries, in the order of Pair.
#define FC_DOT_ROWS                                                                           \
  dot_floats<float>, dot_floats<double>, dot_complex<float, 2, 1>, dot_complex<double, 2, 1>, \
      dot_complex<float, 1, 2>, dot_complex<double, 1, 2>, dot_complex<float, 2, 2>,          \
      dot_complex<double, 2, 2>, dot_integers<uint8_t>, dot_integers<uint16_t>,               \
      dot_integers<uint32_t>, dot_integers<uint64_t>, dot_bools

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
