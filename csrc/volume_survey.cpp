// What a transform would lose (survey.cpp) of pictures and volumes.
//
// Where s follows from the place of an output alone it is, with c_d (profile.cpp) the share that an
// axis gives it,
//
//     s(i) = |a|_1 |v|_1 prod_d c_d(i_d),
//
// as of data that is alike everywhere, or whose axes fade each by itself. It is small where several
// axes have but begun, in corners and along the edges between them. What else is quiet is found
// by blocks: those whose mean of s is far below what their place explains.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <new>

#include "corner.h"
#include "gaps.h"
#include "profile.h"
#include "survey.h"
#include "transforms.h"

namespace fastconv {
namespace {

class VolumeSurvey final : public Survey {
 public:
  VolumeSurvey(Scratch&, const Problem&, const fc_candidate& how, Grain, const Coarse& a,
               const Coarse& v, Context&);

 protected:
  void for_each(Visit) const override;

 private:
  void estimate_means(Scratch&, const Coarse& a, const Coarse& v, Context&);
  void look_around(Scratch&, const Coarse& a);
  void mark_blocks();
  void mark_around(int axis, Index row, const Index* at, Index col);
  void for_each_block(Visit) const;
  Index chunk_of(Index row, Index col) const { return row / tall_ * chunk_cols_ + col / wide_; }
  void for_each_end(int axis, double s, Box&, Visit) const;
  void for_each_corner(Visit) const;
  size_t corners() const { return size_t(2) << leading_; }
  bool find_corner(size_t corner, bool even, Box&) const;
  void look_into_corners(double of_a, double of_v);
  bool is_even(const Operand&, double sum, size_t corner, bool is_a) const;
  Index side_of(int axis, bool even) const;

