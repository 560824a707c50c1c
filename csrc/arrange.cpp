// From a job of any shape and strides to dense problems of at most two axes.
//
// Lines that share a kernel, or a bank of them, become one problem, so that it is prepared once and
// short lines share vectors: the rows of an array under a kernel of one row where the convolved
// axis is the last, else its columns under a kernel of one column. Which, and so every bit of the
// result, follows from the order of the axes alone; arrays that lie otherwise in memory are copied,
// a few lines at a time, or of long lines by whoever reads and writes them, some samples at a time.
//
// More than two axes: a volume as it lies or, for transforms, Kronecker's flattening: the rows of
// every leading index in one long column of rows, each group apart by what full convolution needs,
// are a 2-D convolution. Samples and results stay where they are.
#include "arrange.h"

#include <inttypes.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "bands.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

// Strides are in bytes.
struct Carried {
  Index count, a, v, out;
  fc_sharing shared;
  bool after;  // the convolved axes, in the caller's order
};

// A job with its trivial axes carried along and its operands in their final roles.
struct Shape {
  char *a, *v, *out;
  fc_dtype a_dtype, v_dtype;
  fc_spectra* spectra;
  bool swapped = false, turned = false;
  int carried_count = 0, axes = 0;
  Carried channel = {1, 0, 0, 0, FC_SHARES_V, true};  // of direct sums of two axes or more
  Carried carried[2 * FC_MAX_NDIM];
  Convolved axis[FC_MAX_NDIM];

  fc_dtype out_dtype() const { return result_dtype(a_dtype, v_dtype); }
  Index a_item() const { return kItemSize[a_dtype]; }
  Index v_item() const { return kItemSize[v_dtype]; }
  Index out_item() const { return kItemSize[out_dtype()]; }

  void carry(const Carried& c) {
    if (c.count != 1) carried[carried_count++] = c;
  }

  void swap() {
    std::swap(a, v);
    std::swap(a_dtype, v_dtype);
    for (int d = 0; d < carried_count; ++d) {
      Carried& c = carried[d];
      std::swap(c.a, c.v);
      c.shared = c.shared == FC_SHARES_A   ? FC_SHARES_V
                 : c.shared == FC_SHARES_V ? FC_SHARES_A
                                           : FC_SHARES_NONE;
    }
    for (int d = 0; d < axes; ++d) {
      std::swap(axis[d].a, axis[d].v);
      std::swap(axis[d].extent.n, axis[d].extent.m);
    }
    swapped = !swapped;
  }
};

Shape shape_of(const fc_job& job, bool transformed, const fc_array& a, const fc_array& v,
               const fc_array& out) {
  Shape s = {};
  s.a = static_cast<char*>(a.data), s.v = static_cast<char*>(v.data);
  s.out = static_cast<char*>(out.data);
  s.a_dtype = job.a_dtype, s.v_dtype = job.v_dtype;
  s.spectra = job.spectra;
  for (int d = 0; d < job.nbatch; ++d) {
    s.carry({job.batch[d], a.stride[d], v.stride[d], out.stride[d], job.shared[d],
             d >= job.nbatch - job.after});
  }
  int kept[FC_MAX_NDIM];
  const int count = s.axes = convolved_axes(job, kept);
  s.turned = count == 2 && kept[0] > kept[1];
  if (s.turned && !transformed) std::swap(kept[0], kept[1]), s.turned = false;
  const int behind = *std::max_element(kept, kept + count);
  for (int d = 0; d < job.ndim; ++d) {
    const Extent e = extent_of(job.axis[d]);
    const int at = job.nbatch + d;
    const Index a_stride = a.stride[at], v_stride = v.stride[at], out_stride = out.stride[at];
    const int* place = std::find(kept, kept + count, d);
    if (place < kept + count) {
      s.axis[place - kept] = {e, a_stride, v_stride, out_stride};
    } else if (e.m == 1) {
      s.a += e.lo * a_stride;
      s.carry({e.hi - e.lo, a_stride, 0, out_stride, FC_SHARES_V, d > behind});
    } else {
      s.v += e.lo * v_stride;
      s.carry({e.hi - e.lo, 0, v_stride, out_stride, FC_SHARES_A, d > behind});
    }
  }
  return s;
}

