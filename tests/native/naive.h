// The judge of the native tests: every dtype as 128-bit integers.
//
//   full[i] = sum_k v[k] ext(a)[i - k]      (i, k multi-indices)
//
// Floats are drawn as integers that they hold exactly (24 and 50 bits), so that
// one exact sum judges them all: integers modulo 2^bits, bool by "not zero",
// floats by |err_i| <= bound of s_i = sum |v[k]| |ext(a)[i - k]|.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <vector>

#include "fastconv.h"

namespace naive {

using Wide = unsigned __int128;  // modulo 2^128; floats never come near its end

struct Number {
  Wide re = 0, im = 0;
};

inline long double to_real(Wide x) { return static_cast<long double>(static_cast<__int128>(x)); }

inline double magnitude(Number x) { return hypot(double(to_real(x.re)), double(to_real(x.im))); }

inline bool is_complex(fc_dtype t) { return t == FC_C64 || t == FC_C128; }
inline bool is_float(fc_dtype t) { return t <= FC_C128; }
inline bool is_single(fc_dtype t) { return t == FC_F32 || t == FC_C64; }

inline ptrdiff_t item_bytes(fc_dtype t) {
  constexpr ptrdiff_t bytes[FC_DTYPES] = {4, 8, 8, 16, 1, 2, 4, 8, 1};
  return bytes[t];
}

// splitmix64
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  ptrdiff_t between(ptrdiff_t lo, ptrdiff_t hi) {  // both included
    return lo + ptrdiff_t(bits() % uint64_t(hi - lo + 1));
  }

 private:
  uint64_t state_;
};

// One strided array in a buffer of its own; the gaps between elements are
// poisoned with 0xff bytes (NaN, -1) and must come back as they were.
class Array {
 public:
  // step: the stride along each axis in units of the dense one; negative runs
  // backwards. Zero: the axis is broadcast. first_fastest: in Fortran's order.
  Array(fc_dtype dtype, const std::vector<ptrdiff_t>& shape, const std::vector<int>& step,
        ptrdiff_t misalign = 0, bool first_fastest = false)
      : dtype(dtype), shape(shape) {
    const size_t ndim = shape.size();
    ptrdiff_t stride = item_bytes(dtype), start = 0;
    memset(&view, 0, sizeof view);
    for (size_t k = ndim; k-- > 0;) {
      const size_t axis = first_fastest ? ndim - 1 - k : k;
      view.stride[axis] = stride * step[axis];
      if (step[axis] < 0) start -= view.stride[axis] * (shape[axis] - 1);
      if (step[axis] != 0) stride *= shape[axis] * (step[axis] < 0 ? -step[axis] : step[axis]);
    }
    buffer_.assign(size_t(stride + 2 * kMargin + misalign), char(0xff));
    view.data = buffer_.data() + kMargin + misalign + start;
  }

  char* at(const ptrdiff_t* index) const {
    char* p = static_cast<char*>(view.data);
    for (size_t axis = 0; axis < shape.size(); ++axis) p += index[axis] * view.stride[axis];
    return p;
  }

  template <class Visit>
  void each(Visit visit) const {
    std::vector<ptrdiff_t> index(shape.size(), 0);
    for (;;) {
      visit(index.data());
      size_t axis = shape.size();
      while (axis-- > 0 && ++index[axis] == shape[axis]) index[axis] = 0;
      if (axis == size_t(-1)) return;
    }
  }

  void fill_random(Random& random) {
    each([&](const ptrdiff_t* index) { draw(random, at(index)); });
  }

  const std::vector<char>& bytes() const { return buffer_; }

  fc_dtype dtype;
  std::vector<ptrdiff_t> shape;
  fc_array view;

 private:
  static constexpr ptrdiff_t kMargin = 64;

  template <class T>
  static void put(char* p, T x) {
    memcpy(p, &x, sizeof x);
  }

  void draw(Random& random, char* p) const {
    const auto f32 = [&] { return float(int64_t(random.bits()) >> 40); };
    const auto f64 = [&] { return double(int64_t(random.bits()) >> 14); };
    switch (dtype) {
      case FC_F32: put(p, f32()); break;
      case FC_C64: put(p, f32()), put(p + 4, f32()); break;
      case FC_F64: put(p, f64()); break;
      case FC_C128: put(p, f64()), put(p + 8, f64()); break;
      case FC_BOOL: put(p, char(random.bits() % 4 == 0)); break;
      default: {
        const uint64_t bits = random.bits();
        memcpy(p, &bits, size_t(item_bytes(dtype)));
      }
    }
  }