  const Judge judge_;
  const fc_candidate& how_;
  int leading_;  // axes
  const Grain grain_;
  Index length_[FC_MAX_NDIM], pitch_[FC_MAX_NDIM];                     // of 'full', columns last
  Index blocks_[FC_MAX_NDIM], of_a_[FC_MAX_NDIM], of_v_[FC_MAX_NDIM];  // along each axis
  Index rows_ = 1, cols_;                                              // blocks of outputs
  double products_;                                                    // |a|_1 |v|_1
  double* mean_;                                                       // while it is made
  Index tall_, wide_, chunk_cols_;  // chunks of so many rows, and blocks of columns
  Bound* bound_;                    // of what transforms see that reach into a chunk
  Bound most_;                      // no transform loses more
  Mark* mark_;
  bool marked_ = false;  // else all are safe
  const Profile* profile_;
  double low_[FC_MAX_NDIM], high_[FC_MAX_NDIM];  // of the axes behind one, the share of an output
  double enough_;                                // s that no transform loses
  bool* even_;                                   // by corner
};

// The index of a row of blocks along every leading axis, and its first sample's or output's row.
Index row_of(Index block, const Index* count, const Index* pitch, int leading, Index side,
             Index* at) {
  Index row = 0;
  for (int d = leading - 1; d >= 0; --d) {
    at[d] = block % count[d], block /= count[d];
    row += at[d] * side * pitch[d];
  }
  return row;
}

VolumeSurvey::VolumeSurvey(Scratch& scratch, const Problem& p, const fc_candidate& how, Grain grain,
                           const Coarse& a, const Coarse& v, Context& context)
    : Survey(p), judge_(p, how, v), how_(how), grain_(grain), cols_(a.cols + v.cols) {
  Leading own;
  const Leading& rows = leading_of(p, own);
  leading_ = rows.count;
  for (int d = 0; d < leading_; ++d) {
    const Extent& e = rows.axis[d];
    length_[d] = e.n + e.m - 1, pitch_[d] = rows.pitch[d];
    of_a_[d] = ceil_div(e.n, grain.rows), of_v_[d] = ceil_div(e.m, grain.rows);
    blocks_[d] = of_a_[d] + of_v_[d];
    rows_ *= blocks_[d];
  }
  length_[leading_] = p.cols + p.kw - 1;
  of_a_[leading_] = a.cols, of_v_[leading_] = v.cols, blocks_[leading_] = cols_;
  const auto least = [](fc_dtype dtype) { return is_complex(dtype) ? kLeastShare : 1; };
  products_ = least(p.a_dtype) * a.whole.sum * (least(p.v_dtype) * v.whole.sum);
  mark_ = scratch.take<Mark>(rows_ * cols_);
  profile_ = profiles_of(scratch, p, grain, a, v, context);
  low_[leading_] = high_[leading_] = 1;
  for (int d = leading_; d > 0; --d) {
    low_[d - 1] = low_[d] * profile_[d].low, high_[d - 1] = high_[d] * profile_[d].high;
  }
  even_ = scratch.take<bool>(Index(corners()));
  has_gaps_ = may_have_gaps(p, a);
  look_around(scratch, a);
  // What it judges by is given back.
  Scratch judging;
  estimate_means(judging, a, v, context);
  mark_blocks();
  look_into_corners(a.whole.sum, v.whole.sum);
}

// Mean of s over the outputs that a block's products fall on: half of them before it, along every
// axis.
void VolumeSurvey::estimate_means(Scratch& scratch, const Coarse& a, const Coarse& v,
                                  Context& context) {
  const Index all = rows_ * cols_;
  mean_ = scratch.take<double>(all);
  std::fill_n(mean_, all, 0.0);
  Convolved axis[FC_MAX_NDIM];
  Index step = sizeof(double), a_step = step, v_step = step;
  double share = 1;
  for (int d = leading_; d >= 0; --d) {
    axis[d] = {{of_a_[d], of_v_[d], 0, blocks_[d] - 1}, a_step, v_step, step};
    a_step *= of_a_[d], v_step *= of_v_[d], step *= blocks_[d];
    share /= 2 * double(d == leading_ ? grain_.cols : grain_.rows);
  }
  // A mean of zero is then exact.
  direct_volume({FC_F64, FC_F64, leading_ + 1, axis, reinterpret_cast<const char*>(a.sum),
                 reinterpret_cast<const char*>(v.sum), reinterpret_cast<char*>(mean_)},
                context);
  for (int d = leading_; d >= 0; --d) {
    const Index before = axis[d].out / Index(sizeof(double)), group = before * blocks_[d];
    for (Index g = 0; g < all; g += group) {
      for (Index i = group - 1; i >= before; --i) mean_[g + i] += mean_[g + i - before];
    }
  }
  for (Index i = 0; i < all; ++i) mean_[i] *= share;
}

// Sums over so many chunks before each and behind it, along both axes.
void add_around(const Seen* own, Index rows, Index cols, Index before, Index behind, Seen* sums) {
  Scratch scratch;
  Seen* along = scratch.take<Seen>(rows * cols);
  const auto add = [&](const Seen* from, Index at, Index count, Index step, Seen* to) {
    for (Index i = 0; i < count; ++i) {
      Seen near;
      const Index last = std::min(i + behind, count - 1);
      for (Index k = std::max(i, before) - before; k <= last; ++k) near.add(from[at + k * step]);
      to[at + i * step] = near;
    }
  };
  for (Index i = 0; i < rows; ++i) add(own, i * cols, cols, 1, along);
  for (Index j = 0; j < cols; ++j) add(along, j, rows, cols, sums);
}

// A transform sees less than three chunks of half its length in a row, and the tile that is its
// imaginary part no more than the loudest does. Both lie within two of its lengths on either side,
// but for the last tile of a row and the first of the next.
void VolumeSurvey::look_around(Scratch& scratch, const Coarse& a) {
  const bool whole = how_.method == FC_ONESHOT;
  Index at[FC_MAX_NDIM], span = 1;
  for (int d = 0; d < leading_; ++d) span += (grain_.rows - 1) * pitch_[d];
  const Index last = row_of(rows_ - 1, blocks_, pitch_, leading_, grain_.rows, at);
  tall_ = whole ? last + 1 : ceil_div(how_.block[0] + span, 2);
  wide_ = whole ? cols_ : ceil_div(how_.block[1] + grain_.cols, 2 * grain_.cols);
  const Index rows = last / tall_ + 1, chunks = rows * (chunk_cols_ = ceil_div(cols_, wide_));
  bound_ = scratch.take<Bound>(chunks);
  Scratch local;
  Seen* own = local.take<Seen>(chunks);
  Seen* seen = local.take<Seen>(chunks);
  std::fill_n(own, chunks, Seen());
  for (Index i = 0; i < a.rows; ++i) {
    const Index row = row_of(i, of_a_, pitch_, leading_, grain_.rows, at);
    for (Index j = 0; j < a.cols; j += wide_) {
      own[chunk_of(row, j)].add(a.of(i * a.cols + j, std::min(wide_, a.cols - j)));
    }
  }
  add_around(own, rows, chunk_cols_, 0, 2, seen);
  Seen loudest = loudest_of(seen, chunks);
  if (!whole && !is_complex(result_dtype(p_.a_dtype, p_.v_dtype))) loudest.add(loudest);
  most_ = judge_.bound_from(loudest);
  enough_ = judge_.enough(most_);
  add_around(own, rows, chunk_cols_, 4, 4, seen);
  for (Index i = 0; i < chunks; ++i) {
    bound_[i] = judge_.bound_from(seen[i]);
    bound_[i].loss = std::min(bound_[i].loss, most_.loss);
  }
}

// Blocks whose mean is no less than half of what their place explains are the ends' business.
void VolumeSurvey::mark_blocks() {
  Index at[FC_MAX_NDIM];
  const Index cols = ceil_div(length_[leading_], grain_.cols);
  for (Index i = 0; i < rows_; ++i) {
    const double* mean = mean_ + i * cols_;
    if (*std::min_element(mean, mean + cols) >= enough_) continue;
    const Index row = row_of(i, blocks_, pitch_, leading_, grain_.rows, at);
    double explained = products_;
    bool within = true;
    for (int d = 0; d < leading_; ++d) {
      within &= at[d] * grain_.rows < length_[d];
      explained *= profile_[d].mean[at[d]];
    }
    if (!within) continue;
    for (Index j = 0; j < cols; ++j) {
      if (mean[j] >= enough_ || mean[j] >= 0.5 * explained * profile_[leading_].mean[j]) continue;
      const Bound& bound = bound_[chunk_of(row, j)];
      if (mean[j] > 0 && !judge_.is_weak(mean[j], bound)) continue;
      if (!marked_) memset(mark_, kSafe, size_t(rows_ * cols_));
      marked_ = true;
      Mark& own = mark_[i * cols_ + j];
      if (mean[j] == 0) {
        own = kZero;
      } else {
        mark_around(0, 0, at, j);
        // Below that it is not by chance.
        if (mean[j] < 4 * bound.loss) own = kWeak;
      }
    }
  }
}

// A block's mean hides a quiet half beside a loud one, and the products counted
// in it may all have fallen beside it; a block two away shows either. Zeros stay zeros.
void VolumeSurvey::mark_around(int axis, Index row, const Index* at, Index col) {
  constexpr Index kAround = 2;
  const Index center = axis == leading_ ? col : at[axis];
  const Index last = std::min(center + kAround, blocks_[axis] - 1);
  for (Index b = std::max(center, kAround) - kAround; b <= last; ++b) {
    const Index next = row * blocks_[axis] + b;
    if (axis < leading_) {
      mark_around(axis + 1, next, at, col);
    } else if (mean_[next] != 0 && mark_[next] == kSafe) {
      mark_[next] = kHidden;
    }
  }
}

// Blocks, in planes of the last two axes.
void VolumeSurvey::for_each_block(Visit visit) const {
  Box box;
  Index at[FC_MAX_NDIM];
  const Index rows = blocks_[leading_ - 1];
  for (Index i = 0; i < rows_; i += rows) {
    const Index row = row_of(i, blocks_, pitch_, leading_, grain_.rows, at);
    for_each_rectangle(mark_ + i * cols_, rows, cols_, [&](Range down, Range along, Mark mark) {
      if (mark == kSafe && !of_doubles(p_)) return;
      for (int d = 0; d < leading_ - 1; ++d) {
        box.axis[d] = {at[d] * grain_.rows, (at[d] + 1) * grain_.rows};
      }
      box.axis[leading_ - 1] = {down.first * grain_.rows, down.last * grain_.rows};
      box.axis[leading_] = {along.first * grain_.cols, along.last * grain_.cols};
      box.loss = 0;
      for (Index b = down.first; b < down.last; ++b) {
        for (Index c = along.first; c < along.last; ++c) {
          const Index chunk = chunk_of(row + b * grain_.rows * pitch_[leading_ - 1], c);
          box.loss = std::max(box.loss, bound_[chunk].loss);
        }
      }
      visit(box, mark);
    });
  }
}

// Where s, as far as the axes before this one make it, is too small whatever the others are, all of
// them are taken; of outputs side by side one box.
void VolumeSurvey::for_each_end(int axis, double s, Box& box, Visit visit) const {
  const Profile& p = profile_[axis];
  Range run = {0, 0};
  Mark of_run = kSafe;
  const auto finish = [&](Index first, Index last, Mark mark) {
    if (mark == of_run && run.last == first) {
      run.last = last;
      return;
    }
    if (of_run != kSafe) {
      box.axis[axis] = run;
      for (int d = axis + 1; d <= leading_; ++d) box.axis[d] = {0, length_[d]};
      visit(box, of_run);
    }
    run = {first, last}, of_run = mark;
  };
  for (Index k = 0; k < p.count; ++k) {
    const Segment& part = p.segment[k];
    const double here = s * part.least;
    if (part.least == 0) {
      finish(part.first, part.last, kZero);
    } else if (here * high_[axis] < enough_) {
      finish(part.first, part.last, kWeak);
    } else {
      finish(part.first, part.last, kSafe);
      if (here * low_[axis] >= enough_) continue;
      box.axis[axis] = {part.first, part.last};
      for_each_end(axis + 1, here, box, visit);
    }
  }
  finish(length_[axis], length_[axis], kSafe);
}

// Of those within the window. Bit d of a corner: whether it is at the end of axis d.
void VolumeSurvey::look_into_corners(double of_a, double of_v) {
  const Operand a = signal_of(p_), v = taps_of(p_);
  for (size_t corner = 0; corner < corners(); ++corner) {
    Box box;
    Leading leading;
    Problem within;
    even_[corner] = !find_corner(corner, false, box) || !part(p_, box.axis, leading, within) ||
                    (is_even(v, of_v, corner, false) && is_even(a, of_a, corner, true));
  }
}

// Does s rise in a corner as the axes make expect?
bool VolumeSurvey::is_even(const Operand& x, double sum, size_t corner, bool is_a) const {
  Scratch scratch;
  Index some[FC_MAX_NDIM], side[FC_MAX_NDIM];
  for (int d = 0; d <= leading_; ++d) {
    some[d] = std::min(d == leading_ ? x.cols : x.count[d], side_of(d, false));
    side[d] = side_of(d, true);
    sum *= (is_a ? profile_[d].a_end : profile_[d].v_end)[corner >> d & 1];
  }
  return Corner(scratch, x, corner, some, side).is_even(sum);
}

// Of what is redone in a corner.
Index VolumeSurvey::side_of(int axis, bool even) const {
  if (axis == leading_) return even ? kFewColumns : grain_.cols;
  return even ? ceil_div(grain_.rows, 2) : grain_.rows;
}

// False where the first part is the last one too.
bool VolumeSurvey::find_corner(size_t corner, bool even, Box& box) const {
  bool any = true;
  for (int d = 0; d <= leading_; ++d) {
    const Index length = length_[d], side = side_of(d, even);
    const Index least = std::max(length - side, side_of(d, true));
    box.axis[d] = corner >> d & 1 ? Range{least, length} : Range{0, side};
    any &= box.axis[d].first < box.axis[d].last;
  }
  return any;
}

// A block each, or where the corners of both operands are even a part of one, whatever is expected
// of it: there no other block shows what is quiet or empty.
void VolumeSurvey::for_each_corner(Visit visit) const {
  Box box;
  for (size_t corner = 0; corner < corners(); ++corner) {
    if (find_corner(corner, even_[corner], box)) visit(box, kWeak);
  }
}

void VolumeSurvey::for_each(Visit visit) const {
  if (marked_) for_each_block(visit);
  Box box;
  for_each_end(0, products_, box, visit);
  for_each_corner(visit);
}

}  // namespace

const Survey& survey_of_volume(Scratch& scratch, const Problem& p, const fc_candidate& how,
                               Grain grain, const Coarse& a, const Coarse& v, Context& context) {
  VolumeSurvey* survey = scratch.take<VolumeSurvey>(1);
  new (survey) VolumeSurvey(scratch, p, how, grain, a, v, context);
  survey->list_boxes(scratch);
  return *survey;
}

}  // namespace fastconv
