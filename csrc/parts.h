// What parts of a kernel take (partitioned.cpp), in closed form as price.h has it for each method,
// and which there are. Pure.
//
//   parts      a transform for each block of a, part of v and block of outputs, and the products
//              of those that meet
#pragma once
#include "price.h"

namespace fastconv {

// The axes of a convolution, v the shorter, each by itself.
inline int parted_axes(const Task& t, Extent* extent) {
  int axis[FC_MAX_NDIM];
  const int axes = convolved_axes(t.job, axis);
  for (int d = 0; d < axes; ++d) {
    Extent& e = extent[d] = extent_of(t.job.axis[axis[d]]);
    if (t.swapped) std::swap(e.n, e.m);
  }
  return axes;
}

// Of at most so many taps along each axis, in double (partitioned.cpp): whatever meets in a block
// of outputs is added up, and every output looked at; all of it once more of magnitudes, which
// numbers of one sign do without.
struct Parted {
  double parts = 1, windows = 1, blocks = 1, products = 1, taps = 1;
  Index half = 1;  // what a transform returns

  Parted(const Extent* extent, int axes, Index most) {
    for (int d = 0; d < axes; ++d) {
      const Extent& e = extent[d];
      const Index side = part_side(e.m, most);
      const Extent of = by_blocks(e, side);
      windows *= double(std::min(of.n, of.hi - of.lo + of.m - 1));
      parts *= double(of.m), blocks *= double(of.hi - of.lo);
      products *= products_of(of), taps *= double(e.m);
      half *= d ? 2 * side : side;
    }
  }
};

inline double parts_ns(const Task& t, const Parted& all) {
  // A point; an output; a number of a window, which is widened and weighed.
  constexpr double kProductNs = 0.15, kProofNs = 1.5, kReadNs = 1.1;
  Task in_double = t;
  in_double.precision = 1;
  const Length l = length_of(t.complex_data ? 2 * all.half : all.half);
  const double lines = t.lines * t.kernels;
  const double read = lines * all.windows + t.kernels * all.parts;
  const double numbers = 2 * double(all.half) * (t.complex_data ? 2 : 1);
  return 2 * (matrix_ns(in_double, l, read + lines * all.blocks, 1) + read * numbers * kReadNs +
              lines * (all.products * double(l.points) * kProductNs + t.outputs * kProofNs));
}

// Calls visit(most, parted) for parts of ascending sides that can be run.
template <class Visit>
void for_each_parted(const Task& t, Visit visit) {
  Extent extent[FC_MAX_NDIM];
  const int axes = parted_axes(t, extent);
  Index longest = 1;
  for (int d = 0; d < axes; ++d) longest = std::max(longest, extent[d].m);
  for (Index most = 2; most < 2 * longest; most *= 2) {
    const Parted parted(extent, axes, most);
    if (parted.half >= kShortestPart && visit(most, parted)) return;
  }
}

}  // namespace fastconv
