// Into the lanes and out of them: W x W register transposes, the loads that put
// one block into each lane, and the reductions that judge a block's size.
//
// A buffer of points is "split": W reals, then W imaginary parts, point after
// point. Real blocks go to one half of every point, so a transposed tile of
// W samples lands 2 W apart; interleaved complex blocks are the same transposition
// of pairs, W apart.
#pragma once
#include "simd.h"
#include "table.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <int... I>
struct Indices {};
template <int N, int... I>
struct CountTo : CountTo<N - 1, N - 1, I...> {};
template <int... I>
struct CountTo<0, I...> {
  typedef Indices<I...> type;
};
template <class T>
using LaneIndices = typename CountTo<kLanes<T>>::type;

// One step of the transposition: the 2 x 2 blocks of size S swap corners.
template <int S, class V, int... I>
FC_INLINE V upper_corners(V a, V b, Indices<I...>) {
  constexpr int W = int(sizeof...(I));
  return __builtin_shufflevector(a, b, ((I & S) ? W + I - S : I)...);
}
template <int S, class V, int... I>
FC_INLINE V lower_corners(V a, V b, Indices<I...>) {
  constexpr int W = int(sizeof...(I));
  return __builtin_shufflevector(a, b, ((I & S) ? W + I : I + S)...);
}

template <class T, int S, int End>
FC_INLINE void transpose_steps(Vec<T>* x) {
  if constexpr (S < End) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes<T>; ++i) {
      if (i & S) continue;
      const Vec<T> a = x[i], b = x[i + S];
      x[i] = upper_corners<S>(a, b, LaneIndices<T>());
      x[i + S] = lower_corners<S>(a, b, LaneIndices<T>());
    }
    transpose_steps<T, 2 * S, End>(x);
  }
}

template <class T>
FC_INLINE void transpose(Vec<T>* x) {
  transpose_steps<T, 1, kLanes<T>>(x);
}

// Steps may be taken in any order. That of halves is none where vectors are loaded or stored by
// halves, which loads and stores of 32 bytes do as fast and shuffles do not.
constexpr bool kByHalves = kVectorBytes >= 32;
template <class T>
using Half = Vec<T, kByHalves ? kVectorBytes / 2 : kVectorBytes>;

template <class T, int... I>
FC_INLINE Vec<T> load_halves(const T* low, const T* high, Indices<I...>) {
  constexpr int kBytes = int(sizeof(Half<T>));
  return __builtin_shufflevector(load<T, kBytes>(low), load<T, kBytes>(high), I...);
}
// Half of a vector, read as memory: GCC stores it by one instruction, where it would shuffle and
// store.
template <class T>
FC_INLINE Half<T> half(Vec<T> x, int which) {
  constexpr int kBytes = int(sizeof(Half<T>)), H = kBytes / int(sizeof(T));
  return load<T, kBytes>(reinterpret_cast<const T*>(&x) + which * H);
}

// x[i] = column i of the W rows at row(0), row(1) ..
template <class T, class Row>
FC_INLINE void load_transposed(Vec<T>* x, const Row& row) {
  constexpr int W = kLanes<T>, H = W / 2;
  if constexpr (kByHalves) {
#pragma GCC unroll 16
    for (int i = 0; i < H; ++i) {
      const T *upper = row(i), *lower = row(i + H);
      x[i] = load_halves<T>(upper, lower, LaneIndices<T>());
      x[i + H] = load_halves<T>(upper + H, lower + H, LaneIndices<T>());
    }
    transpose_steps<T, 1, H>(x);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) x[i] = load(row(i));
    transpose<T>(x);
  }
}

// The W rows at row(0), row(1) .. get columns x[i], by put(row, vector or half of one).
template <class T, class Row, class Put>
FC_INLINE void store_transposed(Vec<T>* x, const Row& row, const Put& put) {
  constexpr int W = kLanes<T>, H = W / 2;
  if constexpr (kByHalves) {
    transpose_steps<T, 1, H>(x);
#pragma GCC unroll 16
    for (int i = 0; i < H; ++i) {
      T *upper = row(i), *lower = row(i + H);
      put(upper, half<T>(x[i], 0));
      put(upper + H, half<T>(x[i + H], 0));
      put(lower, half<T>(x[i], 1));
      put(lower + H, half<T>(x[i + H], 1));
    }
  } else {
    transpose<T>(x);
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) put(row(i), x[i]);
  }
}

