// A row of outputs begins with as many zeros as the least pair of rows that meet in it,
//
//     z(i) = min over j + k = i of  z_a(j) + z_v(k),
//
// z_a(j) the zeros that row j of a begins with, z_v(k) likewise; and so it ends. That finds what a
// disc, or a picture with rounded corners, leaves empty.
#include "empty.h"

#include <algorithm>

namespace fastconv {
namespace {

// More than any row has, and exact in sums of two.
constexpr float kAll = 0x1p100f;

template <class T>
Index zeros_as(const char* x, Index step, Index count, bool complex) {
  for (Index i = 0; i < count; ++i, x += step) {
    const T* sample = reinterpret_cast<const T*>(x);
    if (sample[0] != 0 || (complex && sample[1] != 0)) return i;
  }
  return count;
}

// Calls visit(row, data) for rows so far apart along each leading axis from this one on, the first
// and the last among them.
template <class Visit>
void for_each_row(const Operand& x, const Index* apart, int axis, Index row, const char* data,
                  Visit visit) {
  if (axis == x.leading) return visit(row, data);
  const Index last = x.count[axis] - 1;
  for (Index i = 0;; i = std::min(i + apart[axis], last)) {
    for_each_row(x, apart, axis + 1, row + i * x.pitch[axis], data + i * x.stride[axis], visit);
    if (i == last) return;
  }
}

template <class T>
bool any_empty_as(const Operand& x, const Index* apart) {
  const Index last = (x.cols - 1) * x.step;
  bool any = false;
  for_each_row(x, apart, 0, 0, x.data, [&](Index, const char* row) {
    any |= *reinterpret_cast<const T*>(row) == 0 || *reinterpret_cast<const T*>(row + last) == 0;
  });
  return any;
}

// By real parts alone: where they are zero and the imaginary ones are not, nothing is found later.
bool any_empty(const Operand& x, const Index* apart) {
  return is_single(x.dtype) ? any_empty_as<float>(x, apart) : any_empty_as<double>(x, apart);
}

struct OwnMargins {
  float* end[2];  // before, behind
};

// Where there is no row, or nothing in it, all is empty.
OwnMargins margins_of(Scratch& scratch, const Operand& x, const Index* apart) {
  OwnMargins margins;
  for (float*& end : margins.end) std::fill_n(end = scratch.take<float>(x.rows), x.rows, kAll);
  for_each_row(x, apart, 0, 0, x.data, [&](Index row, const char* data) {
    for (const bool behind : {false, true}) {
      const Index empty = zeros(x.dtype, data, x.step, x.cols, behind);
      if (empty < x.cols) margins.end[behind][row] = float(empty);
    }
  });
  return margins;
}

float* least_sums(Scratch& scratch, const float* a, Index n, const float* v, Index m) {
  float* least = scratch.take<float>(n + m - 1);
  std::fill_n(least, n + m - 1, kAll);
  for (Index k = 0; k < m; ++k) {
    if (v[k] == kAll) continue;
    for (Index j = 0; j < n; ++j) {
      const float sum = a[j] + v[k];
      least[j + k] = sum < least[j + k] ? sum : least[j + k];
    }
  }
  return least;
}

}  // namespace

Index zeros(fc_dtype dtype, const char* first, Index step, Index count, bool from_last) {
  if (from_last) first += (count - 1) * step, step = -step;
  const auto count_as = is_single(dtype) ? zeros_as<float> : zeros_as<double>;
  return count_as(first, step, count, is_complex(dtype));
}

// Where no row of taps is empty at an end, and of m neighbours along an axis there is a row of a
// that is not, nor are the first and the last, such a pair meets in every row of outputs. 8,000,000
// pairs of rows take 2 ms, of more there is no saying.
Margins empty_margins(Scratch& scratch, const Problem& p) {
  constexpr double kMostPairs = 8e6;
  if (double(p.rows) * double(p.kh) > kMostPairs) return {};
  const Operand of_a = signal_of(p), of_v = taps_of(p);
  Index each[FC_MAX_NDIM];
  std::fill_n(each, of_v.leading, 1);
  if (!any_empty(of_v, each) && !any_empty(of_a, of_v.count)) return {};
  const OwnMargins a = margins_of(scratch, of_a, each), v = margins_of(scratch, of_v, each);
  return {least_sums(scratch, a.end[0], p.rows, v.end[0], p.kh),
          least_sums(scratch, a.end[1], p.rows, v.end[1], p.kh)};
}

}  // namespace fastconv
