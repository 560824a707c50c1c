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

// The first combination of one of count[d] things for each axis is the zeros; true
// where there is a next.
bool advance(int ndim, const int* count, int* index) {
  for (int d = ndim - 1; d >= 0; --d) {
    if (++index[d] < count[d]) return true;
    index[d] = 0;
  }
  return false;
}

fc_job without_boundary(fc_job job) {
  for (int d = 0; d < job.ndim; ++d) job.axis[d].boundary = FC_FILL;
  job.fill[0] = job.fill[1] = 0;
  job.fill_bits = 0;
  return job;
}

bool reads_beyond(const fc_axis& x) { return x.lo < x.m - 1 || x.hi > x.n; }

// A signal much shorter than the kernel would be wrapped round many times.
constexpr Index kMostTurns = 8;

bool wraps(const fc_job& job) {
  const bool zeros = job.fill[0] == 0 && job.fill[1] == 0 && job.fill_bits == 0;
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    if (!reads_beyond(x) || (x.boundary == FC_FILL && zeros)) continue;
    if (x.boundary != FC_WRAP || x.m > kMostTurns * x.n) return false;
  }
  return true;
}

// y[i] = sum_j full[i + j n]: j = 0 is written where it belongs, the others, windows of the
// full convolution as well, are added to parts of it.
void wrap(const fc_job& job, const fc_array& a, const fc_array& out, VisitPiece visit) {
  const fc_job plain = without_boundary(job);
  visit(plain, a, out, true);
  struct Turn {
    Index lo, hi, at;  // of the full convolution, and where in the window
  };
  Turn turn[FC_MAX_NDIM][2 * kMostTurns + 4];  // (2 full + window) / n, and both ends
  int count[FC_MAX_NDIM], index[FC_MAX_NDIM] = {};
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    const Index full = x.n + x.m - 1;
    count[d] = 0;
    turn[d][count[d]++] = {x.lo, x.hi, 0};
    if (x.boundary != FC_WRAP || !reads_beyond(x)) continue;
    for (Index j = -(x.hi / x.n) - 1; j <= (full - x.lo) / x.n; ++j) {
      const Index lo = x.lo + j * x.n > 0 ? x.lo + j * x.n : 0;
      const Index hi = x.hi + j * x.n < full ? x.hi + j * x.n : full;
      if (j != 0 && lo < hi) turn[d][count[d]++] = {lo, hi, lo - (x.lo + j * x.n)};
    }
  }
  const fc_dtype dtype = result_dtype(job.a_dtype, job.v_dtype);
  const int ndim = job.nbatch + job.ndim;
  while (advance(job.ndim, count, index)) {
    Scratch scratch;
    fc_job piece = plain;
    fc_array strip = {};
    char* to = static_cast<char*>(out.data);
    Index shape[2 * FC_MAX_NDIM];
    for (int d = 0; d < job.nbatch; ++d) shape[d] = job.batch[d];
    for (int d = 0; d < job.ndim; ++d) {
      const Turn& t = turn[d][index[d]];
      piece.axis[d].lo = t.lo, piece.axis[d].hi = t.hi;
      shape[job.nbatch + d] = t.hi - t.lo;
      to += out.data ? t.at * out.stride[job.nbatch + d] : 0;
    }
    dense_strides(ndim, shape, kItemSize[dtype], strip.stride);
    if (out.data) strip.data = scratch.take<char>(bytes_of(ndim, shape, kItemSize[dtype]));
    visit(piece, a, strip, true);
    if (!out.data) continue;
    add({to, ndim, shape, out.stride}, {static_cast<char*>(strip.data), ndim, shape, strip.stride},
        dtype);
  }
}

void extend_borders(const fc_job& job, const fc_array& a, const fc_array& out, VisitPiece visit) {
  Interval cut[FC_MAX_NDIM][3];
  int count[FC_MAX_NDIM], index[FC_MAX_NDIM] = {};
  for (int d = 0; d < job.ndim; ++d) count[d] = intervals(job.axis[d], cut[d]);
  do {
    Scratch scratch;
    fc_job piece = without_boundary(job);
    fc_array part = a, to = out;
    Index first[FC_MAX_NDIM];
    bool border = false;
    for (int d = 0; d < job.ndim; ++d) {
      const Interval& i = cut[d][index[d]];
      const Index m = job.axis[d].m, at = job.nbatch + d;
      first[d] = i.lo - (m - 1);
      piece.axis[d] = {i.hi - i.lo + m - 1, m, m - 1, m - 1 + i.hi - i.lo, FC_FILL};
      part.data = static_cast<char*>(part.data) + first[d] * a.stride[at];
      if (to.data) to.data = static_cast<char*>(to.data) + (i.lo - job.axis[d].lo) * out.stride[at];
      border |= i.border;
    }
    if (border) {
      part = strip(scratch, job, piece, a, first);
      piece.facts.known = 0;
    }
    visit(piece, part, to, border);
  } while (advance(job.ndim, count, index));
}

}  // namespace

void for_each_piece(const fc_job& job, const fc_array& a, const fc_array& out, VisitPiece visit) {
  for (int d = 0; d < job.ndim; ++d) {
    if (job.axis[d].lo == job.axis[d].hi) return;
  }
  wraps(job) ? wrap(job, a, out, visit) : extend_borders(job, a, out, visit);
}

}  // namespace fastconv
