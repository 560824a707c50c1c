// What a transform would lose, found before it is made and redone directly after.
//
// A transform of N points spreads its error evenly over the outputs. It is below
//
//     u (14 log2 N + 12) ||a||_2 ||v||_2                                     always,
//     8 u sqrt(log2 N / N) min(||a||_1 ||v||_2, ||a||_2 ||v||_1) = E         in practice
//
// (norms of what the transform sees; the second takes rounding errors for
// independent: ||A V||_2 <= max |A| ||V||_2 <= ||a||_1 sqrt(N) ||v||_2, whose relative
// error of 0.6 u sqrt(log2 N) rms is shared by N outputs; 8 leaves 13 sigma). Direct
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
// again directly. At the ends of 'full', where s rises from a single product, the
// sums of whole rows and columns are taken output by output (edges.cpp).
//
// Most data has no such place, and that is soon proven: a chunk of blocks is safe where its
// least mean exceeds the greatest E / tol of any transform. Only of others is every block
// held against the E of the transforms around it.
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
#include <initializer_list>

#include "transforms.h"

namespace fastconv {
namespace {

constexpr double kLogTwo = 0.69314718055994530942, kLogHundred = 4.60517018598809136804;

// The most of each.
Seen loudest_of(const Seen* seen, Index count) {
  Seen most;
  for (Index i = 0; i < count; ++i) {
    most = {std::max(most.sum, seen[i].sum), std::max(most.energy, seen[i].energy),
            std::max(most.top, seen[i].top)};
  }
  return most;
}

// Cuts an axis to the samples and taps that its window reads.
void trim(Index& n, Index& m, Index& lo, Index& hi, Index& first_sample, Index& first_tap) {
  first_tap = lo > n - 1 ? lo - (n - 1) : 0;
  first_sample = lo > m - 1 ? lo - (m - 1) : 0;
  const Index last_tap = hi < m ? hi : m, last_sample = hi < n ? hi : n;
  m = last_tap - first_tap;
  n = last_sample - first_sample;
  lo -= first_tap + first_sample;
  hi -= first_tap + first_sample;
}

// The sub-problem of a window within p's.
Problem part(const Problem& p, const Window& w) {
  Problem q = p;
  const Index item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  // A scan has no result.
  q.out += p.out ? (w.row_lo - p.row_lo) * p.out_row + (w.col_lo - p.col_lo) * item : 0;
  q.row_lo = w.row_lo, q.row_hi = w.row_hi, q.col_lo = w.col_lo, q.col_hi = w.col_hi;
  Index row, col, tap_row, tap_col;
  trim(q.rows, q.kh, q.row_lo, q.row_hi, row, tap_row);
  trim(q.cols, q.kw, q.col_lo, q.col_hi, col, tap_col);
  q.a += row * p.a_row + col * kItemSize[p.a_dtype];
  q.v += tap_row * p.v_row + tap_col * kItemSize[p.v_dtype];
  return q;
}

}  // namespace

double macs_of(const Problem& p) {
  return double(p.row_hi - p.row_lo) * double(p.col_hi - p.col_lo) * double(p.kh) * double(p.kw);
}

Window intersect(Window a, const Problem& p) {
  return {a.row_lo > p.row_lo ? a.row_lo : p.row_lo, a.row_hi < p.row_hi ? a.row_hi : p.row_hi,
          a.col_lo > p.col_lo ? a.col_lo : p.col_lo, a.col_hi < p.col_hi ? a.col_hi : p.col_hi};
}

Survey::Survey(Scratch& scratch, const Problem& p, const fc_candidate& how, Grain grain,
               const Coarse& a, const Coarse& v, Context& context)
    : p_(p),
      how_(how),
      grain_(grain),
      rows_(rows_apart() ? a.rows : a.rows + v.rows),
      cols_(cols_apart() ? a.cols : a.cols + v.cols),
      v_peak_(v.whole.top) {
  taps_ = double(p.kh) * double(p.kw);
  log_taps_ = log(taps_);
  // of a line
  log_outputs_ =
      kLogHundred + log(double(rows_apart() ? 1 : height()) * double(cols_apart() ? 1 : width()));
  const double unit = is_single(p.a_dtype) ? 0x1p-24 / 0x1p-8 : 0x1p-53 / 0x1p-30;
  const double points = double(how.block[0]) * double(how.block[1]), depth = log2(points);
  const double usual = 8 * unit * sqrt(depth / points), v_norm = sqrt(v.whole.energy);
  by_norm_ = std::min(unit * (14 * depth + 12) * v_norm, usual * v.whole.sum);
  by_sum_ = usual * v_norm;
  mark_ = scratch.take<Mark>(rows_ * cols_);
  if (lines_apart()) line_edge_ = scratch.take<Edge>(rows_apart() ? p.rows : p.cols);
  // What it judges by is given back.
  Scratch judging;
  estimate_means(judging, a, v, context);
  look_around(judging, a, context.kernels.spectral[!is_single(p.a_dtype)].lanes);
  mark_blocks();
  if (lines_apart()) {
    is_single(p.a_dtype) ? edges_of_lines<float>(context) : edges_of_lines<double>(context);
  } else {
    edge_rows_ = edge_of(true, context);
    edge_cols_ = edge_of(false, context);
  }
}

// One past the last of the like marks of a row that begin with this one, or j where they began
// before.
Index Survey::end_of_run(Index i, Index j) const {
  const Mark* mark = mark_ + i * cols_;
  if (j > 0 && mark[j - 1] == mark[j]) return j;
  Index end = j + 1;
  while (end < cols_ && mark[end] == mark[j]) ++end;
  return end;
}

bool Survey::same_run(Index i, Index j, Index end, Mark mark) const {
  return mark_[i * cols_ + j] == mark && end_of_run(i, j) == end;
}

// Calls visit(window, mark) for rectangles of blocks that are not safe, cut to the
// problem's window, and for the edges of 'full'.
template <class Visit>
void Survey::for_each(Visit visit) const {
  const auto offer = [&](const Window& w, Mark mark) {
    const Window cut = intersect(w, p_);
    if (!cut.empty()) visit(cut, mark);
  };
  for (Index i = 0; marked_ && i < rows_; ++i) {
    for (Index j = 0, end; j < cols_; j = end) {
      const Mark mark = mark_[i * cols_ + j];
      end = end_of_run(i, j);
      if (mark == kSafe || (i > 0 && same_run(i - 1, j, end, mark))) continue;
      Index last = i + 1;
      while (last < rows_ && same_run(last, j, end, mark)) ++last;
      offer({i * grain_.rows, last * grain_.rows, j * grain_.cols, end * grain_.cols}, mark);
    }
  }
  if (line_edge_) {
    const Index lines = rows_apart() ? p_.rows : p_.cols;
    const auto same = [](const Edge& x, const Edge& y) {
      return x.leading == y.leading && x.trailing == y.trailing;
    };
    for (Index i = 0, end; i < lines; i = end) {
      const Edge& edge = line_edge_[i];
      for (end = i + 1; end < lines && same(line_edge_[end], edge);) ++end;
      if (rows_apart()) {
        offer({i, end, 0, edge.leading}, kWeak);
        offer({i, end, width() - edge.trailing, width()}, kWeak);
      } else {
        offer({0, edge.leading, i, end}, kWeak);
        offer({height() - edge.trailing, height(), i, end}, kWeak);
      }
    }
    return;
  }
  const Index top = edge_rows_.leading, bottom = height() - edge_rows_.trailing;
  const Index left = edge_cols_.leading, right = width() - edge_cols_.trailing;
  offer({0, top, 0, width()}, kWeak);
  offer({bottom, height(), 0, width()}, kWeak);
  offer({0, height(), 0, left}, kWeak);
  offer({0, height(), right, width()}, kWeak);
  // Corners, where both axes have but begun.
  for (const Index r : {Index(0), height() - grain_.rows}) {
    for (const Index c : {Index(0), width() - grain_.cols}) {
      offer({r, r + grain_.rows, c, c + grain_.cols}, kWeak);
    }
  }
}

// Mean of s over the outputs that a block's products fall on. The coarse convolution has a
// border of zeros on every axis that is convolved.
void Survey::estimate_means(Scratch& scratch, const Coarse& a, const Coarse& v, Context& context) {
  const Index down = rows_apart() ? 0 : 1, along = cols_apart() ? 0 : 1;
  const Index height = rows_ - down, width = cols_ - along, pitch = cols_ + along;
  mean_ = scratch.take<double>(rows_ * cols_);
  Scratch own;
  double* sums = own.take<double>((rows_ + down) * pitch);
  if (down) memset(sums, 0, size_t(pitch) * sizeof(double));
  if (down) memset(sums + rows_ * pitch, 0, size_t(pitch) * sizeof(double));
  for (Index i = down; along && i < height + down; ++i) {
    sums[i * pitch] = sums[i * pitch + pitch - 1] = 0;
  }
  double* first = sums + down * pitch + along;
  if (v.rows * v.cols == 1) {
    for (Index i = 0; i < height; ++i) {
      for (Index j = 0; j < width; ++j) first[i * pitch + j] = a.sum[i * width + j] * v.sum[0];
    }
  } else {
    Problem q = {};
    q.a_dtype = q.v_dtype = FC_F64;
    q.rows = a.rows, q.cols = a.cols, q.kh = v.rows, q.kw = v.cols;
    q.row_hi = height, q.col_hi = width;
    q.a = reinterpret_cast<const char*>(a.sum), q.a_row = a.cols * 8;
    q.v = reinterpret_cast<const char*>(v.sum), q.v_row = v.cols * 8;
    q.out = reinterpret_cast<char*>(first), q.out_row = pitch * 8;
    direct(q, context);
  }
  const double share =
      1 / (double(down ? 2 * grain_.rows : 1) * double(along ? 2 * grain_.cols : 1));
  for (Index i = 0; i < rows_; ++i) {
    const double* above = sums + i * pitch;
    const double* below = above + down * pitch;
    double* mean = mean_ + i * cols_;
    if (!down) {
      for (Index j = 0; j < cols_; ++j) mean[j] = share * (above[j] + above[j + 1]);
    } else if (!along) {
      for (Index j = 0; j < cols_; ++j) mean[j] = share * (above[j] + below[j]);
    } else {
      for (Index j = 0; j < cols_; ++j) {
        mean[j] = share * (above[j] + above[j + 1] + below[j] + below[j + 1]);
      }
    }
  }
}

// E / tol of the head comment, of a transform that sees this much of a.
Survey::Bound Survey::bound_from(const Seen& seen) const {
  return {std::min(by_norm_ * sqrt(seen.energy), by_sum_ * seen.sum), seen.top};
}

// A transform sees the blocks within two of its lengths on either side.
void Survey::look_around(Scratch& scratch, const Coarse& a, Index lanes) {
  const bool whole = how_.method == FC_ONESHOT;
  const auto reach = [&](Index length, Index grain, Index blocks) {
    return whole ? blocks : (lines_apart() ? 2 : 1) * ceil_div(2 * length, grain);
  };
  const Index length = how_.block[0] * how_.block[1];
  tall_ = rows_apart() ? 1 : reach(cols_apart() ? length : how_.block[0], grain_.rows, rows_);
  wide_ = cols_apart() ? 1 : reach(rows_apart() ? length : how_.block[1], grain_.cols, cols_);
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
  const Index down = rows_apart() ? 0 : 1, along = cols_apart() ? 0 : 1;
  // One chunk a line (or in all) has nothing around it.
  const bool alone = (!down || chunk_rows_ == 1) && (!along || chunk_cols_ == 1);
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
  if (!whole && lines_apart() && !is_complex(result_dtype(p_.a_dtype, p_.v_dtype))) {
    if (cols_apart()) group_ = 2 * lanes, other = loudest;
    if (rows_apart() && rows_ > 1) {
      line_ = alone ? part : scratch.take<Seen>(rows_);
      for (Index i = 0; !alone && i < rows_; ++i) {
        line_[i] = Seen();
        for (Index j = 0; j < chunk_cols_; ++j) line_[i].add(part[i * chunk_cols_ + j]);
      }
      other = loudest_of(line_, rows_);
    }
  }
  most_ = bound_from({loudest.sum + other.sum, loudest.energy + other.energy, loudest.top});
}

// Of lines a transform sees, packed as re and im, another too: a neighbour, or of columns one
// of the group that fills the lanes. Where that one is the louder by much the two are
// balanced (transforms.h), so that more of it is never seen.
Survey::Bound Survey::bound_of(Index chunk_row, Index chunk_col) const {
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
  return bound_from(own);
}

// Terms are alike where none is much above the mean: k is about mean s over the
// largest product, four times that for Gaussian noise. The margin is
// 2 (100 outputs)^(1/k), and no more than the choice among m^k sums allows: powers are
// compared by their logarithms, and those of most blocks by their exponents alone.
bool Survey::is_weak(double mean, const Bound& bound) const {
  const double loss = bound.loss;
  if (mean < 2 * loss) return true;
  const double k = std::max(1.0, 4 * mean / (bound.top * v_peak_));
  if (k > 40 || mean > 200 * taps_ * loss) return mean < 4 * loss;
  const double ratio = mean / (2 * loss);
  const double margin = std::min(log_outputs_ / k, kLogHundred / k + log_taps_);
  return ilogb(ratio) * kLogTwo < margin && log(ratio) < margin;
}

// Of a chunk whose least mean holds against the most that any transform loses no block is
// weak, nor are those of another that has no lower one: few blocks are looked at singly.
void Survey::mark_blocks() {
  const Index rows = ceil_div(height(), grain_.rows), cols = ceil_div(width(), grain_.cols);
  double enough = HUGE_VAL;
  for (Index ci = 0; ci < chunk_rows_; ++ci) {
    for (Index cj = 0; cj < chunk_cols_; ++cj) {
      const Index row_end = std::min(rows, (ci + 1) * tall_);
      const Index col = cj * wide_, col_end = std::min(cols, col + wide_);
      double least = HUGE_VAL;
      for (Index i = ci * tall_; i < row_end; ++i) {
        for (Index j = col; j < col_end; ++j) least = std::min(least, mean_[i * cols_ + j]);
      }
      if (least >= enough) continue;
      if (least > 0 && !is_weak(least, most_)) {
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
          if (is_weak(mean, bound)) {
            mark_around(i, j);
          } else {
            safe = mean;
          }
        }
      }
    }
  }
}

