// How the product of a vector of x and one tap is added up: one struct for each
// kind of data, all that the loops of direct.h ask of it.
//
//   T         element of the streams that x and the taps are read as
//   Sum       vector that products are added in
//   step      elements of x from one tap to the next: 2 where x is complex
//   parts     elements of a tap: 2 where taps are complex
//   sums      accumulators for one vector of x
//   factors   registers that a broadcast tap takes
//   outputs   vectors of y made from one vector of x
//   Shared    a vector of x, ready to be used with many taps
//   Factor    a tap, broadcast
//
// Complex data is never shuffled in the loop. With x read as the plain stream
// re im re im ..., a complex tap keeps two real sums, of g_re x and of g_im x,
// and they are combined once at the end: a complex product costs four real
// multiply-adds and a half-complex one two.
#pragma once
#include "simd.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

#if defined(FC_VECTORS)

template <class T_, int step_>
struct RealTaps {
  using T = T_;
  using Sum = Vec<T>;
  using Shared = Vec<T>;
  using Factor = Vec<T>;
  static constexpr int step = step_, parts = 1, sums = 1, factors = 1, outputs = 1;

  static FC_INLINE Shared share(Vec<T> x) {
    pin(x);
    return x;
  }
  static FC_INLINE Factor factor(const T* g) {
    Vec<T> f = broadcast(*g);
    pin(f);
    return f;
  }
  static FC_INLINE void add(Sum (&sum)[sums], Shared x, Factor g) { sum[0] = fma(x, g, sum[0]); }
  static FC_INLINE void finish(const Sum (&sum)[sums], Vec<T> (&y)[outputs]) { y[0] = sum[0]; }
  static FC_INLINE Vec<T> plus(Vec<T> x, Vec<T> y) { return x + y; }
};

template <class T_, int step_>
struct ComplexTaps {
  using T = T_;
  using Sum = Vec<T>;
  using Shared = Vec<T>;
  struct Factor {
    Vec<T> re, im;
  };
  static constexpr int step = step_, parts = 2, sums = 2, factors = 2, outputs = step == 1 ? 2 : 1;

  static FC_INLINE Shared share(Vec<T> x) {
    pin(x);
    return x;
  }
  static FC_INLINE Factor factor(const T* g) {
    Factor f = {broadcast(g[0]), broadcast(g[1])};
    pin(f.re);
    pin(f.im);
    return f;
  }
  static FC_INLINE void add(Sum (&sum)[sums], Shared x, const Factor& g) {
    sum[0] = fma(x, g.re, sum[0]);
    sum[1] = fma(x, g.im, sum[1]);
  }
  // Real x: (g_re x, g_im x) side by side. Complex x: the sums are
  // (re re, re im) and (im re, im im); the second is turned by i.
  static FC_INLINE void finish(const Sum (&sum)[sums], Vec<T> (&y)[outputs]) {
    if constexpr (step == 1) {
      interleave<T>(sum[0], sum[1], y[0], y[1]);
    } else {
      y[0] = sum[0] + flip_even_signs(swap_pairs<T>(sum[1]));
    }
  }
  static FC_INLINE Vec<T> plus(Vec<T> x, Vec<T> y) { return x + y; }
  static FC_INLINE Vec<T> flip_even_signs(Vec<T> x) {
    Vec<T> low, high;
    interleave<T>(broadcast(T(-1)), broadcast(T(1)), low, high);
    return x * low;
  }
};

// Bytes, of which only the low 8 bits of a product count. Taken as 16-bit lanes,
// x * g has the even byte's product in its low half; (x & 0xff00) * g has the odd
// byte's in its high half and zeros below. Two 16-bit multiplies, no widening.
struct ByteTaps {
  using T = uint8_t;
  using Sum = Vec<uint16_t>;
  struct Shared {
    Vec<uint16_t> even, odd;
  };
  using Factor = Vec<uint16_t>;
  static constexpr int step = 1, parts = 1, sums = 2, factors = 1, outputs = 1;

