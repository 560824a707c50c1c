#include "prospect.h"

#include <math.h>

#include <algorithm>
#include <numeric>

namespace fastconv {
namespace {

constexpr int kMeasures = 3;

// Adds to the sums of each measure, so many apart.
void add_items(fc_dtype dtype, double scale, const char* x, Index step, Index count, double* sums,
               Index apart) {
  constexpr Index kRun = 256, kApart = 8;  // sums that do not wait for each other
  double number[2 * kRun + kApart], sum[kMeasures][kApart] = {};
  const Index reals = is_complex(dtype) ? 2 : 1;
  for (Index i = 0, some; i < count; i += some) {
    some = std::min(kRun, count - i);
    widen(dtype, x + i * step, step, some, reals == 2, number);
    std::fill_n(number + some * reals, kApart, 0.0);
    for (Index k = 0; k < some * reals; k += kApart) {
      for (Index part = 0; part < kApart; ++part) {
        const double size = fabs(number[k + part] * scale);
        sum[kBound][part] += size * size;
        sum[kMean][part] += size;
        sum[kMeanOfRoots][part] += sqrt(size);
      }
    }
  }
  for (int m = 0; m < kMeasures; ++m) {
    sums[m * apart] += std::accumulate(sum[m], sum[m] + kApart, 0.0);
  }
}

// An operand, which has `n` and `step` of each axis.
struct Array {
  fc_dtype dtype;
  double scale;
  Index n[FC_MAX_NDIM], step[FC_MAX_NDIM];
};

double down_from(double max) { return max > 0 ? ldexp(1, std::min(1000, -ilogb(max))) : 1; }

Array the_taps(const Volume& w, double max) {
  Array v = {w.v_dtype, down_from(max), {}, {}};
  for (int d = 0; d < w.axes; ++d) v.n[d] = w.axis[d].extent.m, v.step[d] = w.axis[d].v;
  return v;
}

Array the_samples(const Volume& w, double max) {
  Array a = {w.a_dtype, down_from(max), {}, {}};
  for (int d = 0; d < w.axes; ++d) a.n[d] = w.axis[d].extent.n, a.step[d] = w.axis[d].a;
  return a;
}

void add_blocks(const Array& of, const Sides& sides, const Grid& grid, int d, const char* x,
                double* sums, Context& context) {
  const Index B = sides.side[d], n = of.n[d], step = of.step[d];
  for (Index block = 0; block < grid.count[d]; ++block, sums += grid.across(d + 1)) {
    const Index first = block * B, last = std::min(n, first + B);
    if (d == grid.axes - 1) {
      if (first >= last) continue;
      add_items(of.dtype, of.scale, x + first * step, step, last - first, sums, grid.size());
      context.spend(10 * double(last - first));
      continue;
    }
    for (Index i = first; i < last; ++i) {
      add_blocks(of, sides, grid, d + 1, x + i * step, sums, context);
    }
  }
}

// Those of blocks `sides` long, of shorter ones.
double* joined(Scratch& scratch, const Grid& shorter, const Sides& sides_of_these,
               const double* sums, const Grid& grid, const Sides& sides) {
  double* sum = scratch.take<double>(grid.size());
  std::fill_n(sum, grid.size(), 0.0);
  Index at[FC_MAX_NDIM];
  for (Index b = 0; b < shorter.size(); ++b) {
    shorter.find(b, at);
    Index to = 0;
    for (int d = 0; d < grid.axes; ++d) {
      to = to * grid.count[d] + at[d] / (sides.side[d] / sides_of_these.side[d]);
    }
    sum[to] += sums[b];
  }
  return sum;
}

double items_of_block(const Sides& sides) {
  double items = 1;
  for (int d = 0; d < sides.axes; ++d) items *= double(sides.side[d]);
  return items;
}

// sum = x * h for all blocks of outputs.
void convolve_blocks(const Grid& windows, const double* x, const Grid& parts, const double* h,
                     const OutputBlocks& blocks, double* sum, Context& context) {
  constexpr Index kItem = Index(sizeof(double));
  Scratch scratch;
  // Of a line the other axis has but one index.
  const int axes = std::max(2, windows.axes), more = axes - windows.axes;
  Convolved* axis = scratch.take<Convolved>(axes);
  axis[0] = {{1, 1, 0, 1}, 0, 0, 0};
  for (int d = 0; d < windows.axes; ++d) {
    const Index first = blocks.first(d), count = blocks.grid().count[d];
    axis[d + more] = {{windows.count[d], parts.count[d], first, first + count},
                      windows.across(d + 1) * kItem,
                      parts.across(d + 1) * kItem,
                      blocks.grid().across(d + 1) * kItem};
  }
  direct_volume({FC_F64, FC_F64, axes, axis, reinterpret_cast<const char*>(x),
                 reinterpret_cast<const char*>(h), reinterpret_cast<char*>(sum)},
                context);
}

// E / u of a block of which the bound of s is so much, where as many products meet as can.
double loss(const Volume& w, const Sides& sides, const Index* at, double bound) {
  const double points =
      double(sides.half()) * (is_complex(result_dtype(w.a_dtype, w.v_dtype)) ? 2 : 1);
  double products = 1;
  for (int d = 0; d < w.axes; ++d) {
    const Extent e = by_blocks(w.axis[d].extent, sides.side[d]);
    products *= double(std::min(e.m, at[d] + 1) - std::max<Index>(0, at[d] - e.n + 1));
  }
  return (14 * log2(points) + 12 + 2 * products) * bound;
}

}  // namespace

Weights::Weights(Scratch& scratch, const Volume& w, const Sides& sides, double a_max, double v_max,
                 Context& context)
    : w_(w),
      sides_(sides),
      of_a_(windows_of(w, sides)),
      of_v_(parts_of(w, sides)),
      a_(scratch.take<double>(kMeasures * of_a_.size() * w.channels)),
      v_(scratch.take<double>(kMeasures * of_v_.size())) {
  std::fill_n(a_, kMeasures * of_a_.size() * w.channels, 0.0);
  std::fill_n(v_, kMeasures * of_v_.size(), 0.0);
  const Array a = the_samples(w, a_max), v = the_taps(w, v_max);
  add_blocks(v, sides, of_v_, 0, w.v, v_, context);
  for (Index channel = 0; channel < w.channels; ++channel) {
    add_blocks(a, sides, of_a_, 0, w.a + channel * w.a_next,
               a_ + kMeasures * channel * of_a_.size(), context);
  }
}

// A window has the block before as well, along each axis.
const double* Weights::windows(Scratch& scratch, Measure measure, Index channel,
                               const Sides& sides) const {
  const Grid grid = windows_of(w_, sides);
  const double* of_channel = a_ + (kMeasures * channel + measure) * of_a_.size();
  double* sum = joined(scratch, of_a_, sides_, of_channel, grid, sides);
  for (int d = 0; d < grid.axes; ++d) {
    const Index next = grid.across(d + 1);
    for (Index i = grid.size() - 1; i >= 0; --i) {
      if (i / next % grid.count[d] > 0) sum[i] += sum[i - next];
    }
  }
  const double numbers = ldexp(items_of_block(sides), grid.axes) * (is_complex(w_.a_dtype) ? 2 : 1);
  for (Index i = 0; i < grid.size(); ++i) {
    sum[i] = measure == kBound ? sqrt(sum[i]) : sum[i] / numbers;
  }
  return sum;
}

const double* Weights::parts(Scratch& scratch, Measure measure, const Sides& sides) const {
  const Grid grid = parts_of(w_, sides);
  double* sum = joined(scratch, of_v_, sides_, v_ + measure * of_v_.size(), grid, sides);
  for (Index i = 0; measure == kBound && i < grid.size(); ++i) sum[i] = sqrt(sum[i]);
  return sum;
}

Measured::Measured(Scratch& scratch, const Volume& w, const Sides& sides, const Wrong& wrong,
                   const Weights& weights, Measure measure, Context& context)
    : blocks_(w, sides, wrong), sum_(scratch.take<double>(blocks_.count() * w.channels)) {
  Scratch own;
  const double* h = weights.parts(own, measure, sides);
  for (Index channel = 0; channel < w.channels; ++channel) {
    Scratch of_one;
    convolve_blocks(windows_of(w, sides), weights.windows(of_one, measure, channel, sides),
                    parts_of(w, sides), h, blocks_, sum_ + channel * blocks_.count(), context);
  }
}

double Measured::fade(Index channel, Index block) const {
  const Grid& grid = blocks_.grid();
  const double *sum = sum_ + channel * blocks_.count() + block, most = *sum;
  double fade = 1;
  for (int d = 0; d < grid.axes; ++d) {
    const Index next = grid.across(d + 1), index = block / next % grid.count[d];
    double least = most;
    if (index > 0) least = std::min(least, sum[-next]);
    if (index + 1 < grid.count[d]) least = std::min(least, sum[next]);
    if (least < most) fade *= least / most;
  }
  return fade;
}

bool Measured::is_cheap(const Volume& w, const Sides& sides) {
  constexpr double kItem = 40;
  double items = 1, macs = 1;
  for (int d = 0; d < w.axes; ++d) {
    const Extent& e = w.axis[d].extent;
    items *= double(e.n) + double(e.m);
    macs *= products_of(by_blocks(e, sides.side[d]));
  }
  return macs <= kItem * items;
}

Expected::Expected(Scratch& scratch, const Volume& w, const Sides& sides, const Wrong& wrong,
                   const Weights& weights, Context& context)
    : mean_(scratch, w, sides, wrong, weights, kMean, context),
      roots_(scratch, w, sides, wrong, weights, kMeanOfRoots, context),
      least_terms_(log(items_of_block(sides))) {}

double Expected::of(Index channel, Index block) const {
  const double mean = mean_.of(channel, block), roots = roots_.of(channel, block);
  if (roots * roots < least_terms_ * mean) return 0;
  return mean * mean_.fade(channel, block);
}

Prospect::Prospect(Scratch& scratch, const Volume& w, const Sides& sides, const Wrong& wrong,
                   const Weights& weights, const Expected& expected, double tolerance, double worth,
                   Context& context)
    : blocks_(OutputBlocks(w, sides, wrong).count()),
      outputs_(scratch.take<double>(blocks_ * w.channels)) {
  std::fill_n(outputs_, blocks_ * w.channels, 0.0);
  Scratch own;
  const Measured whole(own, w, sides, wrong, weights, kBound, context);
  double* enough = own.take<double>(blocks_);
  Index at[FC_MAX_NDIM], output[FC_MAX_NDIM];
  for (Index channel = 0; channel < w.channels; ++channel) {
    double* outputs = outputs_ + channel * blocks_;
    for (Index b = 0; b < blocks_; ++b) {
      whole.blocks().find(b, at);
      enough[b] = 0x1p-52 / tolerance * loss(w, sides, at, whole.of(channel, b));
    }
    for (Index b = 0; b < expected.blocks().count(); ++b) {
      expected.blocks().find(b, at);
      const double count = expected.blocks().count_wrong(at, channel, context);
      if (count == 0) continue;
      for (int d = 0; d < w.axes; ++d) output[d] = expected.blocks().outputs(at, d).first;
      const Index around = whole.blocks().around(output);
      if (expected.of(channel, b) >= enough[around]) outputs[around] += count;
    }
    for (Index b = 0; b < blocks_; ++b) {
      if (outputs[b] < worth) outputs[b] = 0;
      blocks_that_are_ += outputs[b] > 0;
      outputs_of_these_ += outputs[b];
    }
  }
}

}  // namespace fastconv
