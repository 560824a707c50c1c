// What the engine does with memory: arrays are not left, and every allocation may fail.
// Prints each failure and "N passed, N failed".
#include <stdlib.h>

#include <atomic>
#include <thread>

#include "calls.h"
#include "walls.h"

using namespace native;

namespace {

std::atomic<long> until_failure{0};  // so many allocations more; 0: none fails
std::atomic<long> blocks{0};         // taken and not given back

bool fails() { return until_failure > 0 && --until_failure == 0; }

void* taken(void* data) {
  if (!data) throw std::bad_alloc();
  return ++blocks, data;
}

void given_back(void* data) {
  blocks -= data != nullptr;
  free(data);
}

}  // namespace

// All that the engine takes comes by these.
void* operator new(size_t bytes) { return taken(fails() ? nullptr : malloc(bytes ? bytes : 1)); }
void* operator new[](size_t bytes) { return operator new(bytes); }
void* operator new(size_t bytes, std::align_val_t align) {
  const size_t unit = size_t(align);
  return taken(fails() ? nullptr : aligned_alloc(unit, (bytes + unit - 1) / unit * unit));
}
void operator delete(void* data) noexcept { given_back(data); }
void operator delete[](void* data) noexcept { given_back(data); }
void operator delete(void* data, size_t) noexcept { given_back(data); }
void operator delete[](void* data, size_t) noexcept { given_back(data); }
void operator delete(void* data, std::align_val_t) noexcept { given_back(data); }

