// Every kernel's signature and promise. One filled table per level is all that
// differs between instruction sets; it is constant data and the only symbol
// that a level's object exports.
//
// All kernels: no allocation, no exceptions, no state. Pointers need only the
// alignment of their element. Inputs and outputs do not overlap. Scratch comes
// dirty. The order in which an output's terms are summed, and the use of FMA,
// depend on that output's problem alone, never on where it falls in a block.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace fastconv {

// Rows of the direct kernels: (dtype of x, dtype of the taps). Unsigned
// integers use the signed rows. xR_gC: real signal, complex taps.
enum Pair {
  kF32,
  kF64,
  kC64_F32,  // complex x, real taps
  kC128_F64,
  kF32_C64,  // real x, complex taps
  kF64_C128,
  kC64,
  kC128,
  kI8,
  kI16,
  kI32,
  kI64,
  kBool,
  kPairs
};

// Most taps of floats that go through one accumulator in 1-D: roundings that all pull one way, as
// those of a constant do, grow with it, not with the kernel. Sweeps of 48 take up to 3 % less time
// and are off by twice as much.
constexpr ptrdiff_t kSweep = 16;

// y[i] (+)= sum_{k < m} g[k] x[i + k],  0 <= i < count; reads x[0 .. count + m - 1).
// g is v reversed. accumulate adds to y. bool: OR of ANDs.
using Direct1D = void (*)(const void* x, const void* g, void* y, ptrdiff_t count, ptrdiff_t m,
                          bool accumulate);

// Rows of a kernel whose taps go through one accumulator in 2-D, likewise: eight, or as few as have
// 128 taps, so that to close a sweep takes no time. No kernel of a strip's height has an end of
// one, and none has it so near its last row that some rows of a tile would be done before.
constexpr ptrdiff_t sweep_rows(ptrdiff_t rows, ptrdiff_t cols) {
  constexpr ptrdiff_t kTaps = 128, kMostTileRows = 5, kMostStripRows = 7;
  ptrdiff_t sweep = (kTaps + cols - 1) / cols;
  if (sweep <= kMostStripRows) sweep = kMostStripRows + 1;
  while (sweep < rows && rows % sweep && rows % sweep < kMostTileRows) ++sweep;
  return sweep;
}

// Taps of a picture, dense and reversed along both axes: of a kernel, that begins `above` rows
// before them, so many rows, and from one to the next `spread` samples. A sweep ends with every
// `sweep` rows of the kernel.
struct Taps2D {
  const void* data;
  ptrdiff_t rows, cols, spread, above, sweep;
};

// y[r, c] (+)= sum_{i < g.rows, j < g.cols} g[i, j] x[r + i, c + j g.spread]. Row strides in
// elements. Only of some pairs, `spreads`, may the spread be more than 1.
using Direct2D = void (*)(const void* x, ptrdiff_t x_row, const Taps2D& g, void* y, ptrdiff_t y_row,
                          ptrdiff_t rows, ptrdiff_t cols, bool accumulate);

// *y (+)= sum_{k < count} v[-k] x[k]: v points at the last tap.
using Dot = void (*)(const void* x, const void* v, ptrdiff_t count, void* y, bool accumulate);

// sum[b] = sum |x_i| and peak[b] = max |x_i| over each block of x. A NaN or Inf
// in a block makes its sum non-finite; its peak is then unspecified. least[b], where wanted: what
// the sum would be, or less, were all of it as the quietest part of four whole vectors; of shorter
// blocks infinite.
using Scan = void (*)(const void* x, ptrdiff_t count, ptrdiff_t block, double* sum, double* peak,
                      double* least);

// Of rows that have their blocks in common: sum and peak of each block as in Scan, `energy` no less
// than its sum x_i^2; the sum of each row, and those down the first and the last so many columns.
struct ScannedRows {
  double *sum, *energy, *peak, *row_sum, *first, *last;
};

// Rows x[r], of which most lie `stride` bytes apart; row_sum by row[r]. Blocks are multiples of 16
// numbers.
using ScanRows = void (*)(const void* const* x, ptrdiff_t stride, const ptrdiff_t* row,
                          ptrdiff_t rows, ptrdiff_t count, ptrdiff_t block, ptrdiff_t ends,
                          const ScannedRows&);

// sum[c] = sum |x[r, c]| and peak[c] = max |x[r, c]| over `rows` rows, `stride` bytes
// apart, of `count` columns; NaN and Inf as in Scan, `least` by parts of 16 rows.
using ScanColumns = void (*)(const void* x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count,
                             double* sum, double* peak, double* least);

// The passes of a transform of `length` points, outermost first: a pass of
// radix R turns n points into R interleaved sub-transforms of n / R, the last
// pass (the leaf) has n = R. twiddle[pass] holds w_n^{j q}, w_n = e^{-2 pi i / n},
// as (re, im) of the kernels' real type, for j < n / R, q = 1 .. R - 1 in turn. Vectors are loaded
// of fewer pairs than they hold: kMargin bytes behind the factors are there to be read.
struct LanePlan {
  static constexpr int kMaxPasses = 24;
  static constexpr ptrdiff_t kMargin = 128;
  ptrdiff_t length;
  int passes;
  int radix[kMaxPasses];
  const void* twiddle[kMaxPasses];
};

// One block a lane: lane l reads or writes re[l] and im[l] (real data), or the
// (re, im) pairs at re[l] (interleaved). im null: no imaginary part. The scales
// are one real a lane.
struct Blocks {
  void* const* re;
  void* const* im;
  const void* scale_re;
  const void* scale_im;
  bool interleaved;
  bool accumulate;
};

