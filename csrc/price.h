// What each method takes for a job, in closed form: the sums that select.cpp compares. Pure.
//
//   direct     call + outputs (taps + fixed) / rate
//   overlap    call + pieces (forward + back) of L points, each of which yields L - m + 1
//              outputs; a piece being W lanes of two real blocks (or one complex), or by
//              matrix two blocks or tiles
//   separable  two direct passes, where v is known to be an outer product
//   one-shot   call + three transforms of N points, which are half the samples of real data
//              (right angle), all of complex
//
// A transform takes its share of a piece's fixed time, and points (point + pass passes): costs.h.
//
// Integers take the transforms in f64, as many times over as they have digits to
// multiply (exact.cpp).
#pragma once
#include <math.h>
#include <stdint.h>

#include <algorithm>
#include <utility>

#include "costs.h"
#include "engine.h"
#include "lengths.h"

namespace fastconv {

constexpr Extent kOne = {1, 1, 0, 1};

struct Task {
  const fc_job& job;
  const Costs& costs;
  int axes;  // convolved ones
  Pair pair;
  bool integer, complex_data;
  int precision;   // 0 single, 1 double: what a transform computes in
  fc_facts facts;  // of a and v in these roles
  int lanes;       // vector lanes of the transforms' real type

  Extent row = kOne, col = kOne;  // after flattening and swapping: v is the shorter
  double outputs = 1, taps = 1;   // of one member
  double calls = 0;               // of the direct kernel, by a volume
  double lines = 1;               // members that share a kernel, side by side in the lanes
  double kernels = 1;             // of a bank: each line meets so many
  double members = 1;             // problems of so many lines and kernels
  bool fits = false;              // transforms can be so long; else row and col say nothing
  bool swapped = false;
  bool across = false;   // a narrow strip: row and col are its columns and its rows
  double far_bytes = 0;  // of a and of the result, beyond kCachedBytes: a member's share
  double convert = 0;    // of an integer to a double and back; of floats nothing

  bool flat() const { return axes == 1; }
  double all_lines(double one) const { return members * kernels * lines * one; }

