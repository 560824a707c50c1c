// What the axes of a job come to: which are truly convolved, what lies beyond their
// ends, and several of them as one. Pure.
#include <algorithm>
#include <utility>

#include "engine.h"
#include "lengths.h"

namespace fastconv {

bool extends(const fc_job& job) {
  bool zeros = job.fill[0] == 0 && job.fill[1] == 0 && job.fill_bits == 0;
  bool reads = false;
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    zeros &= x.boundary == FC_FILL;
    reads |= x.lo < x.m - 1 || x.hi > x.n;
  }
  return reads && !zeros;
}

Extent extent_of(const fc_axis& axis) { return {axis.n, axis.m, axis.lo, axis.hi}; }

// Transforms of few columns fill few lanes: 2,000x4 by 200x3 takes 0.41 of the time across,
// 4,000x40 by 200x21 0.88.
static bool is_narrow_strip(const Extent& rows, const Extent& cols) {
  constexpr Index kNarrow = 40, kLong = 8;
  const Index width = cols.hi - cols.lo;
  return width <= kNarrow && (rows.hi - rows.lo) / kLong >= width;
}

// Where one operand has a single sample, products are not added up.
int convolved_axes(const fc_job& job, int* axes) {
  int count = 0, longest = job.ndim - 1;
  for (int d = job.ndim - 1; d >= 0; --d) {
    const Extent e = extent_of(job.axis[d]), l = extent_of(job.axis[longest]);
    if (size_t(e.n) + size_t(e.m) > size_t(l.n) + size_t(l.m)) longest = d;
  }
  for (int d = 0; d < job.ndim; ++d) {
    const Extent e = extent_of(job.axis[d]);
    if (e.n > 1 && e.m > 1) axes[count++] = d;
  }
  if (count == 0) axes[count++] = longest;
  if (count < 2 || job.in_order) return count;
  if (count == 2) {
    const Extent rows = extent_of(job.axis[axes[0]]), cols = extent_of(job.axis[axes[1]]);
    if (is_narrow_strip(rows, cols)) std::swap(axes[0], axes[1]);
    return count;
  }
  Extent extent[FC_MAX_NDIM];
  int order[FC_MAX_NDIM], as_given[FC_MAX_NDIM];
  for (int d = 0; d < count; ++d) extent[d] = extent_of(job.axis[axes[d]]), as_given[d] = axes[d];
  longest_last(extent, count, order);
  for (int d = 0; d < count; ++d) axes[d] = as_given[order[d]];
  return count;
}

void longest_last(const Extent* extent, int count, int* order) {
  constexpr double kDense = 4;
  double weight[FC_MAX_NDIM];
  for (int d = 0; d < count; ++d) {
    const double own = double(extent[d].hi - extent[d].lo) * (d == count - 1 ? kDense : 1);
    int at = d;
    for (; at > 0 && weight[at - 1] > own; --at) {
      weight[at] = weight[at - 1], order[at] = order[at - 1];
    }
    weight[at] = own, order[at] = d;
  }
}

// 2^48 complex points are 4 PB. What is no longer may be doubled and rounded up without
// leaving Index.
bool transforms_fit(const Extent* extent, int count) {
  double points = 1;
  for (int d = 0; d < count; ++d) points *= double(extent[d].n) + double(extent[d].m);
  return points < 0x1p48;
}

Cut trim(Extent& e) {
  const Cut first = {std::max<Index>(e.lo - (e.m - 1), 0), std::max<Index>(e.lo - (e.n - 1), 0)};
  e.m = std::min(e.hi, e.m) - first.tap;
  e.n = std::min(e.hi, e.n) - first.sample;
  e.lo -= first.tap + first.sample;
  e.hi -= first.tap + first.sample;
  return first;
}

// Flattened rows are counted from their first.
Problem trimmed(Problem p) {
  Extent row = {p.rows, p.kh, p.row_lo, p.row_hi}, col = {p.cols, p.kw, p.col_lo, p.col_hi};
  const Cut rows = p.leading ? Cut{0, 0} : trim(row), cols = trim(col);
  p.rows = row.n, p.kh = row.m, p.row_lo = row.lo, p.row_hi = row.hi;
  p.cols = col.n, p.kw = col.m, p.col_lo = col.lo, p.col_hi = col.hi;
  p.a += rows.sample * p.a_row + cols.sample * a_step(p);
  p.v += rows.tap * p.v_row + cols.tap * kItemSize[p.v_dtype];
  return p;
}

// Index (i_0, .., i_{k-1}) becomes sum_d i_d pitch_d. An axis inside another wraps
// round within its pitch: so long that no wrapped term falls on a wanted output.
Extent flatten(const Extent* extent, int count, Index* pitch) {
  Index step = 1;
  for (int d = count - 1; d >= 0; --d) {
    const Extent& e = extent[d];
    pitch[d] = step;
    Index length = cyclic_length(e.n, e.m, e.lo, e.hi);
    length = length > e.n ? length : e.n;
    step *= length > e.m ? length : e.m;
  }
  return flattened(extent, count, pitch);
}

Extent flattened(const Extent* extent, int count, const Index* pitch) {
  Extent flat = {1, 1, 0, 1};
  for (int d = 0; d < count; ++d) {
    flat.n += (extent[d].n - 1) * pitch[d];
    flat.m += (extent[d].m - 1) * pitch[d];
    flat.lo += extent[d].lo * pitch[d];
    flat.hi += (extent[d].hi - 1) * pitch[d];
  }
  return flat;
}

