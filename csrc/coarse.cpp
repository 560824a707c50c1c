// What a signal weighs, block by block: sums, maxima and energies, in one pass.
#include <math.h>

#include <algorithm>

#include "spectra.h"
#include "survey.h"
#include "transforms.h"
#include "views.h"

namespace fastconv {
namespace {

// A sample scanned takes as long as so many multiply-adds: 0.08 ns (f64 in L2) of 25 a ns.
constexpr double kScanMacs = 2;

// An upper bound of ||x||^2, small as x may be: what underflows would pass for silence.
double energy_of(double bound, double sum) {
  constexpr double kLeast = 1e-280;
  return sum > 0 ? std::max(bound, kLeast) : sum;
}

// The samples of a row of blocks along every leading axis.
void along_axes(const Operand& x, Index side, Index blocks, Range* within) {
  for (int d = x.leading - 1; d >= 0; --d) {
    const Index along = ceil_div(x.count[d], side), first = blocks % along * side;
    within[d] = {first, std::min(first + side, x.count[d])};
    blocks /= along;
  }
}

// Every row by itself, some blocks at a time, of which whoever scans them tells what they weigh.
void scan_lines(Context& context, const Operand& x, Grain grain, Coarse& c) {
  constexpr Index kTogether = 64;
  const Index parts = is_complex(x.dtype) ? 2 : 1;
  const Scan scan = is_single(x.dtype) ? context.kernels.scan_f32 : context.kernels.scan_f64;
  const Index per_row = ceil_div(c.cols, kTogether), all = c.rows * per_row;
  const Index samples = kTogether * grain.cols;
  Scratch scratch;
  Seen* seen = scratch.take<Seen>(all);
  const double macs = kScanMacs * double(std::min(x.cols, samples)) * double(parts);
  context.share(all, macs, [&](Context&, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index i = r.first; i < r.last; ++i) {
        // Channels lie between each other: what is near is taken together.
        const Index row = is_dense(x) ? i / per_row : i % c.rows;
        const Index part = is_dense(x) ? i % per_row : i / c.rows;
        const Index first = part * kTogether, at = row * c.cols + first;
        const Index from = first * grain.cols, count = std::min(x.cols - from, samples);
        const Index blocks = ceil_div(count, grain.cols);
        for_each_run(x.data + row * x.stride[0] + from * x.step, x.step, count, x.dtype, count,
                     [&](const char* run, Index) {
                       scan(run, count * parts, grain.cols * parts, c.sum + at, c.top + at,
                            c.least + at);
                     });
        for (Index b = at; b < at + blocks; ++b) {
          c.energy[b] = energy_of(c.sum[b] * c.top[b], c.sum[b]);
        }
        seen[row * per_row + part] = c.of(at, blocks);
      }
    }
  });
  c.whole = Seen();
  for (Index i = 0; i < all; ++i) c.whole.add(seen[i]);
}

// Copies in place of rows that do not lie dense. Of a picture many are made at once: where it is
// turned round, each line of cache and each page is then read for all of them.
class Copies {
 public:
  Copies(Scratch& scratch, const Operand& x, Index rows_of_block)
      : x_(x), item_(kItemSize[x.dtype]), pitch_(x.cols * item_), rows_(rows_of_block) {
    if (x.leading == 1) rows_ *= std::max<Index>(1, kTogetherBytes / (rows_ * pitch_));
    copies_ = scratch.take<char>(is_dense(x) ? 0 : rows_ * pitch_);
  }

  void replace(const Index* row, const void** data, Index rows) {
    if (is_dense(x_)) return;
    if (x_.leading > 1) {
      copy_evenly(data, rows);
    } else if (row[0] < first_ || row[rows - 1] >= last_) {
      first_ = row[0], last_ = std::min(x_.rows, first_ + rows_);
      copy_some(x_.data + first_ * x_.stride[0], last_ - first_, copies_);
    }
    for (Index r = 0; r < rows; ++r) {
      data[r] = copies_ + (x_.leading > 1 ? r : row[r] - first_) * pitch_;
    }
  }

 private:
  static constexpr Index kTogetherBytes = Index(512) << 10;

  // Rows that lie as those of the last axis do.
  void copy_some(const char* from, Index rows, char* to) const {
    const Index shape[] = {rows, x_.cols}, dense[] = {pitch_, item_};
    const Index stride[] = {x_.stride[x_.leading - 1], x_.step};
    copy({to, 2, shape, dense}, {const_cast<char*>(from), 2, shape, stride}, item_);
  }

  void copy_evenly(const void* const* data, Index rows) const {
    const auto at = [&](Index r) { return static_cast<const char*>(data[r]); };
    for (Index r = 0, end; r < rows; r = end) {
      for (end = r + 1; end < rows && at(end) - at(end - 1) == x_.stride[x_.leading - 1];) ++end;
      copy_some(at(r), end - r, copies_ + r * pitch_);
    }
  }

  const Operand& x_;
  const Index item_, pitch_;
  Index rows_, first_ = 0, last_ = 0;
  char* copies_;
};

