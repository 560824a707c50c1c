// Direct sums in one dimension, y[i] = sum_k g[k] x[i + k], blocked so that
// registers, not memory, feed the multipliers.
//
// W lanes; a tap is `step` elements of x, so W / step taps span a vector. Taps one
// vector apart read vectors of x that are whole vectors apart, hence the same ones:
//
//   taps p, p + W, p + 2W, ...     x vector j (loaded once) serves output r = j - q
//   outputs r = 0 .. R-1           with tap group q, for all q: R + Q - 1 loads and
//   groups  q = 0 .. Q-1           Q broadcasts for R Q multiply-adds
//
// Every output sums its taps in one order, set by their number alone: blocks of any
// R, tails and single vectors agree to the bit. Of floats a sweep of at most kSweep taps
// goes through one accumulator, and the sums of sweeps are added. Source:
// register blocking after Georganas et al., arXiv 1808.05567, and Zhang, Franchetti
// and Low, ICML 2018 (arXiv 1809.10170).
#pragma once
#include "products.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

template <class A>
struct Shape {
  static constexpr int W = kLanes<typename A::T>;
  static constexpr int taps = W / A::step;  // that span a vector
  // Output vectors, tap groups; at 127 taps f64: 16 x 4 zmm 28, 8 x 3 ymm 25 GMAC/s.
  static constexpr int R = kRegisters / 2 / A::sums;
  static constexpr int Q = A::sums == 1 ? (kRegisters == 32 ? 4 : 3) : 2;
};

// ---------------------------------------------------------------------------
// Reading x

// Where every vector lies within x.
template <class T>
struct Inside {
  const T* x;
  FC_INLINE Vec<T> at(ptrdiff_t i) const { return load<T>(x + i); }
};

// x with an end: vectors that would pass it come from a copy of its last
// elements with zeros behind, which only meet lanes that are thrown away.
template <class T>
struct AtEnd {
  static constexpr ptrdiff_t W = kLanes<T>;
  const T* x;
  ptrdiff_t base;  // x's index of tail[0]
  ptrdiff_t last;  // last index that a whole vector can be read from
  T tail[2 * W];

  AtEnd(const T* x, ptrdiff_t size) : x(x), base(size < W ? 0 : size - W), last(size - W) {
    const ptrdiff_t kept = size - base;
    for (int i = 0; i < 2 * W; ++i) tail[i] = T(0);
    __builtin_memcpy(tail, x + base, size_t(kept) * sizeof(T));
  }
  FC_INLINE Vec<T> at(ptrdiff_t i) const { return load<T>(i <= last ? x + i : tail + (i - base)); }
};

// ---------------------------------------------------------------------------
// Writing y

template <class A>
FC_INLINE void put(const typename A::Sum (&sum)[A::sums], typename A::T* y, bool accumulate) {
  using T = typename A::T;
  Vec<T> out[A::outputs];
  A::finish(sum, out);
  FC_UNROLL
  for (int o = 0; o < A::outputs; ++o) {
    T* to = y + o * kLanes<T>;
    store<T>(to, accumulate ? A::plus(load<T>(to), out[o]) : out[o]);
  }
}

// Only the first `lanes` lanes.
template <class A>
FC_INLINE void put_part(const typename A::Sum (&sum)[A::sums], typename A::T* y, ptrdiff_t lanes,
                        bool accumulate) {
  using T = typename A::T;
  T whole[A::outputs * kLanes<T>] = {};
  const size_t bytes = size_t(lanes) * A::outputs * sizeof(T);
  if (accumulate) __builtin_memcpy(whole, y, bytes);
  put<A>(sum, whole, accumulate);
  __builtin_memcpy(y, whole, bytes);
}

// ---------------------------------------------------------------------------
// 1-D

template <class A, int R>
using OpenSums = typename A::Sum[R][A::sums];

// What the closed sweeps of R vectors of outputs came to. It lies in memory, and the compiler must
// not know that registers could hold it: those are the open sums'.
template <class A, int R>
class ClosedSums {
 public:
  static constexpr bool needed = typename A::T(0.5) != 0;  // integers are never rounded

