// s is no less than |y|: where that reaches E / tol nothing is lost. Beside the empty parts of a
// picture few blocks are sure, and most outputs.
#include "doubtful.h"

#include <math.h>

#include <algorithm>

#include "views.h"

namespace fastconv {
namespace {

// Sums of single outputs take so many times as long as those of many.
constexpr double kAlone = 8;

// A single output: as many taps as samples along every axis.
class Single {
 public:
  Single(const Problem& p, Context& context)
      : a_(signal_of(p)),
        v_(taps_of(p)),
        dot_(context.kernels.dot[pair_of(p.a_dtype, p.v_dtype)]),
        out_(p.out) {}

  void sum() { add(0, a_.data, v_.data + (v_.cols - 1) * v_.step); }

 private:
  void add(int axis, const char* x, const char* taps) {
    if (axis == a_.leading) {
      for_each_run(x, a_.step, a_.cols, a_.dtype, a_.cols,
                   [&](const char* run, Index count) { dot_(run, taps, count, out_, any_); });
      any_ = true;
      return;
    }
    for (Index i = 0, last = a_.count[axis] - 1; i <= last; ++i) {
      add(axis + 1, x + i * a_.stride[axis], taps + (last - i) * v_.stride[axis]);
    }
  }

  const Operand a_, v_;
  const Dot dot_;
  char* const out_;
  bool any_ = false;
};

// The outputs of a box that may be lost.
class Doubtful {
 public:
  Doubtful(const Problem& p, const Range* box, double loss, const Gaps* gaps)
      : rows_(leading_of(p, own_)),
        single_(is_single(p.a_dtype)),
        parts_(is_complex(result_dtype(p.a_dtype, p.v_dtype)) ? 2 : 1),
        step_(out_step(p)),
        loss_(loss),
        gaps_(gaps) {
    out_ = p.out;
    for (int d = 0; d <= rows_.count; ++d) {
      const Extent e = d < rows_.count ? rows_.axis[d] : Extent{p.cols, p.kw, p.col_lo, p.col_hi};
      within_[d] = {std::max(box[d].first, e.lo), std::min(box[d].last, e.hi)};
      outputs_ *= std::max<Index>(0, within_[d].last - within_[d].first);
      out_ += (within_[d].first - e.lo) * (d < rows_.count ? rows_.out[d] : step_);
    }
  }

  // Calls visit(ranges) for each of them, one index long, until that says no.
  template <class Visit>
  void for_each(Visit visit) {
    if (outputs_) look(0, 0, out_, visit);
  }

 private:
  template <class Visit>
  bool look(int axis, Index row, const char* out, Visit& visit) {
    if (axis == rows_.count) {
      return single_ ? look_along<float>(row, out, visit) : look_along<double>(row, out, visit);
    }
    bool go_on = true;
    for (Index i = within_[axis].first; go_on && i < within_[axis].last; ++i) {
      one_[axis] = {i, i + 1};
      go_on = look(axis + 1, row + i * rows_.pitch[axis], out, visit);
      out += rows_.out[axis];
    }
    return go_on;
  }

  template <class T, class Visit>
  bool look_along(Index row, const char* out, Visit& visit) {
    const Range cols = within_[rows_.count];
    for (Index c = cols.first; c < cols.last; ++c, out += step_) {
      const T* y = reinterpret_cast<const T*>(out);
      const bool sure = fabs(y[0]) >= loss_ || fabs(y[parts_ - 1]) >= loss_;
      if (sure || (gaps_ && gaps_->has(row, c))) continue;
      one_[rows_.count] = {c, c + 1};
      if (!visit(one_)) return false;
    }
    return true;
  }

  Leading own_;
  const Leading& rows_;
  const bool single_;
  const Index parts_, step_;
  const double loss_;
  const Gaps* gaps_;
  Index outputs_ = 1;
  char* out_;
  Range within_[FC_MAX_NDIM], one_[FC_MAX_NDIM];
};

// As long as so many multiply-adds.
double macs_alone(const Problem& p) {
  Leading own;
  const Leading& rows = leading_of(p, own);
  double taps = double(p.kw);
  for (int d = 0; d < rows.count; ++d) taps *= double(rows.axis[d].m);
  return kAlone * taps;
}

}  // namespace

Found redo_few(const Problem& p, const Range* box, double loss, double macs, const Gaps* gaps,
               Context& context) {
  // E more, as y is itself off by so much.
  Doubtful doubtful(p, box, 1.01 * loss, gaps);
  const double most = macs / macs_alone(p);
  double count = 0;
  doubtful.for_each([&](const Range*) { return ++count <= most; });
  if (count > most) return {false, 0};
  Leading leading;
  Problem one;
  doubtful.for_each([&](const Range* at) {
    if (part(p, at, leading, one)) Single(one, context).sum();
    context.spend(macs_alone(p));
    return true;
  });
  return {true, count * macs_alone(p)};
}

}  // namespace fastconv
