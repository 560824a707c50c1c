// What a transform would lose (survey.cpp) of lines beside each other, rows or columns: every line
// is judged by itself.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <new>

#include "empty.h"
#include "quiet.h"
#include "survey.h"
#include "transforms.h"

namespace fastconv {
namespace {

// Four at a time.
template <class T>
T least_of(const T* x, Index count) {
  T least[4] = {x[0], x[0], x[0], x[0]};
  Index i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int k = 0; k < 4; ++k) least[k] = x[i + k] < least[k] ? x[i + k] : least[k];
  }
  for (; i < count; ++i) least[0] = std::min(least[0], x[i]);
  return std::min({least[0], least[1], least[2], least[3]});
}

// Outputs at the two ends of 'full': those that may be lost, and those that no product meets.
struct Edge {
  Index leading = 0, trailing = 0;
  Index empty_leading = 0, empty_trailing = 0;
};

class LineSurvey final : public Survey {
 public:
  LineSurvey(Scratch&, const Problem&, const fc_candidate& how, Grain, const Coarse& a,
             const Coarse& v, Context&);

 protected:
  void for_each(Visit) const override;

 private:
  void estimate_means(Scratch&, const Coarse& a, const Coarse& v, Context&);
  void neighbours(const Coarse& a, double share);
  void look_around(Scratch&, const Coarse& a, Index lanes);
  Bound bound_of(Index chunk_row, Index chunk_col) const;
  void mark_blocks(Scratch&, const Coarse& a, const Coarse& v, Context&);
  bool may_lose(Index block_row, Index block_col, Bound, const Coarse& a, const Coarse& v,
                LeastSums&) const;
  template <class VisitBlock>
  void near(Index block_row, Index block_col, VisitBlock) const;
  void mark(Index block_row, Index block_col);
  void mark_around(Index block_row, Index block_col);
  void look_past_end(Index line);
  template <class T>
  void look_at_ends(Context&);
  void find_empty(const Coarse& a);

  const fc_candidate& how_;
  const Judge judge_;
  const bool columns_;
  const Index grain_, lines_, end_;  // end_: outputs of 'full'
  const Index rows_, cols_;          // blocks of outputs
  double* mean_;                     // this, seen_ and line_ while it is made
  // Chunks of so many blocks: what a transform sees lies in one and those around it.
  Index tall_, wide_, chunk_rows_, chunk_cols_;
  Seen* seen_;
  Seen* line_ = nullptr;  // of whole rows, where two may ride in one transform
  Index group_ = 1;       // columns that may
  Bound most_;            // no block has more of either
  Mark* mark_;
  bool marked_ = false;  // else all are safe
  Edge* edge_;           // of each line
};

LineSurvey::LineSurvey(Scratch& scratch, const Problem& p, const fc_candidate& how, Grain grain,
                       const Coarse& a, const Coarse& v, Context& context)
    : Survey(p),
      how_(how),
      judge_(p, how, v),
      columns_(cols_apart(p)),
      grain_(columns_ ? grain.rows : grain.cols),
      lines_(columns_ ? p.cols : p.rows),
      end_(columns_ ? p.rows + p.kh - 1 : p.cols + p.kw - 1),
      rows_(columns_ ? a.rows + v.rows : a.rows),
      cols_(columns_ ? a.cols : a.cols + v.cols) {
  mark_ = scratch.take<Mark>(rows_ * cols_);
  edge_ = scratch.take<Edge>(lines_);
  // What it judges by is given back.
  Scratch judging;
  estimate_means(judging, a, v, context);
  look_around(judging, a, context.kernels.spectral[!is_single(p.a_dtype)].lanes);
  mark_blocks(judging, a, v, context);
  is_single(p.a_dtype) ? look_at_ends<float>(context) : look_at_ends<double>(context);
  find_empty(a);
}

