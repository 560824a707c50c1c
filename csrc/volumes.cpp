// Direct sums in more than two axes.
//
// With the taps reversed and zeros around the samples, as far as taps reach beyond them,
//
//     y[i] = sum_k g[k] x[i + k]
//
// along every axis: each picture of the result is a sum over the pictures of g, each on the picture
// of x that lies as far behind. Piece by piece samples are copied, zeros and all, and then read
// from cache by all taps. Where a tap is not finite, and 0 * Inf is not 0, or zeros would be most
// of what is read, pictures are summed two by two as they lie.
//
// So are pictures of several channels, the colours of each sample side by side: rows then are as
// many times as long.
#include <string.h>

#include <algorithm>
#include <utility>

#include "direct.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

Index outputs_of(const Extent& e) { return e.hi - e.lo; }

// The same with v the smaller, and the axis of the most outputs last; not the colours of an image,
// whose rows are long as they are.
Volume in_order(Scratch& scratch, Volume w, bool swap) {
  if (w.channels > 1) return w;
  Extent* extent = scratch.take<Extent>(w.axes);
  int* order = scratch.take<int>(w.axes);
  for (int d = 0; d < w.axes; ++d) extent[d] = w.axis[d].extent;
  longest_last(extent, w.axes, order);
  Convolved* axis = scratch.take<Convolved>(w.axes);
  for (int d = 0; d < w.axes; ++d) {
    axis[d] = w.axis[order[d]];
    if (swap) std::swap(axis[d].extent.n, axis[d].extent.m), std::swap(axis[d].a, axis[d].v);
  }
  w.axis = axis;
  if (swap) std::swap(w.a_dtype, w.v_dtype), std::swap(w.a, w.v);
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
  Index *shape, *stride;

  operator View() const { return {data, axes, shape, stride}; }
};

template <class Length, class Stride>
Array array_of(Scratch& scratch, const Volume& w, const char* data, Length length, Stride stride) {
  const Array array = {const_cast<char*>(data), w.axes, scratch.take<Index>(w.axes + 1),
                       scratch.take<Index>(w.axes + 1)};
  for (int d = 0; d < w.axes; ++d) {
    array.shape[d] = length(w.axis[d].extent), array.stride[d] = stride(w.axis[d]);
  }
  return array;
}

// With its channels as one more axis, the last.
Array with_channels(Array array, const Volume& w, Index next) {
  if (w.channels == 1) return array;
  array.shape[w.axes] = w.channels, array.stride[w.axes] = next;
  array.axes = w.axes + 1;
  return array;
}

Array samples_of(Scratch& scratch, const Volume& w) {
  const Array a = array_of(
      scratch, w, w.a, [](const Extent& e) { return e.n; }, [](const Convolved& c) { return c.a; });
  return with_channels(a, w, w.a_next);
}
Array taps_of(Scratch& scratch, const Volume& w) {
  return array_of(
      scratch, w, w.v, [](const Extent& e) { return e.m; }, [](const Convolved& c) { return c.v; });
}
Array outputs_of(Scratch& scratch, const Volume& w) {
  const Array out = array_of(
      scratch, w, w.out, [](const Extent& e) { return outputs_of(e); },
      [](const Convolved& c) { return c.out; });
  return with_channels(out, w, w.out_next);
}

// Dense, dirty memory for as many.
Array dense_like(Scratch& scratch, const Array& like, Index item) {
  Array dense = {nullptr, like.axes, like.shape, scratch.take<Index>(like.axes)};
  dense_strides(dense.axes, dense.shape, item, dense.stride);
  dense.data = scratch.take<char>(bytes_of(dense.axes, dense.shape, item));
  return dense;
}

// ---------------------------------------------------------------------------
// Pieces

constexpr double kCopiedBytes = 384 << 10;
constexpr Index kLeastRows = 16;

// Outputs of a piece along the first axis and along the rows of its pictures; along others it has
// them all.
struct Size {
  Index planes, rows;

  Index pieces(const Volume& w) const {
    return ceil_div(outputs_of(w.axis[0].extent), planes) *
           ceil_div(outputs_of(w.axis[w.axes - 2].extent), rows);
  }

  double copied_bytes(const Volume& w) const {
    double bytes = double(w.channels * kItemSize[w.a_dtype]);
    for (int d = 0; d < w.axes; ++d) {
      const Extent& e = w.axis[d].extent;
      const Index outputs = d == 0 ? planes : d == w.axes - 2 ? rows : outputs_of(e);
      const Index reach = outputs + e.m - 1;
      bytes *= double(d < w.axes - 2 ? at_most(reach, e.n) : reach);
    }
    return bytes;
  }
};