// What is done with a vector, half of one or one item: stored, or added to what is there.
template <class T>
struct Stored {
  FC_INLINE void operator()(T* y, T x) const { *y = x; }
  template <class V>
  FC_INLINE void operator()(T* y, V x) const {
    store<T, int(sizeof(V))>(y, x);
  }
};
template <class T>
struct Added {
  FC_INLINE void operator()(T* y, T x) const { *y += x; }
  template <class V>
  FC_INLINE void operator()(T* y, V x) const {
    store<T, int(sizeof(V))>(y, load<T, int(sizeof(V))>(y) + x);
  }
};

template <class V, int... I>
FC_INLINE V evens(V a, V b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}
template <class V, int... I>
FC_INLINE V odds(V a, V b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (2 * I + 1)...);
}
template <int Start, class V, int... I>
FC_INLINE V zipped(V a, V b, Indices<I...>) {
  constexpr int W = int(sizeof...(I));
  return __builtin_shufflevector(a, b, (Start + I / 2 + (I % 2) * W)...);
}

// (re, im) pairs to split vectors and back.
template <class T>
FC_INLINE void load_pairs(const T* p, Vec<T>& re, Vec<T>& im) {
  if constexpr (kLanes<T> == 1) {
    re = p[0];
    im = p[1];
  } else {
    const Vec<T> a = load(p), b = load(p + kLanes<T>);
    re = evens(a, b, LaneIndices<T>());
    im = odds(a, b, LaneIndices<T>());
  }
}
template <class T>
FC_INLINE void store_pairs(T* p, Vec<T> re, Vec<T> im) {
  if constexpr (kLanes<T> == 1) {
    p[0] = re;
    p[1] = im;
  } else {
    store<T>(p, zipped<0>(re, im, LaneIndices<T>()));
    store<T>(p + kLanes<T>, zipped<kLanes<T> / 2>(re, im, LaneIndices<T>()));
  }
}

// z[i * step .. + W - 1] = sample i of every lane's run, i < count, scaled. Returns
// each lane's sum of squares. Two sums run at once to hide the latency.
template <class T>
Vec<T> gather_runs(void* const* run, Vec<T> scale, ptrdiff_t count, T* z, ptrdiff_t step) {
  constexpr int W = kLanes<T>;
  Vec<T> x[W], squares[2] = {};
  ptrdiff_t i = 0;
  for (; i + W <= count; i += W) {
    load_transposed<T>(x, [&](int l) { return static_cast<const T*>(run[l]) + i; });
#pragma GCC unroll 16
    for (int l = 0; l < W; ++l) {
      squares[l & 1] = fma(x[l], x[l], squares[l & 1]);
      store<T>(z + (i + l) * step, x[l] * scale);
    }
  }
  T samples[W];
  for (; i < count; ++i) {
    for (int l = 0; l < W; ++l) samples[l] = static_cast<const T*>(run[l])[i];
    x[0] = load(samples);
    squares[0] = fma(x[0], x[0], squares[0]);
    store<T>(z + i * step, x[0] * scale);
  }
  return squares[0] + squares[1];
}

template <class T>
void gather(const Blocks& blocks, ptrdiff_t length, void* points, void* sums) {
  constexpr int W = kLanes<T>;
  T* z = static_cast<T*>(points);
  T* squares = static_cast<T*>(sums);
  const Vec<T> scale_re = load(static_cast<const T*>(blocks.scale_re));
  if (blocks.interleaved) {
    store<T>(squares, gather_runs<T>(blocks.re, scale_re, 2 * length, z, W));
    return;
  }
  store<T>(squares, gather_runs<T>(blocks.re, scale_re, length, z, 2 * W));
  if (blocks.im) {
    const Vec<T> scale_im = load(static_cast<const T*>(blocks.scale_im));
    store<T>(squares + W, gather_runs<T>(blocks.im, scale_im, length, z + W, 2 * W));
    return;
  }
  for (ptrdiff_t i = 0; i < length; ++i) store<T>(z + 2 * W * i + W, broadcast<T>(T(0)));
}

