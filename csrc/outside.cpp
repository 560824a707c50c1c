// The products of a constant beyond the ends of a, in closed form: with c the constant,
//
//     outside[i] = sum of c v[k] over the taps k for which i_d - k_d is no index of a
//                  on some axis d.
//
// Counted by the first such axis: along it the taps outside are a run from each end of v,
// along those before it the taps inside are one run, along those behind it all taps are
// meant. Sums of runs come from running sums that are only ever added, never subtracted, so
// that nothing cancels; what is not finite spreads no further than its products. Cost: a few
// additions a tap, and one an output that reads beyond a. In double, or modulo 2^64.
#include "outside.h"

#include <stdint.h>

#include <algorithm>

#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

// Axis 0 are the real and the imaginary part, or just the one.
template <class T>
struct Table {
  T* data;
  int ndim;
  Index shape[FC_MAX_NDIM + 1];
};

// Every run of m values along an axis becomes one of `count`: op(values, m, results).
template <class T, class Op>
Table<T> along(Scratch& scratch, const Table<T>& from, int axis, Index count, const Op& op) {
  const Index m = from.shape[axis], after = product(from.ndim - axis - 1, from.shape + axis + 1);
  Table<T> to = from;
  to.shape[axis] = count;
  to.data = scratch.take<T>(product(to.ndim, to.shape));
  Scratch local;
  T *values = local.take<T>(m), *results = local.take<T>(count);
  for (Index before = 0; before < product(axis, from.shape); ++before) {
    for (Index j = 0; j < after; ++j) {
      const T* x = from.data + before * m * after + j;
      T* y = to.data + before * count * after + j;
      for (Index k = 0; k < m; ++k) values[k] = x[k * after];
      op(values, m, results);
      for (Index i = 0; i < count; ++i) y[i * after] = results[i];
    }
  }
  return to;
}

template <class T>
T sum_of(const T* values, Index count) {
  T total = 0;
  for (Index k = 0; k < count; ++k) total += values[k];
  return total;
}

// results[i - lo] = the sum over 0 <= i - k < n. Runs of n meet one border between blocks of
// n at most: they are the end of one block and the start of the next.
template <class T>
void sums_inside(const T* values, Index m, Index n, Index lo, Index hi, T* results) {
  Scratch scratch;
  T *start = scratch.take<T>(m), *end = scratch.take<T>(m);
  for (Index k = 0; k < m; ++k) start[k] = values[k] + (k % n ? start[k - 1] : T(0));
  for (Index k = m - 1; k >= 0; --k) {
    end[k] = values[k] + (k + 1 < m && (k + 1) % n ? end[k + 1] : T(0));
  }
  for (Index i = lo; i < hi; ++i) {
    const Index first = std::max<Index>(0, i - n + 1), last = std::min(m - 1, i);
    T& sum = results[i - lo];
    if (first % n == 0) {
      sum = start[last];
    } else {
      sum = end[first] + (first / n == last / n ? T(0) : start[last]);
    }
  }
}

// results[i - lo] = the sum over i - k < 0 and i - k >= n.
template <class T>
void sums_outside(const T* values, Index m, Index n, Index lo, Index hi, T* results) {
  Scratch scratch;
  T *below = scratch.take<T>(m + 1), *from = scratch.take<T>(m + 1);
  below[0] = from[m] = T(0);
  for (Index k = 0; k < m; ++k) below[k + 1] = below[k] + values[k];
  for (Index k = m - 1; k >= 0; --k) from[k] = from[k + 1] + values[k];
  for (Index i = lo; i < hi; ++i) {
    results[i - lo] = from[std::min(m, i + 1)] + below[std::min(m, std::max<Index>(0, i - n + 1))];
  }
}

struct Interval {
  Index lo, hi;
};

// The outputs of an axis that read beyond a: before its inside, and behind.
int borders(const fc_axis& x, Interval (&border)[2]) {
  const Index before = std::min(x.hi, x.m - 1), behind = std::max(x.lo, x.n);
  if (before >= behind) {
    border[0] = {x.lo, x.hi};
    return 1;
  }
  int count = 0;
  if (x.lo < before) border[count++] = {x.lo, before};
  if (behind < x.hi) border[count++] = {behind, x.hi};
  return count;
}

// Of one member's taps; T what sums are made in, Item what outputs consist of.
template <class T, class Item>
class Outside {
 public:
  Outside(const fc_job& job, const char* v, const Index* v_stride) : job_(job) {
    const bool pairs = is_complex(result_dtype(job.a_dtype, job.v_dtype));
    products_.ndim = job.ndim + 1;
    products_.shape[0] = pairs ? 2 : 1;
    for (int d = 0; d < job.ndim; ++d) products_.shape[d + 1] = job.axis[d].m;
    const Index taps = product(job.ndim, products_.shape + 1);
    products_.data = scratch_.take<T>(taps * products_.shape[0]);
    Scratch scratch;
    const Index item = kItemSize[job.v_dtype];
    char* dense = scratch.take<char>(taps * item);
    Index stride[FC_MAX_NDIM];
    dense_strides(job.ndim, products_.shape + 1, item, stride);
    copy({dense, job.ndim, products_.shape + 1, stride},
         {const_cast<char*>(v), job.ndim, products_.shape + 1, v_stride}, item);
    multiply(reinterpret_cast<const Item*>(dense), taps);
  }

  // `out` is the member's, and of those that share its taps: `count` axes more in front.
  void add_to(char* out, int count, const Index* length, const Index* out_stride) const {
    for (int d = 0; d < job_.ndim; ++d) {
      Interval border[2];
      const int parts = job_.axis[d].boundary == FC_FILL ? borders(job_.axis[d], border) : 0;
      for (int b = 0; b < parts; ++b) add_border(d, border[b], out, count, length, out_stride);
    }
  }

