// A run of weak blocks of lines (line_survey.cpp), by blocks of sixteen.
#pragma once
#include "survey.h"

namespace fastconv {

// Multiply-adds' time to look at these outputs of so many lines, or to compute them again.
double macs_of_look(const Problem&, Index lines, Range outputs);
double macs_again(const Problem&, Index lines, Range outputs);

// Lists those that are weak of any of these lines, of which a transform loses E / tol = loss(line),
// by what is judged of them and two blocks around that; how many ranges.
using LossOf = FunctionRef<double(Index line)>;
Index look_closer(const Problem&, const Judge&, Range lines, Range outputs, Range judged, LossOf,
                  Context&, Range* weak);

// How many ranges that may be.
Index most_ranges(Range outputs);

}  // namespace fastconv
