// Floats by uniform partitioned overlap-save, every output proven. Parts of the kernel meet blocks
// of the signal, so that a product's error is in proportion to the norms of these two alone: where
// both operands fade, as distributions do, a block of outputs is off by no more than
//
//     E = u (14 log2 N + 12 + 2 P) sum_p ||x_{j-p}|| ||h_p||.
//
// Behind an output stand magnitudes of the sum s, which is no less than the output itself. Where
// that does not show s >= E / tol, s is computed in the same way: it has an error below E too. What
// is not right then is taken again by shorter blocks, in which less of the fading is left, in the
// end directly. As every output is looked at this is no heuristic: componentwise accuracy in n log
// n, which Wilson and Keich have by other means (Statistics and Computing 26, 2016).
#include <math.h>
#include <string.h>

#include <algorithm>
#include <memory>

#include "prospect.h"
#include "survey.h"
#include "views.h"

namespace fastconv {
namespace {

// Lines are channels of one axis.
Volume in_blocks(Scratch& scratch, const Problem& p) {
  if (!lines_apart(p)) return volume_of(scratch, p);
  const bool columns = cols_apart(p);
  const Index a_item = a_step(p), out_item = out_step(p);
  Convolved* axis = scratch.take<Convolved>(1);
  *axis = columns ? Convolved{{p.rows, p.kh, p.row_lo, p.row_hi}, p.a_row, p.v_row, p.out_row}
                  : Convolved{
                        {p.cols, p.kw, p.col_lo, p.col_hi}, a_item, kItemSize[p.v_dtype], out_item};
  Volume w = {p.a_dtype, p.v_dtype, 1, axis, p.a, p.v, p.out};
  w.channels = columns ? p.cols : p.rows;
  w.a_next = columns ? a_item : p.a_row, w.out_next = columns ? out_item : p.out_row;
  return w;
}

// What is wrong yet, by blocks of some size.
class Pass {
 public:
  Pass(Scratch& scratch, const Volume& w, const Sides& sides, const Wrong& wrong,
       const Prospect& prospect, double v_max, double tolerance, Context& context)
      : w_(w),
        sides_(sides),
        wrong_(wrong),
        prospect_(prospect),
        v_max_(v_max),
        tolerance_(tolerance),
        context_(context),
        blocks_(w, sides, wrong),
        section_(BlockSums::section(blocks_.in_a_row())),
        values_(scratch, kAsTheyAre, w, sides, section_, v_max, context),
        list_(scratch.take<Index>(BlockSums::kSome * w.axes)),
        open_(scratch.take<char>(BlockSums::kSome)) {}

  void run(Index channel) {
    a_ = w_.a + channel * w_.a_next;
    out_ = w_.out + channel * w_.out_next;
    flag_ = wrong_.of(channel);
    values_.turn_to(a_);
    if (magnitudes_) magnitudes_->turn_to(a_);
    Index count = 0;
    const Index across = blocks_.in_a_row() * section_;
    for (Index b = 0; b < blocks_.count(); ++b) {
      if (b % across == 0 && count) prove_some(count);
      Index* at = list_ + count * w_.axes;
      blocks_.find(b, at);
      if (prospect_.is_worth(channel, b)) ++count;
      if (count == BlockSums::kSome) prove_some(count);
    }
    if (count) prove_some(count);
  }

 private:
  const Index* at(Index number) const { return list_ + number * w_.axes; }

  // Calls visit(number, y) for each of so many blocks.
  template <class Visit>
  void for_each_block(const BlockSums& sums, Index count, const Visit& visit) {
    const double macs = sums.macs_of_transform();
    context_.share(count, macs, [&](Context& own, Shares& shares) {
      Scratch scratch;
      double* y = scratch.take<double>(sums.half() * sums.reals_of_item());
      for (Range r; shares.next(r);) {
        for (Index k = r.first; k < r.last; ++k) {
          sums.get(k, y);
          visit(k, y);
          own.spend(macs);
        }
      }
    });
  }

  double least(Index number) const { return 2 * values_.error(number) / tolerance_; }

  void prove_some(Index& count) {
    values_.add_up(list_, count, context_);
    for_each_block(values_, count, [&](Index k, const double* y) {
      open_[k] = is_single(w_.a_dtype) ? put<float>(k, y) : put<double>(k, y);
    });
    if (memchr(open_, 1, size_t(count))) prove(count);
    count = 0;
  }

  // Are some outputs of the block to be proven yet?
  template <class T>
  bool put(Index number, const double* y) const {
    const int reals = values_.reals_of_item();
    const Index step = w_.axis[w_.axes - 1].out;
    const double enough = least(number);
    bool open = false;
    blocks_.for_each_row(at(number), [&](Index first, Index out, Index flag, Index count) {
      const double* from = y + first * reals;
      char* to = out_ + out;
      for (Index i = 0; i < count; ++i, from += reals, to += step) {
        char& wrong = flag_[flag + i];
        if (!wrong) continue;
        double size = 0;
        for (int part = 0; part < reals; ++part) {
          reinterpret_cast<T*>(to)[part] = T(from[part]);
          size = std::max(size, fabs(from[part]));
        }
        wrong = size < enough;
        open |= bool(wrong);
      }
    });
    return open;
  }

