#include "lengths.h"

#include <stdint.h>

#include <algorithm>

namespace fastconv {
namespace {

// The least odd 2^a >= at_least with an odd of the list, 2^a a multiple of 2^aligned.
template <size_t Count>
Index next_length(const LengthFactor (&odds)[Count], Index at_least, int aligned) {
  Index best = PTRDIFF_MAX;
  for (const LengthFactor& odd : odds) {
    const Index length = odd.factor << power_reaching(at_least, odd.factor, aligned);
    best = length < best ? length : best;
  }
  return best;
}

}  // namespace

Index axis_length(Index at_least, int lanes) {
  return next_length(kLaneOdds, at_least, floor_log2(lanes));
}

Index lane_length(Index at_least) { return next_length(kLaneOdds, at_least, 0); }

Index matrix_length(Index at_least, int lanes) {
  return next_length(kMatrixOdds, at_least, 2 * floor_log2(lanes));
}

Radices radices(Index length) {
  Radices passes;
  int odd[3], odds = 0;
  for (int r : {5, 3, 3}) {
    if (length % r == 0) odd[odds++] = r, length /= r;
  }
  for (; length > 4 && length != 16; length /= 8) passes.add(8);
  for (; length >= 4; length /= 4) passes.add(4);
  if (length == 2) passes.add(2);
  for (int i = 0; i < odds; ++i) passes.add(odd[i]);
  if (passes.count == 0) passes.add(1);
  std::rotate(passes.radix, passes.radix + 1, passes.radix + passes.count);
  return passes;
}

Split split_length(Index length, int lanes) {
  constexpr Index kLongest = 8;
  Split best = {0, 0};
  Index least = 0;
  for (const LengthFactor& odd : kLaneOdds) {
    for (Index n1 = odd.factor * lanes; n1 * n1 <= length; n1 *= 2) {
      const Index n2 = length / n1;
      if (n1 * n2 != length || axis_length(n2, lanes) != n2) continue;
      const Index cost = radices(n1).count + radices(n2).count + (n2 - 1) / (kLongest * n1);
      if (best.n1 != 0 && (cost > least || (cost == least && n1 < best.n1))) continue;
      best = {n1, n2};
      least = cost;
    }
  }
  return best;
}

// Full index f lands on f mod T. Above: f = lo + T must lie beyond the end; below:
// f = hi - 1 must not wrap itself. Both hold for the operands' lengths too once
// they are cut to what the window needs.
Index cyclic_length(Index n, Index m, Index lo, Index hi) {
  const Index above = n + m - 1 - lo;
  return hi > above ? hi : above;
}

}  // namespace fastconv