  FC_INLINE void close(OpenSums<A, R>& open) {
    add_to(open);
    each([&](int r, int s) {
      store<T>(at(r, s), open[r][s]);
      open[r][s] = typename A::Sum{};
    });
    any_ = true;
  }
  FC_INLINE void add_to(OpenSums<A, R>& open) {
    if (any_) each([&](int r, int s) { open[r][s] = load<T>(at(r, s)) + open[r][s]; });
  }

 private:
  using T = typename A::T;

  template <class Visit>
  FC_INLINE void each(Visit visit) {
    FC_UNROLL
    for (int r = 0; r < R; ++r) {
      FC_UNROLL
      for (int s = 0; s < A::sums; ++s) visit(r, s);
    }
  }
  FC_INLINE T* at(int r, int s) {
    T* room = room_;
    __asm__("" : "+r"(room));
    return room + (r * A::sums + s) * kLanes<T>;
  }

  T room_[R * A::sums * kLanes<T>];
  bool any_ = false;
};

// One tap of each of Q groups, from x[i].
template <class A, int R, int Q, class X>
FC_INLINE void add_taps(typename A::Sum (&sum)[R][A::sums], const X& x, ptrdiff_t i,
                        const typename A::T* g) {
  typename A::Factor tap[Q];
  FC_UNROLL
  for (int q = 0; q < Q; ++q) tap[q] = A::factor(g + q * Shape<A>::taps * A::parts);
  FC_UNROLL
  for (int j = 0; j < R + Q - 1; ++j) {
    const typename A::Shared shared = A::share(x.at(i + j * Shape<A>::W));
    FC_UNROLL
    for (int q = 0; q < Q; ++q) {
      const int r = j - q;
      if (0 <= r && r < R) A::add(sum[r], shared, tap[q]);
    }
  }
}

// Taps of each of Q groups that a sweep takes: a power of two; of a single group all, in the order
// of short_block.
template <class A, int Q>
constexpr int taps_a_sweep() {
  static_assert(!ClosedSums<A, 1>::needed || Shape<A>::taps <= kSweep, "one group is one sweep");
  int taps = Shape<A>::taps;
  while (Q > 1 && taps > 1 && taps * Q > kSweep) taps /= 2;
  return taps;
}

// Taps p .. end - 1 of each of Q groups, in sweeps of `a_sweep`.
template <class A, int R, int Q, int a_sweep, class X>
FC_INLINE void add_run(OpenSums<A, R>& open, ClosedSums<A, R>& closed, const X& x, ptrdiff_t i,
                       const typename A::T* g, ptrdiff_t p, ptrdiff_t end) {
  for (; p < end; ++p) {
    if constexpr (ClosedSums<A, R>::needed && a_sweep < Shape<A>::taps) {
      if (p && p % a_sweep == 0) closed.close(open);
    }
    add_taps<A, R, Q>(open, x, i + p * A::step, g + p * A::parts);
  }
}

// m taps in Q groups, the last of which may be short.
template <class A, int R, int Q, class X>
FC_INLINE void add_groups(OpenSums<A, R>& open, ClosedSums<A, R>& closed, const X& x, ptrdiff_t i,
                          const typename A::T* g, ptrdiff_t m) {
  constexpr int taps = Shape<A>::taps, a_sweep = taps_a_sweep<A, Q>();
  const ptrdiff_t in_last = m - (Q - 1) * taps;
  add_run<A, R, Q, a_sweep>(open, closed, x, i, g, 0, in_last);
  if constexpr (Q > 1) add_run<A, R, Q - 1, a_sweep>(open, closed, x, i, g, in_last, taps);
}