// Rows of blocks are shared out, some at a time where they are many. What each share has of the
// first and last columns is added up in their order, whoever scanned it.
void scan_blocks(Context& context, const Operand& x, Grain grain, Coarse& c) {
  constexpr Index kMostShares = 256;
  const Index parts = is_complex(x.dtype) ? 2 : 1, ends = std::min(x.cols, kEnds);
  const Index numbers = 2 * ends * parts, together = ceil_div(c.rows, kMostShares);
  const Index count = ceil_div(c.rows, together);
  Index most_rows = 1;  // of a row of blocks
  for (int d = 0; d < x.leading; ++d) most_rows *= std::min(x.count[d], grain.rows);
  const ScanRows scan =
      is_single(x.dtype) ? context.kernels.scan_rows_f32 : context.kernels.scan_rows_f64;
  Scratch scratch;
  double* sums = scratch.take<double>(count * numbers);
  std::fill_n(sums, count * numbers, 0.0);
  const double macs = kScanMacs * double(x.rows) * double(x.cols) * double(parts) / double(count);
  context.share(count, macs, [&](Context&, Shares& shares) {
    Scratch own;
    Index* row = own.take<Index>(most_rows);
    const void** data = own.take<const void*>(most_rows);
    Copies copies(own, x, most_rows);
    double* end = own.take<double>(numbers);
    Range within[FC_MAX_NDIM];
    for (Range r; shares.next(r);) {
      for (Index i = r.first * together; i < std::min(r.last * together, c.rows); ++i) {
        Index rows = 0;
        along_axes(x, grain.rows, i, within);
        const auto add = [&](Index at, const char* from) { row[rows] = at, data[rows++] = from; };
        for_each_row(x, within, add, 0, 0, x.data);
        copies.replace(row, data, rows);
        const Index b = i * c.cols;
        scan(data, x.stride[x.leading - 1], row, rows, x.cols * parts, grain.cols * parts,
             ends * parts,
             {c.sum + b, c.energy + b, c.top + b, c.row_sum, end, end + ends * parts});
        for (Index k = b; k < b + c.cols; ++k) c.energy[k] = energy_of(c.energy[k], c.sum[k]);
        double* sum = sums + i / together * numbers;
        for (Index j = 0; j < numbers; ++j) sum[j] += end[j];
      }
    }
  });
  std::fill_n(c.first, ends, 0.0);
  std::fill_n(c.last, ends, 0.0);
  for (const double* first = sums; first < sums + count * numbers; first += numbers) {
    const double* last = first + ends * parts;
    for (Index j = 0; j < ends * parts; ++j) {
      c.first[j / parts] += first[j];
      c.last[ends - 1 - j / parts] += last[j];
    }
  }
  c.whole = c.of(0, c.rows * c.cols);
}

// The same of columns that do not lie side by side: copies of some at a time.
void scan_copies(ScanColumns scan, const Operand& x, const char* data, Index rows, double* sum,
                 double* peak, double* least) {
  const Index parts = is_complex(x.dtype) ? 2 : 1, item = kItemSize[x.dtype];
  const Index most = std::max<Index>(kRun / rows, 1);
  Scratch scratch;
  char* copied = scratch.take<char>(rows * most * item);
  for (Index j = 0; j < x.cols; j += most) {
    const Index shape[] = {rows, std::min(most, x.cols - j)};
    const Index from[] = {x.stride[0], x.step}, to[] = {shape[1] * item, item};
    copy({copied, 2, shape, to}, {const_cast<char*>(data) + j * x.step, 2, shape, from}, item);
    scan(copied, to[0], rows, shape[1] * parts, sum + j * parts, peak + j * parts,
         least + j * parts);
  }
}

// Every column by itself, a block of rows at a time.
void scan_columns(Context& context, const Operand& x, Grain grain, Coarse& c) {
  const Index parts = is_complex(x.dtype) ? 2 : 1, count = c.cols * parts;
  const ScanColumns scan =
      is_single(x.dtype) ? context.kernels.scan_columns_f32 : context.kernels.scan_columns_f64;
  const double macs = kScanMacs * double(std::min(x.rows, grain.rows)) * double(count);
  context.share(c.rows, macs, [&](Context&, Shares& shares) {
    Scratch scratch;
    double* sum = scratch.take<double>(count);
    double* peak = scratch.take<double>(count);
    double* least = scratch.take<double>(count);
    for (Range r; shares.next(r);) {
      for (Index b = r.first; b < r.last; ++b) {
        const Index some = std::min(grain.rows, x.rows - b * grain.rows);
        const char* data = x.data + b * grain.rows * x.stride[0];
        if (is_dense(x)) {
          scan(data, x.stride[0], some, count, sum, peak, least);
        } else {
          scan_copies(scan, x, data, some, sum, peak, least);
        }
        for (Index j = 0; j < c.cols; ++j) {
          double total = sum[j * parts], top = peak[j * parts];
          if (parts == 2) total += sum[2 * j + 1], top = std::max(top, peak[2 * j + 1]);
          c.sum[b * c.cols + j] = total;
          c.energy[b * c.cols + j] = energy_of(total * top, total);
          c.top[b * c.cols + j] = top;
          c.least[b * c.cols + j] = least[j * parts] + (parts == 2 ? least[2 * j + 1] : 0);
        }
      }
    }
  });
  c.whole = c.of(0, c.rows * c.cols);
}

