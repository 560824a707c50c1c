// What lies beyond the ends of a: a value, its period, its mirror image.
#pragma once
#include "engine.h"
#include "runtime.h"

namespace fastconv {

// A part of a job that reads zeros alone beyond its own a. `own_way`: how the
// whole was to be solved is not for it.
using VisitPiece = FunctionRef<void(const fc_job&, const fc_array& a, const fc_array& v,
                                    const fc_array& out, bool own_way)>;

// Cuts a job that extends. Nothing is stored of what lies beyond: a period is a turned round, what
// falls beyond one end of the window being added at the other; the mirror image is a read
// backwards, turned round likewise; what taps make of a constant is known without a (outside.cpp).
void for_each_piece(const fc_job&, const fc_array& a, const fc_array& v, const fc_array& out,
                    VisitPiece);

// Is a so small that sums of a copy, made with what lies beyond, take less than those of pieces?
bool pays_to_pad(const fc_job&);

// That copy, and the job on it: no sample that it reads lies beyond.
struct Padded {
  fc_job job;
  fc_array array;
  Padded(Scratch&, const fc_job&, const fc_array& a);
};

}  // namespace fastconv
