// choose(job, costs) -> plan. Pure: the cheapest of every method that could do the job, in ns as
// for one worker (price.h), then as many workers as have enough to do each. No clock, no memory,
// no data beyond the job's facts.
//
// Lines that share a kernel, or a bank of them, count together. In more than two axes direct sums
// see the axes as they are, transforms all but the last as one (axes.cpp).
#include <math.h>
#include <string.h>

#include <initializer_list>
#include <utility>

#include "engine.h"
#include "lengths.h"
#include "parts.h"
#include "price.h"

namespace fastconv {
namespace {

// What each worker must have to do to be worth having. To wake one and to hear that it is
// done takes 11 us on a virtual machine (28 where it was just falling asleep), and a call has
// up to four sections.
constexpr double kWorkerNs = 50e3;

// Candidates in ascending order of predicted time, the best few.
class Ranking {
 public:
  Ranking(const Task& task, fc_candidate* best, int most) : task_(task), best_(best), most_(most) {}

  int count() const { return count_; }
  double best_ns() const { return best_[0].predicted_ns; }

  void offer_sums(fc_method method, double ns) {
    insert({method, FC_NATIVE, {0, 0}, 0, {1, 1}, task_.members * ns});
  }

  // Unless no number of digits is proven to round right.
  void offer(fc_method method, Index rows, Index cols, bool lanes, double ns) {
    const Digits digits = digits_of(task_, double(rows) * double(cols), method == FC_OVERLAP);
    if (!digits.results) return;
    insert({method,
            task_.integer ? FC_ROUNDED : FC_NATIVE,
            {rows, cols},
            lanes,
            {digits.a, digits.v},
            task_.members * (ns + around_ns(task_, digits))});
  }

 private:
  void insert(const fc_candidate& c) {
    int at = count_;
    if (at == most_) {
      if (best_[at - 1].predicted_ns <= c.predicted_ns) return;
      --at;
    } else {
      ++count_;
    }
    for (; at > 0 && best_[at - 1].predicted_ns > c.predicted_ns; --at) best_[at] = best_[at - 1];
    best_[at] = c;
  }

  const Task& task_;
  fc_candidate* const best_;
  const int most_;
  int count_ = 0;
};

// Integers are exact by any method.
bool is_componentwise(const Task& t) { return t.job.accuracy == FC_COMPONENTWISE && !t.integer; }

Index wrap_length(const Extent& e) { return cyclic_length(e.n, e.m, e.lo, e.hi); }

// Lengths of blocks: those that are worth a look, and all that are legal.
struct Lengths {
  Index least, most;
};

// Some of the odd numbers that lengths are made of.
struct Odds {
  const LengthFactor *first, *last;
  template <size_t Count>
  explicit Odds(const LengthFactor (&all)[Count]) : first(all), last(all + Count) {}
  Odds one() const { return {first, first + 1}; }
  Odds others() const { return {first + 1, last}; }

 private:
  Odds(const LengthFactor* from, const LengthFactor* to) : first(from), last(to) {}
};

// Calls visit(length) for all lengths of odd numbers times powers of two, multiples of
// `multiple`, that are at least `least` and below `most`, and the next of each beyond it; of one
// odd number no more once visit says that longer ones only take longer.
template <class Visit>
void for_each_length(const Odds& odds, Index multiple, const Lengths& range, Visit visit) {
  const int aligned = floor_log2(multiple);
  for (const LengthFactor* odd = odds.first; odd != odds.last; ++odd) {
    int power = power_reaching(range.least, odd->factor, aligned);
    for (;; ++power) {
      const Length length = length_of(*odd, power);
      if (visit(length) || length.points >= range.most) break;
    }
  }
}

Index shorter(Index x, Index y) { return x < y ? x : y; }
Index longer(Index x, Index y) { return x < y ? y : x; }

// Every block or tile that can be run, or, `promising`, those among which the best is found: under
// 1.5 m a block is mostly thrown away.
Lengths blocks(const Extent& e, bool promising) {
  if (!promising) return {e.m + 1, whole(e)};
  return {e.m + e.m / 2 + 1, longest_block(e)};
}

// 4 MB of f64: beyond it tiles fall out of every cache.
constexpr Index kLargestTile = 512;

Lengths tile_sides(const Extent& e, bool promising) {
  if (!promising) return {e.m, whole(e)};
  return {e.m + e.m / 4, shorter(whole(e), kLargestTile)};
}

// Blocks of one kind, and what they take.
class Blocks {
 public:
  Blocks(const Task& t, bool lanes) : t_(t), lanes_(lanes), turns_(t) {}

