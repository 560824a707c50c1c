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
  // slow being 1 up to kNearLog2, `far` from kFarLog2 on. Blocks in the lanes are
  // transformed all lanes at a time, and are near (lanes_fit).
  double lanes_call[2], lanes_piece[2], lanes_point[2], lanes_pass[2];
  double matrix_call[2], matrix_piece[2], matrix_point[2], matrix_pass[2], matrix_far[2];

  // The guard of floats, a real sample of a.
  double guard[2];
  // Integers to doubles and back, a sample: i8 i16 i32 i64 bool.
  double convert[5];
};

// Transforms of up to 4 MB ran at one rate; those of 64 MB and more at another.
constexpr double kNearLog2 = 22, kFarLog2 = 26;

// What a build believes before anything else is set.
struct Shipped {
  const char* level;
  Costs costs;
};

//                 f32 f64 c64/f32 c128/f64 f32/c64 f64/c128 c64 c128 i8 i16 i32 i64 bool
constexpr Shipped kCosts[] = {
    {"plain",
     {480,
      {5.01, 3.83, 1.9, 1.73, 2.31, 2.25, 1.11, 0.677, 2.15, 4.84, 1.92, 1.53, 4.64},
      {3.13, 1.77, 1.84, 1, 2.46, 3.2, 2.89, 0.21, 4.4, 4.58, 1.49, 1.98, 6.63},
      {3.59, 3.73, 1.82, 1.91, 1.9, 1.87, 0.947, 0.928, 1.92, 3.26, 1.78, 1.57, 2.81},
      {0.132, 1.8, 1.55, 1.71, 4.74, 4.18, 3.98, 3.68, 6.22, 0.539, 0.597, 3.81, 1.46},
      {1.1e+03, 1.12e+03},
      {194, 42.7},
      {0.684, 0},
      {3.35, 1.67},
      {1.05e+03, 1.1e+03},
      {316, 210},
      {6.72, 5.41},
      {0.495, 0.556},
      {2, 2},
      {0.0908, 0.102},
      {0.076, 0, 0, 0.118, 0.244}}},
    {"sse2",
     {480,
      {20, 7.66, 7.59, 3.47, 9.26, 4.49, 4.43, 1.35, 34.4, 38.7, 7.68, 3.06, 74.2},
      {3.13, 1.77, 1.84, 1, 2.46, 3.2, 2.89, 0.21, 4.4, 4.58, 1.49, 1.98, 6.63},
      {14.3, 7.47, 7.29, 3.81, 7.59, 3.73, 3.79, 1.86, 30.8, 26.1, 7.13, 3.14, 44.9},
      {0.132, 1.8, 1.55, 1.71, 4.74, 4.18, 3.98, 3.68, 6.22, 0.539, 0.597, 3.81, 1.46},
      {1.1e+03, 1.12e+03},
      {48.5, 21.3},
      {0.171, 0},
      {0.837, 0.837},
      {1.05e+03, 1.1e+03},
      {79.1, 105},
      {1.68, 2.71},
      {0.124, 0.278},
      {2, 2},
      {0.0908, 0.102},
      {0.076, 0, 0, 0.118, 0.244}}},
    {"neon",
     {480,
      {40.1, 15.3, 15.2, 6.93, 18.5, 8.98, 8.85, 2.71, 68.7, 77.4, 15.4, 6.12, 148},
      {3.13, 1.77, 1.84, 1, 2.46, 3.2, 2.89, 0.21, 4.4, 4.58, 1.49, 1.98, 6.63},
      {28.7, 14.9, 14.6, 7.62, 15.2, 7.46, 7.57, 3.71, 61.6, 52.2, 14.3, 6.29, 89.8},
      {0.132, 1.8, 1.55, 1.71, 4.74, 4.18, 3.98, 3.68, 6.22, 0.539, 0.597, 3.81, 1.46},
      {1.1e+03, 1.12e+03},
      {24.3, 10.7},
      {0.0855, 0},
      {0.418, 0.419},
      {1.05e+03, 1.1e+03},
      {39.5, 52.6},
      {0.84, 1.35},
      {0.0619, 0.139},
      {2, 2},
      {0.0908, 0.102},
      {0.076, 0, 0, 0.118, 0.244}}},
    {"avx2",
     {485,
      {52.2, 26.9, 27.1, 13.8, 24.8, 12.5, 12.7, 6.53, 75.8, 88.7, 45.7, 6.55, 183},
      {7.51, 4.59, 5.06, 4.7, 4.16, 3.77, 2.98, 4.08, 7.79, 9.38, 6.39, 2.28, 16.6},
      {37.3, 19.9, 19.8, 8.45, 12.7, 6.29, 6.4, 3.14, 57.2, 62.2, 31.8, 7.11, 108},
      {1.53, 1.33, 1.14, 2.45, 3.05, 2.59, 2.73, 2.11, 6.37, 3.16, 1.1, 4.48, 4.73},
      {1.07e+03, 1.07e+03},
      {87.2, 35.7},
      {0.164, 0},
      {0.773, 0.834},
      {986, 941},
      {99.5, 119},
      {0.792, 1.16},
      {0.0581, 0.139},
      {2.93, 3.05},
      {0.0883, 0.0703},
      {0.177, 0.164, 0.11, 0.438, 0.367}}},
    {"avx512",
     {488,
      {58.2, 28.9, 29.4, 15.5, 29.5, 14.8, 14.7, 7.39, 75.8, 90.4, 49.5, 24.3, 181},
      {7.07, 3.52, 3.59, 3.91, 4.38, 3.31, 1.82, 1.62, 6.64, 9.71, 5.85, 2.72, 16.4},
      {49.3, 25.6, 25.7, 14.1, 18.8, 13.8, 13, 6.84, 67, 73.8, 42.1, 21.6, 178},
      {2.24, 1.74, 1.83, 1.93, 7.71, 8.19, 1.25, 1.19, 4.75, 3.66, 1.93, 1.54, 10.5},
      {962, 1.04e+03},
      {277, 97.5},
      {0.24, 1.56},
      {1.23, 1.07},
      {992, 1e+03},
      {88.3, 110},
      {0.609, 0.787},
      {0.0498, 0.118},
      {3.8, 3.94},
      {0.0882, 0.108},
      {0.304, 0.316, 0.205, 0.378, 0.533}}},
};

}  // namespace fastconv
