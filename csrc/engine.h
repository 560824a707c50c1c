// Types shared inside the engine, and the methods' signatures.
//
// Names, the same in C, Cython, Python, tests and docs: a the long input, v
// the kernel (taps), n and m their lengths, i an output, k a tap, lo and hi the
// window, x and g what a direct kernel reads (a run of a, and v reversed).
#pragma once
#include <stdint.h>

#include <atomic>
#include <chrono>

#include "fastconv.h"
#include "function.h"
#include "kernels/table.h"

namespace fastconv {

using Index = ptrdiff_t;
class Scratch;

// Items first .. last - 1.
struct Range {
  Index first, last;
};

inline Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

// Bytes of one element, by fc_dtype.
constexpr Index kItemSize[FC_DTYPES] = {4, 8, 8, 16, 1, 2, 4, 8, 1};

constexpr bool is_complex(fc_dtype t) { return t == FC_C64 || t == FC_C128; }
constexpr bool is_float(fc_dtype t) { return t <= FC_C128; }
constexpr bool is_single(fc_dtype t) { return t == FC_F32 || t == FC_C64; }

constexpr bool transforms(fc_method m) { return m == FC_OVERLAP || m == FC_ONESHOT; }

// The row of the kernel table for a job's dtypes.
Pair pair_of(fc_dtype a, fc_dtype v);
fc_dtype result_dtype(fc_dtype a, fc_dtype v);

// Integers longer than a transform bears are cut into at most so many digits (exact.cpp).
constexpr int kMostDigits = 8;

// So many digits, bytes apart.
struct Series {
  int count = 1;
  Index next = 0;
};

// Where all digits have one place: called before one of a or v is read there, and after one of
// a result is written.
enum class Part { kA, kV, kOut };
using InTurn = FunctionRef<void(Part, Index kernel, int digit)>;

// One axis where what lies beyond a is zero.
struct Extent {
  Index n, m, lo, hi;
};

// Of a sample and a tap each, that fall within the window of an axis.
inline double products_of(const Extent& e) {
  const auto before = [&](double end) {
    const auto triangle = [](double x) { return x > 0 ? x * (x + 1) / 2 : 0; };
    const double n = double(e.n), m = double(e.m);
    return triangle(end) - triangle(end - n) - triangle(end - m) + triangle(end - n - m);
  };
  return before(double(e.hi)) - before(double(e.lo));
}

// An axis of a volume, and the bytes from one of its indices to the next in each array.
struct Convolved {
  Extent extent;
  Index a, v, out;
};

// A job of several axes, as it lies in memory.
struct Volume {
  fc_dtype a_dtype, v_dtype;
  int axes;
  const Convolved* axis;
  const char *a, *v;
  char* out;
  // So many of a and of out under one v, bytes apart: the colours of an image, which lie side by
  // side, with three axes at the least, or lines (partitioned.cpp).
  Index channels = 1, a_next = 0, out_next = 0;
};

// The rows of a problem: one axis or, flattened (Kronecker's substitution), several, whose
// indices are `pitch` rows apart. Rows between them stand for none; those there are lie so many
// bytes apart in a, and in the result.
struct Leading {
  int count;
  Extent axis[FC_MAX_NDIM];
  Index pitch[FC_MAX_NDIM], a[FC_MAX_NDIM], out[FC_MAX_NDIM];
};

// In place of a step.
constexpr Index kDense = PTRDIFF_MIN;

// A job with all but the arithmetic resolved: at most two convolved axes (1-D
// is one row), zeros outside a, no batch, dense rows, nothing conjugated.
//   out[r - row_lo, c - col_lo] = sum_{i, j} v[i, j] a[r - i, c - j]
// over the window row_lo <= r < row_hi, col_lo <= c < col_hi. Rows of each
// array are *_row bytes apart and dense within.
struct Problem {
  fc_dtype a_dtype, v_dtype;
  Index rows, cols;                      // of a
  Index kh, kw;                          // of v
  Index row_lo, row_hi, col_lo, col_hi;  // window of the full convolution
  const char* a;
  Index a_row;
  const char* v;
  Index v_row;
  char* out;
  Index out_row;
  bool accumulate;  // out += instead of out =
  // Where rows do not lie dense, bytes from one column to the next. No kernel sees such rows: they
  // are copied some at a time (views.h).
  Index a_step = kDense, out_step = kDense;
  // A bank: so many kernels, each with a result of its own, bytes apart.
  Index kernels = 1, v_next = 0, out_next = 0;
  // The axes that are flattened to rows, or null: rows are one axis. Those of v are there, with
  // zeros between; those of a and of the result lie as they did (LyingRows).
  const Leading* leading = nullptr;
  // Digits of a, of each kernel and of each result, which is the sum of a_i * v_j over
  // i + j = its number.
  Series a_digits, v_digits, out_digits;
  const InTurn* in_turn = nullptr;
  // Integers in doubles: far from the ends of the range and, as digits are added up, of one scale.
  bool whole = false;
  // Floats in doubles: small values are kept as far as floats keep them.
  bool of_floats = false;
  // v holds what a does: one transform forward is enough.
  bool square = false;
  // Where the spectra of v are kept, or null: v is no one's kernel, or used but once.
  fc_spectra* spectra = nullptr;
};

// Rows (columns) that no product crosses: lines beside each other.
inline bool rows_apart(const Problem& p) { return p.kh == 1; }
inline bool cols_apart(const Problem& p) { return p.kw == 1 && p.kh > 1; }
inline bool lines_apart(const Problem& p) { return rows_apart(p) || cols_apart(p); }

inline bool a_is_dense(const Problem& p) { return p.a_step == kDense; }
inline bool out_is_dense(const Problem& p) { return p.out_step == kDense; }
inline bool is_dense(const Problem& p) { return a_is_dense(p) && out_is_dense(p); }

// Bytes from one column to the next.
inline Index a_step(const Problem& p) { return a_is_dense(p) ? kItemSize[p.a_dtype] : p.a_step; }
inline Index out_step(const Problem& p) {
  return out_is_dense(p) ? kItemSize[result_dtype(p.a_dtype, p.v_dtype)] : p.out_step;
}

// Rows as they lie: where row r begins, null where there is none. Quick for one row after another.
class LyingRows {
 public:
  char* operator()(Index r) {
    if (r < first_ || r >= last_) find(r);
    return data_ ? data_ + (r - first_) * stride_ : nullptr;
  }

