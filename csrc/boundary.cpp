#include "boundary.h"

#include <string.h>

#include <algorithm>

#include "outside.h"
#include "runtime.h"
#include "views.h"

namespace fastconv {
namespace {

// The first combination of one of count[d] things for each axis is the zeros; true
// where there is a next.
bool advance(int ndim, const Index* count, Index* index) {
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

bool repeats(const fc_axis& x) { return x.boundary != FC_FILL && reads_beyond(x); }

Index period(const fc_axis& x) { return x.boundary == FC_SYMM ? 2 * x.n : x.n; }

// A kernel of more periods is folded to one first.
constexpr Index kMostPeriods = 8;

bool folds(const fc_axis& x) { return repeats(x) && x.m > kMostPeriods * period(x); }

// An array of the job's own, dense, its lengths along convolved axes given; batch axes along
// which `like` does not change are there once.
struct Own {
  int ndim;
  Index shape[2 * FC_MAX_NDIM];
  fc_array array = {};

  Own(Scratch& scratch, const fc_job& job, const fc_array& like, const Index* length,
      fc_dtype dtype)
      : ndim(job.nbatch + job.ndim) {
    for (int d = 0; d < job.nbatch; ++d) shape[d] = like.stride[d] ? job.batch[d] : 1;
    for (int d = 0; d < job.ndim; ++d) shape[job.nbatch + d] = length[d];
    dense_strides(ndim, shape, kItemSize[dtype], array.stride);
    if (like.data) array.data = scratch.take<char>(bytes_of(ndim, shape, kItemSize[dtype]));
  }

  View view() const { return {static_cast<char*>(array.data), ndim, shape, array.stride}; }

  // As an operand that is the same all along some batch axes.
  fc_array shared() const {
    fc_array seen = array;
    for (int d = 0; d < ndim; ++d) seen.stride[d] = shape[d] == 1 ? 0 : seen.stride[d];
    return seen;
  }
};

// ---------------------------------------------------------------------------
// Images of a

// An image of a, or of a read backwards, that many samples away: outputs lo .. hi - 1 of its
// full convolution belong at `at` in the window.
struct Image {
  Index lo, hi, at;
  bool backwards;
};
// (full + window) / period, either way round, and both ends.
constexpr int kMostImages = 2 * (2 * (kMostPeriods + 1) + 3);

// The first is a itself, over the whole window.
int images_of(const fc_axis& x, Image* image) {
  const Index full = x.n + x.m - 1;
  int count = 0;
  image[count++] = {x.lo, x.hi, 0, false};
  if (!repeats(x)) return count;
  for (int backwards = 0; backwards < (x.boundary == FC_SYMM ? 2 : 1); ++backwards) {
    const Index step = period(x), first = backwards ? x.n : 0;
    for (Index j = -(full / step) - 2; j <= x.hi / step + 1; ++j) {
      const Index offset = first + j * step;
      const Index lo = std::max<Index>(0, x.lo - offset), hi = std::min(full, x.hi - offset);
      if (offset != 0 && lo < hi) image[count++] = {lo, hi, lo + offset - x.lo, backwards != 0};
    }
  }
  return count;
}

// a where it belongs is written, its images are added to the parts of the result they reach.
void add_images(const fc_job& job, const fc_array& a, const fc_array& v, const fc_array& out,
                bool own_way, VisitPiece visit) {
  const fc_job plain = without_boundary(job);
  visit(plain, a, v, out, own_way);
  Image image[FC_MAX_NDIM][kMostImages];
  Index count[FC_MAX_NDIM], index[FC_MAX_NDIM] = {};
  for (int d = 0; d < job.ndim; ++d) count[d] = images_of(job.axis[d], image[d]);
  const fc_dtype dtype = result_dtype(job.a_dtype, job.v_dtype);
  while (advance(job.ndim, count, index)) {
    Scratch scratch;
    fc_job piece = plain;
    fc_array from = a;
    char* to = static_cast<char*>(out.data);
    Index length[FC_MAX_NDIM];
    for (int d = 0; d < job.ndim; ++d) {
      const Image& i = image[d][index[d]];
      const int at = job.nbatch + d;
      // Only of the part of a that the window needs may a copy be made.
      fc_axis& x = piece.axis[d];
      const Index first = std::max<Index>(0, i.lo - x.m + 1), end = std::min(x.n, i.hi);
      x.n = end - first, x.lo = i.lo - first, x.hi = i.hi - first;
      length[d] = i.hi - i.lo;
      to += out.data ? i.at * out.stride[at] : 0;
      const Index start = i.backwards ? job.axis[d].n - 1 - first : first;
      from.data = static_cast<char*>(from.data) + start * a.stride[at];
      from.stride[at] = i.backwards ? -a.stride[at] : a.stride[at];
    }
    const Own strip(scratch, job, out, length, dtype);
    visit(piece, from, v, strip.array, true);
    if (out.data) add({to, strip.ndim, strip.shape, out.stride}, strip.view(), dtype);
  }
}

// ---------------------------------------------------------------------------
// Kernels of many periods

// v[k] + v[k + period] + .. Of a broadcast kernel there may be more than anyone waits for.
fc_array folded(Scratch& scratch, const fc_job& job, const fc_array& v, const Index* length) {
  const Own sum(scratch, job, v, length, job.v_dtype);
  zero(sum.view(), kItemSize[job.v_dtype]);
  Index count[FC_MAX_NDIM], index[FC_MAX_NDIM] = {};
  for (int d = 0; d < job.ndim; ++d) count[d] = (job.axis[d].m - 1) / length[d] + 1;
  Context context(kernels(fc_level()), job.poll, job.poll_context, 1);
  do {
    Index shape[2 * FC_MAX_NDIM];
    char* from = static_cast<char*>(v.data);
    for (int d = 0; d < sum.ndim; ++d) {
      shape[d] = sum.shape[d];
      if (d < job.nbatch) continue;
      const Index first = index[d - job.nbatch] * shape[d];
      from += first * v.stride[d];
      shape[d] = std::min(shape[d], job.axis[d - job.nbatch].m - first);
    }
    add({static_cast<char*>(sum.array.data), sum.ndim, shape, sum.array.stride},
        {from, sum.ndim, shape, v.stride}, job.v_dtype);
    context.spend(1000 + 10 * double(product(sum.ndim, shape)));  // 100 ns, and 1 ns a tap
  } while (advance(job.ndim, count, index));
  return sum.shared();
}

// out[i] = one[i mod period] on the axes that fold.
void repeat(const fc_job& job, const Own& one, const fc_array& out) {
  const Index item = kItemSize[result_dtype(job.a_dtype, job.v_dtype)];
  Index count[FC_MAX_NDIM], index[FC_MAX_NDIM] = {};
  const auto first = [&](int d) { return job.axis[d].lo / one.shape[job.nbatch + d]; };
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    count[d] = folds(x) ? (x.hi - 1) / one.shape[job.nbatch + d] - first(d) + 1 : 1;
  }
  do {
    Index shape[2 * FC_MAX_NDIM];
    char *from = static_cast<char*>(one.array.data), *to = static_cast<char*>(out.data);
    for (int d = 0; d < one.ndim; ++d) {
      shape[d] = one.shape[d];
      const int x = d - job.nbatch;
      if (x < 0 || !folds(job.axis[x])) continue;
      const Index start = (first(x) + index[x]) * shape[d];
      const Index lo = std::max(start, job.axis[x].lo),
                  hi = std::min(start + shape[d], job.axis[x].hi);
      from += (lo - start) * one.array.stride[d];
      to += (lo - job.axis[x].lo) * out.stride[d];
      shape[d] = hi - lo;
    }
    copy({to, one.ndim, shape, out.stride}, {from, one.ndim, shape, one.array.stride}, item);
  } while (advance(job.ndim, count, index));
}

// ---------------------------------------------------------------------------
// A small a, stored with what lies beyond its ends

// A copied sample takes some 0.15 ns, an image 1.5 us and as much again for every 16 members.
constexpr double kSampleNs = 0.15, kImageNs = 1500, kMembersAnImage = 16;
constexpr double kMostPadded = 1 << 20;

// The samples that a window reads, counted as a's are: below 0 and from n on they lie beyond.
struct Span {
  Index first, end;
};

Span read_by(const fc_axis& x) { return {x.lo - x.m + 1, x.hi}; }

// The fill value as a sample of a.
void spell_fill(const fc_job& job, char (&sample)[16]) {
  const float single[2] = {float(job.fill[0]), float(job.fill[1])};
  const bool one = job.fill_bits != 0;
  switch (job.a_dtype) {
    case FC_F32:
    case FC_C64: memcpy(sample, single, sizeof single); break;
    case FC_F64:
    case FC_C128: memcpy(sample, job.fill, sizeof job.fill); break;
    case FC_BOOL: memcpy(sample, &one, sizeof one); break;
    default: memcpy(sample, &job.fill_bits, sizeof job.fill_bits);
  }
}

// What lies beyond both ends of an axis, where all that the window reads of the axes before is
// there, and of those behind what is a's own.
void extend(const fc_job& job, View whole, int axis, const char* fill) {
  const fc_axis& x = job.axis[axis];
  const Span span = read_by(x);
  const int at = job.nbatch + axis;
  const Index item = kItemSize[job.a_dtype], step = whole.stride[at];
  Index shape[2 * FC_MAX_NDIM], stride[2 * FC_MAX_NDIM];
  for (int d = 0; d < whole.ndim; ++d) shape[d] = whole.shape[d], stride[d] = whole.stride[d];
  for (int d = axis + 1; d < job.ndim; ++d) {
    const Span inner = read_by(job.axis[d]);
    shape[job.nbatch + d] = std::min(job.axis[d].n, inner.end) - std::max<Index>(0, inner.first);
    whole.data += std::max<Index>(0, -inner.first) * whole.stride[job.nbatch + d];
  }
  char* const origin = whole.data - span.first * step;
  for (Index j = -((x.n - 1 - span.first) / x.n); j * x.n < span.end; ++j) {
    if (j == 0) continue;
    const Index lo = std::max(span.first, j * x.n), hi = std::min(span.end, (j + 1) * x.n);
    const bool backwards = x.boundary == FC_SYMM && j % 2 != 0;
    const Index start = backwards ? (j + 1) * x.n - 1 - lo : lo - j * x.n;
    shape[at] = hi - lo;
    const View to = {origin + lo * step, whole.ndim, shape, whole.stride};
    if (x.boundary == FC_FILL) {
      const Index still[2 * FC_MAX_NDIM] = {};
      copy(to, {const_cast<char*>(fill), whole.ndim, shape, still}, item);
    } else {
      stride[at] = backwards ? -step : step;
      copy(to, {origin + start * step, whole.ndim, shape, stride}, item);
    }
  }
}

}  // namespace

bool pays_to_pad(const fc_job& job) {
  const bool zeros = job.fill[0] == 0 && job.fill[1] == 0 && job.fill_bits == 0;
  double members = 1, samples = 1, images = 1;
  for (int d = 0; d < job.nbatch; ++d) {
    members *= double(job.batch[d]);
    samples *= job.shared[d] == FC_SHARES_A ? 1 : double(job.batch[d]);
  }
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    const Span span = read_by(x);
    samples *= double(span.end - span.first);
    if (!reads_beyond(x)) continue;
    images *= 3;  // before, within and behind
    const bool makes_products = x.boundary != FC_FILL || !zeros;
    if (!makes_products || folds(x) || span.first > 0 || span.end < x.n) return false;
  }
  return samples <= kMostPadded &&
         samples * kSampleNs < (images - 1) * kImageNs * (1 + members / kMembersAnImage);
}

