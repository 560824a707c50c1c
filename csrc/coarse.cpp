// What a signal weighs, block by block: sums, maxima and energies, in one pass.
#include <math.h>
#include <string.h>

#include <algorithm>

#include "spectra.h"
#include "survey.h"
#include "transforms.h"

namespace fastconv {
namespace {

// A sample scanned takes as long as so many multiply-adds: 0.1 ns (f64 in L2) of 20 a ns.
constexpr double kScanMacs = 2;

void scan_row(const Scan scan, const char* row, Index count, Index grain, double* sum, double* peak,
              Coarse& c, Index block) {
  const Index blocks = ceil_div(count, grain);
  scan(row, count, grain, sum, peak);
  for (Index j = 0; j < blocks; ++j) {
    c.sum[block + j] += sum[j];
    c.energy[block + j] += sum[j] * peak[j];
    c.top[block + j] = std::max(c.top[block + j], peak[j]);
  }
}

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
    double* peak = scratch.take<double>(some);
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        const Index block_row = i / per_row, first = i % per_row * some;
        const Index from = first * grain.cols, count = std::min(cols - from, some * grain.cols);
        const Index end = std::min(rows, (block_row + 1) * grain.rows);
        for (Index row = block_row * grain.rows; row < end; ++row) {
          scan_row(scan, data + row * stride + from * item, count * parts, grain.cols * parts, sum,
                   peak, c, block_row * c.cols + first);
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
  const size_t bytes = sizeof(double) * size_t(c.rows * c.cols);
  memset(c.sum, 0, bytes);
  memset(c.energy, 0, bytes);
  memset(c.top, 0, bytes);
  grain.cols == 1 ? scan_columns(context, dtype, data, rows, stride, grain, c)
                  : scan_rows(context, dtype, data, rows, cols, stride, grain, c);
  for (Index b = 0; b < c.rows * c.cols; ++b) {
    c.total_sum += c.sum[b];
    c.total_energy += c.energy[b];
    c.peak = c.top[b] > c.peak ? c.top[b] : c.peak;
    c.finite &= bool(isfinite(c.sum[b]));
  }
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
