// A signal that comes block by block, under a kernel in parts (partition.h): a delay line of
// spectra for each channel. Of the products behind a block all but the first part's are known
// before it begins.
#pragma once
#include <memory>

#include "partition.h"

namespace fastconv {

// The block length for so many taps, or 0: direct sums take no longer.
Index delay_block(Index taps);

// A kernel in parts of `block` taps, a power of two.
class LineKernel : public PartedKernel {
 public:
  LineKernel(const KernelTable&, fc_dtype a_dtype, fc_dtype v_dtype, const char* v, Index m,
             Index block, double peak);

  Index block() const { return half(); }
  Index taps() const { return m_; }

 private:
  const Index m_;
};

// A channel's side.
class DelayLine {
 public:
  explicit DelayLine(const LineKernel&);

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
  const LineKernel& kernel_;
  Doubles spectra_, norm_, ahead_, samples_, sum_;
  std::unique_ptr<const void*[]> x_, h_;
  Index entered_ = 0, ahead_block_ = -1, touched_until_ = 0;
  double ahead_error_ = 0;
};

}  // namespace fastconv
