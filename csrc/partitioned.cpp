// Lines of floats by uniform partitioned overlap-save, every output proven. Parts of the kernel
// meet blocks of the signal, so that a product's error is in proportion to the norms of these two
// alone: where both operands fade, as distributions do, a block of outputs is off by no more than
//
//     E = u (14 log2 N + 12 + 2 P) sum_p ||x_{j-p}|| ||h_p||.
//
// Behind an output stand magnitudes of the sum s, which is no less than the output itself. Where
// that does not show s >= E / tol, s is computed in the same way: it has an error below E too. What
// is not right then is taken again by shorter blocks, in which less of the fading is left, in the
// end directly. As every output is looked at this is no heuristic: componentwise accuracy in n log
// n, which Wilson and Keich have by other means (Statistics and Computing 26, 2016).
#include <math.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <new>

#include "partition.h"
#include "survey.h"
#include "views.h"

namespace fastconv {
namespace {

// Blocks of outputs that are computed together, spectra of which are in memory.
constexpr Index kSection = 16;
// Products of a section are taken so many bytes of all spectra at a time, to be read from cache.
constexpr Index kTileBytes = Index(1) << 18;
// What is taken again is so by parts of this share.
constexpr Index kShorter = 4;
// So many right outputs between wrong ones are taken again with them.
constexpr Index kGap = 64;

// Items so many bytes apart.
struct Row {
  const char* data;
  Index step;
};

// Items as they are, or lower bounds of |x|: of complex ones max(|re|, |im|).
enum Taken { kAsTheyAre, kMagnitudes };

void take(Taken taken, fc_dtype dtype, Row from, Index count, bool to_pairs, double* to) {
  if (taken == kAsTheyAre) return widen(dtype, from.data, from.step, count, to_pairs, to);
  constexpr Index kSome = 256;
  double pair[2 * kSome];
  for (Index i = 0, some; i < count; i += some) {
    some = std::min(kSome, count - i);
    widen(dtype, from.data + i * from.step, from.step, some, true, pair);
    for (Index k = 0; k < some; ++k) to[i + k] = std::max(fabs(pair[2 * k]), fabs(pair[2 * k + 1]));
  }
}

// One line by all parts of a kernel, a section of blocks at a time.
class Sums {
 public:
  Sums(Scratch& scratch, Taken taken, fc_dtype dtype, Index n, const PartedKernel& kernel)
      : taken_(taken),
        dtype_(dtype),
        n_(n),
        kernel_(kernel),
        slots_(kSection + kernel.parts() - 1),
        spectra_(scratch.take<double>(slots_ * kernel.transform().reals())),
        norm_(scratch.take<double>(slots_)),
        sums_(scratch.take<double>(kSection * kernel.transform().reals())),
        error_(scratch.take<double>(kSection)) {}

  void turn_to(Row a) { a_ = a, entered_ = 0; }

  // Adds up blocks first .. last - 1 of outputs, kSection at the most; no block before them is
  // asked for again.
  void add_up(Index first, Index last, Context& context) {
    enter(std::max(entered_, first - kernel_.parts() + 1), last, context);
    entered_ = last;
    for (Index j = first; j < last; ++j) error_[j - first] = bound(j);
    multiply(first, last, context);
  }

  // What each output of a block of the section is off by at the most.
  double error(Index block) const { return error_[block]; }

  void get(Index block, double* y) const {
    if (error_[block] > 0) return kernel_.transform().inverse(sum(block), kernel_.scale(), y);
    std::fill_n(y, kernel_.block() * kernel_.reals_of_item(), 0.0);
  }

  double macs_of_transform() const { return 50 * double(kernel_.block()); }

 private:
  double* spectrum(Index block) const {
    return spectra_ + block % slots_ * kernel_.transform().reals();
  }
  double* sum(Index of_section) const { return sums_ + of_section * kernel_.transform().reals(); }

