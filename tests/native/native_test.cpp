// csrc alone, without Python: every level this CPU runs, every dtype and method,
// against naive.h. Prints each failure and "N passed, N failed".
#include <stdlib.h>
#include <string.h>

#include <thread>

#include "check.h"
#include "runtime.h"
#include "streams.h"
#include "threads.h"

using namespace native;

namespace {

// Leaves NaN in whatever working memory the next call will get.
void dirty_scratch() {
  fc_job job = empty_job({FC_F64, FC_F64}, FC_OVERLAP);
  job.ndim = 1;
  set_axis(job, 0, 20000, 500, 0, 20499);
  std::vector<double> a(20000, nan("")), v(500, 1.0), out(20499);
  fc_array A = {a.data(), {8}}, V = {v.data(), {8}}, O = {out.data(), {8}};
  count(fc_run(&job, nullptr, &A, &V, &O) == FC_OK && isnan(out[0]), "dirty scratch");
}

// Every length up to a few vectors, with every kernel, and the windows inside.
void short_rows(Random& random) {
  constexpr ptrdiff_t lengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 33, 64, 65};
  for (const DtypePair types : kPairs) {
    for (const fc_method method : kMethods) {
      for (const ptrdiff_t n : lengths) {
        for (const ptrdiff_t m : lengths) {
          fc_job job = empty_job(types, method);
          job.ndim = 1;
          set_axis(job, 0, n, m, 0, n + m - 1);
          check(job, random, {1}, {1}, {1});
          const ptrdiff_t lo = random.between(0, n + m - 2);
          set_axis(job, 0, n, m, lo, random.between(lo, n + m - 1));
          if (job.axis[0].hi > lo) check(job, random, {1}, {-1}, {1}, int(random.between(0, 9)));
        }
      }
    }
  }
}

// Around register blocks, tap tiles and transform lengths.
void long_rows(Random& random) {
  constexpr ptrdiff_t sizes[][2] = {{127, 127}, {128, 64},   {129, 100},  {1000, 31},
                                    {1023, 5},  {1025, 256}, {4095, 511}, {4097, 1024},
                                    {300, 900}, {5000, 333}, {9999, 65},  {3000, 3000}};
  for (const DtypePair types : kPairs) {
    for (const fc_method method : kMethods) {
      for (const auto& size : sizes) {
        const ptrdiff_t n = size[0], m = size[1];
        fc_job job = empty_job(types, method);
        job.ndim = 1;
        set_axis(job, 0, n, m, 0, n + m - 1);
        check(job, random, {1}, {1}, {1}, 0, 20);
        set_axis(job, 0, n, m, m / 2, m / 2 + n);
        check(job, random, {2}, {-1}, {3}, 1, 20);
      }
    }
  }
}

void images(Random& random) {
  constexpr ptrdiff_t sizes[][4] = {{1, 1, 1, 1},   {1, 20, 1, 5},  {20, 1, 5, 1},   {9, 17, 3, 3},
                                    {16, 33, 5, 5}, {12, 40, 7, 7}, {8, 9, 11, 13},  {30, 31, 2, 9},
                                    {5, 64, 9, 2},  {3, 200, 3, 3}, {40, 40, 15, 15}};
  for (const DtypePair types : kPairs) {
    for (const fc_method method : kMethods) {
      for (const auto& size : sizes) {
        fc_job job = empty_job(types, method);
        job.ndim = 2;
        for (int d = 0; d < 2; ++d) {
          set_axis(job, d, size[d], size[2 + d], 0, size[d] + size[2 + d] - 1);
        }
        check(job, random, {1, 1}, {1, 1}, {1, 1}, 0, 10);
        for (int d = 0; d < 2; ++d) {
          job.axis[d].lo = (job.axis[d].m - 1) / 2;
          job.axis[d].hi = job.axis[d].lo + job.axis[d].n;
        }
        check(job, random, {2, -1}, {1, 2}, {-1, 2}, 1, 10);
      }
    }
  }
}

