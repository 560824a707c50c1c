// Work shared out between threads, and the way to be interrupted.
#include <algorithm>
#include <exception>

#include "engine.h"
#include "pool.h"

namespace fastconv {
namespace {

// What a share of the work must be worth: 5 us, a hundred times its taking from another core.
constexpr double kShareMacs = kHelpMacs / 4;

// A poll may have to wait for other threads of the interpreter.
constexpr std::chrono::milliseconds kPollEvery(50);

}  // namespace

bool Shares::next(Range& range) {
  Index at = taken_.load(std::memory_order_relaxed), some;
  do {
    if (at >= count_) return false;
    // Ever smaller ones, and none large: all threads end together, though one be late or
    // robbed of its processor for a while.
    some = workers_ == 1 ? count_ - at : (count_ - at) / (4 * workers_);
    some = std::min(count_ - at, std::max(least_, some));
  } while (!taken_.compare_exchange_weak(at, at + some, std::memory_order_relaxed));
  range = {at, at + some};
  return true;
}

// The first failure of a section; the others stop when they see it.
class Context::Failure {
 public:
  bool seen() const { return seen_.load(std::memory_order_relaxed); }

  void keep() {
    if (!seen_.exchange(true)) first_ = std::current_exception();
  }

  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::atomic<bool> seen_{false};
  std::exception_ptr first_;  // read when all threads are back
};

void Context::look() {
  spent_ = 0;
  if (failure_ && failure_->seen()) throw Interrupted{};
  if (!poll_) return;
  const Clock::time_point now = Clock::now();
  if (polled_ == Clock::time_point()) polled_ = now;  // the first look of a call
  if (now - polled_ < kPollEvery) return;
  polled_ = now;
  if (poll_(poll_context_)) throw Interrupted{};
}

void Context::share(Index count, double macs, ShareBody body) {
  const double worth = double(count) * macs / kHelpMacs;
  const int most = std::min(workers_, fc_worker_limit());
  const int workers = int(std::min({double(most), double(count), worth}));
  if (workers <= 1) {
    Shares all(count, count, 1);
    return body(*this, all);
  }
  Shares shares(count, Index(std::min(double(count), kShareMacs / macs)) + 1, workers);
  Failure failure;
  // Only the caller's thread may poll.
  const auto work = [&](int worker) {
    Context own(kernels, worker ? nullptr : poll_, poll_context_, 1);
    own.worker_ = worker;
    own.failure_ = &failure;
    if (worker == 0) own.spent_ = spent_, own.polled_ = polled_;
    try {
      body(own, shares);
    } catch (...) {
      failure.keep();
      shares.stop();
    }
    if (worker == 0) spent_ = own.spent_, polled_ = own.polled_;
  };
  const auto waiting = [&] {
    if (failure.seen() || !poll_ || !poll_(poll_context_)) return;
    try {
      throw Interrupted{};
    } catch (...) {
      failure.keep();
    }
    shares.stop();
  };
  run_together(workers, work, waiting);
  failure.rethrow();
}

// Of `workers` some are then idle for a fifth of the time, at the worst.
void Context::share_many(Index count, double macs, ShareBody body) {
  constexpr Index kMany = 4;
  if (count >= kMany * workers_) return share(count, macs, body);
  Shares all(count, count, 1);
  body(*this, all);
}

}  // namespace fastconv
