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

constexpr Index kLeastSide = 8;  // of a square

// Rows that become columns: `from` lies along the rows of `to`. A square at a time, by way of a
// buffer, so that each line of cache is read whole, and written whole, however many lines a power
// of two apart compete for its place.
template <class T, int kSide>
void turn_square(char* to, const Index* to_stride, const char* from, const Index* from_stride) {
  constexpr Index item = sizeof(T);
  T square[kSide][kSide], row[kSide];
  for (int c = 0; c < kSide; ++c, from += from_stride[1]) {
    if (from_stride[0] == item) {
      memcpy(square[c], from, sizeof square[c]);
    } else {
      for (int r = 0; r < kSide; ++r) memcpy(&square[c][r], from + r * from_stride[0], sizeof(T));
    }
  }
  for (int r = 0; r < kSide; ++r, to += to_stride[0]) {
    for (int c = 0; c < kSide; ++c) row[c] = square[c][r];
    if (to_stride[1] == item) {
      memcpy(to, row, sizeof row);
    } else {
      for (int c = 0; c < kSide; ++c) memcpy(to + c * to_stride[1], &row[c], sizeof(T));
    }
  }
}

// What is left of squares is taken by smaller ones, and in the end item by item.
template <class T, int kSide>
void turn(char* to, const Index* to_stride, const char* from, const Index* from_stride, Index rows,
          Index cols) {
  for (Index c = 0; c < cols; c += kSide) {
    for (Index r = 0; r < rows; r += kSide) {
      char* y = to + r * to_stride[0] + c * to_stride[1];
      const char* x = from + r * from_stride[0] + c * from_stride[1];
      const Index down = std::min<Index>(kSide, rows - r), along = std::min<Index>(kSide, cols - c);
      if (down == kSide && along == kSide) {
        turn_square<T, kSide>(y, to_stride, x, from_stride);
      } else if constexpr (kSide > kLeastSide) {
        turn<T, kSide / 2>(y, to_stride, x, from_stride, down, along);
      } else {
        for (Index i = 0; i < down; ++i, y += to_stride[0], x += from_stride[0]) {
          copy_items<T>(y, to_stride[1], x, from_stride[1], along);
        }
      }
    }
  }
}

// Two axes of an array and of its copy, which lies along the second.
struct TwoAxes {
  Index rows, cols, item;
  Index to[2], from[2];  // strides
};

template <class T>
void copy_items_of(const TwoAxes& p, char* to, const char* from) {
  const Index across = imaxabs(p.from[0]);
  const bool turned = across > 0 && across < imaxabs(p.from[1]);
  if (turned && p.rows >= kLeastSide && p.cols >= kLeastSide) {
    return turn<T, 16>(to, p.to, from, p.from, p.rows, p.cols);
  }
  for (Index r = 0; r < p.rows; ++r, to += p.to[0], from += p.from[0]) {
    copy_items<T>(to, p.to[1], from, p.from[1], p.cols);
  }
}

void copy_plane(const TwoAxes& p, char* to, const char* from) {
  if (p.to[1] == p.item && p.from[1] == p.item) {
    const Index bytes = p.cols * p.item;
    if (p.to[0] == bytes && p.from[0] == bytes) {
      memcpy(to, from, size_t(p.rows * bytes));
      return;
    }
    for (Index r = 0; r < p.rows; ++r)
      memcpy(to + r * p.to[0], from + r * p.from[0], size_t(bytes));
    return;
  }
  switch (p.item) {
    case 1: return copy_items_of<char>(p, to, from);
    case 2: return copy_items_of<short>(p, to, from);
    case 4: return copy_items_of<int>(p, to, from);
    case 8: return copy_items_of<long long>(p, to, from);
    default: return copy_items_of<Sixteen>(p, to, from);
  }
}

// The axis but for this one on which items are nearest in memory, not the same; or none.
int nearest(const View& x, int but) {
  int found = -1;
  for (int d = x.ndim - 1; d >= 0; --d) {
    if (d == but || x.shape[d] == 1 || x.stride[d] == 0) continue;
    if (found < 0 || imaxabs(x.stride[d]) < imaxabs(x.stride[found])) found = d;
  }
  return found;
}

// A plane for every index of the axes from `axis` on that it does not have.
void copy_planes(const TwoAxes& plane, const int* of_plane, const View& to, const View& from,
                 int axis) {
  while (axis == of_plane[0] || axis == of_plane[1]) ++axis;
  if (axis >= to.ndim) return copy_plane(plane, to.data, from.data);
  View t = to, f = from;
  for (Index i = 0; i < to.shape[axis]; ++i, t.data += t.stride[axis], f.data += f.stride[axis]) {
    copy_planes(plane, of_plane, t, f, axis + 1);
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

// Plane by plane of the axes on which the two arrays lie nearest: rows, where both have them.
void copy(const View& to, const View& from, Index item) {
  int last = to.ndim - 1;
  while (last > 0 && to.shape[last] == 1) --last;
  int axis[] = {last - 1, last};
  if (to.stride[last] != item || imaxabs(from.stride[last]) != item) {
    axis[1] = nearest(to, -1), axis[0] = nearest(from, -1);
    if (axis[0] < 0 || axis[0] == axis[1]) axis[0] = nearest(to, axis[1]);
  }
  const auto of = [&](int i, const Index* numbers, Index none) {
    return axis[i] < 0 ? none : numbers[axis[i]];
  };
  const TwoAxes plane = {of(0, to.shape, 1),
                         of(1, to.shape, 1),
                         item,
                         {of(0, to.stride, 0), of(1, to.stride, 0)},
                         {of(0, from.stride, 0), of(1, from.stride, 0)}};
  copy_planes(plane, axis, to, from, 0);
}

void copy_line(char* to, Index to_step, const char* from, Index from_step, Index count,
               Index item) {
  copy_plane({1, count, item, {0, to_step}, {0, from_step}}, to, from);
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
