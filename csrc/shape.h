// A job as arrange.cpp and lines.cpp take it apart: its convolved axes, and those that are carried
// along.
#pragma once
#include <algorithm>
#include <utility>

#include "arrange.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {

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

inline Index product(const Carried* axes, int count) {
  Index all = 1;
  for (int d = 0; d < count; ++d) all *= axes[d].count;
  return all;
}

// What one of the convolutions of a shape takes, roughly: transforms 50 multiply-adds a sample.
inline double macs_of(const Shape& s) {
  double outputs = 1, taps = 1;
  for (int d = 0; d < s.axes; ++d) {
    const Extent& e = s.axis[d].extent;
    outputs *= double(e.hi - e.lo);
    taps *= double(std::min(e.m, e.n));
  }
  return outputs * std::min(taps, 50.0);
}

// Where the index of several axes leads to.
struct Place {
  Index a = 0, v = 0, out = 0;

  Place(const Carried* axes, int count, Index index) {
    for (int d = count - 1; d >= 0; index /= axes[d].count, --d) {
      const Index i = index % axes[d].count;
      a += i * axes[d].a, v += i * axes[d].v, out += i * axes[d].out;
    }
  }
};

// Calls visit(shape, context) for every index of its carried axes, the pointers moved there.
template <class Visit>
void for_each_index(const Shape& s, const Carried* axes, int count, double macs, Context& context,
                    Visit visit) {
  context.share_many(product(axes, count), macs, [&](Context& own, Shares& shares) {
    Shape at = s;
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        const Place place(axes, count, i);
        at.a = s.a + place.a, at.v = s.v + place.v, at.out = s.out ? s.out + place.out : nullptr;
        visit(at, own);
      }
    }
  });
}

inline Problem problem_of(const Shape& s, const Extent& row, const Extent& col) {
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

inline Rows placed(Scratch& scratch, const View& from, fc_dtype dtype, bool reads, bool at_once) {
  const bool copies = at_once || bytes_of(from.ndim, from.shape, kItemSize[dtype]) <= kCopied ||
                      !aligned(from.data, from.ndim, from.stride, dtype);
  return copies ? Rows(scratch, from, dtype, reads) : Rows(from, dtype);
}

// A job of one convolved axis (lines.cpp).
void solve_lines(Shape, const fc_candidate& how, Solve, Context&);

}  // namespace fastconv
