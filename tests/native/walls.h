// Arrays between walls: the page before the first byte, or behind the last, cannot be read
// or written, so that a step beyond ends the program.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "naive.h"

namespace native {

// Room that ends at a wall and begins behind one.
class Walls {
 public:
  explicit Walls(size_t bytes) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE));
    room_ = (bytes + page - 1) / page * page;
    whole_ = room_ + 2 * page;
    void* mapped = mmap(nullptr, whole_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    outer_ = static_cast<char*>(mapped);
    if (mprotect(first(), room_, PROT_READ | PROT_WRITE)) throw std::bad_alloc();
  }
  ~Walls() { munmap(outer_, whole_); }
  Walls(const Walls&) = delete;
  Walls& operator=(const Walls&) = delete;

  char* first() const { return outer_ + (whole_ - room_) / 2; }
  char* end() const { return first() + room_; }
  size_t room() const { return room_; }

 private:
  char* outer_;
  size_t room_, whole_;
};

// An array's samples and the gaps between them, against one of the walls.
class Walled {
 public:
  enum Side { kBehindWall, kBeforeWall };

  Walled(const naive::Array& array, Side side) : Walled(array, side, extent_of(array)) {}

  fc_array view;

  // As the array has them now.
  void copy_to(const naive::Array& array) const {
    memcpy(static_cast<char*>(array.view.data) - extent_.before, start_, extent_.bytes());
  }

 private:
  struct Extent {
    ptrdiff_t before = 0, behind = 0;  // of the first sample
    size_t bytes() const { return size_t(before + behind); }
  };

  static Extent extent_of(const naive::Array& array) {
    Extent e;
    for (size_t d = 0; d < array.shape.size(); ++d) {
      const ptrdiff_t reach = (array.shape[d] - 1) * array.view.stride[d];
      (reach < 0 ? e.before : e.behind) += reach < 0 ? -reach : reach;
    }
    e.behind += naive::item_bytes(array.dtype);
    return e;
  }

  Walled(const naive::Array& array, Side side, Extent extent)
      : view(array.view), extent_(extent), walls_(extent.bytes()) {
    start_ = side == kBehindWall ? walls_.first() : walls_.end() - extent_.bytes();
    memcpy(start_, static_cast<char*>(array.view.data) - extent_.before, extent_.bytes());
    view.data = start_ + extent_.before;
  }

  const Extent extent_;
  const Walls walls_;
  char* start_;
};

}  // namespace native