  Odds odds() const { return lanes_ ? Odds(kLaneOdds) : Odds(kMatrixOdds); }

  // The least of which so many groups, or pairs, cover a line's window, and the length that has it.
  Index covering(Index groups) const {
    return ceil_div(t_.col.hi - t_.col.lo, groups * together()) + t_.col.m - 1;
  }
  Length next(Index least) const {
    return length_of(lanes_ ? lane_length(least) : matrix_length(least, t_.lanes));
  }

  // In the lanes they take no more memory than 4 MB and three spectra of a block.
  bool fits(Index length) const {
    const double point = t_.precision ? 16 : 8;
    return !lanes_ || double(length) * point * (t_.lanes - 3) <= 0x1p22;
  }

  double ns_of(const Length& l) {
    const double blocks = t_.lines * tiles_of(t_.col, l.points);
    const Turns& turns = turns_(l.points);
    return lanes_ ? lanes_ns(t_, turns, blocks, l) : tiles_ns(t_, turns, blocks, l);
  }

  // Calls visit(length, ns). A promising block is no longer than that one group, or pair, of them
  // covers the window.
  template <class Visit>
  void for_each(const Odds& odds, const Lengths& range, bool promising, Visit visit) {
    const Index multiple = lanes_ ? 1 : Index(t_.lanes) * t_.lanes;
    for_each_length(odds, multiple, range, [&](const Length& l) {
      if (!fits(l.points)) return true;
      visit(l.points, ns_of(l));
      return promising && t_.lines * tiles_of(t_.col, l.points) <= double(together());
    });
  }

 private:
  // Blocks that are transformed at once.
  Index together() const { return (lanes_ ? t_.lanes : 1) * (t_.complex_data ? 1 : 2); }

  const Task& t_;
  const bool lanes_;
  TurnsBySize turns_;
};

// Where a tile's side may end, and into how many the window is then cut.
struct Side {
  Length length;
  double tiles;
};

constexpr int kMostSides = 5 * 48;  // odd numbers times powers of two that fit a problem

class Sides {
 public:
  Sides(const Task& t, const Extent& e, const Lengths& range) {
    for_each_length(Odds(kLaneOdds), t.lanes, range, [&](const Length& l) {
      if (count_ < kMostSides) side_[count_++] = {l, tiles_of(e, l.points)};
      return false;
    });
  }
  const Side* begin() const { return side_; }
  const Side* end() const { return side_ + count_; }

