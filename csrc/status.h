// Exceptions as the C face tells them, and back.
#pragma once
#include <new>

#include "engine.h"

namespace fastconv {

template <class Work>
fc_status caught(Work work) {
  try {
    work();
    return FC_OK;
  } catch (const std::bad_alloc&) {
    return FC_NO_MEMORY;
  } catch (const Interrupted&) {
    return FC_INTERRUPTED;
  }
}

inline void rethrow(fc_status status) {
  if (status == FC_NO_MEMORY) throw std::bad_alloc();
  if (status == FC_INTERRUPTED) throw Interrupted{};
}

}  // namespace fastconv
