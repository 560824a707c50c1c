// Threads that help a caller. Knows no convolution.
#pragma once
#include "function.h"

namespace fastconv {

// Runs body(0) here and body(1), body(2), .. on threads that are free, at most `threads` of
// them all together, and returns when each has returned; no body may throw. While it waits
// for others, waiting() is called every 50 ms. Nobody waits for threads that help another
// call: there may be fewer, or none. A helping thread that asks for help gets none.
void run_together(int threads, FunctionRef<void(int worker)> body, FunctionRef<void()> waiting);

}  // namespace fastconv
