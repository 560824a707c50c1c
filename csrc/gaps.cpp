// A bit is set where a sample of a is zero; beyond its ends all are. Row i of the taps, w of them
// from column l on, meets nothing in output (r, c) where in row r - i all bits from c - l - w + 1
// to c - l are set; a gap is where no row meets anything. Windows of bits are ANDed by doubling:
//
//     E_2w(c) = E_w(c) AND E_w(c - w).
#include "gaps.h"

#include <string.h>

#include <algorithm>

#include "empty.h"
#include "lengths.h"
#include "views.h"

namespace fastconv {
namespace {

using Word = uint64_t;
constexpr Index kBits = 64;
constexpr Word kAll = ~Word(0);

// Word w of a row whose bits are so many columns further on.
Word moved(const Word* row, Index w, Index by) {
  const Index away = by / kBits, bits = by % kBits;
  const auto word = [&](Index at) { return at < 0 ? kAll : row[at]; };
  return bits ? word(w - away) << bits | word(w - away - 1) >> (kBits - bits) : word(w - away);
}

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

// Those from one column to before another are not set.
void unset(Word* bits, Index first, Index last) {
  for (Index w = first / kBits; w * kBits < last; ++w) {
    const Index from = std::max<Index>(0, first - w * kBits),
                to = std::min(kBits, last - w * kBits);
    bits[w] &= ~(kAll >> (kBits - (to - from)) << from);
  }
}

// Bit i is byte i, which is 0 or 1: eight at once, each moved to where the product's last byte is.
Word packed(const unsigned char* flag) {
  Word word = 0;
  for (Index i = 0; i < kBits; i += 8) {
    Word eight;
    memcpy(&eight, flag + i, sizeof(eight));
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) eight = __builtin_bswap64(eight);
    word |= eight * 0x0102040810204080 >> 56 << i;
  }
  return word;
}

template <class T>
bool any_zero(const T* x, Index count) {
  int any = 0;
  for (Index i = 0; i < count; ++i) any |= x[i] == 0;
  return any;
}

template <class T>
Word zeros_of(const T* x, Index count, Index parts) {
  unsigned char flag[kBits];
  std::fill_n(flag, kBits, 1);
  if (parts == 1) {
    for (Index i = 0; i < count; ++i) flag[i] = x[i] == 0;
  } else {
    for (Index i = 0; i < count; ++i) flag[i] = x[2 * i] == 0 && x[2 * i + 1] == 0;
  }
  return packed(flag);
}

template <class T>
bool find_zeros(const char* run, Index count, Index parts, Word* bits) {
  const T* x = reinterpret_cast<const T*>(run);
  if (!any_zero(x, count * parts)) return false;
  for (Index i = 0; i < count; i += kBits) {
    *bits++ = zeros_of(x + i * parts, std::min(kBits, count - i), parts);
  }
  return true;
}

// The zeros of a row, and all behind it: false where there are no others.
bool find_zeros(const Operand& x, const char* row, Word* bits, Index words) {
  const Index parts = is_complex(x.dtype) ? 2 : 1;
  std::fill_n(bits, words, kAll);
  unset(bits, 0, x.cols);
  bool any = false;
  for_each_run(row, x.step, x.cols, x.dtype, kRun, [&](const char* run, Index count) {
    any |= is_single(x.dtype) ? find_zeros<float>(run, count, parts, bits)
                              : find_zeros<double>(run, count, parts, bits);
    bits += count / kBits;
  });
  return any;
}

// Taps of a row from the first to the last that is not zero.
struct TapRow {
  Index row, first, width;
};

}  // namespace

struct TapRows {
  TapRow* rows;
  Index count = 0, widest = 1;
  bool whole = true;

  TapRows(Scratch& scratch, const Operand& v) : rows(scratch.take<TapRow>(v.rows)) {
    Index all = 1;
    for (int d = 0; d < v.leading; ++d) all *= v.count[d];
    for_each_row(v, [&](Index row, const char* taps) {
      const Index first = zeros(v.dtype, taps, v.step, v.cols, false);
      if (first == v.cols) return;
      const Index width = v.cols - first - zeros(v.dtype, taps, v.step, v.cols, true);
      rows[count++] = {row, first, width};
      widest = std::max(widest, width);
      whole &= width == v.cols;
    });
    whole &= count == all;
  }
};

