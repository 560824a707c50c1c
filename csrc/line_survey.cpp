// What a transform would lose (survey.cpp) of lines beside each other, rows or columns: every line
// is judged by itself.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <new>

#include "closer.h"
#include "empty.h"
#include "ends.h"
#include "quiet.h"
#include "surroundings.h"
#include "survey.h"

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

// Multiply-adds' time that looking closer may take, both ends half of it.
double most_looking(double outputs) { return 2e5 + 2 * outputs; }

// Outputs at the two ends of 'full': those that may be lost, and those that no product meets.
struct Edge {
  Index leading = 0, trailing = 0;
  Index empty_leading = 0, empty_trailing = 0;
  Index marked_leading = 0, marked_trailing = 0;  // blocks, to be looked at closer
};

// Outputs of some lines, by their marks.
struct Run {
  Run* next;
  Range lines, outputs;
  Mark mark;
};

class LineSurvey final : public Survey {
 public:
  LineSurvey(Scratch&, const Problem&, const fc_candidate& how, Grain, const Coarse& a,
             const Coarse& v, Context&);

 protected:
  void for_each(Visit) const override;

 private:
  void estimate_means(Scratch&, const Coarse& a, const Coarse& v, Context&);
  double* means_of(Scratch&, const Coarse& a, const double* a_sum, const Coarse& v,
                   const double* v_sum, bool least, Context&) const;
  void mark_blocks(Scratch&, const Coarse& a, const Coarse& v, Context&);
  bool mark_near_end(Index block_row, Index block_col);
  bool may_lose(Index block_row, Index block_col, Bound, const Coarse& a, const Coarse& v,
                LeastSums&) const;
  template <class VisitBlock>
  void near(Index block_row, Index block_col, VisitBlock) const;
  void begin_marks();
  void mark(Index block_row, Index block_col);
  void mark_around(Index block_row, Index block_col);
  void mark_hidden(Index block_row, Index block_col);
  void look_past_end(Index line);
  template <class T>
  void look_at_ends(Context&);
  void find_empty(const Coarse& a);
  Range not_looked_at(Range lines) const;
  void list_runs(Scratch&, Context&);

  const Judge judge_;
  const bool columns_;
  const Index grain_, lines_, end_;  // end_: outputs of 'full'
  const Index rows_, cols_;          // blocks of outputs
  double *mean_, *least_;            // while it is made: least_ where blocks hide what is quiet
  Mark* mark_;
  const Surroundings around_;
  bool marked_ = false;  // else all are safe
  Run* runs_ = nullptr;  // of marks
  Edge* edge_;           // of each line
};

LineSurvey::LineSurvey(Scratch& scratch, const Problem& p, const fc_candidate& how, Grain grain,
                       const Coarse& a, const Coarse& v, Context& context)
    : Survey(p),
      judge_(p, how, v),
      columns_(cols_apart(p)),
      grain_(columns_ ? grain.rows : grain.cols),
      lines_(columns_ ? p.cols : p.rows),
      end_(columns_ ? p.rows + p.kh - 1 : p.cols + p.kw - 1),
      rows_(columns_ ? a.rows + v.rows : a.rows),
      cols_(columns_ ? a.cols : a.cols + v.cols),
      mark_(scratch.take<Mark>(rows_ * cols_)),
      around_(scratch, p, how, judge_, grain_, a, rows_, cols_, context.kernels),
      edge_(scratch.take<Edge>(lines_)) {
  std::fill_n(edge_, lines_, Edge());
  {
    // Means and what they need are given back.
    Scratch judging;
    estimate_means(judging, a, v, context);
    mark_blocks(judging, a, v, context);
    is_single(p.a_dtype) ? look_at_ends<float>(context) : look_at_ends<double>(context);
  }
  find_empty(a);
  if (marked_) list_runs(scratch, context);
}

