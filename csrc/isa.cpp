// Which levels this build holds, which of them this CPU runs, which is in use.
// FC_LEVELS comes from the build, "X(sse2) X(avx2) ..." in ascending order; no
// compiler macro is asked, and this file is compiled for the baseline, so
// nothing here can run an instruction before the CPU is known to have it.
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <atomic>
#include <chrono>

#include "engine.h"

namespace fastconv {

#define X(level) extern const KernelTable kernels_##level;
FC_LEVELS
#undef X

namespace {

#define X(level) &kernels_##level,
const KernelTable* const kTables[] = {FC_LEVELS};
#undef X

constexpr int kLevels = int(sizeof kTables / sizeof kTables[0]);

// The operating system's consent to the wider registers is part of what the
// compiler's probe asks.
bool runs_here(const char* level) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!strcmp(level, "avx2")) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }
  if (!strcmp(level, "avx512")) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
  }
#endif
  return level != nullptr;
}

// Levels are ordered: the first that is missing ends the climb.
int highest() {
  int level = 0;
  while (level + 1 < kLevels && runs_here(kTables[level + 1]->name)) ++level;
  return level;
}

std::atomic<int> in_use{-1};

}  // namespace

const KernelTable& kernels(int level) { return *kTables[level]; }

Maker maker() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_is("intel")) return Maker::kIntel;
  unsigned version, ebx, ecx, edx;
  if (__builtin_cpu_is("amd") && __get_cpuid(1, &version, &ebx, &ecx, &edx)) {
    const unsigned family = (version >> 8 & 15) + (version >> 20 & 255);
    if (family >= 26) return Maker::kZen5;
  }
#endif
  return Maker::kAmd;
}

}  // namespace fastconv

extern "C" {

int fc_levels(void) { return fastconv::kLevels; }

const char* fc_level_name(int level) { return fastconv::kTables[level]->name; }

int fc_level_available(int level) { return level <= fastconv::highest(); }

int fc_level(void) {
  int level = fastconv::in_use.load(std::memory_order_relaxed);
  return level >= 0 ? level : fc_use_level(fastconv::kLevels - 1);
}

int fc_use_level(int level) {
  const int top = fastconv::highest();
  level = level < 0 ? 0 : level > top ? top : level;
  fastconv::in_use.store(level, std::memory_order_relaxed);
  return level;
}

double fc_peak(int level, fc_dtype dtype) {
  using Clock = std::chrono::steady_clock;
  const fastconv::KernelTable& table = fastconv::kernels(level);
  const auto chains = fastconv::is_single(dtype) ? table.peak_f32 : table.peak_f64;
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    const auto start = Clock::now();
    const double macs = chains(100000);
    const std::chrono::duration<double, std::nano> ns = Clock::now() - start;
    best = macs / ns.count() > best ? macs / ns.count() : best;
  }
  return best;
}

const char* fc_compiler(void) {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}
}
