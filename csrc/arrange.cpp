// From a job of any shape and strides to dense problems of at most two axes.
//
// Batch axes along which the kernel is the same become the rows of one problem of
// lines, so that its kernel is prepared once and short lines share vectors:
//
//   lines     contiguous in memory: a kernel of one row on many rows;
//   columns   side by side in memory: a kernel of one column on many columns;
//   neither   copied into lines, a few at a time, and back.
//
// More than two axes: sums of products of 2-D slices, or, for transforms, Kronecker's
// flattening: the rows of every leading index in one long column of rows, each group
// apart by what full convolution needs, are a 2-D convolution.
#include "arrange.h"

#include <string.h>

#include <utility>

#include "lengths.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

// Strides are in bytes.
struct Carried {
  Index count, a, v, out;
  fc_sharing shared;
};
struct Convolved {
  Extent extent;
  Index a, v, out;
};

// A job with its trivial axes carried along and its operands in their final roles.
struct Shape {
  char *a, *v, *out;
  fc_dtype a_dtype, v_dtype;
  bool swapped = false;
  int carried_count = 0, axes = 0;
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

Shape shape_of(const fc_job& job, const fc_array& a, const fc_array& v, const fc_array& out) {
  Shape s = {};
  s.a = static_cast<char*>(a.data), s.v = static_cast<char*>(v.data);
  s.out = static_cast<char*>(out.data);
  s.a_dtype = job.a_dtype, s.v_dtype = job.v_dtype;
  for (int d = 0; d < job.nbatch; ++d) {
    s.carry({job.batch[d], a.stride[d], v.stride[d], out.stride[d], job.shared[d]});
  }
  int kept[FC_MAX_NDIM];
  const int count = convolved_axes(job, kept);
  for (int d = 0; d < job.ndim; ++d) {
    const Extent e = resolve(job, d);
    const int at = job.nbatch + d;
    const Index a_stride = a.stride[at], v_stride = v.stride[at], out_stride = out.stride[at];
    if (s.axes < count && kept[s.axes] == d) {
      s.axis[s.axes++] = {e, a_stride, v_stride, out_stride};
    } else if (e.m == 1) {
      s.a += e.lo * a_stride;
      s.carry({e.hi - e.lo, a_stride, 0, out_stride, FC_SHARES_V});
    } else {
      s.v += e.lo * v_stride;
      s.carry({e.hi - e.lo, 0, v_stride, out_stride, FC_SHARES_A});
    }
  }
  return s;
}

// Calls visit(shape) for every index of its carried axes, the pointers moved there.
template <class Visit>
void for_each_index(const Shape& s, const Carried* axes, int count, Visit visit) {
  Index index[2 * FC_MAX_NDIM] = {};
  Shape at = s;
  for (;;) {
    visit(at);
    int d = count - 1;
    for (; d >= 0; --d) {
      at.a += axes[d].a, at.v += axes[d].v, at.out += axes[d].out;
      if (++index[d] < axes[d].count) break;
      at.a -= axes[d].a * axes[d].count, at.v -= axes[d].v * axes[d].count;
      at.out -= axes[d].out * axes[d].count;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

Problem problem_of(const Shape& s, const Extent& row, const Extent& col) {
  Problem p = {};
  p.a_dtype = s.a_dtype, p.v_dtype = s.v_dtype;
  p.rows = row.n, p.kh = row.m, p.row_lo = row.lo, p.row_hi = row.hi;
  p.cols = col.n, p.kw = col.m, p.col_lo = col.lo, p.col_hi = col.hi;
  return p;
}

constexpr Extent kOne = {1, 1, 0, 1};

Extent side_by_side(Index count) { return {count, 1, 0, count}; }

// ---------------------------------------------------------------------------
// One convolved axis

// Lines that are copied are so many at a time that they stay in L2.
constexpr Index kCopiedBytes = Index(512) << 10;
constexpr Index kCopiedLines = 64;

// Adjacent axes that one stride steps through become one.
int merged(Carried* axes, int count) {
  for (int i = 0; i < count; ++i) {  // the widest steps first
    for (int j = i + 1; j < count; ++j) {
      if (axes[j].out > axes[i].out) std::swap(axes[i], axes[j]);
    }
  }
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    Carried& outer = axes[kept - (kept > 0)];
    const Carried& inner = axes[i];
    if (kept && outer.a == inner.a * inner.count && outer.out == inner.out * inner.count) {
      outer = {outer.count * inner.count, inner.a, inner.v, inner.out, inner.shared};
    } else {
      axes[kept++] = inner;
    }
  }
  return kept;
}

// Columns fill whole vectors, and transforms take them where they fill the lanes.
bool columns_pay(const fc_candidate& how, fc_dtype result, Index count, const KernelTable& table) {
  if (how.method == FC_DIRECT) return count * kItemSize[result] >= 64;
  if (how.method != FC_OVERLAP || !how.lanes) return false;
  const bool complex = is_complex(result);
  const Index group = table.spectral[!is_single(result)].lanes * (complex ? 1 : 2);
  return 4 * count >= 3 * ((count + group - 1) / group * group);
}

void solve_columns(const Shape& s, const Carried& across, Solve solve) {
  const Convolved& along = s.axis[0];
  Scratch scratch;
  const Rows v(scratch, {s.v, 1, &along.extent.m, &along.v}, s.v_dtype);
  Problem p = problem_of(s, along.extent, side_by_side(across.count));
  p.a = s.a, p.a_row = along.a;
  p.v = v.data, p.v_row = s.v_item();
  p.out = s.out, p.out_row = along.out;
  solve(p, s.swapped);
}

void solve_lines(Shape s, const Carried& across, Solve solve) {
  const Convolved& along = s.axis[0];
  const Extent& e = along.extent;
  const Index a_stride[] = {across.a, along.a}, out_stride[] = {across.out, along.out};
  const bool dense = (along.a == s.a_item() || e.n == 1) &&
                     (along.out == s.out_item() || e.hi - e.lo == 1 || !s.out);
  const Index fit = kCopiedBytes / ((e.n + e.hi - e.lo) * s.out_item());
  const Index some = dense || fit > across.count ? across.count
                     : fit < kCopiedLines        ? kCopiedLines
                                                 : fit;
  for (Index done = 0; done < across.count; done += some) {
    Scratch scratch;
    const Index count = across.count - done < some ? across.count - done : some;
    const Index a_shape[] = {count, e.n}, out_shape[] = {count, e.hi - e.lo};
    const Rows a(scratch, {s.a, 2, a_shape, a_stride}, s.a_dtype);
    const Rows v(scratch, {s.v, 1, &e.m, &along.v}, s.v_dtype);
    const Rows out(scratch, {s.out, 2, out_shape, out_stride}, s.out_dtype(), false);
    Problem p = problem_of(s, side_by_side(count), e);
    p.a = a.data, p.a_row = a.stride[0];
    p.v = v.data;
    p.out = out.data, p.out_row = out.stride[0];
    const bool swap = count == 1 && e.m > e.n;
    solve(swap ? swapped(p) : p, s.swapped != swap);
    out.finish();
    s.a += some * across.a;
    s.out += s.out ? some * across.out : 0;
  }
}

void solve_one_axis(Shape s, const fc_candidate& how, Solve solve, const KernelTable& table) {
  // One signal under a bank of kernels: the kernels are the lines.
  int lines = 0, banks = 0;
  for (int d = 0; d < s.carried_count; ++d) {
    lines += s.carried[d].shared == FC_SHARES_V;
    banks += s.carried[d].shared == FC_SHARES_A;
  }
  if (!lines && banks) s.swap();
  Carried line[2 * FC_MAX_NDIM], outer[2 * FC_MAX_NDIM];
  int line_count = 0, outer_count = 0;
  for (int d = 0; d < s.carried_count; ++d) {
    const Carried& c = s.carried[d];
    (c.shared == FC_SHARES_V ? line[line_count++] : outer[outer_count++]) = c;
  }
  line_count = merged(line, line_count);
  const fc_dtype result = s.out_dtype();
  const bool dense = s.axis[0].a == s.a_item() && (s.axis[0].out == s.out_item() || !s.out);
  int chosen = -1;
  bool columns = false;
  for (int d = 0; d < line_count && !dense; ++d) {
    const Index stride[] = {s.axis[0].a, line[d].a}, out_stride[] = {s.axis[0].out, line[d].out};
    columns = line[d].a == s.a_item() && line[d].out == s.out_item() &&
              aligned(s.a, 2, stride, s.a_dtype) && aligned(s.out, 2, out_stride, result) &&
              columns_pay(how, result, line[d].count, table);
    if (columns) {
      chosen = d;
      break;
    }
  }
  for (int d = 0; d < line_count && !columns; ++d) {
    if (chosen < 0 || line[d].count > line[chosen].count) chosen = d;
  }
  const Carried alone = {1, 0, 0, 0, FC_SHARES_V};
  const Carried across = chosen < 0 ? alone : line[chosen];
  for (int d = 0; d < line_count; ++d) {
    if (d != chosen) outer[outer_count++] = line[d];
  }
  for_each_index(s, outer, outer_count, [&](const Shape& at) {
    columns ? solve_columns(at, across, solve) : solve_lines(at, across, solve);
  });
}

// ---------------------------------------------------------------------------
// Two axes and more

// Each 2-D slice of the result is the sum of the 2-D convolutions of those slices of
// a and v whose leading indices add up to its own.
struct Slices {
  const Convolved* axis;
  int leading;
  const Index *a, *v, *out;  // strides
  Solve solve;
  bool swapped;

  void add(const Problem& p, int d) const {
    if (d == leading) return solve(p, swapped);
    const Extent& e = axis[d].extent;
    Problem q = p;
    for (Index i = e.lo; i < e.hi; ++i) {
      for (Index k = 0; k < e.m; ++k) {
        if (i - k < 0 || i - k >= e.n) continue;
        q.a = p.a + (i - k) * a[d];
        q.v = p.v + k * v[d];
        q.out = p.out + (i - e.lo) * out[d];
        add(q, d + 1);
      }
    }
  }
};

// Rows of an N-D array, dense or not, as rows of a 2-D one, `pitch[d]` rows apart.
void copy_rows(const char* from, const Index* from_stride, char* to, const Index* to_stride,
               const Index* count, int leading, Index row_bytes) {
  if (leading == 0) {
    memcpy(to, from, size_t(row_bytes));
    return;
  }
  for (Index i = 0; i < *count; ++i) {
    copy_rows(from + i * *from_stride, from_stride + 1, to + i * *to_stride, to_stride + 1,
              count + 1, leading - 1, row_bytes);
  }
}

struct Flat {
  char* data;
  Index row_bytes;
};

// The leading axes of an operand in one, zero rows between.
Flat flattened(Scratch& scratch, const Rows& rows, const Index* count, const Index* pitch,
               int leading, Index length, Index row_bytes) {
  char* data = scratch.take<char>(length * row_bytes);
  memset(data, 0, size_t(length * row_bytes));
  Index stride[FC_MAX_NDIM];
  for (int d = 0; d < leading; ++d) stride[d] = pitch[d] * row_bytes;
  copy_rows(rows.data, rows.stride, data, stride, count, leading, row_bytes);
  return {data, row_bytes};
}

void solve_flattened(const Shape& s, const Rows& a, const Rows& v, const Rows& out, Solve solve) {
  const int leading = s.axes - 1;
  Extent extent[FC_MAX_NDIM];
  Index n[FC_MAX_NDIM], m[FC_MAX_NDIM], count[FC_MAX_NDIM], pitch[FC_MAX_NDIM];
  for (int d = 0; d <= leading; ++d) {
    extent[d] = s.axis[d].extent;
    n[d] = extent[d].n, m[d] = extent[d].m, count[d] = extent[d].hi - extent[d].lo;
  }
  const Extent row = flatten(extent, leading, pitch);
  const Extent& col = extent[leading];
  Scratch scratch;
  const Flat fa = flattened(scratch, a, n, pitch, leading, row.n, col.n * s.a_item());
  const Flat fv = flattened(scratch, v, m, pitch, leading, row.m, col.m * s.v_item());
  const Index out_bytes = count[leading] * s.out_item();
  Problem p = problem_of(s, row, col);
  p.a = fa.data, p.a_row = fa.row_bytes;
  p.v = fv.data, p.v_row = fv.row_bytes;
  p.out = s.out ? scratch.take<char>((row.hi - row.lo) * out_bytes) : nullptr;
  p.out_row = out_bytes;
  const bool swap = swaps(row, col);
  solve(swap ? swapped(p) : p, s.swapped != swap);
  if (!s.out) return;
  Index stride[FC_MAX_NDIM];
  for (int d = 0; d < leading; ++d) stride[d] = pitch[d] * out_bytes;
  copy_rows(p.out, stride, out.data, out.stride, count, leading, out_bytes);
}

void solve_member(const Shape& s, const fc_candidate& how, Solve solve) {
  Scratch scratch;
  const int ndim = s.axes;
  Index n[FC_MAX_NDIM], m[FC_MAX_NDIM], count[FC_MAX_NDIM];
  Index a_stride[FC_MAX_NDIM], v_stride[FC_MAX_NDIM], out_stride[FC_MAX_NDIM];
  for (int d = 0; d < ndim; ++d) {
    const Convolved& axis = s.axis[d];
    n[d] = axis.extent.n, m[d] = axis.extent.m, count[d] = axis.extent.hi - axis.extent.lo;
    a_stride[d] = axis.a, v_stride[d] = axis.v, out_stride[d] = axis.out;
  }
  const Rows a(scratch, {s.a, ndim, n, a_stride}, s.a_dtype);
  const Rows v(scratch, {s.v, ndim, m, v_stride}, s.v_dtype);
  const Rows out(scratch, {s.out, ndim, count, out_stride}, s.out_dtype(), false);
  const Extent &row = s.axis[ndim - 2].extent, &col = s.axis[ndim - 1].extent;
  Problem p = problem_of(s, row, col);
  p.a = a.data, p.v = v.data, p.out = out.data;
  p.a_row = a.stride[ndim - 2], p.v_row = v.stride[ndim - 2], p.out_row = out.stride[ndim - 2];
  if (ndim == 2) {
    const bool swap = swaps(row, col);
    solve(swap ? swapped(p) : p, s.swapped != swap);
  } else if (how.method != FC_DIRECT) {
    solve_flattened(s, a, v, out, solve);
  } else if (s.out) {
    zero({out.data, ndim, count, out.stride}, s.out_item());
    p.accumulate = true;
    Slices{s.axis, ndim - 2, a.stride, v.stride, out.stride, solve, s.swapped}.add(p, 0);
  }
  out.finish();
}

}  // namespace

void arrange(const fc_job& job, const fc_candidate& how, const fc_array& a, const fc_array& v,
             const fc_array& out, Solve solve, Context& context) {
  const Shape s = shape_of(job, a, v, out);
  for (int d = 0; d < s.carried_count; ++d) {
    if (s.carried[d].count == 0) return;
  }
  for (int d = 0; d < s.axes; ++d) {
    if (s.axis[d].extent.lo == s.axis[d].extent.hi) return;
  }
  if (s.axes == 1) return solve_one_axis(s, how, solve, context.kernels);
  for_each_index(s, s.carried, s.carried_count,
                 [&](const Shape& at) { solve_member(at, how, solve); });
}

}  // namespace fastconv
