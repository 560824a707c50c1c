// Integers on their way to a transform in doubles and back. Plain loops: each
// compiler vectorises them for the level it is given.
#pragma once
#include "simd.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

// Largest magnitude and sum of squares. Eight sums at once, since additions of
// doubles may not be reordered.
template <class T>
void measure(const void* data, ptrdiff_t count, double* max, double* squares) {
  constexpr int U = 8;
  const T* x = static_cast<const T*>(data);
  T low[U] = {}, high[U] = {};
  double sum[U] = {};
  for (ptrdiff_t i = 0; i + U <= count; i += U) {
    for (int u = 0; u < U; ++u) {
      low[u] = x[i + u] < low[u] ? x[i + u] : low[u];
      high[u] = x[i + u] > high[u] ? x[i + u] : high[u];
      sum[u] += double(x[i + u]) * double(x[i + u]);
    }
  }
  for (ptrdiff_t i = count / U * U; i < count; ++i) {
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
    sum[0] += double(x[i]) * double(x[i]);
  }
  *max = *squares = 0;
  for (int u = 0; u < U; ++u) {
    const double top = -double(low[u]) > double(high[u]) ? -double(low[u]) : double(high[u]);
    *max = top > *max ? top : *max;
    *squares += sum[u];
  }
}

// Balanced digit number `index`: the low `width` bits, signed, of what is left when
// the digits before it are taken away; the last digit is all that is left.
template <class T>
void digit(const void* data, ptrdiff_t count, int index, int width, bool last, double* out) {
  const T* x = static_cast<const T*>(data);
  if (index == 0 && last) {
    for (ptrdiff_t i = 0; i < count; ++i) out[i] = double(x[i]);
    return;
  }
  for (ptrdiff_t i = 0; i < count; ++i) {
    int64_t rest = x[i];
    for (int d = 0; d < index; ++d) rest = (rest >> width) + ((rest >> (width - 1)) & 1);
    if (!last) rest = int64_t(uint64_t(rest) << (64 - width)) >> (64 - width);
    out[i] = double(rest);
  }
}

// out (+)= rint(x) 2^shift modulo 2^bits. |x| < 2^51 is rounded by adding 1.5 * 2^52,
// whose last bit weighs 1: the integer then stands in the low bits.
template <class T>
void put_rounded(const double* x, ptrdiff_t count, int shift, bool add, void* data) {
  T* out = static_cast<T*>(data);
  const double magic = 0x1.8p52;
  uint64_t base;
  memcpy(&base, &magic, 8);
  for (ptrdiff_t i = 0; i < count; ++i) {
    const double sum = x[i] + magic;
    uint64_t bits;
    memcpy(&bits, &sum, 8);
    const T term = T((bits - base) << shift);
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
