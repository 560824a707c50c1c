// Outputs that no product falls on, at both ends of lines and of rows.
#pragma once
#include "survey.h"

namespace fastconv {

// How many of the items from the first on are zero, or from the last.
Index zeros(fc_dtype, const char* first, Index step, Index count, bool from_last);

// Of every row of a picture's or a volume's outputs, rows counted as they are flattened: so many
// before and behind all others, or more than there are. Null where none are.
struct Margins {
  const float *before = nullptr, *behind = nullptr;
};
Margins empty_margins(Scratch&, const Problem&);

}  // namespace fastconv