  void enter(Index first, Index last, Context& context) {
    const Index B = kernel_.block(), item = kernel_.reals_of_item();
    context.share(last - first, macs_of_transform(), [&](Context& own, Shares& shares) {
      Scratch scratch;
      double* x = scratch.take<double>(2 * B * item);
      for (Range r; shares.next(r);) {
        for (Index j = first + r.first; j < first + r.last; ++j) {
          const Index from = std::max<Index>((j - 1) * B, 0), to = std::min((j + 1) * B, n_);
          double& norm = norm_[j % slots_] = 0;
          if (from >= to) continue;
          std::fill_n(x, 2 * B * item, 0.0);
          take(taken_, dtype_, {a_.data + from * a_.step, a_.step}, to - from, kernel_.pairs(),
               x + (from - (j - 1) * B) * item);
          norm = norm_of(x, 2 * B * item);
          if (norm > 0) kernel_.transform().forward(x, spectrum(j));
          own.spend(macs_of_transform());
        }
      }
    });
  }

  // Calls meet(x, p) for each block of the signal and part of the kernel that meet in block j of
  // outputs, neither of them silent.
  template <class Meet>
  void for_each_product(Index j, Meet meet) const {
    for (Index p = 0; p < kernel_.parts() && p <= j; ++p) {
      if (norm_[(j - p) % slots_] > 0 && kernel_.norm(p) > 0) meet(j - p, p);
    }
  }

  // Zero where nothing meets.
  double bound(Index j) const {
    double norms = 0;
    int count = 0;
    for_each_product(j, [&](Index x, Index p) {
      norms += norm_[x % slots_] * kernel_.norm(p);
      ++count;
    });
    return count ? kernel_.error(norms, count) : 0;
  }

  void multiply(Index first, Index last, Context& context) {
    const BlockTransform& transform = kernel_.transform();
    const Index P = kernel_.parts(), group = 2 * context.kernels.spectral[1].lanes;
    const Index held = 2 * (kSection + P) * group * Index(sizeof(double));
    const Index tile = group * std::max<Index>(1, kTileBytes / held);
    const double macs = 2 * double((last - first) * P * tile);
    context.share(ceil_div(transform.reals(), tile), macs, [&](Context& own, Shares& shares) {
      Scratch scratch;
      const void** x = scratch.take<const void*>(P);
      const void** h = scratch.take<const void*>(P);
      for (Range r; shares.next(r);) {
        for (Index t = r.first; t < r.last; ++t) {
          const Index at = t * tile, some = std::min(tile, transform.reals() - at);
          for (Index j = first; j < last; ++j) {
            int count = 0;
            for_each_product(j, [&](Index block, Index p) {
              x[count] = spectrum(block) + at;
              h[count++] = kernel_.spectrum(p) + at;
            });
            if (count) transform.products(x, h, count, some / 2, sum(j - first) + at);
          }
          own.spend(macs);
        }
      }
    });
  }

  const Taken taken_;
  const fc_dtype dtype_;
  const Index n_;
  const PartedKernel& kernel_;
  Row a_ = {};
  Index entered_ = 0;
  const Index slots_;
  double* const spectra_;  // of blocks, each in its slot until another takes it
  double* const norm_;
  double* const sums_;
  double* const error_;
};

// The magnitudes behind every output.
class Behind {
 public:
  Behind(Scratch& scratch, const Problem& p, Index n, Row v, Index m, Index block, Context& context)
      : kernel_(kernel_of(scratch, p, v, m, block, context)),
        sums_(scratch, kMagnitudes, p.a_dtype, n, kernel_) {}

  Sums& sums() { return sums_; }

 private:
  static PartedKernel kernel_of(Scratch& scratch, const Problem& p, Row v, Index m, Index block,
                                Context& context) {
    double* magnitude = scratch.take<double>(m);
    take(kMagnitudes, p.v_dtype, v, m, false, magnitude);
    return PartedKernel(context.kernels, FC_F64, FC_F64, reinterpret_cast<const char*>(magnitude),
                        m, block);
  }

