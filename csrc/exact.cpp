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
// 1 for small numbers, 2 for int16 of full range, 6 for int32, 20 for int64. The digits
// of v are a bank of kernels, under which each digit of a is transformed once.
//
// Integers being exact, the window may be cut anywhere: it is taken in pieces whose
// doubles stay in L2.
#include <math.h>
#include <stdint.h>

#include <algorithm>

#include "engine.h"
#include "runtime.h"
#include "spectra.h"

namespace fastconv {
namespace {

constexpr double kProven = 0.45;
constexpr int kMostDigits = 8;

int bits_of(fc_dtype dtype) { return dtype == FC_BOOL ? 1 : int(8 * kItemSize[dtype]); }

// Bits of a signed number of at most this magnitude.
int signed_bits(double max) { return max > 0 ? ilogb(max) + 2 : 1; }

int digit_width(int bits, int digits) { return (bits + digits - 1) / digits; }

// So many numbers of one operand, in so many digits: the bits of each, and the l2 norm that a
// transform can meet: of the numbers themselves, or of digits that are at their largest everywhere.
class Digital {
 public:
  Digital(double max, double norm, double count)
      : bits_(signed_bits(max)), root_(sqrt(count)), one_(fmin(norm, max * root_)) {}

  int width(int digits) const { return digit_width(bits_, digits); }
  double norm(int digits) const {
    return digits == 1 ? one_ : double(Index(1) << (width(digits) - 1)) * root_;
  }

 private:
  const int bits_;
  const double root_, one_;
};

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

void measure_all(fc_dtype dtype, const char* data, Index rows, Index cols, Index stride,
                 const KernelTable& table, Magnitudes& m) {
  for (Index r = 0; r < rows; ++r) measure(dtype, data + r * stride, cols, table, m);
}

fc_facts facts_of(const Problem& p, const KernelTable& table) {
  fc_facts facts = {};
  Magnitudes a;
  measure_all(p.a_dtype, p.a, p.rows, p.cols, p.a_row, table, a);
  Magnitudes v;
  for (Index k = 0; k < p.kernels; ++k) {
    measure_all(p.v_dtype, kernel_of(p, k).v, p.kh, p.kw, p.v_row, table, v);
  }
  facts.known = 1;
  facts.a_max = a.max, facts.a_norm = a.norm();
  facts.v_max = v.max, facts.v_norm = v.norm();
  return facts;
}

// A part of the window, as large as its doubles may be.
struct Piece {
  Index rows, cols;
};

// Whole groups of blocks, or pairs of tiles: a cut then costs no transform.
Piece piece_of(const Problem& p, const fc_candidate& how, Index lanes, Index spectra) {
  const Index height = p.row_hi - p.row_lo, width = p.col_hi - p.col_lo, slots = 2 * lanes;
  Piece unit = {1, width};
  if (how.method == FC_ONESHOT) {
    if (p.kh > 1 || how.block[0] > 1) return {height, width};
  } else if (!how.lanes) {
    unit = {how.block[0] - p.kh + 1, 2 * (how.block[1] - p.kw + 1)};
  } else if (p.kh > 1) {
    unit = {how.block[1] - p.kh + 1, slots};
  } else {
    const Index group = slots * (how.block[1] - p.kw + 1);
    unit = width > group ? Piece{1, group} : Piece{slots, width};
  }
  constexpr Index kPieceBytes = Index(1) << 19;
  const Index outputs = kPieceBytes / 8 / (1 + spectra);
  const auto multiple = [](Index of, Index most, Index all) {
    return std::min(all, std::max<Index>(1, most / of) * of);
  };
  const Index cols = multiple(unit.cols, outputs / unit.rows, width);
  return {multiple(unit.rows, outputs / cols, height), cols};
}

class InDigits {
 public:
  InDigits(const Problem& p, const fc_candidate& how, const fc_facts& facts, const Digits& digits,
           Context& context)
      : p_(p),
        how_(how),
        context_(context),
        digits_(digits),
        a_width_(digit_width(signed_bits(facts.a_max), digits.a)),
        v_width_(digit_width(signed_bits(facts.v_max), digits.v)),
        bits_(p.a_dtype == FC_BOOL ? 64 : bits_of(p.a_dtype)),
        digit_(kernels_of(p.a_dtype, context.kernels).digit),
        v_count_(digits.v * p.kernels * p.kh * p.kw),
        v_(scratch_.take<double>(v_count_)),
        of_all_pieces_(SIZE_MAX, v_, size_t(v_count_) * sizeof(double)) {
    double* to = v_;
    for (int j = 0; j < digits_.v; ++j) {
      for (Index k = 0; k < p.kernels; ++k, to += p.kh * p.kw) {
        const char* v = kernel_of(p, k).v;
        split(v, p.v_row, p.kh, p.kw, j, v_width_, digits_.v, to);
      }
    }
  }

  void run() {
    const Index lanes = context_.kernels.spectral[1].lanes;
    const Piece piece = piece_of(p_, how_, lanes, digits_.v * p_.kernels);
    const auto count = [](Index all, Index some) { return (all + some - 1) / some; };
    const Index across = count(p_.col_hi - p_.col_lo, piece.cols);
    const Index pieces = across * count(p_.row_hi - p_.row_lo, piece.rows);
    // A transform takes some 50 multiply-adds a sample (f64, forward and back).
    const double macs = 50.0 * double(digits_.products) * double(p_.kernels) * double(piece.rows) *
                        double(piece.cols);
    context_.share_many(pieces, macs, [&](Context& own, Shares& shares) {
      for (Range range; shares.next(range);) {
        for (Index i = range.first; i < range.last; ++i) {
          const Index r = p_.row_lo + i / across * piece.rows;
          const Index c = p_.col_lo + i % across * piece.cols;
          convolve(r, std::min(p_.row_hi, r + piece.rows), c, std::min(p_.col_hi, c + piece.cols),
                   own);
        }
      }
    });
  }

