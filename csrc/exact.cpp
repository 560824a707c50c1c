// Integers and bool, exactly, through f64 transforms.
//
// A transform's largest error is below
//
//     E(a, v) = u (14 log2 N + 12) ||a||_2 ||v||_2,   u = 2^-53,
//
// (docs/accuracy.md; N complex points in all). Where E < 0.45 for this very data, every
// output rounds to the right integer. Where it is not, a and v are cut into
// balanced digits,
//
//     a = sum_i a_i 2^(w i),   |a_i| <= 2^(w - 1),   v likewise,
//
// and the products a_i * v_j of one weight are added up in the spectrum: digit k of the
// result, c_k = sum over i + j = k of a_i * v_j, is proven where
//
//     sum over i + j = k of E(a_i, v_j), with 3 u a further product for adding up,
//
// is below 0.45. The rounded c_k are added with their shifts w k modulo 2^bits, as numpy
// wraps; those shifted beyond the dtype's bits are not computed at all. Each digit of a, of v
// and of the result is one transform: 3 for small numbers, as for floats, 5 for int16 of full
// range, 6 or 9 for int32, 12 or 15 for int64 (n = m up to some 10^5).
//
// Integers being exact, the window may be cut anywhere: it is taken in pieces whose
// doubles stay in L2. One transform of all takes its digits in turn, each in the same place.
#include <math.h>
#include <stdint.h>

#include <algorithm>

#include "engine.h"
#include "runtime.h"
#include "spectra.h"
#include "views.h"