// All taps: ceil(m / taps) groups dealt out as evenly as they go, at most Q at a
// time, so that no few taps are left to a loop that reuses nothing.
template <class A, int R, class X>
FC_INLINE void add_all(OpenSums<A, R>& open, const X& x, const typename A::T* g, ptrdiff_t m) {
  constexpr int taps = Shape<A>::taps, Q = Shape<A>::Q;
  constexpr int turns_a_sweep = Q * taps < kSweep ? kSweep / (Q * taps) : 1;
  ClosedSums<A, R> closed;
  ptrdiff_t i = 0;
  ptrdiff_t groups = (m + taps - 1) / taps;
  int left = turns_a_sweep;
  for (ptrdiff_t turns = (groups + Q - 1) / Q; turns > 0; --turns) {
    if constexpr (ClosedSums<A, R>::needed) {
      if (left-- == 0) {
        closed.close(open);
        left = turns_a_sweep - 1;
      }
    }
    const ptrdiff_t now = turns == 1 ? groups : turns * Q - groups < turns ? Q : Q - 1;
    const ptrdiff_t some = turns == 1 ? m : now * taps;
    if (now == 1) {
      add_groups<A, R, 1>(open, closed, x, i, g, some);
    } else if (Q == 2 || now == 2) {
      add_groups<A, R, 2>(open, closed, x, i, g, some);
    } else if constexpr (Q >= 3) {
      if (Q == 3 || now == 3) {
        add_groups<A, R, 3>(open, closed, x, i, g, some);
      } else if constexpr (Q >= 4) {
        add_groups<A, R, 4>(open, closed, x, i, g, some);
      }
    }
    i += some * A::step;
    g += some * A::parts;
    m -= some;
    groups -= now;
  }
  if constexpr (ClosedSums<A, R>::needed) closed.add_to(open);
}

// R vectors of outputs.
template <class A, int R>
__attribute__((noinline)) void block(const typename A::T* x, const typename A::T* g, ptrdiff_t m,
                                     typename A::T* y, bool accumulate) {
  typename A::Sum sum[R][A::sums] = {};
  add_all<A, R>(sum, Inside<typename A::T>{x}, g, m);
  FC_UNROLL
  for (int r = 0; r < R; ++r) put<A>(sum[r], y + r * Shape<A>::W * A::outputs, accumulate);
}

// A kernel no longer than a vector meets no vector of x twice: each product takes
// a load, mostly across cache lines, and two loads take longer than two products.
// Where the level has `between`, loads 16 bytes apart serve the taps from one to
// the next by shuffles, for the pairs where that is a handful of taps.
template <class A>
constexpr int kTapsBetween =
    kHasBetween && A::sums == 1 ? 16 / int(sizeof(typename A::T)) / A::step : 0;
template <class A>
constexpr bool kShifts = kTapsBetween<A> >= 2 && kTapsBetween<A> <= 4;
constexpr int kShiftedVectors = 8;

template <class A, int K, int N>
FC_INLINE void add_between(typename A::Sum (&sum)[A::sums], Vec<typename A::T> low,
                           Vec<typename A::T> high, const typename A::Factor (&tap)[N]) {
  if constexpr (K == 0) {
    A::add(sum, low, tap[0]);
  } else if constexpr (K < N) {
    A::add(sum, between<16 / N * K>(low, high), tap[K]);
  }
  if constexpr (K + 1 < N) add_between<A, K + 1>(sum, low, high, tap);
}

// R vectors of outputs from at most W / step taps, in the order of `block`. The
// last taps are loaded: 16 bytes further on may lie beyond x. At 5 and 16 taps:
// f64 23 and -, f32 44 and 46 GMAC/s, instead of 15, 29 and 33 from `block`.
template <class A, int R>
__attribute__((noinline)) void short_block(const typename A::T* x, const typename A::T* g,
                                           ptrdiff_t m, typename A::T* y, bool accumulate) {
  using T = typename A::T;
  constexpr int W = Shape<A>::W, N = kTapsBetween<A>;
  typename A::Sum sum[R][A::sums] = {};
  Vec<T> low[R];
  FC_UNROLL
  for (int r = 0; r < R; ++r) low[r] = load<T>(x + r * W);
  for (; m > N; m -= N) {
    typename A::Factor tap[N];
    FC_UNROLL
    for (int k = 0; k < N; ++k) tap[k] = A::factor(g + k);
    x += N * A::step;
    g += N;
    FC_UNROLL
    for (int r = 0; r < R; ++r) {
      const Vec<T> high = A::share(load<T>(x + r * W));
      add_between<A, 0>(sum[r], low[r], high, tap);
      low[r] = high;
    }
  }
  for (ptrdiff_t k = 0; k < m; ++k) {
    const typename A::Factor tap = A::factor(g + k);
    FC_UNROLL
    for (int r = 0; r < R; ++r) {
      A::add(sum[r], k == 0 ? low[r] : A::share(load<T>(x + k * A::step + r * W)), tap);
    }
  }
  FC_UNROLL
  for (int r = 0; r < R; ++r) put<A>(sum[r], y + r * W, accumulate);
}

