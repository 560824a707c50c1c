// What systems do not have in common. Knows no convolution.
#pragma once
#include <stddef.h>

#include "function.h"

namespace fastconv {

// Calls forget() in every child forked from now on. False where that cannot be had.
bool watch_forks(void (*forget)());

// Calls start(): what threads it starts take no signals. False, and no call, where that cannot
// be had.
bool without_signals(FunctionRef<void()> start);

// Asks that memory which nobody has touched yet comes in large pages: fewer faults, and fewer
// misses of the TLB in strides over it. A wish, so nothing fails.
void prefer_huge_pages(void* data, size_t bytes);

// Names the calling thread, for those who look at a process's threads.
void name_thread();

}  // namespace fastconv