// What one of the convolutions of a shape takes, roughly: transforms 50 multiply-adds a sample.
double macs_of(const Shape& s) {
  double outputs = 1, taps = 1;
  for (int d = 0; d < s.axes; ++d) {
    const Extent& e = s.axis[d].extent;
    outputs *= double(e.hi - e.lo);
    taps *= double(std::min(e.m, e.n));
  }
  return outputs * std::min(taps, 50.0);
}

// Calls visit(shape, context) for every index of its carried axes, the pointers moved there.
template <class Visit>
void for_each_index(const Shape& s, const Carried* axes, int count, double macs, Context& context,
                    Visit visit) {
  Index all = 1;
  for (int d = 0; d < count; ++d) all *= axes[d].count;
  context.share_many(all, macs, [&](Context& own, Shares& shares) {
    Shape at = s;
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        at.a = s.a, at.v = s.v, at.out = s.out;
        Index rest = i;
        for (int d = count - 1; d >= 0; --d) {
          const Index index = rest % axes[d].count;
          at.a += axes[d].a * index, at.v += axes[d].v * index;
          if (at.out) at.out += axes[d].out * index;
          rest /= axes[d].count;
        }
        visit(at, own);
      }
    }
  });
}

Problem problem_of(const Shape& s, const Extent& row, const Extent& col) {
  Problem p = {};
  p.a_dtype = s.a_dtype, p.v_dtype = s.v_dtype;
  p.rows = row.n, p.kh = row.m, p.row_lo = row.lo, p.row_hi = row.hi;
  p.cols = col.n, p.kw = col.m, p.col_lo = col.lo, p.col_hi = col.hi;
  p.spectra = s.swapped ? nullptr : s.spectra;
  return p;
}

// An array in dense rows: a copy where they are not, and no more than kCopied bytes, or are read
// all at once. Else as it lies.
constexpr Index kCopied = Index(1) << 20;

Rows placed(Scratch& scratch, const View& from, fc_dtype dtype, bool reads, bool at_once = false) {
  const bool copies = at_once || bytes_of(from.ndim, from.shape, kItemSize[dtype]) <= kCopied ||
                      !aligned(from.data, from.ndim, from.stride, dtype);
  return copies ? Rows(scratch, from, dtype, reads) : Rows(from, dtype);
}

// ---------------------------------------------------------------------------
// One convolved axis

// Lines side by side, `a` and `out` bytes from one to the next.
struct Lines {
  Index count, a, out;
};

// The kernels of a bank, `v` and `out` bytes apart.
struct Bank {
  Index count, v, out;
};

// Lines that lie as the methods read and write them are one problem; others are copied,
// some at a time.
bool lie_dense(const Shape& s, const Lines& lines, bool columns) {
  const Convolved& along = s.axis[0];
  const Index a_step = columns ? lines.a : along.a, out_step = columns ? lines.out : along.out;
  return a_step == s.a_item() && (out_step == s.out_item() || !s.out);
}

bool are_aligned(const Shape& s, const Lines& lines, const Bank& bank) {
  const Convolved& along = s.axis[0];
  const Index a[] = {along.a, lines.a}, out[] = {along.out, lines.out, bank.out};
  return aligned(s.a, 2, a, s.a_dtype) && aligned(s.out, 3, out, s.out_dtype());
}

