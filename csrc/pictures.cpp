// Direct sums of pictures: borders and pieces of work around the 2-D kernels.
#include <string.h>

#include "direct.h"
#include "runtime.h"

namespace fastconv {
namespace {

// A reversed kernel on an image.
struct Image {
  const Problem& p;
  Direct2D kernel;
  Index x_item, g_item, y_item;
  const char* g;  // dense
};

// The taps along one axis that meet a from any of the outputs [lo, hi), and the
// first sample of a that they read.
struct Reach {
  Index k0, k1, first, count;
  bool inside;

  Reach(Index n, Index m, Index lo, Index hi)
      : k0(at_least(m - hi, 0)),
        k1(at_most(m, n + m - 1 - lo)),
        first(lo - (m - 1) + k0),
        count(hi - lo + k1 - k0 - 1),
        inside(first >= 0 && first + count <= n) {}
};

// Outputs [r0, r1) x [c0, c1).
void convolve_piece(const Image& image, Index r0, Index r1, Index c0, Index c1, Context& context) {
  const Problem& p = image.p;
  const Reach row(p.rows, p.kh, r0, r1), col(p.cols, p.kw, c0, c1);
  const Index kh = row.k1 - row.k0, kw = col.k1 - col.k0;
  Scratch scratch;
  const char* g = image.g + row.k0 * p.kw * image.g_item;
  if (kw < p.kw) {
    char* trimmed = scratch.take<char>(kh * kw * image.g_item);
    for (Index i = 0; i < kh; ++i) {
      memcpy(trimmed + i * kw * image.g_item, g + (i * p.kw + col.k0) * image.g_item,
             size_t(kw * image.g_item));
    }
    g = trimmed;
  }
  const char* x = p.a + row.first * p.a_row + col.first * image.x_item;
  Index x_row = p.a_row;
  if (!row.inside || !col.inside || p.a_row % image.x_item) {
    x_row = col.count * image.x_item;
    char* padded = scratch.take<char>(row.count * x_row);
    memset(padded, 0, size_t(row.count * x_row));
    const Index c0_in = at_least(col.first, 0), c1_in = at_most(col.first + col.count, p.cols);
    for (Index i = 0; i < row.count; ++i) {
      const Index r = row.first + i;
      if (r < 0 || r >= p.rows) continue;
      memcpy(padded + i * x_row + (c0_in - col.first) * image.x_item,
             p.a + r * p.a_row + c0_in * image.x_item, size_t((c1_in - c0_in) * image.x_item));
    }
    x = padded;
  }
  char* y = p.out + (r0 - p.row_lo) * p.out_row + (c0 - p.col_lo) * image.y_item;
  image.kernel(x, x_row / image.x_item, {g, kh, kw, 1, row.k0, sweep_rows(p.kh, p.kw)}, y,
               p.out_row / image.y_item, r1 - r0, c1 - c0, p.accumulate);
  context.spend(double(r1 - r0) * double(c1 - c0) * double(kh) * double(kw));
}

// Where a window of one axis is cut: where taps pass the ends of a into blocks of
// `border` outputs, the last of those before the inside and the first behind it
// reaching into it so as to be whole; the inside into blocks of `inside`.
Index next_cut(Index at, Index hi, Index n, Index m, Index border, Index inside) {
  if (at < m - 1 || at >= n) return at_most(hi, at + border);
  if (hi > n && hi - at <= border) return hi;
  const Index end = hi <= n ? hi : at_most(n, hi - border);
  return at_most(end, at + inside);
}

// Is the picture better read with zeros all around it, in one piece? Borders are narrow, and of
// few products to a load; a copy costs as much as so many taps. In 'same', f32 64x64 * 11x11 takes
// 0.55 of the time so, 32x32 * 32x32 a fifth.
bool is_padded(const Problem& p) {
  constexpr Index kAlways = Index(20) << 10, kMost = Index(512) << 10, kTap = 1536;
  const Index rows = p.row_hi - p.row_lo + p.kh - 1, cols = p.col_hi - p.col_lo + p.kw - 1;
  const Index bytes = rows * cols * kItemSize[p.a_dtype];
  return bytes <= at_least(kAlways, at_most(kMost, kTap * p.kh * p.kw));
}

}  // namespace

void direct_picture(const Problem& p, Context& context) {
  const Index y_item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  const Index g_item = kItemSize[p.v_dtype], g_row = p.kw * g_item;
  Scratch scratch;
  char* g = scratch.take<char>(p.kh * g_row);
  for (Index i = 0; i < p.kh; ++i) {
    reverse(g + i * g_row, p.v + (p.kh - 1 - i) * p.v_row, p.kw, g_item);
  }
  const Direct2D kernel = context.kernels.direct2d[pair_of(p.a_dtype, p.v_dtype)];
  const Image image = {p, kernel, kItemSize[p.a_dtype], g_item, y_item, g};
  const bool finite = is_finite(p.v_dtype, g, p.kh * p.kw);
  // A border row alone meets no row beyond a and needs no copy; of a tall kernel
  // that meets many rows, several at once reuse what they read.
  const bool tall = at_most(p.kh, p.rows) > 32 && finite;
  const Index border_rows = tall ? 8 : 1;
  const Index vector = kVectorBytes / y_item;
  const Index border_cols = !finite ? 1 : p.kw <= 2 * vector ? vector : 4 * vector;
  const double row_macs = double(p.col_hi - p.col_lo) * double(p.kh) * double(p.kw);
  const bool whole_rows = p.out_row % y_item == 0;
  const Index rows = whole_rows ? at_least(Index(kPieceMacs / row_macs), 8) : 1;
  const bool padded = finite && whole_rows && is_padded(p);
  context.share(p.row_hi - p.row_lo, row_macs, [&](Context& own, Shares& shares) {
    for (Range some; shares.next(some);) {
      const Index end = p.row_lo + some.last;
      for (Index r = p.row_lo + some.first; r < end;) {
        const Index r1 = padded
                             ? at_most(end, r + rows)
                             : next_cut(r, end, p.rows, p.kh, whole_rows ? border_rows : 1, rows);
        for (Index c = p.col_lo; c < p.col_hi;) {
          const Index c1 =
              padded ? p.col_hi : next_cut(c, p.col_hi, p.cols, p.kw, border_cols, p.col_hi);
          convolve_piece(image, r, r1, c, c1, own);
          c = c1;
        }
        r = r1;
      }
    }
  });
}

}  // namespace fastconv