  static FC_INLINE Shared share(Vec<T> x) {
    Vec<uint16_t> pairs = (Vec<uint16_t>)x;
    Shared s = {pairs, pairs & broadcast(uint16_t(0xff00))};
    pin(s.even);
    pin(s.odd);
    return s;
  }
  static FC_INLINE Factor factor(const T* g) { return broadcast(uint16_t(*g)); }
  static FC_INLINE void add(Sum (&sum)[sums], const Shared& x, Factor g) {
    sum[0] = x.even * g + sum[0];
    sum[1] = x.odd * g + sum[1];
  }
  static FC_INLINE void finish(const Sum (&sum)[sums], Vec<T> (&y)[outputs]) {
    y[0] = (Vec<T>)((sum[0] & broadcast(uint16_t(0x00ff))) | sum[1]);
  }
  static FC_INLINE Vec<T> plus(Vec<T> x, Vec<T> y) { return x + y; }
};

// bool: bytes 0 and 1, OR of ANDs.
struct BoolTaps {
  using T = uint8_t;
  using Sum = Vec<T>;
  using Shared = Vec<T>;
  using Factor = Vec<T>;
  static constexpr int step = 1, parts = 1, sums = 1, factors = 1, outputs = 1;

  static FC_INLINE Shared share(Vec<T> x) {
    pin(x);
    return x;
  }
  static FC_INLINE Factor factor(const T* g) { return broadcast(*g); }
  static FC_INLINE void add(Sum (&sum)[sums], Shared x, Factor g) { sum[0] = (x & g) | sum[0]; }
  static FC_INLINE void finish(const Sum (&sum)[sums], Vec<T> (&y)[outputs]) { y[0] = sum[0]; }
  static FC_INLINE Vec<T> plus(Vec<T> x, Vec<T> y) { return x | y; }
};

#if defined(__SSE2__) && !defined(__AVX512DQ__)

// 64-bit integers from 32-bit multiplies, modulo 2^64:
//   x g = x_low g_low + 2^32 (x_high g_low + x_low g_high)
// The two terms are summed apart and the shift is made once, at the end.
struct WideTaps {
  using T = uint64_t;
  using Sum = Vec<T>;
  struct Shared {
    Vec<T> low, high;
  };
  struct Factor {
    Vec<T> low, high;
  };
  static constexpr int step = 1, parts = 1, sums = 2, factors = 2, outputs = 1;

  // The low halves of each lane, multiplied to 64 bits.
  static FC_INLINE Vec<T> multiply_low(Vec<T> x, Vec<T> y) {
#if defined(__AVX2__)
    return (Vec<T>)_mm256_mul_epu32((__m256i)x, (__m256i)y);
#else
    return (Vec<T>)_mm_mul_epu32((__m128i)x, (__m128i)y);
#endif
  }
  static FC_INLINE Shared share(Vec<T> x) {
    Shared s = {x, x >> 32};
    pin(s.low);
    pin(s.high);
    return s;
  }
  static FC_INLINE Factor factor(const T* g) {
    Factor f = {broadcast(*g), broadcast(*g >> 32)};
    pin(f.low);
    pin(f.high);
    return f;
  }
  static FC_INLINE void add(Sum (&sum)[sums], const Shared& x, const Factor& g) {
    sum[0] = sum[0] + multiply_low(x.low, g.low);
    sum[1] = sum[1] + multiply_low(x.high, g.low);
    sum[1] = sum[1] + multiply_low(x.low, g.high);
  }
  static FC_INLINE void finish(const Sum (&sum)[sums], Vec<T> (&y)[outputs]) {
    y[0] = sum[0] + (sum[1] << 32);
  }
  static FC_INLINE Vec<T> plus(Vec<T> x, Vec<T> y) { return x + y; }
};
using Int64Taps = WideTaps;

#else
using Int64Taps = RealTaps<uint64_t, 1>;
#endif

#endif

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
