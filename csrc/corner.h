// A corner of an operand: is it as full as its axes make expect?
#pragma once
#include <math.h>

#include <algorithm>

#include "survey.h"

namespace fastconv {

// Of a part of a corner: of the grain's they are half, at the most.
constexpr Index kFewColumns = 8;

// What an operand has in a corner, counted from there: in parts, and in slabs of parts, which are
// one index thick along one axis.
class Corner {
 public:
  // Bit d of `which`: whether it is at the end of axis d. Of `some` samples along each, `side` to a
  // part, which of columns are kFewColumns.
  Corner(Scratch& scratch, const Operand& x, size_t which, const Index* some, const Index* side)
      : x_(x), which_(which), columns_(x.leading) {
    Index all = 1;
    for (int d = 0; d <= columns_; ++d) {
      some_[d] = some[d], side_[d] = side[d], parts_[d] = ceil_div(some[d], side[d]);
      all *= parts_[d];
    }
    const auto zeros = [&](Index count) {
      double* sums = scratch.take<double>(count);
      std::fill_n(sums, count, 0.0);
      return sums;
    };
    part_ = zeros(all);
    for (int d = 0; d <= columns_; ++d) slab_[d] = zeros(all * side[d]);
    is_single(x.dtype) ? add_rows<float>(0, x.data, 0, false)
                       : add_rows<double>(0, x.data, 0, false);
  }

  // Where this much is expected of a sample: has every part half of it, every slab of it a
  // sixteenth, and the first part and the edges no sample that is next to nothing?
  bool is_even(double expected) const {
    constexpr double kNothing = 0x1p-20;
    Index place[FC_MAX_NDIM];
    return least_ > kNothing * expected && are_even(0, 0, place, expected);
  }

 private:
  Index thickness(int axis, Index place) const {
    return std::min(side_[axis], some_[axis] - place * side_[axis]);
  }

  template <class T>
  void add_rows(int axis, const char* row, Index part, bool on_edge) {
    if (axis == columns_) return add_row<T>(row, part * parts_[columns_], on_edge);
    Index k = 0;
    for (Index p = 0; p < parts_[axis]; ++p) {
      for (Index& j = within_[axis] = 0; j < thickness(axis, p); ++j, ++k) {
        const Index at = which_ >> axis & 1 ? x_.count[axis] - 1 - k : k;
        add_rows<T>(axis + 1, row + at * x_.stride[axis], part * parts_[axis] + p,
                    on_edge || k == 0);
      }
    }
  }

  template <class T>
  void add_row(const char* row, Index first, bool on_edge) {
    const bool complex = is_complex(x_.dtype), from_right = which_ >> columns_ & 1;
    const char* at = row + (from_right ? (x_.cols - 1) * x_.step : 0);
    const Index step = from_right ? -x_.step : x_.step;
    for (Index p = 0; p < parts_[columns_]; ++p) {
      const Index count = thickness(columns_, p), part = first + p;
      double magnitude[kFewColumns] = {};
      const auto read = [&](Index some) {
        for (Index j = 0; j < some; ++j, at += step) {
          const T* x = reinterpret_cast<const T*>(at);
          magnitude[j] = fabs(double(x[0])) + (complex ? fabs(double(x[1])) : 0);
        }
      };
      count == kFewColumns ? read(kFewColumns) : read(count);  // the first unrolled
      const Index looked_at = on_edge || part == 0 ? count : p == 0 ? 1 : 0;
      for (Index j = 0; j < looked_at; ++j) least_ = std::min(least_, magnitude[j]);
      double* slab = slab_[columns_] + part * kFewColumns;
      double pair[2] = {0, 0};
      for (int j = 0; j < kFewColumns; j += 2) {
        slab[j] += magnitude[j], slab[j + 1] += magnitude[j + 1];
        pair[0] += magnitude[j], pair[1] += magnitude[j + 1];
      }
      const double sum = pair[0] + pair[1];
      part_[part] += sum;
      for (int d = 0; d < columns_; ++d) slab_[d][part * side_[d] + within_[d]] += sum;
    }
  }

  // The parts from this one on, of which so much is expected as far as the axes before this one go.
  bool are_even(int axis, Index part, Index* place, double expected) const {
    if (axis > columns_) return is_even_part(part, place, expected);
    for (Index& p = place[axis] = 0; p < parts_[axis]; ++p) {
      const double of_part = expected * double(thickness(axis, p));
      if (!are_even(axis + 1, part * parts_[axis] + p, place, of_part)) return false;
    }
    return true;
  }

  bool is_even_part(Index part, const Index* place, double expected) const {
    if (part_[part] < expected / 2) return false;
    for (int d = 0; d <= columns_; ++d) {
      const Index thick = thickness(d, place[d]);
      const double* slab = slab_[d] + part * side_[d];
      const double least = *std::min_element(slab, slab + thick);
      if (16 * double(thick) * least < expected) return false;
    }
    return true;
  }

  const Operand& x_;
  const size_t which_;
  const int columns_;
  Index some_[FC_MAX_NDIM], side_[FC_MAX_NDIM], parts_[FC_MAX_NDIM], within_[FC_MAX_NDIM];
  double *part_, *slab_[FC_MAX_NDIM];
  double least_ = HUGE_VAL;  // sample of the first part and of what lies on an edge
};

}  // namespace fastconv
