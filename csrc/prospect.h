// Which blocks of outputs are worth adding up, known from norms and means alone.
#pragma once
#include "wrong.h"

namespace fastconv {

// What is known of the terms |x h| of outputs from windows x and parts h that meet in their block:
// a bound of s by Cauchy and Schwarz, sum ||x|| ||h||; the mean of s, sum mean |x| sum |h|; and
// that of their roots, added up.
enum Measure { kBound, kMean, kMeanOfRoots };

// Of samples and of taps by block, each operand brought to about 1 by a power of two.
class Weights {
 public:
  Weights(Scratch&, const Volume&, const Sides&, double a_max, double v_max, Context&);

  // Of the windows of a channel, and of parts, of blocks that are multiples of these.
  const double* windows(Scratch&, Measure, Index channel, const Sides&) const;
  const double* parts(Scratch&, Measure, const Sides&) const;

 private:
  const Volume& w_;
  const Sides& sides_;
  const Grid of_a_, of_v_;      // that of a as of windows, whose last blocks hold none
  double *const a_, *const v_;  // by Measure: sums of squares, of magnitudes and of their roots
};

// A measure of all blocks of outputs of one size.
class Measured {
 public:
  Measured(Scratch&, const Volume&, const Sides&, const Wrong&, const Weights&, Measure, Context&);

  const OutputBlocks& blocks() const { return blocks_; }
  double of(Index channel, Index block) const { return sum_[channel * blocks_.count() + block]; }

  // Windows are as loud as their loudest end: by how much it falls from a block to the next, s may
  // fall within it.
  double fade(Index channel, Index block) const;

  // Few multiply-adds beside what transforms of all there is take?
  static bool is_cheap(const Volume&, const Sides&);

 private:
  const OutputBlocks blocks_;
  double* const sum_;
};

// What is to be expected of outputs, by the shortest blocks.
class Expected {
 public:
  Expected(Scratch&, const Volume&, const Sides&, const Wrong&, const Weights&, Context&);

  const OutputBlocks& blocks() const { return mean_.blocks(); }

  // s of all outputs of a block, 0 where some may have no terms: of k that are had now and then
  // there is none with a chance of exp(-k). k = (sum of roots)^2 / s counts like ones, and faint
  // ones beside a loud one.
  double of(Index channel, Index block) const;

 private:
  const Measured mean_, roots_;
  const double least_terms_;
};

// Outputs of a block are proven where s >= 2 E / tol, E = u (14 log2 N + 12 + 2 P) S, S being the
// bound of s: as many as lie in shorter blocks of which that is to be expected.
class Prospect {
 public:
  // A block is worth it where so many outputs are.
  Prospect(Scratch&, const Volume&, const Sides&, const Wrong&, const Weights&, const Expected&,
           double tolerance, double worth, Context&);

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
