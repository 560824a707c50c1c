// Outputs of a picture or a volume that no product falls on.
#pragma once
#include <stdint.h>

#include "survey.h"

namespace fastconv {

struct TapRows;

// Where a block of a has nothing in it, or a row of either ends with zeros.
bool may_have_gaps(const Problem&, const Coarse& a);

class Gaps {
 public:
  Gaps(Scratch&, const Problem&);

  bool has(Index row, Index col) const;

  // Writes zero there.
  void clear() const;

 private:
  // A bit for each column.
  uint64_t* row(Index r) const { return bits_ + r * words_; }
  void find_under(const TapRows&);
  void find_under_all();

  const Problem& p_;
  const Index words_;
  uint64_t* const bits_;
};

}  // namespace fastconv
