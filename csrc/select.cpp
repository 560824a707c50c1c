// choose(job, costs) -> plan. Pure: closed-form costs of every method that could
// do the job, in ns as for one worker; the cheapest is taken, and shared by as many workers as have
// enough to do each. No clock, no memory,
// no data beyond the job's facts.
//
// Lines that share a kernel, or a bank of them, count together. In more than two axes direct sums
// see the axes as they are, transforms all but the last as one (axes.cpp).
//
//   direct     call + outputs (taps + fixed) / rate
//   overlap    call + (0.15 + groups) 10 W L log2 L / G(working set),
//              a group being W lanes of two real blocks (or one complex) of L points,
//              each of which yields L - m + 1 outputs
//   one-shot   call + 15 N log2 N / G: two transforms forward, one back, of N points,
//              which are half the samples of real data (right angle), all of complex
//
// Integers take the transforms in f64, as many times over as they have digits to
// multiply (exact.cpp).
#include <math.h>
#include <string.h>

#include <initializer_list>
#include <utility>

#include "costs.h"
#include "engine.h"
#include "lengths.h"

namespace fastconv {
namespace {

// Below this many multiply-adds direct takes under a microsecond and no
// transform can win: nothing else is looked at.
constexpr double kSurelyDirect = 16e3;
// Converting an integer to f64 and back, a sample.
constexpr double kConvertNs = 2.0;

// What each worker must have to do to be worth having. To wake one and to hear that it is
// done takes 11 us on a virtual machine (28 where it was just falling asleep), and a call has
// up to four sections.
constexpr double kWorkerNs = 50e3;

struct Task {
  const fc_job& job;
  const Costs& costs;
  int axes;              // convolved ones
  Extent row, col;       // after boundaries, flattening and swapping: v is the shorter
  double outputs, taps;  // of one member
  double lines;          // members that share a kernel, side by side in the lanes
  double kernels;        // of a bank: each line meets so many
  double members;        // problems of so many lines and kernels
  Pair pair;
  bool integer, complex_data;
  int precision;   // 0 single, 1 double: what a transform computes in
  fc_facts facts;  // of a and v in these roles
  int lanes;       // vector lanes of the transforms' real type
  bool fits;       // transforms can be so long; else row and col say nothing

  bool flat() const { return axes == 1; }
  double all_lines(double one) const { return members * kernels * lines * one; }