 private:
  void split(const char* x, Index x_row, Index rows, Index cols, int index, int width, int digits,
             double* to) const {
    for (Index r = 0; r < rows; ++r) {
      digit_(x + r * x_row, cols, index, width, index + 1 == digits, to + r * cols);
    }
  }

  // Outputs [r0, r1) x [c0, c1).
  void convolve(Index r0, Index r1, Index c0, Index c1, Context& context) {
    Scratch scratch;
    const Index row0 = std::max<Index>(0, r0 - p_.kh + 1), rows = std::min(p_.rows, r1) - row0;
    const Index col0 = std::max<Index>(0, c0 - p_.kw + 1), cols = std::min(p_.cols, c1) - col0;
    const Index height = r1 - r0, width = c1 - c0, item = kItemSize[p_.a_dtype];
    double* a = scratch.take<double>(rows * cols);
    double* out = scratch.take<double>(digits_.v * p_.kernels * height * width);
    Problem q = p_;
    q.a_dtype = q.v_dtype = FC_F64;
    q.rows = rows, q.cols = cols;
    q.row_lo = r0 - row0, q.row_hi = r1 - row0, q.col_lo = c0 - col0, q.col_hi = c1 - col0;
    q.a = reinterpret_cast<char*>(a), q.a_row = cols * 8;
    q.v = reinterpret_cast<char*>(v_), q.v_row = p_.kw * 8, q.v_next = p_.kh * q.v_row;
    q.out = reinterpret_cast<char*>(out), q.out_row = width * 8, q.out_next = height * q.out_row;
    q.accumulate = false;
    if (!q.spectra) q.spectra = &of_all_pieces_;
    bool add = p_.accumulate;
    for (int i = 0; i < digits_.a; ++i, add = true) {
      split(p_.a + row0 * p_.a_row + col0 * item, p_.a_row, rows, cols, i, a_width_, digits_.a, a);
      const int partners = std::min(digits_.v, (bits_ - i * a_width_ + v_width_ - 1) / v_width_);
      if (partners <= 0) return;
      q.kernels = partners * p_.kernels;
      spectral(q, how_, context);
      put(out, i, partners, r0, c0, height, width, add);
    }
  }

  void put(const double* out, int i, int partners, Index r0, Index c0, Index height, Index width,
           bool add) const {
    const Index item = kItemSize[p_.a_dtype];
    for (int j = 0; j < partners; ++j) {
      for (Index k = 0; k < p_.kernels; ++k) {
        char* to = kernel_of(p_, k).out + (r0 - p_.row_lo) * p_.out_row + (c0 - p_.col_lo) * item;
        for (Index r = 0; r < height; ++r, out += width) {
          put_row(p_.a_dtype, context_.kernels, out, width, i * a_width_ + j * v_width_,
                  add || j > 0, to + r * p_.out_row);
        }
      }
    }
  }

  Scratch scratch_;
  const Problem p_;
  const fc_candidate& how_;
  Context& context_;
  const Digits digits_;
  const int a_width_, v_width_, bits_;
  void (*const digit_)(const void*, Index, int, int, bool, double*);
  const Index v_count_;
  double* const v_;  // by digit, then by kernel
  fc_spectra of_all_pieces_;
};

}  // namespace

Digits digits_for(fc_dtype dtype, const fc_facts& facts, Index n, Index m, double points,
                  bool overlap) {
  Digits best = {1, 1, 1};
  if (!facts.known) return best;
  best.products = 0;
  const double unit = (14 * log2(points) + 12) * 0x1p-53;
  // A block and its partner are all of a that one overlap-save transform sees.
  const double seen = overlap ? fmin(double(n), 2 * points) : double(n);
  const Digital a(facts.a_max, facts.a_norm, seen), v(facts.v_max, facts.v_norm, double(m));
  const auto proven = [&](int da, int dv) { return unit * a.norm(da) * v.norm(dv) < kProven; };
  if (proven(1, 1)) return {1, 1, 1};
  for (int da = 1; da <= kMostDigits; ++da) {
    // With more digits of v than the fewest that do there are never fewer products.
    int dv = 1;
    while (dv <= kMostDigits && !proven(da, dv)) ++dv;
    if (dv > kMostDigits) continue;
    // A bool output is not a sum modulo 2^bits: its two operands are single digits.
    const int products =
        products_of(dtype == FC_BOOL ? 64 : bits_of(dtype), a.width(da), da, v.width(dv), dv);
    if (!best.products || products < best.products) best = {da, dv, products};
  }
  return best;
}

void exact(const Problem& p, const fc_candidate& how, const fc_facts& known, Context& context) {
  const KernelTable& table = context.kernels;
  const fc_facts facts = known.known ? known : facts_of(p, table);
  const double points = double(how.block[0]) * double(how.block[1]);
  const Index lines = p.kh == 1 ? p.rows : p.kw == 1 ? p.cols : 1;
  const Index seen = p.rows * p.cols / lines * (lines > 1 ? 2 : 1);  // two may ride together
  const Digits digits =
      digits_for(p.a_dtype, facts, seen, p.kh * p.kw, points, how.method == FC_OVERLAP);
  if (digits.products) return InDigits(p, how, facts, digits, context).run();
  for (Index k = 0; k < p.kernels; ++k) direct(kernel_of(p, k), context);
}

}  // namespace fastconv