// One to three axes, up to two batches, any stride, boundary, window and fill.
void anything(Random& random, int cases) {
  for (int i = 0; i < cases; ++i) {
    const DtypePair types =
        kPairs[random.between(0, ptrdiff_t(sizeof kPairs / sizeof *kPairs) - 1)];
    fc_job job = empty_job(types, kMethods[random.between(0, 3)]);
    job.ndim = int(random.between(1, 3));
    job.nbatch = int(random.between(0, 2));
    job.after = int(random.between(0, job.nbatch));
    job.conjugate = random.between(0, 1) == 1;
    if (random.between(0, 1)) {
      job.fill[0] = job.fill_bits = types.a == FC_BOOL ? 1 : random.between(-9, 9);
      job.fill[1] = naive::is_complex(types.a) ? double(random.between(-9, 9)) : 0;
    }
    const auto boundary = fc_boundary(random.between(0, 2));
    const ptrdiff_t longest = job.ndim == 1 ? 90 : job.ndim == 2 ? 20 : 7;
    std::vector<int> a_step, v_step, out_step;
    const auto step = [&] { return int(random.between(0, 1) ? 1 : random.between(0, 1) ? -1 : 2); };
    for (int b = 0; b < job.nbatch; ++b) {
      job.batch[b] = random.between(1, 4);
      a_step.push_back(random.between(0, 3) ? step() : 0);
      v_step.push_back(random.between(0, 2) ? 0 : step());
      const bool a_stays = a_step.back() == 0, v_stays = v_step.back() == 0;
      job.shared[b] = v_stays ? FC_SHARES_V : a_stays ? FC_SHARES_A : FC_SHARES_NONE;
      out_step.push_back(step());
    }
    for (int d = 0; d < job.ndim; ++d) {
      const ptrdiff_t n = random.between(1, longest), m = random.between(1, longest);
      const ptrdiff_t lo = random.between(0, n + m - 2), hi = random.between(lo + 1, n + m - 1);
      set_axis(job, d, n, m, lo, hi, boundary);
      a_step.push_back(step());
      v_step.push_back(step());
      out_step.push_back(step());
    }
    check(job, random, a_step, v_step, out_step, int(random.between(0, 7)), 6,
          random.between(0, 1) == 1, random.between(0, 1) == 1);
  }
}

// Many lines under one kernel, in rows, in columns and from one to the other.
void lines(Random& random) {
  for (const DtypePair types : kPairs) {
    for (const fc_method method : kMethods) {
      for (const ptrdiff_t count : {2, 7, 8, 16, 33, 70}) {
        for (const ptrdiff_t m : {2, 5, 40}) {
          const ptrdiff_t n = random.between(3, 120);
          fc_job job = empty_job(types, method);
          job.ndim = job.nbatch = 1;
          job.batch[0] = count;
          job.shared[0] = FC_SHARES_V;
          job.after = int(random.between(0, 1));
          const ptrdiff_t lo = random.between(0, n + m - 2);
          set_axis(job, 0, n, m, lo, random.between(lo + 1, n + m - 1));
          for (const bool a_columns : {false, true}) {
            for (const bool out_columns : {false, true}) {
              check(job, random, {1, 1}, {0, 1}, {1, 1}, 0, 12, a_columns, out_columns);
            }
          }
        }
      }
    }
  }
}

