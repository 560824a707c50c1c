#include "views.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include <new>

#include "runtime.h"

namespace fastconv {
namespace {

struct Sixteen {
  char bytes[16];
};

// Items wherever they lie.
template <class T>
struct Item {
  typedef T Any __attribute__((aligned(1), may_alias));
};

template <>
struct Item<Sixteen> {
  typedef Sixteen Any;  // of chars
};

// Items so many apart, to where they lie dense: compilers have shuffles for that.
template <class T, int kApart>
void gather(char* to, const char* from, Index count) {
  auto* y = reinterpret_cast<typename Item<T>::Any*>(to);
  auto* x = reinterpret_cast<const typename Item<T>::Any*>(from);
  for (Index i = 0; i < count; ++i) y[i] = x[kApart * i];
}

template <class T>
void copy_items(char* to, Index to_step, const char* from, Index from_step, Index count) {
  constexpr Index item = sizeof(T);
  if (to_step == item) {
    switch (from_step) {
      case -item: return gather<T, -1>(to, from, count);
      case 2 * item: return gather<T, 2>(to, from, count);
      case 3 * item: return gather<T, 3>(to, from, count);
      case 4 * item: return gather<T, 4>(to, from, count);
      default: break;
    }
  }
  for (Index i = 0; i < count; ++i) memcpy(to + i * to_step, from + i * from_step, sizeof(T));
}

// A plane in patches of a side: where one array's rows are the other's columns, the cache lines of
// both are used whole.
template <class T>
void copy_patches(char* to, const Index* to_stride, const char* from, const Index* from_stride,
                  const Index* shape, Index side) {
  const Index to_row = to_stride[0], to_col = to_stride[1];
  const Index from_row = from_stride[0], from_col = from_stride[1];
  for (Index r = 0; r < shape[0]; r += side) {
    const Index row_end = shape[0] - r < side ? shape[0] : r + side;
    for (Index c = 0; c < shape[1]; c += side) {
      const Index col_end = shape[1] - c < side ? shape[1] : c + side;
      for (Index i = r; i < row_end; ++i) {
        copy_items<T>(to + i * to_row + c * to_col, to_col, from + i * from_row + c * from_col,
                      from_col, col_end - c);
      }
    }
  }
}

void copy_plane(char* to, const Index* to_stride, const char* from, const Index* from_stride,
                const Index* shape, Index item) {
  constexpr Index kPatch = 16;
  const Index bytes = shape[1] * item;
  if (to_stride[1] == item && from_stride[1] == item) {
    if (to_stride[0] == bytes && from_stride[0] == bytes) {
      memcpy(to, from, size_t(shape[0] * bytes));
      return;
    }
    for (Index r = 0; r < shape[0]; ++r) {
      memcpy(to + r * to_stride[0], from + r * from_stride[0], size_t(bytes));
    }
    return;
  }
  const auto turned = [](const Index* stride) { return imaxabs(stride[0]) < imaxabs(stride[1]); };
  const bool one_is = turned(to_stride) != turned(from_stride);
  const Index side = one_is ? kPatch : shape[0] > shape[1] ? shape[0] : shape[1];
  switch (item) {
    case 1: return copy_patches<char>(to, to_stride, from, from_stride, shape, side);
    case 2: return copy_patches<short>(to, to_stride, from, from_stride, shape, side);
    case 4: return copy_patches<int>(to, to_stride, from, from_stride, shape, side);
    case 8: return copy_patches<long long>(to, to_stride, from, from_stride, shape, side);
    default: return copy_patches<Sixteen>(to, to_stride, from, from_stride, shape, side);
  }
}

}  // namespace

Index product(int ndim, const Index* shape) {
  Index count = 1;
  for (int d = 0; d < ndim; ++d) count *= shape[d];
  return count;
}

Index bytes_of(int ndim, const Index* shape, Index item) {
  for (int d = 0; d < ndim; ++d) {
    if (__builtin_mul_overflow(item, shape[d], &item)) throw std::bad_alloc();
  }
  return item;
}

Index row_offset(const View& x, Index r) {
  Index offset = 0;
  for (int d = x.ndim - 2; d >= 0; --d) {
    offset += r % x.shape[d] * x.stride[d];
    r /= x.shape[d];
  }
  return offset;
}

// Plane by plane of the last two axes.
void copy(const View& to, const View& from, Index item) {
  if (to.ndim == 1) {
    const Index shape[] = {1, to.shape[0]};
    const Index to_stride[] = {0, to.stride[0]}, from_stride[] = {0, from.stride[0]};
    return copy_plane(to.data, to_stride, from.data, from_stride, shape, item);
  }
  if (to.ndim == 2) {
    return copy_plane(to.data, to.stride, from.data, from.stride, to.shape, item);
  }
  View t = {to.data, to.ndim - 1, to.shape + 1, to.stride + 1};
  View f = {from.data, to.ndim - 1, to.shape + 1, from.stride + 1};
  for (Index i = 0; i < to.shape[0]; ++i, t.data += to.stride[0], f.data += from.stride[0]) {
    copy(t, f, item);
  }
}

void copy_line(char* to, Index to_step, const char* from, Index from_step, Index count,
               Index item) {
  copy({to, 1, &count, &to_step}, {const_cast<char*>(from), 1, &count, &from_step}, item);
}

void dense_strides(int ndim, const Index* shape, Index item, Index* stride) {
  for (int d = ndim - 1; d >= 0; --d) {
    stride[d] = item;
    item *= shape[d];
  }
}

void zero_line(char* to, Index step, Index count, Index item) {
  if (step == item) {
    memset(to, 0, size_t(count * item));
    return;
  }
  for (Index i = 0; i < count; ++i) memset(to + i * step, 0, size_t(item));
}

void zero(const View& to, Index item) {
  const int last = to.ndim - 1;
  const Index rows = product(last, to.shape), bytes = to.shape[last] * item;
  for (Index r = 0; r < rows; ++r) memset(to.data + row_offset(to, r), 0, size_t(bytes));
}

template <class T, int Parts, class Sum>
static void add_as(const View& to, const View& from, Sum sum) {
  const int last = to.ndim - 1;
  const Index rows = product(last, to.shape);
  for (Index r = 0; r < rows; ++r) {
    char* y = to.data + row_offset(to, r);
    const char* x = from.data + row_offset(from, r);
    for (Index i = 0; i < to.shape[last]; ++i, y += to.stride[last], x += from.stride[last]) {
      T a[Parts], b[Parts];
      memcpy(a, y, sizeof a);
      memcpy(b, x, sizeof b);
      for (int part = 0; part < Parts; ++part) a[part] = sum(a[part], b[part]);
      memcpy(y, a, sizeof a);
    }
  }
}

void add(const View& to, const View& from, fc_dtype dtype) {
  const auto plus = [](auto x, auto y) { return decltype(x)(x + y); };
  switch (dtype) {
    case FC_F32: return add_as<float, 1>(to, from, plus);
    case FC_F64: return add_as<double, 1>(to, from, plus);
    case FC_C64: return add_as<float, 2>(to, from, plus);
    case FC_C128: return add_as<double, 2>(to, from, plus);
    case FC_I8: return add_as<uint8_t, 1>(to, from, plus);
    case FC_I16: return add_as<uint16_t, 1>(to, from, plus);
    case FC_I32: return add_as<uint32_t, 1>(to, from, plus);
    case FC_I64: return add_as<uint64_t, 1>(to, from, plus);
    default:
      return add_as<uint8_t, 1>(to, from, [](uint8_t x, uint8_t y) { return uint8_t(x | y); });
  }
}

bool aligned(const void* p, int ndim, const Index* stride, fc_dtype dtype) {
  const Index item = is_complex(dtype) ? kItemSize[dtype] / 2 : kItemSize[dtype];
  Index bits = reinterpret_cast<intptr_t>(p);
  for (int d = 0; d < ndim; ++d) bits |= stride[d];
  return bits % item == 0;
}

Rows::Rows(Scratch& scratch, const View& from, fc_dtype dtype, bool reads)
    : from_(from), item_(kItemSize[dtype]) {
  const int last = from.ndim - 1;
  const bool dense = from.shape[last] == 1 || from.stride[last] == item_;
  if (!from.data || (dense && aligned(from.data, from.ndim, from.stride, dtype))) {
    data = from.data;
    memcpy(stride, from.stride, sizeof(Index) * size_t(from.ndim));
    return;
  }
  data = scratch.take<char>(bytes_of(from.ndim, from.shape, item_));
  dense_strides(from.ndim, from.shape, item_, stride);
  if (reads) copy({data, from.ndim, from.shape, stride}, from, item_);
}

Rows::Rows(const View& from, fc_dtype dtype)
    : data(from.data), from_(from), item_(kItemSize[dtype]) {
  memcpy(stride, from.stride, sizeof(Index) * size_t(from.ndim));
}

Index Rows::step() const {
  const int last = from_.ndim - 1;
  return from_.shape[last] == 1 || stride[last] == item_ ? kDense : stride[last];
}

void Rows::finish() const {
  if (data != from_.data) copy(from_, {data, from_.ndim, from_.shape, stride}, item_);
}

template <class T>
static void conjugate_as(char* data, Index count) {
  T* z = reinterpret_cast<T*>(data);
  for (Index i = 0; i < count; ++i) z[2 * i + 1] = -z[2 * i + 1];
}

void conjugate(fc_dtype dtype, char* data, Index count) {
  dtype == FC_C64 ? conjugate_as<float>(data, count) : conjugate_as<double>(data, count);
}

}  // namespace fastconv
