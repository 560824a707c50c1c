// What the selector believes of a level: constants of the closed forms in price.h.
#pragma once
#include "engine.h"

namespace fastconv {

// Times in ns, rates in multiply-adds per ns; [2] are single and double precision.
struct Costs {
  // Direct: call + outputs * (taps + fixed) / rate, by row of the kernel table.
  double direct_call;
  double direct_rate[kPairs], direct_fixed[kPairs];      // 1-D
  double direct2d_rate[kPairs], direct2d_fixed[kPairs];  // 2-D

  // Transforms, with their share of the product and of what is read and written:
  //   call + transforms (piece + points (point + pass passes)) slow,
  // `passes` of radix 2 (lengths.h), slow being 1 up to kNearLog2, `mid` at kMidLog2, `far` from
  // kFarLog2 on. Blocks in the lanes are transformed all lanes at a time, and are `spill` slower
  // for each doubling beyond kSpillLog2. Of blocks and tiles each byte of a and of the result
  // beyond kCachedBytes takes `stream`.
  double lanes_call[2], lanes_piece[2], lanes_point[2], lanes_pass[2];
  double lanes_spill[2], lanes_stream[2];
  double matrix_call[2], matrix_piece[2], matrix_point[2], matrix_pass[2];
  double matrix_mid[2], matrix_far[2], matrix_stream[2];

  // The guard of floats, a real sample of a.
  double guard[2];
  // Integers to doubles and back, a sample: i8 i16 i32 i64 bool.
  double convert[5];
};

// Transforms of up to 4 MB ran at one rate; those of 16 and of 64 MB and more at others.
constexpr double kNearLog2 = 22, kMidLog2 = 24, kFarLog2 = 26;
// From 256 KB on lanes leave a cache of 2 MB to what they are read from and written to by and by.
constexpr double kSpillLog2 = 18;
// Of a signal and its result beyond 4 MB, what was read or written once is no longer near.
constexpr double kCachedBytes = 0x1p22;

}  // namespace fastconv
