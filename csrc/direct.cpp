// The direct method: windows, borders and pieces of work around the direct kernels, which know
// nothing of any of them.
//
// A kernel reads x[i + k] for every output i and tap k, taps reversed. Where all of those lie
// inside a it reads a itself. At a border it reads a small copy of a with zeros beyond the end,
// but only where every tap is finite, since 0 * Inf is not 0; else each border output is summed
// alone, over its true products.
//
// Bits do not depend on how the window is cut. In 2-D the kernels sum row by row whatever is cut
// off, and sweeps end with the same rows of the whole kernel. In 1-D the order follows the number
// of taps, so border blocks, whose outer taps only meet zeros, are cut at fixed places.
#include "direct.h"

#include <string.h>

#include <utility>

#include "runtime.h"

namespace fastconv {
namespace {

// A border block of 1-D outputs; of kernels longer half its products with zeros are wasted.
constexpr Index kBorder = 128;
// Up to here a line is copied whole: f32 256 * 9 takes 82 ns so, with borders apart 152.
constexpr Index kShort = 512;
// Of one call of a kernel, which adds up sweeps (kernels/table.h) in one total: the sum of totals
// and of the sweeps in each is least near there for 1,000 taps and more. 128 take 1 % more.
constexpr Index kCallTaps = 256;

// to[j] = from[first + j], 0 <= j < count, with zeros outside from[0, n).
void copy_padded(char* to, const char* from, Index n, Index first, Index count, Index item) {
  const Index begin = at_least(at_most(-first, count), 0);
  const Index end = at_least(at_most(n - first, count), begin);
  memset(to, 0, size_t(begin * item));
  memcpy(to + begin * item, from + (first + begin) * item, size_t((end - begin) * item));
  memset(to + end * item, 0, size_t((count - end) * item));
}

// ---------------------------------------------------------------------------
// 1-D

// A row of a, at least as long as the kernel, and the kernel reversed.
struct Line {
  Direct1D kernel;
  Index x_item, g_item, y_item;
  const char* a;
  Index n;
  const char* g;
  Index m;
  bool finite;  // the taps
  bool accumulate;
  char* border;      // room for border_items(m) items
  Context* context;  // NULL: too short to ask
};

// The longest run of x that a border block reads.
constexpr Index border_items(Index m) { return kShort + m; }

// y (+)= count outputs from x on, kCallTaps taps at a time.
void sweep(const Line& line, const char* x, const char* g, char* y, Index count, Index m) {
  if (m <= kCallTaps && double(count) * double(m) <= kPieceMacs) {
    line.kernel(x, g, y, count, m, line.accumulate);
    if (line.context) line.context->spend(double(count) * double(m));
    return;
  }
  const Index most = Index(kPieceMacs) / at_most(m, kCallTaps);
  for (Index i = 0; i < count; i += most) {
    const Index some = at_most(count - i, most);
    for (Index k = 0; k < m; k += kCallTaps) {
      const Index taps = at_most(m - k, kCallTaps);
      line.kernel(x + (i + k) * line.x_item, g + k * line.g_item, y + i * line.y_item, some, taps,
                  line.accumulate || k > 0);
      if (line.context) line.context->spend(double(some) * double(taps));
    }
  }
}

// Outputs [lo, hi) by taps [k0, k1), with zeros beyond a.
void border_block(const Line& line, Index lo, Index hi, Index k0, Index k1, char* y) {
  const Index count = hi - lo, m = k1 - k0;
  copy_padded(line.border, line.a, line.n, lo - (line.m - 1) + k0, count + m - 1, line.x_item);
  sweep(line, line.border, line.g + k0 * line.g_item, y, count, m);
}

// Each output alone, over the taps that meet a.
void true_products(const Line& line, Index lo, Index hi, char* y) {
  for (Index i = lo; i < hi; ++i, y += line.y_item) {
    const Index k0 = at_least(line.m - 1 - i, 0), k1 = at_most(line.m, line.n + line.m - 1 - i);
    sweep(line, line.a + (i - (line.m - 1) + k0) * line.x_item, line.g + k0 * line.g_item, y, 1,
          k1 - k0);
  }
}

void convolve_line(const Line& line, Index lo, Index hi, char* y) {
  const Index n = line.n, m = line.m, total = n + m - 1;
  Index i = lo;
  const auto advance = [&](Index to) {
    y += (to - i) * line.y_item;
    i = to;
  };
  if (!line.finite) {
    const Index left = at_most(hi, m - 1), right = at_least(lo, n);
    if (i < left) true_products(line, i, left, y), advance(left);
    if (i < at_most(hi, n)) {
      sweep(line, line.a + (i - (m - 1)) * line.x_item, line.g, y, at_most(hi, n) - i, m);
      advance(at_most(hi, n));
    }
    if (right < hi) true_products(line, right, hi, y);
    return;
  }
  // Short lines are one block; elsewhere a block reaches into the inside, where
  // that costs nothing but its copy, so that it is at least a vector long.
  if (total <= kShort && m <= kBorder) {
    if (lo < m - 1 || hi > n) {
      border_block(line, lo, hi, 0, m, y);
    } else {
      sweep(line, line.a + (lo - (m - 1)) * line.x_item, line.g, y, hi - lo, m);
    }
    return;
  }
  constexpr Index vector = kVectorBytes;
  while (i < at_most(hi, m - 1)) {
    const Index end = (i / kBorder + 1) * kBorder;
    const Index taps = at_most(m, end);
    const Index to =
        at_most(at_most(hi, n), taps < m ? end : at_most(end, at_least(m - 1, i + vector)));
    border_block(line, i, to, m - taps, m, y);
    advance(to);
  }
  if (i < at_most(hi, n)) {
    sweep(line, line.a + (i - (m - 1)) * line.x_item, line.g, y, at_most(hi, n) - i, m);
    advance(at_most(hi, n));
  }
  while (i < hi) {
    const Index begin = (total - 1 - i) / kBorder * kBorder;  // of the block, from the far end
    const Index taps = at_most(m, begin + kBorder);
    const Index to = at_most(hi, total - begin);
    border_block(line, i, to, 0, taps, y);
    advance(to);
  }
}

// ---------------------------------------------------------------------------

// Short rows side by side, m - 1 zeros between them: a copy of some of them is written before it is
// read, and has each zero once. One by one they would wait for their own stores: f32 256 * 9 takes
// 0.95 of the time so. At least three at a time: two, f64 400 * 9, took 1.13.
constexpr Index kJoinedBytes = 8192, kJoinedRows = 3;
// Up to ten vectors a row they are one long line: their full convolutions follow each other, and
// vectors reach across. Four times as fast for rows of 8 or 16 samples; from there on the copies
// cost more than whole vectors save.
constexpr Index kOneLineBytes = 640;

bool joins(const Problem& p, const Line& line) {
  const Index total = line.n + line.m - 1;
  return p.row_hi - p.row_lo > 1 && line.finite && !p.accumulate && line.m <= kBorder &&
         (total * line.y_item <= kOneLineBytes ||
          (total <= kShort && kJoinedRows * total * line.y_item <= kJoinedBytes &&
           (p.col_lo < line.m - 1 || p.col_hi > line.n)));
}

// Rows first .. last - 1 of the window.
void join(const Problem& p, const Line& line, Range window) {
  const Index pitch = line.n + line.m - 1, count = p.col_hi - p.col_lo;
  const bool one_line = pitch * line.y_item <= kOneLineBytes;
  const Index some = kJoinedBytes / (pitch * line.y_item);
  Scratch scratch;
  char* x = scratch.take<char>((some * pitch + line.m - 1) * line.x_item);
  char* y = scratch.take<char>(one_line ? some * pitch * line.y_item : 0);
  memset(x, 0, size_t((some * pitch + line.m - 1) * line.x_item));
  for (Index r = p.row_lo + window.first; r < p.row_lo + window.last; r += some) {
    const Index rows = at_most(some, p.row_lo + window.last - r);
    for (Index i = 0; i < rows; ++i) {
      memcpy(x + (line.m - 1 + i * pitch) * line.x_item, p.a + (r + i) * p.a_row,
             size_t(line.n * line.x_item));
    }
    if (one_line) sweep(line, x, line.g, y, rows * pitch, line.m);
    for (Index i = 0; i < rows; ++i) {
      char* out = p.out + (r + i - p.row_lo) * p.out_row;
      const Index at = i * pitch + p.col_lo;
      if (one_line) {
        memcpy(out, y + at * line.y_item, size_t(count * line.y_item));
      } else {
        sweep(line, x + at * line.x_item, line.g, out, count, line.m);
      }
    }
  }
}

// Where rows are few they are shared out in runs of about so many outputs: one is worth
// taking from ten taps on, and a cut costs no more than a call of the kernel.
constexpr Index kRunOutputs = 8192;

// Runs first .. last - 1 of those that the rows are cut in.
void convolve_runs(const Problem& p, Line line, Index per_row, Range runs) {
  const Index run = (p.col_hi - p.col_lo + per_row - 1) / per_row;
  for (Index i = runs.first; i < runs.last;) {
    const Index row = i / per_row, last = at_most(runs.last, (row + 1) * per_row);
    const Index lo = p.col_lo + (i - row * per_row) * run;
    const Index hi = at_most(p.col_hi, p.col_lo + (last - row * per_row) * run);
    line.a = p.a + (p.row_lo + row) * p.a_row;
    if (lo < hi) {
      convolve_line(line, lo, hi, p.out + row * p.out_row + (lo - p.col_lo) * line.y_item);
    }
    i = last;
  }
}

// A kernel of one row: the same 1-D kernel along every row.
void convolve_rows(const Problem& p, Context& context, Pair pair) {
  const Index y_item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  const Index g_item = kItemSize[p.v_dtype];
  Scratch scratch;
  char* g = scratch.take<char>(p.kw * g_item);
  reverse(g, p.v, p.kw, g_item);
  const Line line = {
      context.kernels.direct1d[pair], kItemSize[p.a_dtype], g_item,  y_item, p.a, p.cols, g, p.kw,
      is_finite(p.v_dtype, g, p.kw),  p.accumulate,         nullptr, nullptr};
  const Index rows = p.row_hi - p.row_lo, cols = p.col_hi - p.col_lo;
  const bool joined = joins(p, line), whole = joined || rows >= 16 * context.workers();
  const Index per_row = whole ? 1 : (cols + kRunOutputs - 1) / kRunOutputs;
  const double run_macs = double(cols) / double(per_row) * double(p.kw);
  context.share(rows * per_row, run_macs, [&](Context& own, Shares& shares) {
    Scratch border;
    Line mine = line;
    mine.border = border.take<char>(border_items(p.kw) * line.x_item);
    mine.context = &own;
    for (Range r; shares.next(r);) {
      joined ? join(p, mine, r) : convolve_runs(p, mine, per_row, r);
    }
  });
}

// Columns of single items, taken for rows.
void convolve_column(const Problem& p, Context& context) {
  const Index y_item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  const Index count = p.row_hi - p.row_lo;
  Scratch scratch;
  const auto dense = [&](const char* from, Index row, Index n, Index item) {
    char* to = scratch.take<char>(n * item);
    for (Index i = 0; i < n; ++i) memcpy(to + i * item, from + i * row, size_t(item));
    return to;
  };
  Problem q = p;
  q.a = dense(p.a, p.a_row, p.rows, kItemSize[p.a_dtype]);
  q.v = dense(p.v, p.v_row, p.kh, kItemSize[p.v_dtype]);
  q.out = dense(p.out, p.out_row, count, y_item);
  std::swap(q.rows, q.cols);
  std::swap(q.kh, q.kw);
  q.row_lo = 0, q.row_hi = 1, q.col_lo = p.row_lo, q.col_hi = p.row_hi;
  direct(q, context);
  for (Index i = 0; i < count; ++i) {
    memcpy(p.out + i * p.out_row, q.out + i * y_item, size_t(y_item));
  }
}

// Few outputs of many taps: lanes lie along the taps, and only true products are
// formed. By the problem alone, never by a piece of it. kFewOutputs is where
// direct1d's whole vectors draw level; fc_small's tables hold no more than kDotTaps.
constexpr Index kFewOutputs = 16, kDotTaps = 128;

bool has_few_outputs(const Problem& p) {
  return p.rows == 1 && p.kh == 1 && p.kw > kDotTaps && p.col_hi - p.col_lo <= kFewOutputs;
}

void convolve_by_dots(const Problem& p, Context& context, Pair pair) {
  const Index a_item = kItemSize[p.a_dtype], v_item = kItemSize[p.v_dtype];
  const Index out_item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  context.share(p.col_hi - p.col_lo, double(p.kw), [&](Context& own, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index i = p.col_lo + r.first; i < p.col_lo + r.last; ++i) {
        const Index first = at_least(i - (p.cols - 1), 0), last = at_most(i, p.kw - 1);  // taps
        own.kernels.dot[pair](p.a + (i - last) * a_item, p.v + last * v_item, last - first + 1,
                              p.out + (i - p.col_lo) * out_item, p.accumulate);
        own.spend(double(last - first + 1));
      }
    }
  });
}

}  // namespace

