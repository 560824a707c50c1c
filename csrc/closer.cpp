// Where a filter fades towards its ends, the first block of outputs is weak for its first few;
// where a pause lies between loud parts, outputs that meet nothing else are fewer than a block.
// What survey.cpp does by blocks of a hundred samples and more, to all lines, is done again by
// blocks of sixteen, to those that may have lost something. They are taken together, every sample
// in units of what is lost of its line: by the least that any of them has.
#include "closer.h"

#include <math.h>

#include <algorithm>

#include "views.h"

namespace fastconv {
namespace {

constexpr Index kPart = 16, kAround = 2;

// Parts of a line, from part `first` on: the sum and the maximum of |x| of each.
struct Parts {
  Index first, count;
  double *sum, *top;

  Parts(Scratch& scratch, Range items)
      : first(items.first / kPart),
        count(ceil_div(items.last, kPart) - first),
        sum(scratch.take<double>(count)),
        top(scratch.take<double>(count)) {}

  void weigh(const char* line, Index step, Index length, fc_dtype dtype, Context& context) {
    const Scan scan = is_single(dtype) ? context.kernels.scan_f32 : context.kernels.scan_f64;
    const Index numbers = is_complex(dtype) ? 2 : 1, from = first * kPart;
    const Index items = std::min(length - from, count * kPart);
    Index at = 0;
    for_each_run(line + from * step, step, items, dtype, kRun, [&](const char* run, Index some) {
      scan(run, some * numbers, kPart * numbers, sum + at, top + at, nullptr);
      at += ceil_div(some, kPart);
    });
    // Few samples may all be loud beside a gap of the other operand: they count as no more than
    // those before.
    const Index last = items % kPart;
    if (last == 0) return;
    const double before = count > 1 ? sum[count - 2] * double(last) / double(kPart) : 0;
    sum[count - 1] = std::min(sum[count - 1], before);
  }
};

// The items of `of` that reach these outputs through so many of the other operand, and some more.
Range reaching(Range outputs, Index of, Index other) {
  return {std::max<Index>(0, outputs.first - other + 1 - kAround * kPart),
          std::min(of, outputs.last)};
}

// Of a part and the one before it, the last first: both meet a tap in the same block of outputs.
const double* louder_of_two(Scratch& scratch, const Parts& a) {
  double* louder = scratch.take<double>(a.count + 1);
  louder[0] = a.top[a.count - 1], louder[a.count] = a.top[0];
  for (Index i = 1; i < a.count; ++i) louder[a.count - i] = std::max(a.top[i], a.top[i - 1]);
  return louder;
}

// Four at a time.
double largest_product(const double* x, const double* y, Index count) {
  double most[4] = {0, 0, 0, 0};
  const auto meet = [&](double product, int k) { most[k] = product > most[k] ? product : most[k]; };
  Index i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int k = 0; k < 4; ++k) meet(x[i + k] * y[i + k], k);
  }
  for (; i < count; ++i) meet(x[i] * y[i], 0);
  return std::max({most[0], most[1], most[2], most[3]});
}

// Of a line, and of its kernel.
struct Lengths {
  Index n, m;

  explicit Lengths(const Problem& p)
      : n(cols_apart(p) ? p.rows : p.cols), m(cols_apart(p) ? p.kh : p.kw) {}
};

double items_of(Range r) { return double(r.last - r.first); }

}  // namespace

double macs_of_look(const Problem& p, Index lines, Range outputs) {
  constexpr double kOnce = 2e4, kSample = 2;
  const Lengths of(p);
  return kOnce + kSample * double(lines) * items_of(reaching(outputs, of.n, of.m)) +
         items_of(outputs) * items_of(reaching(outputs, of.m, of.n)) / (kPart * kPart);
}

double macs_again(const Problem& p, Index lines, Range outputs) {
  const Lengths of(p);
  return double(lines) * items_of(outputs) * double(std::min({of.n, of.m, outputs.last}));
}

