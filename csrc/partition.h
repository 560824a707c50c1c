// A kernel in parts of B taps, and the transforms of blocks of B samples that meet them: with X_j
// the transform of blocks j - 1 and j of a signal, H_p that of part p,
//
//     block j of the result = the last half of the inverse of  sum_p X_{j-p} H_p.
//
// Of pictures and volumes the same holds along each axis (blocks.h). Everything is in double: what
// is single has errors far below its own rounding.
#pragma once
#include <memory>

#include "engine.h"
#include "lengths.h"
#include "runtime.h"
#include "twiddles.h"

namespace fastconv {

// 64-byte aligned, zeros at first.
class Doubles {
 public:
  Doubles() = default;
  explicit Doubles(Index count);
  double* get() const { return data_.get(); }

 private:
  std::unique_ptr<double[], Freed> data_;
};

// `count` items `step` bytes apart as doubles, or as pairs of them.
void widen(fc_dtype, const char* from, Index step, Index count, bool to_pairs, double* to);

// An upper bound of ||x||, but for rounding, where squares may leave the range.
double norm_of(const double* x, Index count);

// Samples below 2^240 and spectra of kernels near 1 leave the range of a double neither in a
// product nor in a sum; single precision always fits.
constexpr double kLoud = 0x1p240;

// Of two blocks of B samples. Real ones, x_j + i x_{j + B} modulo x^B = i, which is the
// negacyclic convolution of 2 B: what wraps falls on the first block, and nothing is
// wasted. Complex ones cyclically, 2 B points.
class BlockTransform {
 public:
  BlockTransform(const SpectralKernels&, Index block, bool pairs);

  Index points() const { return shape_.n1 * shape_.n2; }
  Index reals() const { return 2 * points(); }  // of a spectrum
  // From one spectrum to the next: a power of two and a line of cache, lest the same points of many
  // fall on the same sets.
  Index stride() const { return reals() + Index(kAlign / sizeof(double)); }

  void forward(const double* samples, double* spectrum) const;
  // y = the last block, scaled. The spectrum is overwritten.
  void inverse(double* spectrum, double scale, double* y) const;
  // sum = sum over q < count of x[q] h[q], of so many points.
  void products(const void* const* x, const void* const* h, int count, Index points,
                double* sum) const;

 private:
  const SpectralKernels& kernels_;
  const Index block_;
  const bool pairs_;
  const Split shape_;
  const Shared<LaneTable> column_, row_;
  const Shared<MatrixTable> table_;
  const Matrix matrix_;
};

// The kernel's side, which all signals share.
class PartedKernel {
 public:
  // May taps of such magnitudes be transformed? Finite and of ordinary size.
  static bool takes(const Magnitudes&);

  // None of its taps above `peak`. The last `half` items of a transform are the result.
  PartedKernel(const KernelTable&, bool pairs, Index half, Index parts, double peak);

  Index parts() const { return parts_; }
  Index half() const { return half_; }
  bool pairs() const { return pairs_; }
  int reals_of_item() const { return pairs_ ? 2 : 1; }

  // Part p, its taps at the places of a transform's window; the rest of it is zero.
  void weigh(Index p, const double* window);
  void put(Index p, double* window);  // which is overwritten

  const BlockTransform& transform() const { return transform_; }
  const double* spectrum(Index part) const { return spectra_.get() + part * transform_.stride(); }
  double norm(Index part) const { return norm_.get()[part]; }

  // What brings a result back: spectra are of v / scale.
  double scale() const;
  // A bound of the error of each output, where so many products were added up whose norms come to
  // so much.
  double error(double norms, int products) const;

 private:
  Index window() const { return 2 * half_ * reals_of_item(); }

  const Index parts_, half_;
  const bool pairs_;
  const BlockTransform transform_;
  const int exponent_;
  Doubles spectra_, norm_;
};

}  // namespace fastconv