// Rectangles of blocks that are not safe, and the edges of 'full'.
void LineSurvey::for_each(Visit visit) const {
  Box box;
  const auto offer = [&](Range rows, Range cols, Mark mark) {
    box.axis[0] = rows, box.axis[1] = cols;
    visit(box, mark);
  };
  const Index tall = columns_ ? grain_ : 1, wide = columns_ ? 1 : grain_;
  const auto blocks = [&](Range rows, Range cols, Mark mark) {
    offer({rows.first * tall, rows.last * tall}, {cols.first * wide, cols.last * wide}, mark);
  };
  if (marked_) for_each_rectangle(mark_, rows_, cols_, blocks);
  // Of lines that are alike, as many of these outputs as `most`, the innermost.
  const auto ends = [&](Index Edge::* leading, Index Edge::* trailing, Mark mark, Index most) {
    for (Index i = 0, last; i < lines_; i = last) {
      const Index before = edge_[i].*leading, behind = end_ - edge_[i].*trailing;
      for (last = i + 1; last < lines_ && edge_[last].*leading == before &&
                         end_ - edge_[last].*trailing == behind;) {
        ++last;
      }
      for (const Range end : {Range{std::max<Index>(0, before - most), before},
                              Range{behind, std::min(end_, behind + most)}}) {
        if (end.first == end.last) continue;
        columns_ ? offer(end, {i, last}, mark) : offer({i, last}, end, mark);
      }
    }
  };
  ends(&Edge::leading, &Edge::trailing, kWeak, end_);
  // Further out there are whole blocks of zeros.
  ends(&Edge::empty_leading, &Edge::empty_trailing, kZero, 2 * grain_);
}

// Mean of s over the outputs that a block's products fall on. The coarse convolution has a
// border of zeros on the axis that is convolved.
void LineSurvey::estimate_means(Scratch& scratch, const Coarse& a, const Coarse& v,
                                Context& context) {
  const Index down = columns_ ? 1 : 0, along = columns_ ? 0 : 1;
  const Index height = rows_ - down, width = cols_ - along, pitch = cols_ + along;
  const double share = 1 / (2 * double(grain_));
  mean_ = scratch.take<double>(rows_ * cols_);
  if (along && v.cols == 1) return neighbours(a, share * v.sum[0]);
  Scratch own;
  double* sums = own.take<double>((rows_ + down) * pitch);
  if (down) memset(sums, 0, size_t(pitch) * sizeof(double));
  if (down) memset(sums + rows_ * pitch, 0, size_t(pitch) * sizeof(double));
  for (Index i = 0; along && i < height; ++i) sums[i * pitch] = sums[i * pitch + pitch - 1] = 0;
  Problem q = {};
  q.a_dtype = q.v_dtype = FC_F64;
  q.rows = a.rows, q.cols = a.cols, q.kh = v.rows, q.kw = v.cols;
  q.row_hi = height, q.col_hi = width;
  q.a = reinterpret_cast<const char*>(a.sum), q.a_row = a.cols * 8;
  q.v = reinterpret_cast<const char*>(v.sum), q.v_row = v.cols * 8;
  q.out = reinterpret_cast<char*>(sums + down * pitch + along), q.out_row = pitch * 8;
  direct(q, context);
  for (Index i = 0; i < rows_; ++i) {
    const double* one = sums + i * pitch;
    const double* next = one + (down ? pitch : 1);
    for (Index j = 0; j < cols_; ++j) mean_[i * cols_ + j] = share * (one[j] + next[j]);
  }
}

// The same of rows under a kernel of one block.
void LineSurvey::neighbours(const Coarse& a, double share) {
  for (Index i = 0; i < rows_; ++i) {
    const double* sum = a.sum + i * a.cols;
    double* mean = mean_ + i * cols_;
    mean[0] = share * sum[0], mean[a.cols] = share * sum[a.cols - 1];
    for (Index j = 1; j < a.cols; ++j) mean[j] = share * (sum[j - 1] + sum[j]);
  }
}

