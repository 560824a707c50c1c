// From a job of any shape and strides to dense problems of at most two axes.
//
// More than two axes: a volume as it lies or, for transforms, Kronecker's flattening: the rows of
// every leading index in one long column of rows, each group apart by what full convolution needs,
// are a 2-D convolution. Samples and results stay where they are.
#include "arrange.h"

#include <inttypes.h>
#include <string.h>

#include <algorithm>

#include "bands.h"
#include "shape.h"

namespace fastconv {
namespace {

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
  // Parts have no tiles that could be copied one by one.
  if (is_float(job.a_dtype) && job.accuracy == FC_COMPONENTWISE) s.turned = false;
  for (int d = 0; d < s.carried_count; ++d) {
    if (s.carried[d].count == 0) return;
  }
  for (int d = 0; d < s.axes; ++d) {
    if (s.axis[d].extent.lo == s.axis[d].extent.hi) return;
  }
  if (s.axes == 1) return solve_lines(s, how, solve, context);
  if (how.method == FC_DIRECT && s.carried_count > 0) {
    const Carried& last = s.carried[s.carried_count - 1];
    if (last.after && last.shared == FC_SHARES_V) s.channel = last, --s.carried_count;
  }
  for_each_index(s, s.carried, s.carried_count, macs_of(s), context,
                 [&](const Shape& at, Context& own) { solve_member(at, how, solve, own); });
}

}  // namespace fastconv
