#include "views.h"

#include <string.h>

#include "runtime.h"

namespace fastconv {
namespace {

template <class Item>
void copy_row(char* to, Index to_stride, const char* from, Index from_stride, Index count) {
  for (Index i = 0; i < count; ++i) {
    memcpy(to + i * to_stride, from + i * from_stride, sizeof(Item));
  }
}

void copy_items(char* to, Index to_stride, const char* from, Index from_stride, Index count,
                Index item) {
  if (to_stride == item && from_stride == item) {
    memcpy(to, from, size_t(count * item));
    return;
  }
  struct Sixteen {
    char bytes[16];
  };
  switch (item) {
    case 1: return copy_row<char>(to, to_stride, from, from_stride, count);
    case 2: return copy_row<short>(to, to_stride, from, from_stride, count);
    case 4: return copy_row<int>(to, to_stride, from, from_stride, count);
    case 8: return copy_row<long long>(to, to_stride, from, from_stride, count);
    default: return copy_row<Sixteen>(to, to_stride, from, from_stride, count);
  }
}

// The sample that stands at index j of an axis of length n; -1: the fill value.
Index source_index(Index j, Index n, fc_boundary boundary) {
  if (j >= 0 && j < n) return j;
  if (boundary == FC_FILL) return -1;
  const Index period = boundary == FC_WRAP ? n : 2 * n;
  j %= period;
  if (j < 0) j += period;
  return j < n ? j : period - 1 - j;
}

struct Extension {
  const Index* count;
  const Index* stride;         // of the source
  const Index* const* source;  // per axis, the source index of each sample
  int ndim;
  const char* fill;
  Index item;

  // Writes the part of the result below axis d and returns the end of it. from
  // is null where an outer axis is already beyond its ends.
  char* write(char* to, const char* from, int d) const {
    for (Index j = 0; j < count[d]; ++j) {
      const Index s = source[d][j];
      const char* sample = from && s >= 0 ? from + s * stride[d] : nullptr;
      if (d + 1 < ndim) {
        to = write(to, sample, d + 1);
      } else {
        memcpy(to, sample ? sample : fill, size_t(item));
        to += item;
      }
    }
    return to;
  }
};

}  // namespace

void copy(const View& to, const View& from, Index item) {
  const int last = to.ndim - 1;
  Index index[FC_MAX_NDIM] = {};
  for (int d = 0; d <= last; ++d) {
    if (to.shape[d] == 0) return;
  }
  char* dst = to.data;
  const char* src = from.data;
  for (;;) {
    copy_items(dst, to.stride[last], src, from.stride[last], to.shape[last], item);
    int d = last - 1;
    for (; d >= 0; --d) {
      dst += to.stride[d];
      src += from.stride[d];
      if (++index[d] < to.shape[d]) break;
      dst -= to.stride[d] * index[d];
      src -= from.stride[d] * index[d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

void dense_strides(int ndim, const Index* shape, Index item, Index* stride) {
  for (int d = ndim - 1; d >= 0; --d) {
    stride[d] = item;
    item *= shape[d];
  }
}

template <class T>
static void conjugate_as(char* data, Index count) {
  T* z = reinterpret_cast<T*>(data);
  for (Index i = 0; i < count; ++i) z[2 * i + 1] = -z[2 * i + 1];
}

void conjugate(fc_dtype dtype, char* data, Index count) {
  dtype == FC_C64 ? conjugate_as<float>(data, count) : conjugate_as<double>(data, count);
}

void extend(char* dense, const Index* count, const View& from, const Index* first,
            const fc_boundary* boundary, const char* fill, Index item) {
  Scratch scratch;
  Index* source[FC_MAX_NDIM];
  for (int d = 0; d < from.ndim; ++d) {
    source[d] = scratch.take<Index>(count[d]);
    for (Index j = 0; j < count[d]; ++j) {
      source[d][j] = source_index(first[d] + j, from.shape[d], boundary[d]);
    }
  }
  Extension{count, from.stride, source, from.ndim, fill, item}.write(dense, from.data, 0);
}

}  // namespace fastconv
