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
// sums of whole rows and columns are taken output by output.
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

// What a transform sees of a signal.
struct Seen {
  double sum = 0, energy = 0, top = 0;

  void add(const Seen& other) {
    sum += other.sum;
    energy += other.energy;
    top = std::max(top, other.top);
  }
};

// E of the head comment, from the sums and energies that a transform sees.
double expected_error(double points, double unit, double a_sum, double a_energy, double v_sum,
                      double v_energy) {
  const double a2 = sqrt(a_energy), v2 = sqrt(v_energy), depth = log2(points);
  const double worst = (14 * depth + 12) * a2 * v2;
  const double usual = 8 * sqrt(depth / points) * std::min(a_sum * v2, a2 * v_sum);
  return unit * std::min(worst, usual);
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
  q.out += (w.row_lo - p.row_lo) * p.out_row +
           (w.col_lo - p.col_lo) * kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
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
      grain_(grain),
      rows_(rows_apart() ? a.rows : a.rows + v.rows),
      cols_(cols_apart() ? a.cols : a.cols + v.cols) {
  taps_ = double(p.kh) * double(p.kw);
  log_taps_ = log(taps_);
  // of a line
  log_outputs_ =
      kLogHundred + log(double(rows_apart() ? 1 : height()) * double(cols_apart() ? 1 : width()));
  const bool lines = rows_apart() || cols_apart();
  mark_ = scratch.take<Mark>(rows_ * cols_);
  if (lines) line_edge_ = scratch.take<Edge>(rows_apart() ? p.rows : p.cols);
  // What it judges by is given back: a byte a block stays, of 33.
  Scratch judging;
  mean_ = judging.take<double>(rows_ * cols_);
  loss_ = judging.take<double>(rows_ * cols_);
  near_top_ = judging.take<double>(rows_ * cols_);
  estimate_means(a, v, context);
  if (lines) {
    bound_lines(how, a, v, context.kernels.spectral[!is_single(p.a_dtype)].lanes);
  } else {
    bound_tiles(how, a, v);
  }
  mark_blocks(v.peak);
  if (lines) {
    edges_of_lines(cols_apart(), context);
  } else {
    edge_rows_ = edge_of(true, v.peak, context);
    edge_cols_ = edge_of(false, v.peak, context);
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
  for (Index i = 0; i < rows_; ++i) {
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

// Mean of s over the outputs that a block's products fall on.
void Survey::estimate_means(const Coarse& a, const Coarse& v, Context& context) {
  Scratch scratch;
  const Index height = a.rows + v.rows - 1, width = a.cols + v.cols - 1;
  double* sums = scratch.take<double>(height * width);
  Problem q = {};
  q.a_dtype = q.v_dtype = FC_F64;
  q.rows = a.rows, q.cols = a.cols, q.kh = v.rows, q.kw = v.cols;
  q.row_hi = height, q.col_hi = width;
  q.a = reinterpret_cast<const char*>(a.sum), q.a_row = a.cols * 8;
  q.v = reinterpret_cast<const char*>(v.sum), q.v_row = v.cols * 8;
  q.out = reinterpret_cast<char*>(sums), q.out_row = width * 8;
  direct(q, context);
  const auto at = [&](Index i, Index j) {
    return i < 0 || j < 0 || i >= height || j >= width ? 0.0 : sums[i * width + j];
  };
  const double outputs =
      double(rows_apart() ? 1 : 2 * grain_.rows) * double(cols_apart() ? 1 : 2 * grain_.cols);
  for (Index i = 0; i < rows_; ++i) {
    for (Index j = 0; j < cols_; ++j) {
      double sum = at(i, j);
      if (!cols_apart()) sum += at(i, j - 1);
      if (!rows_apart()) sum += at(i - 1, j);
      if (!rows_apart() && !cols_apart()) sum += at(i - 1, j - 1);
      mean_[i * cols_ + j] = sum / outputs;
    }
  }
}

// E / tol of a transform that sees this much of a.
double Survey::loss_of(double points, double sum, double energy, const Coarse& v) const {
  const double unit = is_single(p_.a_dtype) ? 0x1p-24 / 0x1p-8 : 0x1p-53 / 0x1p-30;
  return expected_error(points, unit, sum, energy, v.total_sum, v.total_energy);
}

// Lines beside each other: a transform sees the blocks within two of its lengths on
// its own line and, packed as re and im, on another: a neighbour, or of columns one of
// the group that fills the lanes. Where that one is the louder by much the two are
// balanced (transforms.h), so that more of it is never seen.
void Survey::bound_lines(const fc_candidate& how, const Coarse& a, const Coarse& v, Index lanes) {
  const double points = double(how.block[0]) * double(how.block[1]);
  const bool whole = how.method == FC_ONESHOT, columns = cols_apart();
  const Index lines = columns ? a.cols : a.rows, blocks = columns ? a.rows : a.cols;
  const Index grain = columns ? grain_.rows : grain_.cols;
  const Index reach = whole ? blocks : 2 * ceil_div(2 * Index(points), grain);
  const bool paired = !whole && !is_complex(result_dtype(p_.a_dtype, p_.v_dtype));
  const Index step_out = Index(points) - p_.kw + 1;
  const Index in_line = whole ? 1 : ceil_div(p_.col_hi - p_.col_lo, step_out);  // blocks
  const Index step = columns ? a.cols : 1, next = columns ? 1 : a.cols;         // along, across
  const Index out_step = columns ? cols_ : 1, out_next = columns ? 1 : cols_;
  const Index out_blocks = columns ? rows_ : cols_;
  // Of each line, what lies in chunks of `reach` blocks: a transform sees three.
  Scratch scratch;
  const Index chunks = ceil_div(blocks, reach);
  Seen* part = scratch.take<Seen>(lines * chunks);
  for (Index line = 0; line < lines; ++line) {
    for (Index c = 0; c < chunks; ++c) {
      Seen& s = part[line * chunks + c] = Seen();
      for (Index b = c * reach; b < (c + 1) * reach && b < blocks; ++b) {
        const Index at = line * next + b * step;
        s.add(Seen{a.sum[at], a.energy[at], a.top[at]});
      }
    }
  }
  const auto seen = [&](Index line, Index from, Index to) {
    Seen s;
    for (Index c = from; c < to; ++c) s.add(part[line * chunks + c]);
    return s;
  };
  for (Index first = 0; first < out_blocks; first += reach) {
    const Index chunk = first / reach;
    const Index lo = std::min(chunks, std::max<Index>(chunk, 1) - 1);
    const Index hi = std::min(chunks, chunk + 2);
    for (Index line = 0; line < lines; ++line) {
      Seen own = seen(line, lo, hi);
      if (paired && lines > 1) {
        const Index group = 2 * lanes;
        // Of rows, a block with its neighbour in the order of all blocks of all rows.
        const Index from = columns ? line / group * group : line - line * in_line % 2;
        const Index to = columns ? from + group : line + 1 + (line + 1) * in_line % 2;
        Seen other;
        for (Index l = from; l < to && l < lines; ++l) {
          if (l == line) continue;
          const Seen s = seen(l, columns ? lo : 0, columns ? hi : chunks);
          other.sum = std::max(other.sum, s.sum);
          other.energy = std::max(other.energy, s.energy);
        }
        const double most = kUnbalanced * kUnbalanced * own.energy;
        own.sum += std::min(other.sum, sqrt(points * most));
        own.energy += std::min(other.energy, most);
      }
      const double loss = loss_of(points, own.sum, own.energy, v);
      for (Index b = first; b < first + reach && b < out_blocks; ++b) {
        loss_[line * out_next + b * out_step] = loss;
        near_top_[line * out_next + b * out_step] = own.top;
      }
    }
  }
}

// Tiles of a picture, two neighbours to a transform: what it sees is within two of its
// lengths on either side.
void Survey::bound_tiles(const fc_candidate& how, const Coarse& a, const Coarse& v) {
  const double points = double(how.block[0]) * double(how.block[1]);
  const auto loss = [&](double sum, double energy) { return loss_of(points, sum, energy, v); };
  if (how.method == FC_ONESHOT) {
    const double whole = loss(a.total_sum, a.total_energy);
    for (Index b = 0; b < rows_ * cols_; ++b) loss_[b] = whole, near_top_[b] = a.peak;
    return;
  }
  const Index tall = ceil_div(2 * how.block[0], grain_.rows);
  const Index wide = ceil_div(2 * how.block[1], grain_.cols);
  const Index chunk_rows = ceil_div(a.rows, tall), chunk_cols = ceil_div(a.cols, wide);
  Scratch scratch;
  double* sum = scratch.take<double>(chunk_rows * chunk_cols);
  double* energy = scratch.take<double>(chunk_rows * chunk_cols);
  double* top = scratch.take<double>(chunk_rows * chunk_cols);
  const size_t bytes = sizeof(double) * size_t(chunk_rows * chunk_cols);
  memset(sum, 0, bytes);
  memset(energy, 0, bytes);
  memset(top, 0, bytes);
  for (Index i = 0; i < a.rows; ++i) {
    for (Index j = 0; j < a.cols; ++j) {
      const Index chunk = i / tall * chunk_cols + j / wide;
      sum[chunk] += a.sum[i * a.cols + j];
      energy[chunk] += a.energy[i * a.cols + j];
      top[chunk] = std::max(top[chunk], a.top[i * a.cols + j]);
    }
  }
  for (Index i = 0; i < rows_; ++i) {
    for (Index j = 0; j < cols_; ++j) {
      double near_sum = 0, near_energy = 0, near_top = 0;
      for (Index ci = i / tall - 1; ci <= i / tall + 1; ++ci) {
        for (Index cj = j / wide - 1; cj <= j / wide + 1; ++cj) {
          if (ci < 0 || ci >= chunk_rows || cj < 0 || cj >= chunk_cols) continue;
          near_sum += sum[ci * chunk_cols + cj];
          near_energy += energy[ci * chunk_cols + cj];
          near_top = std::max(near_top, top[ci * chunk_cols + cj]);
        }
      }
      loss_[i * cols_ + j] = loss(near_sum, near_energy);
      near_top_[i * cols_ + j] = near_top;
    }
  }
}

// Terms are alike where none is much above the mean: k is about mean s over the
// largest product, four times that for Gaussian noise. The margin is
// 2 (100 outputs)^(1/k), and no more than the choice among m^k sums allows: powers are
// compared by their logarithms, and those of most blocks by their exponents alone.
bool Survey::is_weak(double mean, Index block, double v_peak) const {
  const double loss = loss_[block];
  if (mean < 2 * loss) return true;
  const double k = std::max(1.0, 4 * mean / (near_top_[block] * v_peak));
  if (k > 40 || mean > 200 * taps_ * loss) return mean < 4 * loss;
  const double ratio = mean / (2 * loss);
  const double margin = std::min(log_outputs_ / k, kLogHundred / k + log_taps_);
  return ilogb(ratio) * kLogTwo < margin && log(ratio) < margin;
}

// A block's mean hides a quiet half beside a loud one, and the products counted
// in it may all have fallen beside it; a block two away shows either.
void Survey::mark_blocks(double v_peak) {
  Scratch scratch;
  const Index down = rows_apart() ? 0 : 2, along = cols_apart() ? 0 : 2;
  bool* weak = scratch.take<bool>(rows_ * cols_);
  const Index rows = ceil_div(height(), grain_.rows), cols = ceil_div(width(), grain_.cols);
  // A block that is no worse off in anything than one found safe is safe.
  double safe_mean = HUGE_VAL, safe_loss = 0, safe_top = 0;
  for (Index i = 0; i < rows_; ++i) {
    for (Index j = 0; j < cols_; ++j) {
      const Index b = i * cols_ + j;
      mark_[b] = mean_[b] == 0 ? kZero : kSafe;
      weak[b] = false;
      if (i >= rows || j >= cols) continue;
      if (mean_[b] >= safe_mean && loss_[b] <= safe_loss && near_top_[b] <= safe_top) continue;
      weak[b] = is_weak(mean_[b], b, v_peak);
      if (!weak[b]) safe_mean = mean_[b], safe_loss = loss_[b], safe_top = near_top_[b];
    }
  }
  for (Index i = 0; i < rows_; ++i) {
    for (Index j = 0; j < cols_; ++j) {
      if (!weak[i * cols_ + j]) continue;
      for (Index r = i > down ? i - down : 0; r < rows_ && r <= i + down; ++r) {
        for (Index c = j > along ? j - along : 0; c < cols_ && c <= j + along; ++c) {
          Mark& mark = mark_[r * cols_ + c];
          if (mark == kSafe) mark = kWeak;
        }
      }
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
