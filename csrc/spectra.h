// What is known of kernels alone, their spectra foremost, kept: from call to call where a caller
// holds an fc_spectra, and from piece to piece of one call where a kernel comes again.
#pragma once
#include <atomic>

#include "engine.h"
#include "last_plan.h"
#include "runtime.h"

namespace fastconv {

enum class Fact { kSpectrum, kWeight, kPeak, kCount };

// All but the taps that a fact depends on.
struct Known {
  Fact fact;
  fc_dtype dtype;
  Index kh, kw;         // taps
  const void* kernels;  // the level's: orders and layouts are its own
  // Of the transform; of a weight the block.
  Index length[2];
  int lanes, right_angle, line;
  double scale;

  bool operator==(const Known& other) const;
};

}  // namespace fastconv

// What was made is found by its taps, compared bit by bit, and lives as long as the store; taps
// among the bytes from `fixed` on do not change in that time, and are told by their address.
// Safe for any number of threads: lists that only grow, without a lock.
struct fc_spectra {
  explicit fc_spectra(size_t max_bytes, const void* fixed = nullptr, size_t fixed_bytes = 0)
      : max_bytes_(max_bytes),
        fixed_(static_cast<const char*>(fixed)),
        fixed_bytes_(ptrdiff_t(fixed_bytes)) {}
  ~fc_spectra();
  fc_spectra(const fc_spectra&) = delete;
  fc_spectra& operator=(const fc_spectra&) = delete;

  // What is known of these taps, rows `v_row` bytes apart: as it was kept, or as make(to)
  // writes it, `bytes` long. Null where it would not fit; nothing is made then.
  const void* get(const fastconv::Known&, const char* v, ptrdiff_t v_row, size_t bytes,
                  fastconv::FunctionRef<void(void* to)> make);

  // Are the taps there for as long as the store is?
  bool is_fixed(const void* taps) const {
    const ptrdiff_t at = static_cast<const char*>(taps) - fixed_;
    return at >= 0 && at < fixed_bytes_;
  }

  size_t bytes() const { return bytes_; }
  bool full() const { return full_; }

  fastconv::LastPlan last_plan;

 private:
  struct Kept;
  std::atomic<Kept*>& newest(fastconv::Fact fact) { return newest_[int(fact)]; }
  const Kept* find(const fastconv::Known&, const char* v, ptrdiff_t v_row);

  const size_t max_bytes_;
  const char* const fixed_;
  const ptrdiff_t fixed_bytes_;
  std::atomic<size_t> bytes_{0};
  std::atomic<bool> full_{false};
  std::atomic<Kept*> newest_[int(fastconv::Fact::kCount)] = {};
};

namespace fastconv {

// `count` items that are known of a kernel, as make(T*) writes them: from where such are kept, or
// in scratch memory.
template <class T, class Make>
const T* known_of(const Problem& kernel, const Known& how, Index count, Scratch& scratch,
                  const Make& make) {
  if (kernel.spectra) {
    const void* kept = kernel.spectra->get(how, kernel.v, kernel.v_row, size_t(count) * sizeof(T),
                                           [&](void* to) { make(static_cast<T*>(to)); });
    if (kept) return static_cast<const T*>(kept);
  }
  T* own = scratch.take<T>(count);
  make(own);
  return own;
}

}  // namespace fastconv