 private:
  friend LyingRows rows_of_a(const Problem&);
  friend LyingRows rows_of_out(const Problem&);
  LyingRows(const Problem& p, bool of_a) : p_(p), of_a_(of_a) {}
  void find(Index r);
  Range of_axis(int d) const;
  void lie(char* data, Index first, Index last, Index stride);

  const Problem& p_;
  const bool of_a_;
  Index first_ = 0, last_ = 0, stride_ = 0;  // of rows that lie evenly, or of none
  char* data_ = nullptr;
};

// Of a, and of the full convolution's outputs those of the window.
LyingRows rows_of_a(const Problem&);
LyingRows rows_of_out(const Problem&);

// Has a, or the result, in dense rows one behind another, so many bytes apart: of flattened ones
// too, whose axes `own` is to hold.
void put_a_in_rows(Problem&, const char* a, Index row, Leading& own);
void put_out_in_rows(Problem&, char* out, Index row, Leading& own);

// The problem of one kernel of a bank, at one digit of it and one of its result.
Problem kernel_of(Problem, Index k, int v_digit = 0, int out_digit = 0);

// Does the job read samples of a beyond its ends that are not zero?
bool extends(const fc_job&);
Extent extent_of(const fc_axis&);

// The axes on which products are added up, at least one; the others are carried along as batch
// axes are. Returns how many. Unless the job's are in order the longest of three and more is the
// last, and of two where that pays transforms; direct sums take two as they are.
int convolved_axes(const fc_job&, int* axes);

// The order of axes in which that of the most outputs comes last, where vectors lie, unless the one
// that does has many: arrays that are dense along another are copied.
void longest_last(const Extent*, int count, int* order);

// Can there be transforms of all these axes at all? Only then may they be flattened.
bool transforms_fit(const Extent* extent, int count);

// Cuts an axis to the samples and taps that its outputs read, and tells the first of each.
struct Cut {
  Index sample, tap;
};
Cut trim(Extent&);
Problem trimmed(Problem);

// Several axes as one, and how far apart the indices of each then lie; or where that is known.
Extent flatten(const Extent* extent, int count, Index* pitch);
Extent flattened(const Extent* extent, int count, const Index* pitch);

// `count` lines side by side, each of so many bytes with its result, are copied and judged in
// groups: the same whatever their order in memory.
Index line_groups(Index count, Index line_bytes);
Range line_group(Index count, Index line_bytes, Index group);

// Is v the longer? Then the operands change roles (convolution commutes).
bool swaps(const Extent& row, const Extent& col);

// Magnitudes of the finite samples seen so far, and how many were not finite.
struct Magnitudes {
  double max = 0, squares = 0;
  Index bad = 0;
  double norm() const;
};
void measure(fc_dtype, const char* row, Index count, const KernelTable&, Magnitudes&);

// The same problem with a and v in each other's places. What its rows are is the caller's to swap.
Problem swapped(Problem);

// The choice for a problem of one kernel alone, which takes as long as a tenth of so many
// multiply-adds.
constexpr double kWorthChoosing = 1e5;
fc_candidate chosen_for(const Problem&, fc_accuracy = FC_ACCURACY_AUTO);

// The multiply-adds that its direct sums do in so many nanoseconds.
double macs_in(double ns, const Problem&);

// Thrown by Context::spend when the poll says stop; caught at the C face alone (status.h).
struct Interrupted {};

// The items of a section of work, handed out in ranges, each of them once.
class Shares {
 public:
  Shares(Index count, Index least, int workers) : count_(count), least_(least), workers_(workers) {}
  bool next(Range&);
  void stop() { taken_.store(count_); }