// Signals under banks of kernels, in groups that fill the lanes and that do not, their
// blocks short enough to be many; and the scan of the same.
void banks(Random& random) {
  for (const DtypePair types : kPairs) {
    for (const ptrdiff_t count : {1, 3, 37, 70}) {
      for (const ptrdiff_t kernels : {2, 5}) {
        const ptrdiff_t n = random.between(1, 200), m = random.between(2, 20);
        fc_job job = empty_job(types, FC_OVERLAP);
        job.ndim = 1;
        job.nbatch = 2;
        job.batch[0] = kernels, job.batch[1] = count;
        job.shared[0] = FC_SHARES_A, job.shared[1] = FC_SHARES_V;
        const ptrdiff_t lo = random.between(0, n + m - 2);
        set_axis(job, 0, n, m, lo, random.between(lo + 1, n + m - 1),
                 fc_boundary(random.between(0, 2)));
        fc_plan plan;
        fc_choose(&job, &plan);
        plan.chosen = {FC_OVERLAP, plan.chosen.ring, {1, 64}, 1, {1, 1}, 0};
        for (const int after : {0, 1}) {
          job.after = after;
          const int out = random.between(0, 1) ? 1 : -2;
          check(job, random, {0, 1, 1}, {1, 0, -1}, {out, 1, 1}, 0, 9, after, !after, &plan);
          check(job, random, {0, -2, 1}, {2, 0, 1}, {1, 2, 1}, 0, 9, !after, after);
          job.facts.known = 0;
          Array a(types.a, {1, count, n}, {0, 1, 1}), v(types.v, {kernels, 1, m}, {1, 0, 1});
          a.fill_random(random);
          v.fill_random(random);
          count_scan(job, a, v);
        }
      }
    }
  }
}

// The same by long transforms: forward once, back once for each kernel.
void banks_by_matrix(Random& random) {
  for (const DtypePair types : kPairs) {
    for (const fc_method method : {FC_OVERLAP, FC_ONESHOT}) {
      const ptrdiff_t n = random.between(300, 900), m = random.between(2, 120);
      fc_job job = empty_job(types, method);
      job.ndim = 1;
      job.nbatch = 2;
      job.batch[0] = 3, job.batch[1] = random.between(2, 5);
      job.shared[0] = FC_SHARES_A, job.shared[1] = FC_SHARES_V;
      set_axis(job, 0, n, m, random.between(0, n / 2), n + m - 1);
      fc_plan plan;
      fc_choose(&job, &plan);
      const ptrdiff_t length = method == FC_OVERLAP ? 512 : 1024;
      plan.chosen = {method, plan.chosen.ring, {1, length}, 0, {1, 1}, 0};
      check(job, random, {0, 1, 1}, {1, 0, -1}, {-2, 1, 1}, 0, 20, false, false, &plan);
    }
  }
}

// Kept spectra are those of the very taps: other kernels of the same size meet the same
// store, the same kernel meets it twice, and one with no room keeps nothing.
void kept_spectra(Random& random) {
  for (const DtypePair types : kPairs) {
    for (const ptrdiff_t rows : {1, 30}) {
      for (const fc_method method : {FC_OVERLAP, FC_ONESHOT}) {
        fc_job job = empty_job(types, method);
        job.ndim = rows > 1 ? 2 : 1;
        const ptrdiff_t n = rows > 1 ? 40 : 3000, m = rows > 1 ? 7 : 150;
        if (rows > 1) set_axis(job, 0, rows, 5, 0, rows);
        set_axis(job, job.ndim - 1, n, m, 0, n + m - 1);
        job.spectra = fc_spectra_new(1 << 20, nullptr, 0);
        job.accuracy = FC_NORMWISE;  // no guard: transforms, whatever the data
        const std::vector<int> steps(size_t(job.ndim), 1);
        for (int kernel = 0; kernel < 3; ++kernel) check(job, random, steps, steps, steps, 0, 20);
        Array a(types.a, {rows, n}, {1, 1}), v(types.v, {rows > 1 ? 5 : 1, m}, {1, 1});
        const std::vector<ptrdiff_t> out = {rows, n + m - 1};
        Array first(result_dtype(types), out, {1, 1}), second(result_dtype(types), out, {1, 1});
        Array alone(result_dtype(types), out, {1, 1});
        a.fill_random(random);
        v.fill_random(random);
        const ptrdiff_t skip = rows > 1 ? 0 : 1;  // a line is a row of its picture
        const auto view = [&](const Array& x) {
          fc_array seen = {x.view.data, {x.view.stride[skip], x.view.stride[1]}};
          return seen;
        };
        const fc_array from = view(a), taps = view(v),
                       to[] = {view(first), view(second), view(alone)};
        bool good = fc_run(&job, nullptr, &from, &taps, &to[0]) == FC_OK;
        const size_t kept = fc_spectra_bytes(job.spectra);
        good &= kept > 0 && kept <= 1 << 20 && !fc_spectra_full(job.spectra);
        good &= fc_run(&job, nullptr, &from, &taps, &to[1]) == FC_OK;
        good &= fc_spectra_bytes(job.spectra) == kept && first.bytes() == second.bytes();
        fc_spectra_free(job.spectra);
        job.spectra = fc_spectra_new(100, nullptr, 0);
        good &= fc_run(&job, nullptr, &from, &taps, &to[2]) == FC_OK;
        good &= fc_spectra_bytes(job.spectra) == 0 && first.bytes() == alone.bytes();
        fc_spectra_free(job.spectra);
        count(good, "kept spectra");
      }
    }
  }
}

