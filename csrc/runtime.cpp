#include "runtime.h"

#include <stdint.h>

#include <algorithm>
#include <new>
#include <vector>

#include "system.h"

namespace fastconv {
namespace {

constexpr size_t kFirstChunk = size_t(1) << 18, kMostAhead = size_t(8) << 20;
// An arena above this is given back after the call: long signals come and go,
// the blocks of everyday calls stay warm.
constexpr size_t kKeepBytes = size_t(64) << 20;
// From here on two large pages of 2 MB or more are among it. 3e6 * 3e6 in f64, whose arena is not
// kept, takes 0.61 of the time with them, 1e6 * 1e6 0.98.
constexpr size_t kHugeBytes = size_t(6) << 20;

}  // namespace

// The one aligned allocation that every C++17 library has, of which so much is certain to be used.
static void* take_aligned(size_t bytes, size_t used) {
  void* data = ::operator new(bytes, std::align_val_t(kAlign));
  if (used >= kHugeBytes) prefer_huge_pages(data, used);
  return data;
}

void* take_aligned(size_t bytes) { return take_aligned(bytes, bytes); }

void Freed::operator()(void* data) const { ::operator delete(data, std::align_val_t(kAlign)); }

struct Chunk {
  std::unique_ptr<char[], Freed> data;
  size_t bytes;
};

// A stack of chunks. A new one is as large as all before it, up to 8 MB: a call settles on few.
class Arena {
 public:
  std::vector<Chunk> chunks;
  size_t current = 0;  // the chunk in use; those behind it are empty
  size_t used = 0;     // of the current chunk

  size_t total() const {
    size_t sum = 0;
    for (const Chunk& c : chunks) sum += c.bytes;
    return sum;
  }

  void* take(size_t bytes) {
    if (current == chunks.size() || bytes > chunks[current].bytes - used) go_on(bytes);
    void* p = chunks[current].data.get() + used;
    used += bytes;
    return p;
  }

 private:
  // To the next chunk that is large enough. Those before it, empty and too small, would only keep
  // what they have touched.
  void go_on(size_t bytes) {
    const size_t held = total();
    if (used > 0) ++current, used = 0;
    const auto first = chunks.begin() + ptrdiff_t(current);
    const auto enough = [&](const Chunk& c) { return c.bytes >= bytes; };
    chunks.erase(first, std::find_if(first, chunks.end(), enough));
    if (current == chunks.size()) grow(bytes, std::clamp(held, kFirstChunk, kMostAhead));
  }

  void grow(size_t bytes, size_t ahead) {
    const size_t most = std::max(bytes, ahead);
    chunks.reserve(chunks.size() + 1);
    char* data = static_cast<char*>(take_aligned(most, bytes));
    chunks.push_back({std::unique_ptr<char[], Freed>(data), most});
  }
};

static thread_local Arena of_this_thread;

Scratch::Scratch() : Scratch(of_this_thread) {}

Scratch::Scratch(Arena& arena) : arena_(arena), chunk_(arena.current), used_(arena.used) {}

Scratch::~Scratch() {
  arena_.current = chunk_;
  arena_.used = used_;
  if (chunk_ == 0 && used_ == 0 && arena_.total() > kKeepBytes) arena_.chunks.clear();
}

Kept::Kept() : std::unique_ptr<Arena>(new Arena), Scratch(*get()) {}

Kept::~Kept() = default;

void* Scratch::take_bytes(ptrdiff_t count, size_t item_bytes) {
  if (count < 0 || size_t(count) > (SIZE_MAX / 2 - kAlign) / item_bytes) throw std::bad_alloc();
  size_t bytes = (size_t(count) * item_bytes + kAlign - 1) / kAlign * kAlign;
  return arena_.take(bytes);
}

size_t arena_bytes() { return of_this_thread.total(); }

}  // namespace fastconv
