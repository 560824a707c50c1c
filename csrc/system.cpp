#include "system.h"

#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#endif
#ifdef __linux__
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace fastconv {

#ifdef _WIN32  // has neither forks nor signals that a thread could take

bool watch_forks(void (*)()) { return true; }

bool without_signals(FunctionRef<void()> start) { return start(), true; }

void name_thread() {}

#else

bool watch_forks(void (*forget)()) { return pthread_atfork(nullptr, nullptr, forget) == 0; }

bool without_signals(FunctionRef<void()> start) {
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
  start();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return true;
}

void name_thread() {
#if defined(__APPLE__)
  pthread_setname_np("fastconv");
#elif defined(__linux__)
  pthread_setname_np(pthread_self(), "fastconv");
#endif
}

#endif

#ifdef __linux__

void prefer_huge_pages(void* data, size_t bytes) {
  const uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE));
  const uintptr_t first = (uintptr_t(data) + page - 1) / page * page;
  const uintptr_t end = (uintptr_t(data) + bytes) / page * page;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
}

#else

void prefer_huge_pages(void*, size_t) {}

#endif

}  // namespace fastconv