// Scales by address: who is given a vector leaves the upper halves of registers in use when it
// returns, and scalar sums then take 2.5 times as long until something clears them.
template <class T, class Put>
void scatter_runs(void* const* run, const void* scales, ptrdiff_t count, const T* z,
                  ptrdiff_t step) {
  constexpr int W = kLanes<T>;
  constexpr int kAhead = 256 / int(sizeof(T));
  const Vec<T> scale = load(static_cast<const T*>(scales));
  Vec<T> x[W];
  ptrdiff_t i = 0;
  for (; i + W <= count; i += W) {
    // A tenth of calls of 1e5 samples, a thirtieth of 1e6.
#pragma GCC unroll 16
    for (int l = 0; l < W; ++l) prefetch<64>(static_cast<T*>(run[l]) + i + kAhead);
#pragma GCC unroll 16
    for (int l = 0; l < W; ++l) x[l] = load(z + (i + l) * step) * scale;
    store_transposed<T>(x, [&](int l) { return static_cast<T*>(run[l]) + i; }, Put());
  }
  T samples[W];
  for (; i < count; ++i) {
    store<T>(samples, load(z + i * step) * scale);
    for (int l = 0; l < W; ++l) Put()(static_cast<T*>(run[l]) + i, samples[l]);
  }
}

template <class T>
void scatter(const Blocks& blocks, ptrdiff_t first, ptrdiff_t count, const void* points) {
  constexpr int W = kLanes<T>;
  const T* z = static_cast<const T*>(points) + 2 * W * first;
  const auto runs = blocks.accumulate ? scatter_runs<T, Added<T>> : scatter_runs<T, Stored<T>>;
  if (blocks.interleaved) return runs(blocks.re, blocks.scale_re, 2 * count, z, W);
  runs(blocks.re, blocks.scale_re, count, z, 2 * W);
  if (!blocks.im) return;
  runs(blocks.im, blocks.scale_im, count, z + W, 2 * W);
}

// sum (x scale)^2 by four running vectors.
template <class T>
double sum_of_squares(const T* x, ptrdiff_t count, T scale) {
  constexpr int W = kLanes<T>;
  Vec<T> sum[4] = {};
  ptrdiff_t i = 0;
  for (; i + 4 * W <= count; i += 4 * W) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      const Vec<T> s = load(x + i + k * W) * scale;
      sum[k] = fma(s, s, sum[k]);
    }
  }
  T lanes[W];
  store<T>(lanes, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  double total = 0;
  for (int l = 0; l < W; ++l) total += double(lanes[l]);
  for (; i < count; ++i) total += double(x[i] * scale) * double(x[i] * scale);
  return total;
}

// Squares leave the range of the type where samples are beyond about the square
// roots of its ends; those few blocks are summed again, scaled into it.
template <class T>
double norm(const void* samples, ptrdiff_t count) {
  constexpr bool kSingle = sizeof(T) == 4;
  constexpr double kLarge = kSingle ? 1e36 : 1e300, kSmall = kSingle ? 1e-30 : 1e-280;
  constexpr T kUp = T(kSingle ? 0x1p+70 : 0x1p+510), kDown = T(kSingle ? 0x1p-70 : 0x1p-510);
  const T* x = static_cast<const T*>(samples);
  const double sum = sum_of_squares<T>(x, count, T(1));
  if (sum >= kSmall && sum <= kLarge) return __builtin_sqrt(sum);
  const T scale = sum < kSmall ? kUp : kDown;
  return __builtin_sqrt(sum_of_squares<T>(x, count, scale)) / double(scale);
}

template <class T>
double peak(const void* samples, ptrdiff_t count) {
  constexpr int W = kLanes<T>;
  const T* x = static_cast<const T*>(samples);
  Vec<T> largest[2] = {};
  ptrdiff_t i = 0;
  for (; i + 2 * W <= count; i += 2 * W) {
#pragma GCC unroll 2
    for (int k = 0; k < 2; ++k) {
      const Vec<T> s = load(x + i + k * W), magnitude = s > -s ? s : -s;
      largest[k] = largest[k] > magnitude ? largest[k] : magnitude;
    }
  }
  T lanes[W];
  store<T>(lanes, largest[0] > largest[1] ? largest[0] : largest[1]);
  T most = 0;
  for (int l = 0; l < W; ++l) most = lanes[l] > most ? lanes[l] : most;
  for (; i < count; ++i) {
    const T magnitude = x[i] > -x[i] ? x[i] : -x[i];
    most = magnitude > most ? magnitude : most;
  }
  return double(most);
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
