// The ceiling that kernels are measured against: multiply-adds in independent
// chains that touch no memory.
//
// 12 chains cover latency 4 on two 256-bit or one 512-bit pipe (Zen 4) and on
// two 512-bit pipes (Intel), and fit 16 registers with the two factors.
#pragma once
#include "simd.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <class T>
double peak(ptrdiff_t rounds) {
  constexpr int chains = 12;
  Vec<T> sum[chains], x = broadcast(T(0.5)), y = broadcast(T(0.25));
  FC_UNROLL
  for (int c = 0; c < chains; ++c) sum[c] = broadcast(T(c));
  for (ptrdiff_t i = 0; i < rounds; ++i) {
    FC_UNROLL
    for (int c = 0; c < chains; ++c) {
      sum[c] = fma(sum[c], x, y);
      pin(sum[c]);
    }
  }
  // Looked at, so that the chains are not found to be dead code.
  Vec<T> total = sum[0];
  FC_UNROLL
  for (int c = 1; c < chains; ++c) total = total + sum[c];
  T lane[kLanes<T>];
  store<T>(lane, total);
  return lane[0] == lane[0] ? double(rounds) * chains * kLanes<T> : 0;
}

double peak_f32(ptrdiff_t rounds) { return peak<float>(rounds); }
double peak_f64(ptrdiff_t rounds) { return peak<double>(rounds); }

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
