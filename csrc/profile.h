// What one axis has of all products of a convolution, output by output.
#pragma once
#include "survey.h"

namespace fastconv {

// Outputs whose shares of all products are alike: `least` is the least.
struct Segment {
  Index first, last;
  double least;
};

struct Profile {
  Index count;  // of segments, from one end of 'full' to the other
  Segment* segment;
  double low, high;    // of their shares
  const double* mean;  // by block, as a coarse convolution's
  // Of |a|_1 and of |v|_1, what a first index has and what a last one, as means over a block or
  // two.
  double a_end[2], v_end[2];
};

// Of every axis, columns last.
const Profile* profiles_of(Scratch&, const Problem&, Grain, const Coarse& a, const Coarse& v,
                           Context&);

}  // namespace fastconv
