#include "blocks.h"

#include <math.h>
#include <string.h>

#include <algorithm>

namespace fastconv {
namespace {

// Products are taken so many bytes of all spectra at a time, to be read from cache.
constexpr Index kTileBytes = Index(1) << 18;

// `count` items, `step` bytes apart.
void take(Taken taken, fc_dtype dtype, const char* from, Index step, Index count, bool to_pairs,
          double* to) {
  if (taken == kAsTheyAre) return widen(dtype, from, step, count, to_pairs, to);
  constexpr Index kRun = 256;
  double pair[2 * kRun];
  for (Index i = 0, some; i < count; i += some) {
    some = std::min(kRun, count - i);
    widen(dtype, from + i * step, step, some, true, pair);
    for (Index k = 0; k < some; ++k) to[i + k] = std::max(fabs(pair[2 * k]), fabs(pair[2 * k + 1]));
  }
}

}  // namespace

Grid windows_of(const Volume& w, const Sides& sides) {
  Grid grid = {w.axes, {}};
  for (int d = 0; d < w.axes; ++d) {
    grid.count[d] = by_blocks(w.axis[d].extent, sides.side[d]).n;
  }
  return grid;
}

Grid parts_of(const Volume& w, const Sides& sides) {
  Grid grid = {w.axes, {}};
  for (int d = 0; d < w.axes; ++d) {
    grid.count[d] = by_blocks(w.axis[d].extent, sides.side[d]).m;
  }
  return grid;
}

Sides sides_of(const Volume& w, Index most) {
  Sides sides = {w.axes, {}, {}};
  Index pitch = 1;
  for (int d = w.axes - 1; d >= 0; --d) {
    sides.side[d] = part_side(w.axis[d].extent.m, most);
    sides.pitch[d] = pitch;
    pitch *= 2 * sides.side[d];
  }
  return sides;
}

Index BlockSums::section(Index blocks_across) {
  return std::max<Index>(1, kSome / std::max<Index>(1, blocks_across));
}

BlockSums::BlockSums(Scratch& scratch, Taken taken, const Volume& w, const Sides& sides,
                     Index section, double v_max, Context& context)
    : taken_(taken),
      w_(w),
      sides_(sides),
      windows_(windows_of(w, sides)),
      parts_(parts_of(w, sides)),
      kernel_(context.kernels,
              taken == kAsTheyAre && (is_complex(w.a_dtype) || is_complex(w.v_dtype)), sides.half(),
              parts_.size(), v_max),
      slots_(std::min(windows_.count[0], section + parts_.count[0] - 1) * windows_.across(1)),
      spectra_(scratch.take<double>(slots_ * kernel_.transform().stride())),
      norm_(scratch.take<double>(slots_)),
      held_(scratch.take<Index>(slots_)),
      has_part_(scratch.take<char>(kernel_.parts())),
      sums_(scratch.take<double>(kSome * kernel_.transform().stride())),
      error_(scratch.take<double>(kSome)),
      product_(scratch.take<Product>(kSome * kernel_.parts())),
      waiting_(scratch.take<Index>(std::max(slots_, kernel_.parts()))) {
  memset(has_part_, 0, size_t(kernel_.parts()));
  weigh_parts(context);
}

void BlockSums::turn_to(const char* a) {
  a_ = a;
  std::fill_n(held_, slots_, -1);
}

// Along an axis a window has block - 1 and block of a, or one part of v and nothing behind it.
void BlockSums::gather(Which which, const Index* block, int d, const char* x, double* to) const {
  const Convolved& axis = w_.axis[d];
  const Index B = sides_.side[d], begin = (which == kOfA ? block[d] - 1 : block[d]) * B;
  const Index n = which == kOfA ? axis.extent.n : axis.extent.m;
  const Index first = std::max<Index>(begin, 0);
  const Index last = std::min(begin + (which == kOfA ? 2 * B : B), n);
  const Index step = which == kOfA ? axis.a : axis.v, item = kernel_.reals_of_item();
  x += first * step, to += (first - begin) * sides_.pitch[d] * item;
  if (d == w_.axes - 1) {
    const fc_dtype dtype = which == kOfA ? w_.a_dtype : w_.v_dtype;
    if (first < last) take(taken_, dtype, x, step, last - first, kernel_.pairs(), to);
    return;
  }
  for (Index i = first; i < last; ++i, x += step, to += sides_.pitch[d] * item) {
    gather(which, block, d + 1, x, to);
  }
}

void BlockSums::read(Which which, Index block, double* window) const {
  Index at[FC_MAX_NDIM];
  (which == kOfA ? windows_ : parts_).find(block, at);
  std::fill_n(window, 2 * half() * kernel_.reals_of_item(), 0.0);
  gather(which, at, 0, which == kOfA ? a_ : w_.v, window);
}

// Calls visit(window, part) for all that meet in a block of outputs.
template <class Meet>
void BlockSums::meet(const Index* block, int d, Index window, Index part, const Meet& visit) const {
  if (d == w_.axes) return visit(window, part);
  const Index first = std::max<Index>(0, block[d] - windows_.count[d] + 1);
  const Index last = std::min(parts_.count[d], block[d] + 1);
  for (Index p = first; p < last; ++p) {
    meet(block, d + 1, window * windows_.count[d] + block[d] - p, part * parts_.count[d] + p,
         visit);
  }
}

void BlockSums::weigh_parts(Context& context) {
  context.share(kernel_.parts(), 10 * double(half()), [&](Context& own, Shares& shares) {
    Scratch scratch;
    double* window = scratch.take<double>(2 * half() * kernel_.reals_of_item());
    for (Range r; shares.next(r);) {
      for (Index p = r.first; p < r.last; ++p) {
        read(kOfV, p, window);
        kernel_.weigh(p, window);
        own.spend(10 * double(half()));
      }
    }
  });
}

void BlockSums::list_products(const Index* blocks, Index count, Context& context) {
  Index listed = 0, waiting = 0;
  for (Index k = 0; k < count; ++k) {
    begin_[k] = listed;
    meet(blocks + k * w_.axes, 0, 0, 0, [&](Index window, Index part) {
      if (kernel_.norm(part) == 0) return;
      const Index slot = slot_of(window);
      if (held_[slot] != window) waiting_[waiting++] = held_[slot] = window;
      product_[listed++] = {slot, part};
    });
  }
  begin_[count] = listed;
  enter(waiting, context);
}

void BlockSums::enter(Index count, Context& context) {
  context.share(count, macs_of_transform(), [&](Context& own, Shares& shares) {
    Scratch scratch;
    const Index reals = 2 * half() * kernel_.reals_of_item();
    double* window = scratch.take<double>(reals);
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        const Index slot = slot_of(waiting_[i]);
        read(kOfA, waiting_[i], window);
        norm_[slot] = norm_of(window, reals);
        if (norm_[slot] > 0) kernel_.transform().forward(window, spectrum(slot));
        own.spend(macs_of_transform());
      }
    }
  });
}