// Lines `first` .. `last` - 1 as one problem.
void solve_group(const Shape& s, const Lines& lines, Range group, const Bank& bank, bool columns,
                 Solve solve, Context& context) {
  const Convolved& along = s.axis[0];
  const Extent& e = along.extent;
  const Index outputs = e.hi - e.lo, count = group.last - group.first;
  Scratch scratch;
  const auto view = [&](char* data, Index length, Index step, Index next, Index* shape,
                        Index* stride) -> View {
    shape[columns] = count, stride[columns] = next;
    shape[!columns] = length, stride[!columns] = step;
    return {data ? data + group.first * next : nullptr, 2, shape, stride};
  };
  Index a_shape[2], a_stride[2], out_shape[3], out_stride[3];
  const Rows a =
      placed(scratch, view(s.a, e.n, along.a, lines.a, a_shape, a_stride), s.a_dtype, true);
  const Index v_shape[] = {bank.count, e.m}, v_stride[] = {bank.v, along.v};
  const Rows v(scratch, {s.v, 2, v_shape, v_stride}, s.v_dtype);
  const View to = view(s.out, outputs, along.out, lines.out, out_shape + 1, out_stride + 1);
  out_shape[0] = bank.count, out_stride[0] = bank.out;
  const Rows out = placed(scratch, {to.data, 3, out_shape, out_stride}, s.out_dtype(), false);
  const Extent across = {count, 1, 0, count};
  Problem p = columns ? problem_of(s, e, across) : problem_of(s, across, e);
  p.a = a.data, p.a_row = a.stride[0], p.a_step = a.step();
  p.v = v.data, p.v_row = columns ? s.v_item() : 0;
  p.out = out.data, p.out_row = out.stride[1], p.out_step = out.step();
  p.kernels = bank.count, p.v_next = v.stride[0], p.out_next = out.stride[0];
  solve(p, s.swapped, context);
  out.finish();
}

// Many short lines that do not lie dense are copied a group at a time, as they are judged.
void solve_lines(const Shape& s, const Lines& lines, const Bank& bank, bool columns, Solve solve,
                 Context& context) {
  const Extent& e = s.axis[0].extent;
  const Index line_bytes = (e.n + e.hi - e.lo) * s.out_item();
  const Index groups = line_groups(lines.count, line_bytes);
  const bool large = lines.count * line_bytes > groups * kCopied;
  if (lie_dense(s, lines, columns) || (large && are_aligned(s, lines, bank))) {
    return solve_group(s, lines, {0, lines.count}, bank, columns, solve, context);
  }
  const double macs = macs_of(s) * double(bank.count) * double(lines.count) / double(groups);
  context.share_many(groups, macs, [&](Context& own, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index g = r.first; g < r.last; ++g) {
        const Range group = line_group(lines.count, line_bytes, g);
        solve_group(s, lines, group, bank, columns, solve, own);
      }
    }
  });
}

// Axes of lines as one, where one stride steps through them.
bool merged(const Carried* axes, int count, Carried& one) {
  one = {1, 0, 0, 0, FC_SHARES_NONE, false};
  for (int d = count - 1; d >= 0; --d) {
    const Carried& next = axes[d];
    if (one.count == 1) {
      one = next;
    } else if (next.a == one.a * one.count && next.v == one.v * one.count &&
               next.out == one.out * one.count) {
      one.count *= next.count;
    } else {
      return false;
    }
  }
  return true;
}