// fc_small does the whole job or nothing, and never declines the smallest.
void small_calls(Random& random) {
  for (const DtypePair types : kPairs) {
    if (naive::is_complex(types.a) || naive::is_complex(types.v)) continue;
    for (ptrdiff_t n = 1; n <= 40; ++n) {
      for (ptrdiff_t m = 1; m <= 12; ++m) {
        fc_job job = empty_job(types, FC_DIRECT);
        job.ndim = 1;
        const ptrdiff_t lo = random.between(0, n + m - 2);
        set_axis(job, 0, n, m, lo, random.between(lo + 1, n + m - 1));
        const int reverse = int(random.between(0, 1));
        Array a(types.a, {n}, {1}), v(types.v, {m}, {1}), out(types.a, {job.axis[0].hi - lo}, {1});
        a.fill_random(random);
        v.fill_random(random);
        const std::vector<char> before = out.bytes();
        const int done = fc_small(types.a, a.view.data, n, v.view.data, m, reverse, lo,
                                  job.axis[0].hi, out.view.data);
        bool good = done || out.bytes() == before;
        if (reverse) {
          v.view.data = static_cast<char*>(v.view.data) + (m - 1) * v.view.stride[0];
          v.view.stride[0] = -v.view.stride[0];
        }
        if (done) {
          out.each([&](const ptrdiff_t* i) {
            const double terms = double(n < m ? n : m);
            good &= naive::agrees(job, types.a, out.at(i), naive::output(job, a, v, i), terms);
          });
        }
        count(good, "fc_small");
      }
    }
  }
}

// The same job gives the same plan, and a plan is carried out.
void plans() {
  for (const DtypePair types : kPairs) {
    fc_job job = empty_job(types, FC_AUTO);
    job.ndim = 1;
    set_axis(job, 0, 100000, 1000, 0, 100999);
    fc_plan first, second;
    memset(&first, 0, sizeof first);
    memset(&second, 0xff, sizeof second);
    fc_choose(&job, &first);
    fc_choose(&job, &second);
    bool good = first.chosen.method == second.chosen.method && first.chosen.method != FC_AUTO &&
                first.chosen.ring == second.chosen.ring && first.candidates == second.candidates &&
                first.chosen.predicted_ns == second.chosen.predicted_ns && first.candidates >= 1 &&
                first.candidates <= FC_MAX_CANDIDATES;
    for (int i = 0; good && i + 1 < first.candidates; ++i) {
      good = first.candidate[i].predicted_ns <= first.candidate[i + 1].predicted_ns;
    }
    count(good, "fc_choose");
  }
}

