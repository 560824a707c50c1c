// What libFuzzer drives: bytes are read as a job, which is run between walls and judged by
// naive.h, on every level. A wrong output ends the program as a crash does.
//
// Bytes are taken as choices until they are used up; noise after that is drawn from what they
// were, so that every input, however short, is a whole job.
#include <stdlib.h>

#include "calls.h"
#include "walls.h"

using namespace native;

namespace {

// The most multiply-adds of a job, and outputs judged: the judge takes most of the time.
constexpr double kMostMacs = 1e5;
constexpr ptrdiff_t kJudged = 6;

class Choices {
 public:
  Choices(const uint8_t* data, size_t size)
      : data_(data), end_(data + size), noise_(seed(data, size)) {}

  ptrdiff_t between(ptrdiff_t lo, ptrdiff_t hi) {  // both included
    if (end_ - data_ < 2) return noise_.between(lo, hi);
    const ptrdiff_t two = data_[0] | data_[1] << 8;
    data_ += 2;
    return lo + two % (hi - lo + 1);
  }
  template <class T, size_t Count>
  T one_of(const T (&list)[Count]) {
    return list[between(0, ptrdiff_t(Count) - 1)];
  }
  Random& noise() { return noise_; }

 private:
  static uint64_t seed(const uint8_t* data, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
    for (size_t i = 0; i < size; ++i) hash = (hash ^ data[i]) * 0x100000001b3u;
    return hash;
  }
  const uint8_t *data_, *end_;
  Random noise_;
};

constexpr int kSteps[] = {1, 1, 1, -1, 2, -2, 3};
constexpr fc_accuracy kAccuracies[] = {FC_ACCURACY_AUTO, FC_ACCURACY_AUTO, FC_COMPONENTWISE,
                                       FC_NORMWISE};

struct Drawn {
  fc_job job;
  std::vector<int> a_step, v_step, out_step;
};

void draw_batches(Choices& choose, Drawn& drawn) {
  fc_job& job = drawn.job;
  job.nbatch = int(choose.between(0, 2));
  if (job.ndim == 1) job.after = int(choose.between(0, job.nbatch));
  for (int b = 0; b < job.nbatch; ++b) {
    job.batch[b] = choose.between(1, b ? 40 : 4);
    const bool a_stays = choose.between(0, 3) == 0, v_stays = choose.between(0, 2) > 0;
    drawn.a_step.push_back(a_stays ? 0 : choose.one_of(kSteps));
    drawn.v_step.push_back(v_stays ? 0 : choose.one_of(kSteps));
    drawn.out_step.push_back(choose.one_of(kSteps));
    job.shared[b] = v_stays ? FC_SHARES_V : a_stays ? FC_SHARES_A : FC_SHARES_NONE;
  }
}

void draw_axes(Choices& choose, Drawn& drawn) {
  fc_job& job = drawn.job;
  const auto boundary = fc_boundary(choose.between(0, 2));
  constexpr ptrdiff_t kLongest[3][4] = {{9, 70, 300, 1500}, {4, 12, 30, 60}, {2, 4, 7, 9}};
  const ptrdiff_t longest = choose.one_of(kLongest[job.ndim - 1]);
  for (int d = 0; d < job.ndim; ++d) {
    const ptrdiff_t n = choose.between(1, longest),
                    m = choose.between(1, choose.between(1, longest));
    const ptrdiff_t lo = choose.between(0, n + m - 2), hi = choose.between(lo + 1, n + m - 1);
    const bool full = choose.between(0, 1) == 0;
    set_axis(job, d, n, m, full ? 0 : lo, full ? n + m - 1 : hi, boundary);
    drawn.a_step.push_back(choose.one_of(kSteps));
    drawn.v_step.push_back(choose.one_of(kSteps));
    drawn.out_step.push_back(choose.one_of(kSteps));
  }
}

Drawn draw(Choices& choose) {
  Drawn drawn = {empty_job(choose.one_of(kPairs), choose.one_of(kMethods)), {}, {}, {}};
  fc_job& job = drawn.job;
  job.ndim = int(choose.between(1, 3));
  job.conjugate = int(choose.between(0, 1));
  job.accuracy = choose.one_of(kAccuracies);
  job.separable = fc_separable(choose.between(0, 2));
  job.workers = int(choose.between(1, 2));
  if (choose.between(0, 2) == 0) {
    job.fill[0] = double(job.fill_bits = job.a_dtype == FC_BOOL ? 1 : choose.between(-9, 9));
    job.fill[1] = naive::is_complex(job.a_dtype) ? double(choose.between(-9, 9)) : 0;
  }
  draw_batches(choose, drawn);
  draw_axes(choose, drawn);
  return drawn;
}

double macs_of(const fc_job& job) {
  double macs = 1;
  for (int b = 0; b < job.nbatch; ++b) macs *= double(job.batch[b]);
  for (int d = 0; d < job.ndim; ++d) {
    macs *= double(job.axis[d].hi - job.axis[d].lo) * double(job.axis[d].m);
  }
  return macs;
}

[[noreturn]] void wrong(const fc_job& job, const char* what) {
  fprintf(stderr, "%s: level %s, %s, a=%d v=%d ndim=%d nbatch=%d n=%td m=%td [%td, %td)\n", what,
          fc_level_name(fc_level()), kMethodNames[job.method], int(job.a_dtype), int(job.v_dtype),
          job.ndim, job.nbatch, job.axis[0].n, job.axis[0].m, job.axis[0].lo, job.axis[0].hi);
  abort();
}

// Any plan that there is for the job, or none: the engine's own choice.
const fc_plan* plan_of(Choices& choose, const fc_job& job, fc_plan& plan) {
  if (choose.between(0, 1)) return nullptr;
  static fc_candidate found[512];
  fc_choose(&job, &plan);
  const int count = fc_list_plans(&job, found, 512);
  plan.chosen = found[choose.between(0, count - 1)];
  plan.workers = job.workers;
  if (!fc_is_plan(&job, &plan.chosen)) wrong(job, "a plan of the list is none");
  return &plan;
}

// Of samples that stand for nothing special, some are made zeros: combs, runs and silence.
bool quieten(Choices& choose, const Array& array) {
  const ptrdiff_t kind = choose.between(0, 5), some = choose.between(2, 9);
  if (kind > 1) return false;
  ptrdiff_t at = 0;
  array.each([&](const ptrdiff_t* index) {
    const bool silent = kind ? at % some != 0 : at / (8 * some) % 2 == 0;
    if (silent) memset(array.at(index), 0, size_t(naive::item_bytes(array.dtype)));
    ++at;
  });
  return true;
}

// Outputs here and there. What zeros may do to small values is the guard's to find and a
// heuristic (docs/accuracy.md), so that silence is judged by norms, as 'normwise' is.
void judge(const Call& call, bool by_norms) {
  const fc_job& job = call.job;
  double terms = 1;
  for (int d = 0; d < job.ndim; ++d) terms *= double(job.axis[d].m);
  ptrdiff_t size = 1;
  for (const ptrdiff_t length : call.out.shape) size *= length;
  // No sample is drawn larger than 2^23, or 2^49 (naive.h).
  const double most = ldexp(2, naive::is_single(job.a_dtype) ? 46 : 98);
  ptrdiff_t at = 0;
  const ptrdiff_t stride = 1 + size / kJudged;
  call.out.each([&](const ptrdiff_t* index) {
    if (at++ % stride && at != size) return;
    Sum sum = naive::output(job, call.a, call.v, index);
    if (by_norms) sum.s = most * terms;
    if (!naive::agrees(job, call.out.dtype, call.out.at(index), sum, terms)) wrong(job, "output");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Choices choose(data, size);
  int levels = 0;
  while (levels < fc_levels() && fc_level_available(levels)) ++levels;
  fc_use_level(int(choose.between(0, levels - 1)));
  const Drawn drawn = draw(choose);
  if (macs_of(drawn.job) > kMostMacs) return 0;
  Call call = call_of(drawn.job, choose.noise(), drawn.a_step, drawn.v_step, drawn.out_step);
  const bool quiet_a = quieten(choose, call.a), quiet_v = quieten(choose, call.v);
  const auto side = choose.between(0, 1) ? Walled::kBehindWall : Walled::kBeforeWall;
  const Walled a(call.a, side), v(call.v, side), out(call.out, side);
  const std::vector<char> taps = call.v.bytes(), signal = call.a.bytes();
  fc_plan plan;
  const fc_plan* forced = plan_of(choose, call.job, plan);
  if (fc_run(&call.job, forced, &a.view, &v.view, &out.view) != FC_OK) wrong(call.job, "status");
  a.copy_to(call.a);
  v.copy_to(call.v);
  if (call.a.bytes() != signal || call.v.bytes() != taps) wrong(call.job, "input changed");
  out.copy_to(call.out);
  judge(call, quiet_a || quiet_v || call.job.accuracy == FC_NORMWISE);
  return 0;
}
