// All that differs between instruction sets: the vector type and the few
// operations that compilers do not spell for it. Everything else in kernels/ is
// written once on these.
//
// Vec<T, Bytes> is the compiler's own vector type, so + - * & | and comparison
// with [] work on it; without vector types it is T itself, one lane.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define FC_INLINE inline __attribute__((always_inline))
#define FC_LAMBDA __attribute__((always_inline))

// Before a loop of constant length over vectors held in registers: an array of
// vectors lives in registers only once every index into it is a constant.
#if defined(__clang__)
#define FC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define FC_UNROLL _Pragma("GCC unroll 64")
#endif

// FC_PLAIN (a build flag) asks for plain loops where there would be vectors.
#if !defined(FC_PLAIN) && (defined(__SSE2__) || defined(__ARM_NEON))
#define FC_VECTORS 1
#endif

namespace fastconv {
namespace FC_LEVEL {
namespace {

#if !defined(FC_VECTORS)
constexpr int kVectorBytes = 0;
#elif defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif

#if defined(FC_VECTORS)

template <class T, int Bytes>
struct VecOf {
  typedef T type __attribute__((vector_size(Bytes)));
  // The same bits at an element's alignment: what loads and stores go through.
  typedef T loose __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
  static constexpr int lanes = Bytes / int(sizeof(T));
};

#else

template <class T, int>
struct VecOf {
  typedef T type;
  typedef T loose;
  static constexpr int lanes = 1;
};

#endif

template <class T, int Bytes = kVectorBytes>
using Vec = typename VecOf<T, Bytes>::type;

template <class T, int Bytes = kVectorBytes>
constexpr int kLanes = VecOf<T, Bytes>::lanes;

template <class T, int Bytes = kVectorBytes>
FC_INLINE Vec<T, Bytes> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T, Bytes>::loose*>(p);
}

template <class T, int Bytes = kVectorBytes>
FC_INLINE void store(T* p, Vec<T, Bytes> x) {
  *reinterpret_cast<typename VecOf<T, Bytes>::loose*>(p) = x;
}

// s - 0 is s, which the compiler knows; 0 + s is not where s is -0, so that it is computed, and
// the sum is spread by a shuffle in place of a load: three halves of the time of direct sums.
template <class T, int Bytes = kVectorBytes>
FC_INLINE Vec<T, Bytes> broadcast(T s) {
  return s - Vec<T, Bytes>{};
}

// x * y + z, rounded once where the level has FMA (avx2, avx512, neon), twice
// elsewhere; never left to the compiler's contraction, so that an output's bits
// do not depend on which loop computed it. Integers wrap: signed ones are
// computed on the unsigned bits.
template <class V>
FC_INLINE V fma(V x, V y, V z) {
  return x * y + z;
}

#if defined(__FMA__) || defined(__AVX512F__)
template <>
FC_INLINE Vec<float, 32> fma(Vec<float, 32> x, Vec<float, 32> y, Vec<float, 32> z) {
  return _mm256_fmadd_ps(x, y, z);
}
template <>
FC_INLINE Vec<double, 32> fma(Vec<double, 32> x, Vec<double, 32> y, Vec<double, 32> z) {
  return _mm256_fmadd_pd(x, y, z);
}
template <>
FC_INLINE Vec<float, 16> fma(Vec<float, 16> x, Vec<float, 16> y, Vec<float, 16> z) {
  return _mm_fmadd_ps(x, y, z);
}
template <>
FC_INLINE Vec<double, 16> fma(Vec<double, 16> x, Vec<double, 16> y, Vec<double, 16> z) {
  return _mm_fmadd_pd(x, y, z);
}
template <>
FC_INLINE float fma(float x, float y, float z) {
  return __builtin_fmaf(x, y, z);
}
template <>
FC_INLINE double fma(double x, double y, double z) {
  return __builtin_fma(x, y, z);
}
#endif
#if defined(__AVX512F__)
template <>
FC_INLINE Vec<float, 64> fma(Vec<float, 64> x, Vec<float, 64> y, Vec<float, 64> z) {
  return _mm512_fmadd_ps(x, y, z);
}
template <>
FC_INLINE Vec<double, 64> fma(Vec<double, 64> x, Vec<double, 64> y, Vec<double, 64> z) {
  return _mm512_fmadd_pd(x, y, z);
}
#endif
#if defined(__ARM_NEON)
template <>
FC_INLINE Vec<float, 16> fma(Vec<float, 16> x, Vec<float, 16> y, Vec<float, 16> z) {
  return vfmaq_f32(z, x, y);
}
template <>
FC_INLINE Vec<double, 16> fma(Vec<double, 16> x, Vec<double, 16> y, Vec<double, 16> z) {
  return vfmaq_f64(z, x, y);
}
template <>
FC_INLINE float fma(float x, float y, float z) {
  return __builtin_fmaf(x, y, z);
}
template <>
FC_INLINE double fma(double x, double y, double z) {
  return __builtin_fma(x, y, z);
}
#endif

// Keeps a shared vector in its register. Without it GCC folds the load back
// into each FMA as a memory operand and the loop becomes load-bound: 17 instead
// of 28 GMAC/s in the direct kernel on Zen 4.
template <class V>
FC_INLINE void pin(V& x) {
#if !defined(FC_VECTORS)
  (void)x;
#elif defined(__SSE2__)
  asm("" : "+v"(x));
#elif defined(__ARM_NEON)
  asm("" : "+w"(x));
#else
  (void)x;
#endif
}

#if defined(FC_VECTORS)

// Lane numbers for __builtin_shufflevector: LaneList<4> is Lanes<0, 1, 2, 3>.
template <int... I>
struct Lanes {};
template <int N, int... I>
struct CountLanes : CountLanes<N - 1, N - 1, I...> {};
template <int... I>
struct CountLanes<0, I...> {
  using type = Lanes<I...>;
};
template <int N>
using LaneList = typename CountLanes<N>::type;

template <class V, int... I>
FC_INLINE V swap_pairs(V x, Lanes<I...>) {
  return __builtin_shufflevector(x, x, (I ^ 1)...);
}

template <int Item, class V, int... I>
FC_INLINE V turn_round(V x, Lanes<I...>) {
  return __builtin_shufflevector(x, x, (int(sizeof...(I)) - Item - I / Item * Item + I % Item)...);
}

template <class V, int... I>
FC_INLINE void interleave(V x, V y, V& low, V& high, Lanes<I...>) {
  constexpr int half = int(sizeof...(I)) / 2;
  low = __builtin_shufflevector(x, y, (I / 2 + I % 2 * 2 * half)...);
  high = __builtin_shufflevector(x, y, (half + I / 2 + I % 2 * 2 * half)...);
}

// The items of a vector, `Item` lanes each, last first.
template <class T, int Item>
FC_INLINE Vec<T> turn_round(Vec<T> x) {
  return turn_round<Item>(x, LaneList<kLanes<T>>{});
}

// x1 x0 x3 x2 ...
template <class T, int Bytes = kVectorBytes>
FC_INLINE Vec<T, Bytes> swap_pairs(Vec<T, Bytes> x) {
  return swap_pairs(x, LaneList<kLanes<T, Bytes>>{});
}

// low: x0 y0 x1 y1 ..., high: the rest of it.
template <class T, int Bytes = kVectorBytes>
FC_INLINE void interleave(Vec<T, Bytes> x, Vec<T, Bytes> y, Vec<T, Bytes>& low,
                          Vec<T, Bytes>& high) {
  interleave(x, y, low, high, LaneList<kLanes<T, Bytes>>{});
}

#endif

// Asks for so many bytes ahead of time. Of runs, rows and bands that lie far apart there are more
// than caches foresee.
template <int Bytes>
FC_INLINE void prefetch(const void* at) {
#pragma GCC unroll 32
  for (int line = 0; line < Bytes; line += 64) {
    __builtin_prefetch(static_cast<const char*>(at) + line);
  }
}

// The vector that starts `shift` bytes into x, where low starts at x and high 16
// bytes further on: a shuffle instead of a load across cache lines.
#if defined(__AVX512BW__)
constexpr bool kHasBetween = true;
template <int shift, class V>
FC_INLINE V between(V low, V high) {
  return (V)_mm512_alignr_epi8((__m512i)high, (__m512i)low, shift);
}
#else
constexpr bool kHasBetween = false;
template <int shift, class V>
V between(V low, V high);
#endif

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
