// Signals as the rows of a matrix (by_matrix.cpp): pointers into them, and copies of what sticks
// out of a line.
#pragma once
#include <string.h>

#include <algorithm>

#include "transforms.h"

namespace fastconv {

// A transform's worth of the full convolution: its point (r, c) is full index
// (row0 + r, col0 + c); outputs within [lo, hi) are wanted of it. On a line, col0 is
// the line's index of point (0, 0) and row_lo its row.
struct Tile {
  Index row0, col0;
  Index row_lo, row_hi, col_lo, col_hi;
};

template <class T>
class Layout {
 public:
  Layout(Split shape, bool line, Index item, Index step, Scratch& scratch)
      : shape(shape),
        line(line),
        dense(step == item * Index(sizeof(T))),
        item(item),
        step(step),
        rows_(scratch.take<void*>(2 * shape.n1)),
        has_(scratch.take<Range>(dense ? 0 : 2 * shape.n1)),
        ends_(scratch.take<T>(line && dense ? kEnds * shape.n2 * item : 0)) {}

  const Split shape;
  const bool line, dense;
  const Index item, step;  // reals, bytes

  // Row r of a plane that is not dense: the columns that it has, and where the first of them lies.
  Range has(const Plane& plane, Index r) const { return has_[plane.row - rows_ + r]; }

  // Its items, at `copy` unless they lie dense.
  const T* items(const Plane& plane, Index r, T* copy) const {
    const T* row = static_cast<const T*>(plane.row[r]);
    if (dense || !row) return row;
    const Index from = has(plane, r).first;
    copy_padded(copy, static_cast<const char*>(plane.row[r]), step, has(plane, r).last - from,
                plane.first - from, plane.end - plane.first, item);
    return copy;
  }

  // What the tile reads: row_at(r) tells where row r begins, of `cols` items, null for none.
  template <class RowAt>
  Plane reading(int half, Index cols, const Tile& tile, RowAt row_at) {
    void** row = rows_ + half * shape.n1;
    T* end = ends_of(half);
    const auto within = [&](Index from) {
      return Range{std::max<Index>(0, -from), std::min(shape.n2, cols - from)};
    };
    if (line) {
      const char* base = row_at(tile.row_lo);
      for (Index r = 0; r < shape.n1; ++r) {
        const Index from = tile.col0 + r * shape.n2;
        const Range has = within(from);
        row[r] = place(half, r, base, from, has);
        if (!row[r] || !dense || is_whole(has)) continue;
        copy_padded(end, base, step, cols, from, shape.n2, item);
        row[r] = end;
        end += shape.n2 * item;
      }
      return {row, 0, shape.n2, 1};
    }
    const Range has = within(tile.col0);
    for (Index r = 0; r < shape.n1; ++r) {
      const char* x = has.first < has.last ? row_at(tile.row0 + r) : nullptr;
      row[r] = x ? place(half, r, x, tile.col0, has) : nullptr;
    }
    return {row, has.first, has.last, 1};
  }

  // Where the tile writes.
  Plane writing(int half, const Problem& p, const Tile& tile) {
    void** row = rows_ + half * shape.n1;
    T* end = ends_of(half);
    LyingRows rows = rows_of_out(p);
    if (line) {
      char* base = rows(tile.row_lo);
      for (Index r = 0; r < shape.n1; ++r) {
        const Index from = tile.col0 + r * shape.n2;
        const Range has = {std::max<Index>(0, tile.col_lo - from),
                           std::min(shape.n2, tile.col_hi - from)};
        row[r] = place(half, r, base, from - p.col_lo, has);
        if (!row[r] || !dense || is_whole(has)) continue;
        memset(end, 0, size_t(shape.n2 * bytes()));
        copied_[count_++] = {static_cast<char*>(row[r]), end + has.first * item,
                             has.last - has.first};
        row[r] = end;
        end += shape.n2 * item;
      }
      return {row, 0, shape.n2, 1};
    }
    const Range has = {tile.col_lo - tile.col0, tile.col_hi - tile.col0};
    for (Index r = 0; r < shape.n1; ++r) {
      const Index at = tile.row0 + r;
      char* to = at >= tile.row_lo && at < tile.row_hi ? rows(at) : nullptr;
      row[r] = to ? place(half, r, to, tile.col0 - p.col_lo, has) : nullptr;
    }
    return {row, has.first, has.last, 1};
  }

  // After `writing`: copies go where they belong.
  void finish(bool accumulate) {
    for (Index i = 0; i < count_; ++i) {
      copy_out(copied_[i].there, step, copied_[i].here, copied_[i].count, item, accumulate);
    }
    count_ = 0;
  }

  Index bytes() const { return item * Index(sizeof(T)); }

 private:
  static constexpr int kEnds = 4;  // two of each half

  // Items of a row, and their copy.
  struct Copied {
    char* there;
    T* here;
    Index count;
  };

  bool is_whole(Range has) const { return has.first == 0 && has.last == shape.n2; }

  T* ends_of(int half) const { return ends_ + half * (kEnds / 2) * shape.n2 * item; }

  // Row r, whose column 0 is item `from` of x.
  void* place(int half, Index r, const char* x, Index from, Range has) {
    if (has.first >= has.last) return nullptr;
    if (!dense) has_[half * shape.n1 + r] = has;
    return const_cast<char*>(x) + (from + has.first) * step;
  }

  void** rows_;
  Range* has_;
  T* ends_;
  Copied copied_[kEnds];
  Index count_ = 0;
};

}  // namespace fastconv