 private:
  std::atomic<Index> taken_{0};
  const Index count_, least_;
  const int workers_;
};

// What a helping thread is woken for at the least: 20 us at 30 multiply-adds a nanosecond,
// nearly twice the 11 us that waking it and hearing of its end take on a virtual machine.
constexpr double kHelpMacs = 6e5;

// What a running call carries: its kernels, how many threads it may use, and the way to be
// interrupted.
class Context {
 public:
  Context(const KernelTable& kernels, fc_poll poll, void* poll_context, int workers)
      : kernels(kernels),
        poll_(poll),
        poll_context_(poll_context),
        workers_(workers < FC_MOST_WORKERS ? workers : FC_MOST_WORKERS) {}

  const KernelTable& kernels;

  // How many threads may share a section of work, and which of them this is.
  int workers() const { return workers_; }
  int worker() const { return worker_; }

  // Called between pieces of work, which may take far longer than they are worth, as where memory
  // is touched for the first time: what is spent tells when to look at the clock, which tells when
  // to poll.
  void spend(double macs) {
    spent_ += macs;
    if (spent_ >= kLookMacs) look();
  }

  // A section of work: `count` items of about so many multiply-adds. Where that pays, body is
  // run on several threads at once, with a Context for each, and all take from the same
  // shares; else here alone. What one of them throws is thrown here when all are back. Each
  // output is written by the one who took its item, so that no bit depends on their number.
  using ShareBody = FunctionRef<void(Context&, Shares&)>;
  void share(Index count, double macs, ShareBody body);

  // The same of items that share out their own work: a few are done one after another, lest
  // some wait for the last.
  void share_many(Index count, double macs, ShareBody body);

