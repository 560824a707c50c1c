// What direct sums of lines (direct.cpp), of pictures (pictures.cpp) and of volumes (volumes.cpp)
// share.
#pragma once
#include <stdint.h>
#include <string.h>

#include "engine.h"

namespace fastconv {

constexpr double kPieceMacs = 5e7;  // between looks at the poll: 2 to 20 ms
constexpr double kCallMacs = 1000;  // a call beside its sums: 100 ns or so
constexpr Index kVectorBytes = 64;  // the widest; a border block of columns is no narrower

constexpr Index at_most(Index x, Index limit) { return x < limit ? x : limit; }
constexpr Index at_least(Index x, Index limit) { return x > limit ? x : limit; }

template <class Bits>
bool finite_floats(const char* data, Index count, Bits exponent) {
  bool finite = true;
  for (Index i = 0; i < count; ++i) {
    Bits bits;
    memcpy(&bits, data + i * Index(sizeof bits), sizeof bits);
    finite &= (bits & exponent) != exponent;
  }
  return finite;
}

inline bool is_finite(fc_dtype dtype, const char* data, Index count) {
  if (!is_float(dtype)) return true;
  if (is_complex(dtype)) count *= 2;
  return is_single(dtype) ? finite_floats<uint32_t>(data, count, 0x7f800000u)
                          : finite_floats<uint64_t>(data, count, 0x7ff0000000000000u);
}

template <class Item>
void reverse_items(char* to, const char* from, Index count) {
  for (Index i = 0; i < count; ++i) {
    memcpy(to + i * Index(sizeof(Item)), from + (count - 1 - i) * Index(sizeof(Item)),
           sizeof(Item));
  }
}

struct Item16 {
  uint64_t half[2];
};

inline void reverse(char* to, const char* from, Index count, Index item) {
  switch (item) {
    case 1: return reverse_items<uint8_t>(to, from, count);
    case 2: return reverse_items<uint16_t>(to, from, count);
    case 4: return reverse_items<uint32_t>(to, from, count);
    case 8: return reverse_items<uint64_t>(to, from, count);
    default: return reverse_items<Item16>(to, from, count);
  }
}

// What does not lie dense.
void direct_in_pieces(const Problem&, Context&);

// Outputs of two axes, row by row.
void direct_picture(const Problem&, Context&);

}  // namespace fastconv