  void prove(Index count) {
    if (!magnitudes_) {
      magnitudes_.reset(new BlockSums(kept_, kMagnitudes, w_, sides_, section_, v_max_, context_));
      magnitudes_->turn_to(a_);
    }
    Index left = 0;
    for (Index k = 0; k < count; ++k) {
      if (!open_[k]) continue;
      memmove(list_ + left * w_.axes, at(k), size_t(w_.axes) * sizeof(Index));
      least_[left++] = least(k);
    }
    magnitudes_->add_up(list_, left, context_);
    for_each_block(*magnitudes_, left, [&](Index k, const double* s) {
      const double enough = least_[k] + magnitudes_->error(k);
      blocks_.for_each_row(at(k), [&](Index first, Index, Index flag, Index items) {
        for (Index i = 0; i < items; ++i) flag_[flag + i] &= s[first + i] < enough;
      });
    });
  }

  const Volume& w_;
  const Sides& sides_;
  const Wrong& wrong_;
  const Prospect& prospect_;
  const double v_max_, tolerance_;
  Context& context_;
  const OutputBlocks blocks_;
  const Index section_;
  BlockSums values_;
  Index* const list_;  // of blocks that are added up together
  char* const open_;
  double least_[BlockSums::kSome];
  const char* a_ = nullptr;
  char* out_ = nullptr;
  char* flag_ = nullptr;
  Kept kept_;
  std::unique_ptr<BlockSums> magnitudes_;  // once they are asked for
};

Magnitudes magnitudes_of_signal(const Problem& p, Context& context) {
  Magnitudes magnitudes;
  LyingRows rows = rows_of_a(p);
  for (Index r = 0; r < p.rows; ++r) {
    const char* row = rows(r);
    if (!row) continue;
    for_each_run(row, a_step(p), p.cols, p.a_dtype, kRun, [&](const char* x, Index count) {
      measure(p.a_dtype, x, count, context.kernels, magnitudes);
      context.spend(2 * double(count));
    });
  }
  return magnitudes;
}

Magnitudes magnitudes_of_taps(const Problem& p, Context& context) {
  Magnitudes magnitudes;
  for (Index r = 0; r < p.kh; ++r) {
    measure(p.v_dtype, p.v + r * p.v_row, p.kw, context.kernels, magnitudes);
    context.spend(2 * double(p.kw));
  }
  return magnitudes;
}

// Parts are four times as many of a line or a picture, eight times of three axes.
Index shorter(const Volume& w, Index side) { return side / (w.axes == 1 ? 4 : 2); }

// The shortest blocks that transforms, and what is to be known of them all, allow.
Index shortest_side(const Volume& w, Index side) {
  for (;;) {
    const Index next = shorter(w, side);
    if (next == 0) return side;
    const Sides sides = sides_of(w, next);
    if (sides.half() < kShortestPart || !Measured::is_cheap(w, sides)) return side;
    side = next;
  }
}

// Of real numbers, on the average: at the ends of 'full' they are fewer.
double macs_an_output(const Volume& w) {
  double macs = (is_complex(w.a_dtype) ? 2 : 1) * (is_complex(w.v_dtype) ? 2 : 1);
  for (int d = 0; d < w.axes; ++d) {
    const Extent& e = w.axis[d].extent;
    macs *= products_of(e) / double(e.hi - e.lo);
  }
  return macs;
}

// What is expected to be proven is worth so much less than what is.
constexpr double kExpected = 1.5;

// What a block of outputs takes, and some of all blocks with what meets there: of a transform a
// point as long as 200 multiply-adds, of a product 4, and of magnitudes all of it once more.
class Price {
 public:
  Price(const Volume& w, const Sides& sides)
      : points_(2 * double(sides.half()) * (is_complex(w.a_dtype) ? 2 : 1)),
        parts_(double(parts_of(w, sides).size())),
        windows_(double(w.channels) * double(windows_of(w, sides).size())) {
    double blocks = 1, products = 1;
    for (int d = 0; d < w.axes; ++d) {
      const Extent e = by_blocks(w.axis[d].extent, sides.side[d]);
      blocks *= double(e.hi - e.lo), products *= products_of(e);
    }
    products_ = products / blocks;
  }

  double block() const { return macs(1, products_); }
  double blocks(double count) const {
    return macs(count + std::min(windows_, count * parts_) + parts_, count * products_);
  }

