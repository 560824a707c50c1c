// Lines that share a kernel, or a bank of them, become one problem, so that it is prepared once and
// short lines share vectors: the rows of an array under a kernel of one row where the convolved
// axis is the last, else its columns under a kernel of one column. Which, and so every bit of the
// result, follows from the order of the axes alone; arrays that lie otherwise in memory are copied,
// a few lines at a time, or of long lines by whoever reads and writes them, some samples at a time.
#include <inttypes.h>

#include "shape.h"

namespace fastconv {
namespace {

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
                 bool at_once, Solve solve, Context& context) {
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
  const Rows a = placed(scratch, view(s.a, e.n, along.a, lines.a, a_shape, a_stride), s.a_dtype,
                        true, at_once);
  const Index v_shape[] = {bank.count, e.m}, v_stride[] = {bank.v, along.v};
  const Rows v(scratch, {s.v, 2, v_shape, v_stride}, s.v_dtype);
  const View to = view(s.out, outputs, along.out, lines.out, out_shape + 1, out_stride + 1);
  out_shape[0] = bank.count, out_stride[0] = bank.out;
  const Rows out =
      placed(scratch, {to.data, 3, out_shape, out_stride}, s.out_dtype(), false, at_once);
  const Extent across = {count, 1, 0, count};
  Problem p = columns ? problem_of(s, e, across) : problem_of(s, across, e);
  p.a = a.data, p.a_row = a.stride[0], p.a_step = a.step();
  p.v = v.data, p.v_row = columns ? s.v_item() : 0;
  p.out = out.data, p.out_row = out.stride[1], p.out_step = out.step();
  p.kernels = bank.count, p.v_next = v.stride[0], p.out_next = out.stride[0];
  solve(p, s.swapped, context);
  out.finish();
}

// Many short lines that do not lie dense are copied a group at a time, as they are judged. So are
// those that lie between each other where each has a transform to itself, which would read and
// write every line of cache once for each of them: 200,000x8 takes half the time so.
void solve_even(const Shape& s, const Lines& lines, const Bank& bank, bool columns, bool one_shot,
                Solve solve, Context& context) {
  constexpr Index kCacheLine = 64, kFew = 3;
  const Extent& e = s.axis[0].extent;
  const bool at_once = one_shot && lines.count > kFew && imaxabs(lines.a) < kCacheLine;
  const Index line_bytes = (e.n + e.hi - e.lo) * s.out_item();
  const Index groups = line_groups(lines.count, line_bytes);
  const bool large = lines.count * line_bytes > groups * kCopied;
  if (lie_dense(s, lines, columns) || (large && !at_once && are_aligned(s, lines, bank))) {
    return solve_group(s, lines, {0, lines.count}, bank, columns, at_once, solve, context);
  }
  const double macs = macs_of(s) * double(bank.count) * double(lines.count) / double(groups);
  context.share_many(groups, macs, [&](Context& own, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index g = r.first; g < r.last; ++g) {
        const Range group = line_group(lines.count, line_bytes, g);
        solve_group(s, lines, group, bank, columns, at_once, solve, own);
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

// Lines or kernels that no one stride steps through: the kernels are copied, and a group of lines,
// and its results, at a time.
void solve_scattered(const Shape& s, const Carried* line, int line_count, const Carried* kernel,
                     int kernel_count, bool columns, Solve solve, Context& context) {
  const Convolved& along = s.axis[0];
  const Index n = along.extent.n, m = along.extent.m, outputs = along.extent.hi - along.extent.lo;
  const Index a_item = s.a_item(), v_item = s.v_item(), out_item = s.out_item();
  const Index count = product(line, line_count), kernels = product(kernel, kernel_count);
  const Carried last = line_count ? line[line_count - 1] : Carried{1, 0, 0, 0, FC_SHARES_V, false};
  Scratch scratch;
  Shape dense = s;
  dense.axis[0].a = a_item, dense.axis[0].v = v_item, dense.axis[0].out = out_item;
  const Index v_shape[] = {kernels, m};
  dense.v = scratch.take<char>(bytes_of(2, v_shape, v_item));
  for (Index k = 0; k < kernels; ++k) {
    copy_line(dense.v + k * m * v_item, v_item, s.v + Place(kernel, kernel_count, k).v, along.v, m,
              v_item);
  }
  const Index line_bytes = (n + outputs) * out_item, groups = line_groups(count, line_bytes);
  const auto solve_copied = [&](Range group, Context& own) {
    const Index some = group.last - group.first;
    Scratch copies;
    Shape part = dense;
    const Index a_shape[] = {some, n}, out_shape[] = {kernels, some, outputs};
    part.a = copies.take<char>(bytes_of(2, a_shape, a_item));
    part.out = s.out ? copies.take<char>(bytes_of(3, out_shape, out_item)) : nullptr;
    // Calls visit(first, lines, place) for those that lie evenly.
    const auto for_each_run = [&](auto visit) {
      for (Index i = group.first, run; i < group.last; i += run) {
        run = std::min(group.last - i, last.count - i % last.count);
        visit(i - group.first, run, Place(line, line_count, i));
      }
    };
    for_each_run([&](Index first, Index lines, const Place& at) {
      const Index shape[] = {lines, n}, here[] = {n * a_item, a_item}, there[] = {last.a, along.a};
      copy({part.a + first * n * a_item, 2, shape, here}, {s.a + at.a, 2, shape, there}, a_item);
    });
    const Lines lines = {some, n * a_item, outputs * out_item};
    const Bank bank = {kernels, m * v_item, some * outputs * out_item};
    solve_group(part, lines, {0, some}, bank, columns, false, solve, own);
    for (Index k = 0; s.out && k < kernels; ++k) {
      const Index own_place = Place(kernel, kernel_count, k).out;
      for_each_run([&](Index first, Index lines, const Place& at) {
        const Index shape[] = {lines, outputs};
        const Index here[] = {outputs * out_item, out_item}, there[] = {last.out, along.out};
        copy({s.out + own_place + at.out, 2, shape, there},
             {part.out + (k * some + first) * outputs * out_item, 2, shape, here}, out_item);
      });
    }
  };
  const double macs = macs_of(s) * double(kernels) * double(count) / double(groups);
  context.share_many(groups, macs, [&](Context& own, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index g = r.first; g < r.last; ++g) solve_copied(line_group(count, line_bytes, g), own);
    }
  });
}

// Columns fill whole vectors, and transforms take them where they fill the lanes.
bool columns_pay(const fc_candidate& how, fc_dtype result, Index count, const KernelTable& table) {
  if (how.method == FC_DIRECT) return count * kItemSize[result] >= 64;
  if (how.method != FC_OVERLAP || !how.lanes) return false;
  const bool single = is_float(result) && is_single(result);
  const Index group = table.spectral[!single].lanes * (is_complex(result) ? 1 : 2);
  return 4 * count >= 3 * ((count + group - 1) / group * group);
}

}  // namespace

void solve_lines(Shape s, const fc_candidate& how, Solve solve, Context& context) {
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
    even ? solve_even(at, together, kernels, columns, one_shot, solve, own)
         : solve_scattered(at, line, line_count, kernel, kernel_count, columns, solve, own);
  });
}

}  // namespace fastconv