  void swap() {
    row = {row.m, row.n, row.lo, row.hi};
    col = {col.m, col.n, col.lo, col.hi};
    pair = pair_of(job.v_dtype, job.a_dtype);
    std::swap(facts.a_max, facts.v_max);
    std::swap(facts.a_norm, facts.v_norm);
    swapped = !swapped;
  }
};

// fmax and fmin are calls.
inline double larger(double x, double y) { return x < y ? y : x; }
inline double smaller(double x, double y) { return x < y ? x : y; }

inline double far_bytes(const Task& t) {
  const double read = double(t.row.n) * double(t.col.n) * double(kItemSize[t.job.a_dtype]);
  const fc_dtype result = result_dtype(t.job.a_dtype, t.job.v_dtype);
  const double written = t.kernels * t.outputs * double(kItemSize[result]);
  return larger(0, t.members * t.lines * (read + written) - kCachedBytes) / t.members;
}

// Of a volume's direct sum: pictures that do not meet take no time, nor do, of tall ones, some of
// the rows, which then come a few at a time (volumes.cpp).
inline void pass_over(Task& t, const Extent* extent) {
  constexpr Index kTall = 8, kTogether = 4;
  t.calls = 1;
  for (int d = 0; d < t.axes - 1; ++d) {
    const Extent& e = extent[d];
    const Index m = std::min(e.n, e.m);
    const bool rows = d == t.axes - 2;
    if (rows && m < kTall) break;
    const double products = products_of(e);
    t.taps *= products / (double(e.hi - e.lo) * double(m));
    t.calls *= rows ? 1 + 2 * double(m) / kTogether : products;
  }
}

inline Task task_of(const fc_job& job, const Costs& costs, const KernelTable& table) {
  int axis[FC_MAX_NDIM];
  Extent extent[FC_MAX_NDIM];
  Index pitch[FC_MAX_NDIM];
  const int axes = convolved_axes(job, axis), precision = is_single(job.a_dtype) ? 0 : 1;
  Task t = {job,
            costs,
            axes,
            pair_of(job.a_dtype, job.v_dtype),
            !is_float(job.a_dtype),
            is_complex(job.a_dtype) || is_complex(job.v_dtype),
            precision,
            job.facts,
            table.spectral[precision].lanes};
  double samples = 1, shared[3] = {1, 1, 1};  // by fc_sharing
  for (int d = 0; d < job.ndim; ++d) {
    const Extent e = extent_of(job.axis[d]);
    const double count = double(e.hi - e.lo);
    const int* place = std::find(axis, axis + axes, d);
    if (place < axis + axes) {
      extent[place - axis] = e;
      t.outputs *= count;
      t.taps *= double(e.m);
      samples *= double(e.n);
    } else {
      shared[e.m == 1 ? FC_SHARES_V : FC_SHARES_A] *= count;
    }
  }
  for (int d = 0; d < job.nbatch; ++d) shared[job.shared[d]] *= double(job.batch[d]);
  t.taps = smaller(t.taps, samples);
  if (axes > 2) pass_over(t, extent);
  t.fits = transforms_fit(extent, axes);
  t.across = axes == 2 && axis[0] > axis[1];
  if (t.fits) {
    t.row = flatten(extent, axes - 1, pitch);
    t.col = extent[axes - 1];
  }
  t.members = shared[FC_SHARES_NONE];
  if (axes == 1) {
    t.lines = shared[FC_SHARES_V];
    t.kernels = shared[FC_SHARES_A];
  } else {
    t.members *= shared[FC_SHARES_V] * shared[FC_SHARES_A];
  }
  if (t.lines == 1 && t.kernels == 1 && swaps(t.row, t.col)) t.swap();
  t.far_bytes = far_bytes(t);
  if (t.integer) t.convert = costs.convert[job.a_dtype - FC_I8];
  return t;
}

inline double sums_ns(const Costs& c, Pair pair, bool flat, double outputs, double taps) {
  const double rate = flat ? c.direct_rate[pair] : c.direct2d_rate[pair];
  const double fixed = flat ? c.direct_fixed[pair] : c.direct2d_fixed[pair];
  return c.direct_call + outputs * (taps + fixed) / rate;
}

// x rounded up. Without SSE4.1 ceil is a call, which takes longer than a price.
inline double up(double x) {
  const double down = double(Index(x));
  return down + (down < x ? 1.0 : 0.0);
}

// What a call with few outputs takes beside its multiply-adds.
constexpr double kVolumeCallNs = 100;

// Rows of pictures are summed with all lanes filled: 18 floats as 24.
inline double with_all_lanes(const Task& t) {
  const Extent& col = t.across ? t.row : t.col;
  const double filled = double(col.hi - col.lo) / t.lanes;
  return t.axes == 2 && !t.integer && filled >= 1 ? up(filled) / filled : 1;
}

// Of many lines each byte that no near cache holds: 0.016 to 0.036 ns (65 and 85 taps, Zen 5 at
// avx512); one line is asked for ahead of time.
constexpr double kLineStreamNs = 0.02;

inline double direct_ns(const Task& t) {
  const double outputs = t.kernels * t.lines * t.outputs * with_all_lanes(t);
  const double streamed = t.lines > 1 ? t.far_bytes * kLineStreamNs : 0;
  return streamed + kVolumeCallNs * t.calls + sums_ns(t.costs, t.pair, t.flat(), outputs, t.taps);
}

// Two passes read and write what lies between them as well, and are too short to hide it:
// measured from 5 to 63 taps, 512x512 and 1080x1920, avx512: 0.8 of the rate of direct sums, and
// 0.12 ns an output.
inline double separable_ns(const Task& t) {
  constexpr double kPassRate = 0.8, kBetweenNs = 0.12;
  const Costs& c = t.costs;
  const Extent &row = t.across ? t.col : t.row, &col = t.across ? t.row : t.col;
  const double rows = (double(col.m) + c.direct_fixed[t.pair]) / c.direct_rate[t.pair];
  const double columns = (double(row.m) + c.direct2d_fixed[t.pair]) / c.direct2d_rate[t.pair];
  return 2 * c.direct_call + t.outputs * ((rows + columns) / kPassRate + kBetweenNs);
}

// Of a transform of odd * 2^power points, or of two axes such: the logarithm, which costs no call,
// and the passes that it takes.
struct Length {
  Index points;
  double log2, passes;
};

inline Length operator*(const Length& x, const Length& y) {
  return {x.points * y.points, x.log2 + y.log2, x.passes + y.passes};
}

inline Length length_of(const LengthFactor& odd, int power) {
  return {odd.factor << power, odd.log2 + power, odd.passes + power};
}

// Every length is one of these odd numbers times a power of two.
inline Length length_of(Index points) {
  const int power = __builtin_ctzll((unsigned long long)points);
  const LengthFactor* odd = kMatrixOdds;
  while (odd->factor != points >> power) ++odd;
  return length_of(*odd, power);
}

// Transforms slow down from where their working set leaves L2 to where it is in memory.
inline double slow(double log2_bytes, double mid, double far) {
  if (log2_bytes <= kNearLog2) return 1;
  if (log2_bytes >= kFarLog2) return far;
  if (log2_bytes < kMidLog2) {
    return 1 + (mid - 1) * (log2_bytes - kNearLog2) / (kMidLog2 - kNearLog2);
  }
  return mid + (far - mid) * (log2_bytes - kMidLog2) / (kFarLog2 - kMidLog2);
}

// How many transforms a piece of the signal under `kernels` takes: forward, then back
// for each kernel; of integers as many as they have digits. So many spectra are held at once.
struct Turns {
  double spectra, forward, back, log2_held;
};

inline double piecewise(const Turns& turns, double pieces) {
  return turns.spectra + pieces * (turns.forward + turns.back);
}

// Of integers, which are converted wherever blocks or tiles overlap.
inline double read_ns(const Task& t, const Turns& turns, double points) {
  return t.convert * turns.forward * points;
}

// Blocks in the lanes: W lanes of two real blocks (or one complex) are a group. The kernel's
// transform, in whose lanes are its own parts, takes a ninth to a quarter of one by length and
// level.
inline double lanes_ns(const Task& t, const Turns& turns, double blocks, const Length& l) {
  const Costs& c = t.costs;
  const int p = t.precision;
  const double points = double(l.points), per_lane = t.complex_data ? 1 : 2;
  const double groups = up(blocks / (per_lane * t.lanes));
  const double one = c.lanes_piece[p] + points * (c.lanes_point[p] + c.lanes_pass[p] * l.passes);
  const double log2_one = (p ? 4 : 3) + double(__builtin_ctz(unsigned(t.lanes))) + l.log2;
  const double spilt = 1 + c.lanes_spill[p] * larger(0, log2_one - kSpillLog2);
  // Integers hold the spectra of their digits at once; beside a block of floats as much again of
  // the signal and the result goes through the caches.
  const double held = t.integer ? turns.log2_held - p : 1;
  const double far = slow(log2_one + held, c.matrix_mid[p], c.matrix_far[p]);
  return c.lanes_call[p] + t.far_bytes * c.lanes_stream[p] + read_ns(t, turns, blocks * points) +
         piecewise({turns.spectra / 6, turns.forward, turns.back, 0}, groups) * one * spilt * far;
}

// Transforms one after another, lanes inside.
inline double matrix_ns(const Task& t, const Length& l, double transforms, double log2_held) {
  const Costs& c = t.costs;
  const int p = t.precision;
  const double one =
      c.matrix_piece[p] + double(l.points) * (c.matrix_point[p] + c.matrix_pass[p] * l.passes);
  const double log2_bytes = (p ? 4 : 3) + log2_held + l.log2;
  return c.matrix_call[p] + transforms * one * slow(log2_bytes, c.matrix_mid[p], c.matrix_far[p]);
}

// Blocks or tiles, two real ones (or one complex) at a time.
inline double tiles_of(const Extent& e, Index length) {
  return up(double(e.hi - e.lo) / double(length - e.m + 1));
}

inline double tiles_ns(const Task& t, const Turns& turns, double tiles, const Length& l) {
  const double passes = t.complex_data ? tiles : up(tiles / 2);
  return t.far_bytes * t.costs.matrix_stream[t.precision] +
         read_ns(t, turns, tiles * double(l.points)) +
         matrix_ns(t, l, piecewise(turns, passes), turns.log2_held);
}

// Of one line what comes from memory is in `slow`; lines one after another stream as tiles do. Rows
// of zeros below a picture's kernel are not transformed along.
inline double oneshot_ns(const Task& t, const Turns& turns, Index high, const Length& l) {
  const double streamed = t.lines > 1 ? t.far_bytes * t.costs.matrix_stream[t.precision] : 0;
  const double of_kernel = 0.5 + 0.5 * smaller(1, double(t.row.m) / double(high));
  const Turns fewer = {of_kernel * turns.spectra, turns.forward, turns.back, turns.log2_held};
  return streamed + read_ns(t, turns, t.lines * double(t.row.n) * double(t.col.n)) +
         matrix_ns(t, l, piecewise(fewer, t.lines), turns.log2_held);
}

// Digits that integers must have for transforms of so many points; floats need one.
inline Digits digits_of(const Task& t, double points, bool overlap) {
  if (!t.integer) return {1, 1, 1, 1, 1};
  // Two lines may ride in one transform.
  const Index seen = t.row.n * t.col.n * (t.lines > 1 ? 2 : 1);
  return digits_for(t.job.a_dtype, t.facts, seen, t.row.m * t.col.m, points, overlap);
}

// A product beyond the first of a result takes about a sixteenth of a transform.
inline Turns turns_of(const Task& t, const Digits& digits) {
  const double more = digits.products - digits.results, held = digits.results + digits.v;
  return {t.kernels * digits.v, double(digits.a), t.kernels * (digits.results + more / 16),
          held == 2 ? 1 : log2(held)};
}

// A signal that the guard has read no longer lies near where transforms read it next, of more than
// kCachedBytes: 0.07 to 0.18 ns a byte over what the rest comes to, pictures of 8 to 33 MB, lines
// of 25 to 66 MB.
constexpr double kReadAgainNs = 0.1;

// The ends of a picture are looked at as well, 6 to 9 us, and those of 'full' and its corners are
// summed again, box by box: 6 to 20 us. Of all of a volume's outputs there are edges too: 80 to 150
// us of three axes in single precision, 40 to 80 in double, and three times as much for each axis
// more.
constexpr double kPictureNs = 9e3, kPictureEndsNs[2] = {9e3, 3e3}, kVolumeEndsNs[2] = {1e5, 6e4};

// Lines are judged under every kernel: 0.7 us, and 0.15 a line (Zen 3 at avx2, 1 to 64 lines of 56
// to 4,000 samples).
constexpr double kJudgedNs = 700, kJudgedLineNs = 150;

// Parts of a kernel are proven instead (parts.h).
inline double ends_ns(const Task& t) {
  if (t.job.accuracy == FC_COMPONENTWISE) return 0;
  if (t.flat()) return t.kernels * (kJudgedNs + kJudgedLineNs * t.lines);
  const bool ends = t.row.lo == 0 && t.col.lo == 0;
  if (t.axes <= 2 || !ends) return kPictureNs + (ends ? kPictureEndsNs[t.precision] : 0);
  double ns = kVolumeEndsNs[t.precision];
  for (int d = 3; d < t.axes; ++d) ns *= 3;
  return ns;
}

// The larger the transforms, the more digits: looked up once for each power of two of points.
class TurnsBySize {
 public:
  explicit TurnsBySize(const Task& t) : t_(t) {
    if (!t.integer) turns_[0] = turns_of(t, {1, 1, 1, 1, 1});
  }

