#include "surroundings.h"

#include <math.h>

#include <algorithm>

#include "transforms.h"

namespace fastconv {

namespace {

// A transform sees the blocks within two of its lengths on either side.
Index reach(const fc_candidate& how, Index blocks, Index grain) {
  if (how.method == FC_ONESHOT) return blocks;
  return 2 * ceil_div(2 * how.block[0] * how.block[1], grain);
}

}  // namespace

Surroundings::Surroundings(Scratch& scratch, const Problem& p, const fc_candidate& how,
                           const Judge& judge, Index grain, const Coarse& a, Index rows, Index cols,
                           const KernelTable& kernels)
    : tall(cols_apart(p) ? reach(how, rows, grain) : 1),
      wide(cols_apart(p) ? 1 : reach(how, cols, grain)),
      p_(p),
      how_(how),
      judge_(judge),
      columns_(cols_apart(p)),
      rows_(ceil_div(rows, tall)),
      cols_(ceil_div(cols, wide)) {
  const Index chunks = rows_ * cols_;
  Seen* part = scratch.take<Seen>(chunks);
  std::fill_n(part, chunks, Seen());
  for (Index i = 0; i < a.rows; ++i) {
    for (Index j = 0; j < a.cols; j += wide) {
      part[i / tall * cols_ + j / wide].add(a.of(i * a.cols + j, std::min(wide, a.cols - j)));
    }
  }
  const Index down = columns_ ? 1 : 0, along = columns_ ? 0 : 1;
  // One chunk a line has nothing around it.
  const bool alone = (columns_ ? rows_ : cols_) == 1;
  seen_ = alone ? part : scratch.take<Seen>(chunks);
  for (Index i = 0; !alone && i < rows_; ++i) {
    for (Index j = 0; j < cols_; ++j) {
      Seen near;
      for (Index r = std::max(i, down) - down; r <= i + down && r < rows_; ++r) {
        for (Index c = std::max(j, along) - along; c <= j + along && c < cols_; ++c) {
          near.add(part[r * cols_ + c]);
        }
      }
      seen_[i * cols_ + j] = near;
    }
  }
  Seen loudest = loudest_of(seen_, chunks), other;
  if (how.method != FC_ONESHOT && !is_complex(result_dtype(p_.a_dtype, p_.v_dtype))) {
    if (columns_) group_ = 2 * kernels.spectral[!is_single(p.a_dtype)].lanes, other = loudest;
    if (!columns_ && rows > 1) {
      line_ = alone ? part : scratch.take<Seen>(rows);
      for (Index i = 0; !alone && i < rows; ++i) {
        line_[i] = Seen();
        for (Index j = 0; j < cols_; ++j) line_[i].add(part[i * cols_ + j]);
      }
      other = loudest_of(line_, rows);
    }
  }
  most = judge.bound_from({loudest.sum + other.sum, loudest.energy + other.energy, loudest.top});
}

// A transform sees, packed as re and im, another line too: a neighbour, or of columns one
// of the group that fills the lanes. Where that one is the louder by much the two are
// balanced (transforms.h), so that more of it is never seen.
Bound Surroundings::at(Index block_row, Index block_col) const {
  const Index row = block_row / tall, col = block_col / wide;
  Seen own = seen_[row * cols_ + col], other;
  const double points = double(how_.block[0]) * double(how_.block[1]);
  const auto meet = [&](const Seen& s) {
    other.sum = std::max(other.sum, s.sum);
    other.energy = std::max(other.energy, s.energy);
  };
  if (line_) {
    // A block with its neighbour in the order of all blocks of all rows.
    const Index outputs = Index(points) - p_.kw + 1;
    const Index odd = ceil_div(p_.col_hi - p_.col_lo, outputs) % 2;
    if (row * odd % 2 == 1) meet(line_[row - 1]);
    if ((row + 1) * odd % 2 == 1 && row + 1 < rows_) meet(line_[row + 1]);
  } else if (group_ > 1) {
    const Index from = col / group_ * group_;
    for (Index c = from; c < from + group_ && c < cols_; ++c) {
      if (c != col) meet(seen_[row * cols_ + c]);
    }
  }
  const double heard = kUnbalanced * kUnbalanced * own.energy;
  own.sum += std::min(other.sum, sqrt(points * heard));
  own.energy += std::min(other.energy, heard);
  return judge_.bound_from(own);
}

double Surroundings::loss_of(Index line, Range blocks) const {
  const Index of_chunk = columns_ ? tall : wide;
  double loss = 0;
  for (Index b = blocks.first; b < blocks.last; b = (b / of_chunk + 1) * of_chunk) {
    loss = std::max(loss, (columns_ ? at(b, line) : at(line, b)).loss);
  }
  return loss;
}

}  // namespace fastconv
