// Floats through a transform, keeping what direct summation would have kept.
//
// Small values: survey.cpp finds where they would be lost, and those outputs are
// computed again directly. NaN and Inf are taken out of a, and what they contribute is
// added at the end, product by product, so that just the outputs they touch are not
// finite. Where either costs more than it saves, everything goes direct.
#include <math.h>
#include <string.h>

#include <new>
#include <optional>

#include "engine.h"
#include "runtime.h"
#include "survey.h"

namespace fastconv {
namespace {

// Transforms square their operands' dynamic range; outside these magnitudes of a
// (v is normalised when its spectrum is made) direct summation is the safe way.
bool magnitudes_fit(fc_dtype dtype, double a, double v, double v_sum) {
  const bool single = is_single(dtype);
  const double top = single ? 0x1p60 : 0x1p480, low = single ? 0x1p-60 : 0x1p-480;
  const double smallest = single ? 0x1p-120 : 0x1p-1000, largest = single ? 0x1p126 : 0x1p1020;
  if (a == 0 || v == 0) return true;
  return a < top && a > low && v > smallest && v_sum < largest && a < largest / v_sum;
}

// A sample of a that is not finite.
struct Bad {
  Index row, col;
};

template <class T>
Index find_bad(const Problem& p, Bad* bad, Index room) {
  const Index parts = is_complex(p.a_dtype) ? 2 : 1;
  Index found = 0;
  for (Index r = 0; r < p.rows; ++r) {
    const T* row = reinterpret_cast<const T*>(p.a + r * p.a_row);
    for (Index c = 0; c < p.cols; ++c) {
      bool finite = true;
      for (Index part = 0; part < parts; ++part) finite &= bool(isfinite(row[c * parts + part]));
      if (finite) continue;
      if (found == room) return room + 1;
      bad[found++] = {r, c};
    }
  }
  return found;
}

// out += a_bad * v, in plain IEEE arithmetic, as direct summation would meet it.
template <class T>
void add_bad(const Problem& p, const Bad& bad) {
  const bool a_complex = is_complex(p.a_dtype), v_complex = is_complex(p.v_dtype);
  const Index a_parts = a_complex ? 2 : 1, v_parts = v_complex ? 2 : 1;
  const Index parts = a_complex || v_complex ? 2 : 1;
  const T* a = reinterpret_cast<const T*>(p.a + bad.row * p.a_row) + bad.col * a_parts;
  const Window touched = intersect({bad.row, bad.row + p.kh, bad.col, bad.col + p.kw}, p);
  for (Index r = touched.row_lo; r < touched.row_hi; ++r) {
    const T* v = reinterpret_cast<const T*>(p.v + (r - bad.row) * p.v_row);
    T* out = reinterpret_cast<T*>(p.out + (r - p.row_lo) * p.out_row);
    for (Index c = touched.col_lo; c < touched.col_hi; ++c) {
      const T* tap = v + (c - bad.col) * v_parts;
      T* y = out + (c - p.col_lo) * parts;
      if (a_complex && v_complex) {
        y[0] += a[0] * tap[0] - a[1] * tap[1];
        y[1] += a[0] * tap[1] + a[1] * tap[0];
      } else {
        for (Index part = 0; part < parts; ++part) {
          y[part] += a[a_complex ? part : 0] * tap[v_complex ? part : 0];
        }
      }
    }
  }
}

// A copy of a in which the samples that are not finite are zero.
const char* without(Scratch& scratch, const Problem& p, const Bad* bad, Index count) {
  const Index item = kItemSize[p.a_dtype], row = p.cols * item;
  char* copy = scratch.take<char>(p.rows * row);
  for (Index r = 0; r < p.rows; ++r) memcpy(copy + r * row, p.a + r * p.a_row, size_t(row));
  for (Index b = 0; b < count; ++b) {
    memset(copy + bad[b].row * row + bad[b].col * item, 0, size_t(item));
  }
  return copy;
}

// What is known of a problem before any transform is made.
class Guard {
 public:
  Guard(Scratch& scratch, const Problem& p, const fc_candidate& how, fc_accuracy accuracy,
        Context& context)
      : p_(p), finite_(p), how_(how) {
    const KernelTable& table = context.kernels;
    const Grain grain = grain_of(p);
    const Coarse v = coarse(scratch, table, p.v_dtype, p.v, p.kh, p.kw, p.v_row, grain);
    if (!v.finite) return;
    Coarse a = coarse(scratch, table, p.a_dtype, p.a, p.rows, p.cols, p.a_row, grain);
    if (!a.finite) {
      if (!take_out_bad(scratch)) return;
      a = coarse(scratch, table, p.a_dtype, finite_.a, p.rows, p.cols, finite_.a_row, grain);
    }
    if (!magnitudes_fit(p.a_dtype, a.peak, v.peak, v.total_sum)) return;
    transforms_ = true;
    if (accuracy == FC_NORMWISE) return;
    survey_.emplace(scratch, finite_, how, grain, a, v, context);
    transforms_ = 2 * survey_->macs() <= macs_of(p);
  }