// Lines or kernels that no one stride steps through: all arrays copied, dense.
void solve_scattered(Shape s, const Carried* line, int line_count, const Carried* kernel,
                     int kernel_count, bool columns, Solve solve, Context& context) {
  Scratch scratch;
  Convolved& along = s.axis[0];
  const Index outputs = along.extent.hi - along.extent.lo;
  struct Array {
    int ndim = 0;
    Index shape[2 * FC_MAX_NDIM], stride[2 * FC_MAX_NDIM], dense[2 * FC_MAX_NDIM];

    void add(Index count, Index step) { shape[ndim] = count, stride[ndim++] = step; }
    char* make_dense(Scratch& memory, Index item) {
      dense_strides(ndim, shape, item, dense);
      return memory.take<char>(bytes_of(ndim, shape, item));
    }
  } a, v, out;
  for (int d = 0; d < kernel_count; ++d) {
    v.add(kernel[d].count, kernel[d].v), out.add(kernel[d].count, kernel[d].out);
  }
  for (int d = 0; d < line_count; ++d) {
    a.add(line[d].count, line[d].a), out.add(line[d].count, line[d].out);
  }
  a.add(along.extent.n, along.a), v.add(along.extent.m, along.v), out.add(outputs, along.out);
  const auto copied = [&](Array& x, const char* from, Index item) {
    char* to = x.make_dense(scratch, item);
    copy({to, x.ndim, x.shape, x.dense}, {const_cast<char*>(from), x.ndim, x.shape, x.stride},
         item);
    return to;
  };
  char* const to = s.out;
  s.a = copied(a, s.a, s.a_item()), s.v = copied(v, s.v, s.v_item());
  s.out = to ? out.make_dense(scratch, s.out_item()) : nullptr;
  along.a = s.a_item(), along.v = s.v_item(), along.out = s.out_item();
  const Lines lines = {product(line_count, a.shape), along.extent.n * along.a, outputs * along.out};
  const Bank bank = {product(kernel_count, v.shape), along.extent.m * along.v,
                     lines.count * lines.out};
  solve_lines(s, lines, bank, columns, solve, context);
  if (!to) return;
  copy({to, out.ndim, out.shape, out.stride}, {s.out, out.ndim, out.shape, out.dense},
       s.out_item());
}

// Columns fill whole vectors, and transforms take them where they fill the lanes.
bool columns_pay(const fc_candidate& how, fc_dtype result, Index count, const KernelTable& table) {
  if (how.method == FC_DIRECT) return count * kItemSize[result] >= 64;
  if (how.method != FC_OVERLAP || !how.lanes) return false;
  const bool single = is_float(result) && is_single(result);
  const Index group = table.spectral[!single].lanes * (is_complex(result) ? 1 : 2);
  return 4 * count >= 3 * ((count + group - 1) / group * group);
}

void solve_one_axis(Shape s, const fc_candidate& how, Solve solve, Context& context) {
  int shared[3] = {0, 0, 0};
  for (int d = 0; d < s.carried_count; ++d) ++shared[s.carried[d].shared];
  const Extent& e = s.axis[0].extent;
  const bool lines = shared[FC_SHARES_V], bank = shared[FC_SHARES_A];
  const bool one_shot = how.method == FC_ONESHOT;
  // Of pairs the longer is the signal, unless it is a kernel whose spectrum is kept: one transform
  // of both does not ask. And of one signal and many kernels, each has one: they are the lines.
  const bool keeps = one_shot && s.spectra;
  if (!lines && (bank ? one_shot : e.m > e.n && !keeps)) s.swap();
  Index after = 1;
  for (int d = 0; d < s.carried_count; ++d) {
    const Carried& c = s.carried[d];
    if (c.shared == FC_SHARES_V && c.after) after *= c.count;
  }
  // Rows or columns of products with one tap are no lines of their own: judged in rows, always.
  const bool columns = after > 1 && (how.method == FC_DIRECT || e.m > 1) &&
                       columns_pay(how, s.out_dtype(), after, context.kernels);
  Carried line[2 * FC_MAX_NDIM], kernel[2 * FC_MAX_NDIM], outer[2 * FC_MAX_NDIM];
  int line_count = 0, kernel_count = 0, outer_count = 0;
  for (int d = 0; d < s.carried_count; ++d) {
    const Carried& c = s.carried[d];
    if (c.shared == FC_SHARES_A) {
      kernel[kernel_count++] = c;
    } else if (c.shared == FC_SHARES_V && (c.after || !columns)) {
      line[line_count++] = c;
    } else {
      outer[outer_count++] = c;
    }
  }
  Carried of_lines = {}, of_bank = {};
  const bool even = merged(line, line_count, of_lines) && merged(kernel, kernel_count, of_bank);
  const Lines together = {of_lines.count, of_lines.a, of_lines.out};
  const Bank kernels = {of_bank.count, of_bank.v, of_bank.out};
  double macs = macs_of(s);
  for (int d = 0; d < line_count; ++d) macs *= double(line[d].count);
  for (int d = 0; d < kernel_count; ++d) macs *= double(kernel[d].count);
  for_each_index(s, outer, outer_count, macs, context, [&](const Shape& at, Context& own) {
    even ? solve_lines(at, together, kernels, columns, solve, own)
         : solve_scattered(at, line, line_count, kernel, kernel_count, columns, solve, own);
  });
}

