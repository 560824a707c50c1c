// Overlap-save of columns side by side in memory under a kernel of one column: the lanes
// of a row of a block are neighbours already, so blocks are read and written as they
// lie. A lane holds one complex column or, under a real kernel, two real ones.
#include "runtime.h"
#include "transforms.h"

namespace fastconv {
namespace {

template <class T>
class ColumnBlocks {
 public:
  ColumnBlocks(const Call<T>& call, Index length, Scratch& scratch)
      : call_(call),
        length_(length),
        step_(length - call.p.kh + 1),
        slots_(call.kernels.lanes * (call.complex() ? 1 : 2)),
        across_(ceil_div(call.p.cols, slots_)),
        rows_(scratch.take<void*>(length)),
        scales_(call, slots_, scratch),
        squares_(scratch.take<T>(2 * call.kernels.lanes)),
        padded_(scratch.take<T>(length * slots_ * call.out_item)),
        column_(scratch.take<T>(length)) {}

  Index groups() const { return across_ * ceil_div(call_.p.row_hi - call_.p.row_lo, step_); }

  bool place(Index group) {
    const Problem& p = call_.p;
    col_ = group % across_ * slots_;
    width_ = std::min(slots_, p.cols - col_);
    back_ = width_ < slots_ && p.cols >= slots_ ? slots_ - width_ : 0;
    row_ = p.row_lo + group / across_ * step_;
    height_ = std::min(step_, p.row_hi - row_);
    return true;
  }

  void gather(T* z, int digit) {
    const Problem& p = call_.p;
    const char* a = p.a + digit * p.a_digits.next;
    const Index item = call_.a_item * Index(sizeof(T)), width = width_ + back_;
    const Index above = row_ - p.kh + 1;  // the row of a under the first of the block
    const Index first = std::max<Index>(0, -above), end = std::min(length_, p.rows - above);
    Rectangle there = {
        const_cast<char*>(a) + (above + first) * p.a_row + (col_ - back_) * a_step(p), p.a_row,
        a_step(p)};
    if (width < slots_) memset(padded_, 0, size_t(length_ * slots_ * item));
    if ((width < slots_ || !a_is_dense(p)) && first < end) {
      const Rectangle here = copies(first, item);
      copy_rectangle(here, there, end - first, width, item);
      there = here;
    }
    for (Index j = 0; j < length_; ++j) {
      rows_[j] = j >= first && j < end ? there.corner + (j - first) * there.row : nullptr;
    }
    const auto read = [&] {
      call_.kernels.gather_columns(columns(scales_.in(), call_.a_item == 2), length_, z, squares_);
    };
    scales_.reset();
    read();
    if (call_.balances() &&
        scales_.balance_lanes(squares_, [&](Index slot) { return norm(slot); })) {
      read();
    }
  }

  void scatter(const T* z, Index kernel, int digit) {
    const Problem& p = call_.p;
    char* out = kernel_of(p, kernel, 0, digit).out;
    const Index item = call_.out_item * Index(sizeof(T));
    const bool whole = width_ == slots_ && out_is_dense(p);
    const Rectangle there = {out + (row_ - p.row_lo) * p.out_row + col_ * out_step(p), p.out_row,
                             out_step(p)};
    const Rectangle here = whole ? there : copies(0, item);
    for (Index j = 0; j < height_; ++j) rows_[j] = here.corner + j * here.row;
    Columns to = columns(scales_.out(), call_.complex());
    to.accumulate = whole && p.accumulate;
    call_.kernels.scatter_columns(to, length_ - step_, height_, z);
    if (whole) return;
    const Rectangle wanted = {here.corner + back_ * item, here.row, here.step};
    if (!p.accumulate) return copy_rectangle(there, wanted, height_, width_, item);
    for (Index j = 0; j < height_; ++j) {
      const T* from = reinterpret_cast<const T*>(wanted.corner + j * wanted.row);
      copy_out(there.corner + j * there.row, there.step, from, width_, call_.out_item, true);
    }
  }

 private:
  // A block of the array, or of its copy: bytes between its rows, and between its columns.
  struct Rectangle {
    char* corner;
    Index row, step;
  };

  Rectangle copies(Index row, Index item) const {
    return {reinterpret_cast<char*>(padded_) + row * slots_ * item, slots_ * item, item};
  }

  static void copy_rectangle(const Rectangle& to, const Rectangle& from, Index height, Index width,
                             Index item) {
    const Index shape[] = {height, width};
    const Index to_stride[] = {to.row, to.step}, from_stride[] = {from.row, from.step};
    copy({to.corner, 2, shape, to_stride}, {from.corner, 2, shape, from_stride}, item);
  }

  Columns columns(const T* scale, bool interleaved) const {
    const Index lanes = call_.kernels.lanes;
    const bool two = slots_ > lanes;
    return {rows_, scale, two ? scale + lanes : scale, two, interleaved, false};
  }

  double norm(Index slot) const {
    for (Index j = 0; j < length_; ++j) {
      column_[j] = rows_[j] ? static_cast<const T*>(rows_[j])[slot] : T(0);
    }
    return call_.kernels.norm(column_, length_);
  }

  const Call<T>& call_;
  const Index length_, step_, slots_, across_;
  // A group's outputs. Of columns left over it reads the last `back_` of its neighbour again.
  Index col_ = 0, width_ = 0, row_ = 0, height_ = 0, back_ = 0;
  void** rows_;
  LaneScales<T> scales_;
  T *squares_, *padded_, *column_;
};

}  // namespace

template <class T>
void overlap_in_columns(const Call<T>& call, Index length) {
  overlap_groups<ColumnBlocks<T>>(call, length, call.p.kh);
}

template void overlap_in_columns(const Call<float>&, Index);
template void overlap_in_columns(const Call<double>&, Index);

}  // namespace fastconv
