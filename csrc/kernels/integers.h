// Integers on their way to a transform in doubles and back. Plain loops: each
// compiler vectorises them for the level it is given.
#pragma once
#include "lanes.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

// Largest magnitude and sum of squares: of doubles, as many at once as stay near.
template <class T>
void measure(const void* data, ptrdiff_t count, double* max, double* squares) {
  constexpr ptrdiff_t kAtOnce = 512;
  double some[kAtOnce];
  const T* x = static_cast<const T*>(data);
  *max = *squares = 0;
  for (ptrdiff_t first = 0; first < count; first += kAtOnce) {
    const ptrdiff_t n = count - first < kAtOnce ? count - first : kAtOnce;
    for (ptrdiff_t i = 0; i < n; ++i) some[i] = double(x[first + i]);
    const double top = peak<double>(some, n);
    *max = top > *max ? top : *max;
    *squares += sum_of_squares<double>(some, n, 1);
  }
}

// What makes an integer below 2^51 a double and back: in 1.5 * 2^52 the last bit weighs 1.
constexpr double kMagic = 0x1.8p52;
constexpr uint64_t kMagicBits = 0x4338000000000000u;

// Balanced digit number `index`: with half a digit added to each but the last, digits are
// plain runs of bits, too large by that half. The last is all that is left, its sign moved
// the same way.
template <class T>
void digit(const void* data, ptrdiff_t count, int index, int width, bool last, double* out) {
  const T* x = static_cast<const T*>(data);
  if (index == 0 && last) {
    for (ptrdiff_t i = 0; i < count; ++i) out[i] = double(x[i]);
    return;
  }
  const int shift = index * width;
  const uint64_t all = ~uint64_t(0), half = uint64_t(1) << (last ? 63 - shift : width - 1);
  const uint64_t mask = last ? all >> shift : all >> (64 - width);
  uint64_t halves = half << shift;
  for (int d = 0; d < index; ++d) halves += uint64_t(1) << (d * width + width - 1);
  for (ptrdiff_t i = 0; i < count; ++i) {
    const uint64_t rest = (uint64_t(int64_t(x[i])) + halves) >> shift;
    const uint64_t bits = (rest & mask) - half + kMagicBits;
    double digit;
    memcpy(&digit, &bits, 8);
    out[i] = digit - kMagic;
  }
}

// out (+)= rint(x) 2^shift modulo 2^bits, |x| < 2^51.
template <class T>
void put_rounded(const double* x, ptrdiff_t count, int shift, bool add, void* data) {
  T* out = static_cast<T*>(data);
  for (ptrdiff_t i = 0; i < count; ++i) {
    const double sum = x[i] + kMagic;
    uint64_t bits;
    memcpy(&bits, &sum, 8);
    const T term = T((bits - kMagicBits) << shift);
    out[i] = add ? T(out[i] + term) : term;
  }
}

template <class T, class Unsigned>
constexpr IntegerKernels kIntegers = {measure<T>, digit<T>, put_rounded<Unsigned>};

#define FC_INTEGER_ROWS                                                                   \
  kIntegers<int8_t, uint8_t>, kIntegers<int16_t, uint16_t>, kIntegers<int32_t, uint32_t>, \
      kIntegers<int64_t, uint64_t>

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
