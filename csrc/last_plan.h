// Plans that calls were last given, for the next of the same shapes: to choose takes as long as a
// short transform.
#pragma once
#include <atomic>

#include "engine.h"

namespace fastconv {

// Of one job. What the data says has no part in it, but for facts.outer_product.
class LastChoice {
 public:
  bool recall(const fc_job&, fc_plan&) const;              // false: there is none for such a job
  void keep(const fc_job&, const Costs&, const fc_plan&);  // the costs it was chosen by

 private:
  const Costs* costs_ = nullptr;  // those of a level, or set for it, have an address of their own
  fc_job job_ = {};
  fc_plan plan_ = {};
};

// Chooses, or knows what this thread was given for one of the last few jobs like it.
void choose_again(const fc_job&, fc_plan&);

// Of calls with one kernel, with what is known of its taps. A thread that finds another at it
// chooses for itself.
class LastPlan {
 public:
  // The plan of such a job with such taps, and what it knows of them. False: there is none.
  bool recall(const fc_job&, const fc_array& v, fc_plan&, int& outer_product);

  // The taps must not change from then on.
  void keep(const fc_job&, const fc_array& v, const fc_plan&, int outer_product);

 private:
  std::atomic_flag taken_ = ATOMIC_FLAG_INIT;
  LastChoice choice_;
  fc_array v_ = {};
  int outer_product_;
};

}  // namespace fastconv