  const Turns& operator()(Index points) {
    if (!t_.integer) return turns_[0];
    const int power = floor_log2(2 * points - 1);
    if (!(known_ >> power & 1)) {
      turns_[power] = turns_of(t_, digits_of(t_, double(Index(1) << power), true));
      known_ |= uint64_t(1) << power;
    }
    return turns_[power];
  }

 private:
  const Task& t_;
  Turns turns_[64];
  uint64_t known_ = 0;  // a bit for each of them
};

// Integers are scanned before they are transformed, and it is looked up what that comes to.
constexpr double kScanNs = 1e3;

// What is done beside the transforms: floats guarded, integers scanned and converted back.
inline double around_ns(const Task& t, const Digits& digits) {
  if (t.integer) return kScanNs + t.convert * t.lines * t.kernels * t.outputs * digits.results;
  const double samples = t.lines * double(t.row.n) * double(t.col.n);
  if (t.job.accuracy == FC_NORMWISE) return 0;
  const double reals = samples * (is_complex(t.job.a_dtype) ? 2 : 1);
  const double beyond = t.members * samples * double(kItemSize[t.job.a_dtype]) - kCachedBytes;
  return reals * t.costs.guard[t.precision] + larger(0, beyond) / t.members * kReadAgainNs +
         ends_ns(t);
}

// Of inputs that the outputs of a line or an axis need.
inline Index whole(const Extent& e) { return e.hi - e.lo + e.m - 1; }

// Over 20 m a longer block saves under 2 %.
inline Index longest_block(const Extent& e) { return std::min(whole(e), 20 * e.m + 256); }

// What no call with transforms is below, whatever their length: three of them, one in the lanes a
// third, and the scan of integers.
inline double bare_ns(const Costs& c, fc_dtype dtype) {
  const int p = is_single(dtype) ? 0 : 1;
  return (is_float(dtype) ? 0 : kScanNs) + smaller(c.lanes_call[p] + 2.3 * c.lanes_piece[p],
                                                   c.matrix_call[p] + 3 * c.matrix_piece[p]);
}

// What transforms take at the least, in the lanes and by matrix: each output its share of one
// forward and one back, of blocks four times the kernel, and one group, or piece, of them. Blocks
// in the lanes overlap, the longest of them the least.
struct Least {
  double lanes, matrix, around;  // the last is a part of the others
  double either() const { return smaller(lanes, matrix); }
};

// A point by matrix, and those that forward and back are at the least.
struct LeastPoints {
  double each, count;
};

inline LeastPoints least_points(const Task& t) {
  const double power = floor_log2(t.row.m * t.col.m) + 2, reals = t.complex_data ? 1 : 2;
  return {t.costs.matrix_point[t.precision] + t.costs.matrix_pass[t.precision] * power,
          (1 + t.kernels) * t.lines * t.outputs / reals};
}

inline Least least_ns(const Task& t) {
  const Costs& c = t.costs;
  const int p = t.precision;
  const double power = floor_log2(t.row.m * t.col.m) + 2;
  const double lane = c.lanes_point[p] + c.lanes_pass[p] * power;
  const LeastPoints matrix = least_points(t);
  const double group = 2.1 * (c.lanes_piece[p] + 1.5 * double(t.col.m) * lane);
  const double longest = double(longest_block(t.col));
  const double overlap = longest / (longest - double(t.col.m) + 1);
  const double around = around_ns(t, {1, 1, 1, 1, 1});
  const double lanes = larger(group, overlap * matrix.count / t.lanes * lane);
  return {t.members * (c.lanes_call[p] + around + lanes),
          t.members * (c.matrix_call[p] + around + (1 + 2 * t.kernels) * c.matrix_piece[p] +
                       matrix.count * matrix.each),
          around};
}

// Blocks of L points by matrix overlap by r = m - 1, and the kernel's are L more: of S points in
// all L + S L / (L - r), which is least where L = r (1 + sqrt(S / r)), and there L^2 / r. Of tiles,
// whose sides are z times as long as they overlap, R z^2 + S z^2 / (z - 1)^2, R = r_1 r_2, is least
// where z = 1 + cbrt(S / R), and there R z^3.
inline double least_of_pieces_ns(const Task& t, const Least& least) {
  const LeastPoints all = least_points(t);
  const auto overlap = [](const Extent& e) { return double(std::max<Index>(e.m - 1, 1)); };
  const double kernel = t.kernels * overlap(t.row) * overlap(t.col), times = all.count / kernel;
  const double z = 1 + (t.flat() ? sqrt(times) : cbrt(times));
  const double points = kernel * z * z * (t.flat() ? 1 : z);
  return least.matrix + t.members * all.each * (points - all.count);
}

}  // namespace fastconv