 private:
  void multiply(const Item* v, Index taps) {
    T* re = products_.data;
    T* im = re + taps;
    if constexpr (T(-1) > T(0)) {
      for (Index k = 0; k < taps; ++k) re[k] = T(v[k]) * T(job_.fill_bits);
    } else {
      const T c = T(job_.fill[0]), s = T(job_.fill[1]);
      const bool pairs = is_complex(job_.v_dtype), complex = products_.shape[0] == 2;
      for (Index k = 0; k < taps; ++k) {
        const T x = T(v[pairs ? 2 * k : k]), y = pairs ? T(v[2 * k + 1]) : T(0);
        // A real operand's missing part makes no products.
        re[k] = pairs && is_complex(job_.a_dtype) ? c * x - s * y : c * x;
        if (complex) im[k] = !pairs ? s * x : is_complex(job_.a_dtype) ? c * y + s * x : c * y;
      }
    }
  }

  // The outputs of axis d between lo and hi, by the taps outside there and inside before.
  void add_border(int d, const Interval& border, char* out, int count, const Index* length,
                  const Index* out_stride) const {
    Scratch scratch;
    Table<T> sums = products_;
    const auto everywhere = [&](int e) { return e > d || job_.axis[e].boundary != FC_FILL; };
    for (int e = 0; e < job_.ndim; ++e) {
      if (!everywhere(e)) continue;
      sums = along(scratch, sums, e + 1, 1, [](const T* x, Index m, T* y) { *y = sum_of(x, m); });
    }
    for (int e = 0; e <= d; ++e) {
      if (everywhere(e)) continue;
      const fc_axis& x = job_.axis[e];
      const Interval part = e == d ? border : Interval{x.lo, x.hi};
      const auto sums_of = e == d ? sums_outside<T> : sums_inside<T>;
      sums = along(scratch, sums, e + 1, part.hi - part.lo, [&](const T* taps, Index m, T* y) {
        sums_of(taps, m, x.n, part.lo, part.hi, y);
      });
    }
    const fc_dtype dtype = result_dtype(job_.a_dtype, job_.v_dtype);
    const Index item = kItemSize[dtype], outputs = product(job_.ndim, sums.shape + 1);
    Item* terms = scratch.take<Item>(outputs * sums.shape[0]);
    for (Index part = 0; part < sums.shape[0]; ++part) {
      for (Index i = 0; i < outputs; ++i) {
        const T sum = sums.data[part * outputs + i];
        terms[i * sums.shape[0] + part] = dtype == FC_BOOL ? Item(sum != T(0)) : Item(sum);
      }
    }
    Index shape[2 * FC_MAX_NDIM], stride[2 * FC_MAX_NDIM], dense[FC_MAX_NDIM];
    dense_strides(job_.ndim, sums.shape + 1, item, dense);
    for (int k = 0; k < count; ++k) shape[k] = length[k], stride[k] = 0;
    for (int e = 0; e < job_.ndim; ++e) {
      const fc_axis& x = job_.axis[e];
      shape[count + e] = e == d ? border.hi - border.lo : x.hi - x.lo;
      stride[count + e] = sums.shape[e + 1] > 1 ? dense[e] : 0;
    }
    out += (border.lo - job_.axis[d].lo) * out_stride[count + d];
    add({out, count + job_.ndim, shape, out_stride},
        {reinterpret_cast<char*>(terms), count + job_.ndim, shape, stride}, dtype);
  }

  Scratch scratch_;
  const fc_job& job_;
  Table<T> products_;
};

// Members that share their taps are written together.
template <class T, class Item>
void add_outside_as(const fc_job& job, const fc_array& v, const fc_array& out) {
  Index own[FC_MAX_NDIM], v_step[FC_MAX_NDIM], out_step[FC_MAX_NDIM], index[FC_MAX_NDIM] = {};
  Index shared[FC_MAX_NDIM], out_stride[2 * FC_MAX_NDIM];
  int owns = 0, shares = 0;
  for (int d = 0; d < job.nbatch; ++d) {
    if (job.batch[d] == 0) return;
    if (v.stride[d]) {
      own[owns] = job.batch[d], v_step[owns] = v.stride[d], out_step[owns++] = out.stride[d];
    } else {
      shared[shares] = job.batch[d], out_stride[shares++] = out.stride[d];
    }
  }
  for (int d = 0; d < job.ndim; ++d) out_stride[shares + d] = out.stride[job.nbatch + d];
  for (Index r = 0; r < product(owns, own); ++r) {
    Index at_v = 0, at_out = 0;
    for (int d = 0; d < owns; ++d) at_v += index[d] * v_step[d], at_out += index[d] * out_step[d];
    Outside<T, Item>(job, static_cast<char*>(v.data) + at_v, v.stride + job.nbatch)
        .add_to(static_cast<char*>(out.data) + at_out, shares, shared, out_stride);
    for (int d = owns - 1; d >= 0 && ++index[d] == own[d]; --d) index[d] = 0;
  }
}

}  // namespace

void add_outside(const fc_job& job, const fc_array& v, const fc_array& out) {
  switch (job.v_dtype) {
    case FC_F32:
    case FC_C64: return add_outside_as<double, float>(job, v, out);
    case FC_F64:
    case FC_C128: return add_outside_as<double, double>(job, v, out);
    case FC_I16: return add_outside_as<uint64_t, uint16_t>(job, v, out);
    case FC_I32: return add_outside_as<uint64_t, uint32_t>(job, v, out);
    case FC_I64: return add_outside_as<uint64_t, uint64_t>(job, v, out);
    default: return add_outside_as<uint64_t, uint8_t>(job, v, out);
  }
}

}  // namespace fastconv
