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

Index outputs_of(const Extent& e) { return e.hi - e.lo; }

Volume with_longest_last(const Volume& w) {
  Volume turned = w;
  Extent extent[FC_MAX_NDIM];
  int order[FC_MAX_NDIM];
  for (int d = 0; d < w.axes; ++d) extent[d] = w.axis[d].extent;
  longest_last(extent, w.axes, order);
  for (int d = 0; d < w.axes; ++d) turned.axis[d] = w.axis[order[d]];
  return turned;
}

Volume swapped(Volume w) {
  std::swap(w.a_dtype, w.v_dtype);
  std::swap(w.a, w.v);
  for (int d = 0; d < w.axes; ++d) {
    std::swap(w.axis[d].extent.n, w.axis[d].extent.m);
    std::swap(w.axis[d].a, w.axis[d].v);
  }
  return w;
}

struct Amount {
  double samples = 1, taps = 1, outputs = 1;

  explicit Amount(const Volume& w) {
    for (int d = 0; d < w.axes; ++d) {
      const Extent& e = w.axis[d].extent;
      samples *= double(e.n), taps *= double(e.m), outputs *= double(outputs_of(e));
    }
  }
};

// One of a volume's arrays.
struct Array {
  char* data;
  int axes;
  Index shape[FC_MAX_NDIM], stride[FC_MAX_NDIM];

  View view() const { return {data, axes, shape, stride}; }

  // Dense, dirty memory for as much.
  void take(Scratch& scratch, Index item) {
    dense_strides(axes, shape, item, stride);
    data = scratch.take<char>(bytes_of(axes, shape, item));
  }
};

template <class Length, class Stride>
Array array_of(const Volume& w, const char* data, Length length, Stride stride) {
  Array array = {const_cast<char*>(data), w.axes, {}, {}};
  for (int d = 0; d < w.axes; ++d) {
    array.shape[d] = length(w.axis[d].extent), array.stride[d] = stride(w.axis[d]);
  }
  return array;
}

Array samples_of(const Volume& w) {
  return array_of(
      w, w.a, [](const Extent& e) { return e.n; }, [](const Convolved& c) { return c.a; });
}
Array taps_of(const Volume& w) {
  return array_of(
      w, w.v, [](const Extent& e) { return e.m; }, [](const Convolved& c) { return c.v; });
}
Array outputs_of(const Volume& w) {
  return array_of(
      w, w.out, [](const Extent& e) { return outputs_of(e); },
      [](const Convolved& c) { return c.out; });
}

// ---------------------------------------------------------------------------
// Pieces

// Outputs of a piece along the first axis and along the rows of its pictures; along others it has
// them all.
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

// Halved, where a piece has the most outputs to a tap, until there are enough and its samples are
// few. It keeps as many outputs as taps, which are what it copies more than once.
Size piece_size(const Volume& w, int workers) {
  constexpr double kCopiedBytes = 384 << 10;
  constexpr Index kLeastRows = 16, kManyPieces = 4;
  const Extent &plane = w.axis[0].extent, &row = w.axis[w.axes - 2].extent;
  const Index enough = workers > 1 ? kManyPieces * workers : 1;
  Size size = {outputs_of(plane), outputs_of(row)};
  const auto pieces = [&] {
    return ceil_div(outputs_of(plane), size.planes) * ceil_div(outputs_of(row), size.rows);
  };
  while (pieces() < enough || copied_bytes(w, size) > kCopiedBytes) {
    const double planes = double(size.planes) / double(plane.m);
    const double rows = double(size.rows) / double(at_least(row.m, kLeastRows));
    if (planes <= 1 && rows <= 1) break;
    Index& most = planes > rows ? size.planes : size.rows;
    most = ceil_div(most, 2);
  }
  return size;
}

void cut(Volume& w, int d, Index from, Index count) {
  Extent& e = w.axis[d].extent;
  e.lo += from;
  e.hi = at_most(e.hi, e.lo + count);
  w.out += from * w.axis[d].out;
}

// The samples that so many outputs read, beyond the ends of a as well.
Array padded(Scratch& scratch, const Volume& w, const Array& y) {
  const Index item = kItemSize[w.a_dtype];
  Array from = samples_of(w), x = from;
  for (int d = 0; d < w.axes; ++d) x.shape[d] = y.shape[d] + w.axis[d].extent.m - 1;
  x.take(scratch, item);
  memset(x.data, 0, size_t(x.shape[0] * x.stride[0]));
  View to = x.view();
  to.shape = from.shape;
  for (int d = 0; d < w.axes; ++d) {
    const Extent& e = w.axis[d].extent;
    const Index reach = e.lo - (e.m - 1), first = at_least(reach, 0);
    from.shape[d] = at_most(e.hi, e.n) - first;
    from.data += first * from.stride[d];
    to.data += (first - reach) * to.stride[d];
  }
  copy(to, from.view(), item);
  return x;
}

// Dense and reversed along every axis.
Array reversed_taps(Scratch& scratch, const Volume& w) {
  const Index item = kItemSize[w.v_dtype];
  Array dense = taps_of(w), g = dense;
  g.take(scratch, item);
  Scratch local;
  dense.take(local, item);
  copy(dense.view(), taps_of(w).view(), item);
  reverse(g.data, dense.data, product(g.axes, g.shape), item);
  return g;
}

// Sums of pictures, as the kernel reads and writes them.
struct Sums {
  const Volume& w;
  Direct2D kernel;
  Index together;  // rows
  Array x, g, y;
  Context& context;

