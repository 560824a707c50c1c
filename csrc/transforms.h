// What the two ways of convolving by transforms share: the call with its types
// resolved, and the care taken of what is packed together.
#pragma once
#include <math.h>
#include <string.h>

#include <algorithm>

#include "engine.h"
#include "runtime.h"
#include "spectra.h"
#include "twiddles.h"
#include "views.h"

namespace fastconv {

// Multiply-adds that a forward and an inverse transform take as long as.
inline double transform_macs(Index length) {
  return 5.0 * double(length) * log2(double(length) + 1);
}

// A call; T is the real type, items are one or two of it.
template <class T>
struct Call {
  Problem p;
  const SpectralKernels& kernels;
  Context& context;
  Index a_item, v_item, out_item;
  // Transforms are of v v_scale = v / 2^v_exponent: no spectrum leaves the range of
  // the type.
  int v_exponent = 0;
  double v_scale = 1;

  Call(const Problem& problem, Context& c)
      : p(problem),
        kernels(c.kernels.spectral[sizeof(T) == 8]),
        context(c),
        a_item(is_complex(p.a_dtype) ? 2 : 1),
        v_item(is_complex(p.v_dtype) ? 2 : 1),
        out_item(std::max(a_item, v_item)) {}

  bool complex() const { return out_item == 2; }

  // May halves have scales of their own? The bound of integers counts both.
  bool balances() const { return !complex() && !p.whole; }

  void turn(Part part, Index kernel, int digit) const {
    if (p.in_turn) (*p.in_turn)(part, kernel, digit);
  }

  // Is there one spectrum to multiply with, and one product?
  bool single() const { return p.kernels == 1 && p.a_digits.count == 1 && p.v_digits.count == 1; }

  // Spectra of a's digits, of results besides where those of a must not be overwritten, and
  // those that results go to.
  int spectra() const {
    const int a = p.a_digits.count, out = p.out_digits.count;
    return p.kernels > 1 ? a + out : std::max(a, out);
  }
  int first_result() const { return p.kernels > 1 ? p.a_digits.count : 0; }
};

// Two halves of one complex transform leave rounding errors of the louder in the
// quieter. Beyond kUnbalanced each is brought to norm about 1 by its own power of two:
// what then leaks is below the bound's own slack, and a second read of the few groups
// that need it costs less than a tenth of their transform. The halves are judged by their sums of
// squares, which the loads give for nothing; `norm` is asked for a half whose sum is too small or
// large to be right.
struct Balance {
  int re = 0, im = 0;
};
constexpr double kUnbalanced = 32;

template <class T>
bool trustworthy(double squares) {
  return sizeof(T) == 4 ? squares > 1e-30 && squares < 1e36 : squares > 1e-280 && squares < 1e300;
}

template <class T, class Norm>
Balance balance(double re_squares, double im_squares, Norm norm) {
  if (trustworthy<T>(re_squares) && trustworthy<T>(im_squares) &&
      re_squares <= kUnbalanced * kUnbalanced * im_squares &&
      im_squares <= kUnbalanced * kUnbalanced * re_squares) {
    return {};
  }
  const double re = trustworthy<T>(re_squares) ? sqrt(re_squares) : norm(0);
  const double im = trustworthy<T>(im_squares) ? sqrt(im_squares) : norm(1);
  if (re == 0 || im == 0 || (re <= kUnbalanced * im && im <= kUnbalanced * re)) return {};
  return {ilogb(re), ilogb(im)};
}

template <class T>
double power_of_two(int exponent) {
  return ldexp(1, std::min(exponent, sizeof(T) == 4 ? 127 : 1023));
}

// A factor for each slot of a group of lanes on the way in, and one on the way out:
// slot l of the first `lanes` is lane l's real half, slot l + lanes its imaginary one.
template <class T>
class LaneScales {
 public:
  LaneScales(const Call<T>& call, Index slots, Scratch& scratch)
      : call_(call), slots_(slots), scale_(scratch.take<T>(2 * slots)) {
    fill();
  }

