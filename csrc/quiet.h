// How little s can be in a block, by the quietest part of every block.
#pragma once
#include "engine.h"
#include "runtime.h"

namespace fastconv {

// A line of samples or of taps.
struct Row {
  fc_dtype dtype;
  const char* data;
  Index step, count;  // bytes a sample
};

// Outputs at the ends of 'full' that are looked at one by one.
constexpr Index kLooked = 32;

class LeastSums {
 public:
  // Of lines of n samples under these taps, in blocks of `grain`.
  LeastSums(Scratch&, const Row& taps, Index n, Index grain, Context&);

  // What follows is of these samples, of which it looks at no more than it needs.
  void turn_to(const Row& samples);

  // No less than this is s in block b of outputs, as far as sums of parts tell; but for the first
  // and the last kLooked outputs of all.
  double of_block(Index b);

 private:
  double sum(Index b);
  void sum_all();
  double quiet(const Row&, Index block, double* known) const;

  Context& context_;
  const Index grain_, of_a_, of_v_;  // blocks
  const Index end_, last_;           // outputs, and their last block
  const Row taps_;
  Row samples_;
  double *a_, *v_;  // of every block as if all of it were like its quietest part, or NaN
  double* sum_;     // once all are had
  Index asked_ = 0;
};

}  // namespace fastconv