// Shapes that no memory holds, as arrays that broadcast may have, are chosen for all the
// same: by direct sums, in time, with numbers that can be compared.
void endless_plans() {
  constexpr ptrdiff_t far = PTRDIFF_MAX;
  const std::vector<std::vector<ptrdiff_t>> shapes = {
      {far / 2}, {far / 8, far / 8}, {far, 3}, {1 << 20, 1 << 20, 1 << 20, 1 << 20}};
  for (const auto& shape : shapes) {
    for (const fc_method method : kMethods) {
      for (const DtypePair types : kPairs) {
        fc_job job = empty_job(types, method);
        job.ndim = int(shape.size());
        for (int d = 0; d < job.ndim; ++d) {
          const ptrdiff_t n = shape[size_t(d)];
          set_axis(job, d, n, n, n - 1, n);
        }
        fc_plan plan;
        fc_choose(&job, &plan);
        count(plan.chosen.method == FC_DIRECT && plan.chosen.predicted_ns > 0 &&
                  isfinite(plan.chosen.predicted_ns),
              "fc_choose of an endless shape");
      }
    }
  }
}

int count_poll(void* calls) { return ++*static_cast<int*>(calls) < 0; }

// Sums so small that their calls are all that takes time ask now and then too.
void polls_of_small_slices() {
  constexpr int kAxes = 8;
  constexpr ptrdiff_t n = 3, m = 4;
  const std::vector<int> ones(kAxes, 1);
  Array a(FC_F64, std::vector<ptrdiff_t>(kAxes, n), ones);
  Array v(FC_F64, std::vector<ptrdiff_t>(kAxes, m), ones);
  Array out(FC_F64, std::vector<ptrdiff_t>(kAxes, n + m - 1), ones);
  fc_job job = empty_job({FC_F64, FC_F64}, FC_DIRECT);
  job.ndim = kAxes;
  for (int d = 0; d < kAxes; ++d) set_axis(job, d, n, m, 0, n + m - 1);
  int calls = 0;
  job.poll = count_poll;
  job.poll_context = &calls;
  count(fc_run(&job, nullptr, &a.view, &v.view, &out.view) == FC_OK && calls >= 2,
        "polls of small slices");
}

int stop(void* calls) { return ++*static_cast<int*>(calls) >= 2; }

// A poll that says stop is obeyed, soon, and the next call works.
void interruption(Random& random) {
  const ptrdiff_t n = 2000000, m = 3000;
  std::vector<double> a(size_t(n), 1.0), v(size_t(m), 1.0), out(size_t(n + m - 1));
  fc_array A = {a.data(), {8}}, V = {v.data(), {8}}, O = {out.data(), {8}};
  fc_job job = empty_job({FC_F64, FC_F64}, FC_DIRECT);
  job.ndim = 1;
  set_axis(job, 0, n, m, 0, n + m - 1);
  int calls = 0;
  job.poll = stop;
  job.poll_context = &calls;
  count(fc_run(&job, nullptr, &A, &V, &O) == FC_INTERRUPTED && calls == 2, "interruption");
  // Integers through transforms, of many digits: more than one poll of work on every level.
  const ptrdiff_t taps = 200000;
  std::vector<long long> x(size_t(n), (1ll << 62) + 1), w(size_t(taps), (1ll << 61) + 3),
      y(size_t(n + taps - 1));
  fc_array X = {x.data(), {8}}, W = {w.data(), {8}}, Y = {y.data(), {8}};
  fc_job integers = empty_job({FC_I64, FC_I64}, FC_AUTO);
  integers.ndim = 1;
  set_axis(integers, 0, n, taps, 0, n + taps - 1);
  calls = 1;
  integers.poll = stop;
  integers.poll_context = &calls;
  count(fc_run(&integers, nullptr, &X, &W, &Y) == FC_INTERRUPTED && calls == 2, "interruption");
  fc_job next = empty_job({FC_F64, FC_F64}, FC_AUTO);
  next.ndim = 1;
  set_axis(next, 0, 100, 10, 0, 109);
  check(next, random, {1}, {1}, {1});
}