// ---------------------------------------------------------------------------
// Two axes and more

// A kernel's leading axes as one: its rows one behind another, with rows of zeros between.
const char* flattened(Scratch& scratch, const View& v, const Leading& axes, Index rows,
                      Index item) {
  const Index row_bytes = v.shape[axes.count] * item;
  char* data = scratch.take<char>(rows * row_bytes);
  memset(data, 0, size_t(rows * row_bytes));
  Index stride[FC_MAX_NDIM];
  for (int d = 0; d < axes.count; ++d) stride[d] = axes.pitch[d] * row_bytes;
  stride[axes.count] = item;
  copy({data, v.ndim, v.shape, stride}, v, item);
  return data;
}

// Do rows lie across the order of memory?
bool is_turned(const View& x) {
  const int last = x.ndim - 1;
  bool turned = false;
  for (int d = 0; d < last; ++d) {
    turned |= x.shape[d] > 1 && imaxabs(x.stride[d]) < imaxabs(x.stride[last]);
  }
  return turned;
}

// A picture, or the transforms of a volume. Tiles read and write what each has of rows that do not
// lie dense; of a volume that is turned round, or has but few columns, that takes 1.8 of the time
// of a copy of all.
void solve_rows(Shape s, const fc_candidate& how, Solve solve, Context& context) {
  constexpr Index kFewColumns = 32;
  const int ndim = s.axes, leading = ndim - 1;
  Leading axes;
  axes.count = leading;
  for (int d = 0; d < leading; ++d) axes.axis[d] = s.axis[d].extent;
  const auto rows_of = [&] {
    return leading > 1 ? flatten(axes.axis, leading, axes.pitch) : axes.axis[0];
  };
  Extent row = rows_of();
  if (swaps(row, s.axis[leading].extent)) {
    s.swap();
    for (int d = 0; d < leading; ++d) axes.axis[d] = s.axis[d].extent;
    row = rows_of();
  }
  Index n[FC_MAX_NDIM], m[FC_MAX_NDIM], count[FC_MAX_NDIM];
  Index a_stride[FC_MAX_NDIM], v_stride[FC_MAX_NDIM], out_stride[FC_MAX_NDIM];
  for (int d = 0; d < ndim; ++d) {
    const Convolved& axis = s.axis[d];
    n[d] = axis.extent.n, m[d] = axis.extent.m, count[d] = axis.extent.hi - axis.extent.lo;
    a_stride[d] = axis.a, v_stride[d] = axis.v, out_stride[d] = axis.out;
  }
  const View a_as_given = {s.a, ndim, n, a_stride}, v_as_given = {s.v, ndim, m, v_stride};
  const View out_as_given = {s.out, ndim, count, out_stride};
  Scratch scratch;
  const auto at_once = [&](const View& x) {
    const bool short_rows = x.shape[leading] < kFewColumns;
    return !transforms(how.method) || (leading > 1 && (short_rows || is_turned(x)));
  };
  const Rows a = placed(scratch, a_as_given, s.a_dtype, true, at_once(a_as_given));
  const Rows out = placed(scratch, out_as_given, s.out_dtype(), false, at_once(out_as_given));
  Problem p = problem_of(s, row, s.axis[leading].extent);
  p.a = a.data, p.a_row = a.stride[0], p.a_step = a.step();
  p.out = out.data, p.out_row = out.stride[0], p.out_step = out.step();
  if (leading > 1) {
    std::copy_n(a.stride, leading, axes.a);
    std::copy_n(out.stride, leading, axes.out);
    p.v = flattened(scratch, v_as_given, axes, row.m, s.v_item());
    p.v_row = m[leading] * s.v_item();
    p.leading = &axes;
    solve(p, s.swapped, context);
  } else {
    const Rows v(scratch, v_as_given, s.v_dtype);
    p.v = v.data, p.v_row = v.stride[0];
    solve(p, s.swapped, context);
  }
  out.finish();
}

