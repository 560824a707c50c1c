// With A_p and V_c the sums of |a| and |v| that blocks would have were they everywhere like the
// quietest sixteen samples in them, and S_b the sum of A_p V_c over p + c = b, s is no less than
//
//     S_{b-1} / B at the first output of block b, S_b / B at that of the next,
//
// and between them what lies between: as far as sums of sixteen tell.
#include "quiet.h"

#include <math.h>
#include <string.h>

#include <algorithm>

#include "survey.h"

namespace fastconv {
namespace {

constexpr Index kPart = 16, kFewParts = 2;
// Blocks that are summed one by one, before all are.
constexpr Index kSingly = 8;

}  // namespace

LeastSums::LeastSums(Scratch& scratch, const Row& taps, Index n, Index grain, Context& context)
    : context_(context),
      grain_(grain),
      of_a_(ceil_div(n, grain)),
      of_v_(ceil_div(taps.count, grain)),
      end_(n + taps.count - 1),
      last_((end_ - 1) / grain),
      taps_(taps),
      samples_(),
      a_(scratch.take<double>(of_a_)),
      v_(scratch.take<double>(of_v_)),
      sum_(scratch.take<double>(of_a_ + of_v_ - 1)) {
  std::fill_n(v_, of_v_, NAN);
}

void LeastSums::turn_to(const Row& samples) {
  if (samples.data == samples_.data) return;
  samples_ = samples;
  asked_ = 0;
  std::fill_n(a_, of_a_, NAN);
}

// Where looking closer ends, kLooked outputs from the ends, s has an eighth of a block's mean at
// least, of long blocks less.
double LeastSums::of_block(Index b) {
  const double at_ends = std::max(8.0, double(grain_) / 16);
  const bool all_looked_at = b == last_ && end_ - b * grain_ <= kLooked;
  const double before = b == 0 ? HUGE_VAL : sum(b - 1);
  const double behind = all_looked_at || b > of_a_ + of_v_ - 2 ? HUGE_VAL : sum(b);
  return std::min(before, behind) / (double(grain_) * (b == 0 || b + 1 >= last_ ? at_ends : 1));
}

double LeastSums::sum(Index b) {
  if (asked_ > kSingly) return sum_[b];
  if (++asked_ > kSingly) {
    sum_all();
    return sum_[b];
  }
  double sum = 0;
  for (Index c = std::max<Index>(b - of_a_ + 1, 0); c < std::min(of_v_, b + 1); ++c) {
    sum += quiet(samples_, b - c, a_) * quiet(taps_, c, v_);
  }
  return sum;
}

void LeastSums::sum_all() {
  for (Index b = 0; b < of_a_; ++b) quiet(samples_, b, a_);
  for (Index c = 0; c < of_v_; ++c) quiet(taps_, c, v_);
  sums_within({0, of_a_ + of_v_ - 1}, a_, of_a_, v_, of_v_, sum_, context_);
}

double LeastSums::quiet(const Row& row, Index block, double* known) const {
  double& sum = known[block];
  if (!isnan(sum)) return sum;
  const Index item = kItemSize[row.dtype], numbers = is_complex(row.dtype) ? 2 : 1;
  const Scan scan = is_single(row.dtype) ? context_.kernels.scan_f32 : context_.kernels.scan_f64;
  const Index first = block * grain_, some = std::min(grain_, row.count - first);
  // Few samples may all be loud beside a gap of the other operand: they count as no more than the
  // block before.
  const bool few = some < kFewParts * kPart;
  if (few && block == 0) return sum = 0;
  Scratch scratch;
  double* part = scratch.take<double>(ceil_div(some, kPart));
  double* peak = scratch.take<double>(ceil_div(some, kPart));
  const char* x = row.data + first * row.step;
  if (row.step != item) {
    char* dense = scratch.take<char>(some * item);
    for (Index i = 0; i < some; ++i) memcpy(dense + i * item, x + i * row.step, size_t(item));
    x = dense;
  }
  scan(x, some * numbers, kPart * numbers, part, peak, nullptr);
  double least = few ? quiet(row, block - 1, known) / double(grain_) : HUGE_VAL;
  for (Index i = 0; i * kPart < some; ++i) {
    least = std::min(least, part[i] / double(std::min(kPart, some - i * kPart)));
  }
  return sum = least * double(some);
}

}  // namespace fastconv