// A transform sees the blocks within two of its lengths on either side.
void LineSurvey::look_around(Scratch& scratch, const Coarse& a, Index lanes) {
  const bool whole = how_.method == FC_ONESHOT;
  const auto reach = [&](Index blocks) {
    return whole ? blocks : 2 * ceil_div(2 * how_.block[0] * how_.block[1], grain_);
  };
  tall_ = columns_ ? reach(rows_) : 1;
  wide_ = columns_ ? 1 : reach(cols_);
  chunk_rows_ = ceil_div(rows_, tall_), chunk_cols_ = ceil_div(cols_, wide_);
  const Index chunks = chunk_rows_ * chunk_cols_;
  Seen* part = scratch.take<Seen>(chunks);
  std::fill_n(part, chunks, Seen());
  for (Index i = 0; i < a.rows; ++i) {
    for (Index j = 0; j < a.cols; j += wide_) {
      part[i / tall_ * chunk_cols_ + j / wide_].add(
          a.of(i * a.cols + j, std::min(wide_, a.cols - j)));
    }
  }
  const Index down = columns_ ? 1 : 0, along = columns_ ? 0 : 1;
  // One chunk a line has nothing around it.
  const bool alone = (columns_ ? chunk_rows_ : chunk_cols_) == 1;
  seen_ = alone ? part : scratch.take<Seen>(chunks);
  for (Index i = 0; !alone && i < chunk_rows_; ++i) {
    for (Index j = 0; j < chunk_cols_; ++j) {
      Seen near;
      for (Index r = std::max(i, down) - down; r <= i + down && r < chunk_rows_; ++r) {
        for (Index c = std::max(j, along) - along; c <= j + along && c < chunk_cols_; ++c) {
          near.add(part[r * chunk_cols_ + c]);
        }
      }
      seen_[i * chunk_cols_ + j] = near;
    }
  }
  Seen loudest = loudest_of(seen_, chunks), other;
  if (!whole && !is_complex(result_dtype(p_.a_dtype, p_.v_dtype))) {
    if (columns_) group_ = 2 * lanes, other = loudest;
    if (!columns_ && rows_ > 1) {
      line_ = alone ? part : scratch.take<Seen>(rows_);
      for (Index i = 0; !alone && i < rows_; ++i) {
        line_[i] = Seen();
        for (Index j = 0; j < chunk_cols_; ++j) line_[i].add(part[i * chunk_cols_ + j]);
      }
      other = loudest_of(line_, rows_);
    }
  }
  most_ = judge_.bound_from({loudest.sum + other.sum, loudest.energy + other.energy, loudest.top});
}

// A transform sees, packed as re and im, another line too: a neighbour, or of columns one
// of the group that fills the lanes. Where that one is the louder by much the two are
// balanced (transforms.h), so that more of it is never seen.
Bound LineSurvey::bound_of(Index chunk_row, Index chunk_col) const {
  Seen own = seen_[chunk_row * chunk_cols_ + chunk_col], other;
  const double points = double(how_.block[0]) * double(how_.block[1]);
  const auto meet = [&](const Seen& s) {
    other.sum = std::max(other.sum, s.sum);
    other.energy = std::max(other.energy, s.energy);
  };
  if (line_) {
    // A block with its neighbour in the order of all blocks of all rows.
    const Index outputs = Index(points) - p_.kw + 1;
    const Index odd = ceil_div(p_.col_hi - p_.col_lo, outputs) % 2;
    if (chunk_row * odd % 2 == 1) meet(line_[chunk_row - 1]);
    if ((chunk_row + 1) * odd % 2 == 1 && chunk_row + 1 < rows_) meet(line_[chunk_row + 1]);
  } else if (group_ > 1) {
    const Index from = chunk_col / group_ * group_;
    for (Index c = from; c < from + group_ && c < chunk_cols_; ++c) {
      if (c != chunk_col) meet(seen_[chunk_row * chunk_cols_ + c]);
    }
  }
  const double most = kUnbalanced * kUnbalanced * own.energy;
  own.sum += std::min(other.sum, sqrt(points * most));
  own.energy += std::min(other.energy, most);
  return judge_.bound_from(own);
}

