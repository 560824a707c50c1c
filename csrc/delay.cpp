#include "delay.h"

#include <math.h>

#include <algorithm>

namespace fastconv {

// Float64 on avx512, ns a sample in pushes of 64 and 512. 5,000 taps: 43 and 24 with B = 128,
// 43 and 17 with 256, 53 and 14 with 512; 20,000 taps: 65 and 36 with 256, 69 and 24 with 512,
// 85 and 59 with 1,024, whose first part no push of 512 fills. Direct sums of 384 taps take 36 and
// 11 ns, of 512 taps 43 and 11; with 513 the delay line takes 37 and 12, and no more with twice as
// many.
Index delay_block(Index taps) {
  constexpr Index kBlock = 256, kLongBlock = 512, kLongTaps = 8192;
  if (taps <= 2 * kBlock) return 0;
  return taps < kLongTaps ? kBlock : kLongBlock;
}

LineKernel::LineKernel(const KernelTable& table, fc_dtype a_dtype, fc_dtype v_dtype, const char* v,
                       Index m, Index block, double peak)
    : PartedKernel(table, is_complex(a_dtype) || is_complex(v_dtype), block, ceil_div(m, block),
                   peak),
      m_(m) {
  const Index item = kItemSize[v_dtype];
  const Doubles window(2 * block * reals_of_item());
  for (Index p = 0; p < parts(); ++p) {
    std::fill_n(window.get(), 2 * block * reals_of_item(), 0.0);
    widen(v_dtype, v + p * block * item, item, std::min(block, m - p * block), pairs(),
          window.get());
    weigh(p, window.get());
    put(p, window.get());
  }
}

DelayLine::DelayLine(const LineKernel& kernel)
    : kernel_(kernel),
      spectra_(kernel.parts() * kernel.transform().stride()),
      norm_(kernel.parts()),
      ahead_(kernel.block() * kernel.reals_of_item()),
      samples_(2 * kernel.block() * kernel.reals_of_item()),
      sum_(kernel.transform().reals()),
      x_(new const void*[size_t(kernel.parts())]),
      h_(new const void*[size_t(kernel.parts())]) {}

void DelayLine::enter(Index j, fc_dtype dtype, const char* samples) {
  const Index B = kernel_.block(), item = kernel_.reals_of_item();
  double* x = samples_.get();
  widen(dtype, samples, kItemSize[dtype], 2 * B, kernel_.pairs(), x);
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
    kernel_.transform().forward(x, spectra_.get() + slot * kernel_.transform().stride());
  }
  entered_ = j + 1;
}

double DelayLine::sum(Index j, Index first, double* y) {
  const Index P = kernel_.parts(), stride = kernel_.transform().stride();
  int count = 0;
  double norms = 0;
  for (Index p = first; p < P && p <= j; ++p) {
    const Index slot = (j - p) % P;
    if (norm_.get()[slot] == 0 || kernel_.norm(p) == 0) continue;
    norms += norm_.get()[slot] * kernel_.norm(p);
    x_[size_t(count)] = spectra_.get() + slot * stride;
    h_[size_t(count++)] = kernel_.spectrum(p);
  }
  if (count == 0) {
    std::fill_n(y, kernel_.block() * kernel_.reals_of_item(), 0.0);
    return 0;
  }
  kernel_.transform().products(x_.get(), h_.get(), count, kernel_.transform().points(), sum_.get());
  kernel_.transform().inverse(sum_.get(), kernel_.scale(), y);
  return kernel_.error(norms, count);
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
