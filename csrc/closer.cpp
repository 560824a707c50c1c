// Where a filter fades towards its ends, the first block of outputs is weak for its first few. What
// survey.cpp does by blocks of a hundred samples and more, to all lines, is done again by blocks of
// sixteen, to those that had a weak one. They are taken together, every sample in units of what is
// lost of its line: by the least that any of them has.
#include "closer.h"

#include <math.h>
#include <string.h>

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

double items_of(Range r) { return double(r.last - r.first); }

}  // namespace

Closer closer_look(const Problem& p, Index lines, Range outputs) {
  constexpr double kLeast = 2e4, kMost = 16;  // multiply-adds: in all, and for each output
  const bool columns = cols_apart(p);
  const Index n = columns ? p.rows : p.cols, m = columns ? p.kh : p.kw;
  const double samples = items_of(reaching(outputs, n, m)),
               taps = items_of(reaching(outputs, m, n));
  const double count = double(lines) * items_of(outputs);
  if (count * taps <= kLeast) return Closer::kNeedless;
  return samples * taps / (kPart * kPart) < kMost * count ? Closer::kPays : Closer::kTooMuch;
}

// Those of which more than kAround blocks on either side are not weak are ranges by themselves.
Index most_ranges(Range outputs) {
  return (outputs.last - outputs.first) / (kPart * (2 * kAround + 2)) + 2;
}

Index look_closer(const Problem& p, const Judge& judge, Range lines, Range outputs, Range judged,
                  LossOf loss, Context& context, Range* weak) {
  const bool columns = cols_apart(p);
  const Index n = columns ? p.rows : p.cols, m = columns ? p.kh : p.kw;
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
  const Index all = a.count + v.count - 1, base = a.first + v.first;
  double* sum = scratch.take<double>(all);
  first_sums(a.sum, a.count, v.sum, v.count, sum, all, context);
  const auto products = [&](Index b) { return b >= base && b < base + all ? sum[b - base] : 0; };
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
    return judge.is_weak(mean, {hidden, loudest}) && judge.is_weak(mean, {hidden, largest(b)});
  };
  Index count = 0;
  const Range looked_at = {std::max(outputs.first, judged.first),
                           std::min(outputs.last, judged.last)};
  for (Index b = looked_at.first / kPart; b * kPart < looked_at.last; ++b) {
    if (!is_weak(b)) continue;
    const Range around = {std::max(outputs.first, (b - kAround) * kPart),
                          std::min(outputs.last, (b + 1 + kAround) * kPart)};
    const bool apart = count == 0 || around.first > weak[count - 1].last;
    if (apart) weak[count++] = around;
    weak[count - 1].last = around.last;
  }
  return count;
}

}  // namespace fastconv