 private:
  class Failure;
  static constexpr double kLookMacs = 2.5e7;  // 1 to 3 ms
  using Clock = std::chrono::steady_clock;
  void look();
  double spent_ = 0;
  Clock::time_point polled_;
  fc_poll poll_;
  void* poll_context_;
  int workers_, worker_ = 0;
  const Failure* failure_ = nullptr;  // of the section that this Context works for
};

// In the course of another job, by the choice for it alone.
void run_within(const Volume&, Context&);

// The methods. Each computes the whole window; each throws std::bad_alloc or
// Interrupted, which fc_run turns into a status.
void direct(const Problem&, Context&);
void direct_volume(const Volume&, Context&);  // two axes at the least; of two, rows are dense

// A problem of two axes or more, or a part of one, with its axes apart; and its direct sums.
Volume volume_of(Scratch&, const Problem&);
void summed(const Problem&, Context&);

// Directly, rows and columns exchanged, which suits narrow pictures.
bool is_narrow(const Problem&);
void direct_turned(const Problem&, Context&);

// Two passes where the kernel is an outer product, else direct.
void separable(const Problem&, Context&);

// Is a dense kernel?
bool is_outer_product(fc_dtype, const void* v, Index rows, Index cols);

// Overlap-save or one-shot as `how` says; float and complex dtypes only. a and
// v are finite. Magnitudes are the guard's business.
void spectral(const Problem&, const fc_candidate& how, Context&);

// Integers and bool through f64 transforms: digits, rounding, wrap-around. Facts
// that are not known are measured.
void exact(const Problem&, const fc_candidate& how, const fc_facts&, Context&);

// Floats through `spectral`, keeping NaN and Inf local and small values alive.
void guarded(const Problem&, const fc_candidate& how, fc_accuracy, Context&);

// A part of a problem, or its twin in double, by the choice for it alone.
void alone(Problem, Context&);

// By parts of the kernel: an output is off by `tolerance` times the sum of magnitudes behind it at
// the most, or summed directly. A part has at most `side` taps along each axis, a power of two.
void partitioned(const Problem&, Index side, double tolerance, Context&);

// No shorter than its taps ask for.
inline Index part_side(Index m, Index most) {
  Index side = 1;
  while (side < m && side < most) side *= 2;
  return side;
}

// An axis by blocks so long: windows of two of them, parts of the kernel and blocks of outputs.
inline Extent by_blocks(const Extent& e, Index side) {
  return {ceil_div(e.n, side) + 1, ceil_div(e.m, side), e.lo / side, ceil_div(e.hi, side)};
}

// What a transform of a part returns at the least: so many items.
constexpr Index kShortestPart = 256;

// How a problem that fades is taken again: the side of its parts, 0 where direct sums are sooner
// done, and what it takes in multiply-adds of these.
struct Parting {
  Index side;
  double macs;
};
Parting parting_of(const Problem&);

// The same in double precision, of a single-precision problem: its small values come out right.
void in_double(const Problem&, Context&);
bool pays_in_double(const Problem&, double macs);

// What `guarded` would do about what the transform loses: so many multiply-adds to redo it, or
// all of some lines in double precision.
struct Repair {
  double macs = 0;
  bool in_double = false;

  void add(const Repair& more) {
    macs += more.macs;
    in_double |= more.in_double;
  }
};
Repair repair_of(const Problem&, const fc_candidate& how, fc_accuracy, Context&);

// How many digits, of `width` bits, a and v must be split into so that sums of their products
// are proven to round right through transforms of `points` complex points in all, how many
// results that makes and of how many products; results == 0: no way.
struct Digits {
  int a, v, results, products, width;
};
Digits digits_for(fc_dtype, const fc_facts&, Index n, Index m, double points, bool overlap);

// The choice for integers that have been scanned, from the plan before they were: it stays where
// the digits it was made with are all that it takes, since no other would have got by with fewer.
void choose_scanned(const fc_job& scanned, fc_plan&);

const KernelTable& kernels(int level);

// Whose CPU this is, as far as the choice tells them apart: AMD's from family 26, Zen 5, on do
// twice as much with 512 bits as those before.
enum class Maker { kAmd, kZen5, kIntel };
Maker maker();

// What the choice believes of a level; it outlives every choice that reads it.
struct Costs;
const Costs& costs_of(int level);

}  // namespace fastconv
