#include "spectra.h"

#include <string.h>

#include <memory>
#include <new>
#include <utility>

using fastconv::Freed;
using fastconv::FunctionRef;
using fastconv::Index;
using fastconv::kAlign;
using fastconv::kItemSize;
using fastconv::Known;

namespace {

size_t aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

}  // namespace

bool Known::operator==(const Known& o) const {
  return dtype == o.dtype && kh == o.kh && kw == o.kw && kernels == o.kernels &&
         length[0] == o.length[0] && length[1] == o.length[1] && lanes == o.lanes &&
         right_angle == o.right_angle && line == o.line && scale == o.scale;
}

// What is known, then a copy of taps that may change.
struct fc_spectra::Kept {
  Known how;
  const char* v;  // the taps, or their copy
  Index v_row;
  std::unique_ptr<char[], Freed> data = nullptr;
  Kept* older = nullptr;

  size_t row_bytes() const { return size_t(how.kw * kItemSize[how.dtype]); }

  bool is_of(const char* taps, Index row) const {
    if (taps == v && row == v_row) return true;
    for (Index r = 0; r < how.kh; ++r) {
      if (memcmp(v + r * v_row, taps + r * row, row_bytes())) return false;
    }
    return true;
  }

  void copy_taps(char* to) {
    for (Index r = 0; r < how.kh; ++r) {
      memcpy(to + size_t(r) * row_bytes(), v + r * v_row, row_bytes());
    }
    v = to, v_row = Index(row_bytes());
  }
};

fc_spectra::~fc_spectra() {
  for (Kept* kept : newest_) {
    while (kept) delete std::exchange(kept, kept->older);
  }
}

const fc_spectra::Kept* fc_spectra::find(const Known& how, const char* v, Index v_row) {
  for (const Kept* kept = newest(how.fact); kept; kept = kept->older) {
    if (kept->how == how && kept->is_of(v, v_row)) return kept;
  }
  return nullptr;
}

// Two threads may make the same; both are kept, and either is found.
const void* fc_spectra::get(const Known& how, const char* v, Index v_row, size_t bytes,
                            FunctionRef<void(void*)> make) {
  if (const Kept* kept = find(how, v, v_row)) return kept->data.get();
  const size_t taps = is_fixed(v) ? 0 : size_t(how.kh * how.kw * kItemSize[how.dtype]);
  const size_t all = aligned(bytes) + aligned(taps);
  if (all > max_bytes_) return nullptr;
  if (bytes_.fetch_add(all) + all > max_bytes_) {
    bytes_ -= all;
    full_ = true;
    return nullptr;
  }
  std::unique_ptr<Kept> kept;
  try {
    kept.reset(new Kept{how, v, v_row});
    kept->data.reset(static_cast<char*>(fastconv::take_aligned(all)));
    if (taps) kept->copy_taps(kept->data.get() + aligned(bytes));
    make(kept->data.get());
  } catch (...) {
    bytes_ -= all;
    throw;
  }
  std::atomic<Kept*>& list = newest(how.fact);
  kept->older = list;
  while (!list.compare_exchange_weak(kept->older, kept.get())) continue;
  return kept.release()->data.get();
}

extern "C" {

fc_spectra* fc_spectra_new(size_t max_bytes, const void* fixed, size_t fixed_bytes) {
  return new (std::nothrow) fc_spectra(max_bytes, fixed, fixed_bytes);
}

void fc_spectra_free(fc_spectra* spectra) { delete spectra; }

size_t fc_spectra_bytes(const fc_spectra* spectra) { return spectra->bytes(); }

int fc_spectra_full(const fc_spectra* spectra) { return spectra->full(); }
}