// Fewer outputs than a vector holds.
template <class A>
__attribute__((noinline)) void part(const typename A::T* x, const typename A::T* g, ptrdiff_t m,
                                    typename A::T* y, ptrdiff_t lanes, bool accumulate) {
  typename A::Sum sum[1][A::sums] = {};
  add_all<A, 1>(sum, AtEnd<typename A::T>(x, lanes + (m - 1) * A::step), g, m);
  put_part<A>(sum[0], y, lanes, accumulate);
}

// Up to here stores limit the loop and aligned ones pay: f64 5 taps 14 -> 16 GMAC/s
// in `block`.
constexpr ptrdiff_t kAlignTaps = 32;
// Of fewer blocks the odd vectors at both ends are too many: four take 1.25 times as long so (f32
// 256 * 9), from eight on none does.
constexpr ptrdiff_t kAlignBlocks = 8;

// Lanes up to where y is aligned to a vector; 0 also where it never is.
template <class A>
FC_INLINE ptrdiff_t lanes_to_align(const typename A::T* y) {
  constexpr uintptr_t bytes = sizeof(Vec<typename A::T>);
  constexpr uintptr_t unit = sizeof(typename A::T) * A::step * A::outputs;
  const uintptr_t off = (bytes - uintptr_t(y) % bytes) % bytes;
  return off % unit ? 0 : ptrdiff_t(off / (sizeof(typename A::T) * A::outputs));
}

// Lines longer than L2, and their results, are asked for ahead of time: of f64 2,333,484 by 31
// takes 0.72 and by 85 taps 0.80 of the time, in cache 1.01. A block of fewer taps takes no longer
// than its loads and stores.
constexpr ptrdiff_t kTapsAhead = 16;
template <class T>
constexpr ptrdiff_t kAhead = 4096 / int(sizeof(T));

template <class A>
void direct1d(const void* x_data, const void* g_data, void* y_data, ptrdiff_t count, ptrdiff_t m,
              bool accumulate) {
  using T = typename A::T;
  constexpr ptrdiff_t W = Shape<A>::W, R = Shape<A>::R, S = R > 4 ? 4 : 1;
  const T* x = static_cast<const T*>(x_data);
  const T* g = static_cast<const T*>(g_data);
  T* y = static_cast<T*>(y_data);
  const ptrdiff_t lanes = count * A::step;
  ptrdiff_t i = 0;
  const ptrdiff_t aligned = lanes_to_align<A>(y);
  if (aligned && m <= kAlignTaps && lanes >= kAlignBlocks * R * W && !accumulate) {
    block<A, 1>(x, g, m, y, false);
    i = aligned;
  }
  if constexpr (kShifts<A>) {
    constexpr ptrdiff_t some = kShiftedVectors * W;
    if (m <= Shape<A>::taps) {
      for (; i + some <= lanes; i += some) {
        short_block<A, kShiftedVectors>(x + i, g, m, y + i, accumulate);
      }
    }
  }
  for (; i + R * W <= lanes; i += R * W) {
    if (m >= kTapsAhead) {
      prefetch<R * W* int(sizeof(T))>(x + i + m * A::step + kAhead<T>);
      prefetch<R * W * A::outputs* int(sizeof(T))>(y + i * A::outputs + kAhead<T>);
    }
    block<A, R>(x + i, g, m, y + i * A::outputs, accumulate);
  }
  for (; i + S * W <= lanes; i += S * W) block<A, S>(x + i, g, m, y + i * A::outputs, accumulate);
  // What is left over: some outputs once more, to the same bits. A block of S vectors takes as long
  // as one and a half alone.
  if (!accumulate && lanes >= S * W && lanes - i > W) {
    i = lanes - S * W;
    return block<A, S>(x + i, g, m, y + i * A::outputs, false);
  }
  for (; i + W <= lanes; i += W) block<A, 1>(x + i, g, m, y + i * A::outputs, accumulate);
  if (i == lanes) return;
  if (lanes >= W && !accumulate) {
    i = lanes - W;
    block<A, 1>(x + i, g, m, y + i * A::outputs, false);
  } else {
    part<A>(x + i, g, m, y + i * A::outputs, lanes - i, accumulate);
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
