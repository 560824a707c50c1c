// Outputs of which blocks do not tell whether a transform has lost them.
#pragma once
#include "gaps.h"

namespace fastconv {

// Those of a box that may be, of a transform that loses what is below `loss`, E / tol, and are no
// gaps, computed again one by one: if that takes no longer than so many multiply-adds.
struct Found {
  bool few;
  double macs;
};
Found redo_few(const Problem&, const Range* box, double loss, double macs, const Gaps*, Context&);

}  // namespace fastconv
