#include "boundary.h"

#include <string.h>

#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

struct Interval {
  Index lo, hi;
  bool border;
};

// An axis' window: outputs before, within and behind those that read a alone. One
// piece where the inside is less than half of it.
int intervals(const fc_axis& x, Interval (&cut)[3]) {
  const Index inside_lo = x.lo > x.m - 1 ? x.lo : x.m - 1;
  const Index inside_hi = x.hi < x.n ? x.hi : x.n;
  if (2 * (inside_hi - inside_lo) < x.hi - x.lo) {
    cut[0] = {x.lo, x.hi, true};
    return 1;
  }
  int count = 0;
  if (x.lo < inside_lo) cut[count++] = {x.lo, inside_lo, true};
  if (inside_lo < inside_hi) cut[count++] = {inside_lo, inside_hi, false};
  if (inside_hi < x.hi) cut[count++] = {inside_hi, x.hi, true};
  return count;
}

void fill_item(const fc_job& job, char* item) {
  const float singles[2] = {float(job.fill[0]), float(job.fill[1])};
  if (!is_float(job.a_dtype)) {  // little-endian: the low bytes are the item
    memcpy(item, &job.fill_bits, sizeof job.fill_bits);
  } else if (is_single(job.a_dtype)) {
    memcpy(item, singles, sizeof singles);
  } else {
    memcpy(item, job.fill, sizeof job.fill);
  }
}

// The samples that a border reads, extended; batch axes along which a does not
// change are taken once.
fc_array strip(Scratch& scratch, const fc_job& job, const fc_job& piece, const fc_array& a,
               const Index* first) {
  const int ndim = job.nbatch + job.ndim;
  Index shape[2 * FC_MAX_NDIM], count[2 * FC_MAX_NDIM], from[2 * FC_MAX_NDIM] = {};
  fc_boundary boundary[2 * FC_MAX_NDIM] = {};
  for (int d = 0; d < ndim; ++d) {
    const int x = d - job.nbatch;
    shape[d] = x >= 0 ? job.axis[x].n : a.stride[d] ? job.batch[d] : 1;
    count[d] = x >= 0 ? piece.axis[x].n : shape[d];
    if (x >= 0) from[d] = first[x], boundary[d] = job.axis[x].boundary;
  }
  const Index item = kItemSize[job.a_dtype];
  fc_array dense = {};
  dense.data = scratch.take<char>(bytes_of(ndim, count, item));
  dense_strides(ndim, count, item, dense.stride);
  for (int d = 0; d < job.nbatch; ++d) dense.stride[d] = a.stride[d] ? dense.stride[d] : 0;
  char fill[16];
  fill_item(job, fill);
  extend(static_cast<char*>(dense.data), count, {static_cast<char*>(a.data), ndim, shape, a.stride},
         from, boundary, fill, item);
  return dense;
}

}  // namespace

void for_each_piece(const fc_job& job, const fc_array& a, const fc_array& out, VisitPiece visit) {
  Interval cut[FC_MAX_NDIM][3];
  int count[FC_MAX_NDIM], index[FC_MAX_NDIM] = {};
  for (int d = 0; d < job.ndim; ++d) {
    if (job.axis[d].lo == job.axis[d].hi) return;
    count[d] = intervals(job.axis[d], cut[d]);
  }
  for (int d = job.ndim - 1; d >= 0;) {
    Scratch scratch;
    fc_job piece = job;
    fc_array part = a, to = out;
    Index first[FC_MAX_NDIM];
    bool border = false;
    for (int x = 0; x < job.ndim; ++x) {
      const Interval& i = cut[x][index[x]];
      const Index m = job.axis[x].m, at = job.nbatch + x;
      first[x] = i.lo - (m - 1);
      piece.axis[x] = {i.hi - i.lo + m - 1, m, m - 1, m - 1 + i.hi - i.lo, FC_FILL};
      part.data = static_cast<char*>(part.data) + first[x] * a.stride[at];
      if (to.data) to.data = static_cast<char*>(to.data) + (i.lo - job.axis[x].lo) * out.stride[at];
      border |= i.border;
    }
    piece.fill[0] = piece.fill[1] = 0;
    piece.fill_bits = 0;
    if (border) {
      part = strip(scratch, job, piece, a, first);
      piece.facts.known = 0;
    }
    visit(piece, part, to, border);
    for (d = job.ndim - 1; d >= 0 && ++index[d] == count[d]; --d) index[d] = 0;
  }
}

}  // namespace fastconv
