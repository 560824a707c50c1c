// What transforms see around the blocks of lines (line_survey.cpp).
#pragma once
#include "survey.h"

namespace fastconv {

// By chunks of so many blocks: what a transform sees lies in one and those around it.
class Surroundings {
 public:
  // Of rows x cols blocks of outputs, so long along the line.
  Surroundings(Scratch&, const Problem&, const fc_candidate& how, const Judge&, Index grain,
               const Coarse& a, Index rows, Index cols, const KernelTable&);

  // What may be lost of a block.
  Bound at(Index block_row, Index block_col) const;
  // The most of E / tol that any of these blocks of a line has.
  double loss_of(Index line, Range blocks) const;

  const Index tall, wide;  // blocks of a chunk
  Bound most;              // no block has more of either

 private:
  const Problem& p_;
  const fc_candidate& how_;
  const Judge& judge_;
  const bool columns_;
  const Index rows_, cols_;  // chunks
  Seen* seen_;
  Seen* line_ = nullptr;  // of whole rows, where two may ride in one transform
  Index group_ = 1;       // columns that may
};

}  // namespace fastconv