  // Along the axes from d on; fresh: y holds nothing yet.
  void add(int d, const char* samples, const char* taps, char* to, bool fresh) const {
    if (d == w.axes - 2) return add_picture(samples, taps, to, fresh);
    const Extent& e = w.axis[d].extent;
    for (Index i = 0; i < outputs_of(e); ++i) {
      const Index ahead = e.m - 1 - (e.lo + i);  // taps that lie before a
      const Index first = at_least(ahead, 0), last = at_most(e.m, ahead + e.n);
      for (Index k = first; k < last; ++k) {
        add(d + 1, samples + (i + k) * x.stride[d], taps + k * g.stride[d], to + i * y.stride[d],
            fresh && k == first);
      }
    }
  }

  // Of many taps, the rows near the ends, which do not meet all, come some at a time.
  void add_picture(const char* samples, const char* taps, char* to, bool fresh) const {
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
      kernel(samples + (r - row.lo + first) * x.stride[d], x.stride[d] / x.stride[d + 1],
             taps + first * g.stride[d], to + (r - row.lo) * y.stride[d],
             y.stride[d] / y.stride[d + 1], end - r, y.shape[d + 1], last - first, col.m, !fresh);
      context.spend(double(end - r) * macs);
    }
  }
};

// Rows that the kernel cannot write as they lie, or that are no whole vectors, are copied.
void sum_piece(const Volume& w, const Array& g, Context& context) {
  const int cols = w.axes - 1;
  const fc_dtype result = result_dtype(w.a_dtype, w.v_dtype);
  const Index item = kItemSize[result];
  const KernelTable& table = context.kernels;
  const Index vector = at_least(table.spectral[0].lanes * Index(sizeof(float)) / item, 1);
  const Pair pair = pair_of(w.a_dtype, w.v_dtype);
  Scratch scratch;
  const Array out = outputs_of(w);
  Array y = out;
  y.shape[cols] = ceil_div(out.shape[cols], vector) * vector;
  const bool direct = y.shape[cols] == out.shape[cols] && out.stride[cols] == item &&
                      out.stride[cols - 1] % item == 0 &&
                      aligned(out.data, out.axes, out.stride, result);
  if (!direct) y.take(scratch, item);
  const Array x = padded(scratch, w, y);
  Sums{w, table.direct2d[pair], table.tile_rows[pair], x, g, y, context}.add(0, x.data, g.data,
                                                                             y.data, true);
  if (!direct) copy(out.view(), {y.data, w.axes, out.shape, y.stride}, item);
}

// ---------------------------------------------------------------------------
// Taps that are not finite

// out += the products of pictures two by two, along the axes from d on.
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

// Rows are dense.
Problem picture_of(const Volume& w) {
  const Convolved &row = w.axis[w.axes - 2], &col = w.axis[w.axes - 1];
  Problem p = {};
  p.a_dtype = w.a_dtype, p.v_dtype = w.v_dtype;
  p.rows = row.extent.n, p.kh = row.extent.m, p.row_lo = row.extent.lo, p.row_hi = row.extent.hi;
  p.cols = col.extent.n, p.kw = col.extent.m, p.col_lo = col.extent.lo, p.col_hi = col.extent.hi;
  p.a = w.a, p.a_row = row.a, p.v = w.v, p.v_row = row.v, p.out = w.out, p.out_row = row.out;
  return p;
}

void sum_as_it_lies(const Volume& asked, Context& context) {
  const fc_dtype result = result_dtype(asked.a_dtype, asked.v_dtype);
  const Array of_a = samples_of(asked), of_v = taps_of(asked), of_out = outputs_of(asked);
  Scratch scratch;
  const Rows a(scratch, of_a.view(), asked.a_dtype), v(scratch, of_v.view(), asked.v_dtype);
  const Rows out(scratch, of_out.view(), result, false);
  Volume w = {asked.a_dtype, asked.v_dtype, asked.axes, {}, a.data, v.data, out.data};
  for (int d = 0; d < w.axes; ++d) {
    w.axis[d] = {asked.axis[d].extent, a.stride[d], v.stride[d], out.stride[d]};
  }
  zero({out.data, w.axes, of_out.shape, out.stride}, kItemSize[result]);
  Problem p = picture_of(w);
  p.accumulate = true;
  const Amount amount(w);
  add_pictures(w, 0, p, amount.outputs * amount.taps, context);
  out.finish();
}

}  // namespace

void direct_volume(const Volume& asked, Context& context) {
  if (asked.axes == 2) return direct(picture_of(asked), context);
  const Amount amount(asked);
  const bool swap = amount.taps > amount.samples;
  const Volume w = with_longest_last(swap ? swapped(asked) : asked);
  Scratch scratch;
  const Array g = reversed_taps(scratch, w);
  if (!is_finite(w.v_dtype, g.data, product(g.axes, g.shape))) return sum_as_it_lies(w, context);
  const int row = w.axes - 2;
  const Size size = piece_size(w, context.workers());
  const Index along = ceil_div(outputs_of(w.axis[row].extent), size.rows);
  const Index pieces = ceil_div(outputs_of(w.axis[0].extent), size.planes) * along;
  const double macs = amount.outputs * (swap ? amount.samples : amount.taps) / double(pieces);
  context.share(pieces, macs, [&](Context& own, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        Volume piece = w;
        cut(piece, 0, i / along * size.planes, size.planes);
        cut(piece, row, i % along * size.rows, size.rows);
        sum_piece(piece, g, own);
      }
    }
  });
}

}  // namespace fastconv
