// How many threads a call may use: the process's number, a thread's own, and a limit on both.
#include <atomic>

#include "fastconv.h"

namespace {

std::atomic<int> for_all{1}, limit{FC_MOST_WORKERS};
thread_local int for_this_thread = 0;

int limited(int workers) {
  const int most = limit;
  return workers < most ? workers : most;
}

}  // namespace

extern "C" {

void fc_set_workers(int workers) { for_all = workers; }

int fc_set_thread_workers(int workers) {
  const int before = for_this_thread;
  for_this_thread = workers;
  return before;
}

// A limiter that restores what it found asks for the number for all.
void fc_limit_workers(int workers) {
  limit = workers >= for_all ? FC_MOST_WORKERS : workers < 1 ? 1 : workers;
}

int fc_worker_limit(void) { return limit; }

int fc_default_workers(void) { return limited(for_all); }

int fc_workers(void) { return limited(for_this_thread ? for_this_thread : for_all.load()); }
}
