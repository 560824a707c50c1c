// The direct kernels of every pair of dtypes, as rows of the kernel table.
#pragma once
#include "simd.h"
#include "table.h"

#if defined(FC_VECTORS)

#include "direct1d.h"
#include "direct2d.h"

#define FC_DIRECT_ROWS(kernel)                                                                    \
  kernel<RealTaps<float, 1>>, kernel<RealTaps<double, 1>>, kernel<RealTaps<float, 2>>,            \
      kernel<RealTaps<double, 2>>, kernel<ComplexTaps<float, 1>>, kernel<ComplexTaps<double, 1>>, \
      kernel<ComplexTaps<float, 2>>, kernel<ComplexTaps<double, 2>>, kernel<ByteTaps>,            \
      kernel<RealTaps<uint16_t, 1>>, kernel<RealTaps<uint32_t, 1>>, kernel<Int64Taps>,            \
      kernel<BoolTaps>

#else

#include "direct_plain.h"

#endif

// In the order of Pair.
#define FC_DIRECT_1D_ROWS FC_DIRECT_ROWS(direct1d)
#define FC_DIRECT_2D_ROWS FC_DIRECT_ROWS(direct2d)
#define FC_TILE_ROWS FC_DIRECT_ROWS(kTileRows)
#define FC_SPREADS FC_DIRECT_ROWS(kSpreads)
