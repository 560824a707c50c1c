// What lies beyond the ends of a: a value, its period, its mirror image.
#pragma once
#include "engine.h"

namespace fastconv {

// A part of a job that reads zeros alone beyond its own a. `border`: that a was made
// for it, from samples beyond the ends.
using VisitPiece =
    FunctionRef<void(const fc_job&, const fc_array& a, const fc_array& out, bool border)>;

// Cuts a job that extends into its inside, which reads a where it lies, and borders,
// for which the strips of a that they read are extended.
void for_each_piece(const fc_job&, const fc_array& a, const fc_array& out, VisitPiece);

}  // namespace fastconv
