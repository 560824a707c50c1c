// What taps meet beyond the ends of a, where a constant lies there.
#pragma once
#include "engine.h"

namespace fastconv {

// out += the products of the fill value with every tap that lies outside a on some axis
// whose boundary is FC_FILL.
void add_outside(const fc_job&, const fc_array& v, const fc_array& out);

}  // namespace fastconv