// Halved, where a piece has the most outputs to a tap, until there are enough and its samples are
// few. It keeps as many outputs as taps, which are what it copies more than once.
Size piece_size(const Volume& w, int workers) {
  constexpr Index kManyPieces = 4;
  const Extent &plane = w.axis[0].extent, &row = w.axis[w.axes - 2].extent;
  const Index enough = workers > 1 ? kManyPieces * workers : 1;
  Size size = {outputs_of(plane), outputs_of(row)};
  while (size.pieces(w) < enough || size.copied_bytes(w) > kCopiedBytes) {
    const double planes = double(size.planes) / double(plane.m);
    const double rows = double(size.rows) / double(at_least(row.m, kLeastRows));
    if (planes <= 1 && rows <= 1) break;
    Index& most = planes > rows ? size.planes : size.rows;
    most = ceil_div(most, 2);
  }
  return size;
}

// Counted row by row. Of a and of g, which is moved, it has the pictures alone that it meets.
Volume piece_of(Scratch& scratch, const Volume& w, Size size, Index piece, Array& g) {
  Convolved* axis = scratch.take<Convolved>(w.axes);
  std::copy_n(w.axis, w.axes, axis);
  Volume part = w;
  part.axis = axis;
  const auto cut = [&](int d, Index at, Index count) {
    Extent& e = axis[d].extent;
    e.lo += at * count;
    e.hi = at_most(e.hi, e.lo + count);
    part.out += at * count * axis[d].out;
  };
  const int row = w.axes - 2;
  const Index along = ceil_div(outputs_of(w.axis[row].extent), size.rows);
  cut(0, piece / along, size.planes);
  cut(row, piece % along, size.rows);
  for (int d = 0; d < row; ++d) {
    Extent& e = axis[d].extent;
    const Index taps = e.m;
    const Cut first = trim(e);
    part.a += first.sample * axis[d].a;
    g.data += (taps - first.tap - e.m) * g.stride[d];
  }
  return part;
}

// The samples that the outputs y read, in pictures beyond the ends of a as well.
Array padded(Scratch& scratch, const Volume& w, const Array& y) {
  const Index item = kItemSize[w.a_dtype];
  Array from = samples_of(scratch, w);
  const Array reach = samples_of(scratch, w);
  for (int d = w.axes - 2; d < w.axes; ++d) reach.shape[d] = y.shape[d] + w.axis[d].extent.m - 1;
  const Array x = dense_like(scratch, reach, item);
  memset(x.data, 0, size_t(x.shape[0] * x.stride[0]));
  Array to = {x.data, x.axes, from.shape, x.stride};
  for (int d = w.axes - 2; d < w.axes; ++d) {
    const Extent& e = w.axis[d].extent;
    const Index begin = e.lo - (e.m - 1), first = at_least(begin, 0);
    from.shape[d] = at_most(e.hi, e.n) - first;
    from.data += first * from.stride[d];
    to.data += (first - begin) * to.stride[d];
  }
  copy(to, from, item);
  return x;
}

// Has the kernel to be called for each column of taps?
bool goes_by_columns(const Volume& w, const KernelTable& table) {
  return w.channels > 1 && !table.spreads[pair_of(w.a_dtype, w.v_dtype)];
}

// Dense and reversed along every axis, row by row or column by column.
Array reversed_taps(Scratch& scratch, const Volume& w, bool by_columns) {
  const Index item = kItemSize[w.v_dtype];
  Array v = taps_of(scratch, w);
  for (int d = 0; d < w.axes; ++d) {
    v.data += (v.shape[d] - 1) * v.stride[d];
    v.stride[d] = -v.stride[d];
  }
  const auto turn = [&](const Array& x) {
    if (!by_columns) return;
    std::swap(x.shape[w.axes - 2], x.shape[w.axes - 1]);
    std::swap(x.stride[w.axes - 2], x.stride[w.axes - 1]);
  };
  turn(v);
  const Array g = dense_like(scratch, v, item);
  copy(g, v, item);
  turn(g);
  return g;
}

// Sums of pictures, as the kernel reads and writes them.
struct Sums {
  const Volume& w;
  Direct2D kernel;
  Index together;   // rows
  bool by_columns;  // the taps
  Array x, g, y;
  Index x_item, y_item, x_row, y_row, items;  // items of a row of outputs
  Context& context;