// Of a chunk whose least mean holds against the most that any transform loses no block is
// weak, nor are those of another that has no lower one: few blocks are looked at singly.
void LineSurvey::mark_blocks(Scratch& scratch, const Coarse& a, const Coarse& v, Context& context) {
  const Row taps = columns_ ? Row{p_.v_dtype, p_.v, p_.v_row, p_.kh}
                            : Row{p_.v_dtype, p_.v, kItemSize[p_.v_dtype], p_.kw};
  LeastSums sums(scratch, taps, columns_ ? p_.rows : p_.cols, grain_, context);
  const Index rows = columns_ ? ceil_div(end_, grain_) : rows_;
  const Index cols = columns_ ? cols_ : ceil_div(end_, grain_);
  double enough = HUGE_VAL;
  for (Index ci = 0; ci < chunk_rows_; ++ci) {
    for (Index cj = 0; cj < chunk_cols_; ++cj) {
      const Index row_end = std::min(rows, (ci + 1) * tall_);
      const Index col = cj * wide_, col_end = std::min(cols, col + wide_);
      if (col >= col_end) continue;
      double least = HUGE_VAL;
      for (Index i = ci * tall_; i < row_end; ++i) {
        least = std::min(least, least_of(mean_ + i * cols_ + col, col_end - col));
      }
      if (least >= enough) continue;
      if (least > 0 && !judge_.is_weak(least, most_)) {
        enough = least;
        continue;
      }
      if (!marked_) memset(mark_, kSafe, size_t(rows_ * cols_));
      marked_ = true;
      const Bound bound = bound_of(ci, cj);
      double safe = HUGE_VAL;
      for (Index i = ci * tall_; i < row_end; ++i) {
        for (Index j = col; j < col_end; ++j) {
          const double mean = mean_[i * cols_ + j];
          if (mean == 0) mark_[i * cols_ + j] = kZero;
          if (mean >= safe) continue;
          if (!judge_.is_weak(mean, bound)) {
            safe = mean;
          } else if (may_lose(i, j, bound, a, v, sums)) {
            mark_around(i, j);
          } else {
            // What it does not hide, those around it may.
            near(i, j, [&](Index r, Index c) {
              if (may_lose(r, c, bound, a, v, sums)) mark(r, c);
            });
          }
        }
      }
    }
  }
}

// By what falls there alone: where a kernel fades, the largest product is less by far than where
// its peak meets the loudest sample. The mean then counts for no more than the least it may hide.
bool LineSurvey::may_lose(Index i, Index j, Bound bound, const Coarse& a, const Coarse& v,
                          LeastSums& sums) const {
  const Index b = columns_ ? i : j, step = columns_ ? cols_ : 1;
  const Index of_a = columns_ ? a.rows : a.cols, of_v = v.rows * v.cols;
  const double mean = mean_[i * cols_ + j];
  if (b * grain_ >= end_) return false;
  // Whatever falls there.
  if (mean < 2 * bound.loss) return true;
  const double* top = a.top + (columns_ ? j : i * a.cols);
  bound.term = 0;
  for (Index c = std::max<Index>(b - of_a, 0); c < std::min(of_v, b + 1); ++c) {
    const double before = b - c > 0 ? top[(b - c - 1) * step] : 0;
    const double here = b - c < of_a ? top[(b - c) * step] : 0;
    bound.term = std::max(bound.term, std::max(before, here) * v.top[c]);
  }
  if (judge_.is_weak(mean, bound)) return true;
  const Index item = a_step(p_);
  sums.turn_to(columns_ ? Row{p_.a_dtype, p_.a + j * item, p_.a_row, p_.rows}
                        : Row{p_.a_dtype, p_.a + i * p_.a_row, item, p_.cols});
  const double least = sums.of_block(b);
  bound.loss *= std::max(mean / least, 1.0);
  return least == 0 || judge_.is_weak(mean, bound);
}

// The blocks two away at most, along the line.
template <class VisitBlock>
void LineSurvey::near(Index i, Index j, VisitBlock visit) const {
  const Index down = columns_ ? 2 : 0, along = columns_ ? 0 : 2;
  for (Index r = std::max(i, down) - down; r < rows_ && r <= i + down; ++r) {
    for (Index c = std::max(j, along) - along; c < cols_ && c <= j + along; ++c) visit(r, c);
  }
}

