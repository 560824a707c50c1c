#include "bands.h"

#include <stdint.h>

#include <algorithm>

#include "spectra.h"
#include "transforms.h"

namespace fastconv {
namespace {

// Of a and of the result together. Each band takes some 3 us beside what its samples take: of so
// many bytes, less than a hundredth.
constexpr double kBandBytes = 2 << 20;

// Less than what so many hold of a signal, a megabyte or two, is little beside 4 MB. And threads
// that take as many, each for itself, end together.
constexpr Index kFewest = 32;

bool along_rows(const Problem& p) { return p.kh > 1; }

// Outputs that transforms take at once.
Index unit_of(const Problem& p, const fc_candidate& how, const SpectralKernels& kernels) {
  const Index halves = is_complex(result_dtype(p.a_dtype, p.v_dtype)) ? 1 : 2;
  if (!how.lanes) {
    return halves * (along_rows(p) ? how.block[0] - p.kh + 1 : how.block[1] - p.kw + 1);
  }
  if (along_rows(p)) return how.block[1] - p.kh + 1;
  const Index slots = halves * kernels.lanes;
  return slots * step_in_lanes(p, how.block[1], slots);
}

}  // namespace

Range Bands::operator[](Index band) const {
  const Index units = ceil_div(outputs, unit);
  const auto start = [&](Index b) { return std::min(outputs, units * b / count * unit); };
  return {start(band), start(band + 1)};
}

Bands cut_into_bands(Index outputs, Index unit, double units_a_band) {
  const Index units = ceil_div(outputs, unit);
  const Index count = units / std::max<Index>(1, Index(units_a_band));
  return {outputs, unit, std::max<Index>(1, count)};
}

Bands bands_of(const Problem& p, const fc_candidate& how, const KernelTable& table) {
  const Index rows = p.row_hi - p.row_lo, cols = p.col_hi - p.col_lo;
  const Index outputs = along_rows(p) ? rows : cols;
  if (how.method != FC_OVERLAP || p.leading || outputs < 1) return {outputs, 1, 1};
  const double across = along_rows(p) ? double(p.cols + cols) : double(p.rows + rows);
  const double bytes = across * double(kItemSize[result_dtype(p.a_dtype, p.v_dtype)]);
  if (bytes * double(outputs) < kFewest * kBandBytes) return {outputs, 1, 1};
  const Index unit = unit_of(p, how, table.spectral[!is_single(p.a_dtype)]);
  const Bands bands = cut_into_bands(outputs, unit, kBandBytes / (bytes * double(unit)));
  return bands.count < kFewest ? Bands{outputs, unit, 1} : bands;
}

Problem band_of(const Problem& p, Range outputs) {
  Problem band = p;
  if (along_rows(p)) {
    band.row_hi = p.row_lo + outputs.last, band.row_lo += outputs.first;
    band.out += p.out ? outputs.first * p.out_row : 0;
  } else {
    band.col_hi = p.col_lo + outputs.last, band.col_lo += outputs.first;
    band.out += p.out ? outputs.first * out_step(p) : 0;
  }
  return trimmed(band);
}

void for_each_band(const Bands& bands, double macs, fc_spectra* spectra, Context& context,
                   OfBand visit) {
  fc_spectra own(SIZE_MAX / 2);
  context.share(bands.count, macs / double(bands.count), [&](Context& each, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index b = r.first; b < r.last; ++b) visit(bands[b], spectra ? spectra : &own, each);
    }
  });
}

}  // namespace fastconv
