// Direct sums in more than two axes.
//
// With the taps reversed and zeros around the samples, as far as taps reach beyond them,
//
//     y[i] = sum_k g[k] x[i + k]
//
// along every axis: each picture of the result is a sum over the pictures of g, each on the picture
// of x that lies as far behind. Piece by piece samples are copied, zeros and all, and then read
// from cache by all taps. Where a tap is not finite, and 0 * Inf is not 0, pictures are summed two
// by two as they lie.
#include <string.h>

#include <utility>

#include "direct.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

// Of the samples that a piece has copied.
constexpr double kCopiedBytes = 384 << 10;

Index outputs_of(const Extent& e) { return e.hi - e.lo; }

// The axis of the most outputs comes last, where vectors lie, unless the one that does has many:
// a result that is dense along another is copied.
void put_longest_last(Volume& w) {
  constexpr Index kDense = 4;
  Index weight[FC_MAX_NDIM];
  for (int d = 0; d < w.axes; ++d) {
    weight[d] = outputs_of(w.axis[d].extent) * (d == w.axes - 1 ? kDense : 1);
    for (int at = d; at > 0 && weight[at - 1] > weight[at]; --at) {
      std::swap(weight[at - 1], weight[at]);
      std::swap(w.axis[at - 1], w.axis[at]);
    }
  }
}

void swap_operands(Volume& w) {
  std::swap(w.a_dtype, w.v_dtype);
  std::swap(w.a, w.v);
  for (int d = 0; d < w.axes; ++d) {
    std::swap(w.axis[d].extent.n, w.axis[d].extent.m);
    std::swap(w.axis[d].a, w.axis[d].v);
  }
}

// ---------------------------------------------------------------------------

// Outputs of a piece along its first axis and along its rows; along others it has them all.
struct Size {
  Index planes, rows;
};

double copied_bytes(const Volume& w, Size size) {
  double bytes = double(kItemSize[w.a_dtype]);
  for (int d = 0; d < w.axes; ++d) {
    const Extent& e = w.axis[d].extent;
    const Index outputs = d == 0 ? size.planes : d == w.axes - 2 ? size.rows : outputs_of(e);
    bytes *= double(outputs + e.m - 1);
  }
  return bytes;
}

// Halved, where a piece has the most outputs to a tap, until it is small. Next to its taps it
// stays large: they are what its copy has more than it.
Size piece_size(const Volume& w, int workers) {
  constexpr Index kRows = 16, kPieces = 4;
  const Extent &plane = w.axis[0].extent, &row = w.axis[w.axes - 2].extent;
  const Index most_rows = at_least(row.m, kRows);
  const Index pieces = workers > 1 ? kPieces * workers : 1;
  Size size = {outputs_of(plane), outputs_of(row)};
  const auto few = [&] {
    return ceil_div(outputs_of(plane), size.planes) * ceil_div(outputs_of(row), size.rows) < pieces;
  };
  while (few() || copied_bytes(w, size) > kCopiedBytes) {
    const double planes = double(size.planes) / double(plane.m);
    const double rows = double(size.rows) / double(most_rows);
    if (planes <= 1 && rows <= 1) break;
    Index& most = planes > rows ? size.planes : size.rows;
    most = (most + 1) / 2;
  }
  return size;
}

void cut(Volume& w, int d, Index from, Index count) {
  Extent& e = w.axis[d].extent;
  e.lo += from;
  e.hi = at_most(e.hi, e.lo + count);
  w.out += from * w.axis[d].out;
}

// ---------------------------------------------------------------------------

// Dense and reversed along every axis.
struct Taps {
  const char* g;
  Index stride[FC_MAX_NDIM];
  bool finite;

  Taps(Scratch& scratch, const Volume& w) {
    const Index item = kItemSize[w.v_dtype];
    Index shape[FC_MAX_NDIM], from[FC_MAX_NDIM];
    for (int d = 0; d < w.axes; ++d) shape[d] = w.axis[d].extent.m, from[d] = w.axis[d].v;
    dense_strides(w.axes, shape, item, stride);
    const Index count = product(w.axes, shape);
    char *taps = scratch.take<char>(count * item), *reversed = scratch.take<char>(count * item);
    copy({taps, w.axes, shape, stride}, {const_cast<char*>(w.v), w.axes, shape, from}, item);
    reverse(reversed, taps, count, item);
    g = reversed;
    finite = is_finite(w.v_dtype, g, count);
  }
};