// A narrow picture, turned round: it is copied, and its result after, some tiles at a time. Of
// 300,000x40 by 15x15 in f64 that takes 0.55 of the time of copies of all.
void solve_turned(const Shape& s, const fc_candidate& how, Solve solve, Context& context) {
  constexpr double kCopied = 768 << 10;
  const Convolved& along = s.axis[1];
  const Extent &row = s.axis[0].extent, &col = along.extent;
  if (how.method != FC_OVERLAP || swaps(row, col)) return solve_rows(s, how, solve, context);
  const Index pair = 2 * (how.block[1] - col.m + 1);
  const double bytes = double(row.n + row.hi - row.lo) * double(pair * s.out_item());
  const Bands bands = cut_into_bands(col.hi - col.lo, pair, kCopied / bytes);
  if (bands.count == 1) return solve_rows(s, how, solve, context);
  for_each_band(bands, macs_of(s), s.spectra, context,
                [&](Range outputs, fc_spectra* spectra, Context& own) {
                  Shape part = s;
                  Extent& e = part.axis[1].extent;
                  e.hi = e.lo + outputs.last, e.lo += outputs.first;
                  const Cut cut = trim(e);
                  part.a += cut.sample * along.a, part.v += cut.tap * along.v;
                  if (part.out) part.out += outputs.first * along.out;
                  part.spectra = spectra;
                  solve_rows(part, how, solve, own);
                });
}

void solve_member(const Shape& s, const fc_candidate& how, Solve solve, Context& context) {
  const int ndim = s.axes;
  const Carried& c = s.channel;
  if (transforms(how.method)) {
    return s.turned ? solve_turned(s, how, solve, context) : solve_rows(s, how, solve, context);
  }
  if (ndim == 2 && c.count == 1) return solve_rows(s, how, solve, context);
  if (!s.out) return;
  Convolved axis[FC_MAX_NDIM + 1] = {{{1, 1, 0, 1}, 0, 0, 0}};
  std::copy_n(s.axis, ndim, axis + 1);
  const bool picture = ndim == 2;
  direct_volume(
      {s.a_dtype, s.v_dtype, ndim + picture, axis + !picture, s.a, s.v, s.out, c.count, c.a, c.out},
      context);
}

}  // namespace

void arrange(const fc_job& job, const fc_candidate& how, const fc_array& a, const fc_array& v,
             const fc_array& out, Solve solve, Context& context) {
  Shape s = shape_of(job, transforms(how.method), a, v, out);
  for (int d = 0; d < s.carried_count; ++d) {
    if (s.carried[d].count == 0) return;
  }
  for (int d = 0; d < s.axes; ++d) {
    if (s.axis[d].extent.lo == s.axis[d].extent.hi) return;
  }
  if (s.axes == 1) return solve_one_axis(s, how, solve, context);
  if (how.method == FC_DIRECT && s.carried_count > 0) {
    const Carried& last = s.carried[s.carried_count - 1];
    if (last.after && last.shared == FC_SHARES_V) s.channel = last, --s.carried_count;
  }
  for_each_index(s, s.carried, s.carried_count, macs_of(s), context,
                 [&](const Shape& at, Context& own) { solve_member(at, how, solve, own); });
}

}  // namespace fastconv
