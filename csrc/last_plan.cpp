#include "last_plan.h"

#include <algorithm>

namespace fastconv {
namespace {

bool same_axis(const fc_axis& x, const fc_axis& y) {
  return x.n == y.n && x.m == y.m && x.lo == y.lo && x.hi == y.hi && x.boundary == y.boundary;
}

// All that choose() reads of jobs without other facts than outer_product.
bool alike(const fc_job& x, const fc_job& y) {
  return x.ndim == y.ndim && x.nbatch == y.nbatch && x.in_order == y.in_order &&
         x.a_dtype == y.a_dtype && x.v_dtype == y.v_dtype && x.method == y.method &&
         x.accuracy == y.accuracy && x.separable == y.separable && x.workers == y.workers &&
         x.facts.outer_product == y.facts.outer_product &&
         std::equal(x.axis, x.axis + x.ndim, y.axis, same_axis) &&
         std::equal(x.batch, x.batch + x.nbatch, y.batch) &&
         std::equal(x.shared, x.shared + x.nbatch, y.shared);
}

}  // namespace

bool LastChoice::recall(const fc_job& job, fc_plan& plan) const {
  const int level = fc_level();
  if (plan_.level != level || costs_ != &costs_of(level) || !alike(job, job_)) return false;
  plan.chosen = plan_.chosen, plan.level = plan_.level, plan.workers = plan_.workers;
  return true;
}

void LastChoice::keep(const fc_job& job, const Costs& costs, const fc_plan& plan) {
  costs_ = &costs, job_ = job, plan_ = plan;
}

void choose_again(const fc_job& job, fc_plan& plan) {
  constexpr int kKept = 4;
  static thread_local LastChoice last[kKept];
  static thread_local int next = 0;
  for (const LastChoice& choice : last) {
    if (choice.recall(job, plan)) return;
  }
  const Costs& costs = costs_of(fc_level());
  fc_choose(&job, &plan);
  // Where nothing was compared there is nothing to save.
  if (plan.candidates <= 1) return;
  last[next].keep(job, costs, plan);
  next = (next + 1) % kKept;
}

bool LastPlan::recall(const fc_job& job, const fc_array& v, fc_plan& plan, int& outer_product) {
  if (taken_.test_and_set(std::memory_order_acquire)) return false;
  const int axes = job.nbatch + job.ndim;
  const bool found = v.data == v_.data && choice_.recall(job, plan) &&
                     std::equal(v.stride, v.stride + axes, v_.stride);
  if (found) outer_product = outer_product_;
  taken_.clear(std::memory_order_release);
  return found;
}

void LastPlan::keep(const fc_job& job, const fc_array& v, const fc_plan& plan, int outer_product) {
  if (taken_.test_and_set(std::memory_order_acquire)) return;
  choice_.keep(job, costs_of(fc_level()), plan);
  v_ = v, outer_product_ = outer_product;
  taken_.clear(std::memory_order_release);
}

}  // namespace fastconv
