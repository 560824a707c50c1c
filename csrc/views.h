// Strided N-D arrays copied, added and made dense.
#pragma once
#include <algorithm>

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

// One line of the same, steps in bytes.
void copy_line(char* to, Index to_step, const char* from, Index from_step, Index count, Index item);

// to[...] = 0.
void zero_line(char* to, Index step, Index count, Index item);
void zero(const View& to, Index item);

// to[...] += from[...], as the dtype's sums go: integers wrap, bool is OR.
void add(const View& to, const View& from, fc_dtype);

// Row-major strides of a dense array.
void dense_strides(int ndim, const Index* shape, Index item, Index* stride);

bool aligned(const void*, int ndim, const Index* stride, fc_dtype);

constexpr Index kRun = 8192;  // items: of no dtype more than half of L2

// Calls visit(items, count) for the items of a line, `most` at a time, dense and aligned: as they
// lie or, where they do not lie so, copied.
template <class Visit>
void for_each_run(const char* line, Index step, Index count, fc_dtype dtype, Index most,
                  Visit visit) {
  const Index item = kItemSize[dtype];
  const bool lies = step == item && aligned(line, 1, &step, dtype);
  Scratch scratch;
  char* copied = lies ? nullptr : scratch.take<char>(std::min(count, most) * item);
  for (Index at = 0; at < count; at += most) {
    const Index some = std::min(count - at, most);
    const char* run = line + at * step;
    if (!lies) copy_line(copied, item, run, step, some, item);
    visit(lies ? run : copied, some);
  }
}

// An array with dense, aligned rows: the caller's where it has them, else a copy,
// which `finish` brings home. Of a null array nothing is copied.
class Rows {
 public:
  char* data;
  Index stride[2 * FC_MAX_NDIM];

  Rows(Scratch&, const View& from, fc_dtype, bool reads = true);
  Rows(const View& from, fc_dtype);  // as they lie
  void finish() const;

  // Bytes from one item of a row to the next, or kDense.
  Index step() const;

 private:
  const View from_;
  const Index item_;
};

// A problem of rows that do not lie dense, solved with copies that do.
template <class Solve>
void of_copies(const Problem& p, Solve solve) {
  const Index a_shape[] = {p.rows, p.cols}, a_stride[] = {p.a_row, a_step(p)};
  const Index out_shape[] = {p.row_hi - p.row_lo, p.col_hi - p.col_lo};
  const Index out_stride[] = {p.out_row, out_step(p)};
  Scratch scratch;
  const Rows a(scratch, {const_cast<char*>(p.a), 2, a_shape, a_stride}, p.a_dtype);
  const Rows out(scratch, {p.out, 2, out_shape, out_stride}, result_dtype(p.a_dtype, p.v_dtype),
                 p.accumulate);
  Problem q = p;
  q.a = a.data, q.a_row = a.stride[0], q.a_step = kDense;
  q.out = out.data, q.out_row = out.stride[0], q.out_step = kDense;
  solve(q);
  out.finish();
}

// Flips the sign of every imaginary part of a dense complex array.
void conjugate(fc_dtype dtype, char* data, Index count);

}  // namespace fastconv