// A block's mean hides a quiet half beside a loud one, and the products counted
// in it may all have fallen beside it; a block two away shows either. Zeros stay zeros.
void Survey::mark_around(Index i, Index j) {
  const Index down = rows_apart() ? 0 : 2, along = cols_apart() ? 0 : 2;
  for (Index r = std::max(i, down) - down; r < rows_ && r <= i + down; ++r) {
    for (Index c = std::max(j, along) - along; c < cols_ && c <= j + along; ++c) {
      if (mean_[r * cols_ + c] != 0) mark_[r * cols_ + c] = kWeak;
    }
  }
}

double Survey::macs() const {
  double sum = 0;
  for_each([&](const Window& w, Mark mark) {
    if (mark == kWeak) sum += macs_of(part(p_, w));
  });
  return sum;
}

void Survey::repair(Redo redo) const {
  const Index item = kItemSize[result_dtype(p_.a_dtype, p_.v_dtype)];
  for_each([&](const Window& w, Mark mark) {
    const Problem q = part(p_, w);
    if (mark == kWeak) return redo(q);
    for (Index r = 0; r < w.row_hi - w.row_lo; ++r) {
      memset(q.out + r * q.out_row, 0, size_t((w.col_hi - w.col_lo) * item));
    }
  });
}

}  // namespace fastconv