  const PartedKernel kernel_;
  Sums sums_;
};

class Lines {
 public:
  Lines(Scratch& scratch, const Problem& p, Row v, Index m, Index block, double tolerance,
        Context& context)
      : p_(p),
        columns_(cols_apart(p)),
        n_(columns_ ? p.rows : p.cols),
        lo_(columns_ ? p.row_lo : p.col_lo),
        hi_(columns_ ? p.row_hi : p.col_hi),
        v_(v),
        m_(m),
        block_(block),
        tolerance_(tolerance),
        context_(context),
        kernel_(context.kernels, p.a_dtype, p.v_dtype, v.data, m, block),
        values_(scratch, kAsTheyAre, p.a_dtype, n_, kernel_),
        wrong_(scratch.take<char>(kSection * block)) {}

  // Computes all outputs, and calls again(p) for parts of the problem that are not proven.
  template <class Again>
  void run(Again again) {
    const Index a_item = a_step(p_), out_item = out_step(p_);
    for (Index l = 0; l < (columns_ ? p_.cols : p_.rows); ++l) {
      a_ = {p_.a + l * (columns_ ? a_item : p_.a_row), columns_ ? p_.a_row : a_item};
      out_ = p_.out + l * (columns_ ? out_item : p_.out_row);
      values_.turn_to(a_);
      if (behind_) behind_->sums().turn_to(a_);
      for (Index first = lo_ / block_; first * block_ < hi_; first += kSection) {
        const Index last = std::min(first + kSection, ceil_div(hi_, block_));
        values_.add_up(first, last, context_);
        if (put(first, last)) prove(first, last);
        offer_wrong(l, first, last, again);
      }
    }
  }

 private:
  // The window's part of a block of outputs.
  Range outputs(Index block) const {
    return {std::max(lo_, block * block_), std::min(hi_, (block + 1) * block_)};
  }

  // Calls visit(j, y) for each block of a section.
  template <class Visit>
  void for_each_block(const Sums& sums, Index first, Index last, int reals, Visit visit) {
    const double macs = sums.macs_of_transform();
    context_.share(last - first, macs, [&](Context& own, Shares& shares) {
      Scratch scratch;
      double* y = scratch.take<double>(block_ * reals);
      for (Range r; shares.next(r);) {
        for (Index j = first + r.first; j < first + r.last; ++j) {
          sums.get(j - first, y);
          visit(j, y + (outputs(j).first - j * block_) * reals);
          own.spend(macs);
        }
      }
    });
  }

  double least(Index of_section) const { return 2 * values_.error(of_section) / tolerance_; }

  // Have some outputs to be proven yet?
  bool put(Index first, Index last) {
    for_each_block(values_, first, last, kernel_.reals_of_item(), [&](Index j, const double* y) {
      is_single(p_.a_dtype) ? put_block<float>(first, j, y) : put_block<double>(first, j, y);
    });
    return memchr(wrong_, 1, size_t((last - first) * block_));
  }

  template <class T>
  void put_block(Index first, Index j, const double* y) const {
    const int reals = kernel_.reals_of_item();
    const Range of = outputs(j);
    const Index step = columns_ ? p_.out_row : out_step(p_);
    char* wrong = wrong_ + (j - first) * block_;
    memset(wrong, 0, size_t(block_));
    for (Index i = of.first; i < of.last; ++i, y += reals) {
      T* out = reinterpret_cast<T*>(out_ + (i - lo_) * step);
      double size = 0;
      for (int part = 0; part < reals; ++part) {
        out[part] = T(y[part]);
        size = std::max(size, fabs(y[part]));
      }
      wrong[i - j * block_] = size < least(j - first);
    }
  }

