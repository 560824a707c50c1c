// Which transform lengths there are, 2^a times 1, 3, 5, 9 or 15 points and, by matrix, products of
// two such; of which passes they are made. Pure.
#pragma once
#include <stddef.h>

namespace fastconv {

using Index = ptrdiff_t;

inline int floor_log2(Index x) { return 63 - __builtin_clzll((unsigned long long)x); }

// The odd factors of lengths, of lanes and axes, and of products of two axes: their logarithms, and
// the passes of radix 2 that take as long. Measured at avx512, 256 to 4,096 points: 3 and 5 take
// 0.2 more than their logarithm, 9 takes 0.8 and 15 takes 0.6.
struct LengthFactor {
  Index factor;
  double log2, passes;
};
constexpr LengthFactor kLaneOdds[] = {{1, 0, 0},
                                      {3, 1.584962500721156, 1.8},
                                      {5, 2.321928094887362, 2.5},
                                      {9, 3.169925001442312, 4.0},
                                      {15, 3.906890595608518, 4.5}};
constexpr LengthFactor kMatrixOdds[] = {{1, 0, 0},
                                        {3, 1.584962500721156, 1.8},
                                        {5, 2.321928094887362, 2.5},
                                        {9, 3.169925001442312, 4.0},
                                        {15, 3.906890595608518, 4.5},
                                        {25, 4.643856189774724, 5.0},
                                        {27, 4.754887502163468, 5.8},
                                        {45, 5.491853096329675, 6.5},
                                        {75, 6.228818690495881, 7.0},
                                        {81, 6.339850002884624, 8.0},
                                        {135, 7.076815597050831, 8.5},
                                        {225, 7.813781191217037, 9.0}};

// The least power, `aligned` or more, for which odd 2^power >= at_least >= 1.
inline int power_reaching(Index at_least, Index odd, int aligned) {
  // As many bits as at_least has are enough, or one more.
  const int bits = floor_log2(at_least) - floor_log2(odd), power = bits > aligned ? bits : aligned;
  return odd << power < at_least ? power + 1 : power;
}

// The passes of a transform in one lane, outermost first. Eights, a four or two where the power of
// two asks for it, then the odd radices; the first of them, the largest, is moved to the leaf. Odd
// passes thus work on the shortest runs, which are in L1.
struct Radices {
  static constexpr int kMost = 24;
  int count = 0, radix[kMost];

  void add(int r) { radix[count++] = r; }
  const int* begin() const { return radix; }
  const int* end() const { return radix + count; }
};
Radices radices(Index length);

// The next length of a transform that lies in one lane.
Index lane_length(Index at_least);

// The next length of one axis of a 2-D transform whose lanes lie inside it.
Index axis_length(Index at_least, int lanes);

// The next length of a 1-D transform whose lanes lie inside it: n1 n2, each an axis length.
// split_length tells the two: of fewest passes, n2 beyond 8 n1 counting as more, and of such the
// most square, with rows at least as long as the columns: these pay for a transposition and a
// twist, and their factors are read once more a group. 2^20 as 512 x 2,048 takes 0.93 to 0.97 of
// the time of 1,024 x 1,024.
struct Split {
  Index n1, n2;
};
Index matrix_length(Index at_least, int lanes);
Split split_length(Index length, int lanes);

// The shortest cyclic convolution whose wrapped-around terms miss the window
// [lo, hi) of the full convolution of n samples with m. A one-shot transform of
// real operands (rows of a 2-D one) takes half of it: its halves are re and im.
Index cyclic_length(Index n, Index m, Index lo, Index hi);

}  // namespace fastconv
