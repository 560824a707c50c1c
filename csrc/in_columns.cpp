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

  void place(Index group) {
    const Problem& p = call_.p;
    col_ = group % across_ * slots_;
    width_ = std::min(slots_, p.cols - col_);
    back_ = width_ < slots_ && p.cols >= slots_ ? slots_ - width_ : 0;
    row_ = p.row_lo + group / across_ * step_;
    height_ = std::min(step_, p.row_hi - row_);
  }

  void gather(T* z, int digit) {
    const Problem& p = call_.p;
    const char* a = p.a + digit * p.a_digits.next;
    const Index item = call_.a_item * Index(sizeof(T));
    const bool whole = width_ + back_ == slots_;
    if (!whole) memset(padded_, 0, size_t(length_ * slots_ * item));
    for (Index j = 0; j < length_; ++j) {
      const Index r = row_ - p.kh + 1 + j;
      const bool there = r >= 0 && r < p.rows;
      const char* row = there ? a + r * p.a_row + (col_ - back_) * item : nullptr;
      rows_[j] = const_cast<char*>(row);
      if (!there || whole) continue;
      rows_[j] = padded_ + j * slots_ * call_.a_item;
      memcpy(rows_[j], row, size_t(width_ * item));
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
    const bool whole = width_ == slots_;
    for (Index j = 0; j < height_; ++j) {
      char* row = out + (row_ - p.row_lo + j) * p.out_row + col_ * item;
      rows_[j] = whole ? static_cast<void*>(row) : padded_ + j * slots_ * call_.out_item;
    }
    Columns to = columns(scales_.out(), call_.complex());
    to.accumulate = whole && p.accumulate;
    call_.kernels.scatter_columns(to, length_ - step_, height_, z);
    for (Index j = 0; j < height_ && !whole; ++j) {
      T* row = reinterpret_cast<T*>(out + (row_ - p.row_lo + j) * p.out_row + col_ * item);
      const T* from = static_cast<const T*>(rows_[j]) + back_ * call_.out_item;
      copy_out(row, from, width_ * call_.out_item, p.accumulate);
    }
  }

 private:
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
