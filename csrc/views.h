// Strided N-D arrays made dense, and back: the only place that knows strides
// between the C face and the methods.
#pragma once
#include "engine.h"

namespace fastconv {

struct View {
  char* data;
  int ndim;
  const Index* shape;
  const Index* stride;  // bytes
};

// to[...] = from[...], same shape, items of `item` bytes.
void copy(const View& to, const View& from, Index item);

// Row-major strides of a dense array.
void dense_strides(int ndim, const Index* shape, Index item, Index* stride);

// Flips the sign of every imaginary part of a dense complex array.
void conjugate(fc_dtype dtype, char* data, Index count);

// A dense copy of `from` extended beyond its ends: index j of axis d stands for
// sample first[d] + j of the infinitely extended array. fill is one item.
void extend(char* dense, const Index* count, const View& from, const Index* first,
            const fc_boundary* boundary, const char* fill, Index item);

}  // namespace fastconv
