// A run of weak blocks of lines (line_survey.cpp), by blocks of sixteen.
#pragma once
#include "survey.h"

namespace fastconv {

// Is that sooner done than these outputs of so many lines are computed again?
bool pays_to_look_closer(const Problem&, Index lines, Range outputs);

// Lists those that are weak of any of these lines, of which a transform loses E / tol = loss(line),
// by what is judged of them and two blocks around that; how many ranges.
using LossOf = FunctionRef<double(Index line)>;
Index look_closer(const Problem&, const Judge&, Range lines, Range outputs, Range judged, LossOf,
                  Context&, Range* weak);

// How many ranges that may be.
Index most_ranges(Range outputs);

}  // namespace fastconv
