#include "spectra.h"

#include <stdlib.h>
#include <string.h>

#include <memory>
#include <new>
#include <utility>

using fastconv::FunctionRef;
using fastconv::Index;
using fastconv::Transformed;

namespace {

constexpr size_t kAlign = 64;

size_t aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

struct Freed {
  void operator()(char* data) const { free(data); }
};

}  // namespace

bool Transformed::operator==(const Transformed& o) const {
  return kernels == o.kernels && item_bytes == o.item_bytes && kh == o.kh && kw == o.kw &&
         length[0] == o.length[0] && length[1] == o.length[1] && lanes == o.lanes &&
         right_angle == o.right_angle && line == o.line && scale == o.scale;
}

// The spectrum, then a copy of the taps.
struct fc_spectra::Kept {
  Transformed how;
  size_t bytes;
  std::unique_ptr<char[], Freed> data;
  Kept* older = nullptr;

  char* taps() const { return data.get() + aligned(bytes); }
  size_t row_bytes() const { return size_t(how.kw * how.item_bytes); }

  bool is_of(const char* v, Index v_row) const {
    for (Index r = 0; r < how.kh; ++r) {
      if (memcmp(taps() + size_t(r) * row_bytes(), v + r * v_row, row_bytes())) return false;
    }
    return true;
  }
};

fc_spectra::~fc_spectra() {
  for (Kept* kept = newest_; kept;) delete std::exchange(kept, kept->older);
}

const fc_spectra::Kept* fc_spectra::find(const Transformed& how, const char* v, Index v_row) const {
  for (const Kept* kept = newest_; kept; kept = kept->older) {
    if (kept->how == how && kept->is_of(v, v_row)) return kept;
  }
  return nullptr;
}

// Two threads may make the same; both are kept, and either is found.
const void* fc_spectra::get(const Transformed& how, const char* v, Index v_row, size_t bytes,
                            FunctionRef<void(void*)> make) {
  if (const Kept* kept = find(how, v, v_row)) return kept->data.get();
  const size_t taps = size_t(how.kh * how.kw * how.item_bytes),
               all = aligned(bytes) + aligned(taps);
  if (all > max_bytes_) return nullptr;
  if (bytes_.fetch_add(all) + all > max_bytes_) {
    bytes_ -= all;
    full_ = true;
    return nullptr;
  }
  std::unique_ptr<Kept> kept;
  try {
    kept.reset(new Kept{how, bytes, nullptr});
    kept->data.reset(static_cast<char*>(aligned_alloc(kAlign, all)));
    if (!kept->data) throw std::bad_alloc();
    for (Index r = 0; r < how.kh; ++r) {
      memcpy(kept->taps() + size_t(r) * kept->row_bytes(), v + r * v_row, kept->row_bytes());
    }
    make(kept->data.get());
  } catch (...) {
    bytes_ -= all;
    throw;
  }
  kept->older = newest_;
  while (!newest_.compare_exchange_weak(kept->older, kept.get())) continue;
  return kept.release()->data.get();
}

extern "C" {

fc_spectra* fc_spectra_new(size_t max_bytes) { return new (std::nothrow) fc_spectra(max_bytes); }

void fc_spectra_free(fc_spectra* spectra) { delete spectra; }

size_t fc_spectra_bytes(const fc_spectra* spectra) { return spectra->bytes(); }

int fc_spectra_full(const fc_spectra* spectra) { return spectra->full(); }
}