  const T* in() const { return scale_; }
  const T* out() const { return scale_ + slots_; }

  void reset() {
    if (balanced_) fill();
  }

  // True where some lane's halves got scales of their own. `norm` of a slot is asked
  // for where its sum of squares says nothing.
  template <class Norm>
  bool balance_lanes(const T* squares, Norm norm) {
    const Index lanes = call_.kernels.lanes;
    for (Index l = 0; l < lanes; ++l) {
      const Balance b = balance<T>(squares[l], squares[l + lanes],
                                   [&](int half) { return norm(l + half * lanes); });
      if (b.re == 0 && b.im == 0) continue;
      scale_[l] = T(power_of_two<T>(-b.re));
      scale_[l + lanes] = T(power_of_two<T>(-b.im));
      scale_[l + 2 * lanes] = T(power_of_two<T>(call_.v_exponent + b.re));
      scale_[l + 3 * lanes] = T(power_of_two<T>(call_.v_exponent + b.im));
      balanced_ = true;
    }
    return balanced_;
  }

 private:
  void fill() {
    std::fill_n(scale_, slots_, T(1));
    std::fill_n(scale_ + slots_, slots_, T(power_of_two<T>(call_.v_exponent)));
    balanced_ = false;
  }

  const Call<T>& call_;
  const Index slots_;
  T* scale_;
  bool balanced_ = false;
};

// to = count items of a line from `start` on, zeros where it has none. Items are so many reals, and
// `step` bytes apart.
template <class T>
void copy_padded(T* to, const char* x, Index step, Index n, Index start, Index count, Index item) {
  const Index head = std::min(count, std::max<Index>(0, -start));
  const Index body = std::max<Index>(0, std::min(count, n - start) - head);
  const Index bytes = item * Index(sizeof(T));
  memset(to, 0, size_t(head * bytes));
  if (body) {
    copy_line(reinterpret_cast<char*>(to + head * item), bytes, x + (start + head) * step, step,
              body, bytes);
  }
  memset(to + (head + body) * item, 0, size_t((count - head - body) * bytes));
}

// Back to where they lie, `step` bytes apart.
template <class T>
void copy_out(char* to, Index step, const T* from, Index count, Index item, bool accumulate) {
  const Index bytes = item * Index(sizeof(T));
  if (!accumulate) {
    return copy_line(to, step, reinterpret_cast<const char*>(from), bytes, count, bytes);
  }
  for (Index i = 0; i < count; ++i, to += step, from += item) {
    for (Index part = 0; part < item; ++part) reinterpret_cast<T*>(to)[part] += from[part];
  }
}

using Products = decltype(SpectralKernels::products);

// Result k = sum over i + j = k of x_i h_j, `apart` reals from one x to the next and from one
// result to the next; result k may be x_k. A few points at a time, so that all sums find them
// in L1. h has `factor` reals a point, x has `point`.
template <class T>
void multiply_digits(const Problem& p, Products products, Index factor, Index point, Index length,
                     const T* x, const T* const* h, Index apart, T* results) {
  constexpr Index kPoints = 32;
  const void *of_x[kMostDigits], *of_h[kMostDigits];
  for (Index at = 0; at < length; at += kPoints) {
    for (int j = 0; j < p.v_digits.count; ++j) of_h[j] = h[j] + at * factor;
    for (int k = p.out_digits.count; k-- > 0;) {
      const int j = std::max(0, k - p.a_digits.count + 1);
      const int count = std::min(k + 1, p.v_digits.count) - j;
      for (int q = 0; q < count; ++q) of_x[q] = x + (k - j - q) * apart + at * point;
      products(of_x, of_h + j, count, std::min(kPoints, length - at),
               results + k * apart + at * point);
    }
  }
}

// The order in which so many pieces are taken of rows, numbered row by row: where rows do not lie
// dense, as channels between each other, those that are near in memory together. Some numbers may
// be past the last.
class Order {
 public:
  Order(const Problem& p, Index count)
      : rows_(is_dense(p) ? 1 : p.row_hi - p.row_lo), per_row_(ceil_div(count, rows_)) {}
  Index size() const { return rows_ * per_row_; }
  Index operator[](Index at) const { return at % rows_ * per_row_ + at / rows_; }

