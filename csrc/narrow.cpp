// A picture of but a few vectors' width, and taller: they lie along its columns, of a transposed
// copy, in place of rows that leave most of them empty. 500x2 by 500x2 takes a hundredth of the
// time so, 1000x12 by 3x3 a third.
#include "engine.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

struct Turned {
  Index shape[2], across[2], along[2];  // along: strides as it lay, rows for columns
  char* data;

  Turned(Scratch& scratch, Index rows, Index cols, Index row, Index item)
      : shape{cols, rows}, across{rows * item, item}, along{item, row} {
    data = scratch.take<char>(rows * cols * item);
  }
  View here() const { return {data, 2, shape, across}; }
  View there(const char* original) const { return {const_cast<char*>(original), 2, shape, along}; }
};

}  // namespace

// Columns under a kernel of one are none: they come some at a time, as they lie in memory, and no
// bit may depend on how many.
bool is_narrow(const Problem& p) {
  constexpr Index kVector = 64, kNarrow = 160;  // bytes; the widest vector, the break-even
  const Index height = p.row_hi - p.row_lo, width = p.col_hi - p.col_lo;
  const Index bytes = width * kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  return p.kw > 1 && bytes <= kNarrow && bytes % kVector != 0 && height >= 2 * width &&
         !p.accumulate;
}

void direct_turned(const Problem& p, Context& context) {
  const Index a_item = kItemSize[p.a_dtype], v_item = kItemSize[p.v_dtype];
  const Index out_item = kItemSize[result_dtype(p.a_dtype, p.v_dtype)];
  Scratch scratch;
  const Turned a(scratch, p.rows, p.cols, p.a_row, a_item);
  const Turned v(scratch, p.kh, p.kw, p.v_row, v_item);
  const Turned out(scratch, p.row_hi - p.row_lo, p.col_hi - p.col_lo, p.out_row, out_item);
  copy(a.here(), a.there(p.a), a_item);
  copy(v.here(), v.there(p.v), v_item);
  Problem q = p;
  q.rows = p.cols, q.cols = p.rows, q.kh = p.kw, q.kw = p.kh;
  q.row_lo = p.col_lo, q.row_hi = p.col_hi, q.col_lo = p.row_lo, q.col_hi = p.row_hi;
  q.a = a.data, q.a_row = a.across[0], q.v = v.data, q.v_row = v.across[0];
  q.out = out.data, q.out_row = out.across[0];
  direct(q, context);
  copy(out.there(p.out), out.here(), out_item);
}

}  // namespace fastconv
