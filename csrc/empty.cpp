#include "empty.h"

#include <algorithm>

namespace fastconv {
namespace {

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

}  // namespace

Index zeros(fc_dtype dtype, const char* first, Index step, Index count, bool from_last) {
  if (from_last) first += (count - 1) * step, step = -step;
  const auto count_as = is_single(dtype) ? zeros_as<float> : zeros_as<double>;
  return count_as(first, step, count, is_complex(dtype));
}

// Where no row of taps is empty at an end, and of m neighbours along an axis there is a row of a
// that is not, nor are the first and the last, such a pair meets in every row of outputs.
bool any_empty_end(const Problem& p) {
  const Operand of_a = signal_of(p), of_v = taps_of(p);
  Index each[FC_MAX_NDIM];
  std::fill_n(each, of_v.leading, 1);
  return any_empty(of_v, each) || any_empty(of_a, of_v.count);
}

}  // namespace fastconv
