// Signals as the rows of a matrix (by_matrix.cpp): pointers into them, and copies of what sticks
// out of a line or does not lie dense.
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
      : shape_(shape),
        line_(line),
        dense_(step == item * Index(sizeof(T))),
        item_(item),
        step_(step),
        pitch_(shape.n2 * item),
        room_(dense_ ? (line ? 2 : 0) : shape.n1),
        rows_(scratch.take<void*>(2 * shape.n1)),
        copies_(scratch.take<T>(2 * room_ * pitch_)),
        copied_(scratch.take<Copied>(2 * room_)) {}

  // What the tile reads: row_at(r) tells where row r begins, of `cols` items, null for none.
  template <class RowAt>
  Plane reading(int half, Index cols, const Tile& tile, RowAt row_at) {
    void** row = rows_ + half * shape_.n1;
    T* copy = copies_of(half);
    Plane plane = {row, 0, shape_.n2, 1};
    if (line_) {
      const char* base = row_at(tile.row_lo);
      for (Index r = 0; r < shape_.n1; ++r) {
        const Index from = tile.col0 + r * shape_.n2, to = from + shape_.n2;
        row[r] = to <= 0 || from >= cols ? nullptr : read(base, cols, from, shape_.n2, copy);
      }
    } else {
      plane.first = std::max<Index>(0, -tile.col0);
      plane.end = std::min(shape_.n2, cols - tile.col0);
      const Index from = tile.col0 + plane.first, count = plane.end - plane.first;
      for (Index r = 0; r < shape_.n1; ++r) {
        const char* x = count > 0 ? row_at(tile.row0 + r) : nullptr;
        row[r] = x ? read(x, cols, from, count, copy) : nullptr;
      }
    }
    move([&](const View& here, const View& there) { copy_items(here, there); });
    return plane;
  }

  // Where the tile writes.
  Plane writing(int half, const Problem& p, const Tile& tile) {
    void** row = rows_ + half * shape_.n1;
    T* copy = copies_of(half);
    LyingRows rows = rows_of_out(p);
    if (line_) {
      char* base = rows(tile.row_lo);
      for (Index r = 0; r < shape_.n1; ++r) {
        const Index from = tile.col0 + r * shape_.n2, to = from + shape_.n2;
        const Index lo = std::max(from, tile.col_lo), hi = std::min(to, tile.col_hi);
        char* first = base + (lo - p.col_lo) * step_;
        row[r] = lo < hi ? write(first, lo - from, hi - lo, shape_.n2, copy) : nullptr;
      }
      return {row, 0, shape_.n2, 1};
    }
    const Index count = tile.col_hi - tile.col_lo;
    for (Index r = 0; r < shape_.n1; ++r) {
      const Index at = tile.row0 + r;
      char* to = at >= tile.row_lo && at < tile.row_hi ? rows(at) : nullptr;
      row[r] = to ? write(to + (tile.col_lo - p.col_lo) * step_, 0, count, count, copy) : nullptr;
    }
    return {row, tile.col_lo - tile.col0, tile.col_hi - tile.col0, 1};
  }

  // After `writing`: copies go where they belong.
  void finish(bool accumulate) {
    move([&](const View& here, const View& there) {
      if (!accumulate) return copy_items(there, here);
      for (Index r = 0; r < here.shape[0]; ++r) {
        copy_out(there.data + r * there.stride[0], step_,
                 reinterpret_cast<const T*>(here.data + r * here.stride[0]), here.shape[1], item_,
                 true);
      }
    });
  }

 private:
  // Items of a row, and their copy.
  struct Copied {
    char* there;
    T* here;
    Index count;
  };

  Index bytes() const { return item_ * Index(sizeof(T)); }
  T* copies_of(int half) const { return copies_ + half * room_ * pitch_; }
  void copy_items(const View& to, const View& from) const { copy(to, from, bytes()); }

  void* read(const char* x, Index n, Index from, Index count, T*& copy) {
    const bool within = from >= 0 && from + count <= n;
    char* there = const_cast<char*>(x) + from * step_;
    if (within && dense_) return there;
    T* const here = copy;
    copy += pitch_;
    if (within) {
      copied_[count_++] = {there, here, count};
    } else {
      copy_padded(here, x, step_, n, from, count, item_);
    }
    return here;
  }

  // Of a row of `all` items those `count` from `first` on, which go there.
  void* write(char* there, Index first, Index count, Index all, T*& copy) {
    if (dense_ && count == all) return there;
    T* const here = copy;
    copy += pitch_;
    memset(here, 0, size_t(all * bytes()));
    copied_[count_++] = {there, here + first * item_, count};
    return here;
  }

  // Calls visit(here, there) for all that is copied, rows that lie evenly together: of a picture
  // that is turned round, a line of cache is then met once for all its rows.
  template <class Visit>
  void move(Visit visit) {
    for (Index i = 0, end; i < count_; i = end) {
      const Copied& first = copied_[i];
      const Index apart = i + 1 < count_ ? copied_[i + 1].there - first.there : 0;
      for (end = i + 1; end < count_; ++end) {
        const Copied &x = copied_[end - 1], &y = copied_[end];
        if (y.count != x.count || y.there - x.there != apart || y.here - x.here != pitch_) break;
      }
      const Index shape[] = {end - i, first.count};
      const Index here[] = {pitch_ * Index(sizeof(T)), bytes()}, there[] = {apart, step_};
      visit(View{reinterpret_cast<char*>(first.here), 2, shape, here},
            View{first.there, 2, shape, there});
    }
    count_ = 0;
  }

  const Split shape_;
  const bool line_, dense_;
  const Index item_, step_;   // reals, bytes
  const Index pitch_, room_;  // reals of a row; rows of each half that may be copies
  void** rows_;
  T* copies_;
  Copied* copied_;
  Index count_ = 0;
};

}  // namespace fastconv
