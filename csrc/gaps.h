// Outputs within a picture that no product falls on.
#pragma once
#include "survey.h"

namespace fastconv {

class Gaps {
 public:
  // `a` in blocks, for as long as this.
  Gaps(const Problem&, Grain, const Coarse& a, const KernelTable&);

  // Writes zero where all samples under the kernel are zero. None are looked for but where a block
  // has nothing in it.
  void clear() const;

 private:
  const Problem& p_;
  const Grain grain_;
  const Coarse& a_;
  const Scan scan_;
};

}  // namespace fastconv
