// Columns of rows that do not lie dense, copied for as long as they are worked on.
#pragma once
#include <inttypes.h>

#include "layout.h"
#include "views.h"

namespace fastconv {

template <class T>
class Patch {
 public:
  // Of so many columns at the most. Where rows lie dense it is empty, and planes are read and
  // written as they are.
  Patch(const Layout<T>& layout, Index columns, Scratch& scratch)
      : layout_(layout),
        columns_(columns),
        rows_(scratch.take<void*>(layout.dense ? 0 : 2 * layout.shape.n1)),
        copies_(scratch.take<T>(layout.dense ? 0 : 2 * layout.shape.n1 * pitch())) {}

  // To read some columns of planes from.
  Planes reading(const Planes& of, Range columns) {
    if (layout_.dense) return of;
    const Planes here = writing(of, columns);
    for_each_piece(of, here, [&](const Piece& x) {
      in_views(x,
               [&](const View& mine, const View& theirs) { copy(mine, theirs, layout_.bytes()); });
    });
    return here;
  }

  // To write them to, until they are brought to where they belong by `finish`.
  Planes writing(const Planes& of, Range columns) {
    if (layout_.dense) return of;
    Planes here = {take(of.re, columns, 0), {}, of.interleaved, false};
    if (of.im.row) here.im = take(of.im, columns, 1);
    return here;
  }

  void finish(const Planes& of, const Planes& here) const {
    if (layout_.dense) return;
    for_each_piece(of, here, [&](const Piece& x) {
      if (!of.accumulate) {
        return in_views(
            x, [&](const View& mine, const View& theirs) { copy(theirs, mine, layout_.bytes()); });
      }
      for (Index r = 0; r < x.rows; ++r) {
        copy_out(x.there + r * x.apart, layout_.step,
                 reinterpret_cast<const T*>(x.here) + r * pitch(), x.columns, layout_.item, true);
      }
    });
  }

 private:
  // Some columns of some rows that lie evenly, and their copy.
  struct Piece {
    char *here, *there;
    Index rows, columns, apart;
  };

  Index pitch() const { return columns_ * layout_.item; }

  Plane take(const Plane& of, Range columns, int half) {
    const Index n1 = layout_.shape.n1;
    void** row = rows_ + half * n1;
    const Plane here = {row, std::max(of.first, columns.first), std::min(of.end, columns.last),
                        of.scale};
    T* copied = copies_ + half * n1 * pitch();
    for (Index r = 0; r < n1; ++r, copied += pitch()) {
      const Range has = common(of, r, columns);
      const Index count = has.last - has.first;
      row[r] = count > 0 ? copied : nullptr;
      if (count > 0 && count < here.end - here.first) {
        memset(copied, 0, size_t((here.end - here.first) * layout_.bytes()));
      }
    }
    return here;
  }

  // Those of some columns that row r has.
  Range common(const Plane& of, Index r, Range columns) const {
    if (!of.row[r]) return {0, 0};
    const Range has = layout_.has(of, r);
    return {std::max(has.first, columns.first), std::min(has.last, columns.last)};
  }

  char* lies(const Plane& of, Index r, Index column) const {
    return static_cast<char*>(of.row[r]) + (column - layout_.has(of, r).first) * layout_.step;
  }

  template <class Visit>
  void for_each_piece(const Planes& of, const Planes& here, Visit visit) const {
    for_each_piece(of.re, here.re, visit);
    if (of.im.row) for_each_piece(of.im, here.im, visit);
  }

  // Where each item has a line of cache to itself it is rows that share it, the next ones or, of a
  // volume, those a plane further: few columns of all rows stay in L2 until it is used up.
  template <class Visit>
  void for_each_piece(const Plane& of, const Plane& here, Visit visit) const {
    constexpr Index kLine = 64, kColumns = 16;
    const Index some = imaxabs(layout_.step) < kLine ? columns_ : kColumns;
    for (Index at = here.first; at < here.end; at += some) {
      pieces_of(of, here, {at, std::min(here.end, at + some)}, visit);
    }
  }

  template <class Visit>
  void pieces_of(const Plane& of, const Plane& here, Range columns, Visit visit) const {
    const Index n1 = layout_.shape.n1;
    for (Index r = 0, end; r < n1; r = end) {
      end = r + 1;
      const Range has = common(of, r, columns);
      if (has.first >= has.last) continue;
      char* const there = lies(of, r, has.first);
      Index apart = 0;
      for (; end < n1; ++end) {
        const Range next = common(of, end, columns);
        if (next.first != has.first || next.last != has.last) break;
        const Index to_next = lies(of, end, has.first) - lies(of, end - 1, has.first);
        if (end == r + 1) apart = to_next;
        if (to_next != apart) break;
      }
      char* copied = static_cast<char*>(here.row[r]) + (has.first - here.first) * layout_.bytes();
      visit(Piece{copied, there, end - r, has.last - has.first, apart});
    }
  }

  template <class Visit>
  void in_views(const Piece& x, Visit visit) const {
    const Index shape[] = {x.rows, x.columns};
    const Index mine[] = {pitch() * Index(sizeof(T)), layout_.bytes()},
                theirs[] = {x.apart, layout_.step};
    visit(View{x.here, 2, shape, mine}, View{x.there, 2, shape, theirs});
  }

  const Layout<T>& layout_;
  const Index columns_;
  void** rows_;
  T* copies_;
};

}  // namespace fastconv
