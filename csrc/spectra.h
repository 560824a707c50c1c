// The spectra of kernels, kept: from call to call where a caller holds an fc_spectra, and
// from piece to piece of one call where a kernel comes again.
#pragma once
#include <atomic>

#include "engine.h"

namespace fastconv {

// All but the taps that a spectrum depends on.
struct Transformed {
  const void* kernels;  // the level's: orders and layouts are its own
  Index item_bytes;     // of a tap
  Index kh, kw;         // taps
  Index length[2];      // of the transform
  int lanes, right_angle, line;
  double scale;

  bool operator==(const Transformed& other) const;
};

}  // namespace fastconv

// What was made is found by its taps, compared bit by bit, and lives as long as the store.
// Safe for any number of threads: a list that only grows, without a lock.
struct fc_spectra {
  explicit fc_spectra(size_t max_bytes) : max_bytes_(max_bytes) {}
  ~fc_spectra();
  fc_spectra(const fc_spectra&) = delete;
  fc_spectra& operator=(const fc_spectra&) = delete;

  // The spectrum of these taps, rows `v_row` bytes apart: as it was kept, or as make(to)
  // writes it, `bytes` long. Null where it would not fit; nothing is made then.
  const void* get(const fastconv::Transformed&, const char* v, ptrdiff_t v_row, size_t bytes,
                  fastconv::FunctionRef<void(void* to)> make);

  size_t bytes() const { return bytes_; }
  bool full() const { return full_; }

 private:
  struct Kept;
  const Kept* find(const fastconv::Transformed&, const char* v, ptrdiff_t v_row) const;

  const size_t max_bytes_;
  std::atomic<size_t> bytes_{0};
  std::atomic<bool> full_{false};
  std::atomic<Kept*> newest_{nullptr};
};