 private:
  const Index rows_, per_row_;
};

// Overlap-save group by group: what the lanes hold, and where it goes, is Groups', of which
// each thread has its own.
// Cost a group: one gather, forward, product, inverse of `length` vectors, one scatter;
// of a bank, forward once and the rest for every kernel; of digits, each once forward, and
// each of the result's once back.
template <class Groups, class T>
void overlap_groups(const Call<T>& call, Index length, Index m) {
  Scratch scratch;
  const Problem& p = call.p;
  const Index W = call.kernels.lanes, reals = 2 * W * length;
  const Shared<LaneTable> table = lane_table<T>(length);
  T* z = scratch.take<T>(reals);
  const int digits = p.v_digits.count;
  const T** spectrum = scratch.take<const T*>(p.kernels * digits);
  const double scale = call.v_scale / double(length);
  const Known how = {Fact::kSpectrum, p.v_dtype, 1, m, &call.kernels, {1, length}, 1, 0, 1, scale};
  for (Index k = 0; k < p.kernels * digits; ++k) {
    const Problem kernel = kernel_of(p, k / digits, int(k % digits));
    spectrum[k] = known_of<T>(kernel, how, 2 * length, scratch, [&](T* h) {
      call.kernels.spectrum(kernel.v, m, call.v_item == 2, scale, table->plan, z, h);
    });
  }
  const double transforms = double(p.a_digits.count) + double(p.kernels) * p.out_digits.count;
  const double macs = 0.5 * transforms * double(W) * transform_macs(length);
  const Index count = Groups(call, length, scratch).groups();
  call.context.share(count, macs, [&](Context& own, Shares& shares) {
    Scratch buffers;
    Groups groups(call, length, buffers);
    T* x = buffers.take<T>(reals * call.spectra());
    T* results = x + reals * call.first_result();
    for (Range r; shares.next(r);) {
      for (Index group = r.first; group < r.last; ++group) {
        if (!groups.place(group)) continue;
        if (call.single()) {
          groups.gather(x, 0);
          call.kernels.transform(x, table->plan, kFilter, spectrum[0]);
          groups.scatter(x, 0, 0);
          own.spend(macs);
          continue;
        }
        for (int i = 0; i < p.a_digits.count; ++i) {
          groups.gather(x + i * reals, i);
          call.kernels.transform(x + i * reals, table->plan, kForward, nullptr);
        }
        for (Index k = 0; k < p.kernels; ++k) {
          multiply_digits<T>(p, call.kernels.filter, 2, 2 * W, length, x, spectrum + k * digits,
                             reals, results);
          for (int i = 0; i < p.out_digits.count; ++i) {
            call.kernels.transform(results + i * reals, table->plan, kInverse, nullptr);
            groups.scatter(results + i * reals, k, i);
          }
        }
        own.spend(macs);
      }
    }
  });
}

// One or two blocks of the rows a vector lane.
template <class T>
void overlap_in_lanes(const Call<T>& call, Index length);

// The outputs of each of them, `slots` to a group.
Index step_in_lanes(const Problem&, Index length, Index slots);

// A kernel of one column: one or two columns a vector lane, nothing transposed.
template <class T>
void overlap_in_columns(const Call<T>& call, Index length);

// Overlap-save or one-shot with the lanes inside one transform.
template <class T>
void by_matrix(const Call<T>& call, const fc_candidate& how);

}  // namespace fastconv
