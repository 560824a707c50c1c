// With A_p and V_c the sums of |a| and |v| that blocks would have were they everywhere like the
// quietest sixteen samples in them, and S_b the sum of A_p V_c over p + c = b, s is no less than
//
//     S_{b-1} / B at the first output of block b, S_b / B at that of the next,
//
// and between them what lies between: as far as sums of sixteen tell.
#include "parts.h"

#include <math.h>
#include <string.h>

#include <algorithm>

namespace fastconv {
namespace {

constexpr Index kPart = 16;

}  // namespace

LeastSums::LeastSums(Scratch& scratch, const KernelTable& kernels, const Row& taps, Index n,
                     Index grain)
    : kernels_(kernels),
      grain_(grain),
      of_a_(ceil_div(n, grain)),
      of_v_(ceil_div(taps.count, grain)),
      last_((n + taps.count - 2) / grain),
      taps_(taps),
      samples_(),
      a_(scratch.take<double>(of_a_)),
      v_(scratch.take<double>(of_v_)) {
  std::fill_n(v_, of_v_, NAN);
}

void LeastSums::turn_to(const Row& samples) {
  if (samples.data == samples_.data) return;
  samples_ = samples;
  std::fill_n(a_, of_a_, NAN);
}

// Where looking closer ends, 32 outputs from the ends, s has an eighth of a block's mean at least.
double LeastSums::of_block(Index b) {
  constexpr double kAtEnds = 8;
  const bool first = b == 0, last = b == last_;
  const double before = first ? HUGE_VAL : sum(b - 1), behind = last && !first ? HUGE_VAL : sum(b);
  return std::min(before, behind) / (double(grain_) * (first || last ? kAtEnds : 1));
}

double LeastSums::sum(Index b) {
  double sum = 0;
  for (Index c = std::max<Index>(b - of_a_ + 1, 0); c < std::min(of_v_, b + 1); ++c) {
    sum += quiet(samples_, b - c, a_) * quiet(taps_, c, v_);
  }
  return sum;
}

double LeastSums::quiet(const Row& row, Index block, double* known) const {
  double& sum = known[block];
  if (!isnan(sum)) return sum;
  const Index item = kItemSize[row.dtype], numbers = is_complex(row.dtype) ? 2 : 1;
  const Scan scan = is_single(row.dtype) ? kernels_.scan_f32 : kernels_.scan_f64;
  const Index first = block * grain_, some = std::min(grain_, row.count - first);
  Scratch scratch;
  double* part = scratch.take<double>(ceil_div(some, kPart));
  double* peak = scratch.take<double>(ceil_div(some, kPart));
  const char* x = row.data + first * row.step;
  if (row.step != item) {
    char* dense = scratch.take<char>(some * item);
    for (Index i = 0; i < some; ++i) memcpy(dense + i * item, x + i * row.step, size_t(item));
    x = dense;
  }
  scan(x, some * numbers, kPart * numbers, part, peak);
  double least = HUGE_VAL;
  for (Index i = 0; i * kPart < some; ++i) {
    least = std::min(least, part[i] / double(std::min(kPart, some - i * kPart)));
  }
  return sum = least * double(some);
}

}  // namespace fastconv
