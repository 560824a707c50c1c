// Which share of all products falls on each output of an axis, whatever its others:
//
//     c_d(i) = sum_{j + k = i} A_d(j) V_d(k) / (|a|_1 |v|_1),
//
// A_d(j) the sum of |a| where its index is j, V_d likewise. Near both ends it is had
// output by output, between them by blocks.
#include "profile.h"

#include <math.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "transforms.h"

namespace fastconv {
namespace {

// Outputs alike, up to so many times, are judged as one: each box that is redone costs as much as
// 20,000 multiply-adds beside its own, of which there are more where there are more outputs.
constexpr double kAlike = 1.5, kAlikeOfFew = 2, kFewOutputs = 1e5;

// Sums of |x| along one axis: those of its first and its last samples, counted from there, and by
// block.
struct Sums {
  double *first, *last, *block;
  Index ends, blocks;
};

// Adds row sums up along every leading axis from this one on, for each of its indices; gives their
// total.
double add_up(const Operand& x, const double* row_sum, int axis, double* const* sums) {
  if (axis == x.leading) return *row_sum;
  double all = 0;
  for (Index i = 0; i < x.count[axis]; ++i) {
    const double one = add_up(x, row_sum + i * x.pitch[axis], axis + 1, sums);
    sums[axis][i] += one;
    all += one;
  }
  return all;
}

Sums sums_of_leading(Scratch& scratch, Index n, const double* sum, Index side) {
  Sums s;
  s.ends = std::min(n, kEnds), s.blocks = ceil_div(n, side);
  s.first = scratch.take<double>(s.ends);
  s.last = scratch.take<double>(s.ends);
  s.block = scratch.take<double>(s.blocks);
  for (Index i = 0; i < s.ends; ++i) s.first[i] = sum[i], s.last[i] = sum[n - 1 - i];
  std::fill_n(s.block, s.blocks, 0.0);
  for (Index i = 0; i < n; ++i) s.block[i / side] += sum[i];
  return s;
}

Sums sums_of_columns(Scratch& scratch, const Operand& x, const Coarse& c) {
  Sums s = {c.first, c.last, scratch.take<double>(c.cols), std::min(x.cols, kEnds), c.cols};
  std::fill_n(s.block, s.blocks, 0.0);
  for (Index i = 0; i < c.rows; ++i) {
    for (Index j = 0; j < c.cols; ++j) s.block[j] += c.sum[i * c.cols + j];
  }
  return s;
}

// Of every axis, columns last.
Sums* sums_of(Scratch& scratch, const Operand& x, const Coarse& c, Grain grain) {
  Sums* sums = scratch.take<Sums>(x.leading + 1);
  double* of_axis[FC_MAX_NDIM];
  for (int d = 0; d < x.leading; ++d) {
    of_axis[d] = scratch.take<double>(x.count[d]);
    std::fill_n(of_axis[d], x.count[d], 0.0);
  }
  add_up(x, c.row_sum, 0, of_axis);
  for (int d = 0; d < x.leading; ++d) {
    sums[d] = sums_of_leading(scratch, x.count[d], of_axis[d], grain.rows);
  }
  sums[x.leading] = sums_of_columns(scratch, x, c);
  return sums;
}

// Shares of all, as sums may be so large or small that their product is none.
double* shares_of(Scratch& scratch, const double* sums, Index count, double all) {
  double* share = scratch.take<double>(count);
  for (Index i = 0; i < count; ++i) share[i] = all > 0 ? sums[i] / all : 0;
  return share;
}

// The first `count` outputs of a * v. Zero is a share where there is no product; what is less
// than can be told from it is something.
double* products_of(Scratch& scratch, const double* a, Index n, double all_a, const double* v,
                    Index m, double all_v, Index count, Context& context) {
  double* share = scratch.take<double>(count);
  sums_within({0, count}, shares_of(scratch, a, n, all_a), n, shares_of(scratch, v, m, all_v), m,
              share, context);
  for (Index i = 0; i < count; ++i) {
    for (Index k = std::max<Index>(i - n + 1, 0); share[i] == 0 && k < m && k <= i; ++k) {
      if (a[i - k] > 0 && v[k] > 0) share[i] = std::numeric_limits<double>::min();
    }
  }
  return share;
}

// A block's mean hides what is quiet in it beside what is loud; the next block, or the one after,
// shows it, where they are apart by more than the ends of a line make them: 1, 3, 5 ..
// Before the first and behind the last stand outputs that are known.
void lower_beside_quiet(const double* mean, Index count, double* least) {
  constexpr double kStep = 4;
  for (Index b = 0; b < count; ++b) {
    for (const Index step : {-1, 1}) {
      const Index next = b + step;
      if (next < 0 || next >= count || kStep * mean[b] >= mean[next]) continue;
      const double quiet = std::max(mean[b], std::numeric_limits<double>::min());
      for (Index c = next; c >= 0 && c < count && c != b + 3 * step; c += step) {
        if (mean[c] > 0) least[c] = std::min(least[c], quiet);
      }
    }
  }
}

// Of n indices in blocks, the last of which may be a part of one.
void share_of_ends(const Sums& s, Index n, Index grain, double all, double* end) {
  const Index behind = std::max<Index>(s.blocks - 2, 0);
  const double last = s.block[s.blocks - 1] + (s.blocks > 1 ? s.block[behind] : 0);
  const double samples[2] = {double(std::min(n, grain)), double(n - behind * grain)};
  if (all == 0) all = 1;
  end[0] = s.block[0] / all / samples[0], end[1] = last / all / samples[1];
}

Profile profile_of(Scratch& scratch, Index n, Index m, Index grain, const Sums& a, const Sums& v,
                   double alike, Context& context) {
  const Index length = n + m - 1;
  const double all_a = std::accumulate(a.block, a.block + a.blocks, 0.0);
  const double all_v = std::accumulate(v.block, v.block + v.blocks, 0.0);
  const auto products = [&](const double* x, Index n, const double* y, Index m, Index count) {
    return products_of(scratch, x, n, all_a, y, m, all_v, count, context);
  };
  const Index blocks = a.blocks + v.blocks;
  const double* sums = products(a.block, a.blocks, v.block, v.blocks, blocks - 1);
  double* mean = scratch.take<double>(blocks);
  for (Index b = 0; b < blocks; ++b) {
    mean[b] = ((b < blocks - 1 ? sums[b] : 0) + (b > 0 ? sums[b - 1] : 0)) / (2 * double(grain));
  }
  const Index leading = std::min(length, kEnds), trailing = std::min(length - leading, kEnds);
  const double* first = products(a.first, a.ends, v.first, v.ends, leading);
  const double* last = products(a.last, a.ends, v.last, v.ends, trailing);
  Profile p = {0, scratch.take<Segment>(leading + trailing + blocks), HUGE_VAL, 0, mean, {}, {}};
  share_of_ends(a, n, grain, all_a, p.a_end);
  share_of_ends(v, m, grain, all_v, p.v_end);
  double most = 0;
  const auto take = [&](Index from, Index to, double share) {
    p.low = std::min(p.low, share), p.high = std::max(p.high, share);
    if (p.count) {
      Segment& s = p.segment[p.count - 1];
      const double low = std::min(s.least, share), high = std::max(most, share);
      if (high <= alike * low) {
        s.last = to, s.least = low, most = high;
        return;
      }
    }
    p.segment[p.count++] = {from, to, share};
    most = share;
  };
  for (Index i = 0; i < leading; ++i) take(i, i + 1, first[i]);
  const Index rest = length - trailing, block = leading / grain;
  const Index middle = leading < rest ? ceil_div(rest, grain) - block : 0;
  double* known = scratch.take<double>(middle + 2);
  double* low = scratch.take<double>(middle + 2);
  known[0] = first[leading - 1], known[middle + 1] = trailing ? last[trailing - 1] : 0;
  std::copy_n(mean + block, middle, known + 1);
  std::copy_n(known, middle + 2, low);
  if (middle) lower_beside_quiet(known, middle + 2, low);
  for (Index b = 0; b < middle; ++b) {
    const Index from = (block + b) * grain;
    take(std::max(from, leading), std::min(from + grain, rest), low[b + 1]);
  }
  for (Index i = trailing - 1; i >= 0; --i) take(length - 1 - i, length - i, last[i]);
  return p;
}

}  // namespace

const Profile* profiles_of(Scratch& scratch, const Problem& p, Grain grain, const Coarse& a,
                           const Coarse& v, Context& context) {
  const Operand of_a = signal_of(p), of_v = taps_of(p);
  const Sums* sums_a = sums_of(scratch, of_a, a, grain);
  const Sums* sums_v = sums_of(scratch, of_v, v, grain);
  Profile* profile = scratch.take<Profile>(of_a.leading + 1);
  const int columns = of_a.leading;
  Index n[FC_MAX_NDIM], m[FC_MAX_NDIM];
  double outputs = 1;
  for (int d = 0; d <= columns; ++d) {
    n[d] = d == columns ? of_a.cols : of_a.count[d];
    m[d] = d == columns ? of_v.cols : of_v.count[d];
    outputs *= double(n[d] + m[d] - 1);
  }
  const double alike = outputs < kFewOutputs ? kAlikeOfFew : kAlike;
  for (int d = 0; d <= columns; ++d) {
    profile[d] = profile_of(scratch, n[d], m[d], d == columns ? grain.cols : grain.rows, sums_a[d],
                            sums_v[d], alike, context);
  }
  return profile;
}

}  // namespace fastconv