  // Along the axes from d on; fresh: y holds nothing yet.
  void add(int d, const char* samples, const char* taps, char* to, bool fresh) const {
    if (d == w.axes - 2) return add_picture(samples, taps, to, fresh);
    const Extent& e = w.axis[d].extent;
    for (Index i = 0; i < outputs_of(e); ++i) {
      const Index ahead = e.m - 1 - (e.lo + i);  // taps that lie before a
      const Index first = at_least(ahead, 0), last = at_most(e.m, ahead + e.n);
      for (Index k = first; k < last; ++k) {
        add(d + 1, samples + (k - ahead) * x.stride[d], taps + k * g.stride[d],
            to + i * y.stride[d], fresh && k == first);
      }
    }
  }

  // Of many taps, the rows near the ends, which do not meet all, come some at a time.
  void add_picture(const char* samples, const char* taps, char* to, bool fresh) const {
    const int d = w.axes - 2;
    const Extent& row = w.axis[d].extent;
    const double macs = double(items) * double(row.m) * double(columns().m);
    const Index most = at_least(Index(kPieceMacs / macs), together);
    const bool tall = at_most(row.m, row.n) >= 2 * together;
    for (Index r = row.lo, end; r < row.hi; r = end) {
      const Index inside = (row.n - r) / together * together;
      const Index some = tall && (r < row.m - 1 || inside <= 0) ? together : tall ? inside : most;
      end = at_most(row.hi, r + at_most(some, most));
      const Index first = at_least(row.m - end, 0), last = at_most(row.m, row.m - 1 - r + row.n);
      add_rows(samples + (r - row.lo + first) * x.stride[d], taps + first * g.stride[d],
               to + (r - row.lo) * y.stride[d], end - r, {first, last}, fresh);
    }
  }

  // Under channels the next sample is `channels` items away. What cannot step so far takes one
  // column of taps at a time.
  void add_rows(const char* samples, const char* taps, char* to, Index rows, Range of_taps,
                bool fresh) const {
    const Index kh = of_taps.last - of_taps.first, kw = columns().m;
    const auto taps_of = [&](const char* first, Index cols, Index spread) {
      return Taps2D{
          first, kh, cols, spread, of_taps.first, sweep_rows(w.axis[w.axes - 2].extent.m, kw)};
    };
    if (!by_columns) return call(samples, taps_of(taps, kw, w.channels), to, rows, fresh);
    for (Index k = 0; k < kw; ++k) {
      call(samples + k * x.stride[w.axes - 1], taps_of(taps + k * g.stride[w.axes - 1], 1, 1), to,
           rows, fresh && k == 0);
    }
  }

  // So many columns at a time as are a piece of work, and whole vectors.
  void call(const char* samples, const Taps2D& taps, char* to, Index rows, bool fresh) const {
    const double macs = double(rows) * double(taps.rows) * double(taps.cols);
    const bool whole = double(items) * macs <= kPieceMacs;
    const Index most =
        whole ? items : ceil_div(Index(kPieceMacs / macs) + 1, kVectorBytes) * kVectorBytes;
    for (Index i = 0; i < items; i += most) {
      const Index some = at_most(most, items - i);
      kernel(samples + i * x_item, x_row, taps, to + i * y_item, y_row, rows, some, !fresh);
      context.spend(kCallMacs + double(some) * macs);
    }
  }

  const Extent& columns() const { return w.axis[w.axes - 1].extent; }
};

// The least count from this one on of which each has so many items, and which are whole vectors.
Index whole_vectors(Index count, Index each, Index item, const KernelTable& table) {
  Index together = at_least(table.spectral[0].lanes * Index(sizeof(float)) / item, 1);
  for (; together % 2 == 0 && each % 2 == 0; each /= 2) together /= 2;
  return ceil_div(count, together) * together;
}

// Rows that the kernel cannot write as they lie, or that are no whole vectors, are copied.
void sum_piece(const Volume& w, const Array& g, Context& context) {
  const int cols = w.axes - 1;
  const fc_dtype result = result_dtype(w.a_dtype, w.v_dtype);
  const Index item = kItemSize[result];
  const Pair pair = pair_of(w.a_dtype, w.v_dtype);
  const KernelTable& table = context.kernels;
  Scratch scratch;
  const Array out = outputs_of(scratch, w), rounded = outputs_of(scratch, w);
  rounded.shape[cols] = whole_vectors(out.shape[cols], w.channels, item, table);
  const bool side_by_side =
      out.stride[out.axes - 1] == item && out.stride[cols] == item * w.channels;
  const bool direct = side_by_side && rounded.shape[cols] == out.shape[cols] &&
                      out.stride[cols - 1] % item == 0 &&
                      aligned(out.data, out.axes, out.stride, result);
  const Array y = direct ? out : dense_like(scratch, rounded, item);
  const Array x = padded(scratch, w, y);
  const Index x_item = kItemSize[w.a_dtype];
  const Sums sums = {w,
                     table.direct2d[pair],
                     table.tile_rows[pair],
                     goes_by_columns(w, table),
                     x,
                     g,
                     y,
                     x_item,
                     item,
                     x.stride[cols - 1] / x_item,
                     y.stride[cols - 1] / item,
                     y.shape[cols] * w.channels,
                     context};
  sums.add(0, x.data, g.data, y.data, true);
  if (!direct) copy(out, {y.data, y.axes, out.shape, y.stride}, item);
}

