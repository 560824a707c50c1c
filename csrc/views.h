// Strided N-D arrays copied, added and made dense.
#pragma once
#include "engine.h"
#include "runtime.h"

namespace fastconv {

struct View {
  char* data;
  int ndim;
  const Index* shape;
  const Index* stride;  // bytes
};

Index product(int ndim, const Index* shape);

// Bytes of a dense array. Throws std::bad_alloc where there are more than can be: arrays
// that broadcast may be of any shape.
Index bytes_of(int ndim, const Index* shape, Index item);

// Where row number r of the array begins, in bytes.
Index row_offset(const View&, Index r);

// to[...] = from[...], same shape, items of `item` bytes.
void copy(const View& to, const View& from, Index item);

// to[...] = 0.
void zero(const View& to, Index item);

// to[...] += from[...], as the dtype's sums go: integers wrap, bool is OR.
void add(const View& to, const View& from, fc_dtype);

// Row-major strides of a dense array.
void dense_strides(int ndim, const Index* shape, Index item, Index* stride);

bool aligned(const void*, int ndim, const Index* stride, fc_dtype);

// An array with dense, aligned rows: the caller's where it has them, else a copy,
// which `finish` brings home. Of a null array nothing is copied.
class Rows {
 public:
  char* data;
  Index stride[2 * FC_MAX_NDIM];

  Rows(Scratch&, const View& from, fc_dtype, bool reads = true);
  void finish() const;

 private:
  const View from_;
  const Index item_;
};

// Flips the sign of every imaginary part of a dense complex array.
void conjugate(fc_dtype dtype, char* data, Index count);

}  // namespace fastconv