namespace {

fc_job line_job(DtypePair types, fc_method method, ptrdiff_t n, ptrdiff_t m, ptrdiff_t lo,
                ptrdiff_t hi, fc_boundary boundary = FC_FILL) {
  fc_job job = empty_job(types, method);
  job.ndim = 1;
  set_axis(job, 0, n, m, lo, hi, boundary);
  return job;
}

fc_job picture_job(DtypePair types, fc_method method, ptrdiff_t n, ptrdiff_t m) {
  fc_job job = empty_job(types, method);
  job.ndim = 2;
  set_axis(job, 0, n, m, 0, n + m - 1);
  set_axis(job, 1, n + 3, m + 1, m / 2, m / 2 + n + 3);
  return job;
}

fc_job lines_job(DtypePair types, fc_method method, ptrdiff_t count, ptrdiff_t n, ptrdiff_t m) {
  fc_job job = line_job(types, method, n, m, 0, n + m - 1);
  job.nbatch = job.after = 1;
  job.batch[0] = count;
  job.shared[0] = FC_SHARES_V;
  return job;
}

// By parts of the kernel.
fc_job parted_job(DtypePair types, ptrdiff_t n, ptrdiff_t m, ptrdiff_t lo, ptrdiff_t hi) {
  fc_job job = line_job(types, FC_OVERLAP, n, m, lo, hi);
  job.accuracy = FC_COMPONENTWISE;
  return job;
}

// The same of a picture, or of a volume of three planes.
fc_job parted_picture(DtypePair types, ptrdiff_t n, ptrdiff_t m) {
  fc_job job = picture_job(types, FC_OVERLAP, n, m);
  job.accuracy = FC_COMPONENTWISE;
  return job;
}

fc_job parted_volume(DtypePair types, ptrdiff_t n, ptrdiff_t m) {
  fc_job job = parted_picture(types, n, m);
  job.ndim = 3;
  set_axis(job, 2, 20, 17, 3, 30);
  return job;
}

bool are_floats(DtypePair types) { return types.a <= FC_C128; }

// --- walls -----------------------------------------------------------------------------------

// The same bits as in the open, against either wall; the taps are never changed.
void within_walls(const fc_job& job, Random& random, const std::vector<int>& a_step,
                  const std::vector<int>& v_step, const std::vector<int>& out_step) {
  Call call = call_of(job, random, a_step, v_step, out_step);
  bool good = true;
  for (const Walled::Side side : {Walled::kBehindWall, Walled::kBeforeWall}) {
    const Walled a(call.a, side), v(call.v, side), out(call.out, side);
    good &= fc_run(&job, nullptr, &a.view, &v.view, &out.view) == FC_OK;
    good &= call.run() == FC_OK;
    const std::vector<char> open = call.out.bytes(), taps = call.v.bytes();
    out.copy_to(call.out);
    v.copy_to(call.v);
    good &= call.out.bytes() == open && call.v.bytes() == taps;
    if (job.nbatch == 0 && job.ndim == 1) {
      fc_job looked = job;
      good &= fc_scan(&looked, &a.view, &v.view) == FC_OK;
    }
  }
  count(good, "within walls");
}

void walls(Random& random) {
  constexpr ptrdiff_t sizes[][2] = {{1, 1},   {3, 2},    {5, 9},    {17, 4},     {64, 9},
                                    {65, 33}, {300, 17}, {513, 40}, {1000, 130}, {2500, 700}};
  for (const DtypePair types : kPairs) {
    for (const fc_method method : kMethods) {
      for (const auto& size : sizes) {
        const ptrdiff_t n = size[0], m = size[1];
        const fc_job full = line_job(types, method, n, m, 0, n + m - 1);
        within_walls(full, random, {1}, {1}, {1});
        within_walls(full, random, {-1}, {2}, {-3});
        within_walls(line_job(types, method, n, m, m / 2, m / 2 + n, FC_SYMM), random, {1}, {-1},
                     {1});
      }
      for (const ptrdiff_t n : {3, 9, 21, 50}) {
        for (const ptrdiff_t m : {2, 5, 17}) {
          within_walls(picture_job(types, method, n, m), random, {1, 1}, {1, 1}, {1, 1});
          within_walls(picture_job(types, method, n, m), random, {-1, 2}, {1, -1}, {2, 1});
        }
        const fc_job lines = lines_job(types, method, n, 40, 7);
        within_walls(lines, random, {1, 1}, {0, 1}, {1, 1});
        within_walls(lines, random, {2, -1}, {0, 1}, {-1, 1});
      }
    }
    if (!are_floats(types)) continue;
    within_walls(parted_job(types, 2500, 1600, 0, 4099), random, {1}, {1}, {1});
    within_walls(parted_job(types, 2100, 1700, 900, 2700), random, {-1}, {2}, {-3});
    within_walls(parted_picture(types, 80, 60), random, {1, 1}, {1, 1}, {1, 1});
    within_walls(parted_picture(types, 70, 65), random, {-1, 2}, {1, -1}, {2, 1});
    within_walls(parted_volume(types, 19, 18), random, {1, 1, 1}, {1, 1, 1}, {1, 1, 1});
    within_walls(parted_volume(types, 21, 19), random, {2, -1, 1}, {-1, 1, 2}, {1, 2, -1});
  }
}

// fc_small, which takes its arguments bare.
void small_within_walls(Random& random) {
  for (const DtypePair types : kPairs) {
    if (naive::is_complex(types.a) || naive::is_complex(types.v)) continue;
    for (ptrdiff_t n = 1; n <= 70; n += 3) {
      for (ptrdiff_t m = 1; m <= 33; m += 2) {
        Call call = call_of(line_job(types, FC_DIRECT, n, m, 0, n + m - 1), random, {1}, {1}, {1});
        for (const Walled::Side side : {Walled::kBehindWall, Walled::kBeforeWall}) {
          const Walled a(call.a, side), v(call.v, side), out(call.out, side);
          fc_small(types.a, a.view.data, n, v.view.data, m, int(m % 4 == 1), 0, n + m - 1,
                   out.view.data);
        }
      }
    }
  }
  count(true, "fc_small within walls");
}

// --- allocations that fail -------------------------------------------------------------------

struct Told {
  fc_status status = FC_OK;
  bool failed = false;  // an allocation did
  long kept = 0;        // blocks more than before, working memory given back
};

// On a thread of its own, whose working memory ends with it.
template <class Work>
Told on_a_thread(long fail_at, Work work) {
  Told told;
  const long before = blocks;
  std::thread([&] {
    until_failure = fail_at;
    told.status = work();
    told.failed = fail_at > 0 && until_failure == 0;
    until_failure = 0;
  }).join();
  told.kept = blocks - before;
  return told;
}

// Fails at the first allocation, the second, ..., until there are no more. A failure is told or
// made up for, nothing is kept of it, and the call works when there is memory again.
template <class Work>
void every_allocation(const char* what, Work work, const std::vector<char>& result, bool warm) {
  std::vector<char> right;
  if (warm) {
    on_a_thread(0, work);
    right = result;
  }
  long at = 1;
  bool good = true, some = false;
  for (;; ++at) {
    const Told told = on_a_thread(at, work);
    if (warm) good &= told.kept == 0;
    if (!told.failed) {
      good &= told.status == FC_OK;
      break;
    }
    some = true;
    good &= told.status == FC_NO_MEMORY || (told.status == FC_OK && (!warm || result == right));
  }
  const std::vector<char> last = result;
  good &= on_a_thread(0, work).status == FC_OK && result == last;
  if (warm) good &= result == right;
  count(good, what);
  count(some, "some allocation failed");
}

void failing_allocations(Random& random) {
  int turn = 0;
  for (const DtypePair types : kPairs) {
    for (const fc_method method : kMethods) {
      const ptrdiff_t n = 3000 + 64 * turn++;  // new lengths, so that tables are made
      const fc_job jobs[] = {line_job(types, method, n, 300, 0, n + 299),
                             line_job(types, method, n, 500, 7, n, FC_SYMM),
                             picture_job(types, method, 60, 13),
                             lines_job(types, method, 9, 200, 20)};
      for (const fc_job& job : jobs) {
        const std::vector<int> ones(size_t(job.nbatch + job.ndim), 1);
        const std::vector<int> taps = job.nbatch ? std::vector<int>{0, -1} : ones;
        Call call = call_of(job, random, ones, taps, ones);
        for (const bool warm : {false, true}) {
          every_allocation("fc_run", [&] { return call.run(); }, call.out.bytes(), warm);
        }
      }
    }
  }
}

void failing_parts(Random& random) {
  for (const DtypePair types : kPairs) {
    if (!are_floats(types)) continue;
    Call call = call_of(parted_job(types, 4000, 1600, 0, 5599), random, {1}, {1}, {1});
    every_allocation("parts", [&] { return call.run(); }, call.out.bytes(), true);
    Call picture = call_of(parted_picture(types, 70, 60), random, {1, 1}, {1, 1}, {1, 1});
    every_allocation(
        "parts of a picture", [&] { return picture.run(); }, picture.out.bytes(), true);
  }
}

// Working memory of a helper outlives the call: only what is told and computed is judged.
void failing_helpers(Random& random) {
  for (const fc_method method : {FC_DIRECT, FC_OVERLAP, FC_ONESHOT}) {
    Call call =
        call_of(line_job({FC_F64, FC_F64}, method, 300000, 2000, 0, 301999), random, {1}, {1}, {1});
    fc_plan plan;
    fc_choose(&call.job, &plan);
    plan.workers = 3;
    call.run(&plan);
    const std::vector<char> right = call.out.bytes();
    bool good = true;
    for (long at = 1; at <= 12; ++at) {
      const Told told = on_a_thread(at, [&] { return call.run(&plan); });
      good &= told.status == FC_NO_MEMORY || told.status == FC_OK;
      good &= on_a_thread(0, [&] { return call.run(&plan); }).status == FC_OK;
      good &= call.out.bytes() == right;
    }
    count(good, "allocations that fail beside helpers");
  }
}

void failing_streams(Random& random) {
  for (const DtypePair types : kPairs) {
    fc_job job = line_job(types, FC_AUTO, 2000, 400, 0, 2399);
    Call call = call_of(job, random, {1}, {1}, {1});
    const auto work = [&] {
      fc_stream* stream = fc_stream_new(&job, &call.v.view);
      if (!stream) return FC_NO_MEMORY;
      fc_array x = call.a.view, y = call.out.view;
      fc_status status = FC_OK;
      for (int block = 0; block < 4 && status == FC_OK; ++block) {
        status = fc_stream_push(stream, &x, 500, &y);
        x.data = static_cast<char*>(x.data) + 500 * x.stride[0];
        y.data = static_cast<char*>(y.data) + 500 * y.stride[0];
      }
      if (status == FC_OK) status = fc_stream_tail(stream, 2000, 2399, &y);
      fc_stream_free(stream);
      return status;
    };
    every_allocation("streams", work, call.out.bytes(), true);
  }
}

void failing_spectra(Random& random) {
  for (const fc_method method : {FC_OVERLAP, FC_ONESHOT}) {
    Call call =
        call_of(line_job({FC_F64, FC_F64}, method, 4000, 200, 0, 4199), random, {1}, {1}, {1});
    call.job.accuracy = FC_NORMWISE;
    const auto work = [&] {
      call.job.spectra = fc_spectra_new(1 << 20, nullptr, 0);
      if (!call.job.spectra) return FC_NO_MEMORY;
      const fc_status status = call.run();
      fc_spectra_free(call.job.spectra);
      return status;
    };
    every_allocation("kept spectra", work, call.out.bytes(), true);
  }
}

}  // namespace

// memory_test [expected highest level] [cases]
int main(int argc, char** argv) {
  const bool brief = argc > 2 && atoi(argv[2]) <= 300;  // emulated, or under a sanitizer
  int levels = 0;
  while (levels < fc_levels() && fc_level_available(levels)) ++levels;
  for (int level = brief ? levels - 1 : 0; level < levels; ++level) {
    fc_use_level(level);
    Random random(uint64_t(level) + 1);
    walls(random);
    small_within_walls(random);
  }
  Random random(7);
  failing_allocations(random);
  failing_parts(random);
  failing_helpers(random);
  failing_streams(random);
  failing_spectra(random);
  printf("memory: %d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
