// Which blocks of outputs are worth adding up, known from norms alone.
#pragma once
#include "wrong.h"

namespace fastconv {

// Sums of squares of samples and of taps by block, each operand brought to about 1 by a power of
// two.
class Squares {
 public:
  Squares(Scratch&, const Volume&, const Sides&, double a_max, double v_max, Context&);

  // Norms of the windows of a channel, and of parts, of blocks that are multiples of these.
  const double* windows(Scratch&, Index channel, const Sides&) const;
  const double* parts(Scratch&, const Sides&) const;

 private:
  const Volume& w_;
  const Sides& sides_;
  const Grid of_a_, of_v_;  // that of a as of windows, whose last blocks hold none
  double *const a_, *const v_;
};

// By Cauchy and Schwarz s is at most S = sum_p ||x_{j-p}|| ||h_p||. Known for all blocks of outputs
// of one size.
class Ceiling {
 public:
  Ceiling(Scratch&, const Volume&, const Sides&, const Wrong&, const Squares&, Context&);

  const OutputBlocks& blocks() const { return blocks_; }
  double of(Index channel, Index block) const { return sum_[channel * blocks_.count() + block]; }
  // Of s in a block.
  double expected(Index channel, Index block) const;

  // Few multiply-adds beside what transforms of all there is take?
  static bool is_cheap(const Volume&, const Sides&);

 private:
  const OutputBlocks blocks_;
  double* const sum_;
};

// Outputs of a block are proven where s >= 2 E / tol, E = u (14 log2 N + 12 + 2 P) S: as many as
// lie in shorter blocks of which that is to be expected.
class Prospect {
 public:
  // A block is worth it where so many outputs are.
  Prospect(Scratch&, const Volume&, const Sides&, const Wrong&, const Squares&,
           const Ceiling& of_shorter, double tolerance, double worth, Context&);

  bool is_worth(Index channel, Index block) const {
    return outputs_[channel * blocks_ + block] > 0;
  }

  // Of blocks that are worth it: how many, and how many outputs of theirs.
  double blocks() const { return blocks_that_are_; }
  double outputs() const { return outputs_of_these_; }

 private:
  const Index blocks_;
  double* const outputs_;
  double blocks_that_are_ = 0, outputs_of_these_ = 0;
};

}  // namespace fastconv
