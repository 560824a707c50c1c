// What a transform would lose, found before it is made and redone directly after.
//
// A transform of N points spreads its error evenly over the outputs. It is below
//
//     u (14 log2 N + 12) ||a||_2 ||v||_2                                     always,
//     6 u sqrt(log2 N / N) min(||a||_1 ||v||_2, ||a||_2 ||v||_1) = E         in practice
//
// (norms of what the transform sees; the second takes rounding errors for
// independent: ||A V||_2 <= max |A| ||V||_2 <= ||a||_1 sqrt(N) ||v||_2, whose relative
// error of 0.8 u sqrt(log2 N) rms is shared by N outputs: 6 leaves 7 sigma). Direct
// summation errs in proportion to s_i = sum_k |v_k| |a_{i-k}|. So outputs with tol * s_i < E (tol =
// 2^-30 in f64, 2^-8 in f32) may be lost: small numbers beside large ones. s is estimated by
// blocks,
//
//     S_b = sum_{p + c = b} A_p V_c,   A_p = sum |a| over block p, V_c likewise,
//
// a coarse convolution of a thousandth of the cost: the products counted in
// S_{b-1} and S_b fall on the 2 B outputs around block b, whose mean s is then
// about (S_{b-1} + S_b) / 2B. Where it is zero the outputs are zero. Where it, or
// that of a block whose products reach as far, is too small the block is computed
// again directly, or in pictures and volumes looked at output by output (doubtful.cpp). The ends of
// 'full', where s rises from a single product, are looked at closer:
// of lines output by output (line_survey.cpp), of pictures and volumes by what each axis has of
// all products (volume_survey.cpp).
//
// A single output may fall below the mean by chance: a sum of k like terms is below
// e times its mean with probability about (2 e)^k / k!. Each mean must therefore exceed
// E / tol by a margin that leaves one output in a hundred problems.
//
// It is a heuristic: a mean says nothing of structure finer than a block (a comb of
// ones and zeros convolved with another leaves outputs that are exactly zero between
// large ones; the transform gives them the error E).
#include "survey.h"

#include <math.h>
#include <string.h>

#include <algorithm>
#include <new>
#include <optional>

#include "doubtful.h"
#include "views.h"

namespace fastconv {
namespace {

constexpr double kLogTwo = 0.69314718055994530942, kLogHundred = 4.60517018598809136804;

// Boxes to be redone. Of those at the same end of every axis several are made one where that takes
// no longer: a box by itself takes as long as so many multiply-adds beside its own.
class Boxes {
 public:
  using Use = FunctionRef<void(const Box&)>;

  Boxes(const Problem& p, Use use) : use_(use) {
    Leading own;
    const Leading& rows = leading_of(p, own);
    axes_ = rows.count + 1;
    std::copy_n(rows.axis, rows.count, axis_);
    axis_[rows.count] = {p.cols, p.kw, p.col_lo, p.col_hi};
  }

  void add(const Box& box) {
    Open fresh;  // what a box has is copied: it has room for all axes that there may be
    if (!cut(box, fresh)) return;
    if (fresh.macs >= kWorthChoosing) return use_(fresh.box);
    for (int i = 0; i < count_; ++i) {
      if (open_[i].place == fresh.place && join(fresh, open_[i])) return;
    }
    if (count_ == kOpen) {
      use_(open_[next_].box);
      copy(fresh, open_[next_]);
      next_ = (next_ + 1) % kOpen;
    } else {
      copy(fresh, open_[count_++]);
    }
  }

  void finish() {
    for (int i = 0; i < count_; ++i) use_(open_[i].box);
  }

 private:
  static constexpr double kBoxMacs = 2e4;
  static constexpr int kOpen = 8;  // those of every corner of a volume

  struct Open {
    Box box;
    double macs;
    unsigned place;  // by axis: all in the first half, in the second, or in both
  };

  void copy(const Open& from, Open& to) const {
    std::copy_n(from.box.axis, axes_, to.box.axis);
    to.macs = from.macs, to.place = from.place;
  }

  // What of a box is within the window, if anything.
  bool cut(const Box& box, Open& to) const {
    to.place = 0;
    for (int d = 0; d < axes_; ++d) {
      const Extent& e = axis_[d];
      const Range r = {std::max(box.axis[d].first, e.lo), std::min(box.axis[d].last, e.hi)};
      if (r.first >= r.last) return false;
      const Index middle = (e.lo + e.hi) / 2;
      to.box.axis[d] = r;
      to.place = 4 * to.place + (r.last <= middle) + 2 * (r.first >= middle);
    }
    to.macs = macs_of(to.box);
    return true;
  }

