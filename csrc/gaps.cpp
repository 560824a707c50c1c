// Bit c of a row is set where all samples under the kernel's width are zero, c - kw + 1 .. c;
// beyond the ends of a all are. Of kh such rows one below another the AND is taken as by van Herk
// (Pattern Recognition Letters 13, 1992): with rows in groups of kh, it is that of the last rows of
// one group and the first of the next, so that each costs three operations whatever kh is.
#include "gaps.h"

#include <stdint.h>
#include <string.h>

#include <algorithm>

#include "views.h"

namespace fastconv {
namespace {

using Word = uint64_t;  // a bit for each column
constexpr Index kBits = 64, kPart = 16;
constexpr Word kAll = ~Word(0);

// The first column from this one on whose bit is `set`, or the end.
Index next(const Word* bits, bool set, Index from, Index end) {
  for (; from < end; from = (from / kBits + 1) * kBits) {
    const Word word = bits[from / kBits] ^ (set ? 0 : kAll);
    if (const Word rest = word >> from % kBits) {
      return std::min<Index>(end, from + __builtin_ctzll(rest));
    }
  }
  return end;
}

// Each bit ANDed with the `width` - 1 before it, by runs twice as long each time.
void erode(Word* row, Index words, Index width) {
  const auto word = [&](Index w) { return w < 0 ? kAll : row[w]; };
  for (Index so_far = 1, by; so_far < width; so_far += by) {
    by = std::min(so_far, width - so_far);
    const Index away = by / kBits, bits = by % kBits;
    for (Index w = words - 1; w >= 0; --w) {
      const Word before = word(w - away);
      row[w] &= bits ? before << bits | word(w - away - 1) >> (kBits - bits) : before;
    }
  }
}

template <class T>
bool is_zero(const char* row, Index numbers, Index col) {
  const T* x = reinterpret_cast<const T*>(row) + col * numbers;
  return x[0] == 0 && x[numbers - 1] == 0;
}

// The zeros of single rows.
class Zeros {
 public:
  Zeros(Scratch& scratch, const Problem& p, Scan scan)
      : p_(p),
        scan_(scan),
        numbers_(is_complex(p.a_dtype) ? 2 : 1),
        parts_(ceil_div(p.cols, kPart)),
        sum_(scratch.take<double>(parts_)),
        peak_(scratch.take<double>(parts_)) {}

  // Of parts without anything, and of what lies next to one, or to an end, sample by sample: a gap
  // of a block has such parts.
  void find(Index row, Word* bits, Index words) const {
    for_each_run(p_.a + row * p_.a_row, a_step(p_), p_.cols, p_.a_dtype, p_.cols,
                 [&](const char* x, Index) { find_in(x, bits, words); });
  }

 private:
  void find_in(const char* x, Word* bits, Index words) const {
    scan_(x, p_.cols * numbers_, kPart * numbers_, sum_, peak_, nullptr);
    const auto is_empty = [&](Index part) {
      return part < 0 || part >= parts_ || peak_[part] == 0;
    };
    const auto zero = is_single(p_.a_dtype) ? is_zero<float> : is_zero<double>;
    const auto set = [&](Index col) { bits[col / kBits] |= Word(1) << col % kBits; };
    std::fill_n(bits, words, Word(0));
    for (Index part = 0; part < parts_; ++part) {
      const Index first = part * kPart, end = std::min(p_.cols, first + kPart);
      if (is_empty(part)) {
        bits[first / kBits] |= kAll >> (kBits - kPart) << first % kBits;
      } else if (is_empty(part - 1) || is_empty(part + 1)) {
        for (Index col = first; col < end; ++col) {
          if (zero(x, numbers_, col)) set(col);
        }
      }
    }
    for (Index col = p_.cols; col < words * kBits; ++col) set(col);
  }

  const Problem& p_;
  const Scan scan_;
  const Index numbers_, parts_;
  double *sum_, *peak_;
};

void clear_runs(const Problem& p, Index row, const Word* bits) {
  const Index item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  char* out = p.out + (row - p.row_lo) * p.out_row - p.col_lo * out_step(p);
  for (Index col = p.col_lo, end; (col = next(bits, true, col, p.col_hi)) < p.col_hi; col = end) {
    end = next(bits, false, col, p.col_hi);
    zero_line(out + col * out_step(p), out_step(p), end - col, item);
  }
}

}  // namespace

Gaps::Gaps(const Problem& p, Grain grain, const Coarse& a, const KernelTable& table)
    : p_(p), grain_(grain), a_(a), scan_(is_single(p.a_dtype) ? table.scan_f32 : table.scan_f64) {}

// `rows`: of this group those that there are, then of the one before those that are left, each
// ANDed with all behind it.
void Gaps::clear() const {
  if (p_.leading || *std::min_element(a_.sum, a_.sum + a_.rows * a_.cols) > 0) return;
  Scratch scratch;
  bool* silent = scratch.take<bool>(a_.rows);
  for (Index b = 0; b < a_.rows; ++b) {
    const double* sum = a_.sum + b * a_.cols;
    silent[b] = *std::min_element(sum, sum + a_.cols) == 0;
  }
  // Zeros around a block without anything go on into the next ones, but no further.
  const auto may_have_some = [&](Index row) {
    const Index b = row / grain_.rows;
    return silent[b] || (b > 0 && silent[b - 1]) || (b + 1 < a_.rows && silent[b + 1]);
  };
  const Zeros zeros(scratch, p_, scan_);
  const Index kh = p_.kh, words = ceil_div(p_.cols + p_.kw - 1, kBits);
  Word* rows = scratch.take<Word>((kh + 1) * words);
  Word* before = scratch.take<Word>(words);
  Word* own = scratch.take<Word>(words);
  Word* gap = scratch.take<Word>(words);
  std::fill_n(rows, (kh + 1) * words, kAll);
  const Index first = std::max<Index>(0, p_.row_lo - kh + 1);
  for (Index row = first; row < p_.row_hi; ++row) {
    const Index at = (row - first) % kh;
    if (at == 0) {
      for (Index w = kh * words; w-- > 0;) rows[w] &= rows[w + words];
      std::fill_n(before, words, kAll);
    }
    if (row >= p_.rows) {
      std::fill_n(own, words, kAll);
    } else if (may_have_some(row)) {
      zeros.find(row, own, words);
      erode(own, words, p_.kw);
    } else {
      std::fill_n(own, words, Word(0));
    }
    const Word* left = rows + (at + 1) * words;
    for (Index w = 0; w < words; ++w) gap[w] = (before[w] &= own[w]) & left[w];
    std::copy_n(own, words, rows + at * words);
    if (row >= p_.row_lo) clear_runs(p_, row, gap);
  }
}

}  // namespace fastconv