namespace fastconv {
namespace {

constexpr double kProven = 0.45;
constexpr double kDigitMacs = 25;  // to cut a digit from a sample, or to put it where it belongs

int bits_of(fc_dtype dtype) { return dtype == FC_BOOL ? 1 : int(8 * kItemSize[dtype]); }

// Digits of so many bits hold numbers of at most this magnitude: |x| <= 2^(bits - 1).
int signed_bits(double max) {
  int exponent;
  const double fraction = frexp(max, &exponent);
  return max > 0 ? exponent + (fraction > 0.5) : 1;
}

// Norms of the digits that one transform can meet.
struct Norms {
  double digit[kMostDigits];
};

// Of one digit, the number itself; of more, digits that are at their largest everywhere.
Norms largest_norms(double norm, double max, int digits, int width, double count) {
  Norms norms;
  const double top = digits == 1 ? max : double(uint64_t(1) << (width - 1));
  std::fill_n(norms.digit, digits, top * sqrt(count));
  if (digits == 1) norms.digit[0] = fmin(norms.digit[0], norm);
  return norms;
}

// The largest error of a digit of the result.
double error_of(const Digits& digits, const Norms& a, const Norms& v, double log2_points) {
  double most = 0;
  for (int k = 0; k < digits.results; ++k) {
    double norms = 0;
    int terms = 0;
    for (int j = std::max(0, k - digits.a + 1); j <= std::min(k, digits.v - 1); ++j, ++terms) {
      norms += a.digit[k - j] * v.digit[j];
    }
    most = fmax(most, 0x1p-53 * (14 * log2_points + 12 + 3 * (terms - 1)) * norms);
  }
  return most;
}

int digit_width(int bits, int digits) { return (bits + digits - 1) / digits; }

// An operand of one digit may be as wide as it is.
Digits digits_of(int bits, int a_bits, int v_bits, int a, int v) {
  const int width =
      std::max(a > 1 ? digit_width(a_bits, a) : 1, v > 1 ? digit_width(v_bits, v) : 1);
  Digits digits = {a, v, a + v - 1, 0, width};
  if (digits.results > 1) digits.results = std::min(digits.results, (bits + width - 1) / width);
  for (int i = 0; i < a; ++i) digits.products += std::max(0, std::min(v, digits.results - i));
  return digits;
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

// Rows of integers: where each of them begins, null for one of zeros.
template <class RowAt>
struct Integers {
  fc_dtype dtype;
  Index rows, cols, step;
  RowAt row_at;

  // Calls visit(run, count) for all of them, dense, `most` at a time.
  template <class Visit>
  void for_each_run(Index most, Visit visit) {
    for (Index r = 0; r < rows; ++r) {
      if (const char* row = row_at(r)) fastconv::for_each_run(row, step, cols, dtype, most, visit);
    }
  }
};

auto samples_of(const Problem& p) {
  auto row_at = [rows = rows_of_a(p)](Index r) mutable { return rows(r); };
  return Integers<decltype(row_at)>{p.a_dtype, p.rows, p.cols, a_step(p), row_at};
}

auto taps_of(const Problem& p, Index kernel) {
  const char* v = kernel_of(p, kernel).v;
  auto row_at = [v, row = p.v_row](Index r) { return v + r * row; };
  return Integers<decltype(row_at)>{p.v_dtype, p.kh, p.kw, kItemSize[p.v_dtype], row_at};
}

template <class X>
void measure_all(X x, Context& context, Magnitudes& m) {
  x.for_each_run(kRun, [&](const char* run, Index count) {
    measure(x.dtype, run, count, context.kernels, m);
    context.spend(double(count));
  });
}

fc_facts facts_of(const Problem& p, Context& context) {
  fc_facts facts = {};
  Magnitudes a;
  measure_all(samples_of(p), context, a);
  Magnitudes v;
  for (Index k = 0; k < p.kernels; ++k) measure_all(taps_of(p, k), context, v);
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
Piece piece_of(const Problem& p, const fc_candidate& how, Index lanes, Index doubles) {
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
  const Index outputs = kPieceBytes / 8 / doubles;
  const auto multiple = [](Index of, Index most, Index all) {
    return std::min(all, std::max<Index>(1, most / of) * of);
  };
  const Index cols = multiple(unit.cols, outputs / unit.rows, width);
  return {multiple(unit.rows, outputs / cols, height), cols};
}

// What digits of `width` bits come to.
template <class X>
Norms norms_of(X x, int digits, int width, Context& context) {
  const KernelTable& table = context.kernels;
  constexpr Index kSome = 1024;
  double some[kSome], squares[kMostDigits] = {};
  x.for_each_run(kSome, [&](const char* run, Index count) {
    for (int d = 0; d < digits; ++d) {
      kernels_of(x.dtype, table).digit(run, count, d, width, d + 1 == digits, some);
      const double norm = table.spectral[1].norm(some, count);
      squares[d] += norm * norm;
    }
    context.spend(kDigitMacs * double(count) * digits);
  });
  Norms norms = {};
  for (int d = 0; d < digits; ++d) norms.digit[d] = sqrt(squares[d]);
  return norms;
}

Norms least(const Norms& x, const Norms& y) {
  Norms norms;
  for (int d = 0; d < kMostDigits; ++d) norms.digit[d] = fmin(x.digit[d], y.digit[d]);
  return norms;
}

class InDigits {
 public:
  InDigits(const Problem& p, const fc_candidate& how, const Digits& digits, Context& context)
      : p_(p),
        how_(how),
        context_(context),
        digits_(digits),
        piece_(piece_of(p, how, context.kernels.spectral[1].lanes,
                        digits.a + digits.results * p.kernels)),
        across_(count(p.col_hi - p.col_lo, piece_.cols)),
        pieces_(across_ * count(p.row_hi - p.row_lo, piece_.rows)),
        in_turn_(pieces_ == 1 && how.method == FC_ONESHOT && (p.kh > 1 || piece_.rows == 1)),
        v_count_((in_turn_ ? 1 : digits.v) * p.kernels * taps()),
        v_(scratch_.take<double>(v_count_)),
        of_all_pieces_(SIZE_MAX, v_, size_t(v_count_) * sizeof(double)) {
    for (int j = 0; j < digits_.v && !in_turn_; ++j) {
      for (Index k = 0; k < p.kernels; ++k) {
        cut_kernel(k, j, v_ + (j * p.kernels + k) * taps(), context);
      }
    }
  }

  void run() {
    // A transform takes some 25 multiply-adds a sample (f64).
    const double macs = 25.0 * (digits_.a + digits_.results * double(p_.kernels)) *
                        double(piece_.rows) * double(piece_.cols);
    const Index down = pieces_ / across_;
    context_.share_many(pieces_, macs, [&](Context& own, Shares& shares) {
      for (Range range; shares.next(range);) {
        for (Index i = range.first; i < range.last; ++i) {
          // Channels lie between each other: what is near is taken together.
          const bool dense = is_dense(p_);
          const Index r = p_.row_lo + (dense ? i / across_ : i % down) * piece_.rows;
          const Index c = p_.col_lo + (dense ? i % across_ : i / down) * piece_.cols;
          convolve(r, std::min(p_.row_hi, r + piece_.rows), c, std::min(p_.col_hi, c + piece_.cols),
                   own);
        }
      }
    });
  }

 private:
  static Index count(Index all, Index some) { return (all + some - 1) / some; }

  Index taps() const { return p_.kh * p_.kw; }

  // `count` samples of a row of a, or taps of one of v.
  void cut(const char* x, Index step, Index count, int index, int digits, double* to,
           Context& context) const {
    const IntegerKernels& kernels = kernels_of(p_.a_dtype, context.kernels);
    for_each_run(x, step, count, p_.a_dtype, kRun, [&](const char* run, Index some) {
      kernels.digit(run, some, index, digits_.width, index + 1 == digits, to);
      to += some;
      context.spend(kDigitMacs * double(some));
    });
  }

  void cut_kernel(Index k, int j, double* to, Context& context) const {
    const char* v = kernel_of(p_, k).v;
    for (Index r = 0; r < p_.kh; ++r) {
      cut(v + r * p_.v_row, kItemSize[p_.v_dtype], p_.kw, j, digits_.v, to + r * p_.kw, context);
    }
  }

  // A row of a digit of a result, from column `first` on.
  void put_part(char* row, Index first, const double* from, Index count, int digit,
                Context& context) const {
    const Index step = out_step(p_), item = kItemSize[p_.a_dtype];
    const bool dense = out_is_dense(p_), add = p_.accumulate || digit > 0;
    Scratch scratch;
    char* copied = dense ? nullptr : scratch.take<char>(std::min(count, kRun) * item);
    for (Index at = 0; at < count; at += kRun) {
      const Index some = std::min(kRun, count - at);
      char* to = row + (first + at - p_.col_lo) * step;
      char* there = dense ? to : copied;
      if (!dense && add) copy_line(there, item, to, step, some, item);
      put_row(p_.a_dtype, context.kernels, from + at, some, digit * digits_.width, add, there);
      if (!dense) copy_line(to, step, there, item, some, item);
      context.spend(kDigitMacs * double(some));
    }
  }

  // Outputs [r0, r1) x [c0, c1).
  void convolve(Index r0, Index r1, Index c0, Index c1, Context& context) {
    Scratch scratch;
    const Index row0 = std::max<Index>(0, r0 - p_.kh + 1), rows = std::min(p_.rows, r1) - row0;
    const Index col0 = std::max<Index>(0, c0 - p_.kw + 1), cols = std::min(p_.cols, c1) - col0;
    const Index height = r1 - r0, width = c1 - c0;
    const Index a_size = rows * cols, out_size = height * width;
    double* a = scratch.take<double>((in_turn_ ? 1 : digits_.a) * a_size);
    double* out = scratch.take<double>((in_turn_ ? 1 : digits_.results) * p_.kernels * out_size);
    const auto cut_signal = [&](int i, double* to) {
      LyingRows row = rows_of_a(p_);
      for (Index r = 0; r < rows; ++r, to += cols) {
        if (const char* x = row(row0 + r)) {
          cut(x + col0 * a_step(p_), a_step(p_), cols, i, digits_.a, to, context);
        } else {
          std::fill_n(to, cols, 0.0);
        }
      }
    };
    const auto put = [&](Index k, int digit, const double* from) {
      const Problem to = kernel_of(p_, k);
      LyingRows rows = rows_of_out(to);
      for (Index r = r0; r < r1; ++r, from += width) {
        if (char* row = rows(r)) put_part(row, c0, from, width, digit, context);
      }
    };
    const auto turn = [&](Part part, Index k, int digit) {
      if (part == Part::kA) return cut_signal(digit, a);
      if (part == Part::kV) return cut_kernel(k, digit, v_ + k * taps(), context);
      put(k, digit, out + k * out_size);
    };
    const InTurn in_turn(turn);
    Problem q = p_;
    q.whole = true;
    q.a_dtype = q.v_dtype = FC_F64;
    q.rows = rows, q.cols = cols;
    q.row_lo = r0 - row0, q.row_hi = r1 - row0, q.col_lo = c0 - col0, q.col_hi = c1 - col0;
    q.a = reinterpret_cast<char*>(a), q.a_row = cols * 8;
    q.v = reinterpret_cast<char*>(v_), q.v_row = p_.kw * 8, q.v_next = taps() * 8;
    q.out = reinterpret_cast<char*>(out), q.out_row = width * 8, q.out_next = out_size * 8;
    q.in_turn = in_turn_ ? &in_turn : nullptr;
    q.a_digits = {digits_.a, in_turn_ ? 0 : a_size * 8};
    q.v_digits = {digits_.v, in_turn_ ? 0 : p_.kernels * q.v_next};
    q.out_digits = {digits_.results, in_turn_ ? 0 : p_.kernels * q.out_next};
    q.a_step = q.out_step = kDense;
    q.leading = nullptr;
    q.accumulate = false;
    if (!q.spectra && pieces_ > 1) q.spectra = &of_all_pieces_;
    for (int i = 0; i < digits_.a && !in_turn_; ++i) cut_signal(i, a + i * a_size);
    spectral(q, how_, context);
    for (int digit = 0; digit < digits_.results && !in_turn_; ++digit) {
      for (Index k = 0; k < p_.kernels; ++k) {
        put(k, digit, out + (digit * p_.kernels + k) * out_size);
      }
    }
  }

  Scratch scratch_;
  const Problem p_;
  const fc_candidate& how_;
  Context& context_;
  const Digits digits_;
  const Piece piece_;
  const Index across_, pieces_;
  const bool in_turn_;  // one transform of all: its digits need not all be there at once
  const Index v_count_;
  double* const v_;  // by digit, then by kernel
  fc_spectra of_all_pieces_;
};

// What proves a choice of digits: the job's magnitudes or, where they do not, its digits.
class Proof {
 public:
  Proof(const fc_facts& facts, double seen, Index m, double points)
      : facts_(facts), seen_(seen), m_(double(m)), log2_points_(log2(points)) {}

  double error(const Digits& d) const {
    return error_of(d, largest_a(d), largest_v(d), log2_points_);
  }

  // The same with the norms that the digits of this problem have.
  double error(const Digits& d, const Problem& p, Context& context) const {
    Norms v = {};
    for (Index k = 0; k < p.kernels; ++k) {
      const Norms own = norms_of(taps_of(p, k), d.v, d.width, context);
      for (int j = 0; j < d.v; ++j) v.digit[j] = fmax(v.digit[j], own.digit[j]);
    }
    const Norms a = norms_of(samples_of(p), d.a, d.width, context);
    return error_of(d, least(largest_a(d), a), least(largest_v(d), v), log2_points_);
  }

 private:
  Norms largest_a(const Digits& d) const {
    return largest_norms(facts_.a_norm, facts_.a_max, d.a, d.width, seen_);
  }
  Norms largest_v(const Digits& d) const {
    return largest_norms(facts_.v_norm, facts_.v_max, d.v, d.width, m_);
  }

  const fc_facts& facts_;
  const double seen_, m_, log2_points_;
};

// Fewest transforms, of those that proven(Digits) accepts. The kernel's are few where one
// meets many blocks; a product more takes a sixteenth of a transform.
template <class Proven>
Digits fewest(fc_dtype dtype, const fc_facts& facts, bool overlap, Proven proven) {
  // A bool output is not a sum modulo 2^bits: its two operands are single digits.
  const int bits = dtype == FC_BOOL ? 64 : bits_of(dtype),
            most = dtype == FC_BOOL ? 1 : kMostDigits;
  const int a_bits = signed_bits(facts.a_max), v_bits = signed_bits(facts.v_max);
  Digits best = {};
  double best_cost = 0;
  for (int a = 1; a <= most; ++a) {
    for (int v = 1; v <= most; ++v) {
      const double spectra = a + (overlap ? 0.125 : 1) * v;
      if (best.results && spectra + std::max(a, v) >= best_cost) break;
      const Digits d = digits_of(bits, a_bits, v_bits, a, v);
      if (d.results > kMostDigits || std::max(a, v) > d.results) continue;
      const double cost = spectra + d.results + 0.0625 * d.products;
      if ((best.results && cost >= best_cost) || !proven(d)) continue;
      best = d, best_cost = cost;
    }
  }
  return best;
}

}  // namespace

Digits digits_for(fc_dtype dtype, const fc_facts& facts, Index n, Index m, double points,
                  bool overlap) {
  if (!facts.known) return {1, 1, 1, 1, 1};
  // A block and its partner are all of a that one overlap-save transform sees.
  const Proof proof(facts, overlap ? fmin(double(n), 2 * points) : double(n), m, points);
  return fewest(dtype, facts, overlap, [&](const Digits& d) { return proof.error(d) < kProven; });
}

void exact(const Problem& p, const fc_candidate& how, const fc_facts& known, Context& context) {
  const fc_facts facts = known.known ? known : facts_of(p, context);
  const double points = double(how.block[0]) * double(how.block[1]);
  const Index lines = p.kh == 1 ? p.rows : p.kw == 1 ? p.cols : 1;
  const double n = double(p.rows * p.cols / lines * (lines > 1 ? 2 : 1));  // two may ride together
  const bool overlap = how.method == FC_OVERLAP;
  const Proof proof(facts, overlap ? fmin(n, 2 * points) : n, p.kh * p.kw, points);
  // Digits spread evenly have a third of the square of the largest: where that would do, they
  // are looked at.
  const Digits digits = fewest(p.a_dtype, facts, overlap, [&](const Digits& d) {
    const double error = proof.error(d);
    return error < kProven ||
           (d.results > 1 && error < 3.3 * kProven && proof.error(d, p, context) < kProven);
  });
  if (digits.results) return InDigits(p, how, digits, context).run();
  for (Index k = 0; k < p.kernels; ++k) direct(kernel_of(p, k), context);
}

}  // namespace fastconv
