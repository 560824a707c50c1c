// What a signal weighs, block by block: sums, maxima and energies, in one pass.
#include <math.h>

#include <algorithm>

#include "spectra.h"
#include "survey.h"
#include "transforms.h"

namespace fastconv {
namespace {

// A sample scanned takes as long as so many multiply-adds: 0.08 ns (f64 in L2) of 25 a ns.
constexpr double kScanMacs = 2;

// Rows of blocks are shared out; of one alone its blocks, some at a time.
void scan_rows(Context& context, fc_dtype dtype, const char* data, Index rows, Index cols,
               Index stride, Grain grain, Coarse& c) {
  constexpr Index kTogether = 64;
  const Index parts = is_complex(dtype) ? 2 : 1, item = kItemSize[dtype];
  const Scan scan = is_single(dtype) ? context.kernels.scan_f32 : context.kernels.scan_f64;
  const Index some = c.rows == 1 ? kTogether : c.cols, per_row = ceil_div(c.cols, some);
  const double macs = kScanMacs * double(std::min(rows, grain.rows)) *
                      double(std::min(cols, some * grain.cols)) * double(parts);
  context.share(c.rows * per_row, macs, [&](Context&, Shares& shares) {
    Scratch scratch;
    double* sum = scratch.take<double>(some);
    double* top = scratch.take<double>(some);
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        const Index block_row = i / per_row, first = i % per_row * some;
        const Index from = first * grain.cols, count = std::min(cols - from, some * grain.cols);
        const Index blocks = ceil_div(count, grain.cols), at = block_row * c.cols + first;
        const Index begin = block_row * grain.rows, end = std::min(rows, begin + grain.rows);
        const auto scan_row = [&](Index row, double* sums, double* tops) {
          scan(data + row * stride + from * item, count * parts, grain.cols * parts, sums, tops);
        };
        scan_row(begin, c.sum + at, c.top + at);
        for (Index b = at; b < at + blocks; ++b) c.energy[b] = c.sum[b] * c.top[b];
        for (Index row = begin + 1; row < end; ++row) {
          scan_row(row, sum, top);
          for (Index b = 0; b < blocks; ++b) {
            c.sum[at + b] += sum[b];
            c.energy[at + b] += sum[b] * top[b];
            c.top[at + b] = std::max(c.top[at + b], top[b]);
          }
        }
      }
    }
  });
}

// Every column by itself, a block of rows at a time.
void scan_columns(Context& context, fc_dtype dtype, const char* data, Index rows, Index stride,
                  Grain grain, Coarse& c) {
  const Index parts = is_complex(dtype) ? 2 : 1, count = c.cols * parts;
  const ScanColumns scan =
      is_single(dtype) ? context.kernels.scan_columns_f32 : context.kernels.scan_columns_f64;
  const double macs = kScanMacs * double(std::min(rows, grain.rows)) * double(count);
  context.share(c.rows, macs, [&](Context&, Shares& shares) {
    Scratch scratch;
    double* sum = scratch.take<double>(count);
    double* peak = scratch.take<double>(count);
    for (Range r; shares.next(r);) {
      for (Index b = r.first; b < r.last; ++b) {
        const Index some = std::min(grain.rows, rows - b * grain.rows);
        scan(data + b * grain.rows * stride, stride, some, count, sum, peak);
        for (Index j = 0; j < c.cols; ++j) {
          double total = sum[j * parts], top = peak[j * parts];
          if (parts == 2) total += sum[2 * j + 1], top = std::max(top, peak[2 * j + 1]);
          c.sum[b * c.cols + j] = total;
          c.energy[b * c.cols + j] = total * top;
          c.top[b * c.cols + j] = top;
        }
      }
    }
  });
}

}  // namespace

// Four chains of additions side by side, where that many are worth having.
Seen Coarse::of(Index at, Index count) const {
  constexpr int kChains = 4;
  Seen chain[kChains];
  Index b = at;
  const Index end = at + count;
  if (count >= 2 * kChains) {
    for (; b + kChains <= end; b += kChains) {
      for (int k = 0; k < kChains; ++k) chain[k].add({sum[b + k], energy[b + k], top[b + k]});
    }
    for (int k = 1; k < kChains; ++k) chain[0].add(chain[k]);
  }
  for (; b < end; ++b) chain[0].add({sum[b], energy[b], top[b]});
  return chain[0];
}

// The coarse convolution costs at most about four multiply-adds a sample.
Grain grain_of(const Problem& p) {
  const bool columns = p.kw == 1 && p.kh > 1;
  const double lines = p.kh == 1 ? double(p.rows) : columns ? double(p.cols) : 1;
  const double n = double(p.rows) * double(p.cols) / lines, m = double(p.kh) * double(p.kw);
  const double area = sqrt(n * m / (4 * (n + m)));
  const Index length = area > 128 ? Index(area) : 128;
  if (p.kh == 1) return {1, length};
  if (columns) return {length, 1};
  const Index side = Index(sqrt(area));
  return {side > 8 ? side : 8, side > 32 ? side : 32};
}

Coarse coarse(Scratch& scratch, Context& context, fc_dtype dtype, const char* data, Index rows,
              Index cols, Index stride, Grain grain) {
  Coarse c;
  c.rows = ceil_div(rows, grain.rows);
  c.cols = ceil_div(cols, grain.cols);
  c.sum = scratch.take<double>(c.rows * c.cols);
  c.energy = scratch.take<double>(c.rows * c.cols);
  c.top = scratch.take<double>(c.rows * c.cols);
  grain.cols == 1 ? scan_columns(context, dtype, data, rows, stride, grain, c)
                  : scan_rows(context, dtype, data, rows, cols, stride, grain, c);
  c.whole = c.of(0, c.rows * c.cols);
  c.finite = isfinite(c.whole.sum);
  return c;
}

// The Coarse of v and, behind it, its numbers by block.
const Coarse& weight_of_taps(Scratch& scratch, const Problem& p, Grain grain, Context& context) {
  const Index blocks = ceil_div(p.kh, grain.rows) * ceil_div(p.kw, grain.cols);
  const Known how = {
      Fact::kWeight, p.v_dtype, p.kh, p.kw, &context.kernels, {grain.rows, grain.cols}, 0, 0, 0, 0};
  const Index bytes = Index(sizeof(Coarse)) + 3 * blocks * Index(sizeof(double));
  return *reinterpret_cast<const Coarse*>(known_of<char>(p, how, bytes, scratch, [&](char* to) {
    Scratch local;
    Coarse c = coarse(local, context, p.v_dtype, p.v, p.kh, p.kw, p.v_row, grain);
    double* at = reinterpret_cast<double*>(to + sizeof(Coarse));
    for (double** part : {&c.sum, &c.energy, &c.top}) {
      std::copy_n(*part, blocks, at);
      *part = at, at += blocks;
    }
    new (to) Coarse(c);
  }));
}

}  // namespace fastconv