// Runs of outputs that are not safe, and the edges of 'full'.
void LineSurvey::for_each(Visit visit) const {
  Box box;
  const auto offer = [&](Range rows, Range cols, Mark mark) {
    box.axis[0] = rows, box.axis[1] = cols;
    visit(box, mark);
  };
  for (const Run* run = runs_; run; run = run->next) {
    columns_ ? offer(run->outputs, run->lines, run->mark)
             : offer(run->lines, run->outputs, run->mark);
  }
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

// But for the ends, where all is known that can be, unless more is weak than was looked at.
Range LineSurvey::not_looked_at(Range lines) const {
  Range rest = {kLooked, end_ - kLooked};
  for (Index line = lines.first; line < lines.last; ++line) {
    if (edge_[line].leading >= kLooked) rest.first = 0;
    if (edge_[line].trailing >= kLooked) rest.last = end_;
  }
  return rest;
}

// Of what is weak, and of what is hidden, no more than is weak by blocks of sixteen, as long as
// looking at them takes but a part of the call.
void LineSurvey::list_runs(Scratch& scratch, Context& context) {
  double left = most_looking(double(lines_) * double(end_));
  Run** end = &runs_;
  const auto append = [&](Range lines, Range outputs, Mark mark) {
    *end = new (scratch.take<Run>(1)) Run{nullptr, lines, outputs, mark};
    end = &(*end)->next;
  };
  for_each_rectangle(mark_, rows_, cols_, [&](Range rows, Range cols, Mark mark) {
    const Range lines = columns_ ? cols : rows, blocks = columns_ ? rows : cols;
    const Range outputs = {blocks.first * grain_, std::min(end_, blocks.last * grain_)};
    if (mark == kSafe) return;
    if (mark == kZero) return append(lines, outputs, kZero);
    const Index count = lines.last - lines.first;
    const double look = macs_of_look(p_, count, outputs);
    const bool sooner = look < macs_again(p_, count, outputs);
    if (sooner && look > left && mark == kHidden) return;
    if (!sooner || look > left) return append(lines, outputs, kWeak);
    left -= look;
    Range* weak = scratch.take<Range>(most_ranges(outputs));
    const auto loss = [&](Index line) { return around_.loss_of(line, blocks); };
    const Index ranges =
        look_closer(p_, judge_, lines, outputs, not_looked_at(lines), loss, context, weak);
    for (Index i = 0; i < ranges; ++i) append(lines, weak[i], kWeak);
  });
}

// Blocks of the longer operand that hide a part which is quiet by far count as no louder than that
// in another estimate, by which what lies between loud parts is found: a pause as long as three
// parts and the shorter operand.
void LineSurvey::estimate_means(Scratch& scratch, const Coarse& a, const Coarse& v,
                                Context& context) {
  constexpr double kQuiet = 1.0 / 16;
  const bool of_taps = columns_ ? p_.kh > p_.rows : p_.kw > p_.cols;
  const Coarse& longer = of_taps ? v : a;
  const Index blocks = longer.rows * longer.cols;
  double* quiet = scratch.take<double>(blocks);
  bool hides = false;
  for (Index b = 0; b < blocks; ++b) {
    const bool hidden = longer.least[b] < kQuiet * longer.sum[b];
    quiet[b] = hidden ? longer.least[b] : longer.sum[b];
    hides |= hidden;
  }
  mean_ = least_ = means_of(scratch, a, a.sum, v, v.sum, false, context);
  if (!hides) return;
  least_ = means_of(scratch, a, of_taps ? a.sum : quiet, v, of_taps ? quiet : v.sum, true, context);
}

// Mean of s over the outputs that a block's products fall on, or, for the least, over those of the
// half that has less. The coarse convolution has a border of zeros on the axis that is convolved.
double* LineSurvey::means_of(Scratch& scratch, const Coarse& a, const double* a_sum,
                             const Coarse& v, const double* v_sum, bool least,
                             Context& context) const {
  const Index down = columns_ ? 1 : 0, along = columns_ ? 0 : 1;
  const Index height = rows_ - down, width = cols_ - along, pitch = cols_ + along;
  const double share = 1 / (2 * double(grain_));
  double* mean = scratch.take<double>(rows_ * cols_);
  Scratch own;
  double* sums = own.take<double>((rows_ + down) * pitch);
  if (down) memset(sums, 0, size_t(pitch) * sizeof(double));
  if (down) memset(sums + rows_ * pitch, 0, size_t(pitch) * sizeof(double));
  for (Index i = 0; along && i < height; ++i) sums[i * pitch] = sums[i * pitch + pitch - 1] = 0;
  if (along && v.cols == 1) {
    for (Index i = 0; i < height; ++i) {
      for (Index j = 0; j < width; ++j) sums[i * pitch + 1 + j] = a_sum[i * width + j] * v_sum[0];
    }
  } else {
    Problem q = {};
    q.a_dtype = q.v_dtype = FC_F64;
    q.rows = a.rows, q.cols = a.cols, q.kh = v.rows, q.kw = v.cols;
    q.row_hi = height, q.col_hi = width;
    q.a = reinterpret_cast<const char*>(a_sum), q.a_row = a.cols * 8;
    q.v = reinterpret_cast<const char*>(v_sum), q.v_row = v.cols * 8;
    q.out = reinterpret_cast<char*>(sums + down * pitch + along), q.out_row = pitch * 8;
    direct(q, context);
  }
  for (Index i = 0; i < rows_; ++i) {
    const double* one = sums + i * pitch;
    const double* next = one + (down ? pitch : 1);
    double* to = mean + i * cols_;
    for (Index j = 0; j < cols_; ++j) to[j] = share * (one[j] + next[j]);
    const bool at_end = columns_ && (i == 0 || i == rows_ - 1);
    for (Index j = along; least && !at_end && j < cols_ - along; ++j) {
      to[j] = 2 * share * std::min(one[j], next[j]);
    }
  }
  return mean;
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
  const Index tall = around_.tall, wide = around_.wide;
  for (Index row = 0; row < rows_; row += tall) {
    for (Index col = 0; col < cols_; col += wide) {
      const Index row_end = std::min(rows, row + tall), col_end = std::min(cols, col + wide);
      if (col >= col_end) continue;
      double least = HUGE_VAL;
      for (Index i = row; i < row_end; ++i) {
        least = std::min(least, least_of(least_ + i * cols_ + col, col_end - col));
      }
      if (least >= enough) continue;
      if (least > 0 && !judge_.is_weak(least, around_.most)) {
        enough = least;
        continue;
      }
      begin_marks();
      const Bound bound = around_.at(row, col);
      double safe = HUGE_VAL;
      for (Index i = row; i < row_end; ++i) {
        for (Index j = col; j < col_end; ++j) {
          const Index block = i * cols_ + j;
          if (mean_[block] == 0) mark_[block] = kZero;
          if (least_[block] >= safe) continue;
          if (!judge_.is_weak(least_[block], bound)) {
            safe = least_[block];
          } else if (mark_near_end(i, j)) {
            continue;
          } else if (!judge_.is_weak(mean_[block], bound)) {
            mark_hidden(i, j);
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

// So near that but a part of the shorter operand meets them, blocks will be looked at closer: so
// many that lines which differ little have the same.
bool LineSurvey::mark_near_end(Index i, Index j) {
  const Index block = columns_ ? i : j, count = ceil_div(end_, grain_);
  const Index from_end = std::min(block, count - 1 - block);
  const Index shorter = columns_ ? std::min(p_.rows, p_.kh) : std::min(p_.cols, p_.kw);
  if (from_end * grain_ >= shorter) return false;
  Index some = 8;
  while (some < from_end + 3) some *= 2;
  some = std::min(some, count);
  const bool leading = 2 * block < count;
  Edge& edge = edge_[columns_ ? j : i];
  Index& marked = leading ? edge.marked_leading : edge.marked_trailing;
  if (some <= marked) return true;
  const Index first = leading ? 0 : count - some;
  const Range outputs = {first * grain_, std::min(end_, (first + some) * grain_)};
  const double look = macs_of_look(p_, 1, outputs);
  const bool much = 4 * look > most_looking(double(end_));
  if (much || look > macs_again(p_, 1, outputs)) return false;
  for (Index b = first; b < first + some; ++b) columns_ ? mark(b, j) : mark(i, b);
  marked = some;
  return true;
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

void LineSurvey::begin_marks() {
  if (!marked_) memset(mark_, kSafe, size_t(rows_ * cols_));
  marked_ = true;
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

// A pause may begin in the block before, or end in the next.
void LineSurvey::mark_hidden(Index i, Index j) {
  const Index down = columns_ ? 1 : 0, along = columns_ ? 0 : 1;
  for (const Index k : {-1, 0, 1}) {
    const Index r = i + k * down, c = j + k * along;
    if (r < 0 || c < 0 || r >= rows_ || c >= cols_) continue;
    Mark& mark = mark_[r * cols_ + c];
    if (mark == kSafe) mark = kHidden;
  }
}

// Where no output begins a block of its own for the last products, theirs is hidden in the one
// before, beside what is louder.
void LineSurvey::look_past_end(Index line) {
  const Index last = (columns_ ? rows_ : cols_) - 1, outputs = end_ - (last - 1) * grain_;
  if (outputs > grain_) return;
  const Index i = columns_ ? last : line, j = columns_ ? line : last;
  const double products = 2 * double(grain_) * mean_[i * cols_ + j];
  if (!judge_.is_weak(products / double(outputs), around_.at(i, j))) return;
  begin_marks();
  mark_around(i, j);
}

// ---------------------------------------------------------------------------
// The ends of 'full', where s itself is had

// Most are past all loss by their first taps alone, than whose sums s is no less; and of outputs
// that meet no others those are s.
template <class T>
void LineSurvey::look_at_ends(Context& context) {
  constexpr Index kFirstTaps = 8, kTogether = 128;
  const Index lo = columns_ ? p_.row_lo : p_.col_lo, hi = columns_ ? p_.row_hi : p_.col_hi;
  const Index whole = std::min(grain_, end_), count = std::min(whole, kLooked);
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
        if (double(least_of(s, count)) >= around_.most.loss) continue;
        const double loss = around_.loss_of(line, {at, at + 1});
        Index weak = ends.weak(s, loss);
        if (weak > taps) weak = ends.weak(ends.sums(line, 1, ends.taps(), one[0], one[1]), loss);
        Edge& edge = edge_[line];
        (trailing ? edge.trailing : edge.leading) = weak;
        if (weak < count) continue;
        begin_marks();
        for (const Index b : {at, trailing ? (end_ - whole) / grain_ : 0}) {
          columns_ ? mark(b, line) : mark(line, b);
        }
        if (trailing) look_past_end(line);
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