// ---------------------------------------------------------------------------
// Taps that are not finite, or longer than the picture

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

void sum_as_it_lies(const Volume& asked, double macs, Context& context) {
  const fc_dtype result = result_dtype(asked.a_dtype, asked.v_dtype);
  Scratch scratch;
  const Rows a(scratch, samples_of(scratch, asked), asked.a_dtype);
  const Rows v(scratch, taps_of(scratch, asked), asked.v_dtype);
  const Array to = outputs_of(scratch, asked);
  const Rows out(scratch, to, result, false);
  Convolved* axis = scratch.take<Convolved>(asked.axes);
  for (int d = 0; d < asked.axes; ++d) {
    axis[d] = {asked.axis[d].extent, a.stride[d], v.stride[d], out.stride[d]};
  }
  const Volume w = {asked.a_dtype, asked.v_dtype, asked.axes, axis, a.data, v.data, out.data};
  zero({out.data, w.axes, to.shape, out.stride}, kItemSize[result]);
  Problem p = picture_of(w);
  p.accumulate = true;
  add_pictures(w, 0, p, macs, context);
  out.finish();
}

}  // namespace

// Channels some at a time.
static void by_channels(Volume w, Index some, Context& context) {
  for (Index left = w.channels; left > 0; left -= w.channels) {
    w.channels = at_most(some, left);
    direct_volume(w, context);
    w.a += w.channels * w.a_next, w.out += w.channels * w.out_next;
  }
}

// So many that a piece of few rows is small.
static Index channels_together(const Volume& w) {
  constexpr Index kLeast = 16;
  const Size least = {1, kLeastRows};
  const double one = least.copied_bytes(w) / double(w.channels);
  return at_least(Index(kCopiedBytes / one), kLeast);
}

void direct_volume(const Volume& asked, Context& context) {
  if (asked.axes == 2) return direct(picture_of(asked), context);
  if (asked.channels > channels_together(asked)) {
    return by_channels(asked, channels_together(asked), context);
  }
  const Amount amount(asked);
  const bool swap = amount.taps > amount.samples;
  Scratch scratch;
  const Volume w = in_order(scratch, asked, swap);
  const double macs = amount.outputs * std::min(amount.taps, amount.samples) * double(w.channels);
  const Array g = reversed_taps(scratch, w, goes_by_columns(w, context.kernels));
  const Extent &row = w.axis[w.axes - 2].extent, &col = w.axis[w.axes - 1].extent;
  const bool finite = is_finite(w.v_dtype, g.data, product(g.axes, g.shape));
  if (!finite || row.m > row.n || col.m > col.n) {
    if (asked.channels > 1) return by_channels(asked, 1, context);
    return sum_as_it_lies(w, macs, context);
  }
  const Size size = piece_size(w, context.workers());
  const Index pieces = size.pieces(w);
  context.share(pieces, macs / double(pieces), [&](Context& own, Shares& shares) {
    Scratch local;
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        Array met = g;
        const Volume piece = piece_of(local, w, size, i, met);
        sum_piece(piece, met, own);
      }
    }
  });
}

Volume volume_of(Scratch& scratch, const Problem& p) {
  const int rows = p.leading ? p.leading->count : 1;
  Convolved* axis = scratch.take<Convolved>(rows + 1);
  axis[0] = {{p.rows, p.kh, p.row_lo, p.row_hi}, p.a_row, p.v_row, p.out_row};
  for (int d = 0; p.leading && d < rows; ++d) {
    const Leading& of = *p.leading;
    axis[d] = {of.axis[d], of.a[d], of.pitch[d] * p.v_row, of.out[d]};
  }
  axis[rows] = {{p.cols, p.kw, p.col_lo, p.col_hi}, a_step(p), kItemSize[p.v_dtype], out_step(p)};
  return {p.a_dtype, p.v_dtype, rows + 1, axis, p.a, p.v, p.out};
}

void summed(const Problem& p, Context& context) {
  if (!p.leading) return direct(p, context);
  Scratch scratch;
  direct_volume(volume_of(scratch, p), context);
}

}  // namespace fastconv