// Zeros stay zeros.
void LineSurvey::mark(Index i, Index j) {
  if (mean_[i * cols_ + j] != 0) mark_[i * cols_ + j] = kWeak;
}

// A block's mean hides a quiet half beside a loud one, and the products counted
// in it may all have fallen beside it; a block two away shows either.
void LineSurvey::mark_around(Index i, Index j) {
  near(i, j, [&](Index r, Index c) { mark(r, c); });
}

// Where no output begins a block of its own for the last products, theirs is hidden in the one
// before, beside what is louder.
void LineSurvey::look_past_end(Index line) {
  const Index last = (columns_ ? rows_ : cols_) - 1, outputs = end_ - (last - 1) * grain_;
  if (outputs > grain_) return;
  const Index i = columns_ ? last : line, j = columns_ ? line : last;
  const double products = 2 * double(grain_) * mean_[i * cols_ + j];
  if (!judge_.is_weak(products / double(outputs), bound_of(i / tall_, j / wide_))) return;
  if (!marked_) memset(mark_, kSafe, size_t(rows_ * cols_));
  marked_ = true;
  mark_around(i, j);
}

// ---------------------------------------------------------------------------
// The ends of 'full', where s itself is had

// Of a complex number no more than |x|, and at least 0.92 of it: hypot takes ten times as long.
template <class T>
T magnitude(const T* x, bool complex) {
  const T re = std::fabs(x[0]), im = complex ? std::fabs(x[1]) : 0;
  return complex ? std::max({re, im, (re + im) * T(kLeastShare)}) : re;
}

template <class T>
void magnitudes_as(const char* at, Index step, Index count, bool complex, T* to) {
  const T* x = reinterpret_cast<const T*>(at);
  if (!complex && step == sizeof(T)) {
    for (Index i = 0; i < count; ++i) to[i] = fabs(x[i]);
    return;
  }
  for (Index i = 0; i < count; ++i, at += step) {
    to[i] = magnitude(reinterpret_cast<const T*>(at), complex);
  }
}

// Where s has not recovered by as far as the ends are looked at, the whole first block is redone.
// One end of lines beside each other: |a| and |v| of the first `count` outputs from there.
template <class T>
class Ends {
 public:
  Ends(const Problem& p, bool trailing, Index count, Context& context)
      : p_(p),
        columns_(cols_apart(p)),
        trailing_(trailing),
        count_(count),
        n_(columns_ ? p.rows : p.cols),
        m_(columns_ ? p.kh : p.kw),
        samples_(std::min(count, n_)),
        context_(context) {}

  Index taps() const { return std::min(count_, m_); }
  Index pitch(Index taps) const { return count_ + taps - 1; }

  // s of some lines as far as so many taps make it, a pitch apart. The lines lie in one, with
  // zeros between.
  const T* sums(Index line, Index lines, Index taps, T* a, T* s) const {
    const Index a_item = a_step(p_), v_item = kItemSize[p_.v_dtype];
    const Index step = columns_ ? p_.a_row : a_item, next = columns_ ? a_item : p_.a_row;
    const Index tap_step = columns_ ? p_.v_row : v_item, all = lines * pitch(taps);
    const char* first = p_.a + line * next + (trailing_ ? n_ - samples_ : 0) * step;
    T v[kLooked];
    magnitudes_as<T>(p_.v + (trailing_ ? m_ - taps : 0) * tap_step, tap_step, taps,
                     is_complex(p_.v_dtype), v);
    std::fill_n(a, all, T(0));
    T* to = a + (trailing_ ? count_ - samples_ : taps - 1);
    for (Index l = 0; l < lines; ++l, to += pitch(taps), first += next) {
      magnitudes_as<T>(first, step, samples_, is_complex(p_.a_dtype), to);
    }
    first_sums(a, all, v, taps, s, all, context_);
    return s + taps - 1;
  }

  // Outputs up to the last that falls short.
  Index weak(const T* s, double loss) const {
    Index weak = 0;
    for (Index i = 0; i < count_; ++i) {
      if (double(s[trailing_ ? count_ - 1 - i : i]) < loss) weak = i + 1;
    }
    return weak;
  }

