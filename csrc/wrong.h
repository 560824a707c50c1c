// Outputs of a line, a picture or a volume that are not right yet, and the blocks that they are in.
#pragma once
#include <string.h>

#include <algorithm>

#include "blocks.h"

namespace fastconv {

// A flag for each output, in dense rows of the window.
class Wrong {
 public:
  Wrong(Scratch& scratch, const Volume& w) : w_(w) {
    each_ = 1;
    for (int d = w.axes - 1; d >= 0; --d) {
      pitch_[d] = each_;
      each_ *= w.axis[d].extent.hi - w.axis[d].extent.lo;
    }
    flag_ = scratch.take<char>(each_ * w.channels);
    memset(flag_, 1, size_t(each_ * w.channels));
  }

  Index pitch(int axis) const { return pitch_[axis]; }

  char* of(Index channel) const { return flag_ + channel * each_; }

  // An output's index along each axis.
  void find(Index flag, Index* at) const {
    for (int d = 0; d < w_.axes; ++d) {
      at[d] = w_.axis[d].extent.lo + flag / pitch_[d];
      flag %= pitch_[d];
    }
  }

  double count() const { return double(std::count(flag_, flag_ + each_ * w_.channels, 1)); }
  double size() const { return double(each_ * w_.channels); }

 private:
  const Volume& w_;
  Index each_, pitch_[FC_MAX_NDIM];
  char* flag_;
};

// The window by blocks of outputs.
class OutputBlocks {
 public:
  OutputBlocks(const Volume& w, const Sides& sides, const Wrong& wrong)
      : w_(w), sides_(sides), wrong_(wrong), grid_{w.axes, {}} {
    for (int d = 0; d < w.axes; ++d) {
      const Extent e = by_blocks(w.axis[d].extent, sides.side[d]);
      first_[d] = e.lo;
      grid_.count[d] = e.hi - e.lo;
    }
  }

  Index count() const { return grid_.size(); }
  Index in_a_row() const { return grid_.across(1); }
  const Grid& grid() const { return grid_; }
  Index first(int axis) const { return first_[axis]; }

  // The block around an output, by its number.
  Index around(const Index* output) const {
    Index block = 0;
    for (int d = 0; d < w_.axes; ++d) {
      block = block * grid_.count[d] + output[d] / sides_.side[d] - first_[d];
    }
    return block;
  }
  void find(Index block, Index* at) const {
    grid_.find(block, at);
    for (int d = 0; d < w_.axes; ++d) at[d] += first_[d];
  }

  // The outputs of an axis in a block, within the window.
  Range outputs(const Index* at, int d) const {
    const Extent& e = w_.axis[d].extent;
    const Index B = sides_.side[d];
    return {std::max(e.lo, at[d] * B), std::min(e.hi, (at[d] + 1) * B)};
  }

  // Calls visit for each row of outputs: where it begins in the last half of the block's window, by
  // how many bytes behind the first output, where its flags are, and how many it has.
  using OfRow = FunctionRef<void(Index y, Index out, Index flag, Index count)>;
  void for_each_row(const Index* at, OfRow visit) const { descend(at, visit, 0, 0, 0, 0); }

  double count_wrong(const Index* at, Index channel, Context& context) const {
    const char* flag = wrong_.of(channel);
    Index count = 0;
    for_each_row(at, [&](Index, Index, Index first, Index items) {
      count += std::count(flag + first, flag + first + items, 1);
      context.spend(double(items));
    });
    return double(count);
  }

  // What is wrong of a block is within the box, if anything is.
  bool find_wrong(const Index* at, Index channel, Range* box) const {
    const char* flag = wrong_.of(channel);
    for (int d = 0; d < w_.axes; ++d) box[d] = {PTRDIFF_MAX, 0};
    for_each_row(at, [&](Index, Index, Index first, Index count) {
      const void* next = memchr(flag + first, 1, size_t(count));
      if (!next) return;
      Index left = static_cast<const char*>(next) - flag, right = first + count - 1;
      while (!flag[right]) --right;
      Index output[FC_MAX_NDIM];
      wrong_.find(left, output);
      for (int d = 0; d < w_.axes; ++d) {
        const Index last = output[d] + 1 + (d == w_.axes - 1 ? right - left : 0);
        box[d] = {std::min(box[d].first, output[d]), std::max(box[d].last, last)};
      }
    });
    return box[0].last > 0;
  }

 private:
  void descend(const Index* at, OfRow visit, int d, Index y, Index out, Index flag) const {
    const Convolved& axis = w_.axis[d];
    const Range of = outputs(at, d);
    const Index pitch = sides_.pitch[d], B = sides_.side[d];
    y += (of.first - at[d] * B + (d > 0 ? B : 0)) * pitch;
    out += (of.first - axis.extent.lo) * axis.out;
    flag += (of.first - axis.extent.lo) * wrong_.pitch(d);
    if (d == w_.axes - 1) return visit(y, out, flag, of.last - of.first);
    for (Index i = of.first; i < of.last; ++i) {
      descend(at, visit, d + 1, y, out, flag);
      y += pitch, out += axis.out, flag += wrong_.pitch(d);
    }
  }

  const Volume& w_;
  const Sides& sides_;
  const Wrong& wrong_;
  Index first_[FC_MAX_NDIM];
  Grid grid_;
};

}  // namespace fastconv
