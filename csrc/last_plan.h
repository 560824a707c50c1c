// The plan that calls with one kernel were last given, for the next of the same shape: to choose
// takes as long as a short transform.
#pragma once
#include <atomic>

#include "engine.h"

namespace fastconv {

// One plan is kept, and a thread that finds another at it chooses for itself.
class LastPlan {
 public:
  // The plan of such a job with such taps, and what it knows of them. False: there is none.
  bool recall(const fc_job&, const fc_array& v, fc_plan&, int& outer_product);

  // The taps must not change from then on.
  void keep(const fc_job&, const fc_array& v, const fc_plan&, int outer_product);

 private:
  bool is_of(const fc_job&, const fc_array& v) const;

  std::atomic_flag taken_ = ATOMIC_FLAG_INIT;
  const Costs* costs_ = nullptr;  // those of a level, or set for it, have an address of their own
  fc_job job_;
  fc_array v_;
  fc_plan plan_;
  int outer_product_;
};

}  // namespace fastconv