LyingRows rows_of_a(const Problem& p) { return {p, true}; }
LyingRows rows_of_out(const Problem& p) { return {p, false}; }

void LyingRows::lie(char* data, Index first, Index last, Index stride) {
  data_ = data, first_ = first, last_ = last, stride_ = stride;
}

// The indices that have rows.
Range LyingRows::of_axis(int d) const {
  const Extent& e = p_.leading->axis[d];
  return of_a_ ? Range{0, e.n} : Range{e.lo, e.hi};
}

// The rows around r along the last axis, or those from r on of which there are none.
void LyingRows::find(Index r) {
  char* row = of_a_ ? const_cast<char*>(p_.a) : p_.out;
  const Range all = of_a_ ? Range{0, p_.rows} : Range{p_.row_lo, p_.row_hi};
  if (r < all.first || r >= all.last) return lie(nullptr, r, r + 1, 0);
  if (!p_.leading) return lie(row, all.first, all.last, of_a_ ? p_.a_row : p_.out_row);
  const Leading& axes = *p_.leading;
  const int last = axes.count - 1;
  Index rest = r, behind = all.last;  // this row within its axis, the first behind that
  for (int d = 0; d <= last; ++d) {
    const Range there = of_axis(d);
    const Index stride = of_a_ ? axes.a[d] : axes.out[d], i = rest / axes.pitch[d];
    if (i < there.first) return lie(nullptr, r, r - rest + there.first * axes.pitch[d], 0);
    if (i >= there.last) return lie(nullptr, r, behind, 0);
    if (d == last) return lie(row, r - i + there.first, r - i + there.last, stride);
    row += (i - there.first) * stride;
    rest -= i * axes.pitch[d];
    behind = r - rest + axes.pitch[d];
  }
}

static void put_in_rows(Problem& p, Index (Leading::*stride)[FC_MAX_NDIM], Index row,
                        Leading& own) {
  if (!p.leading) return;
  if (p.leading != &own) own = *p.leading;
  p.leading = &own;
  for (int d = 0; d < own.count; ++d) (own.*stride)[d] = own.pitch[d] * row;
}

void put_a_in_rows(Problem& p, const char* a, Index row, Leading& own) {
  p.a = a, p.a_row = row, p.a_step = kDense;
  put_in_rows(p, &Leading::a, row, own);
}

void put_out_in_rows(Problem& p, char* out, Index row, Leading& own) {
  p.out = out, p.out_row = row, p.out_step = kDense;
  put_in_rows(p, &Leading::out, row, own);
}

// These fill the lanes of any level.
constexpr Index kLaneLines = 32;

// So many lines that they stay in L2, and fill all lanes: what shares a transform is then the same
// in one problem as in several.
static Index lines_together(Index line_bytes) {
  constexpr Index kTogetherBytes = Index(512) << 10;
  const Index some = kTogetherBytes / line_bytes / kLaneLines * kLaneLines;
  return some > kLaneLines ? some : kLaneLines;
}

// Fewer than fill the lanes are not left alone, where they would share them otherwise.
Index line_groups(Index count, Index line_bytes) {
  const Index some = lines_together(line_bytes);
  return count < kLaneLines ? 1 : (count - kLaneLines) / some + 1;
}

Range line_group(Index count, Index line_bytes, Index group) {
  const Index some = lines_together(line_bytes), first = group * some;
  return {first, group + 1 == line_groups(count, line_bytes) ? count : first + some};
}

Problem kernel_of(Problem p, Index k, int v_digit, int out_digit) {
  p.v += k * p.v_next + v_digit * p.v_digits.next;
  p.out += p.out ? k * p.out_next + out_digit * p.out_digits.next : 0;
  p.kernels = 1;
  return p;
}

Problem swapped(Problem p) {
  const Problem q = p;
  p.a_dtype = q.v_dtype, p.rows = q.kh, p.cols = q.kw, p.a = q.v, p.a_row = q.v_row;
  p.v_dtype = q.a_dtype, p.kh = q.rows, p.kw = q.cols, p.v = q.a, p.v_row = q.a_row;
  p.spectra = nullptr, p.leading = nullptr;
  return p;
}

fc_candidate chosen_for(const Problem& p, fc_accuracy accuracy) {
  fc_job job = {};
  job.a_dtype = p.a_dtype, job.v_dtype = p.v_dtype;
  job.in_order = 1;
  job.accuracy = accuracy;
  // Parts have sides along each axis, a transform is of all flattened ones.
  const auto add = [&](const Extent& e) { job.axis[job.ndim++] = {e.n, e.m, e.lo, e.hi, FC_FILL}; };
  if (p.leading && accuracy == FC_COMPONENTWISE) {
    for (int d = 0; d < p.leading->count; ++d) add(p.leading->axis[d]);
  } else {
    add({p.rows, p.kh, p.row_lo, p.row_hi});
  }
  add({p.cols, p.kw, p.col_lo, p.col_hi});
  job.workers = 1;
  fc_plan plan;
  fc_choose(&job, &plan);
  // Columns beside each other are transformed as they lie, in lanes that they have to fill.
  const bool columns = p.kw == 1 && p.kh > 1 && accuracy != FC_COMPONENTWISE;
  const bool fill = p.kh <= p.rows && p.cols * kItemSize[p.a_dtype] >= 64;
  if (columns && !(fill && plan.chosen.lanes)) plan.chosen.method = FC_DIRECT;
  return plan.chosen;
}

bool swaps(const Extent& row, const Extent& col) { return row.m >= row.n && col.m > col.n; }

}  // namespace fastconv
