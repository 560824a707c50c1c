#include "partition.h"

#include <math.h>
#include <string.h>

#include <algorithm>
#include <new>

namespace fastconv {
namespace {

// What underflow may cost: half of 2^-1074 an operation, fewer than 2^40 of them, of which
// none is magnified by more than a spectrum, 2^260.
constexpr double kUnderflow = 0x1p-700;
// Exponents of kernels that can be normalised, and results brought back, by one factor.
constexpr int kPlainExponent = 700;

template <class T>
void widen_items(const char* from, Index step, Index count, bool from_pairs, bool to_pairs,
                 double* to) {
  for (Index i = 0; i < count; ++i, from += step) {
    const T* x = reinterpret_cast<const T*>(from);
    *to++ = double(x[0]);
    if (to_pairs) *to++ = from_pairs ? double(x[1]) : 0;
  }
}

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

void widen(fc_dtype dtype, const char* from, Index step, Index count, bool to_pairs, double* to) {
  const bool pairs = is_complex(dtype);
  is_single(dtype) ? widen_items<float>(from, step, count, pairs, to_pairs, to)
                   : widen_items<double>(from, step, count, pairs, to_pairs, to);
}

double norm_of(const double* x, Index count) {
  double squares = 0, peak = 0;
  for (Index i = 0; i < count; ++i) {
    squares += x[i] * x[i];
    peak = std::max(peak, fabs(x[i]));
  }
  return peak < 0x1p-500 || peak > 0x1p480 ? peak * sqrt(double(count)) : sqrt(squares);
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
  const int groups = int(shape_.n2 / W), most = std::min(groups, kernels_.column_groups);
  double* work = scratch.take<double>(2 * W * shape_.n1 * most);
  double squares[2];
  for (int g = 0; g < groups; g += most) {
    kernels_.columns_forward(matrix_, planes, g, std::min(most, groups - g), work, spectrum,
                             squares);
  }
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
  const int groups = int(shape_.n2 / W), most = std::min(groups, kernels_.column_groups);
  double* work = scratch.take<double>(2 * W * shape_.n1 * most);
  for (int g = 0; g < groups; g += most) {
    kernels_.columns_inverse(matrix_, planes, g, std::min(most, groups - g), work, spectrum);
  }
}

void BlockTransform::products(const void* const* x, const void* const* h, int count, Index points,
                              double* sum) const {
  kernels_.products(x, h, count, points / kernels_.lanes, sum);
}

bool PartedKernel::takes(const Magnitudes& v) {
  return v.bad == 0 && v.max > 0 && abs(ilogb(v.max)) <= kPlainExponent;
}

PartedKernel::PartedKernel(const KernelTable& table, bool pairs, Index half, Index parts,
                           double peak)
    : parts_(parts),
      half_(half),
      pairs_(pairs),
      transform_(table.spectral[1], half, pairs),
      exponent_(ilogb(peak)),
      spectra_(parts * transform_.stride()),
      norm_(parts) {}

// What underflows is no silence: its outputs are to be looked at.
void PartedKernel::weigh(Index p, const double* window) {
  const double norm = norm_of(window, this->window());
  norm_.get()[p] = norm > 0 ? std::max(norm * ldexp(1, -exponent_), 0x1p-1022) : 0;
}

void PartedKernel::put(Index p, double* window) {
  const double down = ldexp(1, -exponent_), points = double(transform_.points());
  for (Index i = 0; i < this->window(); ++i) window[i] = window[i] * down / points;
  transform_.forward(window, spectra_.get() + p * transform_.stride());
}

double PartedKernel::scale() const { return ldexp(1, exponent_); }

// Percival's bound (docs/accuracy.md) holds for each product of the sum, and adding them up
// takes two operations each. It is above zero, however small: zero is for silence.
double PartedKernel::error(double norms, int products) const {
  const double factor = 14 * log2(double(transform_.points())) + 12 + 2 * products;
  return std::max(ldexp(0x1p-53 * factor * norms + kUnderflow, exponent_), 0x1p-1074);
}

}  // namespace fastconv
