#include "pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

#include "system.h"

namespace fastconv {
namespace {

// How often a caller that waits looks up: Ctrl-C feels immediate.
constexpr std::chrono::milliseconds kLookUp(50);

// How long one looks out before one sleeps: a call has several sections, of which each ends within
// microseconds on all threads, and to be woken takes longer than that.
constexpr std::chrono::microseconds kLookOut(50);

// What a call wants done, on its caller's stack.
struct Task {
  FunctionRef<void(int)> body;
  std::atomic<int> helpers{0};  // that have not returned yet
  std::condition_variable done;
};

// A thread and what it has been given.
struct Helper {
  std::condition_variable wake;
  std::atomic<Task*> task{nullptr};
  int worker = 0;
  Helper* next_idle = nullptr;
};

// Everything in it, tasks and helpers included, is changed under its mutex. It is never
// destroyed: the threads sleep on it when the process ends.
struct Pool {
  std::mutex mutex;
  Helper* idle = nullptr;
  int threads = 0;
};

std::atomic<Pool*> the_pool{nullptr};
thread_local bool helping = false;

// A forked child has none of the threads, and the mutex may be held by one of them: it
// begins anew.
void forget() { the_pool.store(nullptr); }

Pool* pool() {
  static const bool watched = watch_forks(forget);
  if (!watched) return nullptr;
  Pool* found = the_pool.load();
  if (found) return found;
  Pool* fresh = new (std::nothrow) Pool;
  if (!fresh || the_pool.compare_exchange_strong(found, fresh)) return fresh;
  delete fresh;
  return found;
}

// Until it is so, or for kLookOut. Whoever has use for the processor gets it.
template <class IsSo>
void look_out(IsSo is_so) {
  const auto end = std::chrono::steady_clock::now() + kLookOut;
  while (!is_so() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

void help(Pool* pool, Helper* self) {
  helping = true;
  name_thread();
  std::unique_lock<std::mutex> lock(pool->mutex);
  for (;;) {
    const auto is_wanted = [&] { return self->task.load() != nullptr; };
    lock.unlock();
    look_out(is_wanted);
    lock.lock();
    self->wake.wait(lock, is_wanted);
    Task* task = self->task;
    lock.unlock();
    task->body(self->worker);
    lock.lock();
    self->task = nullptr;
    self->next_idle = pool->idle;
    pool->idle = self;
    if (--task->helpers == 0) task->done.notify_one();
  }
}

// A thread that takes no signals: they are the main program's. Null where the system gives
// no more.
Helper* start(Pool* pool) {
  Helper* helper = new (std::nothrow) Helper;
  if (!helper) return nullptr;
  bool started = false;
  without_signals([&] {
    try {
      std::thread(help, pool, helper).detach();
      started = true;
    } catch (const std::exception&) {  // no thread, or no memory for one
    }
  });
  if (!started) return delete helper, nullptr;
  ++pool->threads;
  return helper;
}

// Idle threads first; new ones while there are fewer than this call could use alone, so
// that many callers at once do not make many times as many threads as are wanted.
void enlist(Pool* pool, Task& task, int wanted) {
  const std::lock_guard<std::mutex> lock(pool->mutex);
  while (task.helpers < wanted) {
    Helper* helper = pool->idle;
    if (helper) {
      pool->idle = helper->next_idle;
    } else if (pool->threads < wanted) {
      helper = start(pool);
    }
    if (!helper) return;
    helper->task = &task;
    helper->worker = ++task.helpers;
    helper->wake.notify_one();
  }
}

}  // namespace

void run_together(int threads, FunctionRef<void(int)> body, FunctionRef<void()> waiting) {
  Task task{body};
  Pool* from = threads > 1 && !helping ? pool() : nullptr;
  if (from) enlist(from, task, threads - 1);
  body(0);
  if (!from) return;
  const auto is_done = [&] { return task.helpers.load() == 0; };
  look_out(is_done);
  // The last helper lets go of the task with the mutex.
  std::unique_lock<std::mutex> lock(from->mutex);
  while (!task.done.wait_for(lock, kLookUp, is_done)) {
    lock.unlock();
    waiting();
    lock.lock();
  }
}

}  // namespace fastconv
