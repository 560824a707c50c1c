// How large the numbers are: what proves a rounding and allows a transform.
#include <math.h>

#include <algorithm>

#include "engine.h"

namespace fastconv {
namespace {

void measure_integers(const IntegerKernels& kernels, const char* row, Index count, Magnitudes& m) {
  double max, squares;
  kernels.measure(row, count, &max, &squares);
  m.max = std::max(m.max, max);
  m.squares += squares;
}

template <class T>
void measure_finite(const T* x, Index count, Magnitudes& m) {
  for (Index i = 0; i < count; ++i) {
    if (isfinite(x[i])) {
      m.max = std::max(m.max, fabs(double(x[i])));
      m.squares += double(x[i]) * double(x[i]);
    } else {
      ++m.bad;
    }
  }
}

// ||x||^2 <= sum |x| * max |x|: no squares that could overflow, no pass of its own.
template <class T>
void measure_floats(Scan scan, const char* row, Index count, Magnitudes& m) {
  double sum, peak;
  if (count == 0) return;
  scan(row, count, count, &sum, &peak, nullptr);
  if (!isfinite(sum)) return measure_finite(reinterpret_cast<const T*>(row), count, m);
  m.max = std::max(m.max, peak);
  m.squares += sum * peak;
}

}  // namespace

// Rounding of the sum of squares, and of a magnitude near 2^63, is made up for.
double Magnitudes::norm() const { return sqrt(squares) * (1 + 1e-6); }

void measure(fc_dtype dtype, const char* row, Index count, const KernelTable& table,
             Magnitudes& m) {
  switch (dtype) {
    case FC_F32:
    case FC_C64:
      return measure_floats<float>(table.scan_f32, row, is_complex(dtype) ? 2 * count : count, m);
    case FC_F64:
    case FC_C128:
      return measure_floats<double>(table.scan_f64, row, is_complex(dtype) ? 2 * count : count, m);
    case FC_BOOL: return measure_integers(table.integers[0], row, count, m);
    default: return measure_integers(table.integers[dtype - FC_I8], row, count, m);
  }
}

}  // namespace fastconv