  bool join(const Open& box, Open& into) const {
    Open both;
    both.place = box.place;
    for (int d = 0; d < axes_; ++d) {
      const Range &x = box.box.axis[d], &y = into.box.axis[d];
      both.box.axis[d] = {std::min(x.first, y.first), std::max(x.last, y.last)};
    }
    both.macs = macs_of(both.box);
    if (both.macs > box.macs + into.macs + kBoxMacs || both.macs >= kWorthChoosing) return false;
    copy(both, into);
    return true;
  }

  double macs_of(const Box& box) const {
    double macs = 1;
    for (int d = 0; d < axes_; ++d) {
      const Extent& e = axis_[d];
      const Range& r = box.axis[d];
      const Index taps = std::min(r.last, e.m) - std::max<Index>(r.first - e.n + 1, 0);
      macs *= double(r.last - r.first) * double(taps);
    }
    return macs;
  }

  const Use use_;
  int axes_, count_ = 0, next_ = 0;
  Extent axis_[FC_MAX_NDIM];
  Open open_[kOpen];
};

}  // namespace

const Leading& leading_of(const Problem& p, Leading& own) {
  if (p.leading) return *p.leading;
  own.count = 1;
  own.axis[0] = {p.rows, p.kh, p.row_lo, p.row_hi};
  own.pitch[0] = 1, own.a[0] = p.a_row, own.out[0] = p.out_row;
  return own;
}

double macs_of(const Problem& p) {
  double macs = double(p.col_hi - p.col_lo) * double(p.kw);
  if (!p.leading) return macs * double(p.row_hi - p.row_lo) * double(p.kh);
  for (int d = 0; d < p.leading->count; ++d) {
    const Extent& e = p.leading->axis[d];
    macs *= double(e.hi - e.lo) * double(e.m);
  }
  return macs;
}

Seen loudest_of(const Seen* seen, Index count) {
  Seen most;
  for (Index i = 0; i < count; ++i) {
    most = {std::max(most.sum, seen[i].sum), std::max(most.energy, seen[i].energy),
            std::max(most.top, seen[i].top)};
  }
  return most;
}

bool part(const Problem& p, const Range* box, Leading& leading, Problem& q) {
  const auto within = [](Range r, Extent& e) {
    e.lo = std::max(r.first, e.lo), e.hi = std::min(r.last, e.hi);
    return e.lo < e.hi;
  };
  q = p;
  q.square = false;
  Leading own;
  const Leading& rows = leading_of(p, own);
  leading.count = rows.count;
  Extent col = {p.cols, p.kw, p.col_lo, p.col_hi};
  if (!within(box[rows.count], col)) return false;
  // A scan has no result.
  q.out += p.out ? (col.lo - p.col_lo) * out_step(p) : 0;
  const Cut first = trim(col);
  q.a += first.sample * a_step(p);
  q.v += first.tap * kItemSize[p.v_dtype];
  for (int d = 0; d < rows.count; ++d) {
    const Index pitch = leading.pitch[d] = rows.pitch[d];
    Extent& e = leading.axis[d] = rows.axis[d];
    if (!within(box[d], e)) return false;
    leading.a[d] = rows.a[d], leading.out[d] = rows.out[d];
    q.out += p.out ? (e.lo - rows.axis[d].lo) * rows.out[d] : 0;
    const Cut cut = trim(e);
    q.a += cut.sample * rows.a[d];
    q.v += cut.tap * pitch * p.v_row;
  }
  q.cols = col.n, q.kw = col.m, q.col_lo = col.lo, q.col_hi = col.hi;
  const Extent row = flattened(leading.axis, leading.count, leading.pitch);
  q.rows = row.n, q.kh = row.m, q.row_lo = row.lo, q.row_hi = row.hi;
  q.leading = p.leading ? &leading : nullptr;
  return true;
}

void clear(const Problem& p) {
  const Index item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)], cols = p.col_hi - p.col_lo;
  Leading own;
  const Leading& rows = leading_of(p, own);
  Index all = 1;
  for (int d = 0; d < rows.count; ++d) all *= rows.axis[d].hi - rows.axis[d].lo;
  for (Index i = 0; i < all; ++i) {
    Index at = 0, rest = i;
    for (int d = rows.count - 1; d >= 0; --d) {
      const Index count = rows.axis[d].hi - rows.axis[d].lo;
      at += rest % count * rows.out[d], rest /= count;
    }
    zero_line(p.out + at, out_step(p), cols, item);
  }
}

