// Lines pushed in blocks of any length: the outputs are those of the whole.
#pragma once
#include "check.h"

namespace native {

inline fc_array behind(const Array& array, ptrdiff_t samples) {
  fc_array view = array.view;
  view.data = static_cast<char*>(view.data) + samples * view.stride[1];
  return view;
}

// Two channels of n samples, in arrays of any steps, with m taps.
inline void check_stream(Random& random, DtypePair types, ptrdiff_t n, ptrdiff_t m,
                         const std::vector<ptrdiff_t>& blocks) {
  fc_job job = empty_job(types, FC_AUTO);
  job.ndim = job.nbatch = 1;
  job.batch[0] = 2;
  job.shared[0] = FC_SHARES_V;
  set_axis(job, 0, n, m, 0, n + m - 1);
  Array a(types.a, {2, n}, {1, 2}), v(types.v, {1, m}, {1, 1});
  Array out(result_dtype(types), {2, n + m - 1}, {2, 1});
  a.fill_random(random);
  v.fill_random(random);
  v.view.stride[0] = 0;
  fc_stream* stream = fc_stream_new(&job, &v.view);
  bool good = stream != nullptr;
  for (int turn = 0; turn < 2; ++turn) {  // the second after a reset
    for (ptrdiff_t at = 0, block = 0; at < n && good; ++block) {
      const ptrdiff_t most = blocks[size_t(block) % blocks.size()];
      const ptrdiff_t some = most < n - at ? most : n - at;
      const fc_array x = behind(a, at), y = behind(out, at);
      good = fc_stream_push(stream, &x, some, &y) == FC_OK;
      at += some;
    }
    const fc_array rest = behind(out, n);
    good = good && fc_stream_tail(stream, n, n + m - 1, &rest) == FC_OK;
    ptrdiff_t seen = 0;
    out.each([&](const ptrdiff_t* index) {
      if (seen++ % (1 + (n + m) / 150)) return;
      const naive::Sum sum = naive::output(job, a, v, index);
      good = good && naive::agrees(job, out.dtype, out.at(index), sum, double(m < n ? m : n));
    });
    fc_stream_reset(stream);
  }
  fc_stream_free(stream);
  char what[100];
  snprintf(what, sizeof what, "%s stream a=%d v=%d n=%td m=%td", fc_level_name(fc_level()),
           int(types.a), int(types.v), n, m);
  count(good, what);
}

inline void streams(Random& random) {
  for (const DtypePair types : kPairs) {
    check_stream(random, types, 40, 3, {1, 0, 7});
    check_stream(random, types, 5, 9, {2});
    check_stream(random, types, 1500, 20, {1400, 3});
    check_stream(random, types, 1500, 600, {256, 1, 255, 0, 100});
    check_stream(random, types, 3500, 600, {2900, 10, 300});
  }
}

}  // namespace native