 private:
  Side side_[kMostSides];
  int count_ = 0;
};

double tile_ns(const Task& t, TurnsBySize& turns, const Side& row, const Side& col) {
  const Length tile = row.length * col.length;
  return tiles_ns(t, turns(tile.points), t.lines * row.tiles * col.tiles, tile);
}

// The cheapest of a list by a price.
template <class List, class Price>
auto cheapest(const List& list, Price price) {
  auto best = list.begin();
  double best_ns = price(*best);
  for (auto at = best + 1; at != list.end(); ++at) {
    const double ns = price(*at);
    if (ns < best_ns) best = at, best_ns = ns;
  }
  return *best;
}

// One side is chosen for the other, in turns: overlap, tiles and logarithm are each a product or
// a sum of what the two give, so that there is little to gain by changing both at once.
void offer_best_tile(const Task& t, Ranking& ranking) {
  TurnsBySize turns(t);
  const Sides rows(t, t.row, tile_sides(t.row, true)), cols(t, t.col, tile_sides(t.col, true));
  constexpr Index kFirstLook = 4;  // times the kernel
  Side col = cheapest(
      cols, [&](const Side& c) { return fabs(double(c.length.points - kFirstLook * t.col.m)); });
  Side row = col;
  for (int turn = 0; turn < 2; ++turn) {
    const Index before = turn ? row.length.points : 0;
    row = cheapest(rows, [&](const Side& r) { return tile_ns(t, turns, r, col); });
    if (row.length.points == before) break;
    col = cheapest(cols, [&](const Side& c) { return tile_ns(t, turns, row, c); });
  }
  ranking.offer(FC_OVERLAP, row.length.points, col.length.points, false,
                tile_ns(t, turns, row, col));
}

// Of a line that few groups of blocks cover, or pairs: the lengths alone of which one, two, three
// and so on just do, until two in a row are no better, nor than what would be enough.
template <class Look>
bool look_at_few(Blocks& kind, const Task& t, double enough, Look look) {
  const Index longest = kind.covering(1);
  if (t.lines > 1 || longest > longest_block(t.col) || !kind.fits(kind.next(longest).points)) {
    return false;
  }
  double least = enough;
  for (int groups = 1, no_better = 0; no_better < 2; ++groups) {
    const Length length = kind.next(kind.covering(groups));
    const double ns = kind.ns_of(length);
    look(length.points, ns);
    no_better = ns < least ? 0 : no_better + 1;
    least = smaller(least, ns);
  }
  return true;
}

// Longer blocks have less overlap and more passes, a valley with one bottom but for the rounding
// to whole groups: the powers of two, then the others from half to four times the first of them
// that is within a tenth of the best. Of these the simplest will do: between them lie the longer
// odd numbers so closely that they save a hundredth.
void offer_best_block(const Task& t, const Least& least, bool lanes, bool asked, Ranking& ranking) {
  Blocks kind(t, lanes);
  const Lengths range = blocks(t.col, true);
  Index best = 0, shortest = 0;
  double best_ns = 0;
  const auto look = [&](Index length, double ns) {
    if (!best || ns < 0.9 * best_ns) shortest = length;
    if (!best || ns < best_ns) best = length, best_ns = ns;
  };
  // What two lengths in a row miss by a seventh none will reach.
  const double to_beat = ranking.best_ns() / t.members - least.around;
  const double enough = asked ? HUGE_VAL : 1.15 * to_beat;
  if (look_at_few(kind, t, enough, look)) return ranking.offer(FC_OVERLAP, 1, best, lanes, best_ns);
  kind.for_each(Odds(kLaneOdds).one(), range, true, look);
  // Over half as long, they take over half the time.
  if (best_ns > 2 * ranking.best_ns() && !asked) return;
  const Lengths near = {longer(range.least, shortest / 2 + 1), shorter(range.most, 4 * shortest)};
  kind.for_each(Odds(kLaneOdds).others(), near, true, look);
  if (best) ranking.offer(FC_OVERLAP, 1, best, lanes, best_ns);
}

void offer_parted(const Task& t, Index most, const Parted& parted, Ranking& ranking) {
  ranking.offer(FC_OVERLAP, t.flat() ? 1 : 2 * most, 2 * most, false, parts_ns(t, parted));
}

// Componentwise: parts so short that what fades does so little within one, and as few as that
// allows. They are transformed in blocks twice as long. Of doubles nothing is proven of few taps: s
// is 0.6 m of noise, of which m u are allowed; the bound of what meets in a block is 300 m u. Of
// pictures and volumes more lies at the ends, where fewer meet.
void offer_parts(const Task& t, Ranking& ranking) {
  constexpr double kParts = 32, kProvable = 750;
  for_each_parted(t, [&](Index most, const Parted& parted) {
    if (t.precision == 1 && parted.taps < ldexp(kProvable, t.axes)) return true;
    if (parted.parts > kParts) return false;
    offer_parted(t, most, parted, ranking);
    return true;
  });
}

void offer_oneshot(const Task& t, Ranking& ranking) {
  const Index rows = wrap_length(t.row), cols = wrap_length(t.col);
  const auto half = [&](Index length) { return t.complex_data ? length : (length + 1) / 2; };
  const Index high = t.flat() ? 1 : axis_length(half(rows), t.lanes);
  const Index wide = t.flat() ? matrix_length(half(cols), t.lanes) : axis_length(cols, t.lanes);
  const Digits digits = digits_of(t, double(high) * double(wide), false);
  ranking.offer(FC_ONESHOT, high, wide, false,
                oneshot_ns(t, turns_of(t, digits), high, length_of(high * wide)));
}

// Only what might beat the best so far is looked at, unless it was asked for.
void offer_best(const Task& t, const Least& least, bool asked, Ranking& ranking) {
  if (is_componentwise(t)) return offer_parts(t, ranking);
  const auto hopeful = [&](double ns) { return asked || ns < ranking.best_ns(); };
  if (hopeful(least.matrix)) offer_oneshot(t, ranking);
  if (t.flat() && hopeful(least.lanes)) offer_best_block(t, least, true, asked, ranking);
  if (!hopeful(least_of_pieces_ns(t, least))) return;
  if (t.flat()) return offer_best_block(t, least, false, asked, ranking);
  offer_best_tile(t, ranking);
}

void offer_all(const Task& t, Ranking& ranking) {
  if (is_componentwise(t)) {
    return for_each_parted(t, [&](Index most, const Parted& parted) {
      offer_parted(t, most, parted, ranking);
      return false;
    });
  }
  if (t.flat()) {
    for (const bool lanes : {true, false}) {
      Blocks kind(t, lanes);
      kind.for_each(kind.odds(), blocks(t.col, false), false, [&](Index length, double ns) {
        ranking.offer(FC_OVERLAP, 1, length, lanes, ns);
      });
    }
  } else {
    TurnsBySize turns(t);
    const Sides rows(t, t.row, tile_sides(t.row, false)), cols(t, t.col, tile_sides(t.col, false));
    for (const Side& r : rows) {
      for (const Side& c : cols) {
        ranking.offer(FC_OVERLAP, r.length.points, c.length.points, false, tile_ns(t, turns, r, c));
      }
    }
  }
  offer_oneshot(t, ranking);
}

// What the guard found in floats: taps that are not finite, or so much to repair
// that direct summation of everything is cheaper (guard.cpp decides alike).
bool data_forbids(const Task& t) {
  const fc_facts& facts = t.job.facts;
  const double macs = t.all_lines(t.outputs * t.taps);
  return facts.known && !t.integer && (!facts.v_finite || 2 * facts.repair_macs > macs);
}

bool may_transform(const Task& t) {
  return t.fits && t.job.method != FC_DIRECT && !data_forbids(t);
}

// Is v known to be an outer product, and may that be used?
bool separates(const Task& t) {
  return t.job.facts.outer_product == 1 && t.job.separable != FC_SEPARABLE_NEVER && t.axes == 2 &&
         !t.swapped;
}

// What was asked for comes first wherever it can be had.
void settle(fc_method asked, fc_plan& plan) {
  plan.chosen = plan.candidate[0];
  for (int i = 0; asked != FC_AUTO && i < plan.candidates; ++i) {
    if (plan.candidate[i].method != asked) continue;
    plan.chosen = plan.candidate[i];
    return;
  }
}

// The lengths that a transform may have: long enough, and made of the factors there are.
bool is_legal(const Task& t, const fc_candidate& how) {
  const Index high = how.block[0], wide = how.block[1];
  const auto is_axis = [&](Index length, Index least) {
    return length >= least && axis_length(length, t.lanes) == length;
  };
  if (is_componentwise(t)) {
    bool is_one = false;
    for_each_parted(t, [&](Index most, const Parted&) {
      is_one |= wide == 2 * most && high == (t.flat() ? 1 : wide);
      return is_one;
    });
    return how.method == FC_OVERLAP && is_one && !how.lanes;
  }
  if (high < 1 || wide < 1 || double(high) * double(wide) >= 0x1p48 || (t.flat() && high != 1)) {
    return false;
  }
  if (how.method == FC_ONESHOT) {
    const Index unit = t.complex_data ? 1 : 2;
    const Index rows = wrap_length(t.row), cols = wrap_length(t.col);
    if (how.lanes) return false;
    if (!t.flat()) return is_axis(high, (rows + unit - 1) / unit) && is_axis(wide, cols);
    return unit * wide >= cols && matrix_length(wide, t.lanes) == wide;
  }
  if (!t.flat()) return !how.lanes && is_axis(high, t.row.m) && is_axis(wide, t.col.m);
  return wide >= t.col.m && (how.lanes ? lane_length(wide) : matrix_length(wide, t.lanes)) == wide;
}

// Sums that take no longer than transforms of nothing would need no more thought.
bool surely_direct(const fc_job& job, const Costs& costs, fc_plan& plan) {
  const bool apart = job.separable == FC_SEPARABLE_ALWAYS || job.facts.outer_product == 1;
  if (job.method > FC_DIRECT || apart) return false;
  double outputs = 1, taps = 1, samples = 1;
  int axes = 0;
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    outputs *= double(x.hi - x.lo), taps *= double(x.m), samples *= double(x.n);
    axes += x.n > 1 && x.m > 1;
  }
  for (int d = 0; d < job.nbatch; ++d) outputs *= double(job.batch[d]);
  taps = smaller(taps, samples);
  const double ns = sums_ns(costs, pair_of(job.a_dtype, job.v_dtype), axes < 2, outputs, taps);
  if (ns > bare_ns(costs, job.a_dtype)) return false;
  plan.chosen = plan.candidate[0] = {FC_DIRECT, FC_NATIVE, {0, 0}, 0, {1, 1}, ns};
  plan.candidates = 1;
  return true;
}

void choose_by_price(const fc_job& job, int level, const Costs& costs, fc_plan& plan) {
  plan.level = level;
  plan.workers = 1;
  if (surely_direct(job, costs, plan)) return;
  const Task task = task_of(job, costs, kernels(level));
  Ranking ranking(task, plan.candidate, FC_MAX_CANDIDATES);
  ranking.offer_sums(FC_DIRECT, direct_ns(task));
  const bool asked = job.method == FC_OVERLAP || job.method == FC_ONESHOT;
  if (may_transform(task)) {
    const Least least = least_ns(task);
    if (asked || least.either() < ranking.best_ns()) {
      offer_best(task, least, asked, ranking);
    }
  }
  const bool always = separates(task) && job.separable == FC_SEPARABLE_ALWAYS;
  if (always || (separates(task) && !asked)) {
    ranking.offer_sums(FC_SEPARABLE, separable_ns(task));
  }
  plan.candidates = ranking.count();
  settle(always ? FC_SEPARABLE : job.method, plan);
  const double worth = plan.chosen.predicted_ns / kWorkerNs;
  plan.workers = worth < 2 || job.workers < 2 ? 1 : worth < job.workers ? int(worth) : job.workers;
}

// Are the digits that a plan was chosen with, before the data was scanned, all that it takes?
bool digits_suffice(const Task& scanned, const fc_candidate& how) {
  const double points = double(how.block[0]) * double(how.block[1]);
  const Digits digits = digits_of(scanned, points, how.method == FC_OVERLAP);
  return digits.a == how.digits[0] && digits.v == how.digits[1] && digits.results == 1;
}

}  // namespace