bool may_have_gaps(const Problem& p, const Coarse& a) {
  return *std::min_element(a.sum, a.sum + a.rows * a.cols) == 0 || any_empty_end(p);
}

Gaps::Gaps(Scratch& scratch, const Problem& p)
    : p_(p),
      words_(ceil_div(p.cols + p.kw - 1, kBits)),
      bits_(scratch.take<Word>(p.row_hi * words_)) {
  std::fill_n(bits_, p.row_hi * words_, kAll);
  Scratch own;
  const TapRows taps(own, taps_of(p));
  // Of more words than that nothing is said but where all samples under the kernel are zero.
  constexpr double kMost = 2e7;
  const bool many = double(p.rows) * double(taps.count) * double(words_) > kMost;
  taps.whole || many ? find_under_all() : find_under(taps);
}

void Gaps::find_under(const TapRows& taps) {
  const int levels = floor_log2(taps.widest) + 1;
  Scratch scratch;
  Word* window = scratch.take<Word>(levels * words_);  // of 2^k columns
  // Under rows without zeros, all that begin there.
  Range* none = scratch.take<Range>(p_.row_hi);
  std::fill_n(none, p_.row_hi, Range{words_ * kBits, 0});
  const Operand a = signal_of(p_);
  for_each_row(a, [&](Index r, const char* samples) {
    // What such rows leave is of one piece where no row of taps is wider than they are.
    const bool any = find_zeros(a, samples, window, words_) || p_.cols < p_.kw;
    if (std::count(window, window + words_, kAll) == words_) return;
    for (int k = 1; any && k < levels; ++k) {
      const Word* half = window + (k - 1) * words_;
      for (Index w = 0; w < words_; ++w) {
        window[k * words_ + w] = half[w] & moved(half, w, Index(1) << (k - 1));
      }
    }
    for (const TapRow* taps_row = taps.rows; taps_row < taps.rows + taps.count; ++taps_row) {
      if (r + taps_row->row >= p_.row_hi) return;
      const Index first = taps_row->first, end = first + taps_row->width;
      if (!any) {
        Range& own = none[r + taps_row->row];
        own = {std::min(own.first, first), std::max(own.last, end - 1 + p_.cols)};
        continue;
      }
      const int k = floor_log2(taps_row->width);
      const Index last = end - (Index(1) << k);
      const Word* bits = window + k * words_;
      Word* to = row(r + taps_row->row);
      for (Index w = 0; w < words_; ++w) {
        if (to[w]) to[w] &= moved(bits, w, first) & moved(bits, w, last);
      }
    }
  });
  for (Index r = 0; r < p_.row_hi; ++r) unset(row(r), none[r].first, none[r].last);
}

// Calls join(by) for runs twice as long each time, or less, until one is `count` long.
template <class Join>
static void double_up(Index count, Join join) {
  for (Index so_far = 1, by; so_far < count; so_far += by) {
    join(by = std::min(so_far, count - so_far));
  }
}

void Gaps::find_under_all() {
  const Operand a = signal_of(p_);
  for_each_row(a, [&](Index r, const char* samples) {
    if (r >= p_.row_hi) return;
    find_zeros(a, samples, row(r), words_);
    double_up(p_.kw, [&](Index by) {
      for (Index w = words_ - 1; w >= 0; --w) row(r)[w] &= moved(row(r), w, by);
    });
  });
  Leading own;
  const Leading& axes = leading_of(p_, own);
  for (int d = 0; d < axes.count; ++d) {
    double_up(axes.axis[d].m, [&](Index by) {
      const Index before = by * axes.pitch[d] * words_;
      for (Index w = p_.row_hi * words_ - 1; w >= before; --w) bits_[w] &= bits_[w - before];
    });
  }
}

bool Gaps::has(Index r, Index col) const { return row(r)[col / kBits] >> col % kBits & 1; }

void Gaps::clear() const {
  const Index item = kItemSize[result_dtype(p_.a_dtype, p_.v_dtype)];
  LyingRows rows = rows_of_out(p_);
  for (Index r = p_.row_lo; r < p_.row_hi; ++r) {
    char* out = rows(r);
    Index end = p_.col_lo;
    while (out && (end = next(row(r), true, end, p_.col_hi)) < p_.col_hi) {
      const Index first = end;
      end = next(row(r), false, first, p_.col_hi);
      zero_line(out + (first - p_.col_lo) * out_step(p_), out_step(p_), end - first, item);
    }
  }
}

}  // namespace fastconv