// Columns side by side: row[j] points at the columns of sample j, null at zeros. `two`:
// 2 W real columns, W of them the imaginary parts; else W, or W pairs if interleaved.
// The scales are one real a lane.
struct Columns {
  void* const* row;
  const void* scale_re;
  const void* scale_im;
  bool two, interleaved, accumulate;
};

// One real plane of a matrix, or an interleaved complex one: row[r] points at
// column `first` of row r and holds columns first .. end - 1; null is a row of
// zeros where it is read, a row to discard where it is written.
struct Plane {
  void* const* row;
  ptrdiff_t first, end;
  double scale;
};

// The real and imaginary planes of a matrix; im.row null: no imaginary part.
struct Planes {
  Plane re, im;
  bool interleaved;  // re holds pairs, im is unused
  bool accumulate;
};

// A transform whose points are an n1 x n2 matrix: the columns (length n1) with W
// neighbours in the lanes, then the rows (length n2) with W of them in the lanes.
struct Matrix {
  const LanePlan* column;
  const LanePlan* row;
  const void* weight;      // a complex factor for each row of the input, or null
  const void* twist;       // one factor a row for every twist_groups groups of W columns, or
                           // null: 2-D
  const void* twist_lane;  // their own less 1: for each group and row W re, then W im
  ptrdiff_t twist_groups;
  ptrdiff_t band;  // reals from one W rows' band to the next
};

// What a transform of lanes does.
enum Transform {
  kForward,  // natural order to the plan's permuted order
  kInverse,  // back, unscaled
  kFilter,   // forward, times one complex factor a point, inverse
  kProduct   // forward, times W complex factors a point, inverse
};

// W = `lanes` transforms side by side. Point j of a buffer is W reals, then W
// imaginary parts; spectra are in the plan's permuted order, which nobody
// outside needs to know beyond "position p of one is position p of the other".
struct SpectralKernels {
  int lanes;
  int column_groups;  // what columns_forward and columns_inverse like to be given at once

  void (*transform)(void* z, const LanePlan&, Transform, const void* spectrum);

  // sum = sum over q < count of x[q] h[q], `length` points; sum may be x[0]. h holds one complex
  // factor a point (filter) or W of them (products).
  void (*filter)(const void* const* x, const void* const* h, int count, ptrdiff_t length,
                 void* sum);
  void (*products)(const void* const* x, const void* const* h, int count, ptrdiff_t length,
                   void* sum);

  // h = the transform of m real samples v, or pairs, and zeros after them, scaled: one
  // complex factor a point, for kFilter. z is scratch for plan.length points.
  void (*spectrum)(const void* v, ptrdiff_t m, bool pairs, double scale, const LanePlan&, void* z,
                   void* h);

  // z = the first `length` samples of each block, scaled. squares: each lane's sum
  // of squares before scaling, of the re blocks, then of the im blocks (2 W reals).
  void (*gather)(const Blocks&, ptrdiff_t length, void* z, void* squares);

  // Samples first .. first + count - 1 of z, scaled, to the blocks.
  void (*scatter)(const Blocks&, ptrdiff_t first, ptrdiff_t count, const void* z);

  // gather and scatter for columns: `length` rows in, `count` of z's out.
  void (*gather_columns)(const Columns&, ptrdiff_t length, void* z, void* squares);
  void (*scatter_columns)(const Columns&, ptrdiff_t first, ptrdiff_t count, const void* z);

  // `groups` groups of W columns from group on: read, weighted, transformed, twisted
  // and laid into the bands, where each W rows stand as lanes:
  // bands[r / W][column][re | im][r % W]. work holds n1 points a group. Adds the sum
  // of squares of each real plane to squares[2].
  void (*columns_forward)(const Matrix&, const Planes&, ptrdiff_t group, int groups, void* work,
                          void* bands, double* squares);

  // The way back.
  void (*columns_inverse)(const Matrix&, const Planes&, ptrdiff_t group, int groups, void* work,
                          const void* bands);

  // sqrt(sum x^2) and max |x|.
  double (*norm)(const void* x, ptrdiff_t count);
  double (*peak)(const void* x, ptrdiff_t count);
};

struct IntegerKernels {
  // max |x| and sum x^2.
  void (*measure)(const void* x, ptrdiff_t count, double* max, double* squares);

  // out[i] = balanced digit number `index` of x[i], `width` bits each (exact.cpp).
  void (*digit)(const void* x, ptrdiff_t count, int index, int width, bool last, double* out);

  // out[i] (+)= rint(x[i]) 2^shift, wrapped; |x| < 2^51.
  void (*put_rounded)(const double* x, ptrdiff_t count, int shift, bool add, void* out);
};

struct KernelTable {
  const char* name;
  Direct1D direct1d[kPairs];
  Direct2D direct2d[kPairs];
  int tile_rows[kPairs];  // of outputs, that direct2d sums together
  bool spreads[kPairs];
  Dot dot[kPairs];
  // Runs `rounds` rounds of independent FMA chains; returns the multiply-adds done.
  double (*peak_f32)(ptrdiff_t rounds);
  double (*peak_f64)(ptrdiff_t rounds);
  Scan scan_f32;
  Scan scan_f64;
  ScanRows scan_rows_f32;
  ScanRows scan_rows_f64;
  ScanColumns scan_columns_f32;
  ScanColumns scan_columns_f64;
  SpectralKernels spectral[2];  // single, double
  IntegerKernels integers[4];   // of 8, 16, 32, 64 bits
};

}  // namespace fastconv
