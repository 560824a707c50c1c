// What threads share: the pool, sections of work, and calls by several workers.
#pragma once
#include <atomic>
#include <new>
#include <thread>

#include "check.h"
#include "engine.h"
#include "pool.h"

namespace native {

// Each item once, by whoever takes it; nested sections stay on their thread.
inline void sections() {
  fastconv::Context context(fastconv::kernels(fc_level()), nullptr, nullptr, 3);
  std::vector<std::atomic<int>> taken(5000);
  std::atomic<bool> nested_here{true};
  context.share(5000, 1e5, [&](fastconv::Context& own, fastconv::Shares& shares) {
    for (fastconv::Range r; shares.next(r);) {
      for (ptrdiff_t i = r.first; i < r.last; ++i) ++taken[size_t(i)];
      const std::thread::id here = std::this_thread::get_id();
      own.share(100, 1e6, [&](fastconv::Context&, fastconv::Shares& inner) {
        if (std::this_thread::get_id() != here) nested_here = false;
        for (fastconv::Range s; inner.next(s);) continue;
      });
      if (own.worker() == 0) continue;
      fastconv::run_together(
          3, [&](int worker) { nested_here = nested_here && worker == 0; }, [] {});
    }
  });
  bool once = true;
  for (const std::atomic<int>& times : taken) once &= times == 1;
  count(once, "each item of a section is taken once");
  count(nested_here, "a helper gets no help");
}

// What a thread throws is thrown by the section, once the others are back.
inline void failing_sections() {
  for (int who = 0; who < 2; ++who) {
    fastconv::Context context(fastconv::kernels(fc_level()), nullptr, nullptr, 2);
    std::atomic<bool> both{false}, thrown{false};
    bool caught = false;
    try {
      context.share(1000, 1e6, [&](fastconv::Context& own, fastconv::Shares& shares) {
        if (own.worker() == 1) both = true;
        for (fastconv::Range r; shares.next(r);) {
          while (!both) std::this_thread::yield();  // till the helper is there
          if (own.worker() != who) continue;
          thrown = true;
          throw std::bad_alloc();
        }
      });
    } catch (const std::bad_alloc&) {
      caught = true;
    }
    // Either may find that the other has taken everything.
    count(caught == thrown, "a failure comes back");
  }
}

// Several callers, each with several workers, over every way of computing.
inline void callers() {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 3; ++caller) {
    threads.emplace_back([&, caller] {
      Random random(uint64_t(caller) + 7);
      for (const fc_method method : {FC_DIRECT, FC_OVERLAP, FC_ONESHOT}) {
        for (const fc_dtype dtype : {FC_F32, FC_F64, FC_C128, FC_I32}) {
          const ptrdiff_t n = 60000, m = method == FC_ONESHOT ? 9000 : 300, count = n + m - 1;
          fc_job job = empty_job({dtype, dtype}, method);
          job.ndim = 1;
          set_axis(job, 0, n, m, 0, count);
          Array a(dtype, {n}, {1}), v(dtype, {m}, {1});
          Array one(dtype, {count}, {1}), more(dtype, {count}, {1});
          a.fill_random(random);
          v.fill_random(random);
          fc_plan plan;
          fc_choose(&job, &plan);
          wrong += fc_run(&job, &plan, &a.view, &v.view, &one.view) != FC_OK;
          plan.workers = 3;
          wrong += fc_run(&job, &plan, &a.view, &v.view, &more.view) != FC_OK;
          wrong += one.bytes() != more.bytes();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  count(wrong == 0, "several callers with several workers: the bits of one");
}

}  // namespace native
