// A job with the arrays it is for, filled at random.
#pragma once
#include "check.h"

namespace native {

struct Call {
  fc_job job;
  Array a, v, out;

  fc_status run(const fc_plan* plan = nullptr) {
    return fc_run(&job, plan, &a.view, &v.view, &out.view);
  }
};

inline std::vector<ptrdiff_t> shape_of(const fc_job& job, ptrdiff_t (*length)(const fc_axis&)) {
  std::vector<ptrdiff_t> shape(job.batch, job.batch + job.nbatch);
  for (int d = 0; d < job.ndim; ++d) shape.push_back(length(job.axis[d]));
  return shape;
}

inline Call call_of(const fc_job& job, Random& random, const std::vector<int>& a_step,
                    const std::vector<int>& v_step, const std::vector<int>& out_step,
                    ptrdiff_t misalign = 0) {
  const auto a_shape = shape_of(job, [](const fc_axis& x) { return x.n; });
  const auto v_shape = shape_of(job, [](const fc_axis& x) { return x.m; });
  const auto out_shape = shape_of(job, [](const fc_axis& x) { return x.hi - x.lo; });
  Call call = {job, Array(job.a_dtype, a_shape, a_step, misalign),
               Array(job.v_dtype, v_shape, v_step, misalign),
               Array(result_dtype({job.a_dtype, job.v_dtype}), out_shape, out_step, misalign)};
  call.a.fill_random(random);
  call.v.fill_random(random);
  return call;
}

}  // namespace native