  std::vector<char> buffer_;
};

template <class T>
Wide get(const char* p) {
  T x;
  memcpy(&x, p, sizeof x);
  return Wide(__int128(x));
}

inline Number read(fc_dtype t, const char* p) {
  switch (t) {
    case FC_F32: return {get<float>(p), 0};
    case FC_F64: return {get<double>(p), 0};
    case FC_C64: return {get<float>(p), get<float>(p + 4)};
    case FC_C128: return {get<double>(p), get<double>(p + 8)};
    case FC_I8: return {get<int8_t>(p), 0};
    case FC_I16: return {get<int16_t>(p), 0};
    case FC_I32: return {get<int32_t>(p), 0};
    case FC_I64: return {get<int64_t>(p), 0};
    default: return {get<char>(p), 0};
  }
}

// Where sample j of an axis of n comes from; -1: beyond the end, the fill value.
inline ptrdiff_t source(ptrdiff_t j, ptrdiff_t n, fc_boundary boundary) {
  if (0 <= j && j < n) return j;
  if (boundary == FC_FILL) return -1;
  const ptrdiff_t period = boundary == FC_WRAP ? n : 2 * n;
  j = ((j % period) + period) % period;
  return j < n ? j : period - 1 - j;
}

struct Sum {
  Number value;
  double s = 0;  // the sum of magnitudes
};

// One output by the definition. `index`: batch axes, then the place in the window.
inline Sum output(const fc_job& job, const Array& a, const Array& v, const ptrdiff_t* index) {
  Sum sum;
  const int nbatch = job.nbatch, ndim = job.ndim;
  std::vector<ptrdiff_t> from(index, index + nbatch + ndim);
  std::vector<ptrdiff_t> tap(index, index + nbatch + ndim);
  for (int d = 0; d < ndim; ++d) tap[size_t(nbatch + d)] = 0;
  const Number fill = is_float(job.a_dtype)
                          ? Number{Wide(__int128(job.fill[0])), Wide(__int128(job.fill[1]))}
                          : Number{Wide(__int128(job.fill_bits)), 0};
  for (;;) {
    bool inside = true;
    for (int d = 0; d < ndim; ++d) {
      const size_t axis = size_t(nbatch + d);
      const fc_axis& x = job.axis[d];
      from[axis] = source(x.lo + index[axis] - tap[axis], x.n, x.boundary);
      inside &= from[axis] >= 0;
    }
    const Number p = inside ? read(a.dtype, a.at(from.data())) : fill;
    Number q = read(v.dtype, v.at(tap.data()));
    if (job.conjugate) q.im = -q.im;
    sum.value.re += p.re * q.re - p.im * q.im;
    sum.value.im += p.re * q.im + p.im * q.re;
    sum.s += magnitude(p) * magnitude(q);
    int d = ndim;
    while (d-- > 0 && ++tap[size_t(nbatch + d)] == job.axis[d].m) tap[size_t(nbatch + d)] = 0;
    if (d < 0) return sum;
  }
}

// Does `p` hold the sum, exactly or within accuracy='auto'?
inline bool agrees(const fc_job& job, fc_dtype t, const char* p, const Sum& sum, double terms) {
  if (t == FC_BOOL) return get<char>(p) == Wide(sum.value.re != 0);
  if (!is_float(t)) {
    const uint64_t low = uint64_t(sum.value.re);
    return memcmp(&low, p, size_t(item_bytes(t))) == 0;  // little-endian
  }
  long double re, im = 0;
  if (is_single(t)) {
    float x[2] = {0, 0};
    memcpy(x, p, size_t(item_bytes(t)));
    re = x[0], im = x[1];
  } else {
    double x[2] = {0, 0};
    memcpy(x, p, size_t(item_bytes(t)));
    re = x[0], im = x[1];
  }
  const long double error = hypotl(re - to_real(sum.value.re), im - to_real(sum.value.im));
  const double u = is_single(t) ? 0x1p-24 : 0x1p-53;
  const double direct = (is_complex(t) ? 2 : 1) * (terms + 2) * u;
  const double lossy = is_single(t) ? 0x1p-8 : 0x1p-30;
  const double allowed = job.method == FC_DIRECT ? direct : direct > lossy ? direct : lossy;
  return error <= allowed * sum.s;
}

}  // namespace naive
