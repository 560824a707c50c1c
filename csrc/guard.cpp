// Floats through a transform, keeping what direct summation would have kept.
//
// Small values: survey.cpp finds where they would be lost, and those outputs are
// computed again: directly, by parts, or in double precision. NaN and Inf are taken out of a, and
// what they contribute is added at the end, product by product, so that just the outputs they touch
// are not finite. Where either costs more than it saves, everything goes direct.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

#include "bands.h"
#include "engine.h"
#include "runtime.h"
#include "survey.h"
#include "views.h"

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

struct Window {
  Index row_lo, row_hi, col_lo, col_hi;
};

template <class T>
Index find_bad(const Problem& p, Bad* bad, Index room) {
  const Index parts = is_complex(p.a_dtype) ? 2 : 1, step = a_step(p);
  Index found = 0;
  LyingRows rows = rows_of_a(p);
  for (Index r = 0; r < p.rows; ++r) {
    const char* row = rows(r);
    for (Index c = 0; row && c < p.cols; ++c, row += step) {
      const T* x = reinterpret_cast<const T*>(row);
      bool finite = true;
      for (Index part = 0; part < parts; ++part) finite &= bool(isfinite(x[part]));
      if (finite) continue;
      if (found == room) return room + 1;
      bad[found++] = {r, c};
    }
  }
  return found;
}

// Is a row of v one of its own, or one of the zeros between flattened axes?
bool is_row_of_taps(const Problem& p, Index row) {
  for (int d = 0; p.leading && d < p.leading->count; ++d) {
    if (row / p.leading->pitch[d] >= p.leading->axis[d].m) return false;
    row %= p.leading->pitch[d];
  }
  return true;
}

Window intersect(Window a, const Problem& p) {
  return {std::max(a.row_lo, p.row_lo), std::min(a.row_hi, p.row_hi), std::max(a.col_lo, p.col_lo),
          std::min(a.col_hi, p.col_hi)};
}