  void swap() {
    row = {row.m, row.n, row.lo, row.hi};
    col = {col.m, col.n, col.lo, col.hi};
    pair = pair_of(job.v_dtype, job.a_dtype);
    std::swap(facts.a_max, facts.v_max);
    std::swap(facts.a_norm, facts.v_norm);
  }
};

constexpr Extent kOne = {1, 1, 0, 1};

Task task_of(const fc_job& job, const Costs& costs, const KernelTable& table) {
  int axis[FC_MAX_NDIM];
  Extent extent[FC_MAX_NDIM];
  Index pitch[FC_MAX_NDIM];
  const int axes = convolved_axes(job, axis);
  Task t = {job,
            costs,
            axes,
            kOne,
            kOne,
            1,
            1,
            1,
            1,
            1,
            pair_of(job.a_dtype, job.v_dtype),
            !is_float(job.a_dtype),
            is_complex(job.a_dtype) || is_complex(job.v_dtype),
            is_single(job.a_dtype) ? 0 : 1,
            job.facts,
            table.spectral[is_single(job.a_dtype) ? 0 : 1].lanes,
            false};
  double samples = 1, shared[3] = {1, 1, 1};  // by fc_sharing
  int kept = 0;
  for (int d = 0; d < job.ndim; ++d) {
    const Extent e = extent_of(job.axis[d]);
    const double count = double(e.hi - e.lo);
    if (kept < axes && axis[kept] == d) {
      extent[kept++] = e;
      t.outputs *= count;
      t.taps *= double(e.m);
      samples *= double(e.n);
    } else {
      shared[e.m == 1 ? FC_SHARES_V : FC_SHARES_A] *= count;
    }
  }
  for (int d = 0; d < job.nbatch; ++d) shared[job.shared[d]] *= double(job.batch[d]);
  t.taps = fmin(t.taps, samples);
  t.fits = transforms_fit(extent, axes);
  if (t.fits) {
    t.row = flatten(extent, axes - 1, pitch);
    t.col = extent[axes - 1];
  }
  t.members = shared[FC_SHARES_NONE];
  if (axes == 1) {
    t.lines = shared[FC_SHARES_V];
    t.kernels = shared[FC_SHARES_A];
  } else {
    t.members *= shared[FC_SHARES_V] * shared[FC_SHARES_A];
  }
  if (t.lines == 1 && t.kernels == 1 && swaps(t.row, t.col)) t.swap();
  return t;
}

double gflops(const double (&rates)[4], double bytes) {
  int level = 0;
  while (level < 3 && bytes > kCacheBytes[level]) ++level;
  return rates[level];
}

double transform_flops(double points) { return 5 * points * log2(points); }

double direct_ns(const Task& t) {
  const Costs& c = t.costs;
  const double rate = t.flat() ? c.direct_rate[t.pair] : c.direct2d_rate[t.pair];
  const double fixed = t.flat() ? c.direct_fixed[t.pair] : c.direct2d_fixed[t.pair];
  return c.direct_call + t.kernels * t.lines * t.outputs * (t.taps + fixed) / rate;
}

double overlap_ns(const Task& t, Index length) {
  const double per_lane = t.complex_data ? 1 : 2;
  const double step = double(length - t.col.m + 1);
  const double blocks = t.lines * ceil(double(t.col.hi - t.col.lo) / step);
  const double groups = ceil(blocks / (per_lane * t.lanes));
  const double bytes = (t.precision ? 16 : 8) * double(length) * (t.lanes + 1);
  const double flops = t.lanes * transform_flops(double(length));
  return t.costs.overlap_call[t.precision] + (0.3 * t.kernels + (1 + t.kernels) * groups) * flops /
                                                 gflops(t.costs.overlap_gflops[t.precision], bytes);
}

// Transforms one after another, lanes inside.
double matrix_ns(const Task& t, double points, double transforms) {
  const double bytes = (t.precision ? 32 : 16) * points;
  return t.costs.matrix_call[t.precision] +
         transforms * transform_flops(points) / gflops(t.costs.matrix_gflops[t.precision], bytes);
}

// Blocks or tiles, two real ones (or one complex) at a time.
double matrix_overlap_ns(const Task& t, Index rows, Index cols) {
  const double per_pass = t.complex_data ? 1 : 2;
  const double tiles = ceil(double(t.row.hi - t.row.lo) / double(rows - t.row.m + 1)) *
                       ceil(double(t.col.hi - t.col.lo) / double(cols - t.col.m + 1));
  return matrix_ns(t, double(rows) * double(cols),
                   t.kernels + (1 + t.kernels) * ceil(t.lines * tiles / per_pass));
}

// One signal under a bank: its spectrum serves all kernels.
double oneshot_ns(const Task& t, double points) {
  return matrix_ns(t, points,
                   t.lines == 1 ? 1 + 2 * t.kernels : t.kernels + t.lines * (1 + t.kernels));
}

// Candidates in ascending order of predicted time.
class Ranking {
 public:
  Ranking(const Task& task, fc_plan& plan) : task_(task), plan_(plan) { plan_.candidates = 0; }

  void offer(fc_method method, Index rows, Index cols, bool lanes, double ns) {
    fc_candidate c = {method, FC_NATIVE, {rows, cols}, lanes, {1, 1}, ns};
    if (task_.integer && method != FC_DIRECT) {
      // Two lines may ride in one transform.
      const Index seen = task_.row.n * task_.col.n * (task_.lines > 1 ? 2 : 1);
      const Digits digits =
          digits_for(task_.job.a_dtype, task_.facts, seen, task_.row.m * task_.col.m,
                     double(rows) * double(cols), method == FC_OVERLAP);
      if (!digits.products) return;
      c.ring = FC_ROUNDED;
      c.digits[0] = digits.a, c.digits[1] = digits.v;
      const double samples =
          task_.lines * (double(task_.row.n) * double(task_.col.n) + task_.outputs);
      c.predicted_ns = (ns + kConvertNs * samples) * digits.products;
    }
    c.predicted_ns *= task_.members;
    insert(c);
  }

 private:
  void insert(const fc_candidate& c) {
    int at = plan_.candidates;
    if (at == FC_MAX_CANDIDATES) {
      if (plan_.candidate[at - 1].predicted_ns <= c.predicted_ns) return;
      --at;
    } else {
      ++plan_.candidates;
    }
    for (; at > 0 && plan_.candidate[at - 1].predicted_ns > c.predicted_ns; --at) {
      plan_.candidate[at] = plan_.candidate[at - 1];
    }
    plan_.candidate[at] = c;
  }

