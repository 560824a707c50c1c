// One level: compiled once per instruction set, with FC_LEVEL its name. The
// filled table is constant data, the only symbol that leaves this object, and so
// nothing in it runs before the level is chosen.
#include "columns.h"
#include "direct.h"
#include "dot.h"
#include "fft.h"
#include "integers.h"
#include "lanes.h"
#include "matrix.h"
#include "peak.h"
#include "scan.h"
#include "table.h"

#define FC_CONCAT(a, b) a##b
#define FC_TABLE(level) FC_CONCAT(kernels_, level)
#define FC_STRING(x) #x
#define FC_NAME(level) FC_STRING(level)

namespace fastconv {

extern const KernelTable FC_TABLE(FC_LEVEL);

using namespace FC_LEVEL;

constexpr KernelTable FC_TABLE(FC_LEVEL) = {
    FC_NAME(FC_LEVEL),
    {FC_DIRECT_1D_ROWS},
    {FC_DIRECT_2D_ROWS},
    {FC_TILE_ROWS},
    {FC_SPREADS},
    {FC_DOT_ROWS},
    peak_f32,
    peak_f64,
    scan<float>,
    scan<double>,
    scan_rows<float>,
    scan_rows<double>,
    scan_columns<float>,
    scan_columns<double>,
    {FC_SPECTRAL_ROWS},
    {FC_INTEGER_ROWS},
};

}  // namespace fastconv
