// Aligned memory, and scratch made of it. Knows no convolution.
#pragma once
#include <stddef.h>

#include <memory>

namespace fastconv {

constexpr size_t kAlign = 64;  // a line of cache, and the widest vector

// Bytes aligned so, dirty. Throws std::bad_alloc.
void* take_aligned(size_t bytes);

// Owns what take_aligned gave.
struct Freed {
  void operator()(void* data) const;
};

// Working memory of one call or one piece of it, taken from this thread's arena
// and given back, all at once, when the Scratch goes out of scope. Scratches
// nest like stack frames. What is handed out is dirty and 64-byte aligned.
// Throws std::bad_alloc, also where count * sizeof(T) overflows.
class Arena;

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <class T>
  T* take(ptrdiff_t count) {
    return static_cast<T*>(take_bytes(count, sizeof(T)));
  }

 protected:
  explicit Scratch(Arena&);

 private:
  void* take_bytes(ptrdiff_t count, size_t item_bytes);
  Arena& arena_;
  size_t chunk_;
  size_t used_;
};

// Scratch memory that belongs to no thread: taken on one, it may be used on others.
class Kept : std::unique_ptr<Arena>, public Scratch {
 public:
  Kept();
  ~Kept();
};

// Bytes this thread's arena holds on to between calls.
size_t arena_bytes();

}  // namespace fastconv
