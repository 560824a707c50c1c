// Convolution by transforms, for the float dtypes.
//
// Overlap-save: a piece of the signal as long as the transform, convolved cyclically
// with v, is right in all but its first m - 1 points. One-shot: one transform for
// the whole window. Either many short transforms side by side (in_lanes.cpp), or
// long ones, lanes inside (by_matrix.cpp).
#include <stdlib.h>

#include "runtime.h"
#include "transforms.h"

namespace fastconv {
namespace {

// Exponents of kernels that a factor of the loads can normalise.
template <class T>
constexpr int kPlain = sizeof(T) == 4 ? 60 : 900;

double peak_of(const Problem& p, const SpectralKernels& kernels, Index v_item) {
  Scratch scratch;
  const Known how = {Fact::kPeak, p.v_dtype, p.kh, p.kw, &kernels, {}, 0, 0, 0, 0};
  return *known_of<double>(p, how, 1, scratch, [&](double* peak) {
    *peak = 0;
    for (Index i = 0; i < p.kh; ++i) {
      *peak = std::max(*peak, kernels.peak(p.v + i * p.v_row, p.kw * v_item));
    }
  });
}

// May the kernels of a bank share one normalisation? Nothing then comes near the ends of
// the type's range.
template <class T>
bool alike(const Call<T>& call) {
  constexpr int kApart = 16;
  int least = kPlain<T> + 1, most = -kPlain<T> - 1;
  for (Index k = 0; k < call.p.kernels; ++k) {
    const double peak = peak_of(kernel_of(call.p, k), call.kernels, call.v_item);
    if (peak == 0) return false;
    least = std::min(least, ilogb(peak));
    most = std::max(most, ilogb(peak));
  }
  return least >= -kPlain<T> && most <= kPlain<T> && most - least <= kApart;
}

// Brings max |v| to [1, 2): by a factor of the loads or, where that factor would itself
// leave the range of the type, by a copy of v, in two steps.
template <class T>
void normalise_kernel(Call<T>& call, Scratch& scratch) {
  Problem& p = call.p;
  const Index count = p.kw * call.v_item;
  double peak = 0;
  for (Index k = 0; k < p.kernels; ++k) {
    peak = std::max(peak, peak_of(kernel_of(p, k), call.kernels, call.v_item));
  }
  if (peak == 0) return;
  call.v_exponent = ilogb(peak);
  if (abs(call.v_exponent) <= kPlain<T>) {
    call.v_scale = ldexp(1, -call.v_exponent);
    return;
  }
  const int half = -call.v_exponent / 2;
  const T first = T(ldexp(1, half)), second = T(ldexp(1, -call.v_exponent - half));
  T* copy = scratch.take<T>(p.kh * count);
  for (Index i = 0; i < p.kh; ++i) {
    const T* v = reinterpret_cast<const T*>(p.v + i * p.v_row);
    for (Index j = 0; j < count; ++j) copy[i * count + j] = v[j] * first * second;
  }
  p.v = reinterpret_cast<const char*>(copy);
  p.v_row = count * Index(sizeof(T));
}

template <class T>
void run(const Problem& p, const fc_candidate& how, Context& context) {
  Scratch scratch;
  Call<T> call(p, context);
  if (p.kernels > 1 && !p.whole && !alike(call)) {
    for (Index k = 0; k < p.kernels; ++k) run<T>(kernel_of(p, k), how, context);
    return;
  }
  if (!p.whole) normalise_kernel(call, scratch);
  if (how.method == FC_OVERLAP && how.lanes == 1) {
    const bool columns = call.p.kw == 1 && call.p.kh > 1;
    columns ? overlap_in_columns(call, how.block[1]) : overlap_in_lanes(call, how.block[1]);
  } else {
    by_matrix(call, how);
  }
}

}  // namespace

void spectral(const Problem& p, const fc_candidate& how, Context& context) {
  if (p.row_lo >= p.row_hi || p.col_lo >= p.col_hi) return;
  if (is_single(p.a_dtype)) {
    run<float>(trimmed(p), how, context);
  } else {
    run<double>(trimmed(p), how, context);
  }
}

}  // namespace fastconv
