// Integers and bool, exactly, through f64 transforms.
//
// A transform's largest error is below
//
//     E = u (14 log2 N + 12) ||a||_2 ||v||_2,   u = 2^-53,
//
// (docs/accuracy.md; N complex points in all). Where E < 0.45 for this very data, every
// output rounds to the right integer. Where it is not, a and v are cut into
// balanced digits,
//
//     a = sum_i a_i 2^(w_a i),   |a_i| <= 2^(w_a - 1),   v likewise,
//
// so short that each product a_i * v_j is proven, and the rounded products are
// added with their shifts modulo 2^bits, as numpy wraps; those shifted beyond
// the dtype's bits are not computed at all. Cost: one f64 convolution a product:
// 1 for small numbers, 2 for int16 of full range, 6 for int32, 20 for int64.
#include <math.h>

#include "engine.h"
#include "runtime.h"

namespace fastconv {
namespace {

constexpr double kProven = 0.45;

int bits_of(fc_dtype dtype) { return dtype == FC_BOOL ? 1 : int(8 * kItemSize[dtype]); }

// Bits of a signed number of at most this magnitude.
int signed_bits(double max) { return max > 0 ? ilogb(max) + 2 : 1; }

int digit_width(int bits, int digits) { return (bits + digits - 1) / digits; }

// The l2 norm that a transform can meet: of the numbers themselves, or of
// digits that are at their largest everywhere.
double digit_norm(double norm, double max, int width, int digits, double count) {
  const double top = digits == 1 ? max : ldexp(1.0, width - 1);
  const double largest = top * sqrt(count);
  return digits == 1 && norm < largest ? norm : largest;
}

int products_of(int bits, int width_a, int digits_a, int width_v, int digits_v) {
  int products = 0;
  for (int i = 0; i < digits_a; ++i) {
    for (int j = 0; j < digits_v; ++j) products += i * width_a + j * width_v < bits;
  }
  return products;
}

// A bool is added up as the byte it is; what it counts is turned into 0 or 1.
const IntegerKernels& kernels_of(fc_dtype dtype, const KernelTable& table) {
  return table.integers[dtype == FC_BOOL ? 0 : dtype - FC_I8];
}

void put_row(fc_dtype dtype, const KernelTable& table, const double* x, Index count, int shift,
             bool add, char* row) {
  if (dtype != FC_BOOL) return kernels_of(dtype, table).put_rounded(x, count, shift, add, row);
  for (Index i = 0; i < count; ++i) row[i] = char((add && row[i]) || x[i] > 0.5);
}

Magnitudes measure_all(fc_dtype dtype, const char* data, Index rows, Index cols, Index stride,
                       const KernelTable& table) {
  Magnitudes m;
  for (Index r = 0; r < rows; ++r) measure(dtype, data + r * stride, cols, table, m);
  return m;
}

fc_facts facts_of(const Problem& p, const KernelTable& table) {
  fc_facts facts = {};
  const Magnitudes a = measure_all(p.a_dtype, p.a, p.rows, p.cols, p.a_row, table);
  const Magnitudes v = measure_all(p.a_dtype, p.v, p.kh, p.kw, p.v_row, table);
  facts.known = 1;
  facts.a_max = a.max, facts.a_norm = a.norm();
  facts.v_max = v.max, facts.v_norm = v.norm();
  return facts;
}

}  // namespace

Digits digits_for(fc_dtype dtype, const fc_facts& facts, Index n, Index m, double points,
                  bool overlap) {
  Digits best = {1, 1, 1};
  if (!facts.known) return best;
  best.products = 0;
  const double unit = ldexp(14 * log2(points) + 12, -53);
  // A block and its partner are all of a that one overlap-save transform sees.
  const double seen = overlap ? fmin(double(n), 2 * points) : double(n);
  const int bits = bits_of(dtype);
  const int a_bits = signed_bits(facts.a_max), v_bits = signed_bits(facts.v_max);
  for (int da = 1; da <= 8; ++da) {
    const int wa = digit_width(a_bits, da);
    const double a_norm = digit_norm(facts.a_norm, facts.a_max, wa, da, seen);
    for (int dv = 1; dv <= 8; ++dv) {
      const int wv = digit_width(v_bits, dv);
      const double v_norm = digit_norm(facts.v_norm, facts.v_max, wv, dv, double(m));
      if (unit * a_norm * v_norm >= kProven) continue;
      // A bool output is not a sum modulo 2^bits: its two operands are single digits.
      const int products = products_of(dtype == FC_BOOL ? 64 : bits, wa, da, wv, dv);
      if (!best.products || products < best.products) best = {da, dv, products};
    }
  }
  return best;
}

void exact(const Problem& p, const fc_candidate& how, const fc_facts& known, Context& context) {
  Scratch scratch;
  const fc_dtype dtype = p.a_dtype;
  const KernelTable& table = context.kernels;
  const fc_facts facts = known.known ? known : facts_of(p, table);
  const double points = double(how.block[0]) * double(how.block[1]);
  const Index lines = p.kh == 1 ? p.rows : p.kw == 1 ? p.cols : 1;
  const Index seen = p.rows * p.cols / lines * (lines > 1 ? 2 : 1);  // two may ride together
  const Digits digits =
      digits_for(dtype, facts, seen, p.kh * p.kw, points, how.method == FC_OVERLAP);
  if (!digits.products) return direct(p, context);

  const Index height = p.row_hi - p.row_lo, width = p.col_hi - p.col_lo;
  double* a = scratch.take<double>(p.rows * p.cols);
  double* v = scratch.take<double>(p.kh * p.kw);
  double* out = scratch.take<double>(height * width);
  Problem q = p;
  q.a_dtype = q.v_dtype = FC_F64;
  q.a = reinterpret_cast<char*>(a), q.a_row = p.cols * 8;
  q.v = reinterpret_cast<char*>(v), q.v_row = p.kw * 8;
  q.out = reinterpret_cast<char*>(out), q.out_row = width * 8;
  q.accumulate = false;

  const auto digit = kernels_of(dtype, table).digit;
  const int bits = dtype == FC_BOOL ? 64 : bits_of(dtype);
  const int wa = digit_width(signed_bits(facts.a_max), digits.a);
  const int wv = digit_width(signed_bits(facts.v_max), digits.v);
  bool add = p.accumulate;
  for (int i = 0; i < digits.a; ++i) {
    for (Index r = 0; r < p.rows; ++r) {
      digit(p.a + r * p.a_row, p.cols, i, wa, i + 1 == digits.a, a + r * p.cols);
    }
    for (int j = 0; j < digits.v && i * wa + j * wv < bits; ++j) {
      for (Index r = 0; r < p.kh; ++r) {
        digit(p.v + r * p.v_row, p.kw, j, wv, j + 1 == digits.v, v + r * p.kw);
      }
      spectral(q, how, context);
      for (Index r = 0; r < height; ++r) {
        put_row(dtype, table, out + r * width, width, i * wa + j * wv, add, p.out + r * p.out_row);
      }
      add = true;
    }
  }
}

}  // namespace fastconv