// out += a_bad * v, in plain IEEE arithmetic, as direct summation would meet it.
template <class T>
void add_bad(const Problem& p, const Bad& bad) {
  const bool a_complex = is_complex(p.a_dtype), v_complex = is_complex(p.v_dtype);
  const Index v_parts = v_complex ? 2 : 1;
  const Index parts = a_complex || v_complex ? 2 : 1;
  const T* a = reinterpret_cast<const T*>(rows_of_a(p)(bad.row) + bad.col * a_step(p));
  LyingRows rows = rows_of_out(p);
  const Window touched = intersect({bad.row, bad.row + p.kh, bad.col, bad.col + p.kw}, p);
  for (Index r = touched.row_lo; r < touched.row_hi; ++r) {
    char* out = rows(r);
    if (!out || !is_row_of_taps(p, r - bad.row)) continue;
    const T* v = reinterpret_cast<const T*>(p.v + (r - bad.row) * p.v_row);
    for (Index c = touched.col_lo; c < touched.col_hi; ++c) {
      const T* tap = v + (c - bad.col) * v_parts;
      T* y = reinterpret_cast<T*>(out + (c - p.col_lo) * out_step(p));
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

// The problem with a copy of a in which the samples that are not finite are zero.
Problem without(Scratch& scratch, const Problem& p, const Bad* bad, Index count) {
  const Index item = kItemSize[p.a_dtype], row = p.cols * item;
  char* copies = scratch.take<char>(p.rows * row);
  LyingRows rows = rows_of_a(p);
  for (Index r = 0; r < p.rows; ++r) {
    const char* from = rows(r);
    if (from) copy_line(copies + r * row, item, from, a_step(p), p.cols, item);
  }
  for (Index b = 0; b < count; ++b) {
    memset(copies + bad[b].row * row + bad[b].col * item, 0, size_t(item));
  }
  Problem finite = p;
  put_a_in_rows(finite, copies, row, *scratch.take<Leading>(p.leading ? 1 : 0));
  return finite;
}

// A signal as transforms may see it: what is not finite taken out, and what it weighs.
// All kernels of a bank share it.
class Signal {
 public:
  Signal(Scratch& scratch, const Problem& p, Context& context)
      : a_(p.a), a_row_(p.a_row), a_step_(p.a_step), leading_(p.leading), grain_(grain_of(p)) {
    weigh(scratch, p, context);
    if (weight_.finite || !take_out_bad(scratch, p)) return;
    weigh(scratch, p, context);
  }

  const Coarse& weight() const { return weight_; }
  Grain grain() const { return grain_; }
  bool untouched() const { return bad_count_ == 0; }

  Problem finite(Problem p) const {
    p.square &= p.a == a_;
    p.a = a_, p.a_row = a_row_, p.a_step = a_step_, p.leading = leading_;
    return p;
  }

  void add_what_is_bad(const Problem& p) const {
    for (Index b = 0; b < bad_count_; ++b) {
      is_single(p.a_dtype) ? add_bad<float>(p, bad_[b]) : add_bad<double>(p, bad_[b]);
    }
  }

 private:
  void weigh(Scratch& scratch, const Problem& p, Context& context) {
    weight_ = coarse(scratch, context, signal_of(finite(p)), grain_, lines_apart(p));
  }

  // False where patching, a multiply-add a tap for each sample, is no bargain.
  bool take_out_bad(Scratch& scratch, const Problem& p) {
    double taps = double(p.kw) * (p.leading ? 1 : double(p.kh));
    for (int d = 0; p.leading && d < p.leading->count; ++d) taps *= double(p.leading->axis[d].m);
    const Index room = Index(macs_of(p) / (4 * taps)) + 1;
    bad_ = scratch.take<Bad>(room);
    const Index found =
        is_single(p.a_dtype) ? find_bad<float>(p, bad_, room) : find_bad<double>(p, bad_, room);
    if (found == 0 || found > room) return false;
    bad_count_ = found;
    const Problem finite = without(scratch, p, bad_, found);
    a_ = finite.a, a_row_ = finite.a_row, a_step_ = finite.a_step, leading_ = finite.leading;
    return true;
  }

  const char* a_;
  Index a_row_, a_step_;
  const Leading* leading_;
  const Grain grain_;
  Coarse weight_;
  Bad* bad_ = nullptr;
  Index bad_count_ = 0;
};

// What an output may be off by, in units of the sum of magnitudes behind it.
double tolerance_of(const Problem& p, fc_accuracy accuracy) {
  const bool single = is_single(p.a_dtype) || p.of_floats;
  const double own = double(p.kw * p.kh + 1) * (single ? 0x1p-24 : 0x1p-53);
  if (accuracy == FC_COMPONENTWISE) return std::min(own, 0.25);
  return std::min(std::max(own, single ? 0x1p-8 : 0x1p-30), 0.25);
}

// What a transform has lost, computed again: directly or, where that is long, by parts, in double
// or, of pictures, by transforms of the samples and taps that reach it. These are fewer and so err
// by less; what they lose is a part of the part.
void redo(const Problem& lost, const Problem& of, double tolerance, Context& context) {
  const auto seen = [](const Problem& p) {
    return double(p.rows) * double(p.cols) * double(p.kh) * double(p.kw);
  };
  constexpr double kLong = 1e7;  // of lines
  const double macs = macs_of(lost);
  if (macs < kWorthChoosing) return summed(lost, context);
  const bool some = 4 * seen(lost) < seen(of), picture = lost.kh > 1 && lost.kw > 1;
  if (picture && !is_dense(lost) && !lost.leading) {
    return of_copies(lost, [&](const Problem& p) { redo(p, of, tolerance, context); });
  }
  if (lost.leading) {
    Scratch scratch;
    const Volume volume = volume_of(scratch, lost);
    return some ? run_within(volume, context) : direct_volume(volume, context);
  }
  if (const Index side = picture ? 0 : parting_of(lost).side) {
    return partitioned(lost, side, tolerance, context);
  }
  if ((picture || macs > kLong) && pays_in_double(lost, macs)) return in_double(lost, context);
  if (some && picture) return alone(lost, context);
  direct(lost, context);
}

// Below this no other way takes less than what is lost: a transform more, of each output.
double least_for_all(const Problem& p) {
  constexpr double kOutput = 25;
  const double outputs = double(p.row_hi - p.row_lo) * double(p.col_hi - p.col_lo);
  return std::min(macs_of(p), kOutput * outputs);
}

// What is known of a problem before any transform is made.
class Guard {
 public:
  Guard(Scratch& scratch, const Problem& p, const Signal& signal, const fc_candidate& how,
        fc_accuracy accuracy, Context& context)
      : p_(p),
        finite_(signal.finite(p)),
        signal_(signal),
        how_(how),
        tolerance_(tolerance_of(p, accuracy)) {
    const Coarse& a = signal.weight();
    const Coarse& v = weight_of_taps(scratch, p, signal.grain(), context);
    if (!a.finite || !v.finite) return;
    const bool fit = magnitudes_fit(p.a_dtype, a.whole.top, v.whole.top, v.whole.sum);
    if (accuracy == FC_COMPONENTWISE) {
      way_ = fit ? kParted : kDirect;
      side_ = how.block[1] / 2;
      return;
    }
    if (!fit) {
      if (pays_in_double(p, macs_of(p))) way_ = kInDouble;
      return;
    }
    way_ = kTransformed;
    if (accuracy == FC_NORMWISE) return;
    survey_ = &(lines_apart(p) ? survey_of_lines : survey_of_volume)(scratch, finite_, how,
                                                                     signal.grain(), a, v, context);
    lost_ = survey_->macs(
        [](const Problem& q) { return lines_apart(q) ? parting_of(q).macs : macs_of(q); });
    if (2 * lost_ <= least_for_all(p)) return;
    const Parting all = parting_of(p);
    if (pays_in_double(p, lost_)) {
      way_ = kInDouble;
    } else if (2 * lost_ > all.macs) {
      way_ = all.side ? kParted : kDirect;
      side_ = all.side;
      lost_ = all.macs;
    }
  }

  Repair repair_of() const {
    if (way_ == kInDouble) return {0, true};
    return {way_ == kDirect ? macs_of(p_) : lost_, false};
  }

  bool transforms_as_it_is() const { return way_ == kTransformed && signal_.untouched(); }

  void repair(Context& context) const {
    if (way_ != kTransformed || !survey_) return;
    survey_->repair([&](const Problem& q) { redo(q, finite_, tolerance_, context); }, context);
  }

  void run(Context& context) const {
    switch (way_) {
      case kDirect: return summed(p_, context);
      case kParted: partitioned(finite_, side_, tolerance_, context); break;
      case kInDouble: in_double(finite_, context); break;
      case kTransformed:
        spectral(finite_, how_, context);
        repair(context);
        break;
    }
    signal_.add_what_is_bad(p_);
  }

 private:
  enum Way { kDirect, kTransformed, kParted, kInDouble };

  const Problem p_, finite_;
  const Signal& signal_;
  const fc_candidate& how_;
  const double tolerance_;
  Way way_ = kDirect;
  Index side_ = 0;   // of parts
  double lost_ = 0;  // multiply-adds of what is redone
  const Survey* survey_ = nullptr;
};

// Lines that are judged together, under every kernel of a bank.
class Group {
 public:
  Group(Scratch& scratch, const Problem& p, const fc_candidate& how, fc_accuracy accuracy,
        Context& context)
      : p_(p), signal_(scratch, p, context), how_(how), guards_(scratch.take<Guard>(p.kernels)) {
    for (Index k = 0; k < p.kernels; ++k) {
      new (guards_ + k) Guard(scratch, kernel_of(p, k), signal_, how, accuracy, context);
      together_ &= guards_[k].transforms_as_it_is();
    }
  }

  // May all kernels see the same transforms?
  bool together() const { return together_; }

  Repair repair_of() const {
    Repair repair;
    for (Index k = 0; k < p_.kernels; ++k) repair.add(guards_[k].repair_of());
    return repair;
  }

  void repair(Context& context) const {
    for (Index k = 0; k < p_.kernels; ++k) guards_[k].repair(context);
  }

  void run(Context& context) const {
    if (together_) {
      spectral(p_, how_, context);
      return repair(context);
    }
    for (Index k = 0; k < p_.kernels; ++k) guards_[k].run(context);
  }

 private:
  const Problem p_;
  const Signal signal_;
  const fc_candidate& how_;
  Guard* const guards_;
  bool together_ = true;
};

// The groups of lines of a problem.
class Groups {
 public:
  explicit Groups(const Problem& p)
      : p_(p),
        rows_(p.kh == 1),
        columns_(!rows_ && p.kw == 1),
        lines_(rows_      ? p.rows
               : columns_ ? p.cols
                          : 1),
        line_bytes_(kItemSize[result_dtype(p.a_dtype, p.v_dtype)] *
                    (rows_ ? p.cols + p.col_hi - p.col_lo : p.rows + p.row_hi - p.row_lo)) {}

  Index count() const { return line_groups(lines_, line_bytes_); }

  Problem operator[](Index group) const {
    const Range lines = line_group(lines_, line_bytes_, group);
    Problem q = p_;
    if (rows_) {
      q.a += lines.first * p_.a_row;
      q.out += p_.out ? lines.first * p_.out_row : 0;
      q.rows = q.row_hi = lines.last - lines.first;
    } else if (columns_) {
      q.a += lines.first * a_step(p_);
      q.out += p_.out ? lines.first * out_step(p_) : 0;
      q.cols = q.col_hi = lines.last - lines.first;
    }
    return q;
  }

 private:
  const Problem& p_;
  const bool rows_, columns_;
  const Index lines_, line_bytes_;
};

// What is decided for lines depends on those of their group alone, never on how many
// more the problem has: these are as many as their order in memory allows (arrange.cpp).
void judged(const Problem& p, const fc_candidate& how, fc_accuracy accuracy, Context& context) {
  const Groups groups(p);
  const Index count = groups.count();
  Scratch scratch;
  Group* group = scratch.take<Group>(count);
  const Index helpers = std::min<Index>(count, context.workers()) - 1;
  const std::unique_ptr<Kept[]> kept(helpers > 0 ? new Kept[size_t(helpers)] : nullptr);
  std::atomic<bool> together{true};
  // Scans alone: two multiply-adds' time a sample (coarse.cpp).
  const double macs = 2 * double(p.rows) * double(p.cols) / double(count);
  context.share_many(count, macs, [&](Context& own, Shares& shares) {
    // This thread may itself be a helper, who has none.
    const bool here = own.worker() == context.worker();
    Scratch& memory = here ? scratch : kept[size_t(own.worker() - 1)];
    for (Range r; shares.next(r);) {
      for (Index g = r.first; g < r.last; ++g) {
        new (group + g) Group(memory, groups[g], how, accuracy, own);
        if (!group[g].together()) together = false;
      }
    }
  });
  if (together) spectral(p, how, context);
  // Of lines that are not transformed together the most takes place here.
  const double rest = together ? macs : 50 * macs;
  context.share_many(count, rest, [&](Context& own, Shares& shares) {
    for (Range r; shares.next(r);) {
      for (Index g = r.first; g < r.last; ++g) {
        together ? group[g].repair(own) : group[g].run(own);
      }
    }
  });
}

Bands bands_of_group(const Problem& p, const fc_candidate& how, fc_accuracy accuracy,
                     const Context& context) {
  // Parts of a kernel meet many blocks, each of which is transformed once.
  if (accuracy == FC_COMPONENTWISE) return {0, 1, 1};
  return bands_of(p, how, context.kernels);
}

// Calls visit(part, context) for what is judged by itself: all lines, or of long ones each band of
// each group.
template <class Visit>
void for_each_part(const Problem& p, const fc_candidate& how, fc_accuracy accuracy,
                   Context& context, const Visit& visit) {
  const Groups groups(p);
  const Index count = groups.count();
  if (bands_of_group(groups[count - 1], how, accuracy, context).count == 1) {
    return visit(p, context);
  }
  for (Index g = 0; g < count; ++g) {
    const Problem group = groups[g];
    const Bands bands = bands_of_group(group, how, accuracy, context);
    const double outputs =
        double(group.row_hi - group.row_lo) * double(group.col_hi - group.col_lo);
    for_each_band(bands, 50 * outputs, group.spectra, context,
                  [&](Range band, fc_spectra* spectra, Context& own) {
                    Problem part = bands.count == 1 ? group : band_of(group, band);
                    part.spectra = spectra;
                    visit(part, own);
                  });
  }
}

}  // namespace

void guarded(const Problem& p, const fc_candidate& how, fc_accuracy accuracy, Context& context) {
  for_each_part(p, how, accuracy, context,
                [&](const Problem& part, Context& own) { judged(part, how, accuracy, own); });
}

void alone(Problem p, Context& context) {
  if (macs_of(p) < kWorthChoosing) return summed(p, context);
  const fc_candidate how = chosen_for(p);
  if (how.method == FC_DIRECT) return summed(p, context);
  p.spectra = nullptr;
  const bool swap =
      !p.leading && swaps({p.rows, p.kh, p.row_lo, p.row_hi}, {p.cols, p.kw, p.col_lo, p.col_hi});
  guarded(swap ? swapped(p) : p, how, FC_ACCURACY_AUTO, context);
}

Repair repair_of(const Problem& p, const fc_candidate& how, fc_accuracy accuracy,
                 Context& context) {
  Repair repair;
  for_each_part(p, how, accuracy, context, [&](const Problem& part, Context& own) {
    const Groups groups(part);
    for (Index g = 0; g < groups.count(); ++g) {
      Scratch scratch;
      repair.add(Group(scratch, groups[g], how, accuracy, own).repair_of());
    }
  });
  return repair;
}

}  // namespace fastconv