Operand operand(const Problem& p, bool is_a) {
  Operand x;
  x.dtype = is_a ? p.a_dtype : p.v_dtype, x.data = is_a ? p.a : p.v;
  x.rows = is_a ? p.rows : p.kh, x.cols = is_a ? p.cols : p.kw;
  x.step = is_a ? a_step(p) : kItemSize[p.v_dtype];
  Leading own;
  const Leading& rows = leading_of(p, own);
  x.leading = rows.count;
  for (int d = 0; d < rows.count; ++d) {
    x.count[d] = is_a ? rows.axis[d].n : rows.axis[d].m;
    x.pitch[d] = rows.pitch[d];
    x.stride[d] = is_a ? rows.a[d] : rows.pitch[d] * p.v_row;
  }
  return x;
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

Operand signal_of(const Problem& p) { return operand(p, true); }
Operand taps_of(const Problem& p) { return operand(p, false); }

// The coarse convolution costs at most about four multiply-adds a sample, two where transforms are
// of single precision, which take half as long.
Grain grain_of(const Problem& p) {
  const double lines = rows_apart(p) ? double(p.rows) : cols_apart(p) ? double(p.cols) : 1;
  Leading own;
  const Leading& rows = leading_of(p, own);
  double n = double(p.cols) / lines, m = double(p.kw);
  for (int d = 0; d < rows.count; ++d) n *= double(rows.axis[d].n), m *= double(rows.axis[d].m);
  const double size = sqrt(n * m / ((is_single(p.a_dtype) ? 2 : 4) * (n + m)));
  const Index length = size > 128 ? Index(size) : 128;
  if (rows_apart(p)) return {1, length};
  if (cols_apart(p)) return {length, 1};
  // A picture's are 8 by 32 samples at the least; a volume's are more of a cube. Their rows are
  // whole vectors.
  const Index side = Index(pow(size, 1.0 / (rows.count + 1)));
  const Index least_cols = rows.count == 1 ? 32 : 16;
  const Index least_rows = Index(pow(256.0 / double(least_cols), 1.0 / rows.count) + 0.5);
  return {std::max(side, least_rows), ceil_div(std::max(side, least_cols), 16) * 16};
}

Coarse coarse(Scratch& scratch, Context& context, const Operand& x, Grain grain,
              bool lines_are_apart) {
  Coarse c;
  c.rows = 1;
  for (int d = 0; d < x.leading; ++d) c.rows *= ceil_div(x.count[d], grain.rows);
  c.cols = ceil_div(x.cols, grain.cols);
  c.sum = scratch.take<double>(c.rows * c.cols);
  c.energy = scratch.take<double>(c.rows * c.cols);
  c.top = scratch.take<double>(c.rows * c.cols);
  if (!lines_are_apart) {
    c.row_sum = scratch.take<double>(x.rows);
    c.first = scratch.take<double>(kEnds);
    c.last = scratch.take<double>(kEnds);
    scan_blocks(context, x, grain, c);
  } else {
    c.least = scratch.take<double>(c.rows * c.cols);
    grain.cols == 1 ? scan_columns(context, x, grain, c) : scan_lines(context, x, grain, c);
  }
  c.finite = isfinite(c.whole.sum);
  return c;
}

// The Coarse of v and, behind it, its numbers by block, by row and by column.
const Coarse& weight_of_taps(Scratch& scratch, const Problem& p, Grain grain, Context& context) {
  const bool apart = lines_apart(p);
  const Operand v = taps_of(p);
  Index blocks = ceil_div(v.cols, grain.cols);
  for (int d = 0; d < v.leading; ++d) blocks *= ceil_div(v.count[d], grain.rows);
  const Known how = {
      Fact::kWeight, p.v_dtype, p.kh, p.kw, &context.kernels, {grain.rows, grain.cols}, 0, 0, 0, 0};
  const Index numbers = 3 * blocks + (apart ? blocks : v.rows + 2 * kEnds);
  const Index bytes = Index(sizeof(Coarse)) + numbers * Index(sizeof(double));
  return *reinterpret_cast<const Coarse*>(known_of<char>(p, how, bytes, scratch, [&](char* to) {
    Scratch local;
    Coarse c = coarse(local, context, v, grain, apart);
    double* at = reinterpret_cast<double*>(to + sizeof(Coarse));
    const auto keep = [&](double*& numbers, Index count) {
      at = std::copy_n(numbers, count, at);
      numbers = at - count;
    };
    for (double** part : {&c.sum, &c.energy, &c.top}) keep(*part, blocks);
    if (apart) keep(c.least, blocks);
    if (!apart) keep(c.row_sum, v.rows), keep(c.first, kEnds), keep(c.last, kEnds);
    new (to) Coarse(c);
  }));
}

}  // namespace fastconv
