// Direct sums of what does not lie dense: of copies, of lines some outputs and the samples under
// them at a time.
#include <algorithm>

#include "direct.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

constexpr Index kPieceBytes = Index(512) << 10;  // of a and of the result: they stay in L2

// Outputs of a line, and the samples that they are made of. Never fewer than there are taps, nor
// from elsewhere than the end that an output is next to: sums then go in the order of the whole.
struct Piece {
  Index first;  // sample
  Extent extent;
};

Piece piece_of(const Extent& e, Range outputs) {
  const Index lo = e.lo + outputs.first, hi = e.lo + outputs.last;
  const Index first = std::max<Index>(0, std::min(lo - e.m + 1, e.n - e.m));
  const Index last = std::min(e.n, std::max(hi, e.m));
  return {first, {last - first, e.m, lo - first, hi - first}};
}

void sum_piece(const Problem& p, Range lines, Range outputs, Context& context) {
  const bool columns = cols_apart(p);
  const Extent across = {lines.last - lines.first, 1, 0, lines.last - lines.first};
  const Extent along =
      columns ? Extent{p.rows, p.kh, p.row_lo, p.row_hi} : Extent{p.cols, p.kw, p.col_lo, p.col_hi};
  const Piece piece = piece_of(along, outputs);
  const Extent &row = columns ? piece.extent : across, &col = columns ? across : piece.extent;
  const Index row_at = columns ? piece.first : p.row_lo + lines.first;
  const Index col_at = columns ? p.col_lo + lines.first : piece.first;
  const Index out_row_at = columns ? outputs.first : lines.first;
  const Index out_col_at = columns ? lines.first : outputs.first;
  Problem q = p;
  q.rows = row.n, q.row_lo = row.lo, q.row_hi = row.hi;
  q.cols = col.n, q.col_lo = col.lo, q.col_hi = col.hi;
  q.a += row_at * p.a_row + col_at * a_step(p);
  q.out += out_row_at * p.out_row + out_col_at * out_step(p);
  of_copies(q, [&](const Problem& copied) { direct(copied, context); });
}

}  // namespace

void direct_in_pieces(const Problem& p, Context& context) {
  if (!lines_apart(p)) {
    return of_copies(p, [&](const Problem& picture) { direct(picture, context); });
  }
  const bool columns = cols_apart(p);
  const Index count = columns ? p.col_hi - p.col_lo : p.row_hi - p.row_lo;
  const Index outputs = columns ? p.row_hi - p.row_lo : p.col_hi - p.col_lo;
  const Index bytes = 2 * outputs * kItemSize[result_dtype(p.a_dtype, p.v_dtype)];  // of a line
  const Index groups = line_groups(count, bytes);
  // Evenly: a last one of few outputs would be summed in another order.
  const Index runs = std::min(ceil_div(outputs, 64), ceil_div(bytes * count / groups, kPieceBytes));
  const double macs = double(p.kh) * double(p.kw) * double(outputs) * double(count);
  context.share_many(groups * runs, macs / double(groups * runs),
                     [&](Context& own, Shares& shares) {
                       for (Range r; shares.next(r);) {
                         for (Index i = r.first; i < r.last; ++i) {
                           const Index run = i % runs;
                           sum_piece(p, line_group(count, bytes, i / runs),
                                     {outputs * run / runs, outputs * (run + 1) / runs}, own);
                         }
                       }
                     });
}

}  // namespace fastconv
