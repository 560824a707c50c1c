// What a transform would lose of small values, found before it is made.
#pragma once
#include "engine.h"
#include "function.h"
#include "runtime.h"

namespace fastconv {

// The samples (or outputs) that one coarse block stands for: so many along every leading axis, and
// columns. Of a kernel of one row (or column) they are those of one line.
struct Grain {
  Index rows, cols;
};
Grain grain_of(const Problem&);

// The axes of a problem's rows, of which there are more than one where they are flattened.
const Leading& leading_of(const Problem&, Leading& own);

// An operand as it is scanned: its rows have these axes.
struct Operand {
  fc_dtype dtype;
  const char* data;
  Index rows, cols;
  Index step;  // bytes from one column to the next
  int leading;
  // Of each axis: how many there are, and how many rows and how many bytes apart.
  Index count[FC_MAX_NDIM], pitch[FC_MAX_NDIM], stride[FC_MAX_NDIM];
};
inline bool is_dense(const Operand& x) { return x.step == kItemSize[x.dtype]; }
Operand signal_of(const Problem&);
Operand taps_of(const Problem&);

// Calls visit(row, data) for the rows within these ranges of its axes, behind this row along those
// from this one on.
template <class Visit>
void for_each_row(const Operand& x, const Range* within, const Visit& visit, int axis, Index row,
                  const char* data) {
  if (axis == x.leading) return visit(row, data);
  for (Index i = within[axis].first; i < within[axis].last; ++i) {
    for_each_row(x, within, visit, axis + 1, row + i * x.pitch[axis], data + i * x.stride[axis]);
  }
}

template <class Visit>
void for_each_row(const Operand& x, const Visit& visit) {
  Range all[FC_MAX_NDIM];
  for (int d = 0; d < x.leading; ++d) all[d] = {0, x.count[d]};
  for_each_row(x, all, visit, 0, 0, x.data);
}

// Sum and maximum of |x| (complex: of re and im), and an upper bound of ||x||^2.
struct Seen {
  double sum = 0, energy = 0, top = 0;

  void add(const Seen& other) {
    sum += other.sum;
    energy += other.energy;
    top = other.top > top ? other.top : top;
  }
};

// How far in the ends of an axis are looked at, index by index.
constexpr Index kEnds = 16;

// The same by block, and of the whole; where lines are apart what their blocks would have, or less,
// were they everywhere like their quietest part (kernels/table.h), else sums of whole rows, and of
// the first and the last kEnds columns, counted from their end. A NaN or Inf makes its block's sum,
// and so the whole, not finite.
struct Coarse {
  Index rows = 0, cols = 0;
  double *sum = nullptr, *energy = nullptr, *top = nullptr;
  double* least = nullptr;
  double *row_sum = nullptr, *first = nullptr, *last = nullptr;
  Seen whole;
  bool finite = true;

  // Of `count` blocks side by side, from block `at` on.
  Seen of(Index at, Index count) const;
};
Coarse coarse(Scratch&, Context&, const Operand&, Grain, bool lines_are_apart);

// Of the taps, which may be known already.
const Coarse& weight_of_taps(Scratch&, const Problem&, Grain, Context&);

double macs_of(const Problem&);

// What decides beside a mean: E / tol, and the largest product near.
struct Bound {
  double loss, term;
};

// Holds means of s against what transforms lose.
class Judge {
 public:
  Judge(const Problem&, const fc_candidate& how, const Coarse& v);

  // E / tol of a transform that sees this much of a.
  Bound bound_from(const Seen& seen) const;

  // May an output lose, where the mean of s around it is so much?
  bool is_weak(double mean, const Bound&) const;

  // The least s expected of an output for which it does not.
  double enough(const Bound&) const;

 private:
  double like_terms(double mean, const Bound&) const;
  double log_margin(double terms) const;
  double taps_, log_taps_, log_outputs_;  // log_outputs_: of a hundred times as many
  double v_peak_, by_norm_, by_sum_;      // E / tol by ||a||_2 and by ||a||_1
};

// The most of each.
Seen loudest_of(const Seen*, Index count);

// kHidden: to be looked at closer or, of pictures and volumes, output by output when they are
// there.
enum Mark : char { kSafe, kZero, kHidden, kWeak };

// Doubles that are to be kept as such: few of their outputs are in doubt that means show to be
// safe.
inline bool of_doubles(const Problem& p) { return !is_single(p.a_dtype) && !p.of_floats; }

// Calls visit for every rectangle of like marks in a plane of blocks.
using VisitMarks = FunctionRef<void(Range rows, Range cols, Mark)>;
void for_each_rectangle(const Mark*, Index rows, Index cols, VisitMarks);

// One output or more along each axis, columns last.
struct Box {
  Range axis[FC_MAX_NDIM];
  double loss = 0;  // of what is hidden or safe: E / tol at the most
};

// The sub-problem `to` of those outputs of a box, by its axes, that are within the problem's
// window, cut to the samples and taps that they read; `leading` holds its axes where there are
// several. False where there are none.
bool part(const Problem&, const Range* box, Leading& leading, Problem& to);

// out[...] = 0.
void clear(const Problem&);

class Gaps;

// Outputs that are lost, or exactly zero. Its boxes are found but once.
class Survey {
 public:
  // Once, when all else is known.
  void list_boxes(Scratch&);

  // Multiply-adds that repair() takes, at this price of each part of the problem.
  using Price = FunctionRef<double(const Problem&)>;
  double macs(Price) const;

  // Has computed again what the transform may have lost.
  using Redo = FunctionRef<void(const Problem&)>;
  void repair(Redo, Context&) const;

 protected:
  explicit Survey(const Problem& p) : p_(p) {}
  ~Survey() = default;

  // In no scratch memory of its own: the list is made meanwhile.
  using Visit = FunctionRef<void(const Box&, Mark)>;
  virtual void for_each(Visit) const = 0;

  const Problem& p_;
  bool has_gaps_ = false;  // outputs that are zero, but no boxes

 private:
  struct Listed;
  void for_each_part(Listed*, Redo) const;
  double redo_doubtful(const Listed&, double most, Redo, const Gaps*, Context&) const;
  Listed* listed_[kWeak + 1] = {};  // by mark
};

// a and v are finite; `how` is the transform that is to be trusted. Both live in scratch memory.
const Survey& survey_of_lines(Scratch&, const Problem&, const fc_candidate& how, Grain,
                              const Coarse& a, const Coarse& v, Context&);
const Survey& survey_of_volume(Scratch&, const Problem&, const fc_candidate& how, Grain,
                               const Coarse& a, const Coarse& v, Context&);

// out = these outputs of a * v, dense.
template <class T>
void sums_within(Range, const T* a, Index n, const T* v, Index m, T* out, Context&);

// |re + i im| is no less than this share of |re| + |im|, whose sums are had for nothing.
constexpr double kLeastShare = 0.70710678;

}  // namespace fastconv