  double repair_macs() const {
    return transforms_ && survey_ ? survey_->macs() : transforms_ ? 0 : macs_of(p_);
  }

  bool transforms_as_it_is() const { return transforms_ && bad_count_ == 0; }

  void repair(Context& context) const {
    if (survey_) survey_->repair(context);
  }

  void run(Context& context) const {
    if (!transforms_) return direct(p_, context);
    spectral(finite_, how_, context);
    repair(context);
    for (Index b = 0; b < bad_count_; ++b) {
      is_single(p_.a_dtype) ? add_bad<float>(p_, bad_[b]) : add_bad<double>(p_, bad_[b]);
    }
  }

 private:
  // False where patching, a multiply-add a tap for each sample, is no bargain.
  bool take_out_bad(Scratch& scratch) {
    const Index room = Index(macs_of(p_) / (4 * double(p_.kh) * double(p_.kw))) + 1;
    bad_ = scratch.take<Bad>(room);
    bad_count_ =
        is_single(p_.a_dtype) ? find_bad<float>(p_, bad_, room) : find_bad<double>(p_, bad_, room);
    if (bad_count_ == 0 || bad_count_ > room) return false;
    finite_.a = without(scratch, p_, bad_, bad_count_);
    finite_.a_row = p_.cols * kItemSize[p_.a_dtype];
    return true;
  }

  const Problem& p_;
  Problem finite_;  // with zeros for what is not finite
  const fc_candidate& how_;
  bool transforms_ = false;
  Bad* bad_ = nullptr;
  Index bad_count_ = 0;
  std::optional<Survey> survey_;
};

}  // namespace

// Kernels of a bank see the same transforms of a, unless one of them may not be
// transformed or a has to be mended.
void guarded(const Problem& p, const fc_candidate& how, fc_accuracy accuracy, Context& context) {
  Scratch scratch;
  Problem* problem = scratch.take<Problem>(p.kernels);
  Guard* guard = scratch.take<Guard>(p.kernels);
  bool together = true;
  for (Index k = 0; k < p.kernels; ++k) {
    problem[k] = kernel_of(p, k);
    new (guard + k) Guard(scratch, problem[k], how, accuracy, context);
    together &= guard[k].transforms_as_it_is();
  }
  if (together) spectral(p, how, context);
  for (Index k = 0; k < p.kernels; ++k) {
    together ? guard[k].repair(context) : guard[k].run(context);
  }
}

double repair_macs(const Problem& p, const fc_candidate& how, fc_accuracy accuracy,
                   Context& context) {
  double macs = 0;
  for (Index k = 0; k < p.kernels; ++k) {
    Scratch scratch;
    macs += Guard(scratch, kernel_of(p, k), how, accuracy, context).repair_macs();
  }
  return macs;
}

}  // namespace fastconv