// The samples that its outputs read, beyond the ends of a as well.
const char* padded(Scratch& scratch, const Volume& w, Index* stride) {
  const Index item = kItemSize[w.a_dtype];
  Index shape[FC_MAX_NDIM], within[FC_MAX_NDIM], a_stride[FC_MAX_NDIM];
  for (int d = 0; d < w.axes; ++d) {
    const Extent& e = w.axis[d].extent;
    shape[d] = outputs_of(e) + e.m - 1;
  }
  dense_strides(w.axes, shape, item, stride);
  const Index bytes = product(w.axes, shape) * item;
  char *x = scratch.take<char>(bytes), *to = x;
  const char* from = w.a;
  memset(x, 0, size_t(bytes));
  for (int d = 0; d < w.axes; ++d) {
    const Extent& e = w.axis[d].extent;
    const Index reach = e.lo - (e.m - 1), first = at_least(reach, 0);
    within[d] = at_most(e.hi, e.n) - first;
    to += (first - reach) * stride[d];
    from += first * (a_stride[d] = w.axis[d].a);
  }
  copy({to, w.axes, within, stride}, {const_cast<char*>(from), w.axes, within, a_stride}, item);
  return x;
}

// Sums of pictures, as the kernel reads and writes them.
struct Sums {
  const Volume& w;
  Direct2D kernel;
  Index together;  // rows
  Index x_stride[FC_MAX_NDIM], g_stride[FC_MAX_NDIM], y_stride[FC_MAX_NDIM];
  Context& context;

  // Along the axes from d on; fresh: y holds nothing yet.
  void add(int d, const char* x, const char* g, char* y, bool fresh) const {
    if (d == w.axes - 2) return add_picture(x, g, y, fresh);
    const Extent& e = w.axis[d].extent;
    for (Index i = 0; i < outputs_of(e); ++i) {
      const Index ahead = e.m - 1 - (e.lo + i);  // taps that lie before a
      const Index first = at_least(ahead, 0), last = at_most(e.m, ahead + e.n);
      for (Index k = first; k < last; ++k) {
        add(d + 1, x + (i + k) * x_stride[d], g + k * g_stride[d], y + i * y_stride[d],
            fresh && k == first);
      }
    }
  }

  // Of many taps, the rows near the ends, which do not meet all, come some at a time.
  void add_picture(const char* x, const char* g, char* y, bool fresh) const {
    const int d = w.axes - 2;
    const Extent &row = w.axis[d].extent, &col = w.axis[d + 1].extent;
    const double macs = double(outputs_of(col)) * double(row.m) * double(col.m);
    const Index most = at_least(Index(kPieceMacs / macs), 2 * together);
    const bool tall = at_most(row.m, row.n) >= 2 * together;
    for (Index r = row.lo, end; r < row.hi; r = end) {
      const Index inside = (row.n - r) / together * together;
      const Index some = tall && (r < row.m - 1 || inside <= 0) ? together : tall ? inside : most;
      end = at_most(row.hi, r + at_most(some, most));
      const Index first = at_least(row.m - end, 0), last = at_most(row.m, row.m - 1 - r + row.n);
      kernel(x + (r - row.lo + first) * x_stride[d], x_stride[d] / x_stride[d + 1],
             g + first * g_stride[d], y + (r - row.lo) * y_stride[d], y_stride[d] / y_stride[d + 1],
             end - r, outputs_of(col), last - first, col.m, !fresh);
      context.spend(double(end - r) * macs);
    }
  }
};

// A piece of the result, all its products finite.
void sum_piece(const Volume& w, const Taps& taps, Context& context) {
  const int rows = w.axes - 2, cols = w.axes - 1;
  const Index item = kItemSize[result_dtype(w.a_dtype, w.v_dtype)];
  Scratch scratch;
  const Pair pair = pair_of(w.a_dtype, w.v_dtype);
  Sums sums = {w,      context.kernels.direct2d[pair], context.kernels.tile_rows[pair], {}, {}, {},
               context};
  const char* x = padded(scratch, w, sums.x_stride);
  memcpy(sums.g_stride, taps.stride, sizeof taps.stride);
  Index shape[FC_MAX_NDIM], stride[FC_MAX_NDIM];
  for (int d = 0; d < w.axes; ++d)
    shape[d] = outputs_of(w.axis[d].extent), stride[d] = w.axis[d].out;
  if (stride[cols] == item && stride[rows] % item == 0) {
    memcpy(sums.y_stride, stride, sizeof stride);
    return sums.add(0, x, taps.g, w.out, true);
  }
  dense_strides(w.axes, shape, item, sums.y_stride);
  char* y = scratch.take<char>(product(w.axes, shape) * item);
  sums.add(0, x, taps.g, y, true);
  copy({w.out, w.axes, shape, stride}, {y, w.axes, shape, sums.y_stride}, item);
}