void direct(const Problem& p, Context& context) {
  if (p.row_lo == p.row_hi || p.col_lo == p.col_hi) return;
  if (!is_dense(p)) return direct_in_pieces(p, context);
  context.spend(kCallMacs);
  const bool one_column = p.cols == 1 && p.kw == 1;
  if (one_column && (p.rows > 1 && p.kh > 1)) return convolve_column(p, context);
  const Pair pair = pair_of(p.a_dtype, p.v_dtype);
  const bool line = p.rows == 1 || p.kh == 1;
  // Columns keep their roles: those of one depend on no other.
  const bool columns = p.kw == 1 && p.cols > 1;
  if (line ? p.kh > p.rows || (p.kh == p.rows && p.kw > p.cols)
           : !columns && double(p.kh) * double(p.kw) > double(p.rows) * double(p.cols)) {
    return direct(swapped(p), context);
  }
  if (has_few_outputs(p)) return convolve_by_dots(p, context, pair);
  if (!line) return is_narrow(p) ? direct_turned(p, context) : direct_picture(p, context);
  if (p.kw <= p.cols) return convolve_rows(p, context, pair);
  // Many rows, each shorter than the kernel: the roles change row by row.
  const double row_macs = double(p.cols) * double(p.col_hi - p.col_lo);
  context.share_many(p.row_hi - p.row_lo, row_macs, [&](Context& own, Shares& shares) {
    Problem row = swapped(p);
    row.kh = row.rows = 1;
    row.row_lo = 0, row.row_hi = 1;
    for (Range some; shares.next(some);) {
      for (Index r = some.first; r < some.last; ++r) {
        row.v = p.a + (p.row_lo + r) * p.a_row;
        row.out = p.out + r * p.out_row;
        convolve_rows(row, own, pair_of(row.a_dtype, row.v_dtype));
      }
    }
  });
}

}  // namespace fastconv

