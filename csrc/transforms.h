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

namespace fastconv {

inline Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

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

// to = count items of x from `start` on, zeros where x has none.
template <class T>
void copy_padded(T* to, const T* x, Index n, Index start, Index count, Index item) {
  const Index head = std::min(count, std::max<Index>(0, -start));
  const Index body = std::max<Index>(0, std::min(count, n - start) - head);
  memset(to, 0, size_t(head * item) * sizeof(T));
  if (body) memcpy(to + head * item, x + (start + head) * item, size_t(body * item) * sizeof(T));
  memset(to + (head + body) * item, 0, size_t((count - head - body) * item) * sizeof(T));
}

template <class T>
void copy_out(T* to, const T* from, Index reals, bool accumulate) {
  if (!accumulate) {
    memcpy(to, from, size_t(reals) * sizeof(T));
  } else {
    for (Index i = 0; i < reals; ++i) to[i] += from[i];
  }
}

// Overlap-save group by group: what the lanes hold, and where it goes, is Groups', of which
// each thread has its own.
// Cost a group: one gather, forward, product, inverse of `length` vectors, one scatter;
// of a bank, forward once and the rest for every kernel.
template <class Groups, class T>
void overlap_groups(const Call<T>& call, Index length, Index m) {
  Scratch scratch;
  const Index W = call.kernels.lanes, bank = call.p.kernels;
  const Shared<LaneTable> table = lane_table<T>(length);
  T* z = scratch.take<T>(2 * W * length);
  const T** spectrum = scratch.take<const T*>(bank);
  const double scale = call.v_scale / double(length);
  const Known how = {
      Fact::kSpectrum, call.p.v_dtype, 1, m, &call.kernels, {1, length}, 1, 0, 1, scale};
  for (Index k = 0; k < bank; ++k) {
    const Problem kernel = kernel_of(call.p, k);
    spectrum[k] = known_of<T>(kernel, how, 2 * length, scratch, [&](T* h) {
      call.kernels.spectrum(kernel.v, m, call.v_item == 2, scale, table->plan, z, h);
    });
  }
  const double macs = 0.5 * double(bank + 1) * double(W) * transform_macs(length);
  const Index count = Groups(call, length, scratch).groups();
  call.context.share(count, macs, [&](Context& own, Shares& shares) {
    Scratch buffers;
    Groups groups(call, length, buffers);
    T* x = buffers.take<T>(2 * W * length);
    T* product = bank > 1 ? buffers.take<T>(2 * W * length) : nullptr;
    for (Range r; shares.next(r);) {
      for (Index group = r.first; group < r.last; ++group) {
        groups.place(group);
        groups.gather(x);
        if (bank == 1) {
          call.kernels.transform(x, table->plan, kFilter, spectrum[0]);
          groups.scatter(x, 0);
        } else {
          call.kernels.transform(x, table->plan, kForward, nullptr);
          for (Index k = 0; k < bank; ++k) {
            call.kernels.filter(x, spectrum[k], length, product);
            call.kernels.transform(product, table->plan, kInverse, nullptr);
            groups.scatter(product, k);
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

// A kernel of one column: one or two columns a vector lane, nothing transposed.
template <class T>
void overlap_in_columns(const Call<T>& call, Index length);

// Overlap-save or one-shot with the lanes inside one transform.
template <class T>
void by_matrix(const Call<T>& call, const fc_candidate& how);

}  // namespace fastconv
