// What a signal weighs, block by block: sums, maxima and energies, in one pass.
#include <math.h>
#include <string.h>

#include <algorithm>

#include "survey.h"
#include "transforms.h"

namespace fastconv {
namespace {

void scan_rows(Scratch& scratch, const KernelTable& table, fc_dtype dtype, const char* data,
               Index rows, Index cols, Index stride, Grain grain, Coarse& c) {
  double* sum = scratch.take<double>(c.cols);
  double* peak = scratch.take<double>(c.cols);
  const Index parts = is_complex(dtype) ? 2 : 1;
  const Scan scan = is_single(dtype) ? table.scan_f32 : table.scan_f64;
  for (Index r = 0; r < rows; ++r) {
    scan(data + r * stride, cols * parts, grain.cols * parts, sum, peak);
    double* row_sum = c.sum + r / grain.rows * c.cols;
    double* row_energy = c.energy + r / grain.rows * c.cols;
    double* row_top = c.top + r / grain.rows * c.cols;
    for (Index j = 0; j < c.cols; ++j) {
      row_sum[j] += sum[j];
      row_energy[j] += sum[j] * peak[j];
      row_top[j] = std::max(row_top[j], peak[j]);
    }
  }
}

// Every column by itself, a block of rows at a time.
void scan_columns(Scratch& scratch, const KernelTable& table, fc_dtype dtype, const char* data,
                  Index rows, Index stride, Grain grain, Coarse& c) {
  const Index parts = is_complex(dtype) ? 2 : 1, count = c.cols * parts;
  double* sum = scratch.take<double>(count);
  double* peak = scratch.take<double>(count);
  const ScanColumns scan = is_single(dtype) ? table.scan_columns_f32 : table.scan_columns_f64;
  for (Index b = 0; b < c.rows; ++b) {
    const Index some = rows - b * grain.rows < grain.rows ? rows - b * grain.rows : grain.rows;
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

Coarse coarse(Scratch& scratch, const KernelTable& table, fc_dtype dtype, const char* data,
              Index rows, Index cols, Index stride, Grain grain) {
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
  grain.cols == 1 ? scan_columns(scratch, table, dtype, data, rows, stride, grain, c)
                  : scan_rows(scratch, table, dtype, data, rows, cols, stride, grain, c);
  for (Index b = 0; b < c.rows * c.cols; ++b) {
    c.total_sum += c.sum[b];
    c.total_energy += c.energy[b];
    c.peak = c.top[b] > c.peak ? c.top[b] : c.peak;
    c.finite &= bool(isfinite(c.sum[b]));
  }
  return c;
}

}  // namespace fastconv