namespace {

// Where direct is certain, on any level: few multiply-adds (f64 avx512: 0.6 us), or
// few taps and still little enough to do without letting others run (2.3 us).
constexpr fastconv::Index kSmallMacs = 16384, kFewTapsMacs = 65536;
constexpr fastconv::Index kFewTaps = 32;
constexpr fastconv::Index kSmallTaps = 128;  // sqrt(kSmallMacs): the shorter of the two

}  // namespace

extern "C" int fc_small(fc_dtype dtype, const void* a, ptrdiff_t n, const void* v, ptrdiff_t m,
                        int reversed, ptrdiff_t lo, ptrdiff_t hi, void* out) {
  using namespace fastconv;
  if (is_complex(dtype) || n > kFewTapsMacs || m > kFewTapsMacs) return 0;
  if (n * m > (n <= kFewTaps || m <= kFewTaps ? kFewTapsMacs : kSmallMacs)) return 0;
  const Index item = kItemSize[dtype];
  alignas(64) char taps[kSmallTaps * 8];
  alignas(64) char border[border_items(kSmallTaps) * 8];
  // Correlation with the operands' roles changed is that of the mirror image;
  // the general path turns it round.
  if (n < m && reversed) return 0;
  if (n < m) std::swap(a, v), std::swap(n, m);
  const char* g = static_cast<const char*>(v);
  if (!reversed) {
    reverse(taps, g, m, item);
    g = taps;
  }
  const bool touches_border = lo < m - 1 || hi > n;
  if (touches_border && !is_finite(dtype, g, m)) return 0;
  if (lo == hi) return 1;
  const Pair pair = pair_of(dtype, dtype);
  const Line line = {kernels(fc_level()).direct1d[pair],
                     item,
                     item,
                     item,
                     static_cast<const char*>(a),
                     n,
                     g,
                     m,
                     true,
                     false,
                     border,
                     nullptr};
  convolve_line(line, lo, hi, static_cast<char*>(out));
  return 1;
}