 private:
  const Problem& p_;
  const bool columns_, trailing_;
  const Index count_, n_, m_, samples_;
  Context& context_;
};

// Most are past all loss by their first taps alone, than whose sums s is no less; and of outputs
// that meet no others those are s.
template <class T>
void LineSurvey::look_at_ends(Context& context) {
  constexpr Index kFirstTaps = 8, kTogether = 128;
  const Index lo = columns_ ? p_.row_lo : p_.col_lo, hi = columns_ ? p_.row_hi : p_.col_hi;
  const Index whole = std::min(grain_, end_), count = std::min(whole, kLooked);
  std::fill_n(edge_, lines_, Edge());
  for (const bool trailing : {false, true}) {
    // What lies past the end tells of the two blocks before it as well.
    if (trailing ? hi <= end_ - 3 * grain_ : lo >= whole) continue;
    const Ends<T> ends(p_, trailing, count, context);
    const Index at = trailing ? (end_ - 1) / grain_ : 0, taps = std::min(ends.taps(), kFirstTaps);
    const Index room = std::min(lines_, kTogether) * ends.pitch(taps);
    T one[2][2 * kLooked];
    Scratch scratch;
    T* a = scratch.take<T>(room);
    T* sums = scratch.take<T>(room);
    for (Index first = 0; first < lines_; first += kTogether) {
      const Index last = std::min(lines_, first + kTogether);
      const T* s = ends.sums(first, last - first, taps, a, sums);
      for (Index line = first; line < last; ++line, s += ends.pitch(taps)) {
        if (double(least_of(s, count)) >= most_.loss) continue;
        const double loss =
            (columns_ ? bound_of(at / tall_, line) : bound_of(line, at / wide_)).loss;
        Index weak = ends.weak(s, loss);
        if (weak > taps) weak = ends.weak(ends.sums(line, 1, ends.taps(), one[0], one[1]), loss);
        Edge& edge = edge_[line];
        (trailing ? edge.trailing : edge.leading) = weak == count ? whole : weak;
        if (trailing && weak == count) look_past_end(line);
      }
    }
  }
}

// Zeros that stand before or behind all else, as those that one pads with. Silent blocks are
// stepped over.
void LineSurvey::find_empty(const Coarse& a) {
  const Index n = columns_ ? p_.rows : p_.cols, m = columns_ ? p_.kh : p_.kw;
  const Index a_item = a_step(p_), v_item = kItemSize[p_.v_dtype];
  const Index step = columns_ ? p_.a_row : a_item, next = columns_ ? a_item : p_.a_row;
  const Index tap = columns_ ? p_.v_row : v_item, blocks = columns_ ? a.rows : a.cols;
  for (const bool from_last : {false, true}) {
    const Index of_taps = zeros(p_.v_dtype, p_.v, tap, m, from_last);
    for (Index line = 0; line < lines_; ++line) {
      const double* sum = a.sum + (columns_ ? line : line * blocks);
      const auto silent = [&](Index b) { return sum[b * (columns_ ? cols_ : 1)] == 0; };
      Index first = 0, last = blocks;
      while (!from_last && first < last && silent(first)) ++first;
      while (from_last && first < last && silent(last - 1)) --last;
      const Index from = std::min(n, first * grain_), some = std::min(n, last * grain_) - from;
      const char* x = p_.a + line * next + from * step;
      const Index skipped = from_last ? n - from - some : from;
      const Index empty = of_taps + skipped + zeros(p_.a_dtype, x, step, some, from_last);
      Edge& edge = edge_[line];
      (from_last ? edge.empty_trailing : edge.empty_leading) = std::min(end_, empty);
    }
  }
}

}  // namespace

const Survey& survey_of_lines(Scratch& scratch, const Problem& p, const fc_candidate& how,
                              Grain grain, const Coarse& a, const Coarse& v, Context& context) {
  LineSurvey* survey = scratch.take<LineSurvey>(1);
  new (survey) LineSurvey(scratch, p, how, grain, a, v, context);
  survey->list_boxes(scratch);
  return *survey;
}

}  // namespace fastconv
