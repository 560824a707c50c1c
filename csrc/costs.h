// What the selector believes of each level. The numbers are written by
// benchmarks/costs.py, which fits every one of them to forced plans.
// Measured on: AMD EPYC, family 25, model 17
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
  //   call + transforms (piece + points (point + pass log2 points)) slow,
  // slow being 1 within kNearBytes, `far` from kFarBytes on. Blocks in the lanes are
  // transformed all lanes at a time.
  double lanes_call[2], lanes_piece[2], lanes_point[2], lanes_pass[2], lanes_far[2];
  double matrix_call[2], matrix_piece[2], matrix_point[2], matrix_pass[2], matrix_far[2];

  // The guard of floats, a real sample of a: in cache, and from memory.
  double guard_near[2], guard_far[2];
  // Integers to doubles and back, a sample: i8 i16 i32 i64 bool.
  double convert[5];
};

// Transforms of up to 4 MB ran at one rate; those of 64 MB and more at another.
constexpr double kNearBytes = 0x1p22, kFarBytes = 0x1p26;

// What a build believes before anything else is set.
struct Shipped {
  const char* level;
  Costs costs;
};

//                 f32 f64 c64/f32 c128/f64 f32/c64 f64/c128 c64 c128 i8 i16 i32 i64 bool
constexpr Shipped kCosts[] = {
    {"plain",
     {392,
      {4.92, 3.84, 1.91, 1.73, 2.31, 2.24, 1.11, 0.677, 2.14, 4.79, 1.93, 1.54, 4.59},
      {2.75, 1.67, 1.75, 0.951, 2.3, 3.14, 2.89, 0.174, 3.85, 3.89, 1.43, 1.96, 5.47},
      {3.59, 3.72, 1.82, 1.91, 1.89, 1.52, 0.763, 0.783, 1.92, 3.26, 1.78, 1.53, 2.82},
      {0, 1.64, 1.49, 1.73, 4.66, 1.09, 0.912, 1.2, 5.88, 0.368, 0.47, 3.4, 1.3},
      {950, 956},
      {205, 47.8},
      {0.619, 0},
      {3.33, 1.67},
      {1.15, 1.15},
      {884, 926},
      {206, 166},
      {6.53, 5.22},
      {0.502, 0.566},
      {4, 3.05},
      {0.095, 0.116},
      {0.35, 0.32},
      {0.0906, 0, 0, 0.127, 0.15}}},
    {"sse2",
     {392,
      {19.7, 7.68, 7.64, 3.46, 9.24, 4.47, 4.45, 1.35, 34.2, 38.3, 7.73, 3.07, 73.4},
      {2.75, 1.67, 1.75, 0.951, 2.3, 3.14, 2.89, 0.174, 3.85, 3.89, 1.43, 1.96, 5.47},
      {14.4, 7.44, 7.29, 3.82, 7.57, 3.04, 3.05, 1.57, 30.7, 26.1, 7.12, 3.06, 45.1},
      {0, 1.64, 1.49, 1.73, 4.66, 1.09, 0.912, 1.2, 5.88, 0.368, 0.47, 3.4, 1.3},
      {950, 956},
      {51.4, 23.9},
      {0.155, 0},
      {0.833, 0.836},
      {1.15, 1.15},
      {884, 926},
      {51.6, 83.1},
      {1.63, 2.61},
      {0.125, 0.283},
      {4, 3.05},
      {0.095, 0.116},
      {0.35, 0.32},
      {0.0906, 0, 0, 0.127, 0.15}}},
    {"neon",
     {392,
      {39.4, 15.4, 15.3, 6.93, 18.5, 8.94, 8.89, 2.71, 68.4, 76.6, 15.5, 6.15, 147},
      {2.75, 1.67, 1.75, 0.951, 2.3, 3.14, 2.89, 0.174, 3.85, 3.89, 1.43, 1.96, 5.47},
      {28.7, 14.9, 14.6, 7.63, 15.1, 6.08, 6.11, 3.13, 61.5, 52.2, 14.2, 6.13, 90.1},
      {0, 1.64, 1.49, 1.73, 4.66, 1.09, 0.912, 1.2, 5.88, 0.368, 0.47, 3.4, 1.3},
      {950, 956},
      {25.7, 11.9},
      {0.0773, 0},
      {0.417, 0.418},
      {1.15, 1.15},
      {884, 926},
      {25.8, 41.6},
      {0.816, 1.3},
      {0.0627, 0.141},
      {4, 3.05},
      {0.095, 0.116},
      {0.35, 0.32},
      {0.0906, 0, 0, 0.127, 0.15}}},
    {"avx2",
     {391,
      {52.7, 26.9, 27.1, 13.8, 25, 12.5, 12.7, 6.51, 75.5, 88.2, 45.4, 6.58, 184},
      {6.87, 4.25, 4.57, 4.33, 3.84, 3.67, 2.82, 3.96, 6.71, 9.14, 5.57, 2.28, 14.3},
      {37.1, 20, 20, 8.4, 12.8, 6.3, 6.41, 2.79, 56.9, 62.1, 31.9, 7.12, 106},
      {1.26, 1.13, 1.16, 2.11, 3.06, 2.44, 2.51, 0.555, 5.73, 2.2, 1.07, 4.37, 3.23},
      {938, 955},
      {90.8, 40},
      {0.211, 0},
      {0.764, 0.826},
      {1.15, 1.15},
      {878, 917},
      {71.3, 54.8},
      {0.729, 1.22},
      {0.0627, 0.136},
      {5.61, 5.95},
      {0.0833, 0.0883},
      {0, 0.248},
      {0.189, 0.178, 0.116, 0.316, 0.293}}},
    {"avx512",
     {394,
      {57.7, 29, 29.1, 15.7, 29.5, 14.9, 14.7, 7.32, 76.1, 89.5, 48.7, 24.6, 179},
      {5.81, 3.12, 3.07, 3.74, 3.99, 3.1, 1.58, 1.32, 5.85, 8.72, 4.7, 2.39, 13.8},
      {49.1, 25.8, 25.7, 14.2, 18.9, 13.8, 13, 6.85, 66.9, 72.9, 42.1, 21.7, 175},
      {2.13, 1.45, 1.48, 2.02, 6.52, 8.29, 1.22, 1.16, 4.09, 2.49, 1.85, 1.42, 8.51},
      {852, 911},
      {275, 95.6},
      {0.03, 1.51},
      {1.24, 1.07},
      {1.15, 1.15},
      {890, 912},
      {54.5, 51.6},
      {0.638, 0.933},
      {0.0477, 0.106},
      {7.29, 7.92},
      {0.074, 0.0895},
      {0.259, 0},
      {0.312, 0.328, 0.212, 0.38, 0.455}}},
};

}  // namespace fastconv