void BlockSums::drop_silent(Index count) {
  Index kept = 0;
  for (Index k = 0; k < count; ++k) {
    const Index first = begin_[k];
    double norms = 0;
    begin_[k] = kept;
    for (Index i = first; i < begin_[k + 1]; ++i) {
      const Product product = product_[i];
      if (norm_[product.slot] == 0) continue;
      norms += norm_[product.slot] * kernel_.norm(product.part);
      product_[kept++] = product;
    }
    error_[k] = kept > begin_[k] ? kernel_.error(norms, int(kept - begin_[k])) : 0;
  }
  begin_[count] = kept;
}

void BlockSums::put_parts(Index count, Context& context) {
  Index waiting = 0;
  for (Index i = 0; i < begin_[count]; ++i) {
    const Index part = product_[i].part;
    if (has_part_[part]) continue;
    has_part_[part] = true;
    waiting_[waiting++] = part;
  }
  context.share(waiting, macs_of_transform(), [&](Context& own, Shares& shares) {
    Scratch scratch;
    double* window = scratch.take<double>(2 * half() * kernel_.reals_of_item());
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        read(kOfV, waiting_[i], window);
        kernel_.put(waiting_[i], window);
        own.spend(macs_of_transform());
      }
    }
  });
}

void BlockSums::multiply(Index count, Context& context) {
  const BlockTransform& transform = kernel_.transform();
  Index most = 1;
  for (Index k = 0; k < count; ++k) most = std::max(most, begin_[k + 1] - begin_[k]);
  // Of so many points at once each factor is read but once.
  const Index group = 4 * 2 * context.kernels.spectral[1].lanes;
  const Index held = 2 * (kSome + most) * group * Index(sizeof(double));
  const Index tile = group * std::max<Index>(1, kTileBytes / held);
  const double macs = 2 * double(begin_[count]) * double(tile);
  context.share(ceil_div(transform.reals(), tile), macs, [&](Context& own, Shares& shares) {
    Scratch scratch;
    const void** x = scratch.take<const void*>(most);
    const void** h = scratch.take<const void*>(most);
    for (Range r; shares.next(r);) {
      for (Index t = r.first; t < r.last; ++t) {
        const Index at = t * tile, some = std::min(tile, transform.reals() - at);
        for (Index k = 0; k < count; ++k) {
          const Index products = begin_[k + 1] - begin_[k];
          for (Index i = 0; i < products; ++i) {
            x[i] = spectrum(product_[begin_[k] + i].slot) + at;
            h[i] = kernel_.spectrum(product_[begin_[k] + i].part) + at;
          }
          if (products) transform.products(x, h, int(products), some / 2, sum(k) + at);
        }
        own.spend(macs);
      }
    }
  });
}

void BlockSums::add_up(const Index* blocks, Index count, Context& context) {
  list_products(blocks, count, context);
  drop_silent(count);
  put_parts(count, context);
  multiply(count, context);
}

void BlockSums::get(Index number, double* y) const {
  if (error_[number] > 0) return kernel_.transform().inverse(sum(number), kernel_.scale(), y);
  std::fill_n(y, half() * kernel_.reals_of_item(), 0.0);
}

}  // namespace fastconv
