// Long signals and pictures by bands of outputs, one after another or each by a thread: what is
// held of a band is forgotten with it. Bands are whole blocks, so that no transform is added. Which
// there are follows from shapes and plan alone, and so does every bit.
#pragma once
#include "engine.h"

namespace fastconv {

struct Bands {
  Index outputs, unit;  // `unit` of these are not parted
  Index count;

  Range operator[](Index band) const;
};

Bands cut_into_bands(Index outputs, Index unit, double units_a_band);

// Those of a problem of one group of lines, along the line, or of a picture, along its rows.
Bands bands_of(const Problem&, const fc_candidate& how, const KernelTable&);

// The problem of such a band, cut to what it reads.
Problem band_of(const Problem&, Range outputs);

// Calls visit for every band, of a job of so many multiply-adds. What is known of kernels is kept
// from band to band, where the caller does not keep it anyway.
using OfBand = FunctionRef<void(Range outputs, fc_spectra*, Context&)>;
void for_each_band(const Bands&, double macs, fc_spectra*, Context&, OfBand);

}  // namespace fastconv
