// What lies beyond the ends of a: a value, its period, its mirror image.
#pragma once
#include "engine.h"

namespace fastconv {

// A part of a job that reads zeros alone beyond its own a. `own_way`: how the
// whole was to be solved is not for it.
using VisitPiece =
    FunctionRef<void(const fc_job&, const fc_array& a, const fc_array& out, bool own_way)>;

// Cuts a job that extends. A period is wrapped round: what falls beyond one end of the
// window is added at the other. For anything else the inside reads a where it lies, and
// for the borders the strips of a that they read are extended.
void for_each_piece(const fc_job&, const fc_array& a, const fc_array& out, VisitPiece);

}  // namespace fastconv
