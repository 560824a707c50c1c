// Jobs made, run and judged by naive.h, and how many were good.
#pragma once
#include <stdio.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "naive.h"

namespace native {

using naive::Array;
using naive::Random;
using naive::Sum;

inline int passed = 0, failed = 0;

inline void count(bool good, const char* what) {
  ++(good ? passed : failed);
  if (!good && failed <= 20) printf("FAILED %s\n", what);
}

struct DtypePair {
  fc_dtype a, v;
};

constexpr DtypePair kPairs[] = {
    {FC_F32, FC_F32}, {FC_F64, FC_F64},  {FC_C64, FC_C64},   {FC_C128, FC_C128}, {FC_C64, FC_F32},
    {FC_F32, FC_C64}, {FC_C128, FC_F64}, {FC_F64, FC_C128},  {FC_I8, FC_I8},     {FC_I16, FC_I16},
    {FC_I32, FC_I32}, {FC_I64, FC_I64},  {FC_BOOL, FC_BOOL},
};

inline fc_dtype result_dtype(DtypePair t) { return naive::is_complex(t.v) ? t.v : t.a; }

constexpr fc_method kMethods[] = {FC_AUTO, FC_DIRECT, FC_OVERLAP, FC_ONESHOT};
constexpr const char* kMethodNames[] = {"auto", "direct", "overlap", "oneshot"};

inline fc_job empty_job(DtypePair types, fc_method method) {
  fc_job job;
  memset(&job, 0, sizeof job);
  job.a_dtype = types.a;
  job.v_dtype = types.v;
  job.method = method;
  job.workers = 1;
  return job;
}

// Are the upper halves of vector registers clear, as the processor tells where it can? Scalar
// sums behind those that are not take several times as long.
inline bool registers_are_clear() {
#ifdef __x86_64__
  constexpr unsigned kSaves = 1u << 27, kTells = 1u << 2, kUpperHalves = 1u << 2 | 1u << 6;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & kSaves)) return true;
  if (!__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & kTells)) return true;
  asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(1));
  return !(a & kUpperHalves);
#else
  return true;
#endif
}

// Runs a job whose axes and batches are set, on random data in arrays of the
// given steps, and judges every output, or `samples` of them and the two ends.
inline void check(fc_job& job, Random& random, const std::vector<int>& a_step,
                  const std::vector<int>& v_step, const std::vector<int>& out_step,
                  int misalign = 0, int samples = 0, bool a_first_fastest = false,
                  bool out_first_fastest = false, const fc_plan* plan = nullptr) {
  std::vector<ptrdiff_t> a_shape, v_shape, out_shape;
  for (int b = 0; b < job.nbatch; ++b) {
    a_shape.push_back(job.batch[b]);
    v_shape.push_back(job.batch[b]);
    out_shape.push_back(job.batch[b]);
  }
  double terms = 1;
  for (int d = 0; d < job.ndim; ++d) {
    const fc_axis& x = job.axis[d];
    a_shape.push_back(x.n);
    v_shape.push_back(x.m);
    out_shape.push_back(x.hi - x.lo);
    terms *= double(x.boundary == FC_FILL && job.fill[0] == 0 ? (x.n < x.m ? x.n : x.m) : x.m);
  }
  Array a(job.a_dtype, a_shape, a_step, misalign, a_first_fastest);
  Array v(job.v_dtype, v_shape, v_step, misalign);
  Array out(result_dtype({job.a_dtype, job.v_dtype}), out_shape, out_step, misalign,
            out_first_fastest);
  a.fill_random(random);
  v.fill_random(random);
  const std::vector<char> a_before = a.bytes(), v_before = v.bytes();
  const std::vector<char> out_before = out.bytes();

  char what[200];
  snprintf(what, sizeof what, "%s %s a=%d v=%d ndim=%d nbatch=%d n=%td m=%td [%td, %td) edge=%d",
           fc_level_name(fc_level()), kMethodNames[job.method], int(job.a_dtype), int(job.v_dtype),
           job.ndim, job.nbatch, job.axis[0].n, job.axis[0].m, job.axis[0].lo, job.axis[0].hi,
           int(job.axis[0].boundary));
  bool good = fc_run(&job, plan, &a.view, &v.view, &out.view) == FC_OK;
  good &= registers_are_clear();
  good &= a.bytes() == a_before && v.bytes() == v_before;

  // What was written is judged and restored; the gaps must then be untouched.
  const size_t item = size_t(naive::item_bytes(out.dtype));
  const auto judge = [&](const ptrdiff_t* index) {
    const Sum sum = naive::output(job, a, v, index);
    if (good && !naive::agrees(job, out.dtype, out.at(index), sum, terms)) {
      good = false;
      printf("output");
      for (size_t d = 0; d < out.shape.size(); ++d) printf(" %td", index[d]);
      printf(" of %td: ", out.shape.back());
    }
  };
  ptrdiff_t seen = 0;
  const ptrdiff_t last = out.shape.back() - 1;
  out.each([&](const ptrdiff_t* index) {
    const ptrdiff_t i = index[out.shape.size() - 1];
    const bool ends = i < 3 || i > last - 3;
    if (samples == 0 || ends || seen++ % (1 + last / samples) == 0) judge(index);
  });
  out.each([&](const ptrdiff_t* index) { memset(out.at(index), 0xff, item); });
  good &= out.bytes() == out_before;
  count(good, what);
}

// A scan looks at every problem of a call and writes nothing.
inline void count_scan(fc_job job, const Array& a, const Array& v) {
  const std::vector<char> a_before = a.bytes(), v_before = v.bytes();
  bool good = fc_scan(&job, &a.view, &v.view) == FC_OK && job.facts.known && job.facts.v_finite;
  good &= a.bytes() == a_before && v.bytes() == v_before;
  count(good, "fc_scan");
}

inline void set_axis(fc_job& job, int d, ptrdiff_t n, ptrdiff_t m, ptrdiff_t lo, ptrdiff_t hi,
                     fc_boundary boundary = FC_FILL) {
  job.axis[d] = fc_axis{n, m, lo, hi, boundary};
}

}  // namespace native