void choose_scanned(const fc_job& scanned, fc_plan& plan) {
  const Costs& costs = costs_of(plan.level);
  if (!transforms(plan.chosen.method)) return;
  if (digits_suffice(task_of(scanned, costs, kernels(plan.level)), plan.chosen)) return;
  choose_by_price(scanned, plan.level, costs, plan);
}

void choose(const fc_job& job, int level, const Costs& costs, fc_plan& plan) {
  if (is_float(job.a_dtype) || !job.facts.known) return choose_by_price(job, level, costs, plan);
  fc_job unscanned = job;
  unscanned.facts.known = 0;
  choose_by_price(unscanned, level, costs, plan);
  choose_scanned(job, plan);
}

bool is_plan(const fc_job& job, int level, const Costs& costs, const fc_candidate& how) {
  const Task task = task_of(job, costs, kernels(level));
  if (how.method == FC_SEPARABLE) return task.axes == 2;
  if (transforms(how.method)) return task.fits && is_legal(task, how);
  return how.method == FC_DIRECT;
}

int list_plans(const fc_job& job, int level, const Costs& costs, fc_candidate* plans, int most) {
  const Task task = task_of(job, costs, kernels(level));
  Ranking ranking(task, plans, most);
  ranking.offer_sums(FC_DIRECT, direct_ns(task));
  if (separates(task)) ranking.offer_sums(FC_SEPARABLE, separable_ns(task));
  if (may_transform(task)) offer_all(task, ranking);
  return ranking.count();
}

}  // namespace fastconv

extern "C" {

void fc_choose(const fc_job* job, fc_plan* plan) {
  const int level = fc_level();
  fastconv::choose(*job, level, fastconv::costs_of(level), *plan);
}

int fc_is_plan(const fc_job* job, const fc_candidate* how) {
  const int level = fc_level();
  return fastconv::is_plan(*job, level, fastconv::costs_of(level), *how);
}

int fc_list_plans(const fc_job* job, fc_candidate* plans, int most) {
  const int level = fc_level();
  return fastconv::list_plans(*job, level, fastconv::costs_of(level), plans, most);
}
}