// out += the products of pictures two by two, as they lie, along the axes from d on.
void add_pictures(const Volume& w, int d, const Problem& p, double macs, Context& context) {
  if (d == w.axes - 2) return direct(p, context);
  const Convolved& axis = w.axis[d];
  const Extent& e = axis.extent;
  const double each = macs / double(outputs_of(e));
  context.share_many(outputs_of(e), each, [&](Context& own, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index i = e.lo + r.first; i < e.lo + r.last; ++i) {
        for (Index k = at_least(i - (e.n - 1), 0); k < at_most(e.m, i + 1); ++k) {
          Problem q = p;
          q.a += (i - k) * axis.a, q.v += k * axis.v, q.out += (i - e.lo) * axis.out;
          add_pictures(w, d + 1, q, each / double(e.m), own);
        }
      }
    }
  });
}

Problem picture_of(const Volume& w) {
  const Convolved &row = w.axis[w.axes - 2], &col = w.axis[w.axes - 1];
  Problem p = {};
  p.a_dtype = w.a_dtype, p.v_dtype = w.v_dtype;
  p.rows = row.extent.n, p.kh = row.extent.m, p.row_lo = row.extent.lo, p.row_hi = row.extent.hi;
  p.cols = col.extent.n, p.kw = col.extent.m, p.col_lo = col.extent.lo, p.col_hi = col.extent.hi;
  p.a = w.a, p.a_row = row.a, p.v = w.v, p.v_row = row.v, p.out = w.out, p.out_row = row.out;
  return p;
}

// Samples and outputs, and multiply-adds.
struct Amount {
  double samples = 1, taps = 1, outputs = 1;

  explicit Amount(const Volume& w) {
    for (int d = 0; d < w.axes; ++d) {
      const Extent& e = w.axis[d].extent;
      samples *= double(e.n), taps *= double(e.m), outputs *= double(outputs_of(e));
    }
  }
};

void sum_as_it_lies(const Volume& w, Context& context) {
  Index shape[FC_MAX_NDIM], stride[FC_MAX_NDIM];
  for (int d = 0; d < w.axes; ++d) {
    shape[d] = outputs_of(w.axis[d].extent), stride[d] = w.axis[d].out;
  }
  zero({w.out, w.axes, shape, stride}, kItemSize[result_dtype(w.a_dtype, w.v_dtype)]);
  Problem p = picture_of(w);
  p.accumulate = true;
  const Amount amount(w);
  add_pictures(w, 0, p, amount.outputs * amount.taps, context);
}

}  // namespace

void direct_volume(const Volume& asked, Context& context) {
  if (asked.axes == 2) return direct(picture_of(asked), context);
  Volume w = asked;
  if (Amount(w).taps > Amount(w).samples) swap_operands(w);
  put_longest_last(w);
  Scratch scratch;
  const Taps taps(scratch, w);
  if (!taps.finite) return sum_as_it_lies(asked, context);
  const Size size = piece_size(w, context.workers());
  const int row = w.axes - 2;
  const Index along = ceil_div(outputs_of(w.axis[row].extent), size.rows);
  const Index pieces = ceil_div(outputs_of(w.axis[0].extent), size.planes) * along;
  const Amount amount(w);
  context.share(pieces, amount.outputs * amount.taps / double(pieces),
                [&](Context& own, Shares& shares) {
                  for (Range r; shares.next(r);) {
                    for (Index i = r.first; i < r.last; ++i) {
                      Volume piece = w;
                      cut(piece, 0, i / along * size.planes, size.planes);
                      cut(piece, row, i % along * size.rows, size.rows);
                      sum_piece(piece, taps, own);
                    }
                  }
                });
}

}  // namespace fastconv