  const Task& task_;
  fc_plan& plan_;
};

Index wrap_length(const Extent& e) { return cyclic_length(e.n, e.m, e.lo, e.hi); }

// What any transform takes at the least: each output its share of one transform
// forward and one back, of blocks four times the kernel, at the level's best rate.
double least_transform_ns(const Task& t) {
  double best = 1;
  for (const auto& rates : {t.costs.overlap_gflops, t.costs.matrix_gflops}) {
    for (const double rate : rates[t.precision]) best = rate > best ? rate : best;
  }
  const double flops = (t.complex_data ? 10 : 5) * log2(4 * t.taps);
  return t.all_lines(t.outputs) * flops / best;
}

// The best block length of one kind, by a scan over the lengths there are.
template <class Next, class Cost>
Index best_length(Index from, Index to, Next next, Cost cost, double& best_ns) {
  Index best = 0;
  for (Index length = next(from); length; length = next(length + 1)) {
    const double ns = cost(length);
    if (!best || ns < best_ns) best = length, best_ns = ns;
    if (length >= to) break;
  }
  return best;
}

void offer_flat(const Task& t, Ranking& ranking) {
  const Index m = t.col.m, outputs = t.col.hi - t.col.lo, whole = outputs + m - 1;
  const Index most = whole < 20 * m + 256 ? whole : 20 * m + 256;
  double ns = 0;
  Index length = best_length(
      m + m / 2 + 1, most, [](Index least) { return lane_length(least); },
      [&](Index l) { return overlap_ns(t, l); }, ns);
  if (length) ranking.offer(FC_OVERLAP, 1, length, true, ns);
  length = best_length(
      2 * m, most, [&](Index least) { return matrix_length(least, t.lanes); },
      [&](Index l) { return matrix_overlap_ns(t, 1, l); }, ns);
  if (length) ranking.offer(FC_OVERLAP, 1, length, false, ns);
  const Index cyclic = wrap_length(t.col);
  length = matrix_length(t.complex_data ? cyclic : (cyclic + 1) / 2, t.lanes);
  ranking.offer(FC_ONESHOT, 1, length, false, oneshot_ns(t, double(length)));
}

void offer_tiles(const Task& t, Ranking& ranking) {
  const Index high = t.row.hi - t.row.lo + t.row.m - 1, wide = t.col.hi - t.col.lo + t.col.m - 1;
  const auto next = [&](Index least) { return axis_length(least, t.lanes); };
  constexpr Index kLargestTile = 512;  // 4 MB of f64: beyond it tiles fall out of every cache
  const Index tallest = high < kLargestTile ? high : kLargestTile;
  const Index widest = wide < kLargestTile ? wide : kLargestTile;
  double best_ns = 0;
  Index best_rows = 0, best_cols = 0;
  for (Index rows = next(t.row.m + t.row.m / 4); rows; rows = next(rows + 1)) {
    double ns = 0;
    const Index cols = best_length(
        t.col.m + t.col.m / 4, widest, next, [&](Index c) { return matrix_overlap_ns(t, rows, c); },
        ns);
    if (!best_rows || ns < best_ns) best_rows = rows, best_cols = cols, best_ns = ns;
    if (rows >= tallest) break;
  }
  ranking.offer(FC_OVERLAP, best_rows, best_cols, false, best_ns);
  const Index cyclic = wrap_length(t.row);
  const Index rows = next(t.complex_data ? cyclic : (cyclic + 1) / 2);
  const Index cols = next(wrap_length(t.col));
  ranking.offer(FC_ONESHOT, rows, cols, false, oneshot_ns(t, double(rows) * double(cols)));
}

// What the guard found in floats: taps that are not finite, or so much to repair
// that direct summation of everything is cheaper (guard.cpp decides alike).
bool data_forbids(const Task& t) {
  const fc_facts& facts = t.job.facts;
  const double macs = t.all_lines(t.outputs * t.taps);
  return facts.known && !t.integer && (!facts.v_finite || 2 * facts.repair_macs > macs);
}

bool may_transform(const Task& t) {
  return t.fits && t.job.method != FC_DIRECT && t.job.accuracy != FC_COMPONENTWISE &&
         !data_forbids(t);
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

const Costs& costs_of(const char* level) {
  for (const Costs& costs : kCosts) {
    if (!strcmp(costs.level, level)) return costs;
  }
  return kCosts[0];
}

}  // namespace

void choose(const fc_job& job, int level, fc_plan& plan) {
  const KernelTable& table = kernels(level);
  const Task task = task_of(job, costs_of(table.name), table);
  plan.level = level;
  Ranking ranking(task, plan);
  ranking.offer(FC_DIRECT, 0, 0, false, direct_ns(task));
  const bool asked = job.method == FC_OVERLAP || job.method == FC_ONESHOT;
  const bool open = task.all_lines(task.outputs * task.taps) / task.members > kSurelyDirect &&
                    plan.candidate[0].predicted_ns > least_transform_ns(task);
  if (may_transform(task) && (asked || open)) {
    task.flat() ? offer_flat(task, ranking) : offer_tiles(task, ranking);
  }
  settle(job.method, plan);
  const double worth = plan.chosen.predicted_ns / kWorkerNs;
  plan.workers = worth < 2 || job.workers < 2 ? 1 : worth < job.workers ? int(worth) : job.workers;
}

}  // namespace fastconv

extern "C" void fc_choose(const fc_job* job, fc_plan* plan) {
  fastconv::choose(*job, fc_level(), *plan);
}
