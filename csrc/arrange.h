// From a job of any shape and strides to dense problems of at most two axes.
#pragma once
#include "engine.h"

namespace fastconv {

// What to do with each problem; `swapped`: a and v have changed roles.
using Solve = FunctionRef<void(const Problem&, bool swapped, Context&)>;

// A job that reads no sample beyond a but zeros, `how` it is to be solved. Where
// out.data is null nothing is written and problems are shown for inspection alone.
void arrange(const fc_job&, const fc_candidate& how, const fc_array& a, const fc_array& v,
             const fc_array& out, Solve, Context&);

}  // namespace fastconv