// native_test [expected highest level] [cases]
// Working memory of everyday calls is kept, that of long ones given back.
void memory_is_given_back() {
  constexpr ptrdiff_t kept_bytes = ptrdiff_t(64) << 20, n = 1 << 21;
  fc_job job = empty_job({FC_F64, FC_F64}, FC_ONESHOT);
  job.ndim = 1;
  set_axis(job, 0, n, n, 0, 2 * n - 1);
  std::vector<double> a(n, 1.0), v(n, 1.0), out(2 * n - 1);
  fc_array A = {a.data(), {8}}, V = {v.data(), {8}}, O = {out.data(), {8}};
  count(fc_run(&job, nullptr, &A, &V, &O) == FC_OK && fabs(out[n - 1] - n) < 1, "a long one-shot");
  count(ptrdiff_t(fastconv::arena_bytes()) <= kept_bytes, "its memory is given back");
}

// Pieces that are no longer in use make room for what is larger than each of them.
void working_memory_is_merged() {
  constexpr ptrdiff_t piece = 100000, pieces = 60, all = pieces * piece;
  std::thread([&] {  // its arena is new
    {
      fastconv::Scratch scratch;
      for (ptrdiff_t i = 0; i < pieces; ++i) scratch.take<char>(piece);
    }
    const ptrdiff_t before = ptrdiff_t(fastconv::arena_bytes());
    fastconv::Scratch scratch;
    memset(scratch.take<char>(all), 1, size_t(all));
    const ptrdiff_t after = ptrdiff_t(fastconv::arena_bytes());
    count(before >= all && after >= all && after < 2 * all, "small pieces make room");
  })
      .join();
}

// What is believed of a level can be set, is used at once, and can be set back.
void costs_as_data() {
  size_t numbers = 0;
  for (int field = 0; field < fc_cost_fields(); ++field) numbers += size_t(fc_cost_size(field));
  std::vector<double> shipped(numbers), seen(numbers);
  const int level = fc_level();
  fc_get_costs(level, shipped.data());
  std::vector<double> other = shipped;
  for (double& x : other) x *= 3;
  count(fc_set_costs(level, other.data()) == FC_OK, "fc_set_costs");
  fc_get_costs(level, seen.data());
  count(seen == other, "costs are those that were set");
  count(fc_set_costs(level, nullptr) == FC_OK, "fc_set_costs of none");
  fc_get_costs(level, seen.data());
  count(seen == shipped, "costs are the shipped ones again");
}

}  // namespace

int main(int argc, char** argv) {
  int levels = 0;
  while (levels < fc_levels() && fc_level_available(levels)) ++levels;
  if (argc > 1 && argv[1][0]) {
    count(!strcmp(fc_level_name(levels - 1), argv[1]), "the highest level is the expected one");
  }
  count(fc_level() == levels - 1, "the highest level is the default");
  const int cases = argc > 2 ? atoi(argv[2]) : 2000;

  for (int level = 0; level < levels; ++level) {
    count(fc_use_level(level) == level && fc_level() == level, "fc_use_level");
    const int before = passed;
    Random random(uint64_t(level) + 1);
    dirty_scratch();
    small_calls(random);
    short_rows(random);
    long_rows(random);
    images(random);
    lines(random);
    banks(random);
    banks_by_matrix(random);
    kept_spectra(random);
    // Emulated processors ask for few cases: a third of the time would be this.
    if (cases > 300) streams(random);
    anything(random, cases);
    plans();
    endless_plans();
    polls_of_small_slices();
    costs_as_data();
    sections();
    failing_sections();
    callers();
    printf("%s: %d passed\n", fc_level_name(level), passed - before);
  }
  Random random(99);
  interruption(random);
  memory_is_given_back();
  working_memory_is_merged();
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
