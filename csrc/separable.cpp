// Kernels that are outer products, K[i, j] = u[i] v[j]: a convolution with the row v, then one
// with the column u, kh + kw multiply-adds an output in place of kh kw.
//
// Integers: exactly so, modulo 2^bits. Floats: where |K - u v| <= 4 u |K| at every tap, with u
// the unit roundoff, which is what rounding leaves of a product of two rounded factors; zeros are
// zeros; whole numbers have whole factors. Else the largest |u| is 1, so that v carries the
// magnitude: no sum over a row is larger than the same row's in direct summation, and what is lost
// in subnormals stays below the roundings of the kh kw products there. An output errs by (kh + kw +
// 5) u s at most, s = |a| * |K|, less than direct sums may. What is not finite spreads as there:
// every tap meets it, zeros too.
//
// The rows of the first pass are kept a band at a time, in L2.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine.h"
#include "runtime.h"

namespace fastconv {
namespace {

// u and v of K, each as long as K has rows and columns; false where there are none. Here v is
// a row of K without its common divisor.
template <class T>
bool integer_factors(const T* K, Index rows, Index cols, T* u, T* v) {
  const Index count = rows * cols;
  const Index at = std::find_if(K, K + count, [](T x) { return x != 0; }) - K;
  if (at == count) return false;
  const T* row = K + at / cols * cols;
  // Its magnitude is no T, so that it would have no divisor.
  if (std::find(K, K + count, std::numeric_limits<T>::min()) != K + count) return false;
  T divisor = 0;
  for (Index j = 0; j < cols; ++j) divisor = T(std::gcd(divisor, row[j]));
  for (Index j = 0; j < cols; ++j) v[j] = T(row[j] / divisor);
  const T pivot = v[at % cols];
  for (Index i = 0; i < rows; ++i) u[i] = T(K[i * cols + at % cols] / pivot);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      if (T(uint64_t(u[i]) * uint64_t(v[j])) != K[i * cols + j]) return false;
    }
  }
  return true;
}

// Of whole numbers: sums that direct summation has exactly stay exact.
template <class T>
bool whole_factors(const T* K, Index rows, Index cols, T* u, T* v) {
  const auto is_small_and_whole = [](T x) { return fabs(x) <= 0x1p31 && x == trunc(x); };
  if (!std::all_of(K, K + rows * cols, is_small_and_whole)) return false;
  Scratch scratch;
  int64_t* numbers = scratch.take<int64_t>(rows * cols);
  int64_t *column = scratch.take<int64_t>(rows), *row = scratch.take<int64_t>(cols);
  std::copy_n(K, rows * cols, numbers);
  if (!integer_factors(numbers, rows, cols, column, row)) return false;
  std::copy_n(column, rows, u);
  std::copy_n(row, cols, v);
  return true;
}

template <class T>
bool float_factors(const T* K, Index rows, Index cols, T* u, T* v) {
  const Index count = rows * cols;
  const Index at = std::max_element(K, K + count, [](T x, T y) { return fabs(x) < fabs(y); }) - K;
  const T pivot = K[at];
  if (!(pivot != 0) || !isfinite(pivot)) return false;
  for (Index j = 0; j < cols; ++j) v[j] = K[at / cols * cols + j];
  for (Index i = 0; i < rows; ++i) u[i] = K[i * cols + at % cols] / pivot;
  constexpr T kFourUnits = sizeof(T) == 4 ? T(0x1p-22) : T(0x1p-51);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      const T tap = K[i * cols + j];
      if (!(fabs(fma(-u[i], v[j], tap)) <= kFourUnits * fabs(tap))) return false;
    }
  }
  return true;
}

bool factors(fc_dtype dtype, const void* K, Index rows, Index cols, void* u, void* v) {
  const auto floats = [&](auto x) {
    using T = decltype(x);
    const T* taps = static_cast<const T*>(K);
    T *column = static_cast<T*>(u), *row = static_cast<T*>(v);
    return whole_factors(taps, rows, cols, column, row) ||
           float_factors(taps, rows, cols, column, row);
  };
  const auto integers = [&](auto x) {
    using T = decltype(x);
    return integer_factors(static_cast<const T*>(K), rows, cols, static_cast<T*>(u),
                           static_cast<T*>(v));
  };
  switch (dtype) {
    case FC_F32: return floats(float());
    case FC_F64: return floats(double());
    case FC_C64:
    case FC_C128: return false;
    case FC_I16: return integers(int16_t());
    case FC_I32: return integers(int32_t());
    case FC_I64: return integers(int64_t());
    default: return integers(int8_t());
  }
}

struct Factors {
  char *u = nullptr, *v = nullptr;
  bool exist = false;

  Factors(Scratch& scratch, fc_dtype dtype, const char* kernel, Index row, Index rows, Index cols)
      : u(scratch.take<char>(rows * kItemSize[dtype])),
        v(scratch.take<char>(cols * kItemSize[dtype])) {
    Scratch local;
    const Index bytes = cols * kItemSize[dtype];
    char* dense = local.take<char>(rows * bytes);
    for (Index i = 0; i < rows; ++i) memcpy(dense + i * bytes, kernel + i * row, size_t(bytes));
    exist = factors(dtype, dense, rows, cols, u, v);
  }
};

constexpr Index kBandBytes = Index(1) << 18;  // a quarter of L2

}  // namespace

bool is_outer_product(fc_dtype dtype, const void* v, Index rows, Index cols) {
  Scratch scratch;
  const Index item = kItemSize[dtype];
  return factors(dtype, v, rows, cols, scratch.take<char>(rows * item),
                 scratch.take<char>(cols * item));
}

void separable(const Problem& p, Context& context) {
  if (p.row_lo == p.row_hi || p.col_lo == p.col_hi) return;
  Scratch scratch;
  const Factors factor(scratch, p.v_dtype, p.v, p.v_row, p.kh, p.kw);
  if (!factor.exist) return direct(p, context);
  const Index item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  const Index width = p.col_hi - p.col_lo, row = width * item;
  const Index band = std::max(p.kh, kBandBytes / row);
  char* between = scratch.take<char>((band + p.kh - 1) * row);
  for (Index lo = p.row_lo, hi; lo < p.row_hi; lo = hi) {
    hi = std::min(p.row_hi, lo + band);
    const Index first = std::max<Index>(0, lo - p.kh + 1), end = std::min(p.rows, hi);
    Problem rows = p;
    rows.a += first * p.a_row;
    rows.rows = rows.row_hi = end - first, rows.row_lo = 0;
    rows.v = factor.v, rows.kh = 1;
    rows.out = between, rows.out_row = row;
    rows.accumulate = false;
    direct(rows, context);
    Problem columns = p;
    columns.a_dtype = result_dtype(p.a_dtype, p.v_dtype);
    columns.a = between, columns.a_row = row;
    columns.rows = end - first, columns.row_lo = lo - first, columns.row_hi = hi - first;
    columns.cols = columns.col_hi = width, columns.col_lo = 0;
    columns.v = factor.u, columns.v_row = kItemSize[p.v_dtype], columns.kw = 1;
    columns.out += (lo - p.row_lo) * p.out_row;
    direct(columns, context);
  }
}

}  // namespace fastconv
