// Columns side by side into the lanes and out of them: no transposition, a row of a
// block is a point of the buffer already.
#pragma once
#include "lanes.h"

namespace fastconv {
namespace FC_LEVEL {
namespace {

// Rows lie far apart, and are asked for ahead of time: 4827x328 * 57 down the columns takes 0.93 of
// the time so, in complex128 and in float64; 16 rows ahead are too few.
constexpr ptrdiff_t kSamplesAhead = 48;

template <class T>
FC_INLINE void ask_ahead(const Columns& c, ptrdiff_t j, ptrdiff_t count) {
  if (j + kSamplesAhead < count && c.row[j + kSamplesAhead]) {
    prefetch<2 * int(sizeof(Vec<T>))>(c.row[j + kSamplesAhead]);
  }
}

template <class T>
FC_INLINE void load_row(const Columns& c, const void* row, Vec<T>& re, Vec<T>& im) {
  constexpr int W = kLanes<T>;
  const T* x = static_cast<const T*>(row);
  im = Vec<T>{};
  if (!x) {
    re = Vec<T>{};
  } else if (c.interleaved) {
    load_pairs<T>(x, re, im);
  } else {
    re = load(x);
    if (c.two) im = load(x + W);
  }
}

template <class T>
void gather_columns(const Columns& c, ptrdiff_t length, void* points, void* sums) {
  constexpr int W = kLanes<T>;
  T* z = static_cast<T*>(points);
  const Vec<T> scale_re = load(static_cast<const T*>(c.scale_re));
  const Vec<T> scale_im = load(static_cast<const T*>(c.scale_im));
  Vec<T> squares_re = {}, squares_im = {};
  for (ptrdiff_t j = 0; j < length; ++j, z += 2 * W) {
    Vec<T> re, im;
    ask_ahead<T>(c, j, length);
    load_row<T>(c, c.row[j], re, im);
    squares_re = fma(re, re, squares_re);
    squares_im = fma(im, im, squares_im);
    store<T>(z, re * scale_re);
    store<T>(z + W, im * scale_im);
  }
  store<T>(static_cast<T*>(sums), squares_re);
  store<T>(static_cast<T*>(sums) + W, squares_im);
}

template <class T>
void scatter_columns(const Columns& c, ptrdiff_t first, ptrdiff_t count, const void* points) {
  constexpr int W = kLanes<T>;
  const T* z = static_cast<const T*>(points) + 2 * W * first;
  const Vec<T> scale_re = load(static_cast<const T*>(c.scale_re));
  const Vec<T> scale_im = load(static_cast<const T*>(c.scale_im));
  for (ptrdiff_t j = 0; j < count; ++j, z += 2 * W) {
    T* y = static_cast<T*>(c.row[j]);
    ask_ahead<T>(c, j, count);
    Vec<T> re = load(z) * scale_re, im = load(z + W) * scale_im;
    if (c.accumulate) {
      Vec<T> old_re, old_im;
      load_row<T>(c, y, old_re, old_im);
      re = re + old_re;
      im = im + old_im;
    }
    if (c.interleaved) {
      store_pairs<T>(y, re, im);
    } else {
      store<T>(y, re);
      if (c.two) store<T>(y + W, im);
    }
  }
}

}  // namespace
}  // namespace FC_LEVEL
}  // namespace fastconv
