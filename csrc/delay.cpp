#include "delay.h"

#include <math.h>
#include <string.h>

#include <algorithm>
#include <new>

namespace fastconv {
namespace {

// Samples below 2^240 and spectra of kernels near 1 leave the range of a double neither in a
// product nor in a sum; single precision always fits.
constexpr double kLoud = 0x1p240;
// What underflow may cost: half of 2^-1074 an operation, fewer than 2^40 of them, of which
// none is magnified by more than a spectrum, 2^260.
constexpr double kUnderflow = 0x1p-700;
// Exponents of kernels that can be normalised, and results brought back, by one factor.
constexpr int kPlainExponent = 700;

template <class T>
void widen_items(const char* from, Index count, bool from_pairs, bool to_pairs, double* to) {
  const T* x = reinterpret_cast<const T*>(from);
  if (from_pairs == to_pairs) {
    for (Index i = 0; i < count * (to_pairs ? 2 : 1); ++i) to[i] = double(x[i]);
  } else {
    for (Index i = 0; i < count; ++i) to[2 * i] = double(x[i]), to[2 * i + 1] = 0;
  }
}

void widen(fc_dtype dtype, const char* from, Index count, bool to_pairs, double* to) {
  const bool pairs = is_complex(dtype);
  is_single(dtype) ? widen_items<float>(from, count, pairs, to_pairs, to)
                   : widen_items<double>(from, count, pairs, to_pairs, to);
}

// An upper bound of ||x||, but for rounding, where squares may underflow.
double norm_of(const double* x, Index count) {
  double squares = 0, peak = 0;
  for (Index i = 0; i < count; ++i) {
    squares += x[i] * x[i];
    peak = std::max(peak, fabs(x[i]));
  }
  return peak < 0x1p-500 ? peak * sqrt(double(count)) : sqrt(squares);
}

// Float64 on avx512, ns a sample in pushes of 64 and 512. 5,000 taps: 43 and 24 with B = 128,
// 43 and 17 with 256, 53 and 14 with 512; 20,000 taps: 65 and 36 with 256, 69 and 24 with 512,
// 85 and 59 with 1,024, whose first part no push of 512 fills.
constexpr Index kBlock = 256, kLongBlock = 512, kLongTaps = 8192;
// Direct sums of 384 taps take 36 and 11 ns, of 512 taps 43 and 11; with 513 the delay line takes
// 37 and 12, and no more with twice as many.
constexpr Index kShortest = 2 * kBlock + 1;

Index block_for(Index m) { return m < kLongTaps ? kBlock : kLongBlock; }

void** rows_of(Scratch& scratch, const double* x, Split shape, Index item) {
  void** row = scratch.take<void*>(shape.n1);
  for (Index r = 0; r < shape.n1; ++r) row[r] = const_cast<double*>(x + r * shape.n2 * item);
  return row;
}

}  // namespace

Doubles::Doubles(Index count) {
  const size_t bytes = size_t(count) * sizeof(double);
  data_.reset(static_cast<double*>(take_aligned(bytes)));
  memset(data_.get(), 0, bytes);
}

BlockTransform::BlockTransform(const SpectralKernels& kernels, Index block, bool pairs)
    : kernels_(kernels),
      block_(block),
      pairs_(pairs),
      shape_(split_length(pairs ? 2 * block : block, kernels.lanes)),
      column_(lane_table<double>(shape_.n1)),
      row_(lane_table<double>(shape_.n2)),
      table_(matrix_table<double>(shape_, kernels.lanes,
                                  pairs ? Points::kCyclic : Points::kRightAngle, Axes::kLine)),
      matrix_{&column_->plan,
              &row_->plan,
              table_->weight.get(),
              table_->twist.get(),
              table_->twist_lane.get(),
              table_->twist_groups,
              2 * kernels.lanes * shape_.n2} {}

void BlockTransform::forward(const double* samples, double* spectrum) const {
  Scratch scratch;
  const Index W = kernels_.lanes;
  const Index item = pairs_ ? 2 : 1;
  Planes planes = {{rows_of(scratch, samples, shape_, item), 0, shape_.n2, 1}, {}, pairs_, false};
  if (!pairs_) planes.im = {rows_of(scratch, samples + block_, shape_, 1), 0, shape_.n2, 1};
  const int groups = int(shape_.n2 / W);
  double squares[2];
  kernels_.columns_forward(matrix_, planes, 0, groups,
                           scratch.take<double>(2 * W * shape_.n1 * groups), spectrum, squares);
  for (Index at = 0; at < reals(); at += matrix_.band) {
    kernels_.transform(spectrum + at, row_->plan, kForward, nullptr);
  }
}

void BlockTransform::inverse(double* spectrum, double scale, double* y) const {
  Scratch scratch;
  const Index W = kernels_.lanes;
  for (Index at = 0; at < reals(); at += matrix_.band) {
    kernels_.transform(spectrum + at, row_->plan, kInverse, nullptr);
  }
  void** nowhere = scratch.take<void*>(shape_.n1);
  std::fill_n(nowhere, shape_.n1, nullptr);
  Planes planes = {{nowhere, 0, shape_.n2, scale}, {}, pairs_, false};
  if (pairs_) {
    for (Index r = shape_.n1 / 2; r < shape_.n1; ++r) {
      nowhere[r] = y + 2 * (r * shape_.n2 - block_);
    }
  } else {
    planes.im = {rows_of(scratch, y, shape_, 1), 0, shape_.n2, scale};
  }
  const int groups = int(shape_.n2 / W);
  kernels_.columns_inverse(matrix_, planes, 0, groups,
                           scratch.take<double>(2 * W * shape_.n1 * groups), spectrum);
}

void BlockTransform::products(const void* const* x, const void* const* h, int count,
                              double* sum) const {
  kernels_.products(x, h, count, points() / kernels_.lanes, sum);
}

bool PartedKernel::takes(const KernelTable& table, fc_dtype dtype, const char* v, Index m) {
  if (!is_float(dtype) || m < kShortest) return false;
  Magnitudes magnitudes;
  measure(dtype, v, m, table, magnitudes);
  return magnitudes.bad == 0 && magnitudes.max > 0 && abs(ilogb(magnitudes.max)) <= kPlainExponent;
}

PartedKernel::PartedKernel(const KernelTable& table, fc_dtype a_dtype, fc_dtype v_dtype,
                           const char* v, Index m)
    : m_(m),
      block_(block_for(m)),
      parts_((m + block_ - 1) / block_),
      pairs_(is_complex(a_dtype) || is_complex(v_dtype)),
      transform_(table.spectral[1], block_, pairs_),
      spectra_(parts_ * transform_.reals()),
      norm_(parts_) {
  Magnitudes magnitudes;
  measure(v_dtype, v, m, table, magnitudes);
  exponent_ = ilogb(magnitudes.max);
  const Index item = reals_of_item();
  const Doubles part(2 * block_ * item);
  for (Index p = 0; p < parts_; ++p) {
    const Index from = p * block_, count = std::min(block_, m - from);
    std::fill_n(part.get(), 2 * block_ * item, 0.0);
    widen(v_dtype, v + from * kItemSize[v_dtype], count, pairs_, part.get());
    // What underflows is no silence: its outputs are to be looked at.
    const double norm = norm_of(part.get(), count * item);
    norm_.get()[p] = norm > 0 ? std::max(ldexp(norm, -exponent_), 0x1p-1022) : 0;
    for (Index i = 0; i < count * item; ++i) part.get()[i] = ldexp(part.get()[i], -exponent_);
    for (Index i = 0; i < count * item; ++i) part.get()[i] /= double(transform_.points());
    transform_.forward(part.get(), spectra_.get() + p * transform_.reals());
  }
}

DelayLine::DelayLine(const PartedKernel& kernel)
    : kernel_(kernel),
      spectra_(kernel.parts() * kernel.transform_.reals()),
      norm_(kernel.parts()),
      ahead_(kernel.block() * kernel.reals_of_item()),
      samples_(2 * kernel.block() * kernel.reals_of_item()),
      sum_(kernel.transform_.reals()),
      x_(new const void*[size_t(kernel.parts())]),
      h_(new const void*[size_t(kernel.parts())]) {}

void DelayLine::enter(Index j, fc_dtype dtype, const char* samples) {
  const Index B = kernel_.block(), item = kernel_.reals_of_item();
  double* x = samples_.get();
  widen(dtype, samples, 2 * B, kernel_.pairs_, x);
  for (Index i = 0; i < 2 * B; ++i) {
    double size = fabs(x[i * item]);
    // A NaN makes the sum, and so the comparison, false.
    if (item == 2) size += fabs(x[2 * i + 1]);
    if (size < kLoud) continue;
    std::fill_n(x + i * item, item, 0.0);
    touched_until_ = std::max(touched_until_, (j - 1) * B + i + kernel_.taps());
  }
  const Index slot = j % kernel_.parts();
  norm_.get()[slot] = norm_of(x, 2 * B * item);
  if (norm_.get()[slot] > 0) {
    kernel_.transform_.forward(x, spectra_.get() + slot * kernel_.transform_.reals());
  }
  entered_ = j + 1;
}

// Percival's bound (docs/accuracy.md) holds for each product of the sum, and adding them up
// takes two operations each.
double DelayLine::sum(Index j, Index first, double* y) {
  const Index P = kernel_.parts(), reals = kernel_.transform_.reals();
  int count = 0;
  double norms = 0;
  for (Index p = first; p < P && p <= j; ++p) {
    const Index slot = (j - p) % P;
    const double norm = norm_.get()[slot] * kernel_.norm_.get()[p];
    if (norm_.get()[slot] == 0 || kernel_.norm_.get()[p] == 0) continue;
    norms += norm;
    x_[size_t(count)] = spectra_.get() + slot * reals;
    h_[size_t(count++)] = kernel_.spectra_.get() + p * reals;
  }
  if (count == 0) {
    std::fill_n(y, kernel_.block() * kernel_.reals_of_item(), 0.0);
    return 0;
  }
  kernel_.transform_.products(x_.get(), h_.get(), count, sum_.get());
  kernel_.transform_.inverse(sum_.get(), ldexp(1, kernel_.exponent_), y);
  const double factor = 14 * log2(double(kernel_.transform_.points())) + 12 + 2 * count;
  return ldexp(0x1p-53 * factor * norms + kUnderflow, kernel_.exponent_);
}

const double* DelayLine::ahead(Index j, double& error) {
  if (ahead_block_ != j) {
    ahead_error_ = sum(j, 1, ahead_.get());
    ahead_block_ = j;
  }
  error = ahead_error_;
  return ahead_.get();
}

}  // namespace fastconv
