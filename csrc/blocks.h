// A line, a picture or a volume by blocks: sums of the products of blocks of samples with parts of
// the kernel, the same number of items along each axis (partition.h). A window of two blocks each
// way is transformed as one line, rows behind one another: what wraps from one row into the next
// falls on its first block, which is not wanted.
#pragma once
#include "partition.h"

namespace fastconv {

// Items along each axis of a block, and how far apart in a window its indices lie.
struct Sides {
  int axes;
  Index side[FC_MAX_NDIM], pitch[FC_MAX_NDIM];

  // Of a window: what a transform returns.
  Index half() const { return pitch[0] * side[0]; }
};
// At most so many along each axis, and no more than it has taps.
Sides sides_of(const Volume&, Index most);

// Blocks by axis, the last one fastest.
struct Grid {
  int axes;
  Index count[FC_MAX_NDIM];

  Index size() const { return across(0); }
  // Blocks of one index on the axis before.
  Index across(int axis) const {
    Index all = 1;
    for (int d = axis; d < axes; ++d) all *= count[d];
    return all;
  }
  void find(Index block, Index* at) const {
    for (int d = axes - 1; d >= 0; --d) at[d] = block % count[d], block /= count[d];
  }
};

// Blocks that hold samples of an axis, and the window that begins with the last of them.
Grid windows_of(const Volume&, const Sides&);
Grid parts_of(const Volume&, const Sides&);

// What is added up: items, or lower bounds of |x|, of complex ones max(|re|, |im|).
enum Taken { kAsTheyAre, kMagnitudes };

class BlockSums {
 public:
  // Blocks of outputs that are added up together.
  static constexpr Index kSome = 16;
  // So many along the first axis have their samples' spectra at once: kSome blocks, or a row of
  // them.
  static Index section(Index blocks_across);

  BlockSums(Scratch&, Taken, const Volume&, const Sides&, Index section, double v_max, Context&);

  // The signal, or one of those that share the kernel.
  void turn_to(const char* a);

  // Adds up `count` blocks of outputs, kSome at the most, whose indices on all axes follow one
  // another at `blocks`. On the first axis they lie within one section, behind those before.
  void add_up(const Index* blocks, Index count, Context&);

  // What each output of a block is off by at the most, by its number among those added up.
  double error(Index number) const { return error_[number]; }

  // The last half of its window.
  void get(Index number, double* y) const;
  Index half() const { return sides_.half(); }
  int reals_of_item() const { return kernel_.reals_of_item(); }

  double macs_of_transform() const { return 50 * double(half()); }

 private:
  enum Which { kOfA, kOfV };
  struct Product {
    Index slot, part;
  };

  double* spectrum(Index slot) const { return spectra_ + slot * kernel_.transform().stride(); }
  double* sum(Index number) const { return sums_ + number * kernel_.transform().stride(); }
  Index slot_of(Index window) const { return window % slots_; }
  void gather(Which, const Index* block, int axis, const char* x, double* to) const;
  void read(Which, Index block, double* window) const;
  template <class Meet>
  void meet(const Index* block, int axis, Index window, Index part, const Meet&) const;
  void weigh_parts(Context&);
  void list_products(const Index* blocks, Index count, Context&);
  void enter(Index count, Context&);
  void drop_silent(Index count);
  void put_parts(Index count, Context&);
  void multiply(Index count, Context&);

  const Taken taken_;
  const Volume w_;
  const Sides& sides_;
  Grid windows_, parts_;
  PartedKernel kernel_;
  const Index slots_;
  const char* a_ = nullptr;
  double* const spectra_;  // of windows, each in its slot until another takes it
  double* const norm_;
  Index* const held_;     // the window of each slot
  char* const has_part_;  // is its spectrum there?
  double* const sums_;
  double* const error_;
  Product* const product_;  // of each block, one after another
  Index begin_[kSome + 1];  // where they begin
  Index* const waiting_;    // windows, or parts, to be transformed
};

}  // namespace fastconv
