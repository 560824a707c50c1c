// What systems do not have in common. Knows no convolution.
#pragma once
#include "function.h"

namespace fastconv {

// Calls forget() in every child forked from now on. False where that cannot be had.
bool watch_forks(void (*forget)());

// Calls start(): what threads it starts take no signals. False, and no call, where that cannot
// be had.
bool without_signals(FunctionRef<void()> start);

// Names the calling thread, for those who look at a process's threads.
void name_thread();

}  // namespace fastconv