  void prove(Index first, Index last) {
    if (!behind_) {
      behind_.reset(new Behind(kept_, p_, n_, v_, m_, block_, context_));
      behind_->sums().turn_to(a_);
    }
    Sums& sums = behind_->sums();
    sums.add_up(first, last, context_);
    for_each_block(sums, first, last, 1, [&](Index j, const double* s) {
      const Range of = outputs(j);
      const double enough = least(j - first) + sums.error(j - first);
      char* wrong = wrong_ + (of.first - first * block_);
      for (Index i = 0; i < of.last - of.first; ++i) wrong[i] &= s[i] < enough;
    });
  }

  template <class Again>
  void offer_wrong(Index line, Index first, Index last, Again again) const {
    const Index count = (last - first) * block_;
    for (Index i = 0, end; i < count; i = end) {
      const void* next = memchr(wrong_ + i, 1, size_t(count - i));
      if (!next) return;
      i = static_cast<const char*>(next) - wrong_;
      end = i + 1;
      for (Index right = 0, at = end; at < count && right < kGap; ++at) {
        right = wrong_[at] ? 0 : right + 1;
        if (wrong_[at]) end = at + 1;
      }
      Box box;
      box.axis[columns_ ? 0 : 1] = {first * block_ + i, first * block_ + end};
      box.axis[columns_ ? 1 : 0] = {line, line + 1};
      Leading leading;
      Problem q;
      if (part(p_, box.axis, leading, q)) again(q);
    }
  }

  const Problem& p_;
  const bool columns_;
  const Index n_, lo_, hi_;
  const Row v_;
  const Index m_, block_;
  const double tolerance_;
  Context& context_;
  const PartedKernel kernel_;
  Sums values_;
  char* const wrong_;  // of the outputs of a section
  Row a_ = {};
  char* out_ = nullptr;
  Kept kept_;
  std::unique_ptr<Behind> behind_;  // once it is asked for
};

bool is_loud(const Problem& p, Context& context) {
  Magnitudes magnitudes;
  for (Index r = 0; r < p.rows; ++r) {
    for_each_run(p.a + r * p.a_row, a_step(p), p.cols, p.a_dtype, kRun,
                 [&](const char* x, Index count) {
                   measure(p.a_dtype, x, count, context.kernels, magnitudes);
                 });
  }
  return magnitudes.bad > 0 || magnitudes.max >= kLoud;
}

// By shorter parts, or directly where that is sooner done.
void again(const Problem& p, Index block, double tolerance, Context& context) {
  const Index shorter = std::min(parting_of(p).block, block / kShorter);
  shorter < kShortestPart ? direct(p, context) : partitioned(p, shorter, tolerance, context);
}

}  // namespace

// Twice what is foreseen: some is taken again by shorter parts.
Parting parting_of(const Problem& p) {
  const Parting none = {0, macs_of(p)};
  if (!lines_apart(p) || none.macs < kWorthChoosing) return none;
  const fc_candidate how = chosen_for(p, FC_COMPONENTWISE);
  const double macs = 2 * macs_in(how.predicted_ns, p);
  return how.method == FC_OVERLAP && macs < none.macs ? Parting{how.block[1] / 2, macs} : none;
}

void partitioned(const Problem& p, Index block, double tolerance, Context& context) {
  Scratch scratch;
  const bool columns = cols_apart(p);
  const Index item = kItemSize[p.v_dtype], m = columns ? p.kh : p.kw;
  char* v = scratch.take<char>(m * item);
  for (Index k = 0; k < m; ++k) {
    memcpy(v + k * item, p.v + k * (columns ? p.v_row : item), size_t(item));
  }
  if (is_loud(p, context) || !PartedKernel::takes(context.kernels, p.v_dtype, v, m)) {
    return direct(p, context);
  }
  Lines(scratch, p, {v, item}, m, block, tolerance, context).run([&](const Problem& q) {
    again(q, block, tolerance, context);
  });
}

}  // namespace fastconv