void for_each_rectangle(const Mark* mark, Index rows, Index cols, VisitMarks visit) {
  // One past the last of the like marks that begin with this one, or j where they began before.
  const auto end_of_run = [&](Index i, Index j) {
    const Mark* row = mark + i * cols;
    if (j > 0 && row[j - 1] == row[j]) return j;
    Index end = j + 1;
    while (end < cols && row[end] == row[j]) ++end;
    return end;
  };
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0, end; j < cols; j = end) {
      const Mark own = mark[i * cols + j];
      end = end_of_run(i, j);
      const auto same = [&](Index r) {
        return mark[r * cols + j] == own && end_of_run(r, j) == end;
      };
      if (i > 0 && same(i - 1)) continue;
      Index last = i + 1;
      while (last < rows && same(last)) ++last;
      visit({i, last}, {j, end}, own);
    }
  }
}

template <class T>
void sums_within(Range outputs, const T* a, Index n, const T* v, Index m, T* out,
                 Context& context) {
  Problem q = {};
  q.a_dtype = q.v_dtype = sizeof(T) == 4 ? FC_F32 : FC_F64;
  q.rows = q.row_hi = q.kh = 1;
  q.cols = n, q.kw = m, q.col_lo = outputs.first, q.col_hi = outputs.last;
  q.a = reinterpret_cast<const char*>(a);
  q.v = reinterpret_cast<const char*>(v);
  q.out = reinterpret_cast<char*>(out);
  direct(q, context);
}

template void sums_within(Range, const float*, Index, const float*, Index, float*, Context&);
template void sums_within(Range, const double*, Index, const double*, Index, double*, Context&);

Judge::Judge(const Problem& p, const fc_candidate& how, const Coarse& v) : v_peak_(v.whole.top) {
  Leading own;
  const Leading& rows = leading_of(p, own);
  double outputs = cols_apart(p) ? 1 : double(p.cols + p.kw - 1);  // of a line
  taps_ = double(p.kw);
  for (int d = 0; d < rows.count; ++d) {
    const Extent& e = rows.axis[d];
    taps_ *= double(e.m);
    if (!rows_apart(p)) outputs *= double(e.n + e.m - 1);
  }
  log_taps_ = log(taps_);
  log_outputs_ = kLogHundred + log(outputs);
  const bool single = is_single(p.a_dtype);
  const double unit = (single ? 0x1p-24 : 0x1p-53) / (single || p.of_floats ? 0x1p-8 : 0x1p-30);
  const double points = double(how.block[0]) * double(how.block[1]), depth = log2(points);
  const double usual = 6 * unit * sqrt(depth / points);
  const double v_norm = std::min(sqrt(v.whole.energy), sqrt(v.whole.sum) * sqrt(v.whole.top));
  by_norm_ = std::min(unit * (14 * depth + 12) * v_norm, usual * v.whole.sum);
  by_sum_ = usual * v_norm;
}

Bound Judge::bound_from(const Seen& seen) const {
  return {std::min(by_norm_ * sqrt(seen.energy), by_sum_ * seen.sum), seen.top * v_peak_};
}

// Terms are alike where none is much above the mean: k is about mean s over the
// largest product, four times that for Gaussian noise. The margin is
// (100 outputs)^(1/k), and no more than the choice among m^k sums allows.
double Judge::like_terms(double mean, const Bound& bound) const {
  return std::max(1.0, 4 * mean / bound.term);
}

double Judge::log_margin(double k) const {
  return std::min(log_outputs_ / k, kLogHundred / k + log_taps_);
}

// Twice the margin, as means are of more than one place: powers are compared by their logarithms,
// and those of most blocks by their exponents alone.
bool Judge::is_weak(double mean, const Bound& bound) const {
  const double loss = bound.loss;
  if (mean < 2 * loss) return true;
  const double k = like_terms(mean, bound);
  if (k > 40 || mean > 200 * taps_ * loss) return mean < 4 * loss;
  const double ratio = mean / (2 * loss), margin = log_margin(k);
  return ilogb(ratio) * kLogTwo < margin && log(ratio) < margin;
}

