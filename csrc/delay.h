// Uniform partitioned overlap-save: a long kernel in parts of B taps, and a delay line of
// spectra for each channel. With X_j the transform of blocks j - 1 and j of the signal, H_p
// that of part p,
//
//     block j of the result = the last half of the inverse of  sum_p X_{j-p} H_p,
//
// of which the terms p >= 1 are known before block j begins. Everything is in double: what is
// single has errors far below its own rounding, and only doubles have small values to lose.
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

// Of two blocks of B samples. Real ones, x_j + i x_{j + B} modulo x^B = i, which is the
// negacyclic convolution of 2 B: what wraps falls on the first block, and nothing is
// wasted. Complex ones cyclically, 2 B points.
class BlockTransform {
 public:
  BlockTransform(const SpectralKernels&, Index block, bool pairs);

  Index points() const { return shape_.n1 * shape_.n2; }
  Index reals() const { return 2 * points(); }  // of a spectrum

  void forward(const double* samples, double* spectrum) const;
  // y = the last block, scaled. The spectrum is overwritten.
  void inverse(double* spectrum, double scale, double* y) const;
  // sum = sum over q < count of x[q] h[q].
  void products(const void* const* x, const void* const* h, int count, double* sum) const;

 private:
  const SpectralKernels& kernels_;
  const Index block_;
  const bool pairs_;
  const Split shape_;
  const Shared<LaneTable> column_, row_;
  const Shared<MatrixTable> table_;
  const Matrix matrix_;
};

// The kernel's side, which all channels share.
class PartedKernel {
 public:
  // Is it long, finite and of ordinary size: does the delay line pay, and may it?
  static bool takes(const KernelTable&, fc_dtype, const char* v, Index m);

  PartedKernel(const KernelTable&, fc_dtype a_dtype, fc_dtype v_dtype, const char* v, Index m);

  Index block() const { return block_; }
  Index parts() const { return parts_; }
  Index taps() const { return m_; }
  int reals_of_item() const { return pairs_ ? 2 : 1; }

 private:
  friend class DelayLine;
  const Index m_, block_, parts_;
  const bool pairs_;
  const BlockTransform transform_;
  int exponent_ = 0;  // spectra are of v / 2^exponent
  Doubles spectra_, norm_;
};

// A channel's side.
class DelayLine {
 public:
  explicit DelayLine(const PartedKernel&);

  // As if no block had come. Spectra are entered again before they are read.
  void clear() { entered_ = touched_until_ = 0, ahead_block_ = -1; }

  Index entered() const { return entered_; }  // blocks before this one have their spectra

  // Block j: 2 B samples, those of block j - 1 first. What is not finite, or so large that
  // products might not be, is left out.
  void enter(Index j, fc_dtype, const char* samples);

  // y = block j, less its first `first` parts. Returns a bound of the error of each output.
  double sum(Index j, Index first, double* y);

  // The sum without part 0, made once a block.
  const double* ahead(Index j, double& error);

  // Outputs before this moment meet what was left out.
  Index touched_until() const { return touched_until_; }

 private:
  const PartedKernel& kernel_;
  Doubles spectra_, norm_, ahead_, samples_, sum_;
  std::unique_ptr<const void*[]> x_, h_;
  Index entered_ = 0, ahead_block_ = -1, touched_until_ = 0;
  double ahead_error_ = 0;
};

}  // namespace fastconv