Padded::Padded(Scratch& scratch, const fc_job& extended, const fc_array& a)
    : job(without_boundary(extended)) {
  Index length[FC_MAX_NDIM], shape[2 * FC_MAX_NDIM];
  for (int d = 0; d < job.ndim; ++d) {
    const Span span = read_by(job.axis[d]);
    length[d] = span.end - span.first;
  }
  const Own own(scratch, extended, a, length, job.a_dtype);
  View inner = own.view();
  for (int d = 0; d < own.ndim; ++d) shape[d] = own.shape[d];
  Index skipped = 0;
  for (int d = 0; d < job.ndim; ++d) {
    fc_axis& x = job.axis[d];
    const Span span = read_by(x);
    const int at = job.nbatch + d;
    const Index first = std::max<Index>(0, span.first);
    shape[at] = std::min(x.n, span.end) - first;
    skipped += first * a.stride[at];
    inner.data += (first - span.first) * inner.stride[at];
    x = {length[d], x.m, x.m - 1, length[d], FC_FILL};
  }
  inner.shape = shape;
  copy(inner, {static_cast<char*>(a.data) + skipped, own.ndim, shape, a.stride},
       kItemSize[job.a_dtype]);
  char fill[16];
  spell_fill(extended, fill);
  for (int d = 0; d < job.ndim; ++d) extend(extended, own.view(), d, fill);
  array = own.shared();
}

void for_each_piece(const fc_job& job, const fc_array& a, const fc_array& v, const fc_array& out,
                    VisitPiece visit) {
  bool any_folds = false, constant = false;
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    if (x.lo == x.hi) return;
    any_folds |= folds(x);
    constant |= x.boundary == FC_FILL && reads_beyond(x);
  }
  constant &= job.fill[0] != 0 || job.fill[1] != 0 || job.fill_bits != 0;
  if (!any_folds) {
    add_images(job, a, v, out, false, visit);
  } else {
    Scratch scratch;
    fc_job one = job;
    one.facts.known = 0;
    Index taps[FC_MAX_NDIM], length[FC_MAX_NDIM];
    for (int d = 0; d < job.ndim; ++d) {
      fc_axis& x = one.axis[d];
      if (folds(job.axis[d])) x.m = period(x), x.lo = 0, x.hi = period(x);
      taps[d] = x.m, length[d] = x.hi - x.lo;
    }
    const Own result(scratch, job, out, length, result_dtype(job.a_dtype, job.v_dtype));
    add_images(one, a, folded(scratch, job, v, taps), result.array, true, visit);
    if (out.data) repeat(job, result, out);
  }
  if (constant && out.data) add_outside(job, v, out);
}

}  // namespace fastconv