// By bisection of how many times the loss it is: the larger a mean, the smaller its margin.
double Judge::enough(const Bound& bound) const {
  double weak = 1, strong = std::max(200 * taps_, 4.0);
  while (strong > 1.02 * weak) {
    const double times = sqrt(weak * strong);
    const double margin = exp(log_margin(like_terms(times * bound.loss, bound)));
    (times < margin ? weak : strong) = times;
  }
  return strong * bound.loss;
}

// A box's ranges alone, behind this: a Box has room for all axes that there may be.
struct Survey::Listed {
  Listed* next;
  double loss;

  Range* axis() { return reinterpret_cast<Range*>(this + 1); }
  const Range* axis() const { return reinterpret_cast<const Range*>(this + 1); }
};

void Survey::list_boxes(Scratch& scratch) {
  Leading own;
  const int axes = leading_of(p_, own).count + 1;
  Listed** end[kWeak + 1];
  for (int mark = 0; mark <= kWeak; ++mark) end[mark] = &listed_[mark];
  const auto append = [&](Mark mark, const Box& box) {
    const Index bytes = Index(sizeof(Listed)) + axes * Index(sizeof(Range));
    Listed* listed = new (scratch.take<char>(bytes)) Listed{nullptr, box.loss};
    std::copy_n(box.axis, axes, listed->axis());
    *end[mark] = listed;
    end[mark] = &listed->next;
  };
  const auto append_weak = [&](const Box& box) { append(kWeak, box); };
  Boxes boxes(p_, append_weak);
  for_each([&](const Box& box, Mark mark) {
    if (mark == kWeak) return boxes.add(box);
    append(mark, box);
  });
  boxes.finish();
}

void Survey::for_each_part(Listed* listed, Redo visit) const {
  Leading leading;
  Problem q;
  for (; listed; listed = listed->next) {
    if (part(p_, listed->axis(), leading, q)) visit(q);
  }
}

// Of what is hidden few outputs are lost of doubles.
double Survey::macs(Price price) const {
  const double share = of_doubles(p_) ? 0.125 : 1;
  double sum = 0;
  for_each_part(listed_[kWeak], [&](const Problem& q) { sum += price(q); });
  for_each_part(listed_[kHidden], [&](const Problem& q) { sum += share * price(q); });
  return sum;
}

// What means show to be safe is looked at for half the time of a transform.
void Survey::repair(Redo redo, Context& context) const {
  for_each_part(listed_[kWeak], redo);
  Scratch scratch;
  std::optional<Gaps> gaps;
  if (has_gaps_) gaps.emplace(scratch, p_);
  const Gaps* known = gaps ? &*gaps : nullptr;
  for (Listed* box = listed_[kHidden]; box; box = box->next) {
    redo_doubtful(*box, HUGE_VAL, redo, known, context);
  }
  constexpr double kOutput = 64;
  double left = kOutput * double(p_.row_hi - p_.row_lo) * double(p_.col_hi - p_.col_lo);
  for (Listed* box = listed_[kSafe]; box && left > 0; box = box->next) {
    left -= redo_doubtful(*box, left, redo, known, context);
  }
  for_each_part(listed_[kZero], [](const Problem& q) { clear(q); });
  if (known) known->clear();
}

// Calls visit() for each block of a box from this axis on, `block` it.
template <class Visit>
static void for_each_block(const Range* box, const Index* side, int axis, int axes, Range* block,
                           const Visit& visit) {
  if (axis == axes) return visit();
  for (Index i = box[axis].first; i < box[axis].last; i += side[axis]) {
    block[axis] = {i, std::min(i + side[axis], box[axis].last)};
    for_each_block(box, side, axis + 1, axes, block, visit);
  }
}

// What it took, in multiply-adds: no more than `most` and a block.
double Survey::redo_doubtful(const Listed& box, double most, Redo redo, const Gaps* gaps,
                             Context& context) const {
  Leading own, leading;
  const int rows = leading_of(p_, own).count;
  const Grain grain = grain_of(p_);
  Index side[FC_MAX_NDIM];
  Range block[FC_MAX_NDIM];
  std::fill_n(side, rows, grain.rows);
  side[rows] = grain.cols;
  double macs = 0;
  for_each_block(box.axis(), side, 0, rows + 1, block, [&] {
    Problem q;
    if (macs >= most || !part(p_, block, leading, q)) return;
    const Found found = redo_few(p_, block, box.loss, macs_of(q), gaps, context);
    if (!found.few) redo(q);
    macs += found.few ? found.macs : macs_of(q);
  });
  return macs;
}

}  // namespace fastconv