 private:
  double macs(double transforms, double products) const {
    return points_ * (200 * transforms + 4 * products);
  }
  double points_, parts_, windows_, products_;  // the last of each block, on the average
};

// What is wrong in the end, box by box, one around what is wrong of a block: of longer blocks there
// are fewer, and of each that is summed all taps are read, more that is right within them.
class Rest {
 public:
  Rest(const Problem& p, const Volume& w, const Wrong& wrong) : p_(p), w_(w), wrong_(wrong) {}

  double macs(const Sides& sides, Context& context) const {
    constexpr double kTap = 8, kBox = 1e4;
    const OutputBlocks blocks(w_, sides, wrong_);
    double taps = 1, boxes = 0, outputs = 0;
    for (int d = 0; d < w_.axes; ++d) taps *= double(w_.axis[d].extent.m);
    Box box;
    for (Index i = 0; i < blocks.count() * w_.channels; ++i) {
      context.spend(double(sides.half()));
      if (!find(blocks, i, box)) continue;
      double count = 1;
      for (int d = 0; d < w_.axes; ++d) {
        count *= double(box.axis[along() + d].last - box.axis[along() + d].first);
      }
      ++boxes, outputs += count;
    }
    return boxes * (kTap * taps + kBox) + outputs * macs_an_output(w_);
  }

  void sum(const Sides& sides, double macs, Context& context) const {
    const OutputBlocks blocks(w_, sides, wrong_);
    const Index count = blocks.count() * w_.channels;
    context.share_many(count, macs / double(count), [&](Context& own, Shares& shares) {
      Box box;
      Leading leading;
      Problem q;
      for (Range r; shares.next(r);) {
        for (Index i = r.first; i < r.last; ++i) {
          own.spend(double(sides.half()));
          if (find(blocks, i, box) && part(p_, box.axis, leading, q)) summed(q, own);
        }
      }
    });
  }

 private:
  // Of lines the other axis is theirs.
  int along() const { return rows_apart(p_) ? 1 : 0; }

  // Is there something wrong in a block of a channel? It is within the box.
  bool find(const OutputBlocks& blocks, Index i, Box& box) const {
    const Index channel = i / blocks.count();
    Index at[FC_MAX_NDIM];
    blocks.find(i % blocks.count(), at);
    if (lines_apart(p_)) box.axis[1 - along()] = {channel, channel + 1};
    return blocks.find_wrong(at, channel, box.axis + along());
  }

  const Problem& p_;
  const Volume& w_;
  const Wrong& wrong_;
};

}  // namespace

// Twice what is foreseen: some is taken again by shorter parts.
Parting parting_of(const Problem& p) {
  const Parting none = {0, macs_of(p)};
  if (none.macs < kWorthChoosing) return none;
  const fc_candidate how = chosen_for(p, FC_COMPONENTWISE);
  const double macs = 2 * macs_in(how.predicted_ns, p);
  return how.method == FC_OVERLAP && macs < none.macs ? Parting{how.block[1] / 2, macs} : none;
}

void partitioned(const Problem& p, Index side, double tolerance, Context& context) {
  const Magnitudes a = magnitudes_of_signal(p, context), v = magnitudes_of_taps(p, context);
  if (a.bad > 0 || a.max >= kLoud || !PartedKernel::takes(v)) return summed(p, context);
  Scratch scratch;
  const Volume w = in_blocks(scratch, p);
  const Wrong wrong(scratch, w);
  const double each = macs_an_output(w);
  const Index least = shortest_side(w, side);
  const Sides longest = sides_of(w, side), shortest = sides_of(w, least);
  const Weights weights(scratch, w, shortest, a.max, v.max, context);
  const Expected expected(scratch, w, shortest, wrong, weights, context);
  double left = wrong.size(), kept = 1;  // of what is not proven, and of what passes have promised
  for (bool planned = true; side >= least; side = shorter(w, side), planned = false) {
    const Sides sides = sides_of(w, side);
    const Price price(w, sides);
    Scratch own;
    const Prospect prospect(own, w, sides, wrong, weights, expected, tolerance,
                            price.block() / each, context);
    const bool as_foreseen = planned && 2 * prospect.outputs() > left;
    const double macs = kExpected * price.blocks(prospect.blocks());
    if (!as_foreseen && macs > each * kept * prospect.outputs()) continue;
    Pass pass(own, w, sides, wrong, prospect, v.max, tolerance, context);
    for (Index channel = 0; channel < w.channels; ++channel) pass.run(channel);
    const double proven = left - wrong.count();
    left -= proven;
    kept *= std::min(1.0, proven / prospect.outputs());
  }
  if (left == wrong.size()) return summed(p, context);
  const Rest rest(p, w, wrong);
  const double by_short = rest.macs(shortest, context), by_long = rest.macs(longest, context);
  if (std::min(by_short, by_long) > each * wrong.size()) return summed(p, context);
  by_short < by_long ? rest.sum(shortest, by_short, context) : rest.sum(longest, by_long, context);
}

}  // namespace fastconv