// Those of which more than kAround blocks on either side are not weak are ranges by themselves.
Index most_ranges(Range outputs) {
  return (outputs.last - outputs.first) / (kPart * (2 * kAround + 2)) + 2;
}

Index look_closer(const Problem& p, const Judge& judge, Range lines, Range outputs, Range judged,
                  LossOf loss, Context& context, Range* weak) {
  const bool columns = cols_apart(p);
  const Lengths of(p);
  const Index n = of.n, m = of.m;
  const Range looked_at = {std::max(outputs.first, judged.first),
                           std::min(outputs.last, judged.last)};
  if (looked_at.first >= looked_at.last) return 0;
  const Index step = columns ? p.a_row : a_step(p), next = columns ? a_step(p) : p.a_row;
  Scratch scratch;
  Parts v(scratch, reaching(outputs, m, n));
  v.weigh(p.v, columns ? p.v_row : kItemSize[p.v_dtype], m, p.v_dtype, context);
  const double peak = *std::max_element(v.top, v.top + v.count);
  weak[0] = outputs;
  if (peak == 0) return 1;
  Parts a(scratch, reaching(outputs, n, m)), line(scratch, reaching(outputs, n, m));
  std::fill_n(a.sum, a.count, HUGE_VAL);
  std::fill_n(a.top, a.count, 0.0);
  for (Index l = lines.first; l < lines.last; ++l) {
    const double lost = loss(l), unit = peak / lost;
    if (lost == 0) continue;
    line.weigh(p.a + l * next, step, n, p.a_dtype, context);
    for (Index i = 0; i < a.count; ++i) {
      a.sum[i] = std::min(a.sum[i], line.sum[i] * unit);
      a.top[i] = std::max(a.top[i], line.top[i] * unit);
    }
  }
  for (Index c = 0; c < v.count; ++c) v.sum[c] /= peak, v.top[c] /= peak;
  const Index base = a.first + v.first, first_block = looked_at.first / kPart;
  const Range met = {std::max<Index>(0, first_block - 1 - base),
                     std::min(a.count + v.count - 1, ceil_div(looked_at.last, kPart) - base)};
  double* sum = scratch.take<double>(met.last - met.first);
  sums_within(met, a.sum, a.count, v.sum, v.count, sum, context);
  const auto products = [&](Index b) {
    const Index at = b - base;
    return at >= met.first && at < met.last ? sum[at - met.first] : 0;
  };
  // Among so few products the largest is smaller than elsewhere: it counts double. Of complex
  // numbers it is that of re and im, while sums are of both.
  const double more = is_complex(p.a_dtype) || is_complex(p.v_dtype) ? 4 : 2;
  const double loudest = more * *std::max_element(a.top, a.top + a.count);
  const double* near = louder_of_two(scratch, a);
  const auto largest = [&](Index b) {
    const Index first = std::max<Index>(0, b - base - a.count);
    const Index last = std::min(v.count, b - base + 1), from = a.count - (b - base - first);
    return more * largest_product(v.top + first, near + from, last - first);
  };
  // Both ends of a block have what there is within it.
  const auto is_weak = [&](Index b) {
    const double before = b == 0 ? HUGE_VAL : products(b - 1), behind = products(b);
    const double mean = (products(b - 1) + behind) / (2 * kPart);
    const double least = std::min(before, behind) / kPart;
    if (least == 0) return true;
    const double hidden = std::max(mean / least, 1.0);
    // The loudest of all is at hand, and mostly decides.
    return judge.is_weak(mean, {hidden, loudest}) && judge.is_weak(mean, {hidden, largest(b)});
  };
  Index count = 0;
  for (Index b = first_block; b * kPart < looked_at.last; ++b) {
    if (!is_weak(b)) continue;
    const Range around = {std::max<Index>(0, (b - kAround) * kPart),
                          std::min(n + m - 1, (b + 1 + kAround) * kPart)};
    const bool apart = count == 0 || around.first > weak[count - 1].last;
    if (apart) weak[count++] = around;
    weak[count - 1].last = around.last;
  }
  return count;
}

}  // namespace fastconv
