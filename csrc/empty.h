// Zeros at both ends of lines and of rows.
#pragma once
#include "survey.h"

namespace fastconv {

// How many of the items from the first on are zero, or from the last.
Index zeros(fc_dtype, const char* first, Index step, Index count, bool from_last);

// May rows of outputs begin or end with such, as around a disc?
bool any_empty_end(const Problem&);

}  // namespace fastconv
